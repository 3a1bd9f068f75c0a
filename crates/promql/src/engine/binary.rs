//! Operations on two sides.

mod element;
mod matching;
mod set;
mod stepwise;

use super::column::ABSENT;
use super::stage::{ScalarSide, Stage, WithScalar};
use super::value::{Row, Value};
use super::{Cell, Column, Evaluation, Steps};
use crate::annotations::{Annotations, message};
use crate::ast::{Binary, BinaryOperator, Span};
use crate::error::QueryError;
use element::{Incompatible, Outcome};

impl Evaluation<'_> {
    /// Evaluates both sides and combines them.
    pub(crate) fn binary(
        &mut self,
        binary: &Binary,
        span: Span,
        steps: Steps,
    ) -> Result<Value, QueryError> {
        let left = self.eval(&binary.left, steps)?;
        let right = self.eval(&binary.right, steps)?;
        match (left, right) {
            (Value::Scalar(left), Value::Scalar(right)) => {
                let compute =
                    |(left, right): (&f64, &f64)| element::scalars(binary.operator, *left, *right);
                Ok(Value::Scalar(
                    left.iter().zip(&right).map(compute).collect(),
                ))
            }
            (Value::Vector(rows), Value::Scalar(values)) => {
                let side = ScalarSide::Right;
                self.with_scalar(binary, rows, (span, values, side))
            }
            (Value::Scalar(values), Value::Vector(rows)) => {
                let side = ScalarSide::Left;
                self.with_scalar(binary, rows, (span, values, side))
            }
            (Value::Vector(left), Value::Vector(right)) => {
                let rows = match binary.operator {
                    BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Unless => {
                        set::combined(binary, left, right, steps)?
                    }
                    _ => self.vectors(binary, span, (left, right), steps)?,
                };
                Ok(Value::Vector(rows))
            }
            (Value::String(_), _) | (_, Value::String(_)) => Err(QueryError::BadData(
                "binary expression must contain only scalar and instant vector types".to_owned(),
            )),
        }
    }

    fn with_scalar(
        &mut self,
        binary: &Binary,
        rows: Vec<Row>,
        (span, values, side): (Span, Vec<f64>, ScalarSide),
    ) -> Result<Value, QueryError> {
        let stage = Stage::Operate(WithScalar {
            binary,
            span,
            values,
            side,
        });
        self.staged(rows, &stage).map(Value::Vector)
    }

    fn note_incompatible(&mut self, operator: BinaryOperator, why: Incompatible, span: Span) {
        incompatible(operator, why, (&mut self.notes, span));
    }

    fn note_outcome(&mut self, operator: BinaryOperator, outcome: &Outcome, span: Span) {
        let name = if operator == BinaryOperator::Add {
            "addition"
        } else {
            "subtraction"
        };
        if outcome.resets_collide {
            self.notes
                .warn(span, message::counter_reset_collision(name));
        }
        if outcome.bounds_reconciled {
            self.notes
                .info(span, message::custom_buckets_reconciled(name));
        }
    }
}

/// Whether both sides must be vectors.
pub(super) const fn is_set_operator(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Unless
    )
}

/// Whether the result is no longer a value of the metric.
pub(super) const fn drops_name(binary: &Binary) -> bool {
    binary.returns_bool || !element::is_comparison(binary.operator)
}

fn incompatible(
    operator: BinaryOperator,
    why: Incompatible,
    (notes, span): (&mut Annotations, Span),
) {
    let symbol = element::symbol(operator);
    match why {
        Incompatible::Types { left, right } => {
            notes.info(span, message::incompatible_types(left, symbol, right));
        }
        Incompatible::Schemas => {
            let text =
                format!("incompatible bucket layout encountered for binary operator {symbol}");
            notes.warn(span, text);
        }
    }
}

/// Combines a column with a scalar.
pub(super) fn scalar_column(
    with: &WithScalar<'_>,
    column: Column,
    notes: &mut Annotations,
) -> Column {
    let (binary, operator) = (with.binary, with.binary.operator);
    if !column.has_histograms() && element::floats(operator, 0.0, 0.0).is_some() {
        return float_column(binary, column, (&with.values, with.side));
    }
    let mut why_not = None;
    let column = column.filter_map(|step, cell| {
        let scalar = Cell::Float(with.values.get(step).copied().unwrap_or(f64::NAN));
        let sides = match with.side {
            ScalarSide::Right => (&cell, &scalar),
            ScalarSide::Left => (&scalar, &cell),
        };
        match element::cells(operator, sides) {
            Err(why) => {
                why_not = Some(why);
                None
            }
            Ok(outcome) if binary.returns_bool => Some(truth(&outcome)),
            Ok(Outcome { keep: false, .. }) => None,
            // A comparison keeps the vector's value, whichever side it stands on.
            Ok(_) if element::is_comparison(operator) => Some(cell),
            Ok(outcome) => Some(outcome.cell),
        }
    });
    if let Some(why) = why_not {
        incompatible(operator, why, (notes, with.span));
    }
    column
}

/// Combines a column of floats with a scalar.
fn float_column(binary: &Binary, column: Column, (values, side): (&[f64], ScalarSide)) -> Column {
    let operator = binary.operator;
    let compares = element::is_comparison(operator);
    let combined = column.map_floats(|step, float| {
        let scalar = values.get(step).copied().unwrap_or(f64::NAN);
        let outcome = match side {
            ScalarSide::Right => element::floats(operator, float, scalar),
            ScalarSide::Left => element::floats(operator, scalar, float),
        };
        match outcome {
            Some((_, keep)) if binary.returns_bool => f64::from(u8::from(keep)),
            // A comparison keeps the vector's value, whichever side it stands on.
            Some((_, true)) if compares => float,
            Some((value, true)) => value,
            Some((_, false)) | None => ABSENT,
        }
    });
    if compares {
        combined.trimmed()
    } else {
        combined
    }
}

/// What `bool` makes of a comparison.
fn truth(outcome: &Outcome) -> Cell {
    Cell::Float(if outcome.keep { 1.0 } else { 0.0 })
}
