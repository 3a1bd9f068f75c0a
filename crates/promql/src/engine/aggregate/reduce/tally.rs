//! Running values of a group at each step: what `sum`, `avg`, `min`, `max`, `count`, `group`, `stddev` and `stdvar` need
//! to know of the series so far.
//!
//! Key decision: each quantity is a column of its own, so that adding a series is a plain loop over floats.

use crate::ast::AggregateOperator as Operator;
use crate::engine::column::ABSENT;
use crate::engine::{Column, is_absent};
use crate::functions::statistics::CompensatedSum;

/// See the module's page. A step without values has a count of 0.
pub(super) struct Tally {
    operator: Operator,
    counts: Vec<f64>,
    /// The sum, the mean, the least or the greatest value.
    values: Vec<f64>,
    /// What `values` lost in rounding.
    lost: Vec<f64>,
    /// The sum of squares and what it lost.
    squares: Vec<CompensatedSum>,
    /// Steps whose sum became too large, so that `values` holds the mean; steps with a value that is not finite.
    odd: Vec<bool>,
}

impl Tally {
    /// `None` for operators that need more than a tally.
    pub(super) fn new(operator: Operator, steps: usize) -> Option<Self> {
        let column = |needed: bool| vec![0.0; if needed { steps } else { 0 }];
        let (values, lost, spread) = match operator {
            Operator::Count | Operator::Group => (false, false, false),
            Operator::Min | Operator::Max => (true, false, false),
            Operator::Sum | Operator::Avg => (true, true, false),
            Operator::Stddev | Operator::Stdvar => (true, true, true),
            _ => return None,
        };
        Some(Self {
            operator,
            counts: column(true),
            values: column(values),
            lost: column(lost),
            squares: vec![CompensatedSum::default(); if spread { steps } else { 0 }],
            odd: vec![
                false;
                if spread || operator == Operator::Avg {
                    steps
                } else {
                    0
                }
            ],
        })
    }

    /// Adds a series.
    pub(super) fn add(&mut self, column: &Column) {
        match self.operator {
            Operator::Count | Operator::Group => self.count(column),
            Operator::Min => self.extreme(column, |value, least| value < least),
            Operator::Max => self.extreme(column, |value, most| value > most),
            Operator::Sum => self.sum(column),
            Operator::Avg => self.average(column),
            _ => self.spread(column),
        }
    }

    fn count(&mut self, column: &Column) {
        let (first, floats) = column.floats();
        for (count, float) in from(&mut self.counts, first).zip(floats) {
            *count += f64::from(u8::from(!is_absent(*float)));
        }
        let with_histograms = column.range().filter(|_| column.has_histograms());
        for step in with_histograms {
            if column.histogram(step).is_some()
                && let Some(count) = self.counts.get_mut(step)
            {
                *count += 1.0;
            }
        }
    }

    fn extreme(&mut self, column: &Column, replaces: impl Fn(f64, f64) -> bool) {
        let (first, floats) = column.floats();
        let slots = from(&mut self.counts, first).zip(from(&mut self.values, first));
        for ((count, best), float) in slots.zip(floats) {
            if is_absent(*float) {
                continue;
            }
            if *count == 0.0 || best.is_nan() || replaces(*float, *best) {
                *best = *float;
            }
            *count += 1.0;
        }
    }

    fn sum(&mut self, column: &Column) {
        let (first, floats) = column.floats();
        let slots = from(&mut self.counts, first)
            .zip(from(&mut self.values, first))
            .zip(from(&mut self.lost, first));
        for (((count, sum), lost), float) in slots.zip(floats) {
            let present = !is_absent(*float);
            let before = CompensatedSum {
                sum: *sum,
                lost: *lost,
            };
            let after = before.plus(*float);
            *sum = if present { after.sum } else { *sum };
            *lost = if present { after.lost } else { *lost };
            *count += f64::from(u8::from(present));
        }
    }

