//! Compares answers with what a script expects.
//!
//! Numbers may differ by a millionth; histograms are compared bucket by bucket, empty buckets aside.

use super::command::{Eval, EvalSteps, ExpectedSeries, ExpectedValue};
use crate::engine::{InstantSample, QueryValue, RangeSeries};
use crate::series::SequenceValue;
use model::histogram::{CUSTOM_BUCKETS_SCHEMA, Span};
use model::{Histogram, Sample, Timestamp, Value, is_stale_marker};
use std::collections::BTreeSet;

/// Relative difference that still counts as equal.
const TOLERANCE: f64 = 0.000_001;

/// Compares an answer with what an eval expects.
pub(super) fn value(eval: &Eval, found: &QueryValue) -> Result<(), String> {
    match (&eval.expectation.value, found) {
        (ExpectedValue::Scalar(wanted), QueryValue::Scalar { value, .. }) => {
            if almost_equal(*wanted, *value) {
                return Ok(());
            }
            Err(format!("expected scalar {wanted} but got {value}"))
        }
        (ExpectedValue::String(wanted), QueryValue::String { value, .. }) => {
            if wanted == value {
                return Ok(());
            }
            Err(format!("expected string {wanted:?} but got {value:?}"))
        }
        (ExpectedValue::Series(wanted), QueryValue::Vector(found)) => {
            vector(wanted, found, eval.expectation.is_ordered)
        }
        (ExpectedValue::Series(wanted), QueryValue::Matrix(found)) => {
            let steps = eval
                .steps
                .ok_or("the query answers a matrix, but no range vector is expected")?;
            if eval.expectation.is_ordered {
                return Err("expected ordered result, but query returned a matrix".to_owned());
            }
            matrix(wanted, found, steps)
        }
        (wanted, found) => Err(format!(
            "expected {}, but the query answers {}",
            expected_kind(wanted),
            kind(found)
        )),
    }
}

fn expected_kind(value: &ExpectedValue) -> &'static str {
    match value {
        ExpectedValue::Scalar(_) => "a scalar",
        ExpectedValue::String(_) => "a string",
        ExpectedValue::Series(_) => "a vector or matrix",
    }
}

fn kind(value: &QueryValue) -> &'static str {
    match value {
        QueryValue::Scalar { .. } => "a scalar",
        QueryValue::String { .. } => "a string",
        QueryValue::Vector(_) => "a vector",
        QueryValue::Matrix(_) => "a matrix",
    }
}

fn vector(
    wanted: &[ExpectedSeries],
    found: &[InstantSample],
    is_ordered: bool,
) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (index, sample) in found.iter().enumerate() {
        let labels = &sample.labels;
        // Of two lines with the same labels the last counts.
        let Some(expected) = wanted.iter().rfind(|series| series.labels == *labels) else {
            let value = describe(&sample.value);
            return Err(format!(
                "unexpected metric {labels} in result, has value {value}"
            ));
        };
        if is_ordered && expected.position != index + 1 {
            return Err(format!(
                "expected metric {labels} at position {} but was at {}",
                expected.position,
                index + 1
            ));
        }
        if let Some(value) = expected.values.first() {
            one_value(value, &sample.value).map_err(|message| format!("{labels}: {message}"))?;
        }
        seen.insert(labels);
    }
    missing(wanted, &seen)
}

fn missing(wanted: &[ExpectedSeries], seen: &BTreeSet<&model::Labels>) -> Result<(), String> {
    match wanted.iter().find(|series| !seen.contains(&series.labels)) {
        Some(series) => Err(format!("expected metric {} not found", series.labels)),
        None => Ok(()),
    }
}

fn matrix(
    wanted: &[ExpectedSeries],
    found: &[RangeSeries],
    steps: EvalSteps,
) -> Result<(), String> {
    sorted(found)?;
    let mut seen = BTreeSet::new();
    for series in found {
        let labels = &series.labels;
        let Some(expected) = wanted.iter().rfind(|other| other.labels == *labels) else {
            return Err(format!(
                "unexpected metric {labels} in result, has {}",
                describe_all(&series.samples)
            ));
        };
        one_series(expected, &series.samples, steps).map_err(|message| {
            format!(
                "{labels}: {message} (result has {})",
                describe_all(&series.samples)
            )
        })?;
        seen.insert(labels);
    }
    missing(wanted, &seen)
}

fn one_series(expected: &ExpectedSeries, found: &[Sample], steps: EvalSteps) -> Result<(), String> {
    let mut at = steps.start;
    let mut rest = found.iter();
    for value in &expected.values {
        if at > steps.end {
            return Err(format!(
                "{} points are expected, but the query's range cannot return this many",
                expected.values.len()
            ));
        }
        if !matches!(value, SequenceValue::Omitted) {
            let sample = rest
                .next()
                .ok_or_else(|| format!("no point at {} ms", at.millis()))?;
            if sample.timestamp != at {
                return Err(format!(
                    "expected a point at {} ms, but the next is at {} ms",
                    at.millis(),
                    sample.timestamp.millis()
                ));
            }
            one_value(value, &sample.value)
                .map_err(|message| format!("at {} ms: {message}", at.millis()))?;
        }
        at = at.plus_millis(steps.step_ms);
    }
    match rest.next() {
        Some(sample) => Err(format!(
            "unexpected point at {} ms",
            sample.timestamp.millis()
        )),
        None => Ok(()),
    }
}

