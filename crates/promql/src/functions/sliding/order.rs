//! `quantile_over_time`: the window's values are kept in order.

use super::super::statistics::{by_bits, quantile_of_sorted};
use super::{Done, value};
use crate::engine::Sweep;
use std::cmp::Ordering;

/// Windows up to this length are kept in order; moving values in longer ones costs more than it saves.
const ORDERED_MAX: usize = 2048;

/// `quantile_over_time` with quantiles from 0 to 1; what others are is said by the function for one window.
pub(crate) fn quantile(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    let parameter = |step: usize| {
        let values = sweep.parameters.first();
        values
            .and_then(|values| values.get(step))
            .copied()
            .unwrap_or(f64::NAN)
    };
    let mut ordered: Vec<f64> = Vec::new();
    let (mut from, mut to) = (0, 0);
    sweep.each(out, |step, first, past| {
        if first >= to || past - first > ORDERED_MAX {
            // Nothing of the last window is left, or it is too long.
            ordered.clear();
            ordered.extend_from_slice(sweep.values.get(first..past).unwrap_or_default());
            ordered.sort_by(|a, b| by_bits(*a, *b));
        } else {
            for place in from..first {
                remove(&mut ordered, value(sweep, place));
            }
            for place in to..past {
                insert(&mut ordered, value(sweep, place));
            }
        }
        (from, to) = (first, past);
        quantile_of_sorted(parameter(step), &ordered)
    })
}

/// Puts a value where it belongs.
fn insert(ordered: &mut Vec<f64>, value: f64) {
    let place = ordered.partition_point(|other| by_bits(*other, value) != Ordering::Greater);
    ordered.insert(place, value);
}

/// Removes one value of those that are equal: they are equal to the last bit, NaN aside.
fn remove(ordered: &mut Vec<f64>, value: f64) {
    let place = ordered.partition_point(|other| by_bits(*other, value) == Ordering::Less);
    if place < ordered.len() {
        ordered.remove(place);
    }
}
