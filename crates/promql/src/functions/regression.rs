//! `deriv` and `predict_linear`: a straight line through the samples of a window.

use super::statistics::CompensatedSum;
use crate::engine::{Cell, Window, WindowCall};
use crate::error::QueryError;
use model::number::{i64_to_float, usize_to_float};

/// `deriv`: the line's slope per second.
pub(crate) fn deriv(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
) -> Result<Option<Cell>, QueryError> {
    // A time near the samples keeps the sums accurate.
    let near = window.float_times.first().copied().unwrap_or_default();
    Ok(line(window, call, near).map(|(slope, _)| Cell::Float(slope)))
}

/// `predict_linear`: the line's value so many seconds after the evaluation.
pub(crate) fn predict_linear(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
) -> Result<Option<Cell>, QueryError> {
    let ahead = call.parameters.first().copied().unwrap_or(f64::NAN);
    let line = line(window, call, call.time);
    Ok(line.map(|(slope, now)| Cell::Float(slope * ahead + now)))
}

/// The slope and the value at `origin`; `None` for fewer than two floats.
fn line(window: &Window<'_>, call: &mut WindowCall<'_>, origin: i64) -> Option<(f64, f64)> {
    if !window.floats.is_empty() {
        call.note_ignored_histograms(window);
    }
    if window.floats.len() < 2 {
        return None;
    }
    Some(least_squares(window, origin))
}

fn least_squares(window: &Window<'_>, origin: i64) -> (f64, f64) {
    let first = window.floats.first().copied().unwrap_or(f64::NAN);
    if window.floats.iter().all(|value| *value == first) {
        return if first.is_infinite() {
            (f64::NAN, f64::NAN)
        } else {
            (0.0, first)
        };
    }
    let zero = CompensatedSum::default();
    let (mut x_sum, mut y_sum, mut xy_sum, mut xx_sum) = (zero, zero, zero, zero);
    for (time, y) in window.float_times.iter().zip(window.floats) {
        let x = i64_to_float(time - origin) / 1000.0;
        x_sum = x_sum.plus(x);
        y_sum = y_sum.plus(*y);
        xy_sum = xy_sum.plus(x * y);
        xx_sum = xx_sum.plus(x * x);
    }
    let count = usize_to_float(window.floats.len());
    let total = |sum: CompensatedSum| sum.sum + sum.lost;
    let (x, y) = (total(x_sum), total(y_sum));
    let covariance = total(xy_sum) - x * y / count;
    let variance = total(xx_sum) - x * x / count;
    let slope = covariance / variance;
    (slope, y / count - slope * x / count)
}
