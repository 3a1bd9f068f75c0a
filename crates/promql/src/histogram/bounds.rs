//! Where buckets begin and end.

use super::CUSTOM_BUCKETS_SCHEMA;

/// The upper bound of an exponential bucket: `2^(index · 2^-schema)`.
pub(super) fn exponential(index: i32, schema: i32) -> f64 {
    if schema <= 0 {
        // Whole powers of two are exact this way.
        let shift = u32::try_from(-schema).unwrap_or(0).min(30);
        return 2.0_f64.powi(index.saturating_mul(1_i32 << shift));
    }
    let per_power = 1_i32 << u32::try_from(schema).unwrap_or(0).min(30);
    let (whole, part) = (index.div_euclid(per_power), index.rem_euclid(per_power));
    let fraction = (f64::from(part) / f64::from(per_power)).exp2();
    fraction * 2.0_f64.powi(whole)
}

/// Lower and upper bound of a positive bucket.
pub(crate) fn of_bucket(index: i32, schema: i32, custom: &[f64]) -> (f64, f64) {
    if schema != CUSTOM_BUCKETS_SCHEMA {
        return (exponential(index - 1, schema), exponential(index, schema));
    }
    let bound = |place: Option<usize>, beyond: f64| {
        place
            .and_then(|place| custom.get(place))
            .copied()
            .unwrap_or(beyond)
    };
    let place = usize::try_from(index).ok();
    let lower = bound(
        place.and_then(|place| place.checked_sub(1)),
        f64::NEG_INFINITY,
    );
    (lower, bound(place, f64::INFINITY))
}

/// The index that a bucket has at a lower resolution.
pub(super) fn reduced_index(index: i32, from: i32, to: i32) -> i32 {
    let shift = u32::try_from(from - to).unwrap_or(0).min(31);
    ((index - 1) >> shift) + 1
}
