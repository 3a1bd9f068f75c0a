//! Functions over windows, computed for all windows of a series of floats at once.
//!
//! Key decision: what is carried from window to window never goes through rounding twice. Counts, places of
//! resets and orders are carried; sums are, too, where every partial sum is exact; all other sums are made
//! anew for each window. So the results are those of the functions that look at one window, bit for bit; the
//! tests compare them.

mod change;
mod extreme;
mod order;
mod sum;

pub(crate) use change::Stretch;
pub(super) use change::{changes, delta, idelta, increase, irate, rate, resets};
pub(super) use extreme::{max, min};
pub(super) use order::quantile;
pub(super) use sum::{avg, stddev, stdvar, sum};

use crate::engine::Sweep;
use crate::error::QueryError;
use model::number::usize_to_float;

type Done = Result<(), QueryError>;

/// `count_over_time`
pub(super) fn count(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    sweep.each(out, |_, first, past| usize_to_float(past - first))
}

/// `present_over_time`
pub(super) fn present(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    sweep.each(out, |_, _, _| 1.0)
}

/// `first_over_time`
pub(super) fn first(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    sweep.each(out, |_, first, _| value(sweep, first))
}

/// `last_over_time`
pub(super) fn last(sweep: &Sweep<'_>, out: &mut [f64]) -> Done {
    sweep.each(out, |_, _, past| value(sweep, past - 1))
}

/// The value at a place of a window.
fn value(sweep: &Sweep<'_>, place: usize) -> f64 {
    sweep.values.get(place).copied().unwrap_or(f64::NAN)
}
