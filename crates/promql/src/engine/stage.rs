//! What changes each series by itself, value by value: functions of one float, operations with a scalar.

use super::binary::scalar_column;
use super::value::Row;
use super::{Column, Evaluation};
use crate::annotations::Annotations;
use crate::ast::{Binary, Span};
use crate::error::QueryError;
use crate::functions::{Moment, clamp};
use crate::histogram;

/// Where the scalar of an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScalarSide {
    Left,
    Right,
}

/// An operation with a scalar.
pub(crate) struct WithScalar<'e> {
    pub(crate) binary: &'e Binary,
    pub(crate) span: Span,
    /// The scalar at each step.
    pub(crate) values: Vec<f64>,
    pub(crate) side: ScalarSide,
}

/// One change; see the module's page. Scalars are given for each step, `None` where they were left out.
pub(crate) enum Stage<'e> {
    /// A function of each float.
    Map(fn(f64) -> f64),
    /// A function of each float, taken as seconds since the epoch.
    Date(fn(Moment) -> f64),
    /// The minus sign.
    Negate,
    /// An operation with a scalar.
    Operate(WithScalar<'e>),
    /// `clamp*`
    Bound {
        min: Option<Vec<f64>>,
        max: Option<Vec<f64>>,
    },
    /// `round`
    Round { nearest: Option<Vec<f64>> },
}

impl Stage<'_> {
    /// Whether the result is no longer a value of the metric.
    pub(crate) fn drops_name(&self) -> bool {
        match self {
            Self::Operate(with) => super::binary::drops_name(with.binary),
            _ => true,
        }
    }

    /// Changes a column; the result may be empty.
    pub(crate) fn apply(&self, column: Column, notes: &mut Annotations) -> Column {
        match self {
            Self::Map(function) => column.map_floats(|_, value| function(value)),
            Self::Date(part) => column.map_floats(|_, value| part(Moment::from_float(value))),
            Self::Negate => negated(column),
            Self::Operate(with) => scalar_column(with, column, notes),
            Self::Bound { min, max } => clamp::bounded(column, (min.as_deref(), max.as_deref())),
            Self::Round { nearest } => clamp::rounded(column, nearest.as_deref()),
        }
    }
}

impl Evaluation<'_> {
    /// Applies a stage to series that were evaluated already.
    pub(crate) fn staged(
        &mut self,
        rows: Vec<Row>,
        stage: &Stage<'_>,
    ) -> Result<Vec<Row>, QueryError> {
        let mut result = Vec::with_capacity(rows.len());
        for row in rows {
            self.check()?;
            let column = stage.apply(row.column, &mut self.notes);
            if column.is_empty() {
                continue;
            }
            result.push(if stage.drops_name() {
                self.renamed(row.labels, column)
            } else {
                Row { column, ..row }
            });
        }
        if stage.drops_name() {
            self.without_duplicates(result)
        } else {
            Ok(result)
        }
    }
}

fn negated(column: Column) -> Column {
    if !column.has_histograms() {
        return column.map_floats(|_, float| -float);
    }
    column.filter_map(|_, cell| {
        Some(match cell {
            super::Cell::Float(float) => super::Cell::Float(-float),
            super::Cell::Histogram(histogram) => {
                super::Cell::Histogram(histogram::scaled(&histogram, -1.0).into())
            }
        })
    })
}
