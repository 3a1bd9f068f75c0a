//! Pushed families as series, the way a scrape with `honor_labels` would store them.

use super::family::{BucketSpan, Family, HistogramValue, Metric};
use super::text::lines;
use crate::exposition::format_openmetrics;
use model::histogram::Span;
use model::number::{i64_to_float, u64_to_float};
use model::{Histogram, Labels, METRIC_NAME, Value};
use std::sync::Arc;

/// Every series of a family with its present value. Empty labels vanish here.
pub(super) fn of_family(family: &Family) -> Vec<(Labels, Value)> {
    let mut all = Vec::new();
    for metric in &family.metrics {
        let native = metric.histogram.as_ref().filter(|value| value.is_native());
        if let Some(histogram) = native {
            let labels = labels(&family.name, metric, None);
            all.push((labels, Value::Histogram(Arc::new(to_model(histogram)))));
            if histogram.buckets.is_empty() {
                continue;
            }
        }
        for line in lines(family, metric) {
            let name = format!("{}{}", family.name, line.suffix);
            let own = line
                .own
                .map(|(name, bound)| (name, format_openmetrics(bound)));
            all.push((
                labels(&name, metric, own.as_ref()),
                Value::Float(normal(line.value)),
            ));
        }
    }
    all
}

/// A NaN that is pushed is a value, never the end of a series.
fn normal(value: f64) -> f64 {
    if value.is_nan() {
        crate::exposition::NORMAL_NAN
    } else {
        value
    }
}

fn labels(name: &str, metric: &Metric, own: Option<&(&str, String)>) -> Labels {
    let pairs = metric
        .labels
        .iter()
        .map(|label| (label.name.as_str(), label.value.as_str()));
    let own = own.map(|(name, value)| (*name, value.as_str()));
    Labels::from_pairs(pairs.chain(own).chain([(METRIC_NAME, name)]))
}

fn to_model(sent: &HistogramValue) -> Histogram {
    let is_float = sent.count_float > 0.0
        || sent.zero_count_float > 0.0
        || !sent.positive_counts.is_empty()
        || !sent.negative_counts.is_empty();
    let spans = |spans: &[BucketSpan]| {
        let span = |span: &BucketSpan| Span {
            offset: span.offset,
            length: span.length,
        };
        spans.iter().map(span).collect()
    };
    let buckets = |deltas: &[i64], counts: &[f64]| {
        if is_float {
            return counts.to_vec();
        }
        let mut count = 0_i64;
        let absolute = deltas.iter().map(|delta| {
            count = count.saturating_add(*delta);
            i64_to_float(count)
        });
        absolute.collect()
    };
    Histogram {
        schema: sent.schema.unwrap_or_default(),
        zero_threshold: sent.zero_threshold,
        zero_count: if is_float {
            sent.zero_count_float
        } else {
            u64_to_float(sent.zero_count)
        },
        count: sent.total(),
        sum: sent.sum,
        positive_spans: spans(&sent.positive_spans),
        negative_spans: spans(&sent.negative_spans),
        positive_buckets: buckets(&sent.positive_deltas, &sent.positive_counts),
        negative_buckets: buckets(&sent.negative_deltas, &sent.negative_counts),
        ..Histogram::default()
    }
}
