//! Aggregations: one value for each group of series at each step, or a choice of each group's series.
//!
//! Key decision: series are added one by one, in order, to what is known of their group; where the operand is a
//! chain (see there) they are never all in memory.

mod choose;
mod count_values;
mod groups;
mod reduce;

pub(crate) use groups::Grouping;

use super::chain::{Wanted, is_chain};
use super::value::Row;
use super::{Evaluation, Steps};
use crate::ast::{Aggregate, AggregateOperator, ExprKind, Span};
use crate::error::QueryError;
use groups::Groups;

/// An aggregation while it is evaluated.
pub(super) struct Aggregation<'a> {
    pub(super) aggregate: &'a Aggregate,
    /// Where the whole aggregation stands.
    pub(super) span: Span,
    /// The scalar parameter at each step, empty where there is none.
    pub(super) parameters: Vec<f64>,
    pub(super) steps: Steps,
    pub(super) grouping: Grouping,
}

impl Aggregation<'_> {
    pub(super) fn parameter(&self, step: usize) -> f64 {
        self.parameters.get(step).copied().unwrap_or(f64::NAN)
    }

    pub(super) fn parameter_span(&self) -> Span {
        let parameter = self.aggregate.parameter.as_ref();
        parameter.map_or(self.span, |parameter| parameter.span)
    }

    /// The largest and the smallest parameter; NaN is passed over.
    pub(super) fn parameter_extremes(&self) -> (f64, f64) {
        let fold = |start, choose: fn(f64, f64) -> f64| {
            self.parameters.iter().copied().fold(start, choose)
        };
        (
            fold(f64::NEG_INFINITY, f64::max),
            fold(f64::INFINITY, f64::min),
        )
    }
}

impl Evaluation<'_> {
    /// Evaluates an aggregation.
    pub(crate) fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        if aggregate.operator == AggregateOperator::CountValues {
            return self.count_values(aggregate, steps);
        }
        let parameters = match &aggregate.parameter {
            Some(parameter) => self.scalar(parameter, steps)?,
            None => Vec::new(),
        };
        let aggregation = Aggregation {
            aggregate,
            span,
            parameters,
            steps,
            grouping: Grouping::new(aggregate),
        };
        match aggregate.operator {
            AggregateOperator::Topk
            | AggregateOperator::Bottomk
            | AggregateOperator::Limitk
            | AggregateOperator::LimitRatio => self.choose(&aggregation),
            _ => self.reduce(&aggregation),
        }
    }

    /// Evaluates the operand of an aggregation, each row in the order of the labels: straight into `chained` where
    /// it is a chain, else as rows.
    fn operand_rows(
        &mut self,
        aggregation: &Aggregation<'_>,
        chained: Chained<'_>,
    ) -> Result<Option<Vec<Row>>, QueryError> {
        let (operand, steps) = (&aggregation.aggregate.operand, aggregation.steps);
        let is_shared = self
            .shared_part(super::without_parens(operand), steps)
            .is_some()
            || self.has_shared_link(operand, steps);
        if is_shared || !is_chain(operand, steps) {
            return self.vector(operand, steps).map(Some);
        }
        let chain = self.begin_fused(operand, |this| this.chain(operand, steps))?;
        let drops_name = chain.drops_name();
        let strips = drops_name && !self.options.delayed_name_removal;
        let wanted = (steps, Wanted::Keys(&aggregation.grouping));
        let folded = self.fold_chain(&chain, wanted, &mut |this, scan, batch| {
            let mut key_start = 0;
            for one in batch.series {
                let key = batch.keys.get(key_start..one.key_end).unwrap_or_default();
                key_start = one.key_end;
                let Some(labels) = scan.labels().get(one.place) else {
                    continue;
                };
                let member = Member {
                    place: one.place,
                    key,
                    labels,
                    strips,
                    drops_name,
                };
                let kept = chained(&member, one.column);
                this.hold(kept)?;
            }
            Ok(())
        })?;
        let rows = if folded {
            None
        } else {
            Some(self.chain_rows(&chain, steps)?)
        };
        self.end_fused(rows.as_deref());
        Ok(rows)
    }
}

/// Takes a series of the operand; answers how many cells more are kept than before.
type Chained<'c> = &'c mut (dyn FnMut(&Member<'_>, super::Column) -> usize + Send);

/// A series on its way into its group.
pub(super) struct Member<'m> {
    /// Its place among all series.
    pub(super) place: usize,
    /// The labels of its group, encoded.
    pub(super) key: &'m str,
    /// Its labels; name, type and unit are still there where `strips` says that they go.
    pub(super) labels: &'m model::Labels,
    pub(super) strips: bool,
    /// Whether its labels' name is to be removed at the end.
    pub(super) drops_name: bool,
}

/// The text parameter of `count_values`.
pub(super) fn text_parameter(aggregate: &Aggregate) -> Option<&str> {
    match &super::without_parens(aggregate.parameter.as_deref()?).kind {
        ExprKind::String(text) => Some(text),
        _ => None,
    }
}
