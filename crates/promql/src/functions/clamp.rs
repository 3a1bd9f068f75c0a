//! `clamp*` and `round`: functions of a float and of scalars that may differ from step to step.

use crate::ast::Call;
use crate::engine::{Column, Evaluation, Stage, Steps};
use crate::error::QueryError;

type Prepared = Result<Stage<'static>, QueryError>;

/// `clamp(v, min, max)`
pub(crate) fn clamp(evaluation: &mut Evaluation<'_>, call: &Call, steps: Steps) -> Prepared {
    let min = scalar(evaluation, call, 1, steps)?;
    let max = scalar(evaluation, call, 2, steps)?;
    Ok(Stage::Bound { min, max })
}

/// `clamp_min(v, min)`
pub(crate) fn clamp_min(evaluation: &mut Evaluation<'_>, call: &Call, steps: Steps) -> Prepared {
    let min = scalar(evaluation, call, 1, steps)?;
    Ok(Stage::Bound { min, max: None })
}

/// `clamp_max(v, max)`
pub(crate) fn clamp_max(evaluation: &mut Evaluation<'_>, call: &Call, steps: Steps) -> Prepared {
    let max = scalar(evaluation, call, 1, steps)?;
    Ok(Stage::Bound { min: None, max })
}

/// `round(v, nearest = 1)`
pub(crate) fn round(evaluation: &mut Evaluation<'_>, call: &Call, steps: Steps) -> Prepared {
    let nearest = scalar(evaluation, call, 1, steps)?;
    Ok(Stage::Round { nearest })
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

/// Rounds the floats of a column to multiples of `nearest`; ties go up.
pub(crate) fn rounded(column: Column, nearest: Option<&[f64]>) -> Column {
    column.map_floats(|step, value| {
        // The inverse loses fewer bits: 1/0.1 is exactly 10.
        let inverse = 1.0 / at(nearest, step, 1.0);
        (value * inverse + 0.5).floor() / inverse
    })
}

/// Holds the floats of a column between bounds; where the bounds exclude each other there is no value.
pub(crate) fn bounded(column: Column, (min, max): (Option<&[f64]>, Option<&[f64]>)) -> Column {
    let bounds = |step: usize| {
        let min = at(min, step, f64::NEG_INFINITY);
        (min, at(max, step, f64::INFINITY))
    };
    let excludes = |step: usize| bounds(step).1 < bounds(step).0;
    let column = if column.range().any(excludes) {
        column.filter_map(|step, cell| (!excludes(step)).then_some(cell))
    } else {
        column
    };
    column.map_floats(|step, value| {
        let (min, max) = bounds(step);
        larger(min, smaller(max, value))
    })
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

fn at(values: Option<&[f64]>, step: usize, otherwise: f64) -> f64 {
    match values {
        Some(values) => values.get(step).copied().unwrap_or(f64::NAN),
        None => otherwise,
    }
}
