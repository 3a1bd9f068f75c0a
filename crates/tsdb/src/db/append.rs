//! Samples on their way in.

use super::{Db, Writer};
use crate::exemplars::Verdict;
use crate::head::{AHEAD, HeadSeries, Inserted};
use model::{
    Appended, Exemplar, Labels, Sample, SeriesSamples, Sink, SinkError, TimeRange, Timestamp, Value,
};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::{Position, WalError};

/// A segment of the log is closed at this size and so many times what its definitions take: large against
/// what each one repeats, small against what the disk holds.
const SEGMENT_BYTES: u64 = 64 << 20;
const SEGMENT_DEFINITIONS: u64 = 4;

/// A series that was looked up: writing through it skips the lookup. Stays valid for ever; a series that
/// the head forgot meanwhile is looked up again.
#[derive(Clone)]
pub struct SeriesHandle(Arc<HeadSeries>);

impl SeriesHandle {
    /// The labels of the series.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.0.labels
    }
}

struct Row {
    series: Arc<HeadSeries>,
    at: i64,
    /// Since when it has been counting, 0 where that is unknown.
    start: i64,
    value: Value,
}

/// Samples that will be written as one record. Reuse it: `commit` leaves it empty.
pub struct Batch<'a> {
    db: &'a Db,
    rows: Vec<Row>,
    exemplars: Vec<(Arc<HeadSeries>, Exemplar)>,
    /// What was refused before the batch was committed.
    refused: Appended,
    bounds: Bounds,
}

/// The times that are taken.
#[derive(Clone, Copy)]
struct Bounds {
    oldest: i64,
    newest: i64,
}

impl Db {
    /// Begins a batch.
    #[must_use]
    pub fn batch(&self) -> Batch<'_> {
        Batch {
            db: self,
            rows: Vec::new(),
            exemplars: Vec::new(),
            refused: Appended::default(),
            bounds: self.bounds(),
        }
    }

    /// Looks a series up by its labels and makes it where it is new. `None` beyond the limit of series.
    #[must_use]
    pub fn series_handle(&self, labels: &Labels) -> Option<SeriesHandle> {
        self.head.find_or_create(labels).map(SeriesHandle)
    }

    /// Looks a series up by `Labels::encoded`, without building the labels of a known one. `None` beyond
    /// the limit of series, and for a text that is no encoded label set.
    #[must_use]
    pub fn series_handle_encoded(&self, encoded: &str) -> Option<SeriesHandle> {
        if let Some(series) = self.head.find(encoded) {
            return Some(SeriesHandle(series));
        }
        self.series_handle(&Labels::from_encoded(encoded)?)
    }

    /// Where wall clock and elapsed time disagree, one of them has jumped, and the wider bounds hold: a wrong
    /// date must not refuse what others send with the right one.
    fn bounds(&self) -> Bounds {
        let wall = self.options.clock.now();
        let elapsed = self.options.clock.monotonic().saturating_sub(self.opened.1);
        let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let expected = self.opened.0.plus_millis(elapsed_ms);
        let age = self.options.retention_ms;
        let ahead = self.options.future_window_ms;
        Bounds {
            oldest: age.map_or(i64::MIN, |age| {
                wall.min(expected).millis().saturating_sub(age)
            }),
            newest: ahead.map_or(i64::MAX, |ahead| {
                wall.max(expected).millis().saturating_add(ahead)
            }),
        }
    }
}

