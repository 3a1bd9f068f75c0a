//! Subqueries: an expression evaluated at steps of its own, then looked at as a range vector.

use super::selector::extent;
use super::value::{Row, Value};
use super::window::{LabelledSamples, RangeVector, Samples};
use super::{Column, Evaluation, Steps};
use crate::ast::{RangeBorders, Subquery};
use crate::error::QueryError;
use model::Labels;

impl Evaluation<'_> {
    /// Evaluates the inner expression once, at every multiple of its step that any window covers.
    pub(crate) fn subquery(
        &mut self,
        subquery: &Subquery,
        steps: Steps,
    ) -> Result<RangeVector, QueryError> {
        let range_ms = self.positive_duration_ms(&subquery.range)?;
        let shift = self.shift(&subquery.modifiers)?;
        let interval = match &subquery.step {
            Some(step) => self.positive_duration_ms(step)?,
            None => self.subquery_step_ms,
        };
        let mut ranges = RangeVector {
            series: Vec::new(),
            range_ms,
            shift,
            borders: RangeBorders::Plain,
            beyond_ms: (0, 0),
        };
        let Some((first, last)) = extent(shift, steps) else {
            return Ok(ranges);
        };
        let after = first.saturating_sub(range_ms);
        let start = (after.div_euclid(interval) + 1).saturating_mul(interval);
        let inner = Steps::range(start, last, interval);
        if inner.count == 0 {
            return Ok(ranges);
        }
        let rows = match self.eval(&subquery.expr, inner)? {
            Value::Vector(rows) => rows,
            Value::Scalar(values) => vec![Row {
                labels: Labels::default(),
                drops_name: false,
                column: Column::from_floats(0, values),
            }],
            Value::String(_) => {
                return Err(QueryError::BadData(
                    "subquery is only allowed on instant vector".to_owned(),
                ));
            }
        };
        ranges.series = rows
            .into_iter()
            .map(|row| LabelledSamples {
                samples: Samples::from_column(&row.column, inner),
                labels: row.labels,
                drops_name: row.drops_name,
            })
            .collect();
        Ok(ranges)
    }
}
