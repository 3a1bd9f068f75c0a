//! A data directory as a whole: which blocks it has, and what of them can be read.

use super::block::{Meta, Ulid};
use crate::error::{Error, at};
use std::path::{Path, PathBuf};

/// The blocks of a data directory, ascending by time.
#[derive(Debug, Default)]
pub struct DataFolder {
    /// The directory.
    pub path: PathBuf,
    /// What the blocks say of themselves, and their folders.
    pub blocks: Vec<(Meta, PathBuf)>,
    /// Blocks whose `meta.json` cannot be read.
    pub damages: Vec<Error>,
}

impl DataFolder {
    /// Looks through a directory; the folder of a single block is one too. Fails where there is neither a block
    /// nor a write-ahead log.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut found = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        if path.join("meta.json").is_file() {
            found.blocks.push((Meta::read(path)?, path.to_owned()));
            return Ok(found);
        }
        for entry in std::fs::read_dir(path).map_err(at(path))? {
            let entry = entry.map_err(at(path))?;
            if !Ulid::is_one(&entry.file_name().to_string_lossy()) {
                continue;
            }
            match Meta::read(&entry.path()) {
                Ok(meta) => found.blocks.push((meta, entry.path())),
                Err(error) => found.damages.push(error),
            }
        }
        let key = |meta: &Meta| (meta.min_time, meta.max_time, meta.ulid.clone());
        found.blocks.sort_by_key(|(meta, _)| key(meta));
        if found.blocks.is_empty() && found.damages.is_empty() && !path.join("wal").is_dir() {
            return Err(Error::NotOne {
                path: path.to_owned(),
                what: "no data directory of a Prometheus: neither blocks nor a folder wal in it"
                    .to_owned(),
            });
        }
        Ok(found)
    }

    /// In-order samples before this moment are in blocks; those in the write-ahead log are repetitions or deleted.
    #[must_use]
    pub fn in_order_from<'a>(blocks: impl IntoIterator<Item = &'a Meta>) -> i64 {
        let in_order = blocks.into_iter().filter(|meta| !meta.is_out_of_order());
        in_order.map(|meta| meta.max_time).max().unwrap_or(i64::MIN)
    }
}