impl Batch<'_> {
    /// Adds a float sample.
    pub fn push(&mut self, series: &SeriesHandle, timestamp: Timestamp, value: f64) {
        self.push_owned(series.clone(), Sample::float(timestamp, value));
    }

    /// Adds a float sample of the series with these labels, given as `Labels::encoded`: the shortest way
    /// from a decoder into the store. Answers whether the series was found or made.
    pub fn push_encoded(&mut self, encoded: &str, timestamp: Timestamp, value: f64) -> bool {
        let Some(series) = self.db.series_handle_encoded(encoded) else {
            self.count_over_limit();
            return false;
        };
        self.push_owned(series, Sample::float(timestamp, value));
        true
    }

    /// Adds a sample whose start is unknown.
    pub fn push_value(&mut self, series: &SeriesHandle, timestamp: Timestamp, value: Value) {
        self.push_owned(series.clone(), Sample::new(timestamp, value));
    }

    /// Adds a sample with its start.
    pub fn push_sample(&mut self, series: &SeriesHandle, sample: Sample) {
        self.push_owned(series.clone(), sample);
    }

    fn push_owned(&mut self, series: SeriesHandle, sample: Sample) {
        let at = sample.timestamp.millis();
        if at < self.bounds.oldest {
            self.refused.too_old += 1;
        } else if at > self.bounds.newest {
            self.refused.too_new += 1;
        } else {
            self.rows.push(Row {
                series: series.0,
                at,
                start: sample.start.millis(),
                value: sample.value,
            });
        }
    }

    /// Adds an exemplar, which needs a timestamp. Whether it is kept is in the answer of `commit`.
    pub fn push_exemplar(&mut self, series: &SeriesHandle, exemplar: &Exemplar) {
        self.exemplars
            .push((Arc::clone(&series.0), exemplar.clone()));
    }

    /// Counts a series that was refused by the limit, so that the answer of `commit` says so.
    pub fn count_over_limit(&mut self) {
        self.refused.over_limit += 1;
    }

    /// Writes everything as one record and leaves the batch empty. When this answers `Ok`, the accepted
    /// samples survive the death of the process, and with `WalSync::Always` the loss of power.
    pub fn commit(&mut self) -> Result<Appended, SinkError> {
        let appended = std::mem::take(&mut self.refused);
        let written = self.db.commit(&mut self.rows, &self.exemplars, appended);
        self.rows.clear();
        self.exemplars.clear();
        self.bounds = self.db.bounds();
        let appended = written?;
        self.db.metrics.count(appended);
        Ok(appended)
    }
}

/// Series lie anywhere in memory: the processor fetches the next few at the same time.
fn touch(rows: &[Row], from: usize) {
    let next = rows.iter().skip(from).take(AHEAD);
    black_box(next.fold(0, |all, row| all ^ row.series.touch_tail()));
}

impl Db {
    fn commit(
        &self,
        rows: &mut [Row],
        exemplars: &[(Arc<HeadSeries>, Exemplar)],
        mut appended: Appended,
    ) -> Result<Appended, SinkError> {
        let mut writer = self.writer();
        if self.closed.load(Ordering::SeqCst) {
            return Err(SinkError::Closed);
        }
        let exemplars = self.judge_exemplars(exemplars, &mut appended);
        if rows.is_empty() && exemplars.is_empty() {
            return Ok(appended);
        }
        let position = self.log(&mut writer, rows, &exemplars)?;
        self.keep_exemplars(&exemplars, &mut appended);
        let counts = &self.head.counts;
        let boundary = self.boundary.load(Ordering::Relaxed);
        let (mut fresh, mut late) = (0, 0);
        let (mut oldest, mut newest) = (i64::MAX, i64::MIN);
        for (index, row) in rows.iter().enumerate() {
            if index.is_multiple_of(AHEAD) {
                touch(rows, index);
            }
            let sample = (row.at, row.start, &row.value);
            match row.series.insert(sample, &mut writer.pool) {
                Inserted::Conflict => {
                    appended.duplicates += 1;
                    continue;
                }
                Inserted::Same => {}
                Inserted::Fresh => {
                    fresh += 1;
                    late += usize::from(row.at < boundary);
                }
            }
            appended.accepted += 1;
            oldest = oldest.min(row.at);
            newest = newest.max(row.at);
        }
        self.changes.mark(TimeRange {
            start: Timestamp::from_millis(oldest),
            end: Timestamp::from_millis(newest),
        });
        counts.samples.fetch_add(fresh, Ordering::Relaxed);
        counts.late.fetch_add(late, Ordering::Relaxed);
        counts.newest.fetch_max(newest, Ordering::Relaxed);
        drop(writer);
        self.wal.acknowledge(position).map_err(refusal)?;
        Ok(appended)
    }

