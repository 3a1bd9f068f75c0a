//! One series of a selector at all steps: the latest samples, or a function of windows of samples.
//!
//! Key decision: which samples belong to which step depends on the times alone, and the series of one scrape share
//! theirs. So places are found once for each column of times, and values are then picked by place.

use super::column::ABSENT;
use super::duration::Shift;
use super::limits::Limits;
use super::places::KnownPlaces;
use super::selector::{Pick, histogram_at, is_stale};
use super::window::{Samples, Sliding};
use super::{Cell, Column, Steps, WindowCall};
use crate::annotations::{Annotations, message};
use crate::ast::{RangeBorders, Span};
use crate::error::QueryError;
use crate::functions::summarised::{self, Summarised};
use crate::functions::{self, WindowFunction};
use crate::histogram;
use model::{Columns, Labels, Summaries, is_stale_marker};
use std::cell::OnceCell;
use std::sync::Arc;

/// What is made of each series.
pub(crate) enum Base {
    /// The latest sample.
    Latest { pick: Pick, shift: Shift },
    /// `smoothed`: between two samples the value is interpolated, after the last one it stays, each as far as
    /// the look-back reaches.
    Smoothed { shift: Shift, span: Span },
    /// A function over windows.
    Windows(Windows),
}

/// A function over the windows of a range vector.
pub(crate) struct Windows {
    /// The function's name.
    pub(crate) name: &'static str,
    /// Whether `__type__` says what is a counter, and not the name.
    pub(crate) has_types: bool,
    pub(crate) function: WindowFunction,
    /// The scalar arguments, each at every step.
    pub(crate) parameters: Vec<Vec<f64>>,
    pub(crate) range_ms: i64,
    pub(crate) shift: Shift,
    pub(crate) borders: RangeBorders,
    /// How far windows reach beyond the range on the left (anchored, smoothed) and right (smoothed).
    pub(crate) beyond_ms: (i64, i64),
    /// Where the range vector stands.
    pub(crate) span: Span,
    /// Where the first argument stands.
    pub(crate) first_span: Span,
}

/// What one thread remembers from series to series, and what it has to say about them.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(super) places: KnownPlaces,
    /// Samples looked at, counted once for every step that used them.
    pub(crate) touched: u64,
    /// The same for each step, where that is asked for.
    pub(crate) touched_at: Option<Vec<u64>>,
    /// Remarks.
    pub(crate) notes: Annotations,
}

impl Scratch {
    fn touch(&mut self, step: usize, samples: usize) {
        let samples = u64::try_from(samples).unwrap_or(u64::MAX);
        self.touched = self.touched.saturating_add(samples);
        if let Some(slot) = self.touched_at.as_mut().and_then(|all| all.get_mut(step)) {
            *slot = slot.saturating_add(samples);
        }
    }
}

/// Samples that may be looked at between two looks at the clock.
const CHECK_SAMPLES: usize = 1 << 20;

/// The windows of a series of floats, as the functions see them that slide over a whole series.
pub(crate) struct Sweep<'a> {
    pub(crate) times: &'a [i64],
    pub(crate) values: &'a [f64],
    /// For each step the first place of its window and the one past the last; both never fall.
    pub(crate) bounds: &'a [(usize, usize)],
    /// For each step the right end of its range, in milliseconds.
    pub(crate) ends: &'a [i64],
    pub(crate) range_ms: i64,
    /// The scalar arguments, each at every step.
    pub(crate) parameters: &'a [Vec<f64>],
    /// What `rate` and its like make of the times, once for all series that have them.
    pub(crate) stretches: &'a OnceCell<Vec<functions::Stretch>>,
    limits: Limits<'a>,
}

impl Sweep<'_> {
    /// Writes the value of each window that has samples.
    pub(crate) fn each(
        &self,
        out: &mut [f64],
        mut value: impl FnMut(usize, usize, usize) -> f64,
    ) -> Result<(), QueryError> {
        let mut looked_at = 0;
        for (step, (slot, (first, past))) in out.iter_mut().zip(self.bounds).enumerate() {
            if first == past {
                continue;
            }
            looked_at += past - first;
            if looked_at > CHECK_SAMPLES {
                self.limits.check()?;
                looked_at = 0;
            }
            *slot = value(step, *first, *past);
        }
        Ok(())
    }

    /// Writes a value computed from the floats of each window that has some.
    pub(crate) fn each_slice(
        &self,
        out: &mut [f64],
        mut value: impl FnMut(&[f64]) -> f64,
    ) -> Result<(), QueryError> {
        self.each(out, |_, first, past| {
            value(self.values.get(first..past).unwrap_or_default())
        })
    }
}

