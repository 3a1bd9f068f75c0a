//! The head as the log tells it.

use crate::exemplars::Exemplars;
use crate::head::{Head, HeadSeries, Inserted, TimesPool};
use crate::manifest::Cut;
use crate::record::{self, Decoded, RecordExemplar, RecordRow};
use model::{Labels, TimeRange, Timestamp};
use runtime::{HashMap, Seeded};
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::Position;
use storage::wal::{Record, Recovery};

/// The newest time that a segment's samples have; says when the segment is needed no more.
pub(super) type NewestInSegment = BTreeMap<u64, i64>;

/// Replays records into the head.
pub(super) struct Replay<'a> {
    head: &'a Head,
    cuts: Vec<Cut>,
    pool: TimesPool,
    /// The log's ids: after a restart a series keeps its first one, an older process may have given it
    /// several.
    series: HashMap<u32, Arc<HeadSeries>>,
    exemplars: Exemplars,
    unknown_rows: u64,
    /// The newest time in each segment.
    newest_in: NewestInSegment,
}

impl<'a> Replay<'a> {
    /// `cuts` ascend by position; the head and what comes with it may be those of a checkpoint.
    pub(super) fn new(
        head: &'a Head,
        (exemplars, newest_in): (Exemplars, NewestInSegment),
        cuts: Vec<Cut>,
    ) -> Self {
        Self {
            head,
            exemplars,
            cuts,
            pool: TimesPool::default(),
            series: HashMap::with_capacity_and_hasher(head.series_count(), Seeded::default()),
            unknown_rows: 0,
            newest_in,
        }
    }

    /// Applies one record; an error means that it was not written by this program.
    pub(super) fn apply(&mut self, record: Record<'_>) -> Result<(), String> {
        let decoded = record::decode(record.content).ok_or("a record that cannot be read")?;
        match decoded {
            Decoded::Samples {
                definitions,
                rows,
                exemplars,
            } => {
                self.define(definitions);
                let boundary = self.boundary_at(record.position);
                let newest = self.newest_in.entry(record.position.segment);
                let newest = newest.or_insert(i64::MIN);
                for row in &rows {
                    *newest = row.at.max(*newest);
                }
                for row in rows.iter().filter(|row| row.at >= boundary) {
                    self.insert(row);
                }
                for exemplar in exemplars {
                    self.insert_exemplar(exemplar);
                }
            }
            Decoded::Deletion {
                definitions,
                start,
                end,
                series,
            } => {
                self.define(definitions);
                let range = TimeRange {
                    start: Timestamp::from_millis(start),
                    end: Timestamp::from_millis(end),
                };
                for id in series {
                    let Some(series) = known(&mut self.series, self.head, id) else {
                        continue;
                    };
                    let deleted = series.delete(range, &mut self.pool);
                    self.head
                        .counts
                        .samples
                        .fetch_sub(deleted, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    fn define(&mut self, definitions: Vec<(u32, Labels)>) {
        for (id, labels) in definitions {
            let series = self.head.restore(id, &labels);
            self.series.insert(id, series);
        }
    }

    /// Samples before this time are in blocks if they were logged at `position`.
    fn boundary_at(&self, position: Position) -> i64 {
        let later = self.cuts.iter().filter(|cut| position < cut.position);
        later.map(|cut| cut.boundary).max().unwrap_or(i64::MIN)
    }

    fn insert(&mut self, row: &RecordRow) {
        let Some(series) = known(&mut self.series, self.head, row.series) else {
            self.unknown_rows += 1;
            return;
        };
        let sample = (row.at, row.start, &row.value);
        if series.insert(sample, &mut self.pool) == Inserted::Fresh {
            self.head.counts.samples.fetch_add(1, Ordering::Relaxed);
        }
        self.head.counts.newest.fetch_max(row.at, Ordering::Relaxed);
    }

    /// What was refused when it came is refused again.
    fn insert_exemplar(&mut self, row: RecordExemplar) {
        if let Some(series) = known(&mut self.series, self.head, row.series) {
            let _verdict = self.exemplars.insert(&series.labels, row.exemplar);
        }
    }

    /// What was read beside the head: the newest time in each segment, and the exemplars.
    pub(super) fn finish(self) -> (NewestInSegment, Exemplars) {
        (self.newest_in, self.exemplars)
    }

    /// Says what was found.
    pub(super) fn report(&self, recovery: &Recovery) {
        tracing::info!(
            records = recovery.records,
            series = self.head.series_count(),
            torn_bytes = recovery.torn_bytes,
            "write-ahead log replayed"
        );
        if self.unknown_rows > 0 {
            tracing::error!(
                "{} samples belong to series whose definition was damaged; they are lost",
                self.unknown_rows
            );
        }
    }
}

/// The series with an id of the log; one that only the checkpoint defines has it in the head.
fn known<'s>(
    series: &'s mut HashMap<u32, Arc<HeadSeries>>,
    head: &Head,
    id: u32,
) -> Option<&'s Arc<HeadSeries>> {
    match series.entry(id) {
        Entry::Occupied(known) => Some(known.into_mut()),
        Entry::Vacant(unknown) => Some(unknown.insert(head.with_id(id)?)),
    }
}