    /// The exemplars that the ring would take; counts the others.
    fn judge_exemplars<'e>(
        &self,
        exemplars: &'e [(Arc<HeadSeries>, Exemplar)],
        appended: &mut Appended,
    ) -> Vec<&'e (Arc<HeadSeries>, Exemplar)> {
        if exemplars.is_empty() {
            return Vec::new();
        }
        let ring = self.exemplar_ring();
        let mut kept = Vec::new();
        for row in exemplars {
            let verdict = match row.1.timestamp {
                Some(_) => ring.judge(&row.0.labels, &row.1),
                None => Verdict::OutOfOrder,
            };
            match verdict {
                Verdict::Fresh => kept.push(row),
                Verdict::Same => appended.exemplars += 1,
                Verdict::OutOfOrder => {
                    self.metrics.exemplars.out_of_order.increment();
                    appended.exemplars_refused += 1;
                }
                Verdict::TooLong => {
                    self.metrics.exemplars.too_long.increment();
                    appended.exemplars_refused += 1;
                }
                Verdict::Disabled => appended.exemplars_refused += 1,
            }
        }
        kept
    }

    /// Puts logged exemplars into the ring. Two of one batch may be in each other's way.
    fn keep_exemplars(&self, exemplars: &[&(Arc<HeadSeries>, Exemplar)], appended: &mut Appended) {
        if exemplars.is_empty() {
            return;
        }
        let mut ring = self.exemplar_ring();
        for (series, exemplar) in exemplars {
            match ring.insert(&series.labels, exemplar.clone()) {
                Verdict::Fresh => {
                    self.metrics.exemplars.appended.increment();
                    appended.exemplars += 1;
                }
                Verdict::Same => appended.exemplars += 1,
                Verdict::OutOfOrder | Verdict::TooLong | Verdict::Disabled => {
                    self.metrics.exemplars.out_of_order.increment();
                    appended.exemplars_refused += 1;
                }
            }
        }
    }

    /// Writes the record of the batch. Definitions go into it for series that this segment does not know yet.
    fn log(
        &self,
        writer: &mut Writer,
        rows: &mut [Row],
        exemplars: &[&(Arc<HeadSeries>, Exemplar)],
    ) -> Result<Position, SinkError> {
        let segment = self.segment_to_write(writer).map_err(refusal)?;
        writer.record.clear();
        let mut defined = Vec::new();
        let mut newest = i64::MIN;
        for row in rows.iter_mut() {
            if row.series.is_retired() {
                // It had its place before; the limit is for new ones.
                row.series = self.head.restore_series(&row.series.labels);
            }
            if row.series.define_in(segment) {
                writer.record.define(row.series.id, &row.series.labels);
                defined.push(Arc::clone(&row.series));
            }
            newest = newest.max(row.at);
            let sample = (row.at, row.start, &row.value);
            writer.record.push(row.series.id, sample);
        }
        for (series, exemplar) in exemplars {
            // Its id is that of the log even where the head has forgotten the series.
            if series.define_in(segment) {
                writer.record.define(series.id, &series.labels);
                defined.push(Arc::clone(series));
            }
            writer.record.push_exemplar(series.id, exemplar);
        }
        let position = self.wal.write(writer.record.finish()).map_err(|error| {
            for series in defined {
                series.undefine();
            }
            refusal(error)
        })?;
        writer.definition_bytes += writer.record.definition_bytes();
        let newest_in = writer.newest_in.entry(segment).or_insert(i64::MIN);
        *newest_in = newest.max(*newest_in);
        Ok(position)
    }

    /// Makes the next segment of the log in good time, so that no writer waits for the medium.
    pub(super) fn prepare_segment(&self) {
        if self.wal.end().offset >= SEGMENT_BYTES / 2
            && let Err(error) = self.wal.prepare()
        {
            tracing::warn!("the next segment of the log was not made in advance: {error}");
        }
    }

    /// The segment for the next record; a full one is closed first.
    pub(super) fn segment_to_write(&self, writer: &mut Writer) -> Result<u64, WalError> {
        let end = self.wal.end();
        if end.segment != writer.segment {
            (writer.segment, writer.definition_bytes) = (end.segment, 0);
        }
        let full = SEGMENT_BYTES.max(writer.definition_bytes * SEGMENT_DEFINITIONS);
        if end.offset < full || self.wal.poisoned().is_some() {
            return Ok(end.segment);
        }
        let segment = self.wal.rotate()?.segment;
        (writer.segment, writer.definition_bytes) = (segment, 0);
        Ok(segment)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is handed to map_err, which gives values"
)]
fn refusal(error: WalError) -> SinkError {
    SinkError::ReadOnly(error.to_string())
}

impl Sink for Db {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        let mut rows = self.batch();
        for series in batch {
            let Some(handle) = self.series_handle(&series.labels) else {
                rows.count_over_limit();
                continue;
            };
            for sample in &series.samples {
                rows.push_sample(&handle, sample.clone());
            }
            let newest = series.samples.iter().map(|sample| sample.timestamp).max();
            for exemplar in &series.exemplars {
                // One without a time was observed with the sample.
                let timestamp = exemplar.timestamp.or(newest);
                let exemplar = exemplar.clone();
                rows.exemplars.push((
                    Arc::clone(&handle.0),
                    Exemplar {
                        timestamp,
                        ..exemplar
                    },
                ));
            }
        }
        rows.commit()
    }
}
