//! `changes` and `resets`: how often a series changed or started again.

use crate::ast::RangeBorders;
use crate::engine::{Cell, Window, WindowCall};
use crate::error::QueryError;
use crate::histogram;
use model::number::usize_to_float;
use std::sync::Arc;

/// `changes`: how often a sample differs from the one before; NaN does not differ from NaN.
pub(crate) fn changes(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
) -> Result<Option<Cell>, QueryError> {
    Ok(counted(window, call, |before, now| match (before, now) {
        (Cell::Float(before), Cell::Float(now)) => {
            before != now && !(before.is_nan() && now.is_nan())
        }
        (Cell::Histogram(before), Cell::Histogram(now)) => !histogram::same(before, now),
        _ => true,
    }))
}

/// `resets`: how often a counter started again.
pub(crate) fn resets(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
) -> Result<Option<Cell>, QueryError> {
    Ok(counted(window, call, |before, now| match (before, now) {
        (Cell::Float(before), Cell::Float(now)) => now < before,
        (Cell::Histogram(before), Cell::Histogram(now)) => histogram::is_reset(now, before),
        _ => true,
    }))
}

/// Counts the neighbouring samples for which `differs` says so.
fn counted(
    window: &Window<'_>,
    call: &WindowCall<'_>,
    differs: fn(&Cell, &Cell) -> bool,
) -> Option<Cell> {
    let samples = in_order(window);
    let samples = match call.borders {
        RangeBorders::Plain | RangeBorders::Smoothed => samples.as_slice(),
        RangeBorders::Anchored => {
            // The last sample before the range is what the first one in it is compared with.
            let inside = samples.partition_point(|(time, _)| *time <= call.range.0);
            if inside == samples.len() {
                return None;
            }
            samples.get(inside.saturating_sub(1)..)?
        }
    };
    if samples.is_empty() {
        return None;
    }
    let count = samples
        .windows(2)
        .filter(|pair| matches!(pair, [(_, before), (_, now)] if differs(before, now)))
        .count();
    Some(Cell::Float(usize_to_float(count)))
}

/// The samples of both kinds, ascending by time.
fn in_order(window: &Window<'_>) -> Vec<(i64, Cell)> {
    let floats = window
        .float_times
        .iter()
        .zip(window.floats)
        .map(|(time, float)| (*time, Cell::Float(*float)));
    let mut samples: Vec<(i64, Cell)> = floats.collect();
    if !window.histograms.is_empty() {
        let histograms = window.histogram_times.iter().zip(window.histograms);
        samples.extend(histograms.map(|(time, one)| (*time, Cell::Histogram(Arc::clone(one)))));
        samples.sort_by_key(|(time, _)| *time);
    }
    samples
}
