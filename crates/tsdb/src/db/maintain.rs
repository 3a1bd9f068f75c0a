//! What runs beside reading and writing: sync, cut, merge, retention, and getting well again.

use super::opening::QUARANTINE_SUFFIX;
use super::{Db, Work, newest_time};
use crate::error::Error;
use crate::retention::{Limits, expired, share_of};
use model::Timestamp;
use runtime::Shutdown;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

/// With `WalSync::Interval`, how much a loss of power may cost.
const SYNC_INTERVAL: Duration = Duration::from_millis(100);

/// How often windows, spans and limits are looked at.
const MAINTAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Memory that is free is given back after blocks were written, and every so many rounds.
const GIVE_BACK_ROUNDS: u32 = 12;

/// With more series in the head, looking for free memory would keep writers waiting for too long.
const GIVE_BACK_SERIES_MAX: usize = 200_000;

/// The threads that keep a database in order.
pub struct Maintenance {
    threads: Vec<JoinHandle<()>>,
}

impl Maintenance {
    /// Waits for the threads; they end after the shutdown was triggered.
    pub fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a maintenance thread of the metrics store panicked");
            }
        }
    }
}

impl Db {
    /// Starts the threads that sync the log every 100 ms and call `maintain` every 5 s; from here on metrics show the
    /// state of the moment. Join them after the shutdown, then `close` the database.
    pub fn spawn_maintenance(self: &Arc<Self>, shutdown: &Shutdown) -> io::Result<Maintenance> {
        let shown = Arc::downgrade(self);
        self.options.metrics.before_showing(move || {
            if let Some(db) = shown.upgrade() {
                db.count_state();
            }
        });
        let (db, stop) = (Arc::clone(self), shutdown.clone());
        let sync = runtime::thread::spawn("tsdb-sync", move || {
            while !stop.wait(SYNC_INTERVAL) {
                if db.wal.poisoned().is_none() {
                    // The log says it itself, once.
                    let _said = db.sync();
                    db.prepare_segment();
                }
            }
        })?;
        let (db, stop) = (Arc::clone(self), shutdown.clone());
        let maintain = runtime::thread::spawn("tsdb-maintain", move || {
            let mut round = 0;
            while !stop.wait(MAINTAIN_INTERVAL) {
                let blocks_before = db.work().manifest.next_block;
                if let Err(error) = db.maintain(db.options.clock.now()) {
                    tracing::error!("metrics store: {error}");
                }
                let wrote_blocks = db.work().manifest.next_block > blocks_before;
                if wrote_blocks || round % GIVE_BACK_ROUNDS == 0 {
                    db.give_memory_back();
                }
                round += 1;
            }
        })?;
        Ok(Maintenance {
            threads: vec![sync, maintain],
        })
    }

    /// Does what is due at `now`: takes samples again after a full disk, cuts the head, merges blocks,
    /// removes what is too old or too much, sets damaged blocks aside.
    pub fn maintain(&self, now: Timestamp) -> Result<(), Error> {
        let mut work = self.work();
        let done = self.maintain_files(&mut work, now);
        let done = done.and_then(|()| self.checkpoint_if_due(&mut work));
        for block in self.blocks().iter() {
            block.trim_memory();
        }
        self.refresh_order();
        self.count_state();
        if done.is_err() {
            self.metrics.work.failures.increment();
        }
        done
    }

    fn give_memory_back(&self) {
        if self.head.series_count() <= GIVE_BACK_SERIES_MAX {
            runtime::memory::give_back();
        }
    }

