//! What was deleted from a block since it was written.
//!
//! A sealed file beside the block, replaced as a whole. Layout of its content: number of series, for
//! each its number in the block's index and the number of its spans, for each start (zigzag) and length.

use crate::error::Error;
use model::TimeRange;
use std::collections::BTreeMap;
use std::path::Path;
use storage::Files;
use storage::encoding::{Decoder, put_varint, put_zigzag};
use storage::sealed::{self, Kind, SealedError};

const KIND: Kind = Kind {
    magic: *b"BNCLTMB\0",
    version: 1,
};

/// Deleted spans of time, both ends included, by series; sorted, apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tombstones {
    spans: BTreeMap<u32, Vec<(i64, i64)>>,
}

impl Tombstones {
    /// Reads the file; no file means that nothing was deleted.
    pub(crate) fn load(files: &dyn Files, path: &Path) -> Result<Self, Error> {
        match sealed::read(files, path, KIND) {
            Ok(content) => Self::decode(&content).ok_or_else(|| {
                SealedError::Corrupt {
                    path: path.to_owned(),
                    what: "tombstones that cannot be read".to_owned(),
                }
                .into()
            }),
            Err(error) if error.is_not_found() => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn save(&self, files: &dyn Files, path: &Path) -> Result<(), Error> {
        Ok(sealed::replace(files, path, KIND, &self.encode())?)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Number of series of which something was deleted.
    pub(crate) fn series_count(&self) -> usize {
        self.spans.len()
    }

    /// Whether anything of a series was deleted.
    pub(super) fn touch(&self, series: u32) -> bool {
        self.spans.contains_key(&series)
    }

    /// Whether a sample was deleted.
    pub(super) fn covers(&self, series: u32, at: i64) -> bool {
        self.covers_part(series, (at, at))
    }

    /// Whether anything from the first to the last of two times was deleted.
    pub(super) fn covers_part(&self, series: u32, (first, last): (i64, i64)) -> bool {
        let Some(spans) = self.spans.get(&series) else {
            return false;
        };
        let place = spans.partition_point(|(_, end)| *end < first);
        spans.get(place).is_some_and(|(start, _)| *start <= last)
    }

    /// Deletes a span of a series.
    pub(crate) fn add(&mut self, series: u32, range: TimeRange) {
        let spans = self.spans.entry(series).or_default();
        spans.push((range.start.millis(), range.end.millis()));
        spans.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
        for &(start, end) in spans.iter() {
            match merged.last_mut() {
                Some((_, last)) if start <= last.saturating_add(1) => *last = end.max(*last),
                _ => merged.push((start, end)),
            }
        }
        *spans = merged;
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.spans.len() as u64);
        for (series, spans) in &self.spans {
            put_varint(&mut out, u64::from(*series));
            put_varint(&mut out, spans.len() as u64);
            for (start, end) in spans {
                put_zigzag(&mut out, *start);
                put_varint(&mut out, end.wrapping_sub(*start).cast_unsigned());
            }
        }
        out
    }

    fn decode(content: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(content);
        let mut spans = BTreeMap::new();
        for _ in 0..decoder.count()? {
            let series = u32::try_from(decoder.varint()?).ok()?;
            let mut list = Vec::new();
            for _ in 0..decoder.count()? {
                let start = decoder.zigzag()?;
                let end = start.wrapping_add(decoder.varint()?.cast_signed());
                list.push((start, end));
            }
            spans.insert(series, list);
        }
        decoder.is_empty().then_some(Self { spans })
    }
}

#[cfg(test)]
mod tests {
    use super::Tombstones;
    use model::{TimeRange, Timestamp};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn covers_what_was_added(spans in prop::collection::vec((0..3_u32, -20..20_i64, 0..9_i64), 0..12)) {
            let mut tombstones = Tombstones::default();
            for (series, start, length) in &spans {
                let start = Timestamp::from_millis(*start);
                tombstones.add(*series, TimeRange { start, end: start.plus_millis(*length) });
            }
            prop_assert_eq!(Tombstones::decode(&tombstones.encode()), Some(tombstones.clone()));
            for series in 0..3 {
                for at in -25..35 {
                    let want = spans.iter().any(|(s, start, length)| {
                        *s == series && *start <= at && at <= start + length
                    });
                    prop_assert_eq!(tombstones.covers(series, at), want);
                }
            }
        }

        #[test]
        fn all_of_time_round_trips(start: i64, end: i64) {
            let (start, end) = (start.min(end), start.max(end));
            let mut tombstones = Tombstones::default();
            tombstones.add(1, TimeRange { start: Timestamp::from_millis(start), end: Timestamp::from_millis(end) });
            prop_assert_eq!(Tombstones::decode(&tombstones.encode()), Some(tombstones.clone()));
            prop_assert!(tombstones.covers(1, start) && tombstones.covers(1, end));
        }
    }
}
