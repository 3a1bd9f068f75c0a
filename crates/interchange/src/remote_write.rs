//! Bodies of remote write 1.0, for an import into a running server.
//!
//! Every server since Prometheus 2.25 takes them, ours included. The format has no place for start timestamps; they are left
//! out. Specification: prometheus.io/docs/specs/prw/remote_write_spec.

use model::histogram::{CounterResetHint, Span};
use model::{Labels, SeriesSamples, Value};
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<WireSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct WireSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<WireLabel>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<WireSample>,
    #[prost(message, repeated, tag = "3")]
    exemplars: Vec<WireExemplar>,
    #[prost(message, repeated, tag = "4")]
    histograms: Vec<WireHistogram>,
}

#[derive(Clone, PartialEq, Message)]
struct WireLabel {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct WireSample {
    // Optional so that it is always sent: −0 counts as the default and would arrive as 0.
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
struct WireExemplar {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<WireLabel>,
    #[prost(double, tag = "2")]
    value: f64,
    #[prost(int64, tag = "3")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
struct WireHistogram {
    // The message is a union: the whole counts (1, 6) are never sent, the counts as floats always.
    #[prost(double, optional, tag = "2")]
    count: Option<f64>,
    #[prost(double, optional, tag = "3")]
    sum: Option<f64>,
    #[prost(sint32, tag = "4")]
    schema: i32,
    #[prost(double, tag = "5")]
    zero_threshold: f64,
    #[prost(double, optional, tag = "7")]
    zero_count: Option<f64>,
    #[prost(message, repeated, tag = "8")]
    negative_spans: Vec<WireSpan>,
    #[prost(double, repeated, tag = "10")]
    negative_counts: Vec<f64>,
    #[prost(message, repeated, tag = "11")]
    positive_spans: Vec<WireSpan>,
    #[prost(double, repeated, tag = "13")]
    positive_counts: Vec<f64>,
    #[prost(int32, tag = "14")]
    reset_hint: i32,
    #[prost(int64, tag = "15")]
    timestamp: i64,
    #[prost(double, repeated, tag = "16")]
    custom_values: Vec<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct WireSpan {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

/// Makes the body of one request, packed with snappy. Fails only where the rows are more than 4 GiB.
pub fn encode(rows: &[SeriesSamples]) -> Result<Vec<u8>, String> {
    let request = WriteRequest {
        timeseries: rows.iter().map(series).collect(),
    };
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .map_err(|error| error.to_string())
}

fn series(row: &SeriesSamples) -> WireSeries {
    let mut wire = WireSeries {
        labels: labels(&row.labels),
        ..WireSeries::default()
    };
    for sample in &row.samples {
        let timestamp = sample.timestamp.millis();
        match &sample.value {
            Value::Float(value) => wire.samples.push(WireSample {
                value: Some(*value),
                timestamp,
            }),
            Value::Histogram(histogram) => wire.histograms.push(WireHistogram {
                count: Some(histogram.count),
                sum: Some(histogram.sum),
                schema: histogram.schema,
                zero_threshold: histogram.zero_threshold,
                zero_count: Some(histogram.zero_count),
                negative_spans: histogram.negative_spans.iter().map(span).collect(),
                negative_counts: histogram.negative_buckets.clone(),
                positive_spans: histogram.positive_spans.iter().map(span).collect(),
                positive_counts: histogram.positive_buckets.clone(),
                reset_hint: match histogram.counter_reset_hint {
                    CounterResetHint::Unknown => 0,
                    CounterResetHint::Reset => 1,
                    CounterResetHint::NotReset => 2,
                    CounterResetHint::Gauge => 3,
                },
                timestamp,
                custom_values: histogram
                    .custom_values
                    .as_deref()
                    .unwrap_or_default()
                    .to_vec(),
            }),
        }
    }
    wire.exemplars
        .extend(row.exemplars.iter().map(|exemplar| WireExemplar {
            labels: labels(&exemplar.labels),
            value: exemplar.value,
            timestamp: exemplar.timestamp.map_or(0, model::Timestamp::millis),
        }));
    wire
}

fn labels(labels: &Labels) -> Vec<WireLabel> {
    let label = |(name, value): (&str, &str)| WireLabel {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    labels.iter().map(label).collect()
}

const fn span(span: &Span) -> WireSpan {
    WireSpan {
        offset: span.offset,
        length: span.length,
    }
}

#[cfg(test)]
mod tests {
    use super::encode;
    use crate::testing;
    use ingest::remote_write::{LabelLimits, Limits, apply, decode};
    use model::MemoryStore;

    #[test]
    fn our_own_server_reads_it() {
        let rows = testing::rows(7);
        let body = encode(&rows).expect("small");
        let batch = decode(&body, &Limits::default()).expect("decodes");
        let store = MemoryStore::new();
        apply(&batch, &LabelLimits::default(), &store).expect("memory takes all");
        testing::assert_same(&testing::held(&store), &testing::without_starts(&rows));
    }
}