    /// What frees space comes first: the rest may need it. Between two long steps the head is cut if that is
    /// due, so that it does not grow while blocks are merged.
    fn maintain_files(&self, work: &mut Work, now: Timestamp) -> Result<(), Error> {
        self.set_damaged_aside(work)?;
        let monotonic = self.options.clock.monotonic();
        let now = work.clock.now(now, monotonic).millis();
        let newest = newest_time(&work.manifest, &self.head);
        let newest = newest.map_or(i64::MIN, Timestamp::millis).min(now);
        self.retain(work, newest)?;
        loop {
            if self.rearm_log() {
                self.cut_if_due(work)?;
            }
            if self.compact_once(work)? {
                for counter in &self.metrics.work.merges {
                    counter.increment();
                }
            } else if !self.age_once(work, newest)? {
                return Ok(());
            }
        }
    }

    /// Whether the log takes records, now or again. Going on in another segment is no matter of a writer's moment.
    fn rearm_log(&self) -> bool {
        let _no_writer = self.wal.poisoned().map(|_reason| self.writer());
        self.wal.rearm()
    }

    fn retain(&self, work: &mut Work, newest: i64) -> Result<(), Error> {
        let blocks = &work.manifest.blocks;
        let age = self.options.retention_ms;
        let limits = Limits {
            oldest: age.map(|age| newest.saturating_sub(age)),
            bytes: self
                .bytes_max()
                .map(|bytes| bytes.saturating_sub(self.wal.size_bytes())),
        };
        let removed = expired(blocks, limits);
        if removed.is_empty() {
            return Ok(());
        }
        tracing::info!("{} blocks are beyond the retention", removed.len());
        let manifest = work.manifest.clone();
        self.publish(work, manifest, (Vec::new(), &removed))?;
        self.remove_files(&removed);
        Ok(())
    }

    /// What blocks and log may take together.
    fn bytes_max(&self) -> Option<u64> {
        let percentage = self
            .options
            .retention_percentage
            .filter(|share| *share > 0.0);
        let share = percentage.and_then(|percentage| {
            let capacity = self.options.files.capacity_bytes(&self.options.folder);
            let capacity = capacity
                .inspect_err(|error| {
                    tracing::warn!("the size of the file system is unknown: {error}")
                })
                .ok()?;
            Some(share_of(capacity, percentage))
        });
        [self.options.retention_bytes, share]
            .into_iter()
            .flatten()
            .min()
    }

    fn set_damaged_aside(&self, work: &mut Work) -> Result<(), Error> {
        let damaged: BTreeSet<u64> = self
            .blocks()
            .iter()
            .filter(|block| block.is_damaged())
            .map(|block| block.meta.id)
            .collect();
        if damaged.is_empty() {
            return Ok(());
        }
        // Renamed first: a file that no manifest names is removed at the next opening.
        for id in &damaged {
            self.metrics.work.damages.increment();
            quarantine(&self.options.files, &self.blocks_folder(), *id, "damaged");
        }
        let manifest = work.manifest.clone();
        self.publish(work, manifest, (Vec::new(), &damaged))
    }

    pub(super) fn count_state(&self) {
        let blocks = self.blocks();
        let bytes: u64 = blocks.iter().map(|block| block.meta.bytes).sum();
        self.metrics.show(&crate::metrics::State {
            series: self.head.series_count(),
            samples: self.head.counts.samples.load(Ordering::Relaxed),
            blocks: blocks.len(),
            block_bytes: bytes,
            wal_bytes: self.wal.size_bytes(),
            index_bytes: self.index_memory.bytes(),
            read_only: self.wal.poisoned().is_some(),
            exemplars: self.exemplar_ring().counts(),
        });
    }
}

/// Renames the files of a block that cannot be read, so that someone can look at them.
pub(super) fn quarantine(files: &storage::SharedFiles, folder: &Path, id: u64, why: &str) {
    for name in [
        crate::block::block_name(id),
        crate::block::tombstones_name(id),
    ] {
        let path = folder.join(&name);
        let kept = folder.join(format!("{name}{QUARANTINE_SUFFIX}"));
        match files.rename(&path, &kept) {
            Ok(()) => tracing::error!("{}: {why}; set aside as {}", path.display(), kept.display()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!("{}: {why}; {error}", path.display()),
        }
    }
}
