//! Range vectors: for each step the samples of a stretch of time, as slices of the series' columns.

use super::base::any_stale;
use super::column::is_absent;
use super::duration::Shift;
use super::result::{QueryValue, RangeSeries, value_of};
use super::selector::extent;
use super::{Cell, Column, Evaluation, Starts, Steps, without_parens};
use crate::ast::{Expr, ExprKind, MatrixSelector, RangeBorders};
use crate::error::QueryError;
use crate::histogram;
use model::{Columns, Histogram, Labels, Sample, Summaries, Timestamp, is_stale_marker};
use std::sync::Arc;

/// A series of a range vector.
#[derive(Clone, Debug)]
pub(crate) struct LabelledSamples {
    pub(crate) labels: Labels,
    /// Whether the labels' name is to be removed at the end whatever is computed.
    pub(crate) drops_name: bool,
    pub(crate) samples: Samples,
}

/// The samples of one series, floats and histograms apart, without staleness markers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    float_times: Arc<[i64]>,
    floats: Arc<[f64]>,
    histogram_times: Vec<i64>,
    histograms: Vec<Arc<Histogram>>,
    /// Start timestamps of the floats and of the histograms; empty where none is known.
    float_starts: Arc<[i64]>,
    histogram_starts: Vec<i64>,
    /// What is known of the down-sampled windows that the floats stand for.
    summaries: Option<Arc<Summaries>>,
}

/// The samples of one series in a stretch of time, its left end excluded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) float_times: &'a [i64],
    pub(crate) floats: &'a [f64],
    pub(crate) histogram_times: &'a [i64],
    pub(crate) histograms: &'a [Arc<Histogram>],
    pub(crate) float_starts: Starts<'a>,
    pub(crate) histogram_starts: Starts<'a>,
}

impl Window<'_> {
    /// Whether there is no sample.
    pub(crate) const fn is_empty(&self) -> bool {
        self.floats.is_empty() && self.histograms.is_empty()
    }

    /// Number of samples.
    pub(crate) const fn len(&self) -> usize {
        self.floats.len() + self.histograms.len()
    }
}

impl Samples {
    /// Takes a series' columns apart.
    pub(crate) fn new(columns: &Columns) -> Self {
        let mut samples = Self::default();
        let is_plain = columns.histograms.is_empty() && !any_stale(&columns.values);
        if is_plain {
            samples.float_times = Arc::clone(&columns.timestamps);
            samples.floats = columns.values.as_slice().into();
            samples.float_starts = columns.starts.clone().unwrap_or_default();
            samples.summaries.clone_from(&columns.summaries);
            return samples;
        }
        let (mut times, mut floats, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let start_of = |index: usize| columns.starts.as_ref()?.get(index).copied();
        let mut histograms = columns.histograms.iter().peekable();
        let mut summaries = Summaries::default();
        let pairs = columns.timestamps.iter().zip(columns.values.iter());
        for (index, (time, value)) in pairs.enumerate() {
            match histograms.next_if(|(at, _)| *at == index) {
                Some((_, histogram)) if !histogram::is_stale(histogram) => {
                    samples.histogram_times.push(*time);
                    samples.histograms.push(Arc::clone(histogram));
                    samples.histogram_starts.extend(start_of(index));
                }
                None if !is_stale_marker(*value) => {
                    times.push(*time);
                    floats.push(*value);
                    starts.extend(start_of(index));
                    if let Some(all) = &columns.summaries {
                        push_summary(&mut summaries, all, index);
                    }
                }
                _ => {}
            }
        }
        samples.float_times = times.into();
        samples.floats = floats.into();
        samples.float_starts = starts.into();
        samples.summaries = columns.summaries.as_ref().map(|_| Arc::new(summaries));
        samples
    }

    /// Makes samples of what was evaluated at steps.
    pub(crate) fn from_column(column: &Column, steps: Steps) -> Self {
        let mut samples = Self::default();
        let (mut times, mut floats) = (Vec::new(), Vec::new());
        for (step, cell) in column.iter() {
            match cell {
                Cell::Float(float) if is_absent(float) => {}
                Cell::Float(float) => {
                    times.push(steps.at(step));
                    floats.push(float);
                }
                Cell::Histogram(histogram) => {
                    samples.histogram_times.push(steps.at(step));
                    // What was said about resets held between stored samples, not between steps.
                    samples
                        .histograms
                        .push(histogram::without_reset_hint(histogram));
                }
            }
        }
        samples.float_times = times.into();
        samples.floats = floats.into();
        samples
    }

    /// Whether all samples are floats and nothing is known of their starts.
    pub(crate) fn are_plain_floats(&self) -> bool {
        self.histograms.is_empty() && self.float_starts.is_empty()
    }

    /// What is known of down-sampled windows; nothing of series that have histograms.
    pub(crate) fn summaries(&self) -> Option<&Summaries> {
        self.summaries
            .as_deref()
            .filter(|_| self.histograms.is_empty())
    }

    /// The floats and their times.
    pub(crate) const fn floats(&self) -> (&Arc<[i64]>, &Arc<[f64]>) {
        (&self.float_times, &self.floats)
    }

    /// Whether any sample is a float.
    pub(crate) fn has_floats(&self) -> bool {
        !self.floats.is_empty()
    }

    /// The samples after `start`, up to and including `end`.
    pub(crate) fn window(&self, start: i64, end: i64) -> Window<'_> {
        let mut sliding = Sliding::default();
        sliding.window(self, start, end)
    }
}

