//! From head to blocks.
//!
//! A cut notes where the log ends, sets aside what the head holds before a boundary, writes it as blocks of
//! at most `block_ms`, publishes them with the manifest, and only then forgets it and drops log segments
//! that hold nothing younger. Writers wait only for the note; readers meanwhile see the samples in the
//! head, or in head and block, never in neither.

use super::compact::SPAN_GROWTH;
use super::{Blocks, Db, Work};
use crate::block::{Block, BlockMeta, BlockWriter, Origin};
use crate::error::Error;
use crate::gather::Gathered;
use crate::head::{HeadSeries, TimesPool};
use crate::manifest::{Cut, Manifest};
use model::{TimeRange, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::Position;

/// The head keeps the samples of the last moments even when their window is over: late ones still come.
const GRACE_SHARE: i64 = 12;

/// So many late samples in the head are cut without waiting for the end of a window.
const LATE_MAX: usize = 2_000_000;

/// Over so long a time the rate of samples is measured: where it has dropped, the store is idle, and what a
/// burst left in memory goes to disk.
const IDLE_LOOK_MS: u64 = 5_000;

/// An idle head is worth a block when it holds so many samples …
const IDLE_SAMPLES_MIN: usize = 100_000;

/// … over at least this part of a window, so that slow scrapes do not make a block a minute. Less than the grace, so
/// that what is left after a window was cut goes to disk too.
const IDLE_SPAN_SHARE: i64 = 24;

/// More windows than this in one cut are widened.
const WINDOWS_MAX: usize = 36;

/// The spans of time that a cut makes blocks of.
struct Windows {
    length_ms: i64,
    starts: BTreeSet<i64>,
}

impl Db {
    /// Writes everything in the head to blocks, the window that is still running included.
    pub fn flush(&self) -> Result<(), Error> {
        let mut work = self.work();
        self.cut(&mut work, i64::MAX)
    }

    /// Cuts the windows that are over, if there are any.
    pub(super) fn cut_if_due(&self, work: &mut Work) -> Result<(), Error> {
        let newest = self.head.counts.newest.load(Ordering::Relaxed);
        if newest == i64::MIN {
            return Ok(());
        }
        let block_ms = self.options.block_ms.max(1);
        let boundary = window_start(newest.saturating_sub(block_ms / GRACE_SHARE), block_ms);
        let late = self.head.counts.late.load(Ordering::Relaxed);
        if boundary > work.manifest.boundary || late >= LATE_MAX {
            self.cut(work, boundary.max(work.manifest.boundary))?;
        }
        if self.is_idle(work, newest) {
            work.flushed_to = newest;
            self.cut(work, i64::MAX)?;
        }
        Ok(())
    }

    /// Whether far fewer samples come than those in the head suggest, and these are worth a block of their
    /// own. What the program measures of itself always comes, so there is no waiting for silence.
    fn is_idle(&self, work: &mut Work, newest: i64) -> bool {
        let now_ms = u64::try_from(self.options.clock.monotonic().as_millis()).unwrap_or(u64::MAX);
        let appended = self.metrics.appended();
        let (before, since_ms) = work.appended.unwrap_or((appended, now_ms));
        let elapsed_ms = now_ms.saturating_sub(since_ms);
        if elapsed_ms >= IDLE_LOOK_MS || work.appended.is_none() {
            work.appended = Some((appended, now_ms));
        }
        let samples = self.head.counts.samples.load(Ordering::Relaxed);
        let span = newest.saturating_sub(work.manifest.boundary.max(work.flushed_to));
        if elapsed_ms < IDLE_LOOK_MS
            || samples < IDLE_SAMPLES_MIN
            || span < self.options.block_ms / IDLE_SPAN_SHARE
        {
            return false;
        }
        // Samples a ms now, below half of those a ms in the head; multiplied out.
        let now = u128::from(appended.saturating_sub(before)) * u128::from(span.unsigned_abs());
        now * 2 < samples as u128 * u128::from(elapsed_ms)
    }

    fn cut(&self, work: &mut Work, boundary: i64) -> Result<(), Error> {
        self.head.counts.late.store(0, Ordering::Relaxed);
        let position = self.rotate_log()?;
        let mut pool = TimesPool::default();
        let mut series = self.sorted_head(&[]);
        let mut windows = BTreeSet::new();
        let mut span = (i64::MAX, i64::MIN);
        series.retain(|series| match series.begin_cut(boundary, &mut pool) {
            Some((first, last)) => {
                self.note_windows(series, (first, last), &mut windows);
                span = (first.min(span.0), last.max(span.1));
                true
            }
            None => false,
        });
        drop(pool);
        let is_short = !series.is_empty() && span.1.saturating_sub(span.0) < self.options.block_ms;
        let windows = match boundary == i64::MAX && is_short {
            true => self.one_window(span.0),
            false => self.widen(windows),
        };
        let first_block = work.manifest.next_block;
        let written = self.write_windows(work, &series, windows);
        if written.is_err() {
            // A full disk must not fill further with every attempt.
            self.remove_files(&(first_block..work.manifest.next_block).collect());
        }
        let done =
            written.and_then(|blocks| self.publish_cut(work, blocks, Cut { position, boundary }));
        let cut: usize = series.iter().map(|s| s.end_cut(done.is_ok())).sum();
        self.head.counts.samples.fetch_sub(cut, Ordering::Relaxed);
        done?;
        self.drop_segments(work, boundary, position)?;
        self.forget_idle_series(boundary);
        // It would keep the timestamps of what was cut.
        self.writer().pool = TimesPool::default();
        Ok(())
    }

    /// Closes the segment of the log. What lies before the position is in the head, and whoever writes behind it knows
    /// that it is another segment. Writers do not wait for the medium.
    pub(super) fn rotate_log(&self) -> Result<Position, Error> {
        self.wal.prepare()?;
        let _no_writer = self.writer();
        Ok(self.wal.rotate()?)
    }

    /// Most series span one or two windows; one with a gap of years must not make every window between.
    fn note_windows(
        &self,
        series: &HeadSeries,
        (first, last): (i64, i64),
        windows: &mut BTreeSet<i64>,
    ) {
        let block_ms = self.options.block_ms.max(1);
        let (first, last) = (window_start(first, block_ms), window_start(last, block_ms));
        if last.saturating_sub(first) <= block_ms {
            windows.extend([first, last]);
            return;
        }
        let mut gathered = Gathered::default();
        series.read_cut(TimeRange::ALL, &mut gathered);
        let floats = gathered.floats();
        let histograms = gathered.histograms();
        let in_histograms = histograms.samples.iter().map(|(at, _)| at);
        let all = floats.times.iter().chain(in_histograms);
        windows.extend(all.map(|at| window_start(*at, block_ms)));
    }

    /// What an idle head holds is often shorter than a window and lies in two: one block costs less.
    fn one_window(&self, start: i64) -> Windows {
        Windows {
            length_ms: self.options.block_ms.max(1),
            starts: BTreeSet::from([start]),
        }
    }

    /// Old data that comes in bulk spans years: it goes into longer windows at once, which a merge would
    /// make of it anyway.
    fn widen(&self, starts: BTreeSet<i64>) -> Windows {
        let mut windows = Windows {
            length_ms: self.options.block_ms.max(1),
            starts,
        };
        loop {
            let wider = windows.length_ms.saturating_mul(SPAN_GROWTH);
            if windows.starts.len() <= WINDOWS_MAX || wider > self.longest_span_ms() {
                return windows;
            }
            windows.length_ms = wider;
            let starts = windows.starts.iter().map(|at| window_start(*at, wider));
            windows.starts = starts.collect();
        }
    }

    /// Writes one block for each window.
    fn write_windows(
        &self,
        work: &mut Work,
        series: &[Arc<HeadSeries>],
        windows: Windows,
    ) -> Result<Vec<BlockMeta>, Error> {
        let folder = self.blocks_folder();
        let mut blocks = Vec::new();
        for window in windows.starts {
            let id = work.next_block();
            let origin = Origin {
                id,
                order: id,
                ..Origin::default()
            };
            let mut writer = BlockWriter::begin(&self.options.files, &folder, origin)?;
            let range = TimeRange {
                start: Timestamp::from_millis(window),
                end: Timestamp::from_millis(window.saturating_add(windows.length_ms - 1)),
            };
            for series in series {
                let mut gathered = Gathered::default();
                series.read_cut(range, &mut gathered);
                writer.add(&series.labels, &gathered.floats(), &gathered.histograms())?;
            }
            blocks.extend(writer.finish()?);
        }
        Ok(blocks)
    }

    fn publish_cut(&self, work: &mut Work, blocks: Vec<BlockMeta>, cut: Cut) -> Result<(), Error> {
        let newest = self.head.counts.newest.load(Ordering::Relaxed);
        let window = window_start(newest, self.options.block_ms.max(1));
        let mut manifest = work.manifest.clone();
        manifest.cuts.push(cut);
        // After a flush of everything the running window still takes samples that are not late.
        manifest.boundary = manifest.boundary.max(cut.boundary.min(window));
        self.publish(work, manifest, (blocks, &BTreeSet::new()))?;
        self.boundary
            .store(work.manifest.boundary, Ordering::Relaxed);
        Ok(())
    }

    /// Makes new blocks visible and lets others go, in one swap of the manifest.
    pub(super) fn publish(
        &self,
        work: &mut Work,
        mut manifest: Manifest,
        (added, removed): (Vec<BlockMeta>, &BTreeSet<u64>),
    ) -> Result<(), Error> {
        let files = &self.options.files;
        let folder = self.blocks_folder();
        let mut opened = Vec::new();
        for meta in added {
            manifest.blocks.push(meta.clone());
            let block = Block::open(files, &folder, meta, &self.index_memory)?;
            opened.push(Arc::new(block));
        }
        manifest.blocks.retain(|block| !removed.contains(&block.id));
        manifest.blocks.sort_by_key(|block| (block.order, block.id));
        manifest.next_block = work.manifest.next_block;
        manifest.save(files.as_ref(), &self.options.folder)?;
        work.manifest = manifest;
        let mut blocks: Vec<Arc<Block>> = self.blocks().iter().map(Arc::clone).collect();
        blocks.retain(|block| !removed.contains(&block.meta.id));
        blocks.append(&mut opened);
        blocks.sort_by_key(|block| (block.meta.order, block.meta.id));
        self.replace_blocks(Blocks::from(blocks));
        Ok(())
    }

    /// Drops the oldest segments as long as all their samples are in blocks. A deletion in a segment
    /// matters to older ones only, so segments go in order.
    fn drop_segments(
        &self,
        work: &mut Work,
        boundary: i64,
        position: Position,
    ) -> Result<(), Error> {
        self.forget_checkpoint(work)?;
        for segment in self.wal.closed_segments() {
            let newest = self.writer().newest_in.get(&segment).copied();
            let in_blocks = newest.is_none_or(|newest| newest < boundary);
            if segment >= position.segment || !in_blocks {
                break;
            }
            self.wal.remove_segment(segment)?;
            self.writer().newest_in.remove(&segment);
        }
        let closed = self.wal.closed_segments();
        let first = closed.first().copied().unwrap_or(position.segment);
        let cuts = &mut work.manifest.cuts;
        cuts.retain(|cut| cut.position.segment > first);
        Ok(())
    }

    /// Writers wait for one part of the table at a time.
    fn forget_idle_series(&self, boundary: i64) {
        let newest = self.head.counts.newest.load(Ordering::Relaxed);
        let before = newest.saturating_sub(self.options.block_ms).min(boundary);
        let mut removed = Vec::new();
        for part in 0..self.head.part_count() {
            let _no_writer = self.writer();
            self.head.retire_idle(part, before, &mut removed);
        }
        if !removed.is_empty() {
            tracing::debug!("{} series without new samples left the head", removed.len());
            self.head.forget(&removed);
        }
    }
}

/// The beginning of the window that a time lies in.
pub(super) const fn window_start(at: i64, block_ms: i64) -> i64 {
    at.saturating_sub(at.rem_euclid(block_ms))
}
