//! Down-sampling: what is kept of the samples of a window of time.
//!
//! Windows are aligned and open on the left, `(k·w, (k+1)·w]`, as the ranges of PromQL are: a range that ends
//! and begins with windows covers whole ones, and then count, sum, min and max over summaries are those over the
//! samples. A window's sample has the time and the value of its last float. Staleness markers count for
//! nothing; one that ends a series within a window stays as a window of its own.
//!
//! A sample is a window of one, so samples and shorter windows are made into longer ones in the same way.

use crate::gather::Floats;
use model::{Summaries, is_stale_marker};

/// One window, or one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    last: (i64, f64),
    start: i64,
    first: (i64, f64),
    count: u32,
    /// The sum and what rounding took from it (Neumaier 1974).
    sum: (f64, f64),
    min: f64,
    max: f64,
    squares: f64,
    /// What counter resets add to the difference of last and first.
    correction: f64,
}

impl Window {
    /// The window of one sample.
    pub(crate) fn of(at: i64, value: f64, start: i64) -> Self {
        let is_marker = is_stale_marker(value);
        let unless_marker = |number: f64| if is_marker { 0.0 } else { number };
        Self {
            last: (at, value),
            start,
            first: (at, value),
            count: u32::from(!is_marker),
            sum: (unless_marker(value), 0.0),
            min: value,
            max: value,
            squares: 0.0,
            correction: 0.0,
        }
    }

    /// The window that stands at `i` of a column; `value` is its last.
    pub(crate) fn at(summaries: &Summaries, i: usize, (at, value): (i64, f64), start: i64) -> Self {
        let float = |column: &[f64]| column.get(i).copied().unwrap_or_default();
        let first = float(&summaries.first_values);
        Self {
            last: (at, value),
            start,
            first: (
                summaries.first_timestamps.get(i).copied().unwrap_or(at),
                first,
            ),
            count: summaries.counts.get(i).copied().unwrap_or_default(),
            sum: (float(&summaries.sums), 0.0),
            min: float(&summaries.minima),
            max: float(&summaries.maxima),
            squares: float(&summaries.squares),
            correction: correction_of(float(&summaries.increases), first, value),
        }
    }

    /// Number of samples.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Times of the first and the last sample.
    pub(crate) fn times(&self) -> (i64, i64) {
        (self.first.0, self.last.0)
    }

    /// Time and value of the last sample.
    pub(crate) fn last(&self) -> (i64, f64) {
        self.last
    }

    /// The start timestamp of the last sample, 0 where it is unknown.
    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    fn sum(&self) -> f64 {
        match self.sum.0.is_finite() {
            true => self.sum.0 + self.sum.1,
            false => self.sum.0,
        }
    }

    /// Takes in a window that ends later. Both have samples.
    fn absorb(&mut self, later: &Self) {
        let (count, others) = (f64::from(self.count), f64::from(later.count));
        let apart = later.sum() / others - self.sum() / count;
        self.squares += later.squares + apart * apart * count * others / (count + others);
        let fell = later.first.1 < self.last.1;
        self.correction += later.correction + if fell { self.last.1 } else { 0.0 };
        let total = self.sum.0 + later.sum.0;
        let lost = match self.sum.0.abs() >= later.sum.0.abs() {
            true => (self.sum.0 - total) + later.sum.0,
            false => (later.sum.0 - total) + self.sum.0,
        };
        self.sum = (total, self.sum.1 + later.sum.1 + lost);
        self.count = self.count.saturating_add(later.count);
        // As PromQL's min_over_time: NaN gives way to anything.
        if later.min < self.min || self.min.is_nan() {
            self.min = later.min;
        }
        if later.max > self.max || self.max.is_nan() {
            self.max = later.max;
        }
        if later.first.0 < self.first.0 {
            self.first = later.first;
        }
        self.last = later.last;
        self.start = later.start;
    }
}

/// What resets added to an increase. Zero exactly where there was none.
pub(crate) fn correction_of(increase: f64, first: f64, last: f64) -> f64 {
    let difference = last - first;
    if increase.to_bits() == difference.to_bits() {
        return 0.0;
    }
    increase - difference
}

/// The increase of a window by its ends and what resets add.
pub(crate) fn increase_of(correction: f64, first: f64, last: f64) -> f64 {
    (last - first) + correction
}

/// Adds a window that ends later than all before.
pub(crate) fn push(floats: &mut Floats, window: &Window) {
    floats.times.push(window.last.0);
    floats.values.push(window.last.1);
    floats.starts.push(window.start);
    let summaries = floats.summaries.get_or_insert_default();
    summaries.first_timestamps.push(window.first.0);
    summaries.first_values.push(window.first.1);
    summaries.counts.push(window.count);
    summaries.sums.push(window.sum());
    summaries.minima.push(window.min);
    summaries.maxima.push(window.max);
    summaries.squares.push(window.squares);
    let increase = match window.count {
        0 => 0.0,
        _ => increase_of(window.correction, window.first.1, window.last.1),
    };
    summaries.increases.push(increase);
}

/// The window that stands at `i`; a sample where nothing is known of windows.
pub(crate) fn window_at(floats: &Floats, i: usize) -> Option<Window> {
    let sample = (*floats.times.get(i)?, *floats.values.get(i)?);
    let start = floats.starts.get(i).copied().unwrap_or_default();
    Some(match &floats.summaries {
        Some(summaries) => Window::at(summaries, i, sample, start),
        None => Window::of(sample.0, sample.1, start),
    })
}

/// Puts samples and windows, ascending by time, into windows of `window_ms`.
pub(crate) fn summarize(windows: impl Iterator<Item = Window>, window_ms: i64) -> Floats {
    let mut out = Floats::default();
    let mut open: Option<Window> = None;
    // A marker behind the floats of the open window.
    let mut marker: Option<Window> = None;
    let mut number = i64::MIN;
    for window in windows {
        let own = number_of(window.last.0, window_ms);
        if own != number {
            for done in [open.take(), marker.take()].into_iter().flatten() {
                push(&mut out, &done);
            }
            number = own;
        }
        if window.count == 0 {
            marker.get_or_insert(window);
            continue;
        }
        marker = None;
        match &mut open {
            Some(open) => open.absorb(&window),
            None => open = Some(window),
        }
    }
    for done in [open, marker].into_iter().flatten() {
        push(&mut out, &done);
    }
    if out.starts.iter().all(|start| *start == 0) {
        out.starts.clear();
    }
    out
}

/// The number of the window that a time lies in.
fn number_of(at: i64, window_ms: i64) -> i64 {
    at.saturating_sub(1).div_euclid(window_ms.max(1))
}

#[cfg(test)]
mod tests;
