//! Selectors that are not evaluated as expressions: the times of samples, what `info` looks up.

use super::Steps;
use super::base::Base;
use super::chain::Chain;
use super::duration::Shift;
use super::value::{Row, Value};
use super::{Evaluation, without_parens};
use crate::ast::{Expr, ExprKind};
use crate::error::QueryError;
use crate::histogram;
use model::number::i64_to_float;
use model::{Columns, Histogram, Matcher, is_stale_marker};
use std::sync::Arc;

/// What is taken of the latest sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// Its value.
    Value,
    /// When it was taken, in seconds.
    Time,
    /// Since when it counts, in seconds; 0 where that is unknown.
    Start,
    /// The time, in milliseconds, of a float, but a histogram as it is: what `info` needs to find the newest of
    /// several series.
    TimeOrHistogram,
}

impl Pick {
    /// The float that is taken of the sample at a place.
    pub(super) fn float(self, columns: &Columns, place: usize) -> f64 {
        let time = |times: &[i64]| i64_to_float(times.get(place).copied().unwrap_or_default());
        match self {
            Self::Value => columns.values.get(place).copied().unwrap_or(f64::NAN),
            Self::Time => time(&columns.timestamps) / 1000.0,
            Self::Start => time(columns.starts.as_deref().unwrap_or_default()) / 1000.0,
            Self::TimeOrHistogram => time(&columns.timestamps),
        }
    }
}

impl Evaluation<'_> {
    /// The times, in seconds, of the samples that a selector selects; `None` where the expression is no
    /// selector.
    pub(crate) fn selected_times(
        &mut self,
        expr: &Expr,
        steps: Steps,
        pick: Pick,
    ) -> Result<Option<Vec<Row>>, QueryError> {
        let ExprKind::Vector(selector) = &without_parens(expr).kind else {
            return Ok(None);
        };
        if selector.modifiers.at.is_some() && steps.count > 1 {
            let rows = self.selected_times(expr, steps.first_only(), pick)?;
            return Ok(
                rows.map(|rows| match Value::Vector(rows).repeated(steps.count) {
                    Value::Vector(rows) => rows,
                    Value::Scalar(_) | Value::String(_) => Vec::new(),
                }),
            );
        }
        let shift = self.shift(&selector.modifiers)?;
        self.latest(&selector.matchers, (shift, pick), steps)
            .map(Some)
    }

    /// What is picked of the latest sample of each series that fulfils the matchers.
    pub(crate) fn latest(
        &mut self,
        matchers: &[Matcher],
        (shift, pick): (Shift, Pick),
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        let chain = Chain {
            matchers,
            base: Base::Latest { pick, shift },
            stages: Vec::new(),
        };
        self.chain_rows(&chain, steps)
    }
}

/// The earliest and the latest moment that a selector looks at; `None` without steps.
pub(crate) fn extent(shift: Shift, steps: Steps) -> Option<(i64, i64)> {
    if steps.count == 0 {
        return None;
    }
    Some((shift.of(steps.start), shift.of(steps.end())))
}

pub(super) fn is_stale(columns: &Columns, index: usize) -> bool {
    match histogram_at(columns, index) {
        Some(histogram) => histogram::is_stale(histogram),
        None => columns
            .values
            .get(index)
            .is_some_and(|value| is_stale_marker(*value)),
    }
}

pub(super) fn histogram_at(columns: &Columns, index: usize) -> Option<&Arc<Histogram>> {
    let histograms = &columns.histograms;
    if histograms.is_empty() {
        return None;
    }
    let place = histograms
        .binary_search_by_key(&index, |(at, _)| *at)
        .ok()?;
    histograms.get(place).map(|(_, histogram)| histogram)
}
