//! `anchored` and `smoothed` ranges: rates without extrapolation.
//!
//! Anchored, the value at the left border is that of the last sample before it; smoothed, the
//! values at both borders are interpolated between the samples around them. Windows reach beyond the range so
//! that those samples are in them.

use super::rate::{Change, note_reconciled, warn};
use crate::annotations::message;
use crate::ast::RangeBorders;
use crate::engine::{Cell, Window, WindowCall};
use crate::histogram::{self, IncompatibleSchemas};
use model::Histogram;
use model::number::i64_to_float;
use std::sync::Arc;

/// The change of a window that holds floats or histograms, not both.
pub(super) fn changed(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
    change: Change,
) -> Option<Cell> {
    let is_smoothed = call.borders == RangeBorders::Smoothed;
    if window.histograms.is_empty() {
        let ends = Ends::new(window.float_times, call.range, is_smoothed)?;
        let grown = float_change(window, &ends, change);
        return Some(Cell::Float(if change == Change::Rate {
            grown / call.range_seconds()
        } else {
            grown
        }));
    }
    let ends = Ends::new(window.histogram_times, call.range, is_smoothed)?;
    let grown = histogram_change(window, call, &ends, change.is_counter())?;
    let grown = if change == Change::Rate {
        histogram::divided(&grown, call.range_seconds())
    } else {
        grown
    };
    Some(Cell::Histogram(Arc::new(histogram::as_gauge(grown))))
}

/// Which samples of a window stand at the borders of the range.
struct Ends {
    range: (i64, i64),
    first: usize,
    last: usize,
    /// Whether the value at the left border lies between `first` and the sample after it.
    left_between: bool,
    /// Whether the value at the right border lies between `last` and the sample before it.
    right_between: bool,
}

impl Ends {
    /// `None` where there is no sample to measure from or to.
    fn new(times: &[i64], range: (i64, i64), is_smoothed: bool) -> Option<Self> {
        let newest = times.len().checked_sub(1)?;
        let older = times.get(..newest).unwrap_or_default();
        let first = older
            .partition_point(|time| *time <= range.0)
            .saturating_sub(1);
        let last = if is_smoothed {
            older.partition_point(|time| *time < range.1)
        } else {
            newest
        };
        let (first_time, last_time) = (*times.get(first)?, *times.get(last)?);
        if last_time <= range.0 || (is_smoothed && first_time > range.1) {
            return None;
        }
        Some(Self {
            range,
            first,
            last,
            left_between: is_smoothed && first_time < range.0,
            right_between: is_smoothed && last > 0 && last_time > range.1,
        })
    }
}

fn float_change(window: &Window<'_>, ends: &Ends, change: Change) -> f64 {
    let is_counter = change.is_counter();
    let point = |index: usize| {
        let time = window.float_times.get(index).copied().unwrap_or_default();
        let value = window.floats.get(index).copied().unwrap_or(f64::NAN);
        (time, value)
    };
    let left = if ends.left_between {
        let (a, b) = (point(ends.first), point(ends.first + 1));
        between(a, b, ends.range.0, is_counter)
    } else {
        point(ends.first).1
    };
    let right = if ends.right_between {
        let (a, b) = (point(ends.last - 1), point(ends.last));
        between(a, b, ends.range.1, is_counter)
    } else {
        point(ends.last).1
    };
    let mut grown = right - left;
    if is_counter {
        let from = ends.first + usize::from(point(ends.first).0 <= ends.range.0);
        let past = ends.last + usize::from(point(ends.last).0 < ends.range.1);
        let inner = window.floats.get(from..past).unwrap_or_default();
        let mut before = left;
        for value in inner.iter().chain([&right]) {
            if *value < before {
                grown += before;
            }
            before = *value;
        }
    }
    grown
}

/// The value at a moment between two points; a counter that fell started again from zero.
fn between(a: (i64, f64), b: (i64, f64), at: i64, is_counter: bool) -> f64 {
    let start = if is_counter && b.1 < a.1 { 0.0 } else { a.1 };
    start + (b.1 - start) * i64_to_float(at - a.0) / i64_to_float(b.0 - a.0)
}

