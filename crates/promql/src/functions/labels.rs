//! `label_replace` and `label_join`: labels made of labels.

use crate::ast::{Call, Span};
use crate::engine::{Evaluation, Row, Steps, Value, argument, joined, text_argument};
use crate::error::QueryError;
use model::METRIC_NAME;
use model::regex::Regex;

/// Bytes of a value that a query may make.
const VALUE_BYTES_MAX: usize = 1 << 20;

/// Bytes of all values that one call may make.
const CALL_BYTES_MAX: usize = 256 << 20;

/// Counts what a call makes, which nested calls can multiply.
struct Made {
    function: &'static str,
    bytes: usize,
}

impl Made {
    const fn new(function: &'static str) -> Self {
        Self { function, bytes: 0 }
    }

    /// How long the next value may be.
    fn bytes_left(&self) -> usize {
        CALL_BYTES_MAX
            .saturating_sub(self.bytes)
            .min(VALUE_BYTES_MAX)
    }

    fn too_long(&self) -> QueryError {
        let function = self.function;
        QueryError::execution(format!(
            "{function}() would make label values of more than {VALUE_BYTES_MAX} bytes, or of more than {CALL_BYTES_MAX} bytes together"
        ))
    }
}

/// `label_replace(v, dst, replacement, src, regex)`: sets `dst` where the whole of `src` matches.
pub(crate) fn replace(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let destination = text_argument(call, 1)?;
    let replacement = text_argument(call, 2)?;
    let source = text_argument(call, 3)?;
    let pattern = text_argument(call, 4)?;
    let regex = Regex::new(pattern).map_err(|_why| {
        QueryError::execution(format!(
            "invalid regular expression in label_replace(): {pattern}"
        ))
    })?;
    check_name("destination", "label_replace", destination)?;
    let mut rows = evaluation.vector(argument(call, 0)?, steps)?;
    let mut made = Made::new("label_replace");
    for row in &mut rows {
        evaluation.check()?;
        let text = row.labels.value(source);
        if let Some(value) = regex.expand_within(text, replacement, made.bytes_left()) {
            let value = value.map_err(|_too_long| made.too_long())?;
            made.bytes += value.len();
            set(row, destination, &value);
        }
    }
    joined(rows).map(Value::Vector)
}

/// `label_join(v, dst, separator, src…)`: sets `dst` to the joined values.
pub(crate) fn join(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    let destination = text_argument(call, 1)?;
    let separator = text_argument(call, 2)?;
    let sources = (3..call.arguments.len())
        .map(|index| text_argument(call, index))
        .collect::<Result<Vec<_>, _>>()?;
    for source in &sources {
        check_name("source", "label_join", source)?;
    }
    check_name("destination", "label_join", destination)?;
    let mut rows = evaluation.vector(argument(call, 0)?, steps)?;
    let mut made = Made::new("label_join");
    for row in &mut rows {
        evaluation.check()?;
        let values: Vec<&str> = sources.iter().map(|name| row.labels.value(name)).collect();
        let separators = separator.len().saturating_mul(values.len());
        let length = values
            .iter()
            .fold(separators, |sum, value| sum.saturating_add(value.len()));
        if length > made.bytes_left() {
            return Err(made.too_long());
        }
        made.bytes += length;
        let value = values.join(separator);
        set(row, destination, &value);
    }
    joined(rows).map(Value::Vector)
}

fn set(row: &mut Row, destination: &str, value: &str) {
    row.labels = row.labels.with(destination, value);
    if destination == METRIC_NAME {
        // The new name is meant to stay.
        row.drops_name = false;
    }
}

fn check_name(role: &str, function: &str, name: &str) -> Result<(), QueryError> {
    if name.is_empty() {
        return Err(QueryError::execution(format!(
            "invalid {role} label name in {function}(): {name}"
        )));
    }
    Ok(())
}
