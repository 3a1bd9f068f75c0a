//! `rate`, `increase`, `delta`, `irate`, `idelta`: how much a series changed over its window.
//!
//! The change between the first and the last sample is extrapolated to the borders of the range, as upstream
//! does: all the way where a border is at most 1.1 average distances away, else by half such a distance,
//! and for counters never beyond the point where they were zero. Where the first sample says that the counter
//! began inside the range, it is taken to have been zero then, and nothing is extrapolated to the left; a
//! single sample is then enough.

use super::extended_rate;
use crate::annotations::{Annotations, message};
use crate::ast::{RangeBorders, Span};
use crate::engine::{Cell, Starts, Window, WindowCall, starts};
use crate::error::QueryError;
use crate::histogram;
use model::number::{i64_to_float, usize_to_float};
use model::{Histogram, Labels, TYPE_LABEL};
use std::sync::Arc;

type Computed = Result<Option<Cell>, QueryError>;

/// What the change of a window is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A gauge's difference.
    Delta,
    /// A counter's growth.
    Increase,
    /// A counter's growth per second.
    Rate,
}

impl Change {
    /// Whether resets are made up for.
    pub(super) fn is_counter(self) -> bool {
        self != Self::Delta
    }
}

/// `rate`
pub(crate) fn rate(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    changed(window, call, Change::Rate)
}

/// `increase`
pub(crate) fn increase(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    changed(window, call, Change::Increase)
}

/// `delta`
pub(crate) fn delta(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    changed(window, call, Change::Delta)
}

fn changed(window: &Window<'_>, call: &mut WindowCall<'_>, change: Change) -> Computed {
    if !window.floats.is_empty() && !window.histograms.is_empty() {
        call.warn_mixed();
        return Ok(None);
    }
    if call.borders != RangeBorders::Plain {
        return Ok(extended_rate::changed(window, call, change));
    }
    if window.histograms.is_empty() {
        return Ok(float_change(window, call, change).map(Cell::Float));
    }
    Ok(
        histogram_change(window, call, change)
            .map(|histogram| Cell::Histogram(Arc::new(histogram))),
    )
}

/// Remarks that a metric is not named like a counter, or where types are labels has not its type, where a function
/// expects one.
pub(crate) fn note_possible_gauge(
    function: &str,
    (labels, has_types): (&Labels, bool),
    (notes, span): (&mut Annotations, Span),
) {
    let metric = labels.metric_name();
    if metric.is_empty() || !matches!(function, "rate" | "increase") {
        return;
    }
    if has_types {
        let kind = labels.value(TYPE_LABEL);
        if !matches!(kind, "counter" | "histogram") {
            notes.info(span, message::not_typed_as_counter(metric, kind));
        }
        return;
    }
    let is_counter = ["_total", "_sum", "_count", "_bucket"]
        .iter()
        .any(|suffix| metric.ends_with(suffix));
    if !is_counter {
        notes.info(span, message::possible_non_counter(metric));
    }
}

fn float_change(window: &Window<'_>, call: &mut WindowCall<'_>, change: Change) -> Option<f64> {
    let (first, last) = (window.floats.first()?, window.floats.last()?);
    let (times, starts) = (window.float_times, window.float_starts);
    let mut grown = last - first;
    if change.is_counter() {
        note_overlap(call, starts, times);
        for (index, pair) in window.floats.windows(2).enumerate() {
            if let [before, now] = pair
                && (now < before || starts.is_reset(index + 1, times))
            {
                grown += before;
            }
        }
        if let Some(begin) = starts.begin_inside(call.range.0, times) {
            return Some((grown + first) * stretch(times, call).factor_since(begin, change));
        }
    }
    if window.floats.len() < 2 {
        return None;
    }
    let zero_share = (grown > 0.0 && *first >= 0.0).then(|| first / grown);
    Some(grown * stretch(times, call).extrapolation(change, zero_share))
}

fn histogram_change(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
    change: Change,
) -> Option<Histogram> {
    let first = window.histograms.first()?;
    let (times, starts) = (window.histogram_times, window.histogram_starts);
    let grown = match window.histograms.len() {
        1 => None,
        _ => Some(histogram_growth(window, call, change.is_counter())?),
    };
    if change.is_counter()
        && let Some(begin) = starts.begin_inside(call.range.0, times)
    {
        let factor = stretch(times, call).factor_since(begin, change);
        let whole = match grown {
            None => return Some(histogram::scaled(first, factor)),
            Some(grown) => {
                let Ok(combined) = histogram::added(&grown, first) else {
                    warn(call, message::mixed_exponential_custom);
                    return None;
                };
                note_reconciled(call, (false, combined.bounds_reconciled));
                combined.histogram
            }
        };
        return Some(histogram::scaled(&whole, factor));
    }
    let grown = grown?;
    let zero_share = (grown.count > 0.0 && first.count >= 0.0).then(|| first.count / grown.count);
    let factor = stretch(times, call).extrapolation(change, zero_share);
    Some(histogram::scaled(&grown, factor))
}

