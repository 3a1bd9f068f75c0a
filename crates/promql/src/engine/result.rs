//! What a query answers.

use super::column::Cell;
use super::explain::PlanNode;
use super::steps::Steps;
use super::value::Row;
use crate::annotations::Annotation;
use model::{Labels, Sample, Timestamp, Value};

/// A query's answer and what is to be said about it.
#[derive(Clone, Debug)]
pub struct QueryResult {
    /// The answer.
    pub value: QueryValue,
    /// Remarks that make the answer doubtful, sorted.
    pub warnings: Vec<Annotation>,
    /// Remarks worth knowing, sorted.
    pub infos: Vec<Annotation>,
    /// What it took.
    pub stats: QueryStats,
    /// More of what it took, where that was asked for.
    pub details: QueryDetails,
}

impl QueryResult {
    /// Nothing, at no cost.
    pub(super) fn empty() -> Self {
        Self {
            value: QueryValue::Matrix(Vec::new()),
            warnings: Vec::new(),
            infos: Vec::new(),
            stats: QueryStats::default(),
            details: QueryDetails::default(),
        }
    }

    /// Adds the remarks and the costs of another part of the same query.
    pub(super) fn add(&mut self, other: Self) {
        for (all, others) in [
            (&mut self.warnings, other.warnings),
            (&mut self.infos, other.infos),
        ] {
            for remark in others {
                if !all.iter().any(|known| known.message == remark.message) {
                    all.push(remark);
                }
            }
            all.sort_by(|a, b| a.message.cmp(&b.message));
        }
        let (stats, other) = (&mut self.stats, other.stats);
        stats.samples_touched = stats.samples_touched.saturating_add(other.samples_touched);
        stats.samples_read += other.samples_read;
        stats.samples_peak = stats.samples_peak.max(other.samples_peak);
        stats.select_seconds += other.select_seconds;
        stats.sort_seconds += other.sort_seconds;
        stats.total_seconds += other.total_seconds;
    }
}

/// What is told of a query only when it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryDetail {
    /// The samples looked at for each step.
    pub samples_by_step: bool,
    /// How each part was evaluated.
    pub plan: bool,
}

/// The answer to `QueryDetail`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryDetails {
    /// Samples looked at for each step of the query.
    pub samples_by_step: Option<Vec<u64>>,
    /// How each part was evaluated.
    pub plan: Option<PlanNode>,
}

/// The answer itself.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryValue {
    /// A number at a moment.
    Scalar {
        /// The moment.
        timestamp: Timestamp,
        /// The number.
        value: f64,
    },
    /// Series with one value each, in the order of the query's sorting.
    Vector(Vec<InstantSample>),
    /// Series with several values each, sorted by labels.
    Matrix(Vec<RangeSeries>),
    /// A text at a moment.
    String {
        /// The moment.
        timestamp: Timestamp,
        /// The text.
        value: String,
    },
}

/// One series of an instant query's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct InstantSample {
    /// Its labels.
    pub labels: Labels,
    /// The moment.
    pub timestamp: Timestamp,
    /// Its value.
    pub value: Value,
}

/// One series of a range query's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSeries {
    /// Its labels.
    pub labels: Labels,
    /// Its values, ascending by time.
    pub samples: Vec<Sample>,
}

/// What a query took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QueryStats {
    /// Samples looked at, counted once for every step that used them.
    pub samples_touched: u64,
    /// Samples read from the store.
    pub samples_read: usize,
    /// Most samples in memory at one moment.
    pub samples_peak: usize,
    /// Seconds spent reading from the store.
    pub select_seconds: f64,
    /// Seconds spent on putting the result in order.
    pub sort_seconds: f64,
    /// Seconds spent in all.
    pub total_seconds: f64,
}

/// Makes the public form of a value.
pub(crate) fn value_of(cell: Cell) -> Value {
    match cell {
        Cell::Float(float) => Value::Float(float),
        Cell::Histogram(histogram) => Value::Histogram(histogram),
    }
}

/// Makes an instant query's answer of rows at one step; keeps their order.
pub(crate) fn instant_vector(rows: Vec<Row>, at: i64) -> QueryValue {
    let timestamp = Timestamp::from_millis(at);
    let samples = rows.into_iter().filter_map(|row| {
        let value = value_of(row.column.cell(0)?);
        Some(InstantSample {
            labels: row.labels,
            timestamp,
            value,
        })
    });
    QueryValue::Vector(samples.collect())
}

/// Makes a range query's answer of rows, sorted by labels.
pub(crate) fn range_matrix(rows: Vec<Row>, steps: Steps) -> QueryValue {
    let mut series: Vec<RangeSeries> = rows
        .into_iter()
        .map(|row| RangeSeries {
            samples: row
                .column
                .iter()
                .map(|(step, cell)| {
                    Sample::new(Timestamp::from_millis(steps.at(step)), value_of(cell))
                })
                .collect(),
            labels: row.labels,
        })
        .filter(|series| !series.samples.is_empty())
        .collect();
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    QueryValue::Matrix(series)
}
