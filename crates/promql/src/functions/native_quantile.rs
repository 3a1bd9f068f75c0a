//! Quantiles and fractions of native histograms.
//!
//! Inside an exponential bucket observations are taken to be spread evenly on a logarithmic scale, inside
//! custom and zero buckets on a linear one.

use crate::histogram::buckets::{self, Bucket};
use crate::histogram::has_custom_buckets;
use model::Histogram;

/// What NaN observations do to a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NanEffect {
    /// Nothing.
    None,
    /// The quantile falls among them.
    Decides,
    /// They shift the result.
    Skews,
}

/// The quantile of a native histogram.
pub(super) fn quantile(q: f64, histogram: &Histogram) -> (f64, NanEffect) {
    if q < 0.0 {
        return (f64::NEG_INFINITY, NanEffect::None);
    }
    if q > 1.0 {
        return (f64::INFINITY, NanEffect::None);
    }
    if histogram.count == 0.0 || q.is_nan() {
        return (f64::NAN, NanEffect::None);
    }
    let ascending: Vec<Bucket> = buckets::all(histogram)
        .into_iter()
        .filter(|bucket| bucket.count != 0.0)
        .collect();
    // NaN observations are in the count but in no bucket: only from below the ranks are right.
    let from_below = histogram.sum.is_nan() || q < 0.5;
    let share = if from_below { q } else { 1.0 - q };
    let mut rank = share * histogram.count;
    let mut count = 0.0;
    let mut found = None;
    let mut take = |bucket: &Bucket| {
        count += bucket.count;
        found = Some(*bucket);
        count >= rank
    };
    if from_below {
        let _reached = ascending.iter().any(&mut take);
    } else {
        let _reached = ascending.iter().rev().any(&mut take);
    }
    let Some(bucket) = found else {
        return (f64::NAN, NanEffect::None);
    };
    let total: f64 = ascending.iter().map(|bucket| bucket.count).sum();
    let has_nan = histogram.sum.is_nan() && total < histogram.count;
    if count < rank && histogram.sum.is_nan() {
        return (f64::NAN, NanEffect::Decides);
    }
    let effect = if has_nan {
        NanEffect::Skews
    } else {
        NanEffect::None
    };
    let bucket = match finite(bucket, histogram) {
        Ok(bucket) => bucket,
        Err(bound) => return (bound, effect),
    };
    count = count.min(histogram.count);
    if count < rank {
        return (bucket.upper, effect);
    }
    rank = if from_below {
        rank - (count - bucket.count)
    } else {
        count - rank
    };
    (inside(bucket, histogram, rank / bucket.count), effect)
}

/// A bucket with bounds to interpolate between; the bound itself where there is only one.
fn finite(bucket: Bucket, histogram: &Histogram) -> Result<Bucket, f64> {
    if has_custom_buckets(histogram) {
        if bucket.lower == f64::NEG_INFINITY {
            if bucket.upper <= 0.0 {
                return Err(bucket.upper);
            }
            return Ok(Bucket {
                lower: 0.0,
                ..bucket
            });
        }
        if bucket.upper == f64::INFINITY {
            return Err(bucket.lower);
        }
        return Ok(bucket);
    }
    Ok(one_sided_zero(bucket, histogram))
}

/// The zero bucket of a histogram whose other buckets all lie on one side lies on that side, too.
fn one_sided_zero(bucket: Bucket, histogram: &Histogram) -> Bucket {
    let has_negative = !histogram.negative_buckets.is_empty();
    let has_positive = !histogram.positive_buckets.is_empty();
    let is_zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
    match (is_zero, has_negative, has_positive) {
        (true, false, true) => Bucket {
            lower: 0.0,
            ..bucket
        },
        (true, true, false) => Bucket {
            upper: 0.0,
            ..bucket
        },
        _ => bucket,
    }
}

fn is_linear(bucket: Bucket, histogram: &Histogram) -> bool {
    has_custom_buckets(histogram) || (bucket.lower <= 0.0 && bucket.upper >= 0.0)
}

/// The value below which the given share of a bucket's observations lies.
fn inside(bucket: Bucket, histogram: &Histogram, share: f64) -> f64 {
    if is_linear(bucket, histogram) {
        return bucket.lower + (bucket.upper - bucket.lower) * share;
    }
    let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
    if bucket.lower > 0.0 {
        (lower + (upper - lower) * share).exp2()
    } else {
        -(upper + (lower - upper) * (1.0 - share)).exp2()
    }
}

/// The share of a bucket's observations that lie below a value inside it.
pub(crate) fn share_below(bucket: Bucket, histogram: &Histogram, value: f64) -> f64 {
    if is_linear(bucket, histogram) {
        return (value - bucket.lower) / (bucket.upper - bucket.lower);
    }
    let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
    let value_log = value.abs().log2();
    if value > 0.0 {
        (value_log - lower) / (upper - lower)
    } else {
        1.0 - (value_log - upper) / (lower - upper)
    }
}

/// The share of observations between two values.
pub(super) fn fraction(lower: f64, upper: f64, histogram: &Histogram) -> (f64, NanEffect) {
    if histogram.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return (f64::NAN, NanEffect::None);
    }
    let ascending = buckets::all(histogram);
    let total: f64 = ascending.iter().map(|bucket| bucket.count).sum();
    let effect = if histogram.sum.is_nan() && total < histogram.count {
        NanEffect::Skews
    } else {
        NanEffect::None
    };
    if lower >= upper {
        return (0.0, effect);
    }
    let rank = |value: f64| rank_of(value, &ascending, histogram);
    ((rank(upper) - rank(lower)) / histogram.count, effect)
}

/// How many observations lie below a value.
fn rank_of(value: f64, ascending: &[Bucket], histogram: &Histogram) -> f64 {
    let mut rank = 0.0;
    for bucket in ascending {
        let mut bucket = *bucket;
        if has_custom_buckets(histogram) {
            if bucket.lower == f64::NEG_INFINITY && bucket.upper > 0.0 {
                bucket.lower = 0.0;
            }
        } else {
            bucket = one_sided_zero(bucket, histogram);
        }
        if bucket.lower >= value {
            return rank;
        }
        if bucket.upper > value {
            if bucket.lower.is_infinite() {
                // Inside a bucket without lower bound nothing can be interpolated.
                return rank + bucket.count;
            }
            if bucket.upper.is_infinite() {
                return rank;
            }
            return rank + bucket.count * share_below(bucket, histogram, value);
        }
        rank += bucket.count;
    }
    rank.min(histogram.count)
}
