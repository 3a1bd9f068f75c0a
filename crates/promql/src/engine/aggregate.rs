//! Aggregations: one value for each group of series at each step, or a choice of each group's series.
//!
//! Key decision: the values of a group are gathered for a block of steps at a time, each step's values
//! side by side, and then given to the same functions that `*_over_time` uses.

mod choose;
mod count_values;
mod reduce;

use super::value::Row;
use super::{Evaluation, Steps};
use crate::ast::{Aggregate, AggregateOperator, ExprKind, Span};
use crate::error::QueryError;
use model::{Labels, METRIC_NAME};
use runtime::HashMap;

/// The series that are aggregated together, and the labels of the result.
pub(super) struct Group {
    pub(super) labels: Labels,
    pub(super) rows: Vec<Row>,
}

/// An aggregation while it is evaluated.
pub(super) struct Aggregation<'a> {
    pub(super) aggregate: &'a Aggregate,
    /// Where the whole aggregation stands.
    pub(super) span: Span,
    /// The scalar parameter at each step, empty where there is none.
    pub(super) parameters: Vec<f64>,
    pub(super) steps: Steps,
}

impl Aggregation<'_> {
    pub(super) fn parameter(&self, step: usize) -> f64 {
        self.parameters.get(step).copied().unwrap_or(f64::NAN)
    }

    pub(super) fn parameter_span(&self) -> Span {
        let parameter = self.aggregate.parameter.as_ref();
        parameter.map_or(self.span, |parameter| parameter.span)
    }

    /// The largest and the smallest parameter; NaN is passed over.
    pub(super) fn parameter_extremes(&self) -> (f64, f64) {
        let fold = |start, choose: fn(f64, f64) -> f64| {
            self.parameters.iter().copied().fold(start, choose)
        };
        (
            fold(f64::NEG_INFINITY, f64::max),
            fold(f64::INFINITY, f64::min),
        )
    }
}

impl Evaluation<'_> {
    /// Evaluates an aggregation.
    pub(crate) fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        if aggregate.operator == AggregateOperator::CountValues {
            return self.count_values(aggregate, steps);
        }
        let parameters = match &aggregate.parameter {
            Some(parameter) => self.scalar(parameter, steps)?,
            None => Vec::new(),
        };
        let rows = self.vector(&aggregate.operand, steps)?;
        let aggregation = Aggregation {
            aggregate,
            span,
            parameters,
            steps,
        };
        let groups = grouped(aggregate, rows);
        match aggregate.operator {
            AggregateOperator::Topk
            | AggregateOperator::Bottomk
            | AggregateOperator::Limitk
            | AggregateOperator::LimitRatio => self.choose(&aggregation, groups),
            _ => self.reduce(&aggregation, groups),
        }
    }
}

/// The text parameter of `count_values`.
pub(super) fn text_parameter(aggregate: &Aggregate) -> Option<&str> {
    match &super::without_parens(aggregate.parameter.as_deref()?).kind {
        ExprKind::String(text) => Some(text),
        _ => None,
    }
}

/// The labels of the group a series belongs to.
pub(super) fn group_labels(aggregate: &Aggregate, labels: &Labels) -> Labels {
    if aggregate.without {
        let mut names: Vec<&str> = aggregate.grouping.iter().map(String::as_str).collect();
        names.push(METRIC_NAME);
        labels.without(&names)
    } else if aggregate.grouping.is_empty() {
        Labels::default()
    } else {
        labels.only(&aggregate.grouping)
    }
}

/// Puts series into groups, in the order in which groups first appear.
fn grouped(aggregate: &Aggregate, rows: Vec<Row>) -> Vec<Group> {
    let mut places: HashMap<Labels, usize> = HashMap::default();
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let labels = group_labels(aggregate, &row.labels);
        let place = *places.entry(labels).or_insert_with_key(|labels| {
            groups.push(Group {
                labels: labels.clone(),
                rows: Vec::new(),
            });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.rows.push(row);
        }
    }
    groups
}
