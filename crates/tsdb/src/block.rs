//! Blocks: immutable files of samples, column by column.
//!
//! A block holds the series of a span of time, sorted by labels. Values lie in pages of about 32 KiB, many
//! series to a page, so that a compressor sees what they have in common and a query for one metric reads
//! few pages. Timestamp columns lie in pages of their own; each distinct one is stored once, and the
//! series of one scrape point to the same one. The index lies at the end. See docs/formats/block.md.
//!
//! `about` is what a block says of itself, `writer` makes a block, `index` finds series in it, `reader` decodes samples, `tombstones` says what
//! was deleted since.

mod about;
mod index;
mod memory;
mod page;
mod reader;
mod summaries;
mod tombstones;
mod writer;

pub(crate) use index::BlockIndex;
pub(crate) use memory::IndexMemory;
pub(crate) use reader::BlockReader;
pub(crate) use tombstones::Tombstones;
pub(crate) use writer::{BlockWriter, Origin};

use crate::error::{Error, at};
use model::{TimeRange, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use storage::encoding::Decoder;
use storage::{Readable, SharedFiles};

use memory::HeldIndex;

/// An index stays in memory for so many rounds of maintenance without a query, 5 minutes: dashboards come
/// back sooner.
const IDLE_TRIMS_MAX: u32 = 60;

/// The same where the indexes in memory have nearly reached their limit.
const IDLE_TRIMS_MAX_CROWDED: u32 = 1;

/// What the manifest knows of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockMeta {
    /// Number of the block; names its files.
    pub(crate) id: u64,
    /// The smallest number among the blocks it was merged from: of two blocks with a sample at one
    /// time, the one with the smaller order had it first.
    pub(crate) order: u64,
    /// Length of the windows that samples were summarised to; 0 for samples as they came.
    pub(crate) window_ms: i64,
    /// Time of the first sample.
    pub(crate) start: i64,
    /// Time of the last sample.
    pub(crate) end: i64,
    /// Number of series.
    pub(crate) series: u64,
    /// Number of samples.
    pub(crate) samples: u64,
    /// Size of the file.
    pub(crate) bytes: u64,
}

impl BlockMeta {
    /// From the first to the last sample.
    pub(crate) const fn range(&self) -> TimeRange {
        TimeRange {
            start: Timestamp::from_millis(self.start),
            end: Timestamp::from_millis(self.end),
        }
    }

    pub(crate) fn overlaps(&self, range: TimeRange) -> bool {
        self.start <= range.end.millis() && range.start.millis() <= self.end
    }
}

/// A block that can be read.
pub(crate) struct Block {
    pub(crate) meta: BlockMeta,
    path: PathBuf,
    file: Arc<dyn Readable>,
    /// Loaded at the first query, dropped again after a while without one.
    index: Mutex<CachedIndex>,
    memory: Arc<IndexMemory>,
    tombstones: RwLock<Arc<Tombstones>>,
    damaged: AtomicBool,
}

#[derive(Default)]
struct CachedIndex {
    index: Option<HeldIndex>,
    /// Calls of `trim_memory` since the index was asked for.
    idle_trims: u32,
}

impl Block {
    /// Opens a block and checks its frame; the index is read once to see that it can be.
    pub(crate) fn open(
        files: &SharedFiles,
        folder: &Path,
        meta: BlockMeta,
        memory: &Arc<IndexMemory>,
    ) -> Result<Self, Error> {
        let path = folder.join(block_name(meta.id));
        let file = files.open(&path).map_err(at(&path))?;
        let tombstones = Tombstones::load(files.as_ref(), &folder.join(tombstones_name(meta.id)))?;
        let block = Self {
            meta,
            path,
            file,
            index: Mutex::default(),
            memory: Arc::clone(memory),
            tombstones: RwLock::new(Arc::new(tombstones)),
            damaged: AtomicBool::new(false),
        };
        block.check()?;
        Ok(block)
    }

    /// Reads what a block says of itself, without a manifest; also the numbers of the blocks it was merged
    /// from.
    pub(crate) fn inspect(
        files: &SharedFiles,
        folder: &Path,
        id: u64,
    ) -> Result<(BlockMeta, Vec<u64>), Error> {
        let path = folder.join(block_name(id));
        let file = files.open(&path).map_err(at(&path))?;
        let bytes = file.length().map_err(at(&path))?;
        let index = page::read_index(file.as_ref(), bytes).map_err(|problem| match problem {
            page::Problem::Io(source) => at(&path)(source),
            page::Problem::Corrupt(offset, what) => Error::Corrupt {
                path: path.clone(),
                offset,
                what,
            },
            page::Problem::Version(version) => Error::Version {
                path: path.clone(),
                version,
                known: page::VERSION,
            },
        })?;
        about::decode(&mut Decoder::new(&index), (id, bytes)).ok_or(Error::Corrupt {
            path,
            offset: 0,
            what: "an index that cannot be read",
        })
    }

