//! Bodies for remote write 1.0, made as any client makes them.

use anyhow::Context as _;
use prost::Message;

/// `prometheus.WriteRequest`, the part that is needed here. Source: the remote write 1.0 specification.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) timeseries: Vec<TimeSeries>,
}

/// One series with its samples.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) samples: Vec<Sample>,
}

/// A label; they must be sorted by name.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Label {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

/// A value at a time in milliseconds.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Sample {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
    #[prost(int64, tag = "2")]
    pub(crate) timestamp: i64,
}

/// One series with one sample; `labels` sorted by name.
pub(crate) fn series(labels: &[(&str, &str)], timestamp: i64, value: f64) -> TimeSeries {
    let label = |(name, value): &(&str, &str)| Label {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    TimeSeries {
        labels: labels.iter().map(label).collect(),
        samples: vec![Sample { value, timestamp }],
    }
}

/// Encodes and compresses a request.
pub(crate) fn encode(timeseries: Vec<TimeSeries>) -> anyhow::Result<Vec<u8>> {
    let bytes = WriteRequest { timeseries }.encode_to_vec();
    snap::raw::Encoder::new()
        .compress_vec(&bytes)
        .context("snappy")
}
