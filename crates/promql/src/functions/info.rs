//! `info`: adds the labels of info metrics that describe the same instance and job.

use crate::ast::{Call, Expr, ExprKind, Modifiers, Span};
use crate::engine::{Cell, Column, Evaluation, Pick, Row, Shift, Steps, Value, argument, joined};
use crate::error::QueryError;
use model::matcher::MatchOperator;
use model::{Labels, METRIC_NAME, Matcher};
use std::collections::{BTreeMap, BTreeSet};

/// The info metric that is meant where none is named.
const TARGET_INFO: &str = "target_info";

/// The labels that tell which info series belongs to a series.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// `info(v, selector)`
pub(crate) fn info(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let base = evaluation.vector(argument(call, 0)?, steps)?;
    let wanted = Wanted::new(call)?;
    let (ignored, base): (Vec<Row>, Vec<Row>) = base
        .into_iter()
        .partition(|row| wanted.is_info_metric(row.labels.metric_name()));
    let candidates = candidates(evaluation, &wanted, &base, (call, steps))?;
    let mut rows = ignored;
    for row in base {
        evaluation.check()?;
        rows.extend(enriched(&row, &candidates, &wanted)?);
    }
    joined(rows).map(Value::Vector)
}

/// What the second argument asks for.
struct Wanted {
    names: Vec<Matcher>,
    data: Vec<Matcher>,
}

impl Wanted {
    fn new(call: &Call) -> Result<Self, QueryError> {
        let matchers: &[Matcher] = match call.arguments.get(1).map(|expr| &expr.kind) {
            Some(ExprKind::Vector(selector)) => &selector.matchers,
            _ => &[],
        };
        let (mut names, data): (Vec<Matcher>, Vec<Matcher>) = matchers
            .iter()
            .cloned()
            .partition(|matcher| matcher.name() == METRIC_NAME);
        let demands = |matcher: &Matcher| {
            matches!(
                matcher.operator(),
                MatchOperator::Equal | MatchOperator::Regex
            )
        };
        if names.is_empty() {
            names.push(Matcher::equal(METRIC_NAME, TARGET_INFO));
        } else if !names.iter().any(demands) {
            // Names that are only excluded leave all others that are named like info metrics.
            let like_info = Matcher::new(METRIC_NAME, MatchOperator::Regex, ".+_info");
            names.push(like_info.map_err(QueryError::Execution)?);
        }
        Ok(Self { names, data })
    }

    /// Whether a series is itself a source of labels.
    fn is_info_metric(&self, name: &str) -> bool {
        self.names.iter().all(|matcher| matcher.matches(name))
    }

    /// Whether a label of an info series is to be added.
    fn includes(&self, label: &str) -> bool {
        label != METRIC_NAME
            && (self.data.is_empty() || self.data.iter().any(|matcher| matcher.name() == label))
    }
}

/// An info series and when, in milliseconds, its sample at each step was taken.
type Candidate = Row;

/// The info series that may belong to any of the rows.
fn candidates(
    evaluation: &mut Evaluation<'_>,
    wanted: &Wanted,
    base: &[Row],
    (call, steps): (&Call, Steps),
) -> Result<Vec<Candidate>, QueryError> {
    let mut matchers = wanted.names.clone();
    matchers.extend(wanted.data.iter().cloned());
    let mut identified = false;
    for label in IDENTIFYING {
        let values: BTreeSet<&str> = base
            .iter()
            .filter_map(|row| row.labels.get(label))
            .collect();
        if values.is_empty() {
            continue;
        }
        identified = true;
        let pattern: Vec<String> = values.iter().map(|value| escaped(value)).collect();
        let matcher = Matcher::new(label, MatchOperator::Regex, pattern.join("|"));
        matchers.push(matcher.map_err(QueryError::Execution)?);
    }
    if !identified {
        return Ok(Vec::new());
    }
    let base = argument(call, 0)?;
    let shift = first_shift(evaluation, base, Shift::default())?.unwrap_or_default();
    evaluation.latest(&matchers, (shift, Pick::TimeOrHistogram), steps)
}

