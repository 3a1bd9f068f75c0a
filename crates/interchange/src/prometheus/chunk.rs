//! The samples of one series over a short time, packed: what Prometheus calls a chunk.
//!
//! Six encodings are read: XOR floats (1), histograms of integers (2) and floats (3), XOR2 floats with optional start
//! timestamps (4), and both kinds of histograms with start timestamps (5, 6). Written are 1, 2 and 3, which
//! every Prometheus since 2.40 reads. Format: Prometheus' `tsdb/docs/format/chunks.md`. Key decision: a chunk is decoded
//! whole; it holds some hundred samples, and an importer wants all of them.

mod bits;
mod histogram;
mod layout;
mod start;
mod xor;
mod xor2;

use bits::whole;
use model::{Histogram, Sample, Timestamp, Value};

/// Float samples of one chunk that is written, as upstream's.
const FLOATS_MAX: usize = 120;
/// Bytes of one chunk that is written, as upstream's.
const HISTOGRAM_BYTES: usize = 1024;
/// Histograms of one chunk, however large they are.
const HISTOGRAMS_MIN: usize = 10;
/// Bytes of one chunk that is read: a thousand times what upstream writes.
pub(crate) const BYTES_MAX: usize = 1 << 20;

/// How the samples of a chunk are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Floats.
    Xor,
    /// Histograms with whole counts.
    Histogram,
    /// Histograms with fractional counts.
    FloatHistogram,
    /// Floats, with start timestamps.
    Xor2,
    /// Histograms with whole counts and start timestamps.
    HistogramStart,
    /// Histograms with fractional counts and start timestamps.
    FloatHistogramStart,
}

impl Encoding {
    /// The encoding of a number in a file.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Xor,
            2 => Self::Histogram,
            3 => Self::FloatHistogram,
            4 => Self::Xor2,
            5 => Self::HistogramStart,
            6 => Self::FloatHistogramStart,
            _ => return None,
        })
    }

    /// Its number in a file.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Xor => 1,
            Self::Histogram => 2,
            Self::FloatHistogram => 3,
            Self::Xor2 => 4,
            Self::HistogramStart => 5,
            Self::FloatHistogramStart => 6,
        }
    }

    /// Whether the samples are floats.
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self, Self::Xor | Self::Xor2)
    }
}

/// Unpacks a chunk and appends its samples, ascending by time.
///
/// Histograms that mark the end of a series become the float marker. Of the reset hints only "gauge" is kept:
/// a reset within a series shows in its numbers. On failure (what is wrong) nothing is appended.
pub fn decode(encoding: Encoding, data: &[u8], out: &mut Vec<Sample>) -> Result<(), String> {
    let before = out.len();
    let done = match encoding {
        Encoding::Xor => xor::decode(data, out),
        Encoding::Xor2 => xor2::decode(data, out),
        Encoding::Histogram
        | Encoding::FloatHistogram
        | Encoding::HistogramStart
        | Encoding::FloatHistogramStart => histogram::decode(encoding, data, out),
    };
    if done.is_none() {
        out.truncate(before);
        return Err("a chunk ends early or makes no sense".to_owned());
    }
    let added = out.get(before..).unwrap_or_default();
    if !added.is_sorted_by(|a, b| a.timestamp < b.timestamp) {
        out.truncate(before);
        return Err("the times of a chunk do not ascend".to_owned());
    }
    Ok(())
}

/// How many samples a chunk holds, without unpacking it.
#[must_use]
pub fn samples(encoding: Encoding, data: &[u8]) -> usize {
    let Some([high, low]) = data.first_chunk::<2>() else {
        return 0;
    };
    let count = usize::from(u16::from_be_bytes([*high, *low]));
    match encoding {
        Encoding::HistogramStart | Encoding::FloatHistogramStart => count & 0x3fff,
        _ => count,
    }
}

/// A chunk that can be written to a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed {
    /// How it is packed.
    pub encoding: Encoding,
    /// Time of the first sample.
    pub first: i64,
    /// Time of the last sample.
    pub last: i64,
    /// Number of samples.
    pub samples: usize,
    /// The bytes.
    pub data: Vec<u8>,
}

/// Packs samples (ascending by time, no two of one time) into as many chunks as Prometheus would. Start timestamps
/// are dropped: the encodings that every Prometheus reads have no place for them.
#[must_use]
pub fn encode(samples: &[Sample]) -> Vec<Packed> {
    let mut chunks = Vec::new();
    let mut rest = samples;
    while let Some(first) = rest.first() {
        let packed = match &first.value {
            Value::Float(_) => encode_floats(rest),
            Value::Histogram(histogram) => encode_histograms(histogram, rest),
        };
        rest = rest.get(packed.samples..).unwrap_or_default();
        chunks.push(packed);
    }
    chunks
}

fn encode_floats(samples: &[Sample]) -> Packed {
    let mut encoder = xor::Encoder::default();
    for sample in samples.iter().take(FLOATS_MAX) {
        let Value::Float(value) = sample.value else {
            break;
        };
        encoder.push(sample.timestamp.millis(), value);
    }
    packed(Encoding::Xor, samples, encoder.finish())
}

/// The first histogram dictates the layout; those that do not have the same begin another chunk.
fn encode_histograms(first: &Histogram, samples: &[Sample]) -> Packed {
    let encoding = if is_whole(first) {
        Encoding::Histogram
    } else {
        Encoding::FloatHistogram
    };
    let mut encoder = histogram::Encoder::begin(encoding, first);
    let mut last: Option<&Histogram> = None;
    for (i, sample) in samples.iter().enumerate() {
        let Value::Histogram(histogram) = &sample.value else {
            break;
        };
        let full = encoder.len() >= HISTOGRAM_BYTES && i >= HISTOGRAMS_MIN;
        let other = (encoding == Encoding::Histogram) != is_whole(histogram);
        let reset = last.is_some_and(|last| is_reset(last, histogram));
        if full || other || reset || i >= FLOATS_MAX || !layout::same(first, histogram) {
            break;
        }
        encoder.push(sample.timestamp.millis(), histogram);
        last = Some(histogram);
    }
    packed(encoding, samples, encoder.finish())
}

fn packed(encoding: Encoding, samples: &[Sample], (count, data): (usize, Vec<u8>)) -> Packed {
    let at = |sample: Option<&Sample>| sample.map_or(0, |sample| sample.timestamp.millis());
    Packed {
        encoding,
        first: at(samples.first()),
        last: at(count.checked_sub(1).and_then(|last| samples.get(last))),
        samples: count,
        data,
    }
}

/// Readers take it that there is no reset within a chunk of counters.
fn is_reset(before: &Histogram, after: &Histogram) -> bool {
    let falls = |before: &[f64], after: &[f64]| before.iter().zip(after).any(|(b, a)| a < b);
    !layout::is_gauge(before)
        && (after.count < before.count
            || after.zero_count < before.zero_count
            || falls(&before.positive_buckets, &after.positive_buckets)
            || falls(&before.negative_buckets, &after.negative_buckets))
}

fn is_whole(histogram: &Histogram) -> bool {
    let buckets = histogram.positive_buckets.iter();
    buckets
        .chain(&histogram.negative_buckets)
        .chain([&histogram.count, &histogram.zero_count])
        .all(|count| whole(*count).is_some())
}

fn sample(timestamp: i64, start: i64, value: Value) -> Sample {
    Sample {
        timestamp: Timestamp::from_millis(timestamp),
        start: Timestamp::from_millis(start),
        value,
    }
}

#[cfg(test)]
pub(crate) mod tests;