/// What the threads that evaluate the series of one selector share.
pub(crate) struct Moments<'a> {
    pub(crate) steps: Steps,
    /// The moment that is looked at, or the right end of the range, at each step.
    pub(crate) ends: Vec<i64>,
    pub(crate) lookback_ms: i64,
    pub(crate) limits: Limits<'a>,
}

impl Moments<'_> {
    fn end(&self, step: usize) -> i64 {
        self.ends.get(step).copied().unwrap_or(i64::MIN)
    }
}

impl Base {
    /// Whether the result is still a value of the metric.
    pub(crate) fn keeps_name(&self) -> bool {
        match self {
            Self::Latest { .. } | Self::Smoothed { .. } => true,
            Self::Windows(windows) => windows.function.keeps_name,
        }
    }

    /// Which moments are looked at.
    pub(crate) fn shift(&self) -> Shift {
        match self {
            Self::Latest { shift, .. } | Self::Smoothed { shift, .. } => *shift,
            Self::Windows(windows) => windows.shift,
        }
    }

    /// The first and the last moment whose samples are needed, `None` without steps.
    pub(crate) fn extent(&self, steps: Steps, lookback_ms: i64) -> Option<(i64, i64)> {
        let (first, last) = super::selector::extent(self.shift(), steps)?;
        let (before, after) = match self {
            Self::Latest { .. } => (lookback_ms, 0),
            Self::Smoothed { .. } => (lookback_ms, lookback_ms),
            Self::Windows(windows) => (
                windows.range_ms.saturating_add(windows.beyond_ms.0),
                windows.beyond_ms.1,
            ),
        };
        let start = first.saturating_sub(before).saturating_add(1);
        Some((start, last.saturating_add(after)))
    }

    /// Evaluates a stored series.
    pub(crate) fn column(
        &self,
        moments: &Moments<'_>,
        (labels, columns): (&Labels, &Columns),
        scratch: &mut Scratch,
    ) -> Result<Column, QueryError> {
        match self {
            Self::Latest { pick, .. } => Ok(latest(moments, *pick, columns, scratch)),
            Self::Smoothed { span, .. } => Ok(smoothed(moments, *span, (labels, columns), scratch)),
            Self::Windows(windows) => windows.stored_column(moments, (labels, columns), scratch),
        }
    }
}

fn latest(moments: &Moments<'_>, pick: Pick, columns: &Columns, scratch: &mut Scratch) -> Column {
    let places = scratch.places.of(&columns.timestamps, |times, bounds| {
        latest_places(times, moments, bounds);
    });
    let column = if columns.histograms.is_empty() && pick == Pick::Value {
        let values = &columns.values;
        // A staleness marker is what stands for an absent value, too.
        let value = |(place, _): &(usize, usize)| values.get(*place).copied().unwrap_or(ABSENT);
        let mut floats: Vec<f64> = places.bounds.iter().map(value).collect();
        if let Some(summaries) = &columns.summaries {
            fill_from_summaries(&mut floats, moments, columns, summaries);
        }
        Column::from_floats(0, floats)
    } else {
        let mut column = Column::default();
        for (step, (place, _)) in places.bounds.iter().enumerate() {
            if *place < columns.len() && !is_stale(columns, *place) {
                column.push(step, picked(pick, columns, *place));
            }
        }
        column
    };
    count_present(&column, scratch);
    column
}

/// Down-sampled windows are longer than the look-back. Where a step without a sample lies inside of one, there
/// were samples, of which the window's first is known.
fn fill_from_summaries(
    floats: &mut [f64],
    moments: &Moments<'_>,
    columns: &Columns,
    summaries: &Summaries,
) {
    for (float, at) in floats.iter_mut().zip(&moments.ends) {
        let next = columns.timestamps.partition_point(|time| time <= at);
        let begun = summaries.first_timestamps.get(next);
        let has_samples = summaries.counts.get(next).is_some_and(|count| *count > 1);
        if super::is_absent(*float) && has_samples && begun.is_some_and(|begun| begun <= at) {
            *float = summaries.first_values.get(next).copied().unwrap_or(ABSENT);
        }
    }
}