fn push_summary(to: &mut Summaries, from: &Summaries, index: usize) {
    to.first_timestamps
        .extend(from.first_timestamps.get(index).copied());
    to.counts.extend(from.counts.get(index).copied());
    for (to, from) in [
        (&mut to.first_values, &from.first_values),
        (&mut to.sums, &from.sums),
        (&mut to.minima, &from.minima),
        (&mut to.maxima, &from.maxima),
        (&mut to.squares, &from.squares),
        (&mut to.increases, &from.increases),
    ] {
        to.extend(from.get(index).copied());
    }
}

/// Where the last window of a series lay: windows of later steps are found from there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sliding {
    floats: (usize, usize),
    histograms: (usize, usize),
}

impl Sliding {
    /// The window of a step; steps must come in ascending order.
    pub(crate) fn window<'a>(&mut self, samples: &'a Samples, start: i64, end: i64) -> Window<'a> {
        let (first, past) = &mut self.floats;
        slide(&samples.float_times, (first, past), (start, end));
        let (first, past) = &mut self.histograms;
        slide(&samples.histogram_times, (first, past), (start, end));
        let (floats, histograms) = (
            self.floats.0..self.floats.1,
            self.histograms.0..self.histograms.1,
        );
        Window {
            float_times: samples.float_times.get(floats.clone()).unwrap_or_default(),
            float_starts: Starts(samples.float_starts.get(floats.clone()).unwrap_or_default()),
            floats: samples.floats.get(floats).unwrap_or_default(),
            histogram_times: samples
                .histogram_times
                .get(histograms.clone())
                .unwrap_or_default(),
            histogram_starts: Starts(
                samples
                    .histogram_starts
                    .get(histograms.clone())
                    .unwrap_or_default(),
            ),
            histograms: samples.histograms.get(histograms).unwrap_or_default(),
        }
    }
}

/// Moves the window of the step before to `start` (excluded) and `end`.
pub(super) fn slide(
    times: &[i64],
    (first, past): (&mut usize, &mut usize),
    (start, end): (i64, i64),
) {
    while times.get(*past).is_some_and(|time| *time <= end) {
        *past += 1;
    }
    while *first < *past && times.get(*first).is_some_and(|time| *time <= start) {
        *first += 1;
    }
}

