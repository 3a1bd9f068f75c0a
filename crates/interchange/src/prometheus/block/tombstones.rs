//! `tombstones`: what was deleted from a block and not yet left out by a compaction.
//!
//! Layout: magic 0x0130BA30, version 1, then for each interval the series' number in the index (uvarint), its first and last
//! moment (varints, both included), then the CRC-32C of the intervals. Format: Prometheus'
//! `tsdb/docs/format/tombstones.md`.

use super::super::bytes::{be32, checked};
use crate::error::{Error, at};
use model::{Sample, TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use storage::encoding::Decoder;

const MAGIC: u32 = 0x0130_ba30;
const VERSION: u8 = 1;
/// Bytes of the file at most: some ten million intervals.
const BYTES_MAX: u64 = 256 << 20;
/// Magic and version.
const HEADER_BYTES: usize = 5;

/// Deleted intervals by a series' number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tombstones {
    by_series: BTreeMap<u64, Vec<TimeRange>>,
}

impl Tombstones {
    /// Reads the file in a block's folder; a block without one has none.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("tombstones");
        let length = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(at(&path)(error)),
        };
        if length > BYTES_MAX {
            return Err(Error::corrupt(&path, 0, "larger than any tombstones"));
        }
        let bytes = std::fs::read(&path).map_err(at(&path))?;
        Self::decode(&bytes).map_err(|(offset, what)| Error::corrupt(&path, offset, what))
    }

    /// Reads the bytes of the file; the error has offset and reason.
    fn decode(bytes: &[u8]) -> Result<Self, (u64, String)> {
        let mut decoder = Decoder::new(bytes);
        if be32(&mut decoder) != Some(MAGIC) {
            return Err((0, "another kind of file".to_owned()));
        }
        if decoder.byte() != Some(VERSION) {
            return Err((4, "an unknown version".to_owned()));
        }
        let content = checked(decoder.rest())
            .ok_or_else(|| (HEADER_BYTES as u64, "checksum mismatch".to_owned()))?;
        let mut stones = Self::default();
        let mut rest = Decoder::new(content);
        while !rest.is_empty() {
            let offset = (HEADER_BYTES + content.len() - rest.rest().len()) as u64;
            let read =
                |rest: &mut Decoder<'_>| Some((rest.varint()?, rest.zigzag()?, rest.zigzag()?));
            let (series, first, last) =
                read(&mut rest).ok_or_else(|| (offset, "an interval ends early".to_owned()))?;
            stones.add(series, first, last);
        }
        Ok(stones)
    }

    /// The bytes of a file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for (series, intervals) in &self.by_series {
            for interval in intervals {
                storage::encoding::put_varint(&mut content, *series);
                storage::encoding::put_zigzag(&mut content, interval.start.millis());
                storage::encoding::put_zigzag(&mut content, interval.end.millis());
            }
        }
        let mut bytes = MAGIC.to_be_bytes().to_vec();
        bytes.push(VERSION);
        let sum = super::super::crc32c::crc32c(&content);
        bytes.extend(content);
        bytes.extend(sum.to_be_bytes());
        bytes
    }

    /// Notes that an interval (both ends included) of a series is deleted.
    pub fn add(&mut self, series: u64, first: i64, last: i64) {
        self.by_series.entry(series).or_default().push(TimeRange {
            start: Timestamp::from_millis(first),
            end: Timestamp::from_millis(last),
        });
    }

    /// Number of intervals.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_series.values().map(Vec::len).sum()
    }

    /// Whether nothing is deleted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_series.is_empty()
    }

    /// Takes deleted samples of a series out; answers how many those were.
    pub fn apply(&self, series: u64, samples: &mut Vec<Sample>) -> usize {
        let Some(intervals) = self.by_series.get(&series) else {
            return 0;
        };
        let before = samples.len();
        samples.retain(|sample| {
            !intervals
                .iter()
                .any(|range| range.contains(sample.timestamp))
        });
        before - samples.len()
    }

    /// Whether a moment of a series is deleted.
    #[must_use]
    pub fn covers(&self, series: u64, at: i64) -> bool {
        let at = Timestamp::from_millis(at);
        self.by_series
            .get(&series)
            .is_some_and(|intervals| intervals.iter().any(|range| range.contains(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::Tombstones;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trips(
            stones in prop::collection::vec((any::<u64>(), any::<i64>(), any::<i64>()), 0..20),
            cut: prop::sample::Index,
        ) {
            let mut tombstones = Tombstones::default();
            for (series, first, last) in &stones {
                tombstones.add(*series, *first, *last);
            }
            let mut bytes = tombstones.encode();
            prop_assert_eq!(Tombstones::decode(&bytes), Ok(tombstones));
            let at = cut.index(bytes.len());
            prop_assert!(Tombstones::decode(&bytes[..at]).is_err());
            bytes[at] ^= 1;
            prop_assert!(Tombstones::decode(&bytes).is_err());
        }

        #[test]
        fn garbage_is_refused(bytes: Vec<u8>) {
            let _any = Tombstones::decode(&bytes);
        }
    }
}