/// Warns, once a window, of samples whose start timestamps cannot be right.
fn note_overlap(call: &mut WindowCall<'_>, starts: Starts<'_>, times: &[i64]) {
    if starts.any_overlaps(times) {
        warn(call, message::start_overlaps);
    }
}

/// Where the samples of a window lie in its range.
pub(super) struct Stretch {
    /// Times of the first and of the last sample.
    pub(super) first: i64,
    pub(super) last: i64,
    /// How many samples there are.
    pub(super) count: usize,
    /// The range, left end excluded.
    pub(super) range: (i64, i64),
}

impl Stretch {
    /// What the change between the first and the last sample is multiplied by. `zero_share`: how many times the
    /// sampled stretch the counter needed, at this pace, to get from zero to its first sample.
    pub(super) fn extrapolation(&self, change: Change, zero_share: Option<f64>) -> f64 {
        let sampled = i64_to_float(self.last - self.first) / 1000.0;
        let distance = self.average_distance();
        let mut to_start = i64_to_float(self.first - self.range.0) / 1000.0;
        if to_start >= distance * 1.1 {
            to_start = distance / 2.0;
        }
        if let Some(share) = zero_share.filter(|_| change.is_counter()) {
            to_start = to_start.min(sampled * share);
        }
        self.stretched((sampled, to_start), change)
    }

    /// The same for a counter that began inside the range: the stretch is the one from there.
    fn factor_since(&self, begin: i64, change: Change) -> f64 {
        let sampled = i64_to_float(self.last - begin) / 1000.0;
        self.stretched((sampled, 0.0), change)
    }

    /// How much longer a stretch gets by what is added before and after it; divided by the range for a rate.
    fn stretched(&self, (sampled, to_start): (f64, f64), change: Change) -> f64 {
        let distance = self.average_distance();
        let mut to_end = i64_to_float(self.range.1 - self.last) / 1000.0;
        if to_end >= distance * 1.1 {
            to_end = distance / 2.0;
        }
        let factor = if sampled == 0.0 {
            1.0
        } else {
            (sampled + to_start + to_end) / sampled
        };
        if change == Change::Rate {
            factor / (i64_to_float(self.range.1 - self.range.0) / 1000.0)
        } else {
            factor
        }
    }

    /// The average distance of neighbouring samples in seconds, 0 for a single one.
    fn average_distance(&self) -> f64 {
        let sampled = i64_to_float(self.last - self.first) / 1000.0;
        match self.count {
            0 | 1 => 0.0,
            count => sampled / usize_to_float(count - 1),
        }
    }
}

/// Where samples at these times lie in the call's range.
fn stretch(times: &[i64], call: &WindowCall<'_>) -> Stretch {
    Stretch {
        first: times.first().copied().unwrap_or(call.range.1),
        last: times.last().copied().unwrap_or(call.range.1),
        count: times.len(),
        range: call.range,
    }
}

/// The change between the first and the last histogram, resets made up for in counters.
fn histogram_growth(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
    is_counter: bool,
) -> Option<Histogram> {
    let (histograms, starts) = (window.histograms, window.histogram_starts);
    let is_reset = |index: usize, before: &Histogram, now: &Histogram| {
        starts.is_reset(index, window.histogram_times) || histogram::is_reset(now, before)
    };
    let [first, second, ..] = histograms else {
        return None;
    };
    let last = histograms.last()?;
    let gauges = histograms.iter().filter(|one| histogram::is_gauge(one));
    if is_counter && gauges.count() > 0 {
        warn(call, message::not_a_counter);
    }
    let are_gauges = histogram::is_gauge(first) && histogram::is_gauge(last);
    if !is_counter && !are_gauges {
        warn(call, message::not_a_gauge);
    }
    // A first sample before a reset says nothing, not even about the bucket layout.
    let skipped = usize::from(is_counter && is_reset(1, first, second));
    let relevant = histograms.get(skipped..).unwrap_or_default();
    let is_custom = histogram::has_custom_buckets(last);
    if relevant
        .iter()
        .any(|one| histogram::has_custom_buckets(one) != is_custom)
    {
        warn(call, message::mixed_exponential_custom);
        return None;
    }
    let mut reconciled = (false, false);
    let mut grown = histogram::compacted(last);
    if skipped == 0 {
        let combined = histogram::subtracted(&grown, first).ok()?;
        reconciled.0 |= combined.bounds_reconciled;
        grown = combined.histogram;
    }
    if is_counter {
        note_overlap(call, starts, window.histogram_times);
        for (index, pair) in relevant.windows(2).enumerate() {
            if let [before, now] = pair
                && is_reset(index + skipped + 1, before, now)
            {
                let combined = histogram::added(&grown, before).ok()?;
                reconciled.1 |= combined.bounds_reconciled;
                grown = combined.histogram;
            }
        }
        let schema = relevant.iter().map(|one| one.schema).min()?;
        grown = histogram::at_schema(&grown, schema);
    }
    note_reconciled(call, reconciled);
    Some(histogram::as_gauge(grown))
}

