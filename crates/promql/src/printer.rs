//! Prints trees as upstream does: what users see in /api/v1/rules.
//!
//! One canonical line; labels of selectors are sorted, durations are in their canonical form. What is
//! printed reads back to an equal tree (spans aside).

use crate::ast::{
    Aggregate, AtModifier, Binary, Call, Cardinality, DurationExpr, DurationKind, DurationNode,
    Expr, ExprKind, Modifiers, RangeBorders, Subquery, VectorMatching, VectorSelector,
};
use model::labels::{Quoted, is_legacy_label_name};
use model::number::{float_to_i64, format_float, format_float_general};
use model::{METRIC_NAME, MatchOperator, format_duration};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number { value, is_duration } => number(f, *value, *is_duration),
            ExprKind::String(text) => write!(f, "{}", Quoted(text)),
            ExprKind::Vector(selector) => {
                write!(f, "{selector}{}", At(&selector.modifiers))?;
                borders(f, selector.borders)?;
                write!(f, "{}", Offset(&selector.modifiers))
            }
            ExprKind::Matrix(matrix) => {
                let selector = &matrix.selector;
                write!(f, "{selector}[{}]", matrix.range)?;
                borders(f, selector.borders)?;
                let modifiers = &selector.modifiers;
                write!(f, "{}{}", At(modifiers), Offset(modifiers))
            }
            ExprKind::Subquery(subquery) => {
                write!(f, "{}{}", subquery.expr, SubquerySuffix(subquery))
            }
            ExprKind::Call(call) => write!(f, "{call}"),
            ExprKind::Aggregate(aggregate) => {
                write!(f, "{}(", AggregateHead(aggregate))?;
                if let Some(parameter) = &aggregate.parameter {
                    write!(f, "{parameter}, ")?;
                }
                write!(f, "{})", aggregate.operand)
            }
            ExprKind::Binary(binary) => {
                let head = BinaryHead(binary);
                write!(f, "{} {head} {}", binary.left, binary.right)
            }
            ExprKind::Unary { negative, operand } => {
                write!(f, "{}{operand}", if *negative { '-' } else { '+' })
            }
            ExprKind::Paren(inner) => write!(f, "({inner})"),
        }
    }
}

fn number(f: &mut Formatter<'_>, value: f64, is_duration: bool) -> fmt::Result {
    if is_duration {
        f.write_str(&format_duration(float_to_i64((value * 1000.0).round())))
    } else {
        f.write_str(&format_float(value))
    }
}

fn borders(f: &mut Formatter<'_>, borders: RangeBorders) -> fmt::Result {
    f.write_str(match borders {
        RangeBorders::Plain => "",
        RangeBorders::Anchored => " anchored",
        RangeBorders::Smoothed => " smoothed",
    })
}

/// Name and conditions, without modifiers.
impl Display for VectorSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or_default();
        f.write_str(name)?;
        let conditions = printed_conditions(self);
        if conditions.is_empty() {
            // A selector without a name and conditions stands in `info`.
            return f.write_str(if name.is_empty() { "{}" } else { "" });
        }
        write!(f, "{{{}}}", conditions.join(","))
    }
}

/// The conditions as printed, sorted, without the one that the name before the braces stands for.
pub(crate) fn printed_conditions(selector: &VectorSelector) -> Vec<String> {
    let is_name = |matcher: &&model::Matcher| {
        matcher.name() == METRIC_NAME
            && matcher.operator() == MatchOperator::Equal
            && selector.name.as_deref() == Some(matcher.value())
    };
    let mut conditions: Vec<String> = selector
        .matchers
        .iter()
        .filter(|matcher| !is_name(matcher))
        .map(ToString::to_string)
        .collect();
    conditions.sort();
    conditions
}

/// ` @ 1.000`, or nothing.
struct At<'a>(&'a Modifiers);

impl Display for At<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.at {
            None => Ok(()),
            Some(AtModifier::Start) => f.write_str(" @ start()"),
            Some(AtModifier::End) => f.write_str(" @ end()"),
            Some(AtModifier::Millis(millis)) => {
                let sign = if millis < 0 { "-" } else { "" };
                let millis = millis.unsigned_abs();
                write!(f, " @ {sign}{}.{:03}", millis / 1000, millis % 1000)
            }
        }
    }
}

