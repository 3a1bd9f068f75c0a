//! Selectors: the latest sample of each series at each step.

use super::duration::Shift;
use super::slices::Slice;
use super::value::{Row, Value};
use super::{Cell, Column, Evaluation, Samples, Sliding, Steps, without_parens};
use crate::annotations::message;
use crate::ast::{Expr, ExprKind, RangeBorders, Span, VectorSelector};
use crate::error::QueryError;
use crate::{functions, histogram};
use model::number::i64_to_float;
use model::{Columns, Histogram, Matcher, is_stale_marker};
use std::sync::Arc;

/// Which time of a sample is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SampleTime {
    /// When it was taken.
    Own,
    /// Since when it counts; 0 where that is unknown.
    Start,
}

impl SampleTime {
    fn of(self, columns: &Columns, index: usize) -> i64 {
        let time = match self {
            Self::Own => columns.timestamps.get(index),
            Self::Start => columns.starts.as_ref().and_then(|all| all.get(index)),
        };
        time.copied().unwrap_or_default()
    }
}

impl Evaluation<'_> {
    /// For each step the latest sample that is at most the look-back old (the far end excluded) and no
    /// staleness marker.
    pub(crate) fn vector_selector(
        &mut self,
        selector: &VectorSelector,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        if selector.borders == RangeBorders::Smoothed {
            return self.sliced(Slice::whole(steps), &|evaluation, slice| {
                evaluation.smoothed_selector(selector, span, slice.steps)
            });
        }
        let shift = self.shift(&selector.modifiers)?;
        self.latest(
            &selector.matchers,
            shift,
            steps,
            |columns, index| match histogram_at(columns, index) {
                Some(histogram) => Cell::Histogram(Arc::clone(histogram)),
                None => Cell::Float(columns.values.get(index).copied().unwrap_or(f64::NAN)),
            },
        )
    }

    /// The times, in seconds, of the samples that a selector selects; `None` where the expression is no
    /// selector.
    pub(crate) fn selected_times(
        &mut self,
        expr: &Expr,
        steps: Steps,
        which: SampleTime,
    ) -> Result<Option<Vec<Row>>, QueryError> {
        let ExprKind::Vector(selector) = &without_parens(expr).kind else {
            return Ok(None);
        };
        if selector.modifiers.at.is_some() && steps.count > 1 {
            let rows = self.selected_times(expr, steps.first_only(), which)?;
            return Ok(
                rows.map(|rows| match Value::Vector(rows).repeated(steps.count) {
                    Value::Vector(rows) => rows,
                    Value::Scalar(_) | Value::String(_) => Vec::new(),
                }),
            );
        }
        let shift = self.shift(&selector.modifiers)?;
        let rows = self.latest(&selector.matchers, shift, steps, |columns, index| {
            Cell::Float(i64_to_float(which.of(columns, index)) / 1000.0)
        })?;
        Ok(Some(rows))
    }

    /// Like a selector, but floats are replaced by the time, in milliseconds, they were taken at: what
    /// `info` needs to find the newest of several series.
    pub(crate) fn times_or_histograms(
        &mut self,
        matchers: &[Matcher],
        shift: Shift,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        self.latest(matchers, shift, steps, |columns, index| {
            if let Some(histogram) = histogram_at(columns, index) {
                return Cell::Histogram(Arc::clone(histogram));
            }
            let time = columns.timestamps.get(index).copied().unwrap_or_default();
            Cell::Float(i64_to_float(time))
        })
    }

    fn latest(
        &mut self,
        matchers: &[Matcher],
        shift: Shift,
        steps: Steps,
        cell: impl Fn(&Columns, usize) -> Cell,
    ) -> Result<Vec<Row>, QueryError> {
        self.sliced(Slice::whole(steps), &|evaluation, slice| {
            evaluation.latest_of_slice(matchers, shift, slice.steps, &cell)
        })
    }

    fn latest_of_slice(
        &mut self,
        matchers: &[Matcher],
        shift: Shift,
        steps: Steps,
        cell: &impl Fn(&Columns, usize) -> Cell,
    ) -> Result<Vec<Row>, QueryError> {
        let Some((first, last)) = extent(shift, steps) else {
            return Ok(Vec::new());
        };
        let start = first.saturating_sub(self.lookback_ms).saturating_add(1);
        let selected = self.select(matchers, (start, last))?;
        let mut rows = Vec::with_capacity(selected.len());
        for series in selected {
            self.check()?;
            let mut column = Column::default();
            let columns = &series.columns;
            let times = &columns.timestamps;
            let mut next = 0;
            for step in 0..steps.count {
                let at = shift.of(steps.at(step));
                while times.get(next).is_some_and(|time| *time <= at) {
                    next += 1;
                }
                let Some(index) = next.checked_sub(1) else {
                    continue;
                };
                let oldest = at.saturating_sub(self.lookback_ms);
                let is_fresh = times.get(index).is_some_and(|time| *time > oldest);
                if is_fresh && !is_stale(columns, index) {
                    column.push(step, cell(columns, index));
                }
            }
            self.touch(column.present());
            if !column.is_empty() {
                self.hold(column.cells())?;
                rows.push(Row {
                    labels: series.labels,
                    drops_name: false,
                    column,
                });
            }
        }
        Ok(rows)
    }

    /// `smoothed`: between two samples the value is interpolated, after the last one it stays, each as far as
    /// the look-back reaches.
    fn smoothed_selector(
        &mut self,
        selector: &VectorSelector,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        let shift = self.shift(&selector.modifiers)?;
        let Some((first, last)) = extent(shift, steps) else {
            return Ok(Vec::new());
        };
        let start = first.saturating_sub(self.lookback_ms).saturating_add(1);
        let end = last.saturating_add(self.lookback_ms);
        let mut rows = Vec::new();
        for series in self.select(&selector.matchers, (start, end))? {
            self.check()?;
            let samples = Samples::new(series.labels, &series.columns);
            let mut sliding = Sliding::default();
            let mut column = Column::default();
            for step in 0..steps.count {
                let at = shift.of(steps.at(step));
                let window = sliding.window(
                    &samples,
                    at.saturating_sub(self.lookback_ms),
                    at.saturating_add(self.lookback_ms),
                );
                let name = samples.labels.metric_name();
                if !window.floats.is_empty() && !window.histograms.is_empty() {
                    let text = message::mixed_floats_histograms(name);
                    self.notes.warn(span, text);
                    continue;
                }
                if histogram::are_mixed(window.histograms) {
                    let text = message::mixed_exponential_custom(name);
                    self.notes.warn(span, text);
                    continue;
                }
                if let Some(cell) = functions::interpolated(&window, at) {
                    column.push(step, cell);
                }
            }
            self.touch(column.present());
            if !column.is_empty() {
                self.hold(column.cells())?;
                rows.push(Row {
                    labels: samples.labels,
                    drops_name: false,
                    column,
                });
            }
        }
        Ok(rows)
    }
}

/// The earliest and the latest moment that a selector looks at; `None` without steps.
pub(crate) fn extent(shift: Shift, steps: Steps) -> Option<(i64, i64)> {
    if steps.count == 0 {
        return None;
    }
    Some((shift.of(steps.start), shift.of(steps.end())))
}

fn is_stale(columns: &Columns, index: usize) -> bool {
    match histogram_at(columns, index) {
        Some(histogram) => histogram::is_stale(histogram),
        None => columns
            .values
            .get(index)
            .is_some_and(|value| is_stale_marker(*value)),
    }
}

fn histogram_at(columns: &Columns, index: usize) -> Option<&Arc<Histogram>> {
    let histograms = &columns.histograms;
    if histograms.is_empty() {
        return None;
    }
    let place = histograms
        .binary_search_by_key(&index, |(at, _)| *at)
        .ok()?;
    histograms.get(place).map(|(_, histogram)| histogram)
}
