//! Prints a query on several lines, as `/api/v1/format_query` does.
//!
//! What fits into a line of 100 characters stays on one; longer parts are split at their operator,
//! parentheses or arguments, two blanks deeper each time.

use crate::ast::{Expr, ExprKind};
use crate::printer::{AggregateHead, BinaryHead, SubquerySuffix};

/// The longest part that is not split.
const LINE_MAX: usize = 100;

impl Expr {
    /// The query on as many lines as it needs.
    #[must_use]
    pub fn pretty(&self) -> String {
        self.indented(0)
    }

    fn indented(&self, level: usize) -> String {
        let indent = "  ".repeat(level);
        let line = self.to_string();
        if let ExprKind::Unary { negative, operand } = &self.kind {
            let sign = if *negative { '-' } else { '+' };
            return format!("{indent}{sign}{}", operand.indented(level).trim());
        }
        if line.len() <= LINE_MAX {
            return format!("{indent}{line}");
        }
        let deeper = level + 1;
        match &self.kind {
            ExprKind::Number { .. }
            | ExprKind::String(_)
            | ExprKind::Vector(_)
            | ExprKind::Matrix(_)
            | ExprKind::Unary { .. } => format!("{indent}{line}"),
            ExprKind::Subquery(subquery) => {
                format!(
                    "{}{}",
                    subquery.expr.indented(level),
                    SubquerySuffix(subquery)
                )
            }
            ExprKind::Paren(inner) => format!("{indent}(\n{}\n{indent})", inner.indented(deeper)),
            ExprKind::Call(call) => {
                let arguments: Vec<String> = call
                    .arguments
                    .iter()
                    .map(|argument| argument.indented(deeper))
                    .collect();
                let name = call.function.name;
                format!("{indent}{name}(\n{}\n{indent})", arguments.join(",\n"))
            }
            ExprKind::Aggregate(aggregate) => {
                let parameter = aggregate
                    .parameter
                    .as_ref()
                    .map(|parameter| format!("{},\n", parameter.indented(deeper)))
                    .unwrap_or_default();
                let head = AggregateHead(aggregate);
                let operand = aggregate.operand.indented(deeper);
                format!("{indent}{head}(\n{parameter}{operand}\n{indent})")
            }
            ExprKind::Binary(binary) => {
                let (left, right) = (&binary.left, &binary.right);
                format!(
                    "{}\n{indent}{}\n{}",
                    left.indented(deeper),
                    BinaryHead(binary),
                    right.indented(deeper)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::parse;

    fn check(query: &str, wanted: &str) {
        assert_eq!(
            parse(query).map(|expr| expr.pretty()).as_deref(),
            Ok(wanted)
        );
    }

    #[test]
    fn splits_what_is_too_long_for_a_line() {
        check("sum(rate(a[5m]))by(x)", "sum by (x) (rate(a[5m]))");
        let long = "a_metric_with_a_long_name{label=\"and a label\"}";
        check(
            &format!("sum(rate({long}[5m])) by(x) / on(x) group_left -(sum({long}) + sum({long}))"),
            &format!(
                "  sum by (x) (rate({long}[5m]))\n/ on (x) group_left ()\n  -(\n      sum({long})\n    +\n      sum({long})\n  )"
            ),
        );
        check(
            &format!(
                "quantile(0.9, label_replace({long}, 'a', 'b', 'c', 'd{}'))",
                "e".repeat(60)
            ),
            &format!(
                "quantile(\n  0.9,\n  label_replace(\n    {long},\n    \"a\",\n    \"b\",\n    \"c\",\n    \"d{}\"\n  )\n)",
                "e".repeat(60)
            ),
        );
        check(
            &format!("max_over_time(({long} - {long} offset 1d)[1h:5m])"),
            &format!(
                "max_over_time(\n  (\n      {long}\n    -\n      {long} offset 1d\n  )[1h:5m]\n)"
            ),
        );
    }
}
