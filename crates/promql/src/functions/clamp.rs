//! `clamp*` and `round`: functions of a float and of scalars that may differ from step to step.

use crate::ast::{Call, Span};
use crate::engine::{Evaluation, Steps, Value};
use crate::error::QueryError;

/// The bounds at each step.
type Bounds = (Option<Vec<f64>>, Option<Vec<f64>>);

/// `clamp(v, min, max)`
pub(crate) fn clamp(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let min = scalar(evaluation, call, 1, steps)?;
    let max = scalar(evaluation, call, 2, steps)?;
    clamped(evaluation, call, steps, (min, max))
}

/// `clamp_min(v, min)`
pub(crate) fn clamp_min(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let min = scalar(evaluation, call, 1, steps)?;
    clamped(evaluation, call, steps, (min, None))
}

/// `clamp_max(v, max)`
pub(crate) fn clamp_max(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let max = scalar(evaluation, call, 1, steps)?;
    clamped(evaluation, call, steps, (None, max))
}

/// `round(v, nearest = 1)`: ties go up.
pub(crate) fn round(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let nearest = scalar(evaluation, call, 1, steps)?;
    let rows = vector(evaluation, call, steps)?;
    let rounded = |step: usize, value: f64| {
        // The inverse loses fewer bits: 1/0.1 is exactly 10.
        let inverse = 1.0 / at(nearest.as_ref(), step, 1.0);
        (value * inverse + 0.5).floor() / inverse
    };
    evaluation.mapped(rows, rounded).map(Value::Vector)
}

fn clamped(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    steps: Steps,
    (min, max): Bounds,
) -> Result<Value, QueryError> {
    let mut rows = vector(evaluation, call, steps)?;
    let bounds = |step: usize| {
        let min = at(min.as_ref(), step, f64::NEG_INFINITY);
        (min, at(max.as_ref(), step, f64::INFINITY))
    };
    for row in &mut rows {
        // Where the bounds exclude each other there is no value.
        if (0..steps.count).any(|step| bounds(step).1 < bounds(step).0) {
            row.column = row.column.filter_map(|step, cell| {
                let (min, max) = bounds(step);
                (max >= min || max.is_nan() || min.is_nan()).then_some(cell)
            });
        }
    }
    let clamped = |step: usize, value: f64| {
        let (min, max) = bounds(step);
        larger(min, smaller(max, value))
    };
    evaluation.mapped(rows, clamped).map(Value::Vector)
}

/// The larger of two floats as Go's `math.Max`: infinity even beside NaN, else NaN where either is; 0 is larger
/// than -0.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a > b || (a == b && b.is_sign_negative()) {
        a
    } else {
        b
    }
}

/// The smaller of two floats as Go's `math.Min`: minus infinity even beside NaN, else NaN where either is; -0 is
/// smaller than 0.
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

fn at(values: Option<&Vec<f64>>, step: usize, otherwise: f64) -> f64 {
    match values {
        Some(values) => values.get(step).copied().unwrap_or(f64::NAN),
        None => otherwise,
    }
}

fn scalar(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    index: usize,
    steps: Steps,
) -> Result<Option<Vec<f64>>, QueryError> {
    match call.arguments.get(index) {
        Some(argument) => evaluation.scalar(argument, steps).map(Some),
        None => Ok(None),
    }
}

fn vector(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Vec<crate::engine::Row>, QueryError> {
    let argument = crate::engine::argument(call, 0)?;
    evaluation.vector(argument, steps)
}
