//! Which expressions have the same value at every step.

use crate::ast::{Expr, ExprKind, Modifiers};

/// Functions that look at the moment of evaluation itself, or whose result is not worth repeating.
const STEP_DEPENDENT: [&str; 12] = [
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "time",
    "timestamp",
    "year",
    "info",
];

/// Whether the value of an expression does not depend on the step, because every selector in it is pinned
/// by `@`. Numbers and texts count as such, too.
pub(crate) fn is_step_invariant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number { .. } | ExprKind::String(_) => true,
        ExprKind::Vector(selector) => is_pinned(&selector.modifiers),
        ExprKind::Matrix(matrix) => is_pinned(&matrix.selector.modifiers),
        ExprKind::Subquery(subquery) => is_pinned(&subquery.modifiers),
        ExprKind::Call(call) => {
            !STEP_DEPENDENT.contains(&call.function.name)
                && call.arguments.iter().all(is_step_invariant)
        }
        ExprKind::Aggregate(aggregate) => {
            is_step_invariant(&aggregate.operand)
                && aggregate.parameter.as_deref().is_none_or(is_step_invariant)
        }
        ExprKind::Binary(binary) => {
            is_step_invariant(&binary.left) && is_step_invariant(&binary.right)
        }
        ExprKind::Unary { operand, .. } => is_step_invariant(operand),
        ExprKind::Paren(inner) => is_step_invariant(inner),
    }
}

const fn is_pinned(modifiers: &Modifiers) -> bool {
    modifiers.at.is_some()
}
