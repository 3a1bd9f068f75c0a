//! Arithmetic of native histograms, as Prometheus' `model/histogram.FloatHistogram` does it.
//!
//! Operations work on an unpacked form (`Unpacked`): bucket index and count pairs instead of spans. Packing
//! again leaves empty buckets out, so every result is compact.

pub(crate) mod aggregate;
mod bounds;
pub(crate) mod buckets;
mod combine;
mod reset;
pub(crate) mod trim;
mod unpacked;

pub(crate) use combine::{Combined, IncompatibleSchemas, added, subtracted};
pub(crate) use reset::is_reset;

use model::histogram::CounterResetHint;
use model::{Histogram, Sample, Value, is_stale_marker};
use std::sync::Arc;
use unpacked::Unpacked;

/// The schema number of histograms with custom bucket bounds.
pub(crate) const CUSTOM_BUCKETS_SCHEMA: i32 = -53;

/// Whether a histogram marks the end of its series.
pub(crate) fn is_stale(histogram: &Histogram) -> bool {
    is_stale_marker(histogram.sum)
}

/// Whether its buckets have custom bounds.
pub(crate) const fn has_custom_buckets(histogram: &Histogram) -> bool {
    histogram.schema == CUSTOM_BUCKETS_SCHEMA
}

/// Whether some have exponential and some custom buckets.
pub(crate) fn are_mixed(histograms: &[Arc<Histogram>]) -> bool {
    let mut kinds = histograms.iter().map(|one| has_custom_buckets(one));
    let first = kinds.next();
    kinds.any(|kind| Some(kind) != first)
}

/// The histogram with every count and the sum multiplied; a negative factor makes it a gauge.
pub(crate) fn scaled(histogram: &Histogram, factor: f64) -> Histogram {
    changed(histogram, factor < 0.0, |value| value * factor)
}

/// The histogram with every count and the sum divided; a negative divisor makes it a gauge, and a
/// division by zero leaves no buckets.
pub(crate) fn divided(histogram: &Histogram, divisor: f64) -> Histogram {
    let mut divided = changed(histogram, divisor < 0.0, |value| value / divisor);
    if divisor == 0.0 {
        divided.positive_spans = Vec::new();
        divided.negative_spans = Vec::new();
        divided.positive_buckets = Vec::new();
        divided.negative_buckets = Vec::new();
    }
    divided
}

fn changed(histogram: &Histogram, negates: bool, change: impl Fn(f64) -> f64) -> Histogram {
    let mut changed = histogram.clone();
    changed.zero_count = change(changed.zero_count);
    changed.count = change(changed.count);
    changed.sum = change(changed.sum);
    let negatives = &mut changed.negative_buckets;
    for bucket in changed.positive_buckets.iter_mut().chain(negatives) {
        *bucket = change(*bucket);
    }
    if negates {
        changed.counter_reset_hint = CounterResetHint::Gauge;
    }
    changed
}

/// The histogram without empty buckets.
pub(crate) fn compacted(histogram: &Histogram) -> Histogram {
    Unpacked::new(histogram).packed()
}

/// The histogram marked as a gauge.
pub(crate) fn as_gauge(mut histogram: Histogram) -> Histogram {
    histogram.counter_reset_hint = CounterResetHint::Gauge;
    histogram
}

/// Whether a histogram is marked as a gauge.
pub(crate) fn is_gauge(histogram: &Histogram) -> bool {
    histogram.counter_reset_hint == CounterResetHint::Gauge
}

/// The histogram without what is known about a reset before it; gauges stay gauges.
pub(crate) fn without_reset_hint(mut histogram: Arc<Histogram>) -> Arc<Histogram> {
    match histogram.counter_reset_hint {
        CounterResetHint::Unknown | CounterResetHint::Gauge => {}
        CounterResetHint::Reset | CounterResetHint::NotReset => {
            Arc::make_mut(&mut histogram).counter_reset_hint = CounterResetHint::Unknown;
        }
    }
    histogram
}

/// Finds out, for each histogram that says nothing about a reset before it, whether there was one since the
/// sample before. The first sample and one that follows a float say nothing still.
///
/// `samples`: ascending by time, gaps left out. This is what Prometheus' store does as it appends.
pub(crate) fn find_resets(samples: &mut [Sample]) {
    let mut before: Option<Arc<Histogram>> = None;
    for sample in samples {
        let Value::Histogram(histogram) = &mut sample.value else {
            before = None;
            continue;
        };
        let is_open = histogram.counter_reset_hint == CounterResetHint::Unknown;
        if let Some(previous) = before.filter(|_| is_open && !is_stale(histogram)) {
            let hint = if is_stale(&previous) || is_reset(histogram, &previous) {
                CounterResetHint::Reset
            } else {
                CounterResetHint::NotReset
            };
            Arc::make_mut(histogram).counter_reset_hint = hint;
        }
        before = Some(Arc::clone(histogram));
    }
}

/// The histogram at a lower resolution; custom buckets and lower resolutions stay as they are.
pub(crate) fn at_schema(histogram: &Histogram, schema: i32) -> Histogram {
    let mut unpacked = Unpacked::new(histogram);
    unpacked.reduce_to(schema);
    unpacked.packed()
}

/// Whether two histograms count the same; reset hints are not compared, NaN equals itself bit by bit.
pub(crate) fn same(a: &Histogram, b: &Histogram) -> bool {
    let equal = |x: f64, y: f64| x.to_bits() == y.to_bits() || x == y;
    let all_equal =
        |x: &[f64], y: &[f64]| x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(*x, *y));
    let (left, right) = (Unpacked::new(a).packed(), Unpacked::new(b).packed());
    left.schema == right.schema
        && equal(left.count, right.count)
        && equal(left.sum, right.sum)
        && left.custom_values == right.custom_values
        && equal(left.zero_threshold, right.zero_threshold)
        && equal(left.zero_count, right.zero_count)
        && left.positive_spans == right.positive_spans
        && left.negative_spans == right.negative_spans
        && all_equal(&left.positive_buckets, &right.positive_buckets)
        && all_equal(&left.negative_buckets, &right.negative_buckets)
}

#[cfg(test)]
mod tests;
