//! `double_exponential_smoothing`: Holt's linear method.

use crate::engine::{Cell, Window, WindowCall};
use crate::error::QueryError;

/// The smoothed value at the last sample; factors must lie between 0 and 1, both excluded.
pub(crate) fn double_exponential(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
) -> Result<Option<Cell>, QueryError> {
    let smoothing = factor(call, 0, "smoothing")?;
    let trending = factor(call, 1, "trend")?;
    if !window.floats.is_empty() {
        call.note_ignored_histograms(window);
    }
    let [first, second, ..] = window.floats else {
        return Ok(None);
    };
    let mut level = *first;
    let mut trend = second - first;
    for (index, value) in window.floats.iter().enumerate().skip(1) {
        let next = smoothing * value + (1.0 - smoothing) * (level + trend);
        if index + 1 < window.floats.len() {
            trend = trending * (next - level) + (1.0 - trending) * trend;
        }
        level = next;
    }
    Ok(Some(Cell::Float(level)))
}

fn factor(call: &WindowCall<'_>, index: usize, name: &str) -> Result<f64, QueryError> {
    let factor = call.parameters.get(index).copied().unwrap_or(f64::NAN);
    if factor <= 0.0 || factor >= 1.0 {
        let short = if name == "trend" { "tf" } else { "sf" };
        return Err(QueryError::execution(format!(
            "invalid {name} factor. Expected: 0 < {short} < 1, got: {factor:.6}"
        )));
    }
    Ok(factor)
}
