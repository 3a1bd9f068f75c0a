//! Between scalars and vectors: `scalar`, `vector`, `pi`, `min_of`, `max_of`.

use super::clamp::{larger, smaller};
use crate::ast::{Call, Span};
use crate::engine::{Column, Evaluation, Row, Steps, Value, argument, is_absent};
use crate::error::QueryError;

/// `scalar(v)`: the value of the only float series; NaN where there is none or are several.
pub(crate) fn scalar(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let rows = evaluation.vector(argument(call, 0)?, steps)?;
    let mut found = vec![0_u8; steps.count];
    let mut values = vec![f64::NAN; steps.count];
    for row in &rows {
        for step in row.column.range() {
            let float = row.column.float(step);
            if is_absent(float) {
                continue;
            }
            if let (Some(count), Some(value)) = (found.get_mut(step), values.get_mut(step)) {
                *value = if *count == 0 { float } else { f64::NAN };
                *count = 1;
            }
        }
    }
    Ok(Value::Scalar(values))
}

/// `vector(s)`: a series without labels.
pub(crate) fn vector(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let values = evaluation.scalar(argument(call, 0)?, steps)?;
    Ok(Value::Vector(vec![Row {
        labels: model::Labels::default(),
        drops_name: false,
        column: Column::from_floats(0, values),
    }]))
}

/// `pi()`
pub(crate) fn pi(
    _: &mut Evaluation<'_>,
    _: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    Ok(Value::Scalar(vec![std::f64::consts::PI; steps.count]))
}

/// `min_of(a, b)`
pub(crate) fn min_of(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    chosen(evaluation, call, steps, smaller)
}

/// `max_of(a, b)`
pub(crate) fn max_of(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    chosen(evaluation, call, steps, larger)
}

fn chosen(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    steps: Steps,
    choose: fn(f64, f64) -> f64,
) -> Result<Value, QueryError> {
    let left = evaluation.scalar(argument(call, 0)?, steps)?;
    let right = evaluation.scalar(argument(call, 1)?, steps)?;
    let pairs = left.iter().zip(&right);
    Ok(Value::Scalar(pairs.map(|(a, b)| choose(*a, *b)).collect()))
}
