//! The database: one log, one head, many blocks.
//!
//! Writing goes through one lock: log first, then head, so a replay meets the same batches in the
//! same order and ends with the same samples. Decoding and the lookup of series happen before that lock,
//! waiting for the medium after it. Reading takes no part in it.

mod age;
mod append;
mod checkpoint;
mod compact;
mod cut;
mod delete;
mod exemplars;
mod maintain;
mod opening;
mod order;
mod replay;
mod scan;
mod snapshot;
mod source;
mod stats;

pub use append::{Batch, SeriesHandle};
pub use maintain::Maintenance;
pub use snapshot::SnapshotHead;
pub use stats::{BlockInfo, HeadNumbers, LabelCount, Stats};

use crate::block::{Block, IndexMemory};
use crate::error::{Error, at};
use crate::exemplars::Exemplars;
use crate::head::{Head, TimesPool};
use crate::manifest::Manifest;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::record::SamplesRecord;
use crate::retention::TrustedClock;
use checkpoint::Checkpoint;
use model::{ChangeLog, Labels, Timestamp};
use order::HeadOrder;
use runtime::HashMap;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use storage::files::FolderLock;
use storage::{Wal, wal};

/// What only one writer at a time may touch.
#[derive(Default)]
struct Writer {
    record: SamplesRecord,
    pool: TimesPool,
    newest_in: replay::NewestInSegment,
    /// The segment that was written to last, and the bytes of its definitions.
    segment: u64,
    definition_bytes: u64,
}

/// What only one cut, merge or deletion at a time may touch.
struct Work {
    manifest: Manifest,
    clock: TrustedClock,
    /// The newest sample when an idle head was flushed last.
    flushed_to: i64,
    /// How many samples had been appended when this was looked at last, and when in monotonic ms.
    appended: Option<(u64, u64)>,
    /// Snapshots made since the opening.
    snapshots: u64,
    /// Up to where a retention rule was applied to a block, by the numbers of both.
    rules_applied: BTreeMap<(u64, usize), i64>,
    checkpoint: Checkpoint,
}

impl Work {
    fn next_block(&mut self) -> u64 {
        let id = self.manifest.next_block;
        self.manifest.next_block += 1;
        id
    }
}

/// The blocks in the order of precedence.
type Blocks = Arc<[Arc<Block>]>;

/// The metrics store.
pub struct Db {
    options: Options,
    head: Head,
    wal: Wal,
    writer: Mutex<Writer>,
    work: Mutex<Work>,
    exemplars: Mutex<Exemplars>,
    blocks: RwLock<Blocks>,
    /// Samples before this time are in blocks; younger ones only in the head.
    boundary: AtomicI64,
    index_memory: Arc<IndexMemory>,
    head_order: Mutex<Arc<HeadOrder>>,
    interned: Mutex<HashMap<Box<str>, Labels>>,
    /// What changed for those who read, since the opening.
    changes: ChangeLog,
    metrics: Metrics,
    closed: AtomicBool,
    /// Wall clock and monotonic time at the opening.
    opened: (Timestamp, Duration),
    _lock: FolderLock,
}

impl Db {
    /// Opens or makes the database and replays its log.
    ///
    /// Damage is set aside and logged, not fatal. Fails where another process has the folder, where the
    /// file system refuses, and on files of a newer program.
    pub fn open(options: Options) -> Result<Self, Error> {
        let files = &options.files;
        let folder = &options.folder;
        files.make_folder(folder).map_err(at(folder))?;
        let lock = files.lock_folder(folder).map_err(at(folder))?;
        let metrics = Metrics::new(&options.metrics);
        let refused = metrics.index_refused.clone();
        let index_memory = Arc::new(IndexMemory::new(options.index_bytes_max, refused));
        let opened = opening::open(&options, &index_memory)?;
        let (manifest, blocks, damages) = (opened.manifest, opened.blocks, opened.damages);
        let wal_options = wal::Options {
            folder: folder.join(WAL_FOLDER),
            sync: options.wal_sync,
            files: Arc::clone(files),
        };
        let restored = checkpoint::restore(&options, &wal_options, &manifest);
        let checkpoint = Checkpoint::from(&restored.state);
        let (head, from) = (restored.head, restored.state.position);
        let beside = replay::Beside {
            exemplars: restored.exemplars,
            newest_in: restored.state.newest_in,
        };
        let mut segments = wal::segments(files.as_ref(), &wal_options.folder);
        segments.retain(|segment| *segment >= from.segment);
        options.progress.begin(&segments);
        let cuts = manifest.cuts.clone();
        let (opened, beside) = replay::replay(&head, beside, cuts, |apply| {
            Wal::open(wal_options, from, |record| {
                options.progress.reached(record.position.segment);
                apply(record)
            })
        });
        let (wal, recovery) = opened?;
        replay::report(&head, &recovery);
        let damaged = (recovery.damage.len() + damages) as u64;
        metrics.work.damages.add(damaged);
        let writer = Writer {
            newest_in: beside.newest_in,
            ..Writer::default()
        };
        let opened = (options.clock.now(), options.clock.monotonic());
        let clock = TrustedClock::beside(newest_time(&manifest, &head), opened.0, opened.1);
        let db = Self {
            head,
            wal,
            writer: Mutex::new(writer),
            exemplars: Mutex::new(beside.exemplars),
            boundary: AtomicI64::new(manifest.boundary),
            work: Mutex::new(Work {
                manifest,
                clock,
                flushed_to: i64::MIN,
                appended: None,
                snapshots: 0,
                rules_applied: BTreeMap::new(),
                checkpoint,
            }),
            blocks: RwLock::new(blocks.into()),
            index_memory,
            head_order: Mutex::default(),
            interned: Mutex::default(),
            changes: ChangeLog::default(),
            metrics,
            closed: AtomicBool::new(false),
            opened,
            _lock: lock,
            options,
        };
        db.count_state();
        Ok(db)
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn blocks(&self) -> Blocks {
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&blocks)
    }

    fn replace_blocks(&self, blocks: Blocks) {
        let mut held = self.blocks.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *held, blocks);
        let blocks = Arc::clone(&held);
        drop(held);
        for gone in before
            .iter()
            .filter(|old| !blocks.iter().any(|new| new.meta.id == old.meta.id))
        {
            self.changes.mark(gone.meta.range());
        }
    }

    fn blocks_folder(&self) -> PathBuf {
        self.options.folder.join(BLOCKS_FOLDER)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries everything acknowledged to the medium.
    pub fn sync(&self) -> Result<(), Error> {
        Ok(self.wal.sync()?)
    }

    /// Takes no more samples and carries everything acknowledged to the medium; reading goes on.
    pub fn close(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::SeqCst);
        // Whoever is writing finishes first.
        drop(self.writer());
        self.sync()?;
        self.checkpoint_at_end();
        Ok(())
    }

    /// Why no samples are taken at the moment, if so: a full, read-only or broken disk.
    #[must_use]
    pub fn read_only_reason(&self) -> Option<String> {
        self.wal.poisoned()
    }
}

/// Where the blocks lie.
const BLOCKS_FOLDER: &str = "blocks";

/// Where the write-ahead log lies.
const WAL_FOLDER: &str = "wal";

/// Time of the newest sample, in blocks or in the head.
fn newest_time(manifest: &Manifest, head: &Head) -> Option<Timestamp> {
    let in_blocks = manifest.blocks.iter().map(|block| block.end).max();
    let in_head = head.counts.newest.load(Ordering::Relaxed);
    let newest = in_blocks.max((in_head > i64::MIN).then_some(in_head));
    newest.map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests;
