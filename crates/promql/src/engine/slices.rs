//! Reading long ranges in slices.
//!
//! A selector is read once for all steps of a query as long as its samples fit into what the query may
//! hold. Where they do not, the steps are halved until they do: a week of many series at a coarse step
//! then costs the memory of a slice and of the result, as it does where samples are streamed.

use super::value::Row;
use super::{Evaluation, Steps};
use crate::error::QueryError;
use model::Labels;
use runtime::HashMap;

/// Some of the steps of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Where its first step stands among all steps.
    pub(crate) first: usize,
    /// Its steps.
    pub(crate) steps: Steps,
}

impl Slice {
    /// All steps.
    pub(crate) const fn whole(steps: Steps) -> Self {
        Self { first: 0, steps }
    }

    fn halves(self) -> (Self, Self) {
        let count = self.steps.count / 2;
        let early = Steps {
            count,
            ..self.steps
        };
        let late = Steps {
            start: self.steps.at(count),
            count: self.steps.count - count,
            ..self.steps
        };
        let late = Self {
            first: self.first + count,
            steps: late,
        };
        (
            Self {
                steps: early,
                ..self
            },
            late,
        )
    }
}

/// Evaluates rows for the steps of a slice.
type Evaluate<'e, 'a> = &'e dyn Fn(&mut Evaluation<'a>, Slice) -> Result<Vec<Row>, QueryError>;

impl<'a> Evaluation<'a> {
    /// Evaluates rows for all steps of a slice, in halves where that would hold too many samples. What was
    /// read for them is no longer held afterwards.
    pub(crate) fn sliced(
        &mut self,
        slice: Slice,
        evaluate: Evaluate<'_, 'a>,
    ) -> Result<Vec<Row>, QueryError> {
        let held = self.held();
        match evaluate(self, slice) {
            Err(QueryError::TooManySamples) if slice.steps.count > 1 => {
                self.hold_exactly(held)?;
                let (early, late) = slice.halves();
                let rows = self.sliced(early, evaluate)?;
                let later = self.sliced(late, evaluate)?;
                let rows = appended(rows, later, early.steps.count);
                self.hold_exactly(held.saturating_add(cells(&rows)))?;
                Ok(rows)
            }
            Err(error) => Err(error),
            Ok(rows) => {
                self.hold_exactly(held.saturating_add(cells(&rows)))?;
                Ok(rows)
            }
        }
    }
}

fn cells(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.column.cells()).sum()
}

/// Appends the values of later steps to the rows of the same labels.
fn appended(mut rows: Vec<Row>, later: Vec<Row>, offset: usize) -> Vec<Row> {
    let places = rows.iter().enumerate();
    let places: HashMap<Labels, usize> = places
        .map(|(place, row)| (row.labels.clone(), place))
        .collect();
    for mut row in later {
        row.column = row.column.later_by(offset);
        match places
            .get(&row.labels)
            .and_then(|place| rows.get_mut(*place))
        {
            Some(earlier) => earlier.column.append(row.column),
            None => rows.push(row),
        }
    }
    rows
}