    fn check(&self) -> Result<(), Error> {
        let length = self.file.length().map_err(at(&self.path))?;
        if length != self.meta.bytes {
            return Err(self.corrupt(length, "another length than the manifest says"));
        }
        let index = page::read_index(self.file.as_ref(), length)
            .map_err(|problem| self.problem(problem))?;
        // Decoding all of it can wait for the first query.
        let place = (self.meta.id, self.meta.bytes);
        match about::decode(&mut Decoder::new(&index), place) {
            Some((meta, _)) if meta == self.meta => Ok(()),
            _ => Err(self.corrupt(
                0,
                "the block says something else of itself than the manifest",
            )),
        }
    }

    fn corrupt(&self, offset: u64, what: &'static str) -> Error {
        Error::Corrupt {
            path: self.path.clone(),
            offset,
            what,
        }
    }

    fn problem(&self, problem: page::Problem) -> Error {
        if matches!(problem, page::Problem::Corrupt(..)) {
            self.damaged.store(true, Ordering::Relaxed);
        }
        match problem {
            page::Problem::Io(source) => at(&self.path)(source),
            page::Problem::Corrupt(offset, what) => self.corrupt(offset, what),
            page::Problem::Version(version) => Error::Version {
                path: self.path.clone(),
                version,
                known: page::VERSION,
            },
        }
    }

    /// Whether reading met bytes that nobody wrote.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    fn cached(&self) -> MutexGuard<'_, CachedIndex> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index, from memory or disk.
    pub(crate) fn index(&self) -> Result<Arc<BlockIndex>, Error> {
        let mut cached = self.cached();
        cached.idle_trims = 0;
        if let Some(held) = &cached.index {
            return Ok(held.index());
        }
        let bytes = page::read_index(self.file.as_ref(), self.meta.bytes)
            .map_err(|problem| self.problem(problem))?;
        let share = |table| self.memory.share(table);
        let index = BlockIndex::decode(&bytes, share).ok_or_else(|| {
            self.problem(page::Problem::Corrupt(0, "an index that cannot be read"))
        })?;
        let index = Arc::new(index);
        cached.index = self.memory.hold(&index);
        Ok(index)
    }

    /// Drops an index that was not asked for during many calls.
    pub(crate) fn trim_memory(&self) {
        let mut cached = self.cached();
        cached.idle_trims = cached.idle_trims.saturating_add(1);
        let idle_trims_max = match self.memory.is_crowded() {
            true => IDLE_TRIMS_MAX_CROWDED,
            false => IDLE_TRIMS_MAX,
        };
        if cached.idle_trims > idle_trims_max {
            cached.index = None;
        }
    }

    /// What was deleted.
    pub(crate) fn tombstones(&self) -> Arc<Tombstones> {
        let tombstones = self
            .tombstones
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&tombstones)
    }

    /// Deletes by writing new tombstones; readers see them from here on.
    pub(crate) fn replace_tombstones(
        &self,
        files: &SharedFiles,
        tombstones: Tombstones,
    ) -> Result<(), Error> {
        let path = self.path.with_file_name(tombstones_name(self.meta.id));
        tombstones.save(files.as_ref(), &path)?;
        *self
            .tombstones
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(tombstones);
        Ok(())
    }
}

/// The file name of a block.
pub(crate) fn block_name(id: u64) -> String {
    format!("{id:08}.block")
}

/// The number in the name of a file that belongs to a block, if it is one of `suffix`.
pub(crate) fn block_number(name: &str, suffix: &str) -> Option<u64> {
    let number = name.strip_suffix(suffix)?;
    (number.len() >= 8).then(|| number.parse().ok())?
}

/// The file name of a block in the making.
pub(crate) fn temporary_name(id: u64) -> String {
    format!("{id:08}.tmp")
}

/// The file name of what was deleted from a block.
pub(crate) fn tombstones_name(id: u64) -> String {
    format!("{id:08}.tombstones")
}

#[cfg(test)]
mod tests;
