//! `topk`, `bottomk`, `limitk`, `limit_ratio`: some of each group's series, unchanged.

use super::{Aggregation, Group};
use crate::annotations::message;
use crate::ast::AggregateOperator as Operator;
use crate::engine::{Cell, Column, Evaluation, Row};
use crate::error::QueryError;
use crate::functions::statistics::{nan_first, nan_last};
use model::Labels;
use model::number::{float_to_i64, format_float_general, i64_to_float, u64_to_float};

impl Evaluation<'_> {
    pub(super) fn choose(
        &mut self,
        aggregation: &Aggregation<'_>,
        groups: Vec<Group>,
    ) -> Result<Vec<Row>, QueryError> {
        if !self.check_parameters(aggregation)? {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        for group in groups {
            self.check()?;
            rows.extend(self.chosen(aggregation, group)?);
        }
        Ok(rows)
    }

    /// Checks the parameters of all steps; answers whether anything can be chosen at all.
    fn check_parameters(&mut self, aggregation: &Aggregation<'_>) -> Result<bool, QueryError> {
        let (max, min) = aggregation.parameter_extremes();
        let has_nan = aggregation.parameters.iter().any(|value| value.is_nan());
        if aggregation.aggregate.operator == Operator::LimitRatio {
            if max == 0.0 && min == 0.0 {
                return Ok(false);
            }
            if has_nan {
                return Err(QueryError::execution("Ratio value is NaN"));
            }
            let span = aggregation.parameter_span();
            if max > 1.0 {
                self.notes.warn(span, message::invalid_ratio(max, 1.0));
            }
            if min < -1.0 {
                self.notes.warn(span, message::invalid_ratio(min, -1.0));
            }
            return Ok(true);
        }
        if !has_nan && max < 1.0 {
            return Ok(false);
        }
        if has_nan {
            return Err(QueryError::execution("Parameter value is NaN"));
        }
        let limits = (i64_to_float(i64::MIN), i64_to_float(i64::MAX));
        let number = format_float_general;
        if min <= limits.0 {
            let text = format!("Scalar value {} underflows int64", number(min));
            return Err(QueryError::execution(text));
        }
        if max >= limits.1 {
            let text = format!("Scalar value {} overflows int64", number(max));
            return Err(QueryError::execution(text));
        }
        Ok(true)
    }

    fn chosen(
        &mut self,
        aggregation: &Aggregation<'_>,
        group: Group,
    ) -> Result<Vec<Row>, QueryError> {
        let mut columns = vec![Column::default(); group.rows.len()];
        // The order of the answer of an instant query.
        let mut order: Vec<usize> = Vec::new();
        for step in 0..aggregation.steps.count {
            self.check()?;
            let places = self.chosen_at(aggregation, &group.rows, step);
            for place in &places {
                let cell = group.rows.get(*place).and_then(|row| row.column.cell(step));
                if let (Some(cell), Some(column)) = (cell, columns.get_mut(*place)) {
                    column.push(step, cell);
                }
            }
            if aggregation.steps.count == 1 {
                order = places;
            }
        }
        if aggregation.steps.count > 1 {
            order = (0..group.rows.len()).collect();
        }
        let mut rows: Vec<Option<(Row, Column)>> =
            group.rows.into_iter().zip(columns).map(Some).collect();
        let mut result = Vec::with_capacity(order.len());
        for place in order {
            let Some((row, column)) = rows.get_mut(place).and_then(Option::take) else {
                continue;
            };
            if !column.is_empty() {
                self.hold(column.cells())?;
                result.push(Row { column, ..row });
            }
        }
        Ok(result)
    }

    /// The places of the rows that are chosen at a step, in order.
    fn chosen_at(
        &mut self,
        aggregation: &Aggregation<'_>,
        rows: &[Row],
        step: usize,
    ) -> Vec<usize> {
        let parameter = aggregation.parameter(step);
        let present = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.column.has(step));
        let operator = aggregation.aggregate.operator;
        if operator == Operator::LimitRatio {
            let ratio = parameter.clamp(-1.0, 1.0);
            return present
                .filter(|(_, row)| is_sampled(ratio, &row.labels))
                .map(|(place, _)| place)
                .collect();
        }
        let Ok(count) = usize::try_from(float_to_i64(parameter)) else {
            return Vec::new();
        };
        if count == 0 {
            return Vec::new();
        }
        if operator == Operator::Limitk {
            return present.map(|(place, _)| place).take(count).collect();
        }
        let mut floats: Vec<(usize, f64)> = Vec::new();
        for (place, row) in present {
            match row.column.cell(step) {
                Some(Cell::Float(float)) => floats.push((place, float)),
                _ => {
                    let name = if operator == Operator::Topk {
                        "topk"
                    } else {
                        "bottomk"
                    };
                    let text = message::histogram_ignored_in_aggregation(name);
                    self.notes.info(aggregation.span, text);
                }
            }
        }
        // NaN is taken only where nothing else is left, and of equal values the first.
        let order = |a: &(usize, f64), b: &(usize, f64)| {
            let by_value = match operator {
                Operator::Topk => nan_first(b.1, a.1),
                _ => nan_last(a.1, b.1),
            };
            by_value.then(a.0.cmp(&b.0))
        };
        if count < floats.len() {
            floats.select_nth_unstable_by(count, order);
            floats.truncate(count);
        }
        floats.sort_unstable_by(order);
        floats.into_iter().map(|(place, _)| place).collect()
    }
}

/// Whether a series belongs to the given share of all series: of `r` and `r − 1` exactly one says so.
fn is_sampled(ratio: f64, labels: &Labels) -> bool {
    let position = u64_to_float(mixed(labels.fingerprint())) / u64_to_float(u64::MAX);
    if ratio >= 0.0 {
        position < ratio || ratio >= 1.0
    } else {
        position >= 1.0 + ratio
    }
}

/// Spreads the fingerprint's bits, whose upper ones hardly differ between similar label sets (the last
/// step of SplitMix64).
const fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
