//! Operators on single values.

use super::super::Cell;
use crate::ast::BinaryOperator as Operator;
use crate::histogram::{self, trim};
use model::Histogram;
use std::sync::Arc;

/// What an operator makes of two values.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The value; for comparisons the left one.
    pub(super) cell: Cell,
    /// Whether a comparison holds; true for all other operators.
    pub(super) keep: bool,
    /// Whether histograms contradict each other on a counter reset.
    pub(super) resets_collide: bool,
    /// Whether custom bounds had to be reconciled.
    pub(super) bounds_reconciled: bool,
}

impl Outcome {
    fn plain(cell: Cell, keep: bool) -> Self {
        Self {
            cell,
            keep,
            resets_collide: false,
            bounds_reconciled: false,
        }
    }
}

/// Why an operator makes nothing of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Incompatible {
    /// It is not defined for them.
    Types {
        /// What the left value is.
        left: &'static str,
        /// What the right value is.
        right: &'static str,
    },
    /// Exponential and custom buckets do not mix.
    Schemas,
}

/// Whether an operator compares.
pub(super) const fn is_comparison(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual
    )
}

/// The operator as written.
pub(super) const fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Modulo => "%",
        Operator::Power => "^",
        Operator::Atan2 => "atan2",
        Operator::Equal => "==",
        Operator::NotEqual => "!=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::And => "and",
        Operator::Or => "or",
        Operator::Unless => "unless",
        Operator::TrimUpper => "</",
        Operator::TrimLower => ">/",
    }
}

/// What an operator makes of two scalars; a comparison gives 1 or 0.
pub(super) fn scalars(operator: Operator, left: f64, right: f64) -> f64 {
    match floats(operator, left, right) {
        Some((_, keep)) if is_comparison(operator) => f64::from(u8::from(keep)),
        Some((value, _)) => value,
        None => f64::NAN,
    }
}

/// The value and whether a comparison holds; `None` for operators that floats do not have.
pub(super) fn floats(operator: Operator, left: f64, right: f64) -> Option<(f64, bool)> {
    Some(match operator {
        Operator::Add => (left + right, true),
        Operator::Subtract => (left - right, true),
        Operator::Multiply => (left * right, true),
        Operator::Divide => (left / right, true),
        Operator::Modulo => (left % right, true),
        Operator::Power => (left.powf(right), true),
        Operator::Atan2 => (left.atan2(right), true),
        Operator::Equal => (left, left == right),
        Operator::NotEqual => (left, left != right),
        Operator::Less => (left, left < right),
        Operator::LessOrEqual => (left, left <= right),
        Operator::Greater => (left, left > right),
        Operator::GreaterOrEqual => (left, left >= right),
        Operator::And
        | Operator::Or
        | Operator::Unless
        | Operator::TrimUpper
        | Operator::TrimLower => return None,
    })
}

/// What an operator makes of two values of any kind.
pub(super) fn cells(operator: Operator, sides: (&Cell, &Cell)) -> Result<Outcome, Incompatible> {
    let types = |left, right| Incompatible::Types { left, right };
    match sides {
        (Cell::Float(left), Cell::Float(right)) => floats(operator, *left, *right)
            .map(|(value, keep)| Outcome::plain(Cell::Float(value), keep))
            .ok_or(types("float", "float")),
        (Cell::Float(left), Cell::Histogram(right)) => match operator {
            Operator::Multiply => Ok(whole(&histogram::scaled(right, *left))),
            _ => Err(types("float", "histogram")),
        },
        (Cell::Histogram(left), Cell::Float(right)) => match operator {
            Operator::Multiply => Ok(whole(&histogram::scaled(left, *right))),
            Operator::Divide => Ok(whole(&histogram::divided(left, *right))),
            Operator::TrimUpper => Ok(whole(&trim::keep_below(left, *right))),
            Operator::TrimLower => Ok(whole(&trim::keep_above(left, *right))),
            _ => Err(types("histogram", "float")),
        },
        (Cell::Histogram(left), Cell::Histogram(right)) => {
            let unchanged = || Cell::Histogram(Arc::clone(left));
            match operator {
                Operator::Add => summed(histogram::added(left, right)),
                Operator::Subtract => {
                    let combined = histogram::subtracted(left, right);
                    summed(combined.map(histogram::Combined::into_gauge))
                }
                Operator::Equal => Ok(Outcome::plain(unchanged(), histogram::same(left, right))),
                Operator::NotEqual => {
                    Ok(Outcome::plain(unchanged(), !histogram::same(left, right)))
                }
                _ => Err(types("histogram", "histogram")),
            }
        }
    }
}

fn whole(histogram: &Histogram) -> Outcome {
    let compact = histogram::compacted(histogram);
    Outcome::plain(Cell::Histogram(Arc::new(compact)), true)
}

fn summed(
    combined: Result<histogram::Combined, histogram::IncompatibleSchemas>,
) -> Result<Outcome, Incompatible> {
    let combined = combined.map_err(|_schemas| Incompatible::Schemas)?;
    Ok(Outcome {
        cell: Cell::Histogram(Arc::new(combined.histogram)),
        keep: true,
        resets_collide: combined.resets_collide,
        bounds_reconciled: combined.bounds_reconciled,
    })
}

#[cfg(test)]
mod tests {
    use super::scalars;
    use crate::ast::BinaryOperator as Operator;

    #[test]
    fn computes_scalars() {
        let check = |operator, left, right, want: f64| {
            assert_eq!(scalars(operator, left, right), want, "{operator:?}");
        };
        check(Operator::Modulo, -5.5, 2.0, -1.5);
        check(Operator::Power, 2.0, 10.0, 1024.0);
        check(Operator::Divide, 1.0, 0.0, f64::INFINITY);
        check(Operator::LessOrEqual, 1.0, 1.0, 1.0);
        check(Operator::NotEqual, f64::NAN, f64::NAN, 1.0);
        check(Operator::Greater, 1.0, 1.0, 0.0);
    }
}
