//! Parts of a date in UTC, as Go's `time` package computes them.

use crate::ast::Call;
use crate::engine::{Column, Evaluation, Row, Steps, Value};
use crate::error::QueryError;
use model::number::{float_to_i64, i64_to_float};
use model::timestamp::civil_from_days;

const DAY_SECONDS: i64 = 86_400;

/// Applies a function of seconds since the epoch to the argument's floats, or to the moments of
/// evaluation.
pub(crate) fn evaluate(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    steps: Steps,
    part: fn(i64) -> f64,
) -> Result<Value, QueryError> {
    if let Some(argument) = call.arguments.first() {
        let rows = evaluation.vector(argument, steps)?;
        let rows = evaluation.mapped(rows, |_, value| part(float_to_i64(value)))?;
        return Ok(Value::Vector(rows));
    }
    let parts = (0..steps.count).map(|step| part(steps.at(step) / 1000));
    Ok(Value::Vector(vec![Row {
        labels: model::Labels::default(),
        drops_name: false,
        column: Column::from_floats(0, parts.collect()),
    }]))
}

fn date(seconds: i64) -> (i64, i64, i64) {
    civil_from_days(seconds.div_euclid(DAY_SECONDS))
}

/// `year`
pub(crate) fn year(seconds: i64) -> f64 {
    i64_to_float(date(seconds).0)
}

/// `month`: 1 to 12.
pub(crate) fn month(seconds: i64) -> f64 {
    i64_to_float(date(seconds).1)
}

/// `day_of_month`: 1 to 31.
pub(crate) fn day_of_month(seconds: i64) -> f64 {
    i64_to_float(date(seconds).2)
}

/// `day_of_week`: 0 (Sunday) to 6.
pub(crate) fn day_of_week(seconds: i64) -> f64 {
    // The epoch was a Thursday.
    let days = seconds.div_euclid(DAY_SECONDS);
    i64_to_float(days.saturating_add(4).rem_euclid(7))
}

/// `day_of_year`: 1 to 366.
pub(crate) fn day_of_year(seconds: i64) -> f64 {
    let days = seconds.div_euclid(DAY_SECONDS);
    let (year, ..) = civil_from_days(days);
    // The first of January is at most 365 days back.
    let new_year = (0..366)
        .find(|back| civil_from_days(days - back - 1).0 != year)
        .unwrap_or(0);
    i64_to_float(new_year + 1)
}

/// `days_in_month`: 28 to 31.
pub(crate) fn days_in_month(seconds: i64) -> f64 {
    let (year, month, _) = date(seconds);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30.0,
        2 if is_leap => 29.0,
        2 => 28.0,
        _ => 31.0,
    }
}

/// `hour`: 0 to 23.
pub(crate) fn hour(seconds: i64) -> f64 {
    i64_to_float(seconds.rem_euclid(DAY_SECONDS) / 3600)
}

/// `minute`: 0 to 59.
pub(crate) fn minute(seconds: i64) -> f64 {
    i64_to_float(seconds.rem_euclid(3600) / 60)
}
