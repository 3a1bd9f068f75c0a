//! Durations that are computed from the query's step and range, and the moment `@` names.

use super::Evaluation;
use crate::ast::{AtModifier, BinaryOperator, DurationExpr, DurationKind, DurationNode, Modifiers};
use crate::error::QueryError;
use model::number::{float_to_i64, i64_to_float};

/// Which moments a selector looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift {
    at: Option<i64>,
    offset_ms: i64,
}

impl Shift {
    /// The moment that is looked at when the step's moment is `time`.
    pub(crate) fn of(self, time: i64) -> i64 {
        self.at.unwrap_or(time).saturating_sub(self.offset_ms)
    }
}

impl Shift {
    /// Both shifts, one after the other: that of a subquery and that of a selector in it.
    pub(crate) fn then(self, inner: Self) -> Self {
        match inner.at {
            Some(_) => inner,
            None => Self {
                at: self.at,
                offset_ms: self.offset_ms.saturating_add(inner.offset_ms),
            },
        }
    }
}

impl Evaluation<'_> {
    /// What `offset` and `@` mean in this query.
    pub(crate) fn shift(&self, modifiers: &Modifiers) -> Result<Shift, QueryError> {
        let at = modifiers.at.map(|at| match at {
            AtModifier::Millis(millis) => millis,
            AtModifier::Start => self.query.start,
            AtModifier::End => self.query_end,
        });
        let offset_ms = match &modifiers.offset {
            Some(offset) => self.duration_ms(offset)?,
            None => 0,
        };
        Ok(Shift { at, offset_ms })
    }

    /// A duration that must be longer than nothing.
    pub(crate) fn positive_duration_ms(&self, duration: &DurationExpr) -> Result<i64, QueryError> {
        match self.duration_ms(duration)? {
            millis if millis > 0 => Ok(millis),
            _ => Err(QueryError::BadData(
                "duration must be greater than 0".to_owned(),
            )),
        }
    }

    /// A duration in milliseconds.
    pub(crate) fn duration_ms(&self, duration: &DurationExpr) -> Result<i64, QueryError> {
        match duration {
            DurationExpr::Millis(millis) => Ok(*millis),
            DurationExpr::Computed(node) => {
                let seconds = self.seconds(node)?;
                let nanoseconds = seconds.abs() * 1e9;
                if nanoseconds.is_nan() || nanoseconds >= i64_to_float(i64::MAX) {
                    return Err(QueryError::BadData("duration out of range".to_owned()));
                }
                Ok(float_to_i64((seconds * 1000.0).round()))
            }
        }
    }

    fn seconds(&self, node: &DurationNode) -> Result<f64, QueryError> {
        Ok(match &node.kind {
            DurationKind::Number { value, .. } => *value,
            DurationKind::Step if self.is_instant => 0.0,
            DurationKind::Step => i64_to_float(self.query.interval) / 1000.0,
            DurationKind::Range => i64_to_float(self.query_end - self.query.start) / 1000.0,
            DurationKind::Min(left, right) => self.seconds(left)?.min(self.seconds(right)?),
            DurationKind::Max(left, right) => self.seconds(left)?.max(self.seconds(right)?),
            DurationKind::Sign { negative, operand } => {
                let seconds = self.seconds(operand)?;
                if *negative { -seconds } else { seconds }
            }
            DurationKind::Paren(inner) => self.seconds(inner)?,
            DurationKind::Binary {
                operator,
                left,
                right,
            } => computed(*operator, self.seconds(left)?, self.seconds(right)?)?,
        })
    }
}

fn computed(operator: BinaryOperator, left: f64, right: f64) -> Result<f64, QueryError> {
    match operator {
        BinaryOperator::Add => Ok(left + right),
        BinaryOperator::Subtract => Ok(left - right),
        BinaryOperator::Multiply => Ok(left * right),
        BinaryOperator::Divide if right == 0.0 => {
            Err(QueryError::BadData("division by zero".to_owned()))
        }
        BinaryOperator::Divide => Ok(left / right),
        BinaryOperator::Modulo if right == 0.0 => {
            Err(QueryError::BadData("modulo by zero".to_owned()))
        }
        BinaryOperator::Modulo => Ok(left % right),
        BinaryOperator::Power => Ok(left.powf(right)),
        other => Err(QueryError::BadData(format!(
            "unexpected duration expression operator {other:?}"
        ))),
    }
}
