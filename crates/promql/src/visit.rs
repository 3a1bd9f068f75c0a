//! Walks over the selectors of a query, to read or to change them.

use crate::ast::{AtModifier, Expr, ExprKind, VectorSelector};

impl Expr {
    /// Calls `see` with this expression and then all its parts, outermost first. Selectors inside ranges
    /// are seen as the ranges they belong to.
    pub fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Self)) {
        see(self);
        match &self.kind {
            ExprKind::Number { .. }
            | ExprKind::String(_)
            | ExprKind::Vector(_)
            | ExprKind::Matrix(_) => {}
            ExprKind::Subquery(subquery) => subquery.expr.visit(see),
            ExprKind::Call(call) => {
                for argument in &call.arguments {
                    argument.visit(see);
                }
            }
            ExprKind::Aggregate(aggregate) => {
                if let Some(parameter) = &aggregate.parameter {
                    parameter.visit(see);
                }
                aggregate.operand.visit(see);
            }
            ExprKind::Binary(binary) => {
                binary.left.visit(see);
                binary.right.visit(see);
            }
            ExprKind::Unary { operand, .. } => operand.visit(see),
            ExprKind::Paren(inner) => inner.visit(see),
        }
    }

    /// All selectors, those of ranges included, in the order of the text.
    #[must_use]
    pub fn selectors(&self) -> Vec<&VectorSelector> {
        let mut selectors = Vec::new();
        self.visit(&mut |expr| match &expr.kind {
            ExprKind::Vector(selector) => selectors.push(selector),
            ExprKind::Matrix(matrix) => selectors.push(&matrix.selector),
            _ => {}
        });
        selectors
    }

    /// Calls `change` with every selector, those of ranges included.
    pub fn change_selectors(&mut self, change: &mut dyn FnMut(&mut VectorSelector)) {
        match &mut self.kind {
            ExprKind::Number { .. } | ExprKind::String(_) => {}
            ExprKind::Vector(selector) => change(selector),
            ExprKind::Matrix(matrix) => change(&mut matrix.selector),
            ExprKind::Subquery(subquery) => subquery.expr.change_selectors(change),
            ExprKind::Call(call) => {
                for argument in &mut call.arguments {
                    argument.change_selectors(change);
                }
            }
            ExprKind::Aggregate(aggregate) => {
                if let Some(parameter) = &mut aggregate.parameter {
                    parameter.change_selectors(change);
                }
                aggregate.operand.change_selectors(change);
            }
            ExprKind::Binary(binary) => {
                binary.left.change_selectors(change);
                binary.right.change_selectors(change);
            }
            ExprKind::Unary { operand, .. } => operand.change_selectors(change),
            ExprKind::Paren(inner) => inner.change_selectors(change),
        }
    }

    /// Pins every selector and outermost subquery that is not pinned to a time yet to `millis`, `start()`
    /// and `end()` included; what stands inside a subquery then follows from it.
    pub(crate) fn pin(&mut self, millis: i64) {
        let pinned = |at: &mut Option<AtModifier>| {
            if !matches!(at, Some(AtModifier::Millis(_))) {
                *at = Some(AtModifier::Millis(millis));
            }
        };
        match &mut self.kind {
            ExprKind::Number { .. } | ExprKind::String(_) => {}
            ExprKind::Vector(selector) => pinned(&mut selector.modifiers.at),
            ExprKind::Matrix(matrix) => pinned(&mut matrix.selector.modifiers.at),
            ExprKind::Subquery(subquery) => pinned(&mut subquery.modifiers.at),
            ExprKind::Call(call) => {
                for argument in &mut call.arguments {
                    argument.pin(millis);
                }
            }
            ExprKind::Aggregate(aggregate) => {
                if let Some(parameter) = &mut aggregate.parameter {
                    parameter.pin(millis);
                }
                aggregate.operand.pin(millis);
            }
            ExprKind::Binary(binary) => {
                binary.left.pin(millis);
                binary.right.pin(millis);
            }
            ExprKind::Unary { operand, .. } => operand.pin(millis),
            ExprKind::Paren(inner) => inner.pin(millis),
        }
    }
}