/// Remarks that bounds were reconciled in a subtraction or an addition.
pub(super) fn note_reconciled(call: &mut WindowCall<'_>, (subtraction, addition): (bool, bool)) {
    if subtraction {
        let text = message::custom_buckets_reconciled("subtraction");
        call.notes.info(call.span, text);
    }
    if addition {
        let text = message::custom_buckets_reconciled("addition");
        call.notes.info(call.span, text);
    }
}

/// Warns about the call's metric.
pub(super) fn warn(call: &mut WindowCall<'_>, text: fn(&str) -> String) {
    let text = text(call.labels.metric_name());
    call.notes.warn(call.span, text);
}

/// `irate`
pub(crate) fn irate(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    last_change(window, call, true)
}

/// `idelta`
pub(crate) fn idelta(window: &Window<'_>, call: &mut WindowCall<'_>) -> Computed {
    last_change(window, call, false)
}

/// The change between the last two samples; of counters per second.
fn last_change(window: &Window<'_>, call: &mut WindowCall<'_>, is_counter: bool) -> Computed {
    let Some([before, now]) = last_two(window) else {
        return Ok(None);
    };
    let seconds = i64_to_float(now.time - before.time) / 1000.0;
    if seconds == 0.0 {
        return Ok(None);
    }
    let began = is_counter && starts::is_reset((before.start, before.time), (now.start, now.time));
    match (before.value, now.value) {
        (Cell::Float(before), Cell::Float(now)) => {
            let is_reset = is_counter && (now < before || began);
            let change = if is_reset { now } else { now - before };
            let change = if is_counter { change / seconds } else { change };
            Ok(Some(Cell::Float(change)))
        }
        (Cell::Histogram(before), Cell::Histogram(now)) => {
            note_wrong_kind(&before, &now, call, is_counter);
            let is_reset = is_counter && (began || histogram::is_reset(&now, &before));
            let change = last_histogram_change(&before, &now, call, is_reset);
            Ok(change.map(|change| {
                let change = if is_counter {
                    histogram::divided(&change, seconds)
                } else {
                    change
                };
                Cell::Histogram(Arc::new(change))
            }))
        }
        _ => {
            call.warn_mixed();
            Ok(None)
        }
    }
}

/// Warns where gauges are taken for counters or the other way round.
fn note_wrong_kind(
    before: &Histogram,
    now: &Histogram,
    call: &mut WindowCall<'_>,
    is_counter: bool,
) {
    let gauges = (histogram::is_gauge(before), histogram::is_gauge(now));
    if is_counter && gauges != (false, false) {
        warn(call, message::not_a_counter);
    }
    if !is_counter && gauges != (true, true) {
        warn(call, message::not_a_gauge);
    }
}

fn last_histogram_change(
    before: &Histogram,
    now: &Histogram,
    call: &mut WindowCall<'_>,
    is_reset: bool,
) -> Option<Histogram> {
    if is_reset {
        return Some(histogram::as_gauge(histogram::compacted(now)));
    }
    let Ok(combined) = histogram::subtracted(now, before) else {
        warn(call, message::mixed_exponential_custom);
        return None;
    };
    note_reconciled(call, (combined.bounds_reconciled, false));
    Some(histogram::as_gauge(combined.histogram))
}

/// A sample of either kind.
struct Point {
    time: i64,
    start: i64,
    value: Cell,
}

fn last_two(window: &Window<'_>) -> Option<[Point; 2]> {
    let point = |(index, time): (usize, &i64), starts: Starts<'_>, value: Cell| Point {
        time: *time,
        start: starts.0.get(index).copied().unwrap_or(0),
        value,
    };
    let floats = window.float_times.iter().enumerate().zip(window.floats);
    let times = window.histogram_times.iter().enumerate();
    let histograms = times.zip(window.histograms);
    let mut last: Vec<Point> = floats
        .rev()
        .take(2)
        .map(|(at, float)| point(at, window.float_starts, Cell::Float(*float)))
        .chain(histograms.rev().take(2).map(|(at, one)| {
            let cell = Cell::Histogram(Arc::clone(one));
            point(at, window.histogram_starts, cell)
        }))
        .collect();
    last.sort_by_key(|point| point.time);
    let now = last.pop()?;
    Some([last.pop()?, now])
}
