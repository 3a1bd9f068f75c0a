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
    compress(&WriteRequest { timeseries }.encode_to_vec())
}

/// A sample on its way into a body; `labels` as `labels` encodes them.
pub(crate) struct Row<'a> {
    pub(crate) labels: &'a [u8],
    pub(crate) at: i64,
    pub(crate) value: f64,
}

/// The labels of a series, sorted by name, as they stand in each of its rows: encoded once, used often.
pub(crate) fn labels(pairs: &[(String, String)]) -> Vec<u8> {
    let label = |(name, value): &(String, String)| Label {
        name: name.clone(),
        value: value.clone(),
    };
    let labels = pairs.iter().map(label).collect();
    TimeSeries {
        labels,
        samples: Vec::new(),
    }
    .encode_to_vec()
}

/// Adds a series with one sample to an uncompressed body.
pub(crate) fn push_row(body: &mut Vec<u8>, row: &Row<'_>) {
    use prost::encoding::encode_varint;
    let sample = Sample {
        value: row.value,
        timestamp: row.at,
    };
    let sample_bytes = sample.encoded_len();
    let sample_head = 1 + prost::encoding::encoded_len_varint(sample_bytes as u64);
    body.push(1 << 3 | 2);
    encode_varint((row.labels.len() + sample_head + sample_bytes) as u64, body);
    body.extend_from_slice(row.labels);
    body.push(2 << 3 | 2);
    encode_varint(sample_bytes as u64, body);
    sample.encode_raw(body);
}

/// Compresses a body.
pub(crate) fn compress(body: &[u8]) -> anyhow::Result<Vec<u8>> {
    snap::raw::Encoder::new()
        .compress_vec(body)
        .context("snappy")
}