/// ` offset 5m`, or nothing.
struct Offset<'a>(&'a Modifiers);

impl Display for Offset<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.offset {
            None | Some(DurationExpr::Millis(0)) => Ok(()),
            Some(offset) => write!(f, " offset {offset}"),
        }
    }
}

/// What stands after the expression of a subquery.
pub(crate) struct SubquerySuffix<'a>(pub(crate) &'a Subquery);

impl Display for SubquerySuffix<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let subquery = self.0;
        write!(f, "[{}:", subquery.range)?;
        if let Some(step) = &subquery.step {
            write!(f, "{step}")?;
        }
        let modifiers = &subquery.modifiers;
        write!(f, "]{}{}", At(modifiers), Offset(modifiers))
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name)?;
        for (index, argument) in self.arguments.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{argument}")?;
        }
        f.write_char(')')
    }
}

/// What stands before the parenthesis of an aggregation.
pub(crate) struct AggregateHead<'a>(pub(crate) &'a Aggregate);

impl Display for AggregateHead<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let aggregate = self.0;
        f.write_str(aggregate.operator.name())?;
        if aggregate.without {
            write!(f, " without ({}) ", Names(&aggregate.grouping))
        } else if aggregate.grouping.is_empty() {
            Ok(())
        } else {
            write!(f, " by ({}) ", Names(&aggregate.grouping))
        }
    }
}

/// An operator with its modifiers.
pub(crate) struct BinaryHead<'a>(pub(crate) &'a Binary);

impl Display for BinaryHead<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.operator.symbol())?;
        if self.0.returns_bool {
            f.write_str(" bool")?;
        }
        match &self.0.matching {
            Some(matching) => write!(f, "{matching}"),
            None => Ok(()),
        }
    }
}

/// With a blank before each part.
impl Display for VectorMatching {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let group = match self.cardinality {
            Cardinality::ManyToOne => Some("group_left"),
            Cardinality::OneToMany => Some("group_right"),
            Cardinality::OneToOne | Cardinality::ManyToMany => None,
        };
        if self.on || !self.labels.is_empty() || group.is_some() {
            let keyword = if self.on { "on" } else { "ignoring" };
            write!(f, " {keyword} ({})", Names(&self.labels))?;
        }
        if let Some(group) = group {
            write!(f, " {group} ({})", Names(&self.include))?;
        }
        match (self.fill_left, self.fill_right) {
            (Some(left), Some(right)) if left.to_bits() == right.to_bits() => {
                write!(f, " fill ({})", format_float_general(left))
            }
            (left, right) => {
                if let Some(left) = left {
                    write!(f, " fill_left ({})", format_float_general(left))?;
                }
                if let Some(right) = right {
                    write!(f, " fill_right ({})", format_float_general(right))?;
                }
                Ok(())
            }
        }
    }
}

/// Label names with commas; quoted where they must be.
struct Names<'a>(&'a [String]);

impl Display for Names<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            if is_legacy_label_name(name) {
                f.write_str(name)?;
            } else {
                write!(f, "{}", Quoted(name))?;
            }
        }
        Ok(())
    }
}

impl Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Millis(millis) => f.write_str(&format_duration(*millis)),
            Self::Computed(node) => write!(f, "{node}"),
        }
    }
}

impl Display for DurationNode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DurationKind::Number { value, is_duration } => number(f, *value, *is_duration),
            DurationKind::Step => f.write_str("step()"),
            DurationKind::Range => f.write_str("range()"),
            DurationKind::Min(a, b) => write!(f, "min({a}, {b})"),
            DurationKind::Max(a, b) => write!(f, "max({a}, {b})"),
            DurationKind::Sign { negative, operand } => {
                write!(f, "{}{operand}", if *negative { "-" } else { "" })
            }
            DurationKind::Binary {
                operator,
                left,
                right,
            } => write!(f, "{left} {} {right}", operator.symbol()),
            DurationKind::Paren(inner) => write!(f, "({inner})"),
        }
    }
}
