//! A native histogram sample, as floats.

use std::sync::Arc;

/// The schema number of histograms with custom bucket bounds (NHCB).
pub const CUSTOM_BUCKETS_SCHEMA: i32 = -53;

/// A native histogram: exponential buckets (schema −4 to 8) or custom bounds (schema −53).
///
/// Buckets are held sparsely: each span skips `offset` buckets and then covers `length` of them;
/// `*_buckets` hold the absolute counts of the covered buckets in order. Upstream: Prometheus'
/// `model/histogram.FloatHistogram`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Histogram {
    /// What is known about a counter reset before this sample.
    pub counter_reset_hint: CounterResetHint,
    /// Bucket resolution: each bucket is `2^(2^-schema)` times as wide as the one before.
    pub schema: i32,
    /// Half width of the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations, those of the zero bucket and NaN included.
    pub count: f64,
    /// Sum of all observations.
    pub sum: f64,
    /// Which positive buckets are held.
    pub positive_spans: Vec<Span>,
    /// Which negative buckets are held.
    pub negative_spans: Vec<Span>,
    /// Counts of the positive buckets.
    pub positive_buckets: Vec<f64>,
    /// Counts of the negative buckets.
    pub negative_buckets: Vec<f64>,
    /// Upper bounds of custom buckets, ascending, without +Inf; shared by the samples of a series.
    pub custom_values: Option<Arc<[f64]>>,
}

/// What the producer said about a counter reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CounterResetHint {
    /// Nothing: compare with the sample before.
    #[default]
    Unknown,
    /// This sample follows a reset.
    Reset,
    /// This sample follows no reset.
    NotReset,
    /// A gauge: resets have no meaning.
    Gauge,
}

/// A run of neighbouring buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Buckets skipped since the end of the span before (since bucket 0 for the first one).
    pub offset: i32,
    /// Buckets covered.
    pub length: u32,
}