/// A range vector: series and which stretch of them belongs to a step.
pub(crate) struct RangeVector {
    pub(crate) series: Vec<LabelledSamples>,
    pub(crate) range_ms: i64,
    pub(crate) shift: Shift,
    pub(crate) borders: RangeBorders,
    /// How far windows reach beyond the range on the left (anchored, smoothed) and right (smoothed).
    pub(crate) beyond_ms: (i64, i64),
}

impl RangeVector {
    /// The range of a step's moment, left end excluded.
    pub(crate) fn range_at(&self, time: i64) -> (i64, i64) {
        let end = self.shift.of(time);
        (end.saturating_sub(self.range_ms), end)
    }
}

impl Evaluation<'_> {
    /// Reads the range vector of an expression for all steps.
    pub(crate) fn range_vector(
        &mut self,
        expr: &Expr,
        steps: Steps,
    ) -> Result<RangeVector, QueryError> {
        match &without_parens(expr).kind {
            ExprKind::Matrix(matrix) => self.matrix_selector(matrix, steps),
            ExprKind::Subquery(subquery) => self.subquery(subquery, steps),
            _ => Err(QueryError::BadData("expected a range vector".to_owned())),
        }
    }

    /// How far windows reach beyond their range on both sides.
    pub(super) const fn beyond_ms(&self, borders: RangeBorders) -> (i64, i64) {
        match borders {
            RangeBorders::Plain => (0, 0),
            RangeBorders::Anchored => (self.lookback_ms, 0),
            RangeBorders::Smoothed => (self.lookback_ms, self.lookback_ms),
        }
    }

    fn matrix_selector(
        &mut self,
        matrix: &MatrixSelector,
        steps: Steps,
    ) -> Result<RangeVector, QueryError> {
        let shift = self.shift(&matrix.selector.modifiers)?;
        let borders = matrix.selector.borders;
        let mut ranges = RangeVector {
            series: Vec::new(),
            range_ms: self.positive_duration_ms(&matrix.range)?,
            shift,
            borders,
            beyond_ms: self.beyond_ms(borders),
        };
        let Some((first, last)) = extent(shift, steps) else {
            return Ok(ranges);
        };
        let before = ranges.range_ms.saturating_add(ranges.beyond_ms.0);
        let start = first.saturating_sub(before).saturating_add(1);
        let end = last.saturating_add(ranges.beyond_ms.1);
        ranges.series = self
            .select(&matrix.selector.matchers, (start, end))?
            .into_iter()
            .map(|series| LabelledSamples {
                samples: Samples::new(&series.columns),
                labels: series.labels,
                drops_name: false,
            })
            .collect();
        Ok(ranges)
    }

    /// The samples of a range vector as the answer of an instant query, sorted by labels.
    pub(crate) fn raw_matrix(
        &mut self,
        ranges: RangeVector,
        at: i64,
    ) -> Result<QueryValue, QueryError> {
        let (start, end) = ranges.range_at(at);
        let mut result = Vec::new();
        for series in ranges.series {
            self.check()?;
            let window = series.samples.window(start, end);
            self.touch(window.len());
            let floats = window
                .float_times
                .iter()
                .zip(window.floats.iter().map(|float| Cell::Float(*float)));
            let histograms = window
                .histogram_times
                .iter()
                .zip(window.histograms.iter().cloned().map(Cell::Histogram));
            let mut all: Vec<Sample> = floats
                .chain(histograms)
                .map(|(time, cell)| Sample::new(Timestamp::from_millis(*time), value_of(cell)))
                .collect();
            all.sort_by_key(|sample| sample.timestamp);
            if !all.is_empty() {
                let labels = if series.drops_name {
                    super::value::without_metadata(&series.labels)
                } else {
                    series.labels
                };
                result.push(RangeSeries {
                    labels,
                    samples: all,
                });
            }
        }
        result.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(QueryValue::Matrix(result))
    }
}
