//! `timestamp` and `start_timestamp`: when samples were taken, and since when they count.

use crate::ast::{Call, Span};
use crate::engine::{Cell, Evaluation, Steps, Value, argument};
use crate::error::QueryError;
use model::number::i64_to_float;

/// `timestamp(v)`: of a selector the samples' times, of any other expression the moment of evaluation.
pub(crate) fn timestamp(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let operand = argument(call, 0)?;
    let rows = match evaluation.selected_times(operand, steps)? {
        Some(rows) => rows,
        None => {
            let mut rows = evaluation.vector(operand, steps)?;
            for row in &mut rows {
                row.column = row
                    .column
                    .filter_map(|step, _| Some(Cell::Float(i64_to_float(steps.at(step)) / 1000.0)));
            }
            rows
        }
    };
    evaluation.mapped(rows, |_, time| time).map(Value::Vector)
}

/// `start_timestamp(v)`: nothing, because the columns that stores hand over carry no start times.
pub(crate) fn start_timestamp(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    evaluation.vector(argument(call, 0)?, steps)?;
    Ok(Value::Vector(Vec::new()))
}
