//! `sum`, `avg`, `min`, `max`, `count`, `group`, `stddev`, `stdvar`, `quantile`.

use super::{Aggregation, Groups, Member};
use crate::annotations::{Annotations, message};
use crate::ast::AggregateOperator as Operator;
use crate::engine::{Cell, Column, Evaluation, Row};
use crate::error::QueryError;
use crate::histogram::{self, aggregate};
use gathered::Gathered;
use model::{Histogram, Labels};
use std::sync::Arc;
use tally::Tally;

mod gathered;
mod tally;

/// What is known of a group.
struct State {
    floats: Floats,
    /// Histograms at each step and the labels of their series; empty where there is none.
    histograms: Vec<Vec<(Arc<Histogram>, Labels)>>,
    drops_name: bool,
}

enum Floats {
    Tally(Tally),
    /// `quantile` needs all values.
    Gathered(Gathered),
}

/// A reduction while series are added to it.
struct Reduction<'a> {
    aggregation: &'a Aggregation<'a>,
    groups: Groups,
    states: Vec<State>,
    notes: Annotations,
}

impl Evaluation<'_> {
    pub(super) fn reduce(&mut self, aggregation: &Aggregation<'_>) -> Result<Vec<Row>, QueryError> {
        if aggregation.aggregate.operator == Operator::Quantile {
            self.warn_invalid_quantiles(aggregation);
        }
        let mut reduction = Reduction {
            aggregation,
            groups: Groups::default(),
            states: Vec::new(),
            notes: Annotations::default(),
        };
        let rows = self.operand_rows(aggregation, &mut |member, column| {
            reduction.add(member, column)
        })?;
        for (place, row) in rows.into_iter().flatten().enumerate() {
            self.check()?;
            let mut key = String::new();
            aggregation.grouping.push_key(&mut key, &row.labels, false);
            let member = Member {
                place,
                key: &key,
                labels: &row.labels,
                strips: false,
                drops_name: row.drops_name,
            };
            let kept = reduction.add(&member, row.column);
            self.hold(kept)?;
        }
        self.notes.append(std::mem::take(&mut reduction.notes));
        self.check()?;
        Ok(reduction.finish(&mut self.notes))
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

impl Reduction<'_> {
    /// Adds a series to its group; answers how many cells more are kept.
    fn add(&mut self, member: &Member<'_>, column: Column) -> usize {
        let operator = self.aggregation.aggregate.operator;
        let steps = self.aggregation.steps.count;
        let place = self.groups.place(member.key);
        let mut kept = 0;
        if place == self.states.len() {
            let floats = match Tally::new(operator, steps) {
                Some(tally) => {
                    kept += steps;
                    Floats::Tally(tally)
                }
                None => Floats::Gathered(Gathered::default()),
            };
            self.states.push(State {
                floats,
                histograms: Vec::new(),
                drops_name: false,
            });
        }
        let Some(state) = self.states.get_mut(place) else {
            return kept;
        };
        state.drops_name |= member.drops_name;
        if column.has_histograms() {
            match operator {
                // A histogram counts like a float.
                Operator::Count | Operator::Group => {}
                Operator::Sum | Operator::Avg => {
                    kept += state.keep_histograms(member.labels, &column, steps);
                }
                _ => {
                    let text = message::histogram_ignored_in_aggregation(name(operator));
                    let span = self.aggregation.aggregate.operand.span;
                    self.notes.info(span, text);
                }
            }
        }
        match &mut state.floats {
            Floats::Tally(tally) => tally.add(&column),
            Floats::Gathered(gathered) => {
                kept += column.cells();
                gathered.add(column);
            }
        }
        kept
    }

    fn finish(self, notes: &mut Annotations) -> Vec<Row> {
        let labels = self.groups.into_labels();
        let mut rows = Vec::with_capacity(labels.len());
        for (labels, state) in labels.into_iter().zip(self.states) {
            let mut column = match state.floats {
                Floats::Tally(tally) => tally.finish(),
                Floats::Gathered(gathered) => gathered.quantiles(self.aggregation),
            };
            if !state.histograms.is_empty() {
                column = with_histograms(self.aggregation, &column, &state.histograms, notes);
            }
            if !column.is_empty() {
                rows.push(Row {
                    labels,
                    drops_name: state.drops_name,
                    column,
                });
            }
        }
        rows
    }
}

impl State {
    fn keep_histograms(&mut self, labels: &Labels, column: &Column, steps: usize) -> usize {
        self.histograms.resize_with(steps, Vec::new);
        let mut kept = 0;
        for step in column.range() {
            if let (Some(histogram), Some(slot)) =
                (column.histogram(step), self.histograms.get_mut(step))
            {
                slot.push((Arc::clone(histogram), labels.clone()));
                kept += 1;
            }
        }
        kept
    }
}

/// The sum or mean of floats and of histograms; nothing where a step has both.
fn with_histograms(
    aggregation: &Aggregation<'_>,
    floats: &Column,
    histograms: &[Vec<(Arc<Histogram>, Labels)>],
    notes: &mut Annotations,
) -> Column {
    let mut column = Column::default();
    for (step, histograms) in histograms.iter().enumerate() {
        let cell = match (floats.cell(step), histograms.is_empty()) {
            (float, true) => float,
            (None, false) => reduced_histograms(aggregation, histograms, notes),
            (Some(_), false) => {
                let text = message::mixed_floats_histograms_aggregation();
                notes.warn(aggregation.aggregate.operand.span, text);
                None
            }
        };
        if let Some(cell) = cell {
            column.push(step, cell);
        }
    }
    column
}

fn reduced_histograms(
    aggregation: &Aggregation<'_>,
    members: &[(Arc<Histogram>, Labels)],
    notes: &mut Annotations,
) -> Option<Cell> {
    let span = aggregation.aggregate.operand.span;
    let histograms: Vec<Arc<Histogram>> = members.iter().map(|(one, _)| Arc::clone(one)).collect();
    let aggregated = match aggregation.aggregate.operator {
        Operator::Sum => aggregate::sum(&histograms),
        _ => aggregate::mean(&histograms),
    };
    if aggregated.resets_collide {
        notes.warn(span, message::counter_reset_collision("aggregation"));
    }
    if aggregated.bounds_reconciled {
        notes.info(span, message::custom_buckets_reconciled("aggregation"));
    }
    if aggregated.histogram.is_none() {
        let text = message::mixed_exponential_custom(odd_metric(members));
        notes.warn(span, text);
    }
    aggregated
        .histogram
        .map(|histogram| Cell::Histogram(Arc::new(histogram)))
}

/// The name of the first series whose histogram has other buckets than the first one's.
fn odd_metric(members: &[(Arc<Histogram>, Labels)]) -> &str {
    let mut kinds = members
        .iter()
        .map(|(one, labels)| (histogram::has_custom_buckets(one), labels));
    let Some((first, _)) = kinds.next() else {
        return "";
    };
    let odd = kinds.find(|(kind, _)| *kind != first);
    odd.map_or("", |(_, labels)| labels.metric_name())
}

const fn name(operator: Operator) -> &'static str {
    match operator {
        Operator::Min => "min",
        Operator::Max => "max",
        Operator::Stddev => "stddev",
        Operator::Stdvar => "stdvar",
        Operator::Quantile => "quantile",
        _ => "",
    }
}
