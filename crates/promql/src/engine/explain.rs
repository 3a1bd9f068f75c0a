//! What a query was made of and where its time went: the tree that `binnacle query --explain` prints.

use super::chain::{Chain, Costs};
use super::value::Row;
use super::{Evaluation, Value};
use crate::ast::{Expr, ExprKind};
use crate::error::QueryError;
use std::time::Duration;

/// Nodes of a tree at most; parts of larger expressions are left out.
const NODES_MAX: usize = 1000;

/// One part of an expression, as it was evaluated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanNode {
    /// The part, as text.
    pub expr: String,
    /// How it was evaluated.
    pub how: &'static str,
    /// Series of its result.
    pub series: usize,
    /// Series that it read from the store itself.
    pub series_read: usize,
    /// Samples that it read from the store itself.
    pub samples_read: usize,
    /// Samples that its windows and those of its children held, counted once for every step.
    pub samples_touched: u64,
    /// Seconds from beginning to end, its children included.
    pub seconds: f64,
    /// Processor seconds of all threads for reading.
    pub reading_seconds: f64,
    /// Processor seconds of all threads for evaluating the series that were read.
    pub evaluating_seconds: f64,
    /// Its parts.
    pub children: Vec<Self>,
}

/// Nodes that are being evaluated.
#[derive(Default)]
pub(super) struct Plan {
    open: Vec<(PlanNode, Duration, u64)>,
    finished: Option<PlanNode>,
    count: usize,
}

impl Evaluation<'_> {
    /// Whether the tree is asked for.
    pub(crate) const fn is_explained(&self) -> bool {
        self.plan.is_some()
    }

    /// Begins a part of the expression, where the tree is asked for; answers whether `end_node` is to end it.
    pub(super) fn begin_node(&mut self, expr: &Expr) -> bool {
        // A pair of parentheses is no node of its own.
        let is_explained = self.is_explained() && !matches!(expr.kind, ExprKind::Paren(_));
        if is_explained {
            self.open_node(expr, "at all steps");
        }
        is_explained
    }

    /// Ends what `begin_node` began.
    pub(super) fn end_node(&mut self, value: &Value) {
        self.close_node(match value {
            Value::Vector(rows) => rows.len(),
            Value::Scalar(_) | Value::String(_) => 0,
        });
    }

    /// Begins a chain that is evaluated while its results are folded; `end_fused` ends it.
    pub(super) fn begin_fused<'e>(
        &mut self,
        expr: &'e Expr,
        prepare: impl FnOnce(&mut Self) -> Result<Chain<'e>, QueryError>,
    ) -> Result<Chain<'e>, QueryError> {
        if self.is_explained() {
            self.open_node(expr, "at all steps");
        }
        prepare(self)
    }

    /// Ends what `begin_fused` began; `rows` are given where they were needed after all.
    pub(super) fn end_fused(&mut self, rows: Option<&[Row]>) {
        let series = match (rows, self.plan.as_ref().and_then(|plan| plan.open.last())) {
            (Some(rows), _) => rows.len(),
            (None, Some((node, ..))) => node.series_read,
            (None, None) => 0,
        };
        self.close_node(series);
    }

    /// Notes what a chain cost.
    pub(super) fn spent(&mut self, costs: Costs) {
        self.stats.samples_read += costs.samples_read;
        if let Some((node, ..)) = self.plan.as_mut().and_then(|plan| plan.open.last_mut()) {
            node.how = "series by series";
            node.series_read += costs.series;
            node.samples_read += costs.samples_read;
            node.reading_seconds += costs.reading.as_secs_f64();
            node.evaluating_seconds += costs.evaluating.as_secs_f64();
        }
    }

    fn open_node(&mut self, expr: &Expr, how: &'static str) {
        let begun = self.options.clock.monotonic();
        let touched = self.stats.samples_touched;
        if let Some(plan) = &mut self.plan {
            let node = PlanNode {
                expr: expr.to_string(),
                how,
                ..PlanNode::default()
            };
            plan.open.push((node, begun, touched));
        }
    }

    fn close_node(&mut self, series: usize) {
        let now = self.options.clock.monotonic();
        let touched = self.stats.samples_touched;
        let Some(plan) = &mut self.plan else {
            return;
        };
        let Some((mut node, begun, touched_before)) = plan.open.pop() else {
            return;
        };
        node.series = series;
        node.seconds = now.saturating_sub(begun).as_secs_f64();
        node.samples_touched = touched.saturating_sub(touched_before);
        plan.count += 1;
        match plan.open.last_mut() {
            Some((parent, ..)) if plan.count < NODES_MAX => parent.children.push(node),
            Some(_) => {}
            None => plan.finished = Some(node),
        }
    }

    pub(super) fn take_plan(&mut self) -> Option<PlanNode> {
        self.plan.take()?.finished
    }
}
