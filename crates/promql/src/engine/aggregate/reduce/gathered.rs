//! All values of a group, for `quantile`.

use super::super::Aggregation;
use crate::engine::column::ABSENT;
use crate::engine::{Column, is_absent};
use crate::functions::statistics;
use std::ops::Range;

/// Steps gathered at a time: enough to read each column in runs, few enough to stay in the cache.
const BLOCK_STEPS: usize = 32;

/// The columns of a group's series.
#[derive(Default)]
pub(super) struct Gathered {
    columns: Vec<Column>,
}

impl Gathered {
    pub(super) fn add(&mut self, column: Column) {
        self.columns.push(column);
    }

    /// The quantile at all steps; the parameter says which.
    pub(super) fn quantiles(&self, aggregation: &Aggregation<'_>) -> Column {
        let start = self.columns.iter().map(|column| column.range().start).min();
        let end = self.columns.iter().map(|column| column.range().end).max();
        let (start, end) = (start.unwrap_or(0), end.unwrap_or(0));
        let mut values = Vec::with_capacity(end - start);
        let mut block: Vec<Vec<f64>> = vec![Vec::new(); BLOCK_STEPS];
        for first in (start..end).step_by(BLOCK_STEPS) {
            let steps = first..end.min(first + BLOCK_STEPS);
            self.gather(steps.clone(), &mut block);
            for (step, floats) in steps.zip(&mut block) {
                values.push(if floats.is_empty() {
                    ABSENT
                } else {
                    statistics::quantile(aggregation.parameter(step), floats)
                });
            }
        }
        Column::from_floats(start, values)
    }

    /// Reads the values of all series at the block's steps.
    fn gather(&self, steps: Range<usize>, block: &mut [Vec<f64>]) {
        block.iter_mut().for_each(Vec::clear);
        for column in &self.columns {
            let (first, floats) = column.floats();
            let from = steps.start.max(first);
            let run = floats.get(from - first..).unwrap_or_default();
            let slots = block.get_mut(from - steps.start..).unwrap_or_default();
            for (slot, float) in slots
                .iter_mut()
                .take(steps.end.saturating_sub(from))
                .zip(run)
            {
                if !is_absent(*float) {
                    slot.push(*float);
                }
            }
        }
    }
}