/// A value as a regular expression that matches it only.
fn escaped(value: &str) -> String {
    let mut pattern = String::with_capacity(value.len());
    for c in value.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// The moments that the first selector looks at, those of the subqueries around it included: info series are
/// looked up at the moments of the base series. `None` where there is no selector.
fn first_shift(
    evaluation: &Evaluation<'_>,
    expr: &Expr,
    outer: Shift,
) -> Result<Option<Shift>, QueryError> {
    let within = |modifiers: &Modifiers| Ok(outer.then(evaluation.shift(modifiers)?));
    let operands: Vec<&Expr> = match &expr.kind {
        ExprKind::Vector(selector) => return within(&selector.modifiers).map(Some),
        ExprKind::Matrix(matrix) => return within(&matrix.selector.modifiers).map(Some),
        ExprKind::Subquery(subquery) => {
            return first_shift(evaluation, &subquery.expr, within(&subquery.modifiers)?);
        }
        ExprKind::Call(call) => call.arguments.iter().collect(),
        ExprKind::Aggregate(aggregate) => vec![&aggregate.operand],
        ExprKind::Binary(binary) => vec![&binary.left, &binary.right],
        ExprKind::Unary { operand, .. } | ExprKind::Paren(operand) => vec![operand],
        ExprKind::Number { .. } | ExprKind::String(_) => Vec::new(),
    };
    for operand in operands {
        if let Some(shift) = first_shift(evaluation, operand, outer)? {
            return Ok(Some(shift));
        }
    }
    Ok(None)
}

/// A row split by the labels that the info series of each step add.
fn enriched(row: &Row, candidates: &[Candidate], wanted: &Wanted) -> Result<Vec<Row>, QueryError> {
    let identity = row.labels.only(&IDENTIFYING);
    let matching: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| candidate.labels.only(&IDENTIFYING) == identity)
        .collect();
    let must_match = wanted.data.iter().any(|matcher| !matcher.matches_empty());
    let mut parts: BTreeMap<Labels, Column> = BTreeMap::new();
    for (step, cell) in row.column.iter() {
        let latest = latest_by_name(&matching, step)?;
        if latest.is_empty() && must_match {
            continue;
        }
        let mut added: BTreeMap<&str, &str> = BTreeMap::new();
        for candidate in latest {
            for (name, value) in candidate.labels.iter() {
                if !wanted.includes(name) {
                    continue;
                }
                if added.get(name).is_some_and(|known| *known != value) {
                    return Err(QueryError::execution(format!("conflicting label: {name}")));
                }
                if row.labels.get(name).is_none() {
                    added.insert(name, value);
                }
            }
        }
        let labels = row.labels.merged_with(&Labels::from_pairs(added));
        parts.entry(labels).or_default().push(step, cell);
    }
    let rows = parts.into_iter().map(|(labels, column)| Row {
        labels,
        drops_name: row.drops_name,
        column,
    });
    Ok(rows.collect())
}

/// Of each info metric the series whose sample is the latest at a step.
fn latest_by_name<'a>(
    matching: &[&'a Candidate],
    step: usize,
) -> Result<Vec<&'a Candidate>, QueryError> {
    let mut latest: BTreeMap<&str, (f64, &Candidate)> = BTreeMap::new();
    for candidate in matching {
        let time = match candidate.column.cell(step) {
            None => continue,
            Some(Cell::Float(time)) => time,
            Some(Cell::Histogram(_)) => {
                return Err(QueryError::execution("info sample should be float"));
            }
        };
        let name = candidate.labels.metric_name();
        match latest.get(name) {
            Some((known, _)) if *known > time => {}
            Some((known, other)) if *known == time => {
                return Err(QueryError::execution(format!(
                    "found duplicate series for info metric: existing {} @ {}, new {} @ {}",
                    other.labels, known, candidate.labels, time
                )));
            }
            _ => {
                latest.insert(name, (time, candidate));
            }
        }
    }
    Ok(latest
        .into_values()
        .map(|(_, candidate)| candidate)
        .collect())
}