fn histogram_change(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
    ends: &Ends,
    is_counter: bool,
) -> Option<Histogram> {
    let relevant = window.histograms.get(ends.first..=ends.last)?;
    let gauges = relevant
        .iter()
        .filter(|one| histogram::is_gauge(one))
        .count();
    if histogram::are_mixed(relevant) {
        warn(call, message::mixed_exponential_custom);
        return None;
    }
    if is_counter && gauges > 0 {
        warn(call, message::not_a_counter);
    }
    let left = border(window, call, ends, (Side::Left, is_counter))?;
    let right = border(window, call, ends, (Side::Right, is_counter))?;
    let are_gauges = histogram::is_gauge(&left) && histogram::is_gauge(&right);
    if !is_counter && !are_gauges {
        warn(call, message::not_a_gauge);
    }
    let combined = histogram::subtracted(&right, &left).ok()?;
    let mut reconciled = (combined.bounds_reconciled, false);
    let mut grown = combined.histogram;
    if is_counter {
        for lost in lost_in_resets(window, ends, &left, &right) {
            let combined = histogram::added(&grown, &lost).ok()?;
            reconciled.1 |= combined.bounds_reconciled;
            grown = combined.histogram;
        }
    }
    note_reconciled(call, reconciled);
    Some(grown)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The histogram at a border of the range.
fn border(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
    ends: &Ends,
    (side, is_counter): (Side, bool),
) -> Option<Histogram> {
    let (index, is_between, at) = match side {
        Side::Left => (ends.first, ends.left_between, ends.range.0),
        Side::Right => (ends.last, ends.right_between, ends.range.1),
    };
    if !is_between {
        return window
            .histograms
            .get(index)
            .map(|one| Histogram::clone(one));
    }
    let before = if side == Side::Left { index } else { index - 1 };
    let interpolated = Pair::new(window, before)?.interpolated(at, is_counter);
    let (histogram, reconciled) = interpolated.ok()?;
    note_reconciled(call, reconciled);
    Some(histogram)
}

/// Two neighbouring histograms and their times.
struct Pair<'a> {
    before: (i64, &'a Histogram),
    after: (i64, &'a Histogram),
}

impl<'a> Pair<'a> {
    fn new(window: &Window<'a>, index: usize) -> Option<Self> {
        let point = |index: usize| {
            let time = window.histogram_times.get(index)?;
            Some((*time, window.histograms.get(index)?.as_ref()))
        };
        Some(Self {
            before: point(index)?,
            after: point(index + 1)?,
        })
    }

    /// The histogram at a moment between the two, and whether custom bounds had to be reconciled in the
    /// subtraction and the addition. A counter that was reset started again from zero.
    fn interpolated(
        &self,
        at: i64,
        is_counter: bool,
    ) -> Result<(Histogram, (bool, bool)), IncompatibleSchemas> {
        let ((start, a), (end, b)) = (self.before, self.after);
        if at == start || at == end {
            let exact = if at == start { a } else { b };
            return Ok((exact.clone(), (false, false)));
        }
        let fraction = i64_to_float(at - start) / i64_to_float(end - start);
        if is_counter && histogram::is_reset(b, a) {
            return Ok((histogram::scaled(b, fraction), (false, false)));
        }
        let difference = histogram::subtracted(b, a)?;
        let part = histogram::scaled(&difference.histogram, fraction);
        let sum = histogram::added(&part, a)?;
        let mut histogram = sum.histogram;
        histogram.counter_reset_hint = b.counter_reset_hint;
        let reconciled = (difference.bounds_reconciled, sum.bounds_reconciled);
        Ok((histogram, reconciled))
    }
}

/// The last histograms before each reset inside the range.
fn lost_in_resets(
    window: &Window<'_>,
    ends: &Ends,
    left: &Histogram,
    right: &Histogram,
) -> Vec<Histogram> {
    let histograms = window.histograms;
    let mut from = ends.first + 1;
    let mut before = left;
    if ends.left_between
        && let (Some(first), Some(second)) = (histograms.get(ends.first), histograms.get(from))
        && histogram::is_reset(second, first)
    {
        // The interpolation at the left border has already started again from zero.
        before = second;
        from += 1;
    }
    let mut lost = Vec::new();
    if from > ends.last {
        return lost;
    }
    let inner = histograms.get(from..ends.last).unwrap_or_default();
    for now in inner.iter().map(AsRef::as_ref).chain([right]) {
        if histogram::is_reset(now, before) {
            lost.push(before.clone());
        }
        before = now;
    }
    lost
}

/// The value of a `smoothed` selector at a moment; none before the first sample.
pub(crate) fn interpolated(window: &Window<'_>, at: i64) -> Option<Cell> {
    let times = if window.histograms.is_empty() {
        window.float_times
    } else {
        window.histogram_times
    };
    let before = times.partition_point(|time| *time <= at).checked_sub(1)?;
    if let Some(histogram) = window.histograms.get(before) {
        let is_counter = !window.histograms.iter().any(|one| histogram::is_gauge(one));
        return Some(Cell::Histogram(match Pair::new(window, before) {
            Some(pair) => Arc::new(pair.interpolated(at, is_counter).ok()?.0),
            None => Arc::clone(histogram),
        }));
    }
    let point = |index: usize| {
        let time = window.float_times.get(index)?;
        Some((*time, *window.floats.get(index)?))
    };
    let a = point(before)?;
    Some(Cell::Float(match point(before + 1) {
        Some(b) if a.0 != at => between(a, b, at, false),
        _ => a.1,
    }))
}
