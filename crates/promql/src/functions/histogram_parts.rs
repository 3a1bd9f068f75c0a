//! `histogram_count`, `_sum`, `_avg`, `_stddev`, `_stdvar`: figures of native histograms.

use super::statistics::CompensatedSum;
use crate::ast::{Call, Span};
use crate::engine::{Cell, Evaluation, Steps, Value, argument};
use crate::error::QueryError;
use crate::histogram::{self, buckets};
use model::Histogram;

/// `histogram_count`
pub(crate) fn count(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    of_histograms(evaluation, call, steps, |histogram| histogram.count)
}

/// `histogram_sum`
pub(crate) fn sum(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    of_histograms(evaluation, call, steps, |histogram| histogram.sum)
}

/// `histogram_avg`
pub(crate) fn avg(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    of_histograms(evaluation, call, steps, |histogram| {
        histogram.sum / histogram.count
    })
}

/// `histogram_stddev`
pub(crate) fn stddev(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    of_histograms(evaluation, call, steps, |histogram| {
        variance(histogram).sqrt()
    })
}

/// `histogram_stdvar`
pub(crate) fn stdvar(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    _: Span,
    steps: Steps,
) -> Result<Value, QueryError> {
    of_histograms(evaluation, call, steps, variance)
}

fn of_histograms(
    evaluation: &mut Evaluation<'_>,
    call: &Call,
    steps: Steps,
    figure: fn(&Histogram) -> f64,
) -> Result<Value, QueryError> {
    let mut rows = Vec::new();
    for row in evaluation.vector(argument(call, 0)?, steps)? {
        evaluation.check()?;
        let column = row.column.filter_map(|_, cell| match cell {
            Cell::Histogram(histogram) => Some(Cell::Float(figure(&histogram))),
            Cell::Float(_) => None,
        });
        if !column.is_empty() {
            rows.push(evaluation.renamed(row.labels, column));
        }
    }
    evaluation.without_duplicates(rows).map(Value::Vector)
}

/// The variance, as if all observations of a bucket lay in its middle: the arithmetic mean of its bounds for
/// custom buckets, the geometric one for exponential ones, zero for the zero bucket.
fn variance(histogram: &Histogram) -> f64 {
    let mean = histogram.sum / histogram.count;
    let mut squares = CompensatedSum::default();
    for bucket in buckets::all(histogram) {
        if bucket.count == 0.0 {
            continue;
        }
        let middle = if histogram::has_custom_buckets(histogram) {
            (bucket.upper + bucket.lower) / 2.0
        } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
            0.0
        } else {
            let middle = (bucket.upper * bucket.lower).sqrt();
            if bucket.upper < 0.0 { -middle } else { middle }
        };
        let delta = middle - mean;
        squares = squares.plus(bucket.count * delta * delta);
    }
    (squares.sum + squares.lost) / histogram.count
}
