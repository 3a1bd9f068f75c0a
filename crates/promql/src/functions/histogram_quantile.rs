//! `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`, of classic and native histograms.

use super::classic_buckets::{self, Bucket, Repair};
use super::native_quantile::{self, NanEffect};
use crate::annotations::message;
use crate::ast::{Call, Expr, Span};
use crate::engine::{
    Cell, Column, Evaluation, Row, Steps, Value, argument, is_absent, text_argument,
};
use crate::error::QueryError;
use model::labels::Quoted;
use model::number::{format_float, format_float_general, parse_float};
use model::{Histogram, Labels};
use runtime::HashMap;

/// The label with a classic bucket's upper bound.
const BUCKET_LABEL: &str = "le";

/// `histogram_quantile(q, v)`
pub(crate) fn quantile(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let quantiles = evaluation.scalar(argument(call, 0)?, steps)?;
    warn_invalid(evaluation, &quantiles, argument(call, 0)?.span);
    let vector = argument(call, 1)?;
    let groups = groups(evaluation, vector, steps)?;
    let spans = (argument(call, 0)?.span, vector.span);
    let mut rows = Vec::new();
    for group in groups {
        let column = quantile_column(evaluation, &group, &quantiles, (spans, steps));
        push(evaluation, &mut rows, group.labels, column);
    }
    evaluation.without_duplicates(rows).map(Value::Vector)
}

/// `histogram_quantiles(v, label, q…)`: several quantiles, told apart by a label.
pub(crate) fn quantiles(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let label = text_argument(call, 1)?;
    let vector = argument(call, 0)?;
    let mut wanted = Vec::new();
    for index in 2..call.arguments.len() {
        let quantiles = evaluation.scalar(argument(call, index)?, steps)?;
        warn_invalid(evaluation, &quantiles, argument(call, index)?.span);
        wanted.push(quantiles);
    }
    let groups = groups(evaluation, vector, steps)?;
    let spans = (vector.span, vector.span);
    let mut rows = Vec::new();
    for group in &groups {
        for quantiles in &wanted {
            let column = quantile_column(evaluation, group, quantiles, (spans, steps));
            for (text, part) in by_quantile(&column, quantiles) {
                push(evaluation, &mut rows, group.labels.with(label, &text), part);
            }
        }
    }
    evaluation.without_duplicates(rows).map(Value::Vector)
}

/// `histogram_fraction(lower, upper, v)`
pub(crate) fn fraction(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let lower = evaluation.scalar(argument(call, 0)?, steps)?;
    let upper = evaluation.scalar(argument(call, 1)?, steps)?;
    let vector = argument(call, 2)?;
    let groups = groups(evaluation, vector, steps)?;
    let span = argument(call, 0)?.span;
    let mut rows = Vec::new();
    for group in groups {
        let mut column = Column::default();
        for step in 0..steps.count {
            let bounds = (at(&lower, step), at(&upper, step));
            let value = match group.at(step) {
                None => continue,
                Some(Kind::Classic(mut buckets)) => {
                    classic_buckets::fraction(bounds.0, bounds.1, &mut buckets)
                }
                Some(Kind::Native(histogram)) => {
                    let (value, effect) = native_quantile::fraction(bounds.0, bounds.1, histogram);
                    if effect != NanEffect::None {
                        let text = "input to histogram_fraction has NaN observations, which are excluded from all fractions";
                        note_nan(evaluation, span, text, &group.labels);
                    }
                    value
                }
            };
            column.push(step, Cell::Float(value));
        }
        push(evaluation, &mut rows, group.labels, column);
    }
    evaluation.without_duplicates(rows).map(Value::Vector)
}

fn push(evaluation: &Evaluation<'_>, rows: &mut Vec<Row>, labels: Labels, column: Column) {
    if !column.is_empty() {
        rows.push(evaluation.renamed(labels, column));
    }
}

fn at(values: &[f64], step: usize) -> f64 {
    values.get(step).copied().unwrap_or(f64::NAN)
}

fn warn_invalid(evaluation: &mut Evaluation<'_>, quantiles: &[f64], span: Span) {
    for quantile in quantiles {
        if !(0.0..=1.0).contains(quantile) {
            let text = message::invalid_quantile(*quantile);
            evaluation.notes.warn(span, text);
        }
    }
}

/// Splits a column by the quantile of each step, printed as in an exposition.
fn by_quantile(column: &Column, quantiles: &[f64]) -> Vec<(String, Column)> {
    let mut parts: Vec<(String, Column)> = Vec::new();
    for (step, cell) in column.iter() {
        let text = open_metrics_float(at(quantiles, step));
        match parts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, part)) => part.push(step, cell),
            None => {
                let mut part = Column::default();
                part.push(step, cell);
                parts.push((text, part));
            }
        }
    }
    parts
}

/// A float as OpenMetrics prints label values: always with a point or an exponent.
fn open_metrics_float(value: f64) -> String {
    let text = format_float_general(value);
    if value.is_finite() && !text.contains(['.', 'e']) {
        format!("{text}.0")
    } else {
        text
    }
}

/// The histograms of one label set: classic buckets, native ones, or by turns.
struct Group {
    labels: Labels,
    buckets: Vec<(f64, Column)>,
    native: Option<Column>,
}

