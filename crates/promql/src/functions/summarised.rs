//! Functions over windows of down-sampled data, of which not the samples are known but what `model::Summaries` keeps.
//!
//! Where a range begins and ends with down-sampled windows the results are those of the samples, up to rounding;
//! elsewhere they are those of the windows whose last sample lies in the range. What cannot be computed from
//! summaries is computed from the last sample of each window, and a remark says so.

use super::rate::{Change, Stretch};
use super::statistics::{self, CompensatedSum};
use model::Summaries;
use model::number::{i64_to_float, u64_to_float};
use std::ops::Range;

/// The down-sampled windows in a range; never empty.
pub(crate) struct Summarised<'a> {
    /// Times and values of the last samples.
    pub(crate) times: &'a [i64],
    pub(crate) values: &'a [f64],
    pub(crate) summaries: &'a Summaries,
    /// Which of them lie in the range.
    pub(crate) places: Range<usize>,
    /// The range, left end excluded.
    pub(crate) range: (i64, i64),
}

/// Computes a function's value.
pub(crate) type Compute = fn(&Summarised<'_>) -> Option<f64>;

/// How a function is computed from summaries; `None` where it cannot be.
pub(crate) fn find(function: &str) -> Option<Compute> {
    Some(match function {
        "avg_over_time" => |window| Some(window.sum() / window.count()),
        "count_over_time" => |window| Some(window.count()),
        "delta" => |window| window.changed(Change::Delta),
        "first_over_time" => |window| window.of(&window.summaries.first_values).first().copied(),
        "increase" => |window| window.changed(Change::Increase),
        "last_over_time" => |window| window.of(window.values).last().copied(),
        "max_over_time" => |window| Some(statistics::max(window.of(&window.summaries.maxima))),
        "min_over_time" => |window| Some(statistics::min(window.of(&window.summaries.minima))),
        "present_over_time" => |_| Some(1.0),
        "rate" => |window| window.changed(Change::Rate),
        "stddev_over_time" => |window| Some(window.variance().sqrt()),
        "stdvar_over_time" => |window| Some(window.variance()),
        "sum_over_time" => |window| Some(window.sum()),
        "ts_of_first_over_time" => |window| window.first_time().map(seconds),
        "ts_of_last_over_time" => |window| window.of(window.times).last().copied().map(seconds),
        _ => return None,
    })
}

fn seconds(millis: i64) -> f64 {
    i64_to_float(millis) / 1000.0
}

impl Summarised<'_> {
    /// The part of a column that lies in the range.
    fn of<'c, T>(&self, column: &'c [T]) -> &'c [T] {
        column.get(self.places.clone()).unwrap_or_default()
    }

    fn first_time(&self) -> Option<i64> {
        self.of(&self.summaries.first_timestamps).first().copied()
    }

    fn samples(&self) -> u64 {
        let counts = self.of(&self.summaries.counts).iter();
        counts.map(|count| u64::from(*count)).sum()
    }

    fn count(&self) -> f64 {
        u64_to_float(self.samples())
    }

    fn sum(&self) -> f64 {
        statistics::sum(self.of(&self.summaries.sums))
    }

    /// The squares of each window are those around its own mean; the distance of the means comes on top.
    fn variance(&self) -> f64 {
        let mean = self.sum() / self.count();
        let mut squares = CompensatedSum::default();
        let sums = self.of(&self.summaries.sums).iter();
        let counts = self.of(&self.summaries.counts).iter();
        let known = self.of(&self.summaries.squares).iter();
        for ((sum, count), known) in sums.zip(counts).zip(known) {
            let count = f64::from(*count);
            let distance = sum / count - mean;
            squares = squares.plus(*known).plus(count * distance * distance);
        }
        squares.total() / self.count()
    }

    fn changed(&self, change: Change) -> Option<f64> {
        let first = *self.of(&self.summaries.first_values).first()?;
        let last = *self.of(self.values).last()?;
        let samples = self.samples();
        if samples < 2 {
            return None;
        }
        let grown = if change.is_counter() {
            self.increase()
        } else {
            last - first
        };
        let zero_share = (grown > 0.0 && first >= 0.0).then(|| first / grown);
        let stretch = Stretch {
            first: self.first_time()?,
            last: *self.of(self.times).last()?,
            count: usize::try_from(samples).unwrap_or(usize::MAX),
            range: self.range,
        };
        Some(grown * stretch.extrapolation(change, zero_share))
    }

    /// The growth within the windows and between them.
    fn increase(&self) -> f64 {
        let within = self.of(&self.summaries.increases).iter();
        let mut grown = within.fold(CompensatedSum::default(), |sum, one| sum.plus(*one));
        let lasts = self.of(self.values).iter();
        let firsts = self.of(&self.summaries.first_values).iter().skip(1);
        for (before, now) in lasts.zip(firsts) {
            grown = grown.plus(if now < before { *now } else { now - before });
        }
        grown.total()
    }
}
