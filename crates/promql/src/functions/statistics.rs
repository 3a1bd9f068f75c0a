//! Sums, means, quantiles and orderings of floats: what functions over time and aggregations share.

use model::number::{float_to_usize, usize_to_float};
use std::cmp::Ordering;

/// A sum with the low bits that the plain sum loses (Kahan, in Neumaier's variant).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CompensatedSum {
    /// The plain sum.
    pub(crate) sum: f64,
    /// What it lost.
    pub(crate) lost: f64,
}

impl CompensatedSum {
    /// The sum with one more summand.
    pub(crate) fn plus(self, value: f64) -> Self {
        let sum = self.sum + value;
        let lost = if sum.is_infinite() {
            0.0
        } else if self.sum.abs() >= value.abs() {
            self.lost + ((self.sum - sum) + value)
        } else {
            self.lost + ((value - sum) + self.sum)
        };
        Self { sum, lost }
    }

    /// Both parts multiplied.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self {
            sum: self.sum * factor,
            lost: self.lost * factor,
        }
    }

    /// The sum as one float.
    pub(crate) fn total(self) -> f64 {
        if self.sum.is_infinite() {
            self.sum
        } else {
            self.sum + self.lost
        }
    }
}

/// The compensated sum.
pub(crate) fn sum(values: &[f64]) -> f64 {
    values
        .iter()
        .fold(CompensatedSum::default(), |sum, value| sum.plus(*value))
        .total()
}

/// The mean: the sum divided by the count as long as the sum stays finite, from there on corrected step by
/// step, so that large values do not overflow. NaN for no values.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let Some((first, rest)) = values.split_first() else {
        return f64::NAN;
    };
    let mut sum = CompensatedSum {
        sum: *first,
        lost: 0.0,
    };
    for (index, value) in rest.iter().enumerate() {
        let next = sum.plus(*value);
        if next.sum.is_infinite() {
            let before = usize_to_float(index + 1);
            let mean = CompensatedSum {
                sum: sum.sum / before,
                lost: sum.lost / before,
            };
            return incremental_mean(mean, index + 1, rest.get(index..).unwrap_or_default());
        }
        sum = next;
    }
    let count = usize_to_float(values.len());
    sum.sum / count + sum.lost / count
}

fn incremental_mean(mean: CompensatedSum, count: usize, rest: &[f64]) -> f64 {
    let mut mean = mean;
    let mut count = usize_to_float(count);
    for value in rest {
        count += 1.0;
        mean = mean.times((count - 1.0) / count).plus(value / count);
    }
    mean.sum + mean.lost
}

/// The smallest value that is not NaN, NaN where there is none.
pub(crate) fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, |least, value| {
        if value < least || least.is_nan() {
            value
        } else {
            least
        }
    })
}

/// The largest value that is not NaN, NaN where there is none.
pub(crate) fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, |most, value| {
        if value > most || most.is_nan() {
            value
        } else {
            most
        }
    })
}

/// The variance of a population, by Welford's method with compensated sums.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let mut count = 0.0;
    let mut mean = CompensatedSum::default();
    let mut squares = CompensatedSum::default();
    for value in values {
        count += 1.0;
        let delta = value - (mean.sum + mean.lost);
        mean = mean.plus(delta / count);
        squares = squares.plus(delta * (value - (mean.sum + mean.lost)));
    }
    (squares.sum + squares.lost) / count
}

/// The quantile, interpolated between neighbours; ±Inf outside 0 to 1, NaN for no values. Changes the order
/// of the values.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    let Some((lower, weight)) = rank(q, values.len()) else {
        return quantile_of_sorted(q, values);
    };
    let (_, found, above) = values.select_nth_unstable_by(lower, |a, b| by_bits(*a, *b));
    let found = *found;
    // The next one in order is the least of those above.
    let next = above.iter().copied().min_by(|a, b| by_bits(*a, *b));
    found * (1.0 - weight) + next.unwrap_or(found) * weight
}

/// The same of values that are sorted already, NaN first.
pub(crate) fn quantile_of_sorted(q: f64, values: &[f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    let Some((lower, weight)) = rank(q, values.len()) else {
        return f64::INFINITY;
    };
    let upper = (lower + 1).min(values.len() - 1);
    let value = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    value(lower) * (1.0 - weight) + value(upper) * weight
}

/// Which of so many sorted values is the last below the quantile, and how far it is to the next; `None` for
/// no values and outside 0 to 1.
fn rank(q: f64, count: usize) -> Option<(usize, f64)> {
    let last = count.checked_sub(1)?;
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let rank = q * usize_to_float(last);
    Some((float_to_usize(rank.floor()).min(last), rank - rank.floor()))
}

/// As `nan_first`, with −0 before 0, so that equal values are the same.
pub(crate) fn by_bits(a: f64, b: f64) -> Ordering {
    nan_first(a, b).then_with(|| b.is_sign_negative().cmp(&a.is_sign_negative()))
}

/// Ascending, NaN before everything.
pub(crate) fn nan_first(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

/// Ascending, NaN after everything.
pub(crate) fn nan_last(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => nan_first(a, b),
    }
}

#[cfg(test)]
mod tests {
    use super::{max, mean, min, quantile, sum, variance};

    #[test]
    fn sums_keep_what_plain_sums_lose() {
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn means_do_not_overflow() {
        let huge = 1.7e308;
        assert!((mean(&[huge, huge, huge]) / huge - 1.0).abs() < 1e-15);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
        assert_eq!(mean(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(mean(&[]).is_nan());
    }

    #[test]
    fn extremes_pass_over_nan() {
        assert_eq!(min(&[f64::NAN, 2.0, 1.0]), 1.0);
        assert_eq!(max(&[2.0, f64::NAN, 1.0]), 2.0);
        assert!(min(&[f64::NAN]).is_nan());
    }

    #[test]
    fn quantiles_interpolate() {
        let check = |q, values: &[f64], want: f64| {
            assert_eq!(quantile(q, &mut values.to_vec()), want, "{q} {values:?}");
        };
        check(0.5, &[3.0, 1.0], 2.0);
        check(0.0, &[3.0, 1.0], 1.0);
        check(1.0, &[3.0, 1.0], 3.0);
        check(1.1, &[3.0, 1.0], f64::INFINITY);
        check(-0.1, &[3.0, 1.0], f64::NEG_INFINITY);
        assert!(quantile(0.5, &mut []).is_nan());
        assert_eq!(variance(&[1.0, 3.0]), 1.0);
    }
}