/// Whether series stand in the order of their labels.
pub(super) fn sorted(series: &[RangeSeries]) -> Result<(), String> {
    if series.is_sorted_by(|a, b| a.labels <= b.labels) {
        return Ok(());
    }
    Err("matrix results should always be sorted by labels, but matrix is not sorted".to_owned())
}

/// The values of a matrix at one moment, as an instant query would answer them.
pub(super) fn at_moment(
    matrix: &[RangeSeries],
    at: Timestamp,
    is_scalar: bool,
) -> Result<QueryValue, String> {
    let samples: Vec<InstantSample> = matrix
        .iter()
        .filter_map(|series| {
            let sample = series
                .samples
                .iter()
                .find(|sample| sample.timestamp == at)?;
            Some(InstantSample {
                labels: series.labels.clone(),
                timestamp: at,
                value: sample.value.clone(),
            })
        })
        .collect();
    if !is_scalar {
        return Ok(QueryValue::Vector(samples));
    }
    match samples.first().map(|sample| &sample.value) {
        Some(Value::Float(value)) => Ok(QueryValue::Scalar {
            timestamp: at,
            value: *value,
        }),
        _ => Err("a scalar has no value at the moment".to_owned()),
    }
}

fn one_value(wanted: &SequenceValue, found: &Value) -> Result<(), String> {
    match (wanted, found) {
        (SequenceValue::Float(wanted), Value::Float(found)) => {
            if almost_equal(*wanted, *found) {
                return Ok(());
            }
            Err(format!("expected {wanted} but got {found}"))
        }
        (
            SequenceValue::Histogram {
                histogram: wanted,
                is_hint_given,
            },
            Value::Histogram(found),
        ) => {
            let hint_fits = !is_hint_given || wanted.counter_reset_hint == found.counter_reset_hint;
            if hint_fits && same_histogram(wanted, found) {
                return Ok(());
            }
            Err(format!("expected {wanted:?} but got {found:?}"))
        }
        (SequenceValue::Omitted, found) => {
            Err(format!("expected nothing but got {}", describe(found)))
        }
        (SequenceValue::Float(wanted), found) => {
            Err(format!("expected {wanted} but got {}", describe(found)))
        }
        (SequenceValue::Histogram { .. }, found) => {
            Err(format!("expected a histogram but got {}", describe(found)))
        }
    }
}

/// Equal up to the tolerance, relative to the sum of both; all NaNs are equal but for stale markers.
fn almost_equal(a: f64, b: f64) -> bool {
    if is_stale_marker(a) || is_stale_marker(b) {
        return is_stale_marker(a) && is_stale_marker(b);
    }
    if a.is_nan() && b.is_nan() {
        return true;
    }
    #[expect(clippy::float_cmp, reason = "infinities and zeros are equal exactly")]
    if a == b {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if sum == 0.0 || difference < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

fn same_histogram(a: &Histogram, b: &Histogram) -> bool {
    let same_bounds = a.schema != CUSTOM_BUCKETS_SCHEMA
        || a.custom_values.as_deref().unwrap_or_default()
            == b.custom_values.as_deref().unwrap_or_default();
    a.schema == b.schema
        && same_bounds
        && a.zero_threshold.to_bits() == b.zero_threshold.to_bits()
        && almost_equal(a.count, b.count)
        && almost_equal(a.sum, b.sum)
        && almost_equal(a.zero_count, b.zero_count)
        && same_buckets(
            (&a.positive_spans, &a.positive_buckets),
            (&b.positive_spans, &b.positive_buckets),
        )
        && same_buckets(
            (&a.negative_spans, &a.negative_buckets),
            (&b.negative_spans, &b.negative_buckets),
        )
}

fn same_buckets(a: (&[Span], &[f64]), b: (&[Span], &[f64])) -> bool {
    let (a, b) = (held(a), held(b));
    a.len() == b.len()
        && a.iter()
            .zip(&b)
            .all(|(a, b)| a.0 == b.0 && almost_equal(a.1, b.1))
}

/// Index and count of the buckets that are not empty.
fn held((spans, counts): (&[Span], &[f64])) -> Vec<(i64, f64)> {
    let mut indices = Vec::with_capacity(counts.len());
    let mut index = 0_i64;
    for span in spans {
        index += i64::from(span.offset);
        for _ in 0..span.length {
            indices.push(index);
            index += 1;
        }
    }
    indices
        .into_iter()
        .zip(counts.iter().copied())
        .filter(|(_, count)| *count != 0.0)
        .collect()
}

fn describe(value: &Value) -> String {
    match value {
        Value::Float(value) => value.to_string(),
        Value::Histogram(histogram) => format!("{histogram:?}"),
    }
}

fn describe_all(samples: &[Sample]) -> String {
    let points: Vec<String> = samples
        .iter()
        .map(|sample| {
            let at = sample.timestamp.millis();
            format!("{} @[{at}]", describe(&sample.value))
        })
        .collect();
    points.join(" ")
}
