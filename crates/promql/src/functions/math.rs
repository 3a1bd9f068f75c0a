//! Functions of one number that the standard library does not have.

use std::f64::consts::PI;

/// Degrees of an angle in radians.
pub(crate) fn deg(radians: f64) -> f64 {
    radians * 180.0 / PI
}

/// Radians of an angle in degrees.
pub(crate) fn rad(degrees: f64) -> f64 {
    degrees * PI / 180.0
}

/// The sign: −1, 1, or the value itself where it has none (zeros, NaN).
pub(crate) fn sgn(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}
