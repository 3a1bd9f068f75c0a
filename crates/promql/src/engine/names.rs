//! Removal of metric names, at once or delayed, and what must not happen then: two series with one
//! label set.

use super::value::{Row, without_metadata};
use super::{Column, Evaluation};
use crate::error::QueryError;
use model::Labels;
use runtime::HashMap;

impl Evaluation<'_> {
    /// A row whose values are no longer those of the metric that its labels name.
    pub(crate) fn renamed(&self, labels: Labels, column: Column) -> Row {
        let labels = if self.options.delayed_name_removal {
            labels
        } else {
            without_metadata(&labels)
        };
        Row {
            labels,
            drops_name: true,
            column,
        }
    }

    /// Joins rows of one label set, as long as names are removed at once; where removal is delayed
    /// the rows are still told apart by name, and `finished_rows` does this.
    pub(crate) fn without_duplicates(&self, rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
        if self.options.delayed_name_removal {
            Ok(rows)
        } else {
            joined(rows)
        }
    }

    /// Removes the names that are to go and joins rows of one label set.
    pub(crate) fn finished_rows(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
        for row in &mut rows {
            if row.drops_name {
                row.labels = without_metadata(&row.labels);
            }
        }
        joined(rows)
    }
}

/// Joins rows that have the same labels; fails where two of them have a value at the same step.
/// The order of first appearance is kept.
pub(crate) fn joined(rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
    let mut places: HashMap<Labels, usize> = HashMap::default();
    let mut result: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match places
            .get(&row.labels)
            .and_then(|place| result.get_mut(*place))
        {
            None => {
                places.insert(row.labels.clone(), result.len());
                result.push(row);
            }
            Some(other) => {
                let union = other.column.union(&row.column).ok_or_else(|| {
                    QueryError::execution("vector cannot contain metrics with the same labelset")
                })?;
                other.column = union;
                other.drops_name |= row.drops_name;
            }
        }
    }
    Ok(result)
}
