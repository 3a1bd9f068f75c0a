//! The populated buckets of a histogram in ascending order, with their bounds.

use super::bounds;
use super::unpacked::Unpacked;
use model::Histogram;

/// A bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Its lower bound.
    pub lower: f64,
    /// Its upper bound.
    pub upper: f64,
    /// What it counts.
    pub count: f64,
}

/// All buckets that are held, ascending; the zero bucket among them where it counts something.
#[must_use]
pub fn all(histogram: &Histogram) -> Vec<Bucket> {
    let unpacked = Unpacked::new(histogram);
    let custom = unpacked.custom();
    let mut buckets = Vec::with_capacity(unpacked.positive.len() + unpacked.negative.len() + 1);
    for (index, count) in unpacked.negative.iter().rev() {
        let (lower, upper) = bounds::of_bucket(*index, unpacked.schema, custom);
        buckets.push(Bucket {
            lower: -upper,
            upper: -lower,
            count: *count,
        });
    }
    if unpacked.zero_count > 0.0 {
        buckets.push(zero(histogram));
    }
    for (index, count) in &unpacked.positive {
        let (lower, upper) = bounds::of_bucket(*index, unpacked.schema, custom);
        buckets.push(Bucket {
            lower,
            upper,
            count: *count,
        });
    }
    buckets
}

/// The zero bucket.
pub(crate) fn zero(histogram: &Histogram) -> Bucket {
    Bucket {
        lower: -histogram.zero_threshold,
        upper: histogram.zero_threshold,
        count: histogram.zero_count,
    }
}