    /// The sum as long as it stays finite, from there on the mean, corrected step by step.
    fn average(&mut self, column: &Column) {
        let (first, floats) = column.floats();
        let slots = from(&mut self.counts, first)
            .zip(from(&mut self.values, first))
            .zip(from(&mut self.lost, first))
            .zip(from(&mut self.odd, first));
        for ((((count, sum), lost), is_mean), float) in slots.zip(floats) {
            if is_absent(*float) {
                continue;
            }
            let before = CompensatedSum {
                sum: *sum,
                lost: *lost,
            };
            let mut after = if *count == 0.0 {
                CompensatedSum {
                    sum: *float,
                    lost: 0.0,
                }
            } else {
                before.plus(*float)
            };
            *count += 1.0;
            if *is_mean || (after.sum.is_infinite() && *count > 1.0) {
                let known = *count - 1.0;
                let mean = if *is_mean {
                    before
                } else {
                    CompensatedSum {
                        sum: before.sum / known,
                        lost: before.lost / known,
                    }
                };
                after = mean.times(known / *count).plus(*float / *count);
                *is_mean = true;
            }
            (*sum, *lost) = (after.sum, after.lost);
        }
    }

    /// Welford's method with compensated sums.
    fn spread(&mut self, column: &Column) {
        let (first, floats) = column.floats();
        let slots = from(&mut self.counts, first)
            .zip(from(&mut self.values, first))
            .zip(from(&mut self.lost, first))
            .zip(from(&mut self.squares, first))
            .zip(from(&mut self.odd, first));
        for (((((count, mean), lost), squares), is_odd), float) in slots.zip(floats) {
            if is_absent(*float) {
                continue;
            }
            *is_odd |= !float.is_finite();
            *count += 1.0;
            let delta = float - (*mean + *lost);
            let before = CompensatedSum {
                sum: *mean,
                lost: *lost,
            };
            let after = before.plus(delta / *count);
            *squares = squares.plus(delta * (float - (after.sum + after.lost)));
            (*mean, *lost) = (after.sum, after.lost);
        }
    }

    /// The values at all steps.
    pub(super) fn finish(self) -> Column {
        let value = |step: usize| {
            let count = self.counts.get(step).copied().unwrap_or_default();
            if count == 0.0 {
                return ABSENT;
            }
            let sum = CompensatedSum {
                sum: self.values.get(step).copied().unwrap_or_default(),
                lost: self.lost.get(step).copied().unwrap_or_default(),
            };
            let is_odd = self.odd.get(step).copied().unwrap_or_default();
            match self.operator {
                Operator::Count => count,
                Operator::Group => 1.0,
                Operator::Sum => sum.total(),
                Operator::Avg if is_odd => sum.sum + sum.lost,
                Operator::Avg => sum.sum / count + sum.lost / count,
                Operator::Stddev | Operator::Stdvar if is_odd => f64::NAN,
                Operator::Stddev | Operator::Stdvar => {
                    let squares = self.squares.get(step).copied().unwrap_or_default();
                    let variance = (squares.sum + squares.lost) / count;
                    if self.operator == Operator::Stddev {
                        variance.sqrt()
                    } else {
                        variance
                    }
                }
                _ => sum.sum,
            }
        };
        Column::from_floats(0, (0..self.counts.len()).map(value).collect())
    }
}

/// The slots from a step on.
fn from<T>(slots: &mut [T], first: usize) -> std::slice::IterMut<'_, T> {
    slots.get_mut(first..).unwrap_or_default().iter_mut()
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use crate::ast::AggregateOperator as Operator;
    use crate::engine::Column;
    use crate::functions::statistics;

    #[test]
    fn agrees_with_the_functions_over_time() {
        let groups: [&[f64]; 7] = [
            &[1.0],
            &[1.0, 1e100, 1.0, -1e100],
            &[1.7e308, 1.7e308, 1.7e308, -1.0],
            &[f64::INFINITY, 1.0, 2.0],
            &[f64::NAN, 3.0, 2.0],
            &[-0.0, -0.0],
            &[0.1, 0.2, 0.3, 0.7, 12.0],
        ];
        for values in groups {
            let check = |operator, want: f64| {
                let mut tally = Tally::new(operator, 3).unwrap();
                for value in values {
                    tally.add(&Column::from_floats(1, vec![*value]));
                }
                let column = tally.finish();
                assert_eq!(column.range(), 1..2);
                let found = column.float(1);
                let same = found.to_bits() == want.to_bits() || (found.is_nan() && want.is_nan());
                assert!(same, "{operator:?} of {values:?}: {found} {want}");
            };
            check(Operator::Sum, statistics::sum(values));
            check(Operator::Avg, statistics::mean(values));
            check(Operator::Min, statistics::min(values));
            check(Operator::Max, statistics::max(values));
            if values.iter().all(|value| value.is_finite()) {
                check(Operator::Stdvar, statistics::variance(values));
            } else {
                check(Operator::Stdvar, f64::NAN);
            }
        }
    }
}
