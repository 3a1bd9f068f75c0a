//! Quantiles and fractions of classic histograms: cumulative buckets, one series for each upper bound.

/// Relative differences between buckets below this are rounding errors of a sum, not
/// missing monotonicity.
const TOLERANCE: f64 = 1e-12;

/// A cumulative bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    /// Observations up to here are counted.
    pub(super) upper: f64,
    /// How many there are.
    pub(super) count: f64,
}

/// What had to be changed in buckets so that counts never fall.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Repair {
    /// Whether a count was raised by more than a rounding error.
    pub(super) was_forced: bool,
    /// The bounds between which that happened.
    pub(super) bounds: (f64, f64),
    /// The largest difference.
    pub(super) difference_max: f64,
}

/// The quantile, interpolated inside the bucket it falls into, and what had to be repaired.
///
/// NaN without a bucket to +Inf, without a second bucket, or without observations.
pub(super) fn quantile(q: f64, buckets: &mut Vec<Bucket>) -> (f64, Repair) {
    let none = Repair::default();
    if q.is_nan() {
        return (f64::NAN, none);
    }
    if q < 0.0 {
        return (f64::NEG_INFINITY, none);
    }
    if q > 1.0 {
        return (f64::INFINITY, none);
    }
    prepare(buckets);
    if buckets
        .last()
        .is_none_or(|last| last.upper != f64::INFINITY)
    {
        return (f64::NAN, none);
    }
    let repair = make_monotonic(buckets);
    let [.., before_last, last] = buckets.as_slice() else {
        return (f64::NAN, repair);
    };
    let observations = last.count;
    if observations == 0.0 {
        return (f64::NAN, repair);
    }
    let rank = q * observations;
    let finite = buckets.len() - 1;
    let place = buckets
        .iter()
        .take(finite)
        .position(|bucket| bucket.count >= rank)
        .unwrap_or(finite);
    if place == finite {
        return (before_last.upper, repair);
    }
    let Some(bucket) = buckets.get(place) else {
        return (f64::NAN, repair);
    };
    if place == 0 && bucket.upper <= 0.0 {
        return (bucket.upper, repair);
    }
    let before = place.checked_sub(1).and_then(|place| buckets.get(place));
    let (start, skipped) = before.map_or((0.0, 0.0), |before| (before.upper, before.count));
    let share = (rank - skipped) / (bucket.count - skipped);
    (start + (bucket.upper - start) * share, repair)
}

/// The share of observations between two values, interpolated inside buckets.
pub(super) fn fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    prepare(buckets);
    if buckets
        .last()
        .is_none_or(|last| last.upper != f64::INFINITY)
    {
        return f64::NAN;
    }
    make_monotonic(buckets);
    let observations = buckets.last().map_or(0.0, |last| last.count);
    if observations == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets) - rank_of(lower, buckets)) / observations
}

/// How many observations lie below a value.
fn rank_of(value: f64, buckets: &[Bucket]) -> f64 {
    let place = buckets.partition_point(|bucket| bucket.upper < value);
    let before = place.checked_sub(1).and_then(|place| buckets.get(place));
    let (mut start, skipped) = before.map_or((f64::NEG_INFINITY, 0.0), |before| {
        (before.upper, before.count)
    });
    let Some(bucket) = buckets.get(place) else {
        return skipped;
    };
    if value == f64::NEG_INFINITY {
        return 0.0;
    }
    if bucket.upper == value {
        return bucket.count;
    }
    if place == 0 && bucket.upper > 0.0 {
        // The first bucket is taken to begin at zero.
        start = 0.0;
        if value <= 0.0 {
            return 0.0;
        }
    }
    if start.is_infinite() {
        // Inside a bucket without lower bound nothing can be interpolated.
        return bucket.count;
    }
    if bucket.upper.is_infinite() {
        return skipped;
    }
    skipped + (bucket.count - skipped) * (value - start) / (bucket.upper - start)
}

/// Sorts by bound and merges buckets of one bound.
fn prepare(buckets: &mut Vec<Bucket>) {
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    buckets.dedup_by(|next, kept| {
        let same = next.upper == kept.upper;
        if same {
            kept.count += next.count;
        }
        same
    });
}

/// Raises counts that are smaller than the one before.
fn make_monotonic(buckets: &mut [Bucket]) -> Repair {
    let mut repair = Repair {
        bounds: (f64::INFINITY, f64::NEG_INFINITY),
        ..Repair::default()
    };
    let Some(first) = buckets.first() else {
        return repair;
    };
    let mut before = first.count;
    for bucket in buckets.iter_mut().skip(1) {
        if bucket.count == before {
            continue;
        }
        if is_almost_equal(before, bucket.count) {
            bucket.count = before;
            continue;
        }
        if bucket.count < before {
            repair.was_forced = true;
            repair.bounds.0 = repair.bounds.0.min(bucket.upper);
            repair.bounds.1 = repair.bounds.1.max(bucket.upper);
            repair.difference_max = repair.difference_max.max(before - bucket.count);
            bucket.count = before;
        }
        before = bucket.count;
    }
    repair
}

fn is_almost_equal(a: f64, b: f64) -> bool {
    if a == b {
        return true;
    }
    let (size, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || size < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::{Bucket, fraction, quantile};
    use model::number::usize_to_float;

    /// Equally wide buckets that count equally much.
    fn linear(count: usize) -> Vec<Bucket> {
        let mut buckets: Vec<Bucket> = (1..=count)
            .map(|index| Bucket {
                upper: usize_to_float(index),
                count: usize_to_float(index),
            })
            .collect();
        buckets.push(Bucket {
            upper: f64::INFINITY,
            count: usize_to_float(count),
        });
        buckets
    }

    #[test]
    fn interpolates_inside_buckets() {
        let check = |q, want: f64| assert_eq!(quantile(q, &mut linear(10)).0, want, "{q}");
        check(0.5, 5.0);
        check(0.25, 2.5);
        check(1.0, 10.0);
        check(-1.0, f64::NEG_INFINITY);
        check(2.0, f64::INFINITY);
        assert_eq!(fraction(2.5, 5.0, &mut linear(10)), 0.25);
        assert_eq!(
            fraction(f64::NEG_INFINITY, f64::INFINITY, &mut linear(10)),
            1.0
        );
    }

    #[test]
    fn repairs_falling_counts() {
        let mut buckets = linear(3);
        buckets[1].count = 0.5;
        let (_, repair) = quantile(0.9, &mut buckets);
        assert!(repair.was_forced);
        assert_eq!(repair.bounds, (2.0, 2.0));
        assert_eq!(repair.difference_max, 0.5);
    }
}
