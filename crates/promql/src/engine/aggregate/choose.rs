//! `topk`, `bottomk`, `limitk`, `limit_ratio`: some of each group's series, unchanged.
//!
//! `topk` and `bottomk` of few series remember at each step the best so far, so that the others need not be held.

mod best;

use super::{Aggregation, Groups};
use crate::annotations::message;
use crate::ast::AggregateOperator as Operator;
use crate::engine::{Cell, Column, Evaluation, Row};
use crate::error::QueryError;
use crate::functions::statistics::{nan_first, nan_last};
use best::Best;
use model::Labels;
use model::number::{
    float_to_i64, float_to_usize, format_float_general, i64_to_float, u64_to_float,
};
use std::cmp::Ordering;

/// Of how many series at most `topk` and `bottomk` remember the best so far.
const BEST_MAX: f64 = 256.0;

impl Evaluation<'_> {
    pub(super) fn choose(&mut self, aggregation: &Aggregation<'_>) -> Result<Vec<Row>, QueryError> {
        if !self.check_parameters(aggregation)? {
            // What is wrong with the operand is still to be told.
            self.vector(&aggregation.aggregate.operand, aggregation.steps)?;
            return Ok(Vec::new());
        }
        let operator = aggregation.aggregate.operator;
        let is_best = matches!(operator, Operator::Topk | Operator::Bottomk);
        let rows = if is_best && aggregation.parameter_extremes().0 <= BEST_MAX {
            let mut best = Best::new(aggregation);
            match self.operand_rows(aggregation, &mut |member, column| best.add(member, &column))? {
                Some(rows) => rows,
                None => return Ok(best.finish(&mut self.notes)),
            }
        } else {
            self.vector(&aggregation.aggregate.operand, aggregation.steps)?
        };
        let mut chosen = Vec::new();
        for rows in grouped(aggregation, rows) {
            self.check()?;
            chosen.extend(self.chosen(aggregation, rows)?);
        }
        Ok(chosen)
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
        group: Vec<Row>,
    ) -> Result<Vec<Row>, QueryError> {
        let mut columns = vec![Column::default(); group.len()];
        // The order of the answer of an instant query.
        let mut order: Vec<usize> = Vec::new();
        for step in 0..aggregation.steps.count {
            self.check()?;
            let places = self.chosen_at(aggregation, &group, step);
            for place in &places {
                let cell = group.get(*place).and_then(|row| row.column.cell(step));
                if let (Some(cell), Some(column)) = (cell, columns.get_mut(*place)) {
                    column.push(step, cell);
                }
            }
            if aggregation.steps.count == 1 {
                order = places;
            }
        }
        if aggregation.steps.count > 1 {
            order = (0..group.len()).collect();
        }
        let mut rows: Vec<Option<(Row, Column)>> =
            group.into_iter().zip(columns).map(Some).collect();
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
                    let text = message::histogram_ignored_in_aggregation(name(operator));
                    self.notes.info(aggregation.span, text);
                }
            }
        }
        let order = |a: &(usize, f64), b: &(usize, f64)| by_rank(operator, *a, *b);
        if count < floats.len() {
            floats.select_nth_unstable_by(count, order);
            floats.truncate(count);
        }
        floats.sort_unstable_by(order);
        floats.into_iter().map(|(place, _)| place).collect()
    }
}

/// NaN is taken only where nothing else is left, and of equal values the first.
fn by_rank(operator: Operator, a: (usize, f64), b: (usize, f64)) -> Ordering {
    let by_value = match operator {
        Operator::Topk => nan_first(b.1, a.1),
        _ => nan_last(a.1, b.1),
    };
    by_value.then(a.0.cmp(&b.0))
}

const fn name(operator: Operator) -> &'static str {
    match operator {
        Operator::Topk => "topk",
        _ => "bottomk",
    }
}

/// How many series a parameter asks for.
fn wanted(parameter: f64) -> usize {
    float_to_usize(parameter)
}

/// Puts series into groups, in the order in which groups first appear.
fn grouped(aggregation: &Aggregation<'_>, rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut groups = Groups::default();
    let mut members: Vec<Vec<Row>> = Vec::new();
    let mut key = String::new();
    for row in rows {
        key.clear();
        aggregation.grouping.push_key(&mut key, &row.labels, false);
        let place = groups.place(&key);
        if place == members.len() {
            members.push(Vec::new());
        }
        if let Some(group) = members.get_mut(place) {
            group.push(row);
        }
    }
    members
}

/// Whether a series belongs to the given share of all series: of `r` and `r − 1` exactly one says so. Its hash
/// decides, so that the same series are taken at every step, and those that upstream takes.
fn is_sampled(ratio: f64, labels: &Labels) -> bool {
    let position = u64_to_float(labels.hash_as_upstream()) / u64_to_float(u64::MAX);
    if ratio >= 0.0 {
        position < ratio || ratio >= 1.0
    } else {
        position >= 1.0 + ratio
    }
}
