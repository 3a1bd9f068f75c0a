//! Metric families as `io.prometheus.client` describes them: what is pushed, kept in rows and served again.
//!
//! The messages are those of client_model's metrics.proto. Fields that nobody reads here (exemplars, created
//! times) are left out; what was pushed with them loses them.

use prost::Message;

/// The names of types in the text format, by their number in the message.
pub(crate) const KINDS: [&str; 6] = [
    "counter",
    "gauge",
    "summary",
    "untyped",
    "histogram",
    "gaugehistogram",
];
pub(crate) const COUNTER: i32 = 0;
pub(crate) const GAUGE: i32 = 1;
pub(crate) const SUMMARY: i32 = 2;
pub(crate) const UNTYPED: i32 = 3;
pub(crate) const HISTOGRAM: i32 = 4;
pub(crate) const GAUGE_HISTOGRAM: i32 = 5;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Family {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) help: Option<String>,
    #[prost(int32, tag = "3")]
    pub(crate) kind: i32,
    #[prost(message, repeated, tag = "4")]
    pub(crate) metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metric {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<Label>,
    #[prost(message, optional, tag = "2")]
    pub(crate) gauge: Option<Single>,
    #[prost(message, optional, tag = "3")]
    pub(crate) counter: Option<Single>,
    #[prost(message, optional, tag = "4")]
    pub(crate) summary: Option<Summary>,
    #[prost(message, optional, tag = "5")]
    pub(crate) untyped: Option<Single>,
    #[prost(int64, optional, tag = "6")]
    pub(crate) timestamp_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    pub(crate) histogram: Option<HistogramValue>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub(crate) struct Label {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Single {
    /// Optional, so that a negative zero is kept.
    #[prost(double, optional, tag = "1")]
    pub(crate) value: Option<f64>,
}

impl Single {
    pub(crate) const fn of(value: f64) -> Self {
        Self { value: Some(value) }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(uint64, tag = "1")]
    pub(crate) count: u64,
    #[prost(double, tag = "2")]
    pub(crate) sum: f64,
    #[prost(message, repeated, tag = "3")]
    pub(crate) quantiles: Vec<Quantile>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Quantile {
    #[prost(double, tag = "1")]
    pub(crate) quantile: f64,
    #[prost(double, tag = "2")]
    pub(crate) value: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistogramValue {
    #[prost(uint64, tag = "1")]
    pub(crate) count: u64,
    #[prost(double, tag = "2")]
    pub(crate) sum: f64,
    #[prost(message, repeated, tag = "3")]
    pub(crate) buckets: Vec<Bucket>,
    #[prost(double, tag = "4")]
    pub(crate) count_float: f64,
    #[prost(sint32, optional, tag = "5")]
    pub(crate) schema: Option<i32>,
    #[prost(double, tag = "6")]
    pub(crate) zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    pub(crate) zero_count: u64,
    #[prost(double, tag = "8")]
    pub(crate) zero_count_float: f64,
    #[prost(message, repeated, tag = "9")]
    pub(crate) negative_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "10")]
    pub(crate) negative_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "11")]
    pub(crate) negative_counts: Vec<f64>,
    #[prost(message, repeated, tag = "12")]
    pub(crate) positive_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "13")]
    pub(crate) positive_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "14")]
    pub(crate) positive_counts: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Bucket {
    #[prost(uint64, tag = "1")]
    pub(crate) cumulative_count: u64,
    #[prost(double, tag = "2")]
    pub(crate) upper_bound: f64,
    #[prost(double, tag = "4")]
    pub(crate) cumulative_count_float: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct BucketSpan {
    #[prost(sint32, tag = "1")]
    pub(crate) offset: i32,
    #[prost(uint32, tag = "2")]
    pub(crate) length: u32,
}

impl Family {
    /// A family of one gauge.
    pub(crate) fn gauge(name: &str, help: &str, labels: Vec<Label>, value: f64) -> Self {
        Self {
            name: name.to_owned(),
            help: Some(help.to_owned()),
            kind: GAUGE,
            metrics: vec![Metric {
                labels,
                gauge: Some(Single::of(value)),
                ..Metric::default()
            }],
        }
    }

    /// The name of its type in the text format.
    pub(crate) fn kind_name(&self) -> &'static str {
        kind_name(self.kind)
    }
}

/// The name of a type in the text format.
pub(crate) fn kind_name(kind: i32) -> &'static str {
    usize::try_from(kind)
        .ok()
        .and_then(|kind| KINDS.get(kind).copied())
        .unwrap_or("untyped")
}

impl Metric {
    /// The value of a counter, a gauge or an untyped metric.
    pub(crate) fn single(&self, kind: i32) -> Option<f64> {
        let single = match kind {
            COUNTER => self.counter,
            GAUGE => self.gauge,
            UNTYPED => self.untyped,
            _ => None,
        };
        single.map(|single| single.value.unwrap_or_default())
    }
}

impl HistogramValue {
    /// The number of observations, whole or not.
    pub(crate) fn total(&self) -> f64 {
        if self.count_float > 0.0 {
            self.count_float
        } else {
            model::number::u64_to_float(self.count)
        }
    }

    /// Whether it is a native histogram, with or without classic buckets beside it.
    pub(crate) fn is_native(&self) -> bool {
        self.schema.is_some()
            && (self.zero_threshold > 0.0
                || self.zero_count > 0
                || self.zero_count_float > 0.0
                || !self.positive_spans.is_empty()
                || !self.negative_spans.is_empty())
    }
}

impl Bucket {
    /// Observations up to the bound.
    pub(crate) fn total(&self) -> f64 {
        if self.cumulative_count_float > 0.0 {
            self.cumulative_count_float
        } else {
            model::number::u64_to_float(self.cumulative_count)
        }
    }
}

/// Reads families one after the other, each with its length before it (`encoding=delimited`).
pub(crate) fn read_delimited(mut bytes: &[u8]) -> Result<Vec<Family>, prost::DecodeError> {
    let mut families = Vec::new();
    while !bytes.is_empty() {
        families.push(Family::decode_length_delimited(&mut bytes)?);
    }
    Ok(families)
}

/// Writes families, each with its length before it.
pub(crate) fn write_delimited(families: &[Family]) -> Vec<u8> {
    families
        .iter()
        .flat_map(Message::encode_length_delimited_to_vec)
        .collect()
}
