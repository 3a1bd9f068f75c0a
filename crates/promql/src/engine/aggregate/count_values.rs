//! `count_values`: how many series have each value.

use super::{Grouping, text_parameter};
use crate::ast::Aggregate;
use crate::engine::column::ABSENT;
use crate::engine::{Cell, Column, Evaluation, Row, Steps, is_absent};
use crate::error::QueryError;
use crate::histogram;
use model::number::format_float;
use model::{Labels, METRIC_NAME};
use runtime::HashMap;

/// Samples that may be made between two looks at the limits.
const HOLD_CELLS: usize = 1 << 16;

/// What a result row holds besides its counts, in samples.
const ROW_CELLS: usize = 32;

/// A result row while it is counted.
struct Counted {
    labels: Labels,
    drops_name: bool,
    /// The step of the first count. Values that come and go have few.
    first: usize,
    counts: Vec<f64>,
}

/// All result rows, and where each label set stands.
#[derive(Default)]
struct Counts {
    places: HashMap<Labels, usize>,
    rows: Vec<Counted>,
}

impl Counts {
    /// The place of a label set; new ones have no count at any step.
    fn place(&mut self, labels: Labels) -> usize {
        let rows = &mut self.rows;
        *self.places.entry(labels).or_insert_with_key(|labels| {
            rows.push(Counted {
                labels: labels.clone(),
                drops_name: false,
                first: 0,
                counts: Vec::new(),
            });
            rows.len() - 1
        })
    }

    /// Counts one more; answers how many samples more are held.
    fn count(&mut self, place: usize, step: usize, drops_name: bool) -> usize {
        let Some(row) = self.rows.get_mut(place) else {
            return 0;
        };
        row.drops_name |= drops_name;
        let before = row.counts.len();
        if before == 0 {
            row.first = step;
        } else if step < row.first {
            let missing = std::iter::repeat_n(ABSENT, row.first - step);
            row.counts.splice(..0, missing);
            row.first = step;
        }
        let index = step - row.first;
        if row.counts.len() <= index {
            row.counts.resize(index + 1, ABSENT);
        }
        if let Some(count) = row.counts.get_mut(index) {
            *count = if is_absent(*count) { 1.0 } else { *count + 1.0 };
        }
        let new_row = if before == 0 { ROW_CELLS } else { 0 };
        row.counts.len() - before + new_row
    }
}

impl Evaluation<'_> {
    pub(super) fn count_values(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Vec<Row>, QueryError> {
        let label = text_parameter(aggregate)
            .ok_or_else(|| QueryError::BadData("expected a string parameter".to_owned()))?;
        if label.is_empty() {
            let text = format!("invalid label name {label:?}");
            return Err(QueryError::execution(text));
        }
        // What `without` takes away is not there even where it was just set.
        let is_taken_away = aggregate.without
            && (label == METRIC_NAME || aggregate.grouping.iter().any(|name| name == label));
        let grouping = Grouping::new(aggregate);
        let mut counts = Counts::default();
        for row in self.vector(&aggregate.operand, steps)? {
            self.check()?;
            let group = grouping.labels(&row.labels);
            let mut grown = 0;
            // Most series repeat their value: its label set is looked up once.
            let mut last: Option<(u64, usize)> = None;
            for (step, cell) in row.column.iter() {
                let bits = match &cell {
                    Cell::Float(float) => Some(float.to_bits()),
                    Cell::Histogram(_) => None,
                };
                let place = match last.filter(|(known, _)| Some(*known) == bits) {
                    Some((_, place)) => place,
                    None if is_taken_away => counts.place(group.clone()),
                    None => counts.place(group.with(label, &text_of(&cell))),
                };
                last = bits.map(|bits| (bits, place));
                grown += counts.count(place, step, row.drops_name);
                if grown > HOLD_CELLS {
                    self.check()?;
                    self.hold(std::mem::take(&mut grown))?;
                }
            }
            self.hold(grown)?;
        }
        let rows = counts.rows.into_iter().map(|counted| Row {
            labels: counted.labels,
            drops_name: counted.drops_name,
            column: Column::from_floats(counted.first, counted.counts),
        });
        Ok(rows.collect())
    }
}

fn text_of(cell: &Cell) -> String {
    match cell {
        Cell::Float(float) => format_float(*float),
        Cell::Histogram(histogram) => histogram::buckets::text(histogram),
    }
}