/// What a group holds at a step.
enum Kind<'a> {
    Classic(Vec<Bucket>),
    Native(&'a Histogram),
}

impl Group {
    fn at(&self, step: usize) -> Option<Kind<'_>> {
        let native = self
            .native
            .as_ref()
            .and_then(|column| column.histogram(step));
        let buckets: Vec<Bucket> = self
            .buckets
            .iter()
            .map(|(upper, column)| Bucket {
                upper: *upper,
                count: column.float(step),
            })
            .filter(|bucket| !is_absent(bucket.count))
            .collect();
        match native {
            // Of a classic and a native histogram of one name none is right.
            Some(_) if !buckets.is_empty() => None,
            Some(histogram) => Some(Kind::Native(histogram)),
            None if buckets.is_empty() => None,
            None => Some(Kind::Classic(buckets)),
        }
    }

    fn is_mixed(&self, steps: Steps) -> bool {
        self.native.is_some()
            && (0..steps.count).any(|step| {
                let native = self
                    .native
                    .as_ref()
                    .and_then(|column| column.histogram(step));
                native.is_some() && self.buckets.iter().any(|(_, column)| column.has(step))
            })
    }
}

/// Evaluates a vector and puts the buckets of each histogram together.
fn groups(
    evaluation: &mut Evaluation<'_>,
    expr: &Expr,
    steps: Steps,
) -> Result<Vec<Group>, QueryError> {
    let span = expr.span;
    let mut places: HashMap<Labels, usize> = HashMap::default();
    let mut groups: Vec<Group> = Vec::new();
    let mut find = |labels: Labels, groups: &mut Vec<Group>| {
        *places.entry(labels.clone()).or_insert_with(|| {
            groups.push(Group {
                labels,
                buckets: Vec::new(),
                native: None,
            });
            groups.len() - 1
        })
    };
    for row in evaluation.vector(expr, steps)? {
        if row.column.has_histograms() {
            let place = find(row.labels.clone(), &mut groups);
            if let Some(group) = groups.get_mut(place) {
                group.native = Some(row.column.clone());
            }
        }
        let floats = row.column.map_floats(|_, count| count);
        if floats.is_empty() {
            continue;
        }
        let text = row.labels.value(BUCKET_LABEL);
        let Some(upper) = parse_float(text) else {
            let name = if evaluation.options.delayed_name_removal {
                row.labels.metric_name()
            } else {
                ""
            };
            let text = message::bad_bucket_label(name, text);
            evaluation.notes.warn(span, text);
            continue;
        };
        let place = find(row.labels.without(&[BUCKET_LABEL]), &mut groups);
        if let Some(group) = groups.get_mut(place) {
            group.buckets.push((upper, floats));
        }
    }
    for group in groups.iter().filter(|group| group.is_mixed(steps)) {
        let name = if evaluation.options.delayed_name_removal {
            group.labels.metric_name()
        } else {
            ""
        };
        let text = message::mixed_classic_native(name);
        evaluation.notes.warn(span, text);
    }
    Ok(groups)
}

fn quantile_column(
    evaluation: &mut Evaluation<'_>,
    group: &Group,
    quantiles: &[f64],
    (spans, steps): ((Span, Span), Steps),
) -> Column {
    let mut column = Column::default();
    for step in 0..steps.count {
        let q = at(quantiles, step);
        let value = match group.at(step) {
            None => continue,
            Some(Kind::Classic(mut buckets)) => {
                let (value, repair) = classic_buckets::quantile(q, &mut buckets);
                if repair.was_forced {
                    note_repair(
                        evaluation,
                        spans.1,
                        &repair,
                        (&group.labels, steps.at(step)),
                    );
                }
                value
            }
            Some(Kind::Native(histogram)) => {
                let (value, effect) = native_quantile::quantile(q, histogram);
                let what = match effect {
                    NanEffect::None => None,
                    NanEffect::Decides => Some("result is NaN"),
                    NanEffect::Skews => Some("result is skewed higher"),
                };
                if let Some(what) = what {
                    let text = format!("input to histogram_quantile has NaN observations, {what}");
                    note_nan(evaluation, spans.0, &text, &group.labels);
                }
                value
            }
        };
        column.push(step, Cell::Float(value));
    }
    column
}

fn note_nan(evaluation: &mut Evaluation<'_>, span: Span, text: &str, labels: &Labels) {
    let name = labels.metric_name();
    let text = if name.is_empty() {
        text.to_owned()
    } else {
        format!("{text} for metric name {}", Quoted(name))
    };
    evaluation.notes.info(span, text);
}

fn note_repair(
    evaluation: &mut Evaluation<'_>,
    span: Span,
    repair: &Repair,
    (labels, time): (&Labels, i64),
) {
    let name = if evaluation.options.delayed_name_removal {
        labels.metric_name()
    } else {
        ""
    };
    let name = if name.is_empty() {
        String::new()
    } else {
        format!(" for metric name {}", Quoted(name))
    };
    let from = format_float(repair.bounds.0);
    let to = format_float(repair.bounds.1);
    let difference = format_float_general(repair.difference_max);
    let time = model::Timestamp::from_millis(time);
    let text = format!(
        "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){name}, from buckets {from} to {to}, with a max diff of {difference}, at {time}"
    );
    evaluation.notes.info(span, text);
}
