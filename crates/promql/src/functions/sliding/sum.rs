//! `sum_over_time`, `avg_over_time`, `stddev_over_time`, `stdvar_over_time`.

use super::super::statistics;
use super::Done;
use crate::engine::Sweep;
use model::number::usize_to_float;

/// Up to here every whole number is a float.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// `sum_over_time`
pub(crate) fn sum(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    match exact_sums(sweep.values) {
        Some(sums) => sweep.each(out, |_, first, past| difference(&sums, first, past)),
        None => sweep.each_slice(out, statistics::sum),
    }
}

/// `avg_over_time`
pub(crate) fn avg(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    match exact_sums(sweep.values) {
        Some(sums) => sweep.each(out, |_, first, past| {
            difference(&sums, first, past) / usize_to_float(past - first)
        }),
        None => sweep.each_slice(out, statistics::mean),
    }
}

/// `stddev_over_time`
pub(crate) fn stddev(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    sweep.each_slice(out, |values| statistics::variance(values).sqrt())
}

/// `stdvar_over_time`
pub(crate) fn stdvar(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    sweep.each_slice(out, statistics::variance)
}

/// The sums of the first 0, 1, 2 … values, where all of them are exact: whole numbers that are not too
/// large. Zeros must be positive, as a mean of negative ones is negative.
fn exact_sums(values: &[f64]) -> Option<Vec<f64>> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    let (mut sum, mut size) = (0.0, 0.0);
    sums.push(sum);
    for value in values {
        let is_negative_zero = *value == 0.0 && value.is_sign_negative();
        if value.trunc() != *value || is_negative_zero {
            return None;
        }
        sum += value;
        size += value.abs();
        sums.push(sum);
    }
    (size < EXACT_MAX).then_some(sums)
}

fn difference(sums: &[f64], first: usize, past: usize) -> f64 {
    let sum = |place: usize| sums.get(place).copied().unwrap_or(f64::NAN);
    sum(past) - sum(first)
}
