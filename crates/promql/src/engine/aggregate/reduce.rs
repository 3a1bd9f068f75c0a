//! `sum`, `avg`, `min`, `max`, `count`, `group`, `stddev`, `stdvar`, `quantile`.

use super::{Aggregation, Group};
use crate::annotations::message;
use crate::ast::AggregateOperator as Operator;
use crate::engine::{Cell, Column, Evaluation, Row, is_absent};
use crate::error::QueryError;
use crate::functions::statistics;
use crate::histogram::{self, aggregate};
use model::Histogram;
use model::number::usize_to_float;
use std::sync::Arc;

/// Steps gathered at a time: enough to read each column in runs, few enough to stay in the cache.
const BLOCK_STEPS: usize = 32;

/// The values of a group at one step.
#[derive(Default)]
struct Gathered {
    floats: Vec<f64>,
    histograms: Vec<Arc<Histogram>>,
    drops_name: bool,
}

impl Evaluation<'_> {
    pub(super) fn reduce(
        &mut self,
        aggregation: &Aggregation<'_>,
        groups: Vec<Group>,
    ) -> Result<Vec<Row>, QueryError> {
        if aggregation.aggregate.operator == Operator::Quantile {
            self.warn_invalid_quantiles(aggregation);
        }
        let mut rows = Vec::with_capacity(groups.len());
        for group in groups {
            self.check()?;
            let start = group.rows.iter().map(|row| row.column.range().start).min();
            let end = group.rows.iter().map(|row| row.column.range().end).max();
            let (Some(start), Some(end)) = (start, end) else {
                continue;
            };
            let mut column = Column::default();
            let mut drops_name = false;
            let mut block: Vec<Gathered> = Vec::new();
            block.resize_with(BLOCK_STEPS, Gathered::default);
            for block_start in (start..end).step_by(BLOCK_STEPS) {
                self.check()?;
                let block_end = end.min(block_start + BLOCK_STEPS);
                gather(&group.rows, block_start..block_end, &mut block);
                for (step, gathered) in (block_start..block_end).zip(&mut block) {
                    if gathered.floats.is_empty() && gathered.histograms.is_empty() {
                        continue;
                    }
                    let place = (step, group.rows.as_slice());
                    if let Some(cell) = self.reduced(aggregation, place, gathered) {
                        column.push(step, cell);
                        drops_name |= gathered.drops_name;
                    }
                }
            }
            if !column.is_empty() {
                self.hold(column.cells())?;
                rows.push(Row {
                    labels: group.labels,
                    drops_name,
                    column,
                });
            }
        }
        Ok(rows)
    }

    fn reduced(
        &mut self,
        aggregation: &Aggregation<'_>,
        (step, rows): (usize, &[Row]),
        gathered: &mut Gathered,
    ) -> Option<Cell> {
        let operator = aggregation.aggregate.operator;
        let count = gathered.floats.len() + gathered.histograms.len();
        match operator {
            Operator::Count => return Some(Cell::Float(usize_to_float(count))),
            Operator::Group => return Some(Cell::Float(1.0)),
            Operator::Sum | Operator::Avg if !gathered.histograms.is_empty() => {
                return self.reduced_histograms(aggregation, (step, rows), gathered);
            }
            _ => {}
        }
        if !gathered.histograms.is_empty() {
            let text = message::histogram_ignored_in_aggregation(name(operator));
            self.notes.info(aggregation.aggregate.operand.span, text);
        }
        if gathered.floats.is_empty() {
            return None;
        }
        let floats = &mut gathered.floats;
        Some(Cell::Float(match operator {
            Operator::Sum => statistics::sum(floats),
            Operator::Avg => statistics::mean(floats),
            Operator::Min => statistics::min(floats),
            Operator::Max => statistics::max(floats),
            Operator::Stdvar => variance(floats),
            Operator::Stddev => variance(floats).sqrt(),
            Operator::Quantile => statistics::quantile(aggregation.parameter(step), floats),
            _ => return None,
        }))
    }

    fn reduced_histograms(
        &mut self,
        aggregation: &Aggregation<'_>,
        (step, rows): (usize, &[Row]),
        gathered: &Gathered,
    ) -> Option<Cell> {
        let span = aggregation.aggregate.operand.span;
        if !gathered.floats.is_empty() {
            let text = message::mixed_floats_histograms_aggregation();
            self.notes.warn(span, text);
            return None;
        }
        let aggregated = match aggregation.aggregate.operator {
            Operator::Sum => aggregate::sum(&gathered.histograms),
            _ => aggregate::mean(&gathered.histograms),
        };
        if aggregated.resets_collide {
            let text = message::counter_reset_collision("aggregation");
            self.notes.warn(span, text);
        }
        if aggregated.bounds_reconciled {
            let text = message::custom_buckets_reconciled("aggregation");
            self.notes.info(span, text);
        }
        if aggregated.histogram.is_none() {
            let text = message::mixed_exponential_custom(odd_metric(rows, step));
            self.notes.warn(span, text);
        }
        aggregated
            .histogram
            .map(|histogram| Cell::Histogram(Arc::new(histogram)))
    }

    fn warn_invalid_quantiles(&mut self, aggregation: &Aggregation<'_>) {
        for quantile in &aggregation.parameters {
            if !(0.0..=1.0).contains(quantile) {
                let text = message::invalid_quantile(*quantile);
                self.notes.warn(aggregation.parameter_span(), text);
            }
        }
    }
}

/// The name of the first series whose histogram at a step has other buckets than the first one's.
fn odd_metric(rows: &[Row], step: usize) -> &str {
    let mut present = rows.iter().filter_map(|row| {
        let histogram = row.column.histogram(step)?;
        Some((row, histogram::has_custom_buckets(histogram)))
    });
    let Some((_, first)) = present.next() else {
        return "";
    };
    let odd = present.find(|(_, kind)| *kind != first);
    odd.map_or("", |(row, _)| row.labels.metric_name())
}

/// Reads the values of all rows at the block's steps.
fn gather(rows: &[Row], steps: std::ops::Range<usize>, block: &mut [Gathered]) {
    for gathered in block.iter_mut() {
        gathered.floats.clear();
        gathered.histograms.clear();
        gathered.drops_name = false;
    }
    for row in rows {
        for (step, gathered) in steps.clone().zip(block.iter_mut()) {
            let float = row.column.float(step);
            if !is_absent(float) {
                gathered.floats.push(float);
                gathered.drops_name |= row.drops_name;
            } else if let Some(histogram) = row.column.histogram(step) {
                gathered.histograms.push(Arc::clone(histogram));
                gathered.drops_name |= row.drops_name;
            }
        }
    }
}

/// The variance of a group; NaN as soon as a value is NaN or infinite.
fn variance(floats: &[f64]) -> f64 {
    if floats.iter().any(|value| !value.is_finite()) {
        return f64::NAN;
    }
    statistics::variance(floats)
}

const fn name(operator: Operator) -> &'static str {
    match operator {
        Operator::Min => "min",
        Operator::Max => "max",
        Operator::Stddev => "stddev",
        Operator::Stdvar => "stdvar",
        Operator::Quantile => "quantile",
        Operator::Topk => "topk",
        Operator::Bottomk => "bottomk",
        _ => "",
    }
}
