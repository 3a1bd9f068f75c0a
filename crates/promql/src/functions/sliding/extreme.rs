//! `min_over_time`, `max_over_time`.

use super::Done;
use crate::engine::Sweep;
use std::collections::VecDeque;

/// `min_over_time`
pub(crate) fn min(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    extreme(sweep, out, |value, other| value < other)
}

/// `max_over_time`
pub(crate) fn max(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    extreme(sweep, out, |value, other| value > other)
}

/// The first of the best values of each window; NaN where there is nothing else.
fn extreme(sweep: &Sweep<'_>, out: &mut [f64], beats: impl Fn(f64, f64) -> bool) -> Done {
    // Samples that are the best of all from their place to the end of the window, the best first.
    let mut best: VecDeque<(usize, f64)> = VecDeque::new();
    let mut seen = 0;
    sweep.each(out, |_, first, past| {
        // Samples between two windows belong to none.
        seen = seen.max(first);
        let fresh = sweep.values.get(seen..past).unwrap_or_default();
        for (place, value) in (seen..).zip(fresh) {
            if value.is_nan() {
                continue;
            }
            while best.back().is_some_and(|(_, other)| beats(*value, *other)) {
                best.pop_back();
            }
            best.push_back((place, *value));
        }
        seen = seen.max(past);
        while best.front().is_some_and(|(place, _)| *place < first) {
            best.pop_front();
        }
        best.front().map_or(f64::NAN, |(_, value)| *value)
    })
}
