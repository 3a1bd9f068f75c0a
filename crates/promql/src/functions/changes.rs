//! `changes` and `resets`: how often a series changed or started again.

use crate::ast::RangeBorders;
use crate::engine::{Cell, Starts, Window, WindowCall, starts};
use crate::error::QueryError;
use crate::histogram;
use model::number::usize_to_float;
use std::sync::Arc;

/// `changes`: how often a sample differs from the one before; NaN does not differ from NaN.
pub(crate) fn changes(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
) -> Result<Option<Cell>, QueryError> {
    Ok(counted(window, call, |before, now| {
        match (&before.value, &now.value) {
            (Cell::Float(before), Cell::Float(now)) => {
                before != now && !(before.is_nan() && now.is_nan())
            }
            (Cell::Histogram(before), Cell::Histogram(now)) => !histogram::same(before, now),
            _ => true,
        }
    }))
}

/// `resets`: how often a counter started again.
pub(crate) fn resets(
    window: &Window<'_>,
    call: &mut WindowCall<'_>,
) -> Result<Option<Cell>, QueryError> {
    Ok(counted(window, call, |before, now| {
        starts::is_reset((before.start, before.time), (now.start, now.time))
            || match (&before.value, &now.value) {
                (Cell::Float(before), Cell::Float(now)) => now < before,
                (Cell::Histogram(before), Cell::Histogram(now)) => histogram::is_reset(now, before),
                _ => true,
            }
    }))
}

/// A sample of either kind.
struct Point {
    time: i64,
    start: i64,
    value: Cell,
}

/// Counts the neighbouring samples for which `differs` says so.
fn counted(
    window: &Window<'_>,
    call: &WindowCall<'_>,
    differs: fn(&Point, &Point) -> bool,
) -> Option<Cell> {
    let samples = in_order(window);
    let samples = match call.borders {
        RangeBorders::Plain | RangeBorders::Smoothed => samples.as_slice(),
        RangeBorders::Anchored => {
            // The last sample before the range is what the first one in it is compared with.
            let inside = samples.partition_point(|point| point.time <= call.range.0);
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
        .filter(|pair| matches!(pair, [before, now] if differs(before, now)))
        .count();
    Some(Cell::Float(usize_to_float(count)))
}

/// The samples of both kinds, ascending by time.
fn in_order(window: &Window<'_>) -> Vec<Point> {
    let point = |(index, time): (usize, &i64), starts: Starts<'_>, value: Cell| Point {
        time: *time,
        start: starts.0.get(index).copied().unwrap_or(0),
        value,
    };
    let times = window.float_times.iter().enumerate();
    let mut samples: Vec<Point> = times
        .zip(window.floats)
        .map(|(at, float)| point(at, window.float_starts, Cell::Float(*float)))
        .collect();
    if !window.histograms.is_empty() {
        let times = window.histogram_times.iter().enumerate();
        samples.extend(times.zip(window.histograms).map(|(at, one)| {
            let cell = Cell::Histogram(Arc::clone(one));
            point(at, window.histogram_starts, cell)
        }));
        samples.sort_by_key(|point| point.time);
    }
    samples
}
