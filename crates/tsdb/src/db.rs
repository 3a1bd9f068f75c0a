//! The database: one log, one head, many blocks.
//!
//! Writing goes through one lock: log first, then head, so a replay meets the same batches in the
//! same order and ends with the same samples. Decoding and the lookup of series happen before that lock,
//! waiting for the medium after it. Reading takes no part in it.

mod append;
mod replay;
mod source;

pub use append::{Batch, SeriesHandle};

use crate::error::{Error, at};
use crate::head::{Head, TimesPool};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::record::SamplesRecord;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use storage::files::FolderLock;
use storage::{Wal, wal};

/// What only one writer at a time may touch.
#[derive(Default)]
struct Writer {
    record: SamplesRecord,
    pool: TimesPool,
}

/// The metrics store.
pub struct Db {
    options: Options,
    head: Head,
    wal: Wal,
    writer: Mutex<Writer>,
    /// Samples before this time are in blocks; younger ones only in the head.
    boundary: AtomicI64,
    metrics: Metrics,
    closed: AtomicBool,
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
        let head = Head::new(options.series_max);
        let mut replay = replay::Replay::new(&head, Vec::new());
        let wal_options = wal::Options {
            folder: folder.join("wal"),
            sync: options.wal_sync,
            files: files.clone(),
        };
        let (wal, recovery) = Wal::open(wal_options, |record| replay.apply(record))?;
        replay.report(&recovery);
        let metrics = Metrics::new(&options.metrics);
        Ok(Self {
            head,
            wal,
            writer: Mutex::default(),
            boundary: AtomicI64::new(i64::MIN),
            metrics,
            closed: AtomicBool::new(false),
            _lock: lock,
            options,
        })
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
        self.sync()
    }

    /// Why no samples are taken at the moment, if so: a full, read-only or broken disk.
    #[must_use]
    pub fn read_only_reason(&self) -> Option<String> {
        self.wal.poisoned()
    }
}

#[cfg(test)]
mod tests;