fn latest_places(times: &[i64], moments: &Moments<'_>, bounds: &mut Vec<(usize, usize)>) {
    let mut next = 0;
    for at in &moments.ends {
        while times.get(next).is_some_and(|time| time <= at) {
            next += 1;
        }
        let oldest = at.saturating_sub(moments.lookback_ms);
        let fresh = next
            .checked_sub(1)
            .filter(|place| times.get(*place).is_some_and(|time| *time > oldest));
        let place = fresh.unwrap_or(usize::MAX);
        bounds.push((place, place));
    }
}

fn picked(pick: Pick, columns: &Columns, place: usize) -> Cell {
    match (pick, histogram_at(columns, place)) {
        (Pick::Value | Pick::TimeOrHistogram, Some(histogram)) => {
            Cell::Histogram(Arc::clone(histogram))
        }
        _ => Cell::Float(pick.float(columns, place)),
    }
}

fn count_present(column: &Column, scratch: &mut Scratch) {
    if scratch.touched_at.is_some() {
        for step in column.range().filter(|step| column.has(*step)) {
            scratch.touch(step, 1);
        }
    } else {
        let present = u64::try_from(column.present()).unwrap_or(u64::MAX);
        scratch.touched = scratch.touched.saturating_add(present);
    }
}

fn smoothed(
    moments: &Moments<'_>,
    span: Span,
    (labels, columns): (&Labels, &Columns),
    scratch: &mut Scratch,
) -> Column {
    let samples = Samples::new(columns);
    let mut sliding = Sliding::default();
    let mut column = Column::default();
    let name = labels.metric_name();
    for (step, at) in moments.ends.iter().enumerate() {
        let window = sliding.window(
            &samples,
            at.saturating_sub(moments.lookback_ms),
            at.saturating_add(moments.lookback_ms),
        );
        if !window.floats.is_empty() && !window.histograms.is_empty() {
            let text = message::mixed_floats_histograms(name);
            scratch.notes.warn(span, text);
        } else if histogram::are_mixed(window.histograms) {
            let text = message::mixed_exponential_custom(name);
            scratch.notes.warn(span, text);
        } else if let Some(cell) = functions::interpolated(&window, *at) {
            column.push(step, cell);
        }
    }
    count_present(&column, scratch);
    column
}

impl Windows {
    /// The range of a step's moment, left end excluded.
    fn range(&self, end: i64) -> (i64, i64) {
        (end.saturating_sub(self.range_ms), end)
    }

    /// Evaluates the function over the windows of a stored series, where it lies if it is plain.
    fn stored_column(
        &self,
        moments: &Moments<'_>,
        (labels, columns): (&Labels, &Columns),
        scratch: &mut Scratch,
    ) -> Result<Column, QueryError> {
        let is_plain = columns.histograms.is_empty()
            && columns.starts.is_none()
            && columns.summaries.is_none()
            && !any_stale(&columns.values);
        let Some(sliding) = self.sliding().filter(|_| is_plain) else {
            return self.column(moments, (labels, &Samples::new(columns)), scratch);
        };
        let before = scratch.touched;
        let floats = (&columns.timestamps, columns.values.as_slice());
        let column = self.swept(moments, floats, (sliding, scratch))?;
        if scratch.touched > before {
            self.note_possible_gauge(labels, scratch);
        }
        Ok(column)
    }

    /// The function over all windows at once, where there is one for these arguments.
    fn sliding(&self) -> Option<functions::Sliding> {
        self.function.sliding.filter(|_| {
            // Of the functions that slide only a quantile has an argument, and outside 0 to 1 remarks.
            let mut arguments = self.parameters.iter().flatten();
            self.borders == RangeBorders::Plain
                && arguments.all(|value| (0.0..=1.0).contains(value))
        })
    }

    fn note_possible_gauge(&self, labels: &Labels, scratch: &mut Scratch) {
        let place = (&mut scratch.notes, self.span);
        functions::note_possible_gauge(self.name, (labels, self.has_types), place);
    }

    /// Evaluates the function over the windows of a series.
    pub(crate) fn column(
        &self,
        moments: &Moments<'_>,
        (labels, samples): (&Labels, &Samples),
        scratch: &mut Scratch,
    ) -> Result<Column, QueryError> {
        let before = scratch.touched;
        if let Some(summaries) = samples.summaries() {
            if let Some(compute) = summarised::find(self.name) {
                return self.summarised(moments, (samples, summaries), (compute, scratch));
            }
            let text = message::down_sampled(self.name);
            scratch.notes.warn(self.span, text);
        }
        let sliding = self.sliding().filter(|_| samples.are_plain_floats());
        let column = match sliding {
            Some(sliding) => {
                let (times, values) = samples.floats();
                self.swept(moments, (times, values), (sliding, scratch))?
            }
            None => self.window_by_window(moments, (labels, samples), scratch)?,
        };
        if scratch.touched > before && samples.has_floats() {
            self.note_possible_gauge(labels, scratch);
        }
        Ok(column)
    }

