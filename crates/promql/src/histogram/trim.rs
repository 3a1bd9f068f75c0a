//! `</` and `>/`: the part of a histogram below or above a value.

use super::buckets::{self, Bucket, Side};
use super::has_custom_buckets;
use super::unpacked::{Buckets, Unpacked};
use crate::functions::native_quantile::share_below;
use model::Histogram;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Below,
    Above,
}

/// The observations below a value.
pub(crate) fn keep_below(histogram: &Histogram, value: f64) -> Histogram {
    trimmed(histogram, value, Kept::Below)
}

/// The observations above a value.
pub(crate) fn keep_above(histogram: &Histogram, value: f64) -> Histogram {
    trimmed(histogram, value, Kept::Above)
}

/// What was seen while buckets were trimmed.
#[derive(Default)]
struct Trimmed {
    count: f64,
    removed_sum: f64,
    has_positive: bool,
    has_negative: bool,
}

fn trimmed(histogram: &Histogram, value: f64, kept: Kept) -> Histogram {
    let mut unpacked = Unpacked::new(histogram);
    let mut seen = Trimmed::default();
    let custom = unpacked.custom_values.clone().unwrap_or_default();
    let schema = unpacked.schema;
    let mut trim = |buckets: &mut Buckets, side: Side| {
        for (index, count) in buckets.iter_mut().filter(|(_, count)| *count != 0.0) {
            let bucket = Bucket::with_index((*index, *count), (schema, &custom), side);
            *count = seen.keep(bucket, histogram, value, kept);
        }
    };
    trim(&mut unpacked.positive, Side::Positive);
    trim(&mut unpacked.negative, Side::Negative);
    if unpacked.zero_count > 0.0 {
        let zero = buckets::zero(histogram);
        let below = if value <= zero.lower {
            0.0
        } else if value >= zero.upper {
            zero.count
        } else {
            zero.count * (value - zero.lower) / (zero.upper - zero.lower)
        };
        unpacked.zero_count = match kept {
            Kept::Below => below,
            Kept::Above => zero.count - below,
        };
        seen.count += unpacked.zero_count;
    }
    unpacked.sum = seen.sum(histogram.sum);
    unpacked.count = seen.count;
    unpacked.packed()
}

impl Trimmed {
    /// How much of a bucket is kept.
    fn keep(&mut self, bucket: Bucket, histogram: &Histogram, value: f64, kept: Kept) -> f64 {
        self.has_positive |= bucket.upper > 0.0;
        self.has_negative |= bucket.lower < 0.0 && bucket.lower.is_finite() || bucket.upper <= 0.0;
        if has_custom_buckets(histogram) {
            self.has_negative |= bucket.lower < 0.0;
        }
        let is_whole = match kept {
            Kept::Below => bucket.upper <= value,
            Kept::Above => bucket.lower >= value,
        };
        if is_whole {
            self.count += bucket.count;
            return bucket.count;
        }
        let is_cut = bucket.lower < value && bucket.upper > value;
        let (keep, removed_middle) = if is_cut {
            cut(bucket, histogram, value, kept)
        } else {
            let middle = outside_middle(bucket, histogram, value, kept);
            (0.0, middle)
        };
        self.count += keep;
        self.removed_sum += (bucket.count - keep) * removed_middle;
        keep
    }

    fn sum(&self, original: f64) -> f64 {
        if self.count == 0.0 {
            return 0.0;
        }
        let sum = original - self.removed_sum;
        if (!self.has_negative && sum < 0.0) || (!self.has_positive && sum > 0.0) {
            return 0.0;
        }
        sum
    }
}

/// What is kept of a bucket that the value lies in, and where the removed observations are taken to lie.
fn cut(bucket: Bucket, histogram: &Histogram, value: f64, kept: Kept) -> (f64, f64) {
    if bucket.lower.is_infinite() || bucket.upper.is_infinite() {
        return cut_infinite(bucket, value, kept);
    }
    let below = bucket.count * share_below(bucket, histogram, value);
    match kept {
        Kept::Below => (below, middle(value, bucket.upper, histogram)),
        Kept::Above => (bucket.count - below, middle(bucket.lower, value, histogram)),
    }
}

/// A bucket without lower bound is taken to begin at zero where that is possible; of any other
/// open bucket nothing is kept, because nothing is known about what lies in it.
fn cut_infinite(bucket: Bucket, value: f64, kept: Kept) -> (f64, f64) {
    if bucket.lower == f64::NEG_INFINITY {
        if value >= 0.0 && bucket.upper.is_finite() {
            let share = value / bucket.upper;
            return match kept {
                Kept::Below => (bucket.count * share, f64::midpoint(value, bucket.upper)),
                Kept::Above => (bucket.count * (1.0 - share), value / 2.0),
            };
        }
        return (0.0, bucket.upper);
    }
    (0.0, bucket.lower)
}

/// Where the observations of a bucket that is removed whole are taken to lie.
fn outside_middle(bucket: Bucket, histogram: &Histogram, value: f64, kept: Kept) -> f64 {
    if bucket.lower == f64::NEG_INFINITY {
        if bucket.upper.is_finite() && value >= 0.0 && bucket.upper > value && kept == Kept::Below {
            return f64::midpoint(value, bucket.upper);
        }
        return bucket.upper;
    }
    if bucket.upper == f64::INFINITY {
        return bucket.lower;
    }
    middle(bucket.lower, bucket.upper, histogram)
}

/// The middle of two bounds on the histogram's scale.
fn middle(lower: f64, upper: f64, histogram: &Histogram) -> f64 {
    if has_custom_buckets(histogram) {
        return f64::midpoint(lower, upper);
    }
    let geometric = (lower.abs() * upper.abs()).sqrt();
    if upper > 0.0 { geometric } else { -geometric }
}
