//! From how far around a step its value is made.

use crate::ast::{DurationExpr, Expr, ExprKind, Modifiers, RangeBorders, VectorSelector};

/// Functions whose value at a step is not made of that step's samples alone, or depends on the whole query.
const NOT_LOCAL: [&str; 6] = ["end", "info", "range", "start", "start_timestamp", "step"];

/// How far before and after a step samples count, in milliseconds; neither is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) before_ms: i64,
    pub(super) after_ms: i64,
}

impl Expr {
    /// How far before a step samples count for the value there, in milliseconds. `None` where the value depends on more
    /// than the samples around the step: then evaluating a range is not the same as evaluating each of its moments.
    #[must_use]
    pub fn reach_before_ms(&self, lookback_ms: i64) -> Option<i64> {
        Reach::of(self, lookback_ms).map(|reach| reach.before_ms)
    }
}

impl Reach {
    /// The reach of an expression; `None` where the value at a step depends on more than the samples around
    /// it: on the query's own range, on a fixed moment, or on what is experimental.
    pub(super) fn of(expr: &Expr, lookback_ms: i64) -> Option<Self> {
        match &expr.kind {
            ExprKind::Number { .. } | ExprKind::String(_) => Some(Self::default()),
            ExprKind::Vector(selector) => Self::of_selector(selector, 0, lookback_ms),
            ExprKind::Matrix(matrix) => {
                Self::of_selector(&matrix.selector, millis(&matrix.range)?, lookback_ms)
            }
            ExprKind::Subquery(subquery) => {
                if let Some(step) = &subquery.step {
                    millis(step)?;
                }
                let inner = Self::of(&subquery.expr, lookback_ms)?;
                let window = Self {
                    before_ms: millis(&subquery.range)?,
                    after_ms: 0,
                };
                inner.and_then(window).shifted(&subquery.modifiers)
            }
            ExprKind::Call(call) => {
                if call.function.experimental || NOT_LOCAL.contains(&call.function.name) {
                    return None;
                }
                Self::of_all(call.arguments.iter(), lookback_ms)
            }
            ExprKind::Aggregate(aggregate) => {
                let parameter = aggregate.parameter.as_deref();
                Self::of_all(
                    parameter.into_iter().chain([&*aggregate.operand]),
                    lookback_ms,
                )
            }
            ExprKind::Binary(binary) => {
                Self::of_all([&*binary.left, &*binary.right].into_iter(), lookback_ms)
            }
            ExprKind::Unary { operand, .. } => Self::of(operand, lookback_ms),
            ExprKind::Paren(inner) => Self::of(inner, lookback_ms),
        }
    }

    fn of_all<'e>(mut all: impl Iterator<Item = &'e Expr>, lookback_ms: i64) -> Option<Self> {
        all.try_fold(Self::default(), |widest, expr| {
            let one = Self::of(expr, lookback_ms)?;
            Some(Self {
                before_ms: widest.before_ms.max(one.before_ms),
                after_ms: widest.after_ms.max(one.after_ms),
            })
        })
    }

    fn of_selector(selector: &VectorSelector, range_ms: i64, lookback_ms: i64) -> Option<Self> {
        let after_ms = match selector.borders {
            RangeBorders::Plain | RangeBorders::Anchored => 0,
            RangeBorders::Smoothed => lookback_ms,
        };
        Self {
            before_ms: range_ms.checked_add(lookback_ms)?,
            after_ms,
        }
        .shifted(&selector.modifiers)
    }

    /// The reach of windows around what has this reach.
    fn and_then(self, window: Self) -> Self {
        Self {
            before_ms: self.before_ms.saturating_add(window.before_ms),
            after_ms: self.after_ms.saturating_add(window.after_ms),
        }
    }

    fn shifted(self, modifiers: &Modifiers) -> Option<Self> {
        if modifiers.at.is_some() {
            return None;
        }
        let offset_ms = match &modifiers.offset {
            Some(offset) => millis(offset)?,
            None => 0,
        };
        Some(Self {
            before_ms: self.before_ms.saturating_add(offset_ms).max(0),
            after_ms: self.after_ms.saturating_sub(offset_ms).max(0),
        })
    }
}

/// A duration that does not have to be computed from the query.
const fn millis(duration: &DurationExpr) -> Option<i64> {
    match duration {
        DurationExpr::Millis(millis) => Some(*millis),
        DurationExpr::Computed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Reach;

    #[test]
    fn knows_what_a_step_is_made_of() {
        let check = |query: &str, want: Option<(i64, i64)>| {
            let expr = crate::parse(query).unwrap();
            let reach = Reach::of(&expr, 300_000);
            let found = reach.map(|reach| (reach.before_ms / 1000, reach.after_ms / 1000));
            assert_eq!(found, want, "{query}");
        };
        check("1 + time()", Some((0, 0)));
        check("up", Some((300, 0)));
        check("up offset 1m", Some((360, 0)));
        check("up offset -10m", Some((0, 600)));
        check("sum by (job) (rate(x_total[5m])) / up", Some((600, 0)));
        check(
            "max_over_time(rate(x_total[5m])[1h:1m] offset 1h)",
            Some((7800, 0)),
        );
        check("topk(2, x) > bool scalar(y offset 10m)", Some((900, 0)));
        check("up @ 100", None);
        check("up @ end()", None);
        check("rate(x_total[5m] @ start())", None);
    }
}
