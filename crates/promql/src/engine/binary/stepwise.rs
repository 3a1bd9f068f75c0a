//! Groups of series that are combined step by step: their members change over time, or missing ones are
//! filled in.

use super::super::value::Row;
use super::super::{Cell, Column, Evaluation};
use super::matching::{Group, Operation, matched_labels};
use crate::ast::Cardinality;
use crate::error::QueryError;
use model::Labels;
use runtime::HashMap;

/// Stands for the place of a series that was filled in.
const FILLED: usize = usize::MAX;

/// The places of the two series that are combined, in their group.
type Pair = (usize, usize);

/// The results of a group while they grow.
#[derive(Default)]
struct Results {
    by_pair: HashMap<Pair, usize>,
    by_labels: HashMap<Labels, usize>,
    rows: Vec<ResultRow>,
}

struct ResultRow {
    labels: Labels,
    column: Column,
    written_at: Option<usize>,
}

impl Results {
    /// The row of a pair; its labels are made only when the pair is first seen.
    fn row(&mut self, pair: Pair, labels: impl FnOnce() -> Labels) -> Option<&mut ResultRow> {
        let (rows, by_labels) = (&mut self.rows, &mut self.by_labels);
        let place = *self.by_pair.entry(pair).or_insert_with(|| {
            let labels = labels();
            *by_labels.entry(labels).or_insert_with_key(|labels| {
                rows.push(ResultRow {
                    labels: labels.clone(),
                    column: Column::default(),
                    written_at: None,
                });
                rows.len() - 1
            })
        });
        self.rows.get_mut(place)
    }
}

impl Evaluation<'_> {
    /// Combines a group whose members may change from step to step, or that is filled.
    pub(super) fn combine_by_step(
        &mut self,
        operation: &Operation<'_>,
        group: &Group,
        rows: &mut Vec<Row>,
    ) -> Result<(), QueryError> {
        let mut results = Results::default();
        let (many_fill, one_fill) = operation.fill;
        for step in (0..operation.steps.count).filter(|step| operation.is_active(*step)) {
            self.check()?;
            let found = operation.only_one(group, step)?;
            let one = found.and_then(|place| group.one.get(place)?.column.cell(step));
            let (one_place, one) = match (found.zip(one), one_fill) {
                (Some(found), _) => found,
                (None, Some(fill)) => (FILLED, Cell::Float(fill)),
                (None, None) => continue,
            };
            let mut partners = 0;
            for (place, many) in group.many.iter().enumerate() {
                let Some(many) = many.column.cell(step) else {
                    continue;
                };
                partners += 1;
                if partners > 1 && operation.matching.cardinality == Cardinality::OneToOne {
                    return Err(QueryError::execution(
                        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
                    ));
                }
                let pair = (place, one_place);
                self.write(
                    operation,
                    (group, &mut results),
                    (step, pair),
                    (&many, &one),
                )?;
            }
            if let Some(fill) = many_fill.filter(|_| partners == 0 && one_place != FILLED) {
                let (pair, many) = ((FILLED, one_place), Cell::Float(fill));
                self.write(
                    operation,
                    (group, &mut results),
                    (step, pair),
                    (&many, &one),
                )?;
            }
        }
        for result in results.rows {
            if !result.column.is_empty() {
                rows.push(operation.finished_row(self, result.labels, result.column));
            }
        }
        Ok(())
    }

    fn write(
        &mut self,
        operation: &Operation<'_>,
        (group, results): (&Group, &mut Results),
        (step, pair): (usize, Pair),
        cells: (&Cell, &Cell),
    ) -> Result<(), QueryError> {
        let Some(row) = results.row(pair, || operation.pair_labels(group, pair)) else {
            return Ok(());
        };
        if row.written_at == Some(step) {
            return Err(QueryError::execution(
                "multiple matches for labels: grouping labels must ensure unique matches",
            ));
        }
        row.written_at = Some(step);
        if let Some(cell) = self.element(operation, cells) {
            row.column.push(step, cell);
        }
        Ok(())
    }
}

impl Operation<'_> {
    /// The result's labels; a series that was filled in has the labels that are matched on.
    fn pair_labels(&self, group: &Group, (many, one): Pair) -> Labels {
        let many = group.many.get(many).map(|row| &row.labels);
        let one = group.one.get(one).map(|row| &row.labels);
        let matched = many
            .or(one)
            .map(|labels| matched_labels(labels, Some(self.matching)))
            .unwrap_or_default();
        self.result_labels(many.unwrap_or(&matched), one.unwrap_or(&matched))
    }
}
