//! Deletion: at once out of the head, by tombstones out of blocks.

use super::{Db, Writer};
use crate::error::Error;
use crate::head::HeadSeries;
use crate::record;
use model::{Matcher, TimeRange};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::Position;

/// Series of the head for which writers wait together.
const DELETED_AT_ONCE: usize = 1024;

impl Db {
    /// Deletes the samples in `range` of the series that fulfil all matchers. What was acknowledged before
    /// is gone for every later query and stays gone; samples that come later are kept.
    pub fn delete(&self, matchers: &[Matcher], range: TimeRange) -> Result<(), Error> {
        if range.start > range.end {
            return Ok(());
        }
        // No cut or merge runs meanwhile: it would carry over what is deleted here, and forget series.
        let _work = self.work();
        let deleted = self.delete_from_head(matchers, range);
        self.changes.mark(range);
        deleted?;
        for block in self.blocks().iter() {
            if !block.meta.overlaps(range) {
                continue;
            }
            let series = block.index()?.series.select(matchers);
            if series.is_empty() {
                continue;
            }
            let mut tombstones = block.tombstones().as_ref().clone();
            for series in series {
                tombstones.add(series, range);
            }
            block.replace_tombstones(&self.options.files, tombstones)?;
            self.changes.mark(range);
        }
        Ok(())
    }

    fn delete_from_head(&self, matchers: &[Matcher], range: TimeRange) -> Result<(), Error> {
        let mut selected: Vec<Arc<HeadSeries>> = self.head.select(matchers);
        selected.sort_by_key(|series| series.id);
        let mut logged = None;
        // All of them, whether the head holds such samples or not: the log may repeat what is in blocks.
        for group in selected.chunks(DELETED_AT_ONCE) {
            let mut writer = self.writer();
            logged = Some(self.log_deletion(&mut writer, group, range)?);
            let deleted = group
                .iter()
                .map(|series| series.delete(range, &mut writer.pool));
            let deleted = deleted.sum();
            let samples = &self.head.counts.samples;
            samples.fetch_sub(deleted, Ordering::Relaxed);
        }
        match logged {
            Some(position) => Ok(self.wal.acknowledge(position)?),
            None => Ok(()),
        }
    }

    fn log_deletion(
        &self,
        writer: &mut Writer,
        series: &[Arc<HeadSeries>],
        range: TimeRange,
    ) -> Result<Position, Error> {
        let segment = self.segment_to_write(writer)?;
        let fresh: Vec<&Arc<HeadSeries>> = series
            .iter()
            .filter(|series| series.define_in(segment))
            .collect();
        let definitions: Vec<_> = fresh.iter().map(|s| (s.id, &s.labels)).collect();
        let ids: Vec<u32> = series.iter().map(|series| series.id).collect();
        let span = (range.start.millis(), range.end.millis());
        let written = self.wal.write(&record::deletion(&definitions, span, &ids));
        if written.is_err() {
            for series in fresh {
                series.undefine();
            }
        }
        Ok(written?)
    }
}
