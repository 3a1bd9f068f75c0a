//! `time`, `start`, `end`, `step`, `range`: the moments of the query as numbers, in seconds.

use crate::ast::{Call, Span};
use crate::engine::{Evaluation, Steps, Value};
use crate::error::QueryError;
use model::number::i64_to_float;

fn seconds(millis: i64) -> f64 {
    i64_to_float(millis) / 1000.0
}

fn constant(millis: i64, steps: Steps) -> Value {
    Value::Scalar(vec![seconds(millis); steps.count])
}

/// `time()`: the moment of the step.
pub(crate) fn time(
    _: &mut Evaluation<'_>,
    _: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let times = (0..steps.count).map(|step| seconds(steps.at(step)));
    Ok(Value::Scalar(times.collect()))
}

/// `start()`: the first moment of the query.
pub(crate) fn start(
    evaluation: &mut Evaluation<'_>,
    _: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    Ok(constant(evaluation.query.start, steps))
}

/// `end()`: the end of the query's range.
pub(crate) fn end(
    evaluation: &mut Evaluation<'_>,
    _: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    Ok(constant(evaluation.query_end, steps))
}

/// `step()`: the query's step, 0 for an instant query.
pub(crate) fn step(
    evaluation: &mut Evaluation<'_>,
    _: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let interval = if evaluation.is_instant {
        0
    } else {
        evaluation.query.interval
    };
    Ok(constant(interval, steps))
}

/// `range()`: from the query's start to its end.
pub(crate) fn range(
    evaluation: &mut Evaluation<'_>,
    _: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let length = evaluation.query_end.saturating_sub(evaluation.query.start);
    Ok(constant(length, steps))
}
