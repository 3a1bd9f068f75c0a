//! Which blocks count, and which part of the log is in them.
//!
//! A sealed file that is replaced as a whole: a block exists when the manifest says so, and a crash
//! between writing a block and the manifest leaves a file that the next opening removes. Layout of its
//! content: next block number, boundary (zigzag); number of blocks, for each its number, order, length of its windows,
//! start and end (zigzag), series, samples, bytes; number of cuts, for each segment, offset, boundary (zigzag).

use crate::block::BlockMeta;
use crate::error::Error;
use std::path::Path;
use storage::encoding::{Decoder, put_varint, put_zigzag};
use storage::sealed::{self, Kind, SealedError};
use storage::{Files, Position};

const KIND: Kind = Kind {
    magic: *b"BNCLMAN\0",
    version: 2,
};

/// The name of the file.
pub(crate) const MANIFEST_NAME: &str = "MANIFEST";

/// A cut: samples before `boundary` that were logged before `position` are in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) position: Position,
    pub(crate) boundary: i64,
}

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// No number is used twice.
    pub(crate) next_block: u64,
    /// The head is cut up to here; what comes for earlier times is late.
    pub(crate) boundary: i64,
    pub(crate) blocks: Vec<BlockMeta>,
    /// Ascending by position; those that no segment lies before are left out.
    pub(crate) cuts: Vec<Cut>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            next_block: 1,
            boundary: i64::MIN,
            blocks: Vec::new(),
            cuts: Vec::new(),
        }
    }
}

impl Manifest {
    /// Reads the manifest of a database; `None` where there is none.
    pub(crate) fn load(files: &dyn Files, folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(MANIFEST_NAME);
        match sealed::read(files, &path, KIND) {
            Ok(content) => Self::decode(&content).map(Some).ok_or_else(|| {
                let what = "a manifest that cannot be read".to_owned();
                SealedError::Corrupt { path, what }.into()
            }),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn save(&self, files: &dyn Files, folder: &Path) -> Result<(), Error> {
        let path = folder.join(MANIFEST_NAME);
        Ok(sealed::replace(files, &path, KIND, &self.encode())?)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.next_block);
        put_zigzag(&mut out, self.boundary);
        put_varint(&mut out, self.blocks.len() as u64);
        for block in &self.blocks {
            put_varint(&mut out, block.id);
            put_varint(&mut out, block.order);
            put_varint(&mut out, block.window_ms.unsigned_abs());
            put_zigzag(&mut out, block.start);
            put_zigzag(&mut out, block.end);
            for number in [block.series, block.samples, block.bytes] {
                put_varint(&mut out, number);
            }
        }
        put_varint(&mut out, self.cuts.len() as u64);
        for cut in &self.cuts {
            put_varint(&mut out, cut.position.segment);
            put_varint(&mut out, cut.position.offset);
            put_zigzag(&mut out, cut.boundary);
        }
        out
    }

    fn decode(content: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(content);
        let mut manifest = Self {
            next_block: decoder.varint()?,
            boundary: decoder.zigzag()?,
            ..Self::default()
        };
        for _ in 0..decoder.count()? {
            manifest.blocks.push(BlockMeta {
                id: decoder.varint()?,
                order: decoder.varint()?,
                window_ms: i64::try_from(decoder.varint()?).ok()?,
                start: decoder.zigzag()?,
                end: decoder.zigzag()?,
                series: decoder.varint()?,
                samples: decoder.varint()?,
                bytes: decoder.varint()?,
            });
        }
        for _ in 0..decoder.count()? {
            manifest.cuts.push(Cut {
                position: Position {
                    segment: decoder.varint()?,
                    offset: decoder.varint()?,
                },
                boundary: decoder.zigzag()?,
            });
        }
        decoder.is_empty().then_some(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Manifest};
    use crate::block::BlockMeta;
    use proptest::prelude::*;
    use storage::Position;

    proptest! {
        #[test]
        fn round_trips(next_block: u64, boundary: i64, numbers: Vec<(u64, i64, u64)>) {
            let blocks = numbers.iter().map(|&(id, start, bytes)| BlockMeta {
                id, order: id, window_ms: start.saturating_abs(), start, end: start, series: bytes, samples: bytes, bytes,
            });
            let cuts = numbers.iter().map(|&(segment, boundary, offset)| Cut {
                position: Position { segment, offset },
                boundary,
            });
            let manifest = Manifest {
                next_block,
                boundary,
                blocks: blocks.collect(),
                cuts: cuts.collect(),
            };
            let bytes = manifest.encode();
            prop_assert_eq!(Manifest::decode(&bytes), Some(manifest));
            prop_assert_eq!(Manifest::decode(&bytes[..bytes.len() - 1]), None);
        }
    }
}
