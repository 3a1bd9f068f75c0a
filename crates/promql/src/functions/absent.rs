//! `absent` and `absent_over_time`: 1 where there is nothing.

use crate::ast::{Call, Expr, ExprKind, Span, VectorSelector};
use crate::engine::{Column, Evaluation, Row, Sliding, Steps, Value, argument, without_parens};
use crate::error::QueryError;
use model::matcher::MatchOperator;
use model::{Labels, METRIC_NAME};

const ABSENT_FLOAT: f64 = model::STALE_MARKER;

/// `absent(v)`
pub(crate) fn absent(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let operand = argument(call, 0)?;
    let mut absent = vec![1.0; steps.count];
    for row in evaluation.vector(operand, steps)? {
        for (step, _) in row.column.iter() {
            if let Some(slot) = absent.get_mut(step) {
                *slot = ABSENT_FLOAT;
            }
        }
    }
    Ok(ones(absent, operand))
}

/// `absent_over_time(m)`
pub(crate) fn absent_over_time(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let operand = argument(call, 0)?;
    let ranges = evaluation.range_vector(operand, steps)?;
    crate::engine::check_borders(call.function.name, ranges.borders)?;
    let mut absent = vec![1.0; steps.count];
    for series in &ranges.series {
        evaluation.check()?;
        let mut sliding = Sliding::default();
        for (step, slot) in absent.iter_mut().enumerate() {
            let (start, end) = ranges.range_at(steps.at(step));
            if !sliding.window(&series.samples, start, end).is_empty() {
                *slot = ABSENT_FLOAT;
            }
        }
    }
    Ok(ones(absent, operand))
}

fn ones(absent: Vec<f64>, operand: &Expr) -> Value {
    let column = Column::from_floats(0, absent);
    if column.is_empty() {
        return Value::Vector(Vec::new());
    }
    Value::Vector(vec![Row {
        labels: labels_of(operand),
        drops_name: false,
        column,
    }])
}

/// The labels that a selector demands by `=`. A later matcher of the same label takes it away again, unless it is
/// the first `=` for it.
fn labels_of(operand: &Expr) -> Labels {
    let selector: &VectorSelector = match &without_parens(operand).kind {
        ExprKind::Vector(selector) => selector,
        ExprKind::Matrix(matrix) => &matrix.selector,
        _ => return Labels::default(),
    };
    let mut seen: Vec<&str> = Vec::new();
    let mut demanded: Vec<(&str, &str)> = Vec::new();
    for matcher in &selector.matchers {
        let name = matcher.name();
        if name == METRIC_NAME {
            continue;
        }
        if matcher.operator() == MatchOperator::Equal && !seen.contains(&name) {
            seen.push(name);
            demanded.push((name, matcher.value()));
        } else {
            demanded.retain(|(other, _)| *other != name);
        }
    }
    Labels::from_pairs(demanded)
}
