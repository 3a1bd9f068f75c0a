//! `sort*`: the order of an instant query's answer. A range query's answer is always ordered by labels.

use super::statistics::{nan_first, nan_last};
use crate::annotations::message;
use crate::ast::{Call, Span};
use crate::engine::{Evaluation, Row, Steps, Value, argument, is_absent, text_argument};
use crate::error::QueryError;
use std::cmp::Ordering;

/// `sort(v)`: ascending by value, NaN last; histograms are left out.
pub(crate) fn ascending(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    span: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    by_value(evaluation, call, (span, steps), nan_last)
}

/// `sort_desc(v)`: descending by value, NaN last; histograms are left out.
pub(crate) fn descending(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    span: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    by_value(evaluation, call, (span, steps), |a, b| nan_first(b, a))
}

/// `sort_by_label(v, labels…)`: by the labels in natural order, then by all labels.
pub(crate) fn by_label(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    span: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    by_labels(evaluation, call, (span, steps), |order| order)
}

/// `sort_by_label_desc(v, labels…)`: the other way round.
pub(crate) fn by_label_descending(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    span: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    by_labels(evaluation, call, (span, steps), Ordering::reverse)
}

fn by_value(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    (span, steps): (Span, Steps),
    order: fn(f64, f64) -> Ordering,
) -> Result<Value, QueryError> {
    let mut rows = evaluation.vector(argument(call, 0)?, steps)?;
    note_ineffective(evaluation, span);
    for row in &mut rows {
        if row.column.has_histograms() {
            row.column = std::mem::take(&mut row.column).map_floats(|_, value| value);
        }
    }
    rows.retain(|row| !row.column.is_empty());
    if steps.count == 1 {
        let value = |row: &Row| {
            let float = row.column.float(0);
            if is_absent(float) { f64::NAN } else { float }
        };
        rows.sort_by(|a, b| order(value(a), value(b)));
    }
    Ok(Value::Vector(rows))
}

fn by_labels(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    (span, steps): (Span, Steps),
    direction: fn(Ordering) -> Ordering,
) -> Result<Value, QueryError> {
    let mut rows = evaluation.vector(argument(call, 0)?, steps)?;
    note_ineffective(evaluation, span);
    let names = (1..call.arguments.len())
        .map(|index| text_argument(call, index))
        .collect::<Result<Vec<_>, _>>()?;
    rows.sort_by(|a, b| {
        let by_names = names
            .iter()
            .map(|name| natural(a.labels.value(name), b.labels.value(name)))
            .find(|order| order.is_ne());
        direction(by_names.unwrap_or_else(|| a.labels.cmp(&b.labels)))
    });
    Ok(Value::Vector(rows))
}

fn note_ineffective(evaluation: &mut Evaluation<'_>, span: Span) {
    if !evaluation.is_instant {
        evaluation.notes.warn(span, message::sort_in_range());
    }
}

/// Runs of digits compare as numbers, all else as text.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a_rest, mut b_rest) = (a, b);
    loop {
        let (a_chunk, b_chunk) = (chunk(&mut a_rest), chunk(&mut b_rest));
        if a_chunk.is_empty() || b_chunk.is_empty() {
            return a_chunk.len().cmp(&b_chunk.len()).then(a.cmp(b));
        }
        let order = match (number(a_chunk), number(b_chunk)) {
            // However many digits there are: the longer one is greater.
            (Some(a), Some(b)) => a.len().cmp(&b.len()).then(a.cmp(b)),
            _ => a_chunk.cmp(b_chunk),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The digits of a chunk that is a number, without zeros in front.
fn number(chunk: &str) -> Option<&str> {
    let is_number = chunk.starts_with(|c: char| c.is_ascii_digit());
    is_number.then(|| chunk.trim_start_matches('0'))
}

/// Takes the longest run of digits or of other characters.
fn chunk<'a>(rest: &mut &'a str) -> &'a str {
    let is_digit = rest.starts_with(|c: char| c.is_ascii_digit());
    let end = rest
        .find(|c: char| c.is_ascii_digit() != is_digit)
        .unwrap_or(rest.len());
    let (chunk, after) = rest.split_at(end);
    *rest = after;
    chunk
}

#[cfg(test)]
mod tests {
    use super::natural;
    use std::cmp::Ordering::{Equal, Greater, Less};

    #[test]
    fn numbers_compare_as_numbers() {
        let check = |a, b, want| assert_eq!(natural(a, b), want, "{a} {b}");
        check("cpu2", "cpu10", Less);
        check("cpu10", "cpu2", Greater);
        check("a", "a", Equal);
        check("a", "a1", Less);
        check("4m1000", "4m600", Greater);
        check("", "a", Less);
    }
}
