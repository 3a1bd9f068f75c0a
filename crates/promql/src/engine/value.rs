//! What a part of the expression evaluates to, for all steps at once.

use super::column::Column;
use model::{Labels, METRIC_NAME, TYPE_LABEL, UNIT_LABEL};

/// The labels that tell what a metric is, and that go when a value is no longer that metric's.
pub(crate) const METADATA_LABELS: [&str; 3] = [METRIC_NAME, TYPE_LABEL, UNIT_LABEL];

/// A series of an intermediate result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// Its labels; the name stands until the end where removal is delayed.
    pub(crate) labels: Labels,
    /// Whether name, type and unit are to be removed at the end.
    pub(crate) drops_name: bool,
    /// Its values.
    pub(crate) column: Column,
}

/// An intermediate result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// One number for each step.
    Scalar(Vec<f64>),
    /// Series; none is empty. For a single step their order is the order of the result.
    Vector(Vec<Row>),
    /// A text.
    String(String),
}

impl Value {
    /// Samples held in memory.
    pub(crate) fn cells(&self) -> usize {
        match self {
            Self::Scalar(values) => values.len(),
            Self::Vector(rows) => rows.iter().map(|row| row.column.cells()).sum(),
            Self::String(_) => 0,
        }
    }

    /// A single step's value at `count` steps.
    pub(crate) fn repeated(self, count: usize) -> Self {
        match self {
            Self::Scalar(values) => {
                Self::Scalar(vec![values.first().copied().unwrap_or(f64::NAN); count])
            }
            Self::Vector(mut rows) => {
                for row in &mut rows {
                    row.column = row.column.repeated(count);
                }
                Self::Vector(rows)
            }
            Self::String(text) => Self::String(text),
        }
    }
}

/// The labels without name, type and unit.
pub(crate) fn without_metadata(labels: &Labels) -> Labels {
    if METADATA_LABELS
        .iter()
        .any(|name| labels.get(name).is_some())
    {
        labels.without(&METADATA_LABELS)
    } else {
        labels.clone()
    }
}
