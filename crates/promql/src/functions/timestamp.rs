//! `timestamp` and `start_timestamp`: when samples were taken, and since when they count.

use crate::ast::{Call, Span};
use crate::engine::{Cell, Evaluation, Pick, Steps, Value, argument};
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
    let rows = match evaluation.selected_times(operand, steps, Pick::Time)? {
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
    evaluation.mapped(rows, |time| time).map(Value::Vector)
}

/// `start_timestamp(v)`: since when the samples of a selector count, 0 where that is unknown; nothing for any
/// other expression, nor where start timestamps are not in use.
pub(crate) fn start_timestamp(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let operand = argument(call, 0)?;
    let in_use = evaluation.options.start_timestamps;
    let rows = match evaluation.selected_times(operand, steps, Pick::Start)? {
        Some(rows) if in_use => rows,
        Some(_) => Vec::new(),
        None => {
            evaluation.vector(operand, steps)?;
            Vec::new()
        }
    };
    evaluation.mapped(rows, |time| time).map(Value::Vector)
}