    fn swept(
        &self,
        moments: &Moments<'_>,
        (times, values): (&Arc<[i64]>, &[f64]),
        (sliding, scratch): (functions::Sliding, &mut Scratch),
    ) -> Result<Column, QueryError> {
        let places = scratch.places.of(times, |times, bounds| {
            let (mut first, mut past) = (0, 0);
            for end in &moments.ends {
                super::window::slide(times, (&mut first, &mut past), self.range(*end));
                bounds.push((first, past));
            }
        });
        let sweep = Sweep {
            times,
            values,
            bounds: &places.bounds,
            ends: &moments.ends,
            range_ms: self.range_ms,
            parameters: &self.parameters,
            stretches: &places.stretches,
            limits: moments.limits,
        };
        let mut out = vec![ABSENT; moments.ends.len()];
        sliding(&sweep, &mut out)?;
        if scratch.touched_at.is_some() {
            let bounds = places.bounds.iter();
            let counts: Vec<usize> = bounds.map(|(first, past)| past - first).collect();
            for (step, count) in counts.into_iter().enumerate() {
                scratch.touch(step, count);
            }
        } else {
            let samples = u64::try_from(places.samples).unwrap_or(u64::MAX);
            scratch.touched = scratch.touched.saturating_add(samples);
        }
        Ok(Column::from_floats(0, out))
    }

    /// Evaluates the function over down-sampled windows.
    fn summarised(
        &self,
        moments: &Moments<'_>,
        (samples, summaries): (&Samples, &Summaries),
        (compute, scratch): (summarised::Compute, &mut Scratch),
    ) -> Result<Column, QueryError> {
        let (times, values) = samples.floats();
        let (mut first, mut past) = (0, 0);
        let mut out = vec![ABSENT; moments.ends.len()];
        for (step, slot) in out.iter_mut().enumerate() {
            let range = self.range(moments.end(step));
            super::window::slide(times, (&mut first, &mut past), range);
            if first == past {
                continue;
            }
            scratch.touch(step, past - first);
            let window = Summarised {
                times,
                values,
                summaries,
                places: first..past,
                range,
            };
            *slot = compute(&window).unwrap_or(ABSENT);
        }
        moments.limits.check()?;
        Ok(Column::from_floats(0, out))
    }

    fn window_by_window(
        &self,
        moments: &Moments<'_>,
        (labels, samples): (&Labels, &Samples),
        scratch: &mut Scratch,
    ) -> Result<Column, QueryError> {
        let mut column = Column::default();
        let mut sliding = Sliding::default();
        let mut looked_at = 0;
        for step in 0..moments.ends.len() {
            let (start, end) = self.range(moments.end(step));
            let window = sliding.window(
                samples,
                start.saturating_sub(self.beyond_ms.0),
                end.saturating_add(self.beyond_ms.1),
            );
            if window.is_empty() {
                continue;
            }
            scratch.touch(step, window.len());
            looked_at += window.len();
            if looked_at > CHECK_SAMPLES {
                moments.limits.check()?;
                looked_at = 0;
            }
            let at_step: Vec<f64> = self
                .parameters
                .iter()
                .map(|values| values.get(step).copied().unwrap_or(f64::NAN))
                .collect();
            let mut call = WindowCall {
                labels,
                time: moments.steps.at(step),
                range: (start, end),
                borders: self.borders,
                parameters: &at_step,
                span: self.span,
                first_span: self.first_span,
                notes: &mut scratch.notes,
            };
            if let Some(cell) = (self.function.compute)(&window, &mut call)? {
                column.push(step, cell);
            }
        }
        Ok(column)
    }
}

/// Whether a float stands for no sample; used where samples are taken apart.
pub(super) fn any_stale(values: &[f64]) -> bool {
    // Some at a time without a branch for each: nearly always all are looked at.
    values.chunks(64).any(|some| {
        let each = some.iter().map(|value| is_stale_marker(*value));
        each.fold(false, |any, stale| any | stale)
    })
}

#[cfg(test)]
mod summaries;
#[cfg(test)]
mod tests;
