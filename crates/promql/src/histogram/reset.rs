//! Whether a counter was reset between two histograms.

use super::combine::{align, zipped};
use super::unpacked::{Buckets, Unpacked};
use model::Histogram;
use model::histogram::CounterResetHint;

/// Whether `histogram` cannot have grown out of `previous`.
pub(crate) fn is_reset(histogram: &Histogram, previous: &Histogram) -> bool {
    match histogram.counter_reset_hint {
        CounterResetHint::Reset => return true,
        CounterResetHint::NotReset => return false,
        CounterResetHint::Unknown | CounterResetHint::Gauge => {}
    }
    let (mut now, mut before) = (Unpacked::new(histogram), Unpacked::new(previous));
    if now.count < before.count || now.is_custom() != before.is_custom() {
        return true;
    }
    if now.is_custom() {
        // With other bounds, only what both sides know can be compared.
        return align(&mut now, &mut before).is_err()
            || any_shrank(&now.positive, &before.positive);
    }
    if now.schema > before.schema || now.zero_threshold < before.zero_threshold {
        return true;
    }
    if before.zero_at(now.zero_threshold).1 != now.zero_threshold {
        return true; // the new threshold cuts a populated bucket
    }
    before.widen_zero(now.zero_threshold);
    before.reduce_to(now.schema);
    now.zero_count < before.zero_count
        || any_shrank(&now.positive, &before.positive)
        || any_shrank(&now.negative, &before.negative)
}

fn any_shrank(now: &Buckets, before: &Buckets) -> bool {
    zipped(now, before, -1.0)
        .iter()
        .any(|(_, grown)| *grown < 0.0)
}
