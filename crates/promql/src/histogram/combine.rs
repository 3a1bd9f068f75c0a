//! Sum and difference of two histograms.

use super::unpacked::{Buckets, Unpacked};
use model::Histogram;
use model::histogram::CounterResetHint;
use std::sync::Arc;

/// Exponential and custom buckets cannot be combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IncompatibleSchemas;

/// A sum or difference and what is to be said about it.
#[derive(Clone, Debug)]
pub(crate) struct Combined {
    /// The result, compact.
    pub(crate) histogram: Histogram,
    /// Whether one side said that a reset came before it and the other that none did.
    pub(crate) resets_collide: bool,
    /// Whether custom bounds differed, so that only the common ones are left.
    pub(crate) bounds_reconciled: bool,
}

impl Combined {
    /// The result marked as a gauge.
    pub(crate) fn into_gauge(self) -> Self {
        Self {
            histogram: super::as_gauge(self.histogram),
            ..self
        }
    }
}

/// The sum of two histograms.
pub(crate) fn added(a: &Histogram, b: &Histogram) -> Result<Combined, IncompatibleSchemas> {
    combined(a, b, 1.0)
}

/// The first histogram minus the second.
pub(crate) fn subtracted(a: &Histogram, b: &Histogram) -> Result<Combined, IncompatibleSchemas> {
    combined(a, b, -1.0)
}

fn combined(a: &Histogram, b: &Histogram, sign: f64) -> Result<Combined, IncompatibleSchemas> {
    let (mut left, mut right) = (Unpacked::new(a), Unpacked::new(b));
    let bounds_reconciled = align(&mut left, &mut right)?;
    let (hint, resets_collide) = joined_hint(a.counter_reset_hint, b.counter_reset_hint);
    left.hint = hint;
    left.zero_count += sign * right.zero_count;
    left.count += sign * right.count;
    left.sum += sign * right.sum;
    left.positive = zipped(&left.positive, &right.positive, sign);
    left.negative = zipped(&left.negative, &right.negative, sign);
    Ok(Combined {
        histogram: left.packed(),
        resets_collide,
        bounds_reconciled,
    })
}

/// Gives two histograms one bucket layout; answers whether custom bounds had to be reconciled.
pub(super) fn align(a: &mut Unpacked, b: &mut Unpacked) -> Result<bool, IncompatibleSchemas> {
    if a.is_custom() != b.is_custom() {
        return Err(IncompatibleSchemas);
    }
    if a.is_custom() {
        if a.custom() == b.custom() {
            return Ok(false);
        }
        let common: Arc<[f64]> = a
            .custom()
            .iter()
            .filter(|bound| b.custom().contains(bound))
            .copied()
            .collect();
        a.keep_bounds(&common);
        b.keep_bounds(&common);
        return Ok(true);
    }
    while a.zero_threshold != b.zero_threshold {
        if a.zero_threshold < b.zero_threshold {
            a.widen_zero(b.zero_threshold);
        } else if b.zero_threshold < a.zero_threshold {
            b.widen_zero(a.zero_threshold);
        } else {
            break; // NaN: nothing can be aligned
        }
    }
    let schema = a.schema.min(b.schema);
    a.reduce_to(schema);
    b.reduce_to(schema);
    Ok(false)
}

/// What is known about resets before a combination.
pub(super) fn joined_hint(a: CounterResetHint, b: CounterResetHint) -> (CounterResetHint, bool) {
    use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
    match (a, b) {
        _ if a == b => (a, false),
        (Gauge, _) | (_, Gauge) => (Gauge, false),
        (Reset, NotReset) | (NotReset, Reset) => (Unknown, true),
        _ => (Unknown, false),
    }
}

/// The buckets of both sides; those of the second times `sign`.
pub(super) fn zipped(a: &Buckets, b: &Buckets, sign: f64) -> Buckets {
    let mut zipped = Vec::with_capacity(a.len().max(b.len()));
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (None, None) => return zipped,
            (Some((index, _)), None) | (None, Some((index, _))) => *index,
            (Some((a, _)), Some((b, _))) => *a.min(b),
        };
        let mut count = 0.0;
        if let Some((_, value)) = left.next_if(|(index, _)| *index == next) {
            count += value;
        }
        if let Some((_, value)) = right.next_if(|(index, _)| *index == next) {
            count += sign * value;
        }
        zipped.push((next, count));
    }
}
