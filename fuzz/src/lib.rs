//! What several fuzz targets share: inputs of several parts, frames with right checksums, and what must hold of rows.
//!
//! A fuzzer does not guess checksums: targets of files on disk take the contents as input and frame them as the
//! program would.

use model::histogram::Span;
use model::{Histogram, Labels, SeriesSamples, Value};

/// The parts of an input, each with its length before it (two bytes); a part that is cut off is the rest.
pub fn parts(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (part, rest) = rest.split_at(length);
        parts.push(part);
        bytes = rest;
    }
    parts
}

/// An input of these parts.
pub fn joined<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        let part = part.as_ref();
        let length = u16::try_from(part.len()).expect("seeds are small");
        out.extend(length.to_be_bytes());
        out.extend(part);
    }
    out
}

/// CRC-32 with Castagnoli's polynomial, as Prometheus' files have it.
pub fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |sum: u32, byte: &u8| TABLE[usize::from(sum as u8 ^ byte)] ^ (sum >> 8);
    !bytes.iter().fold(u32::MAX, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ 0x82f6_3b78 } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

/// What the store and the query engine rely on, whatever was sent: label sets are sorted and without empty values, and a
/// histogram has as many buckets as its spans cover.
pub fn check_rows<'r>(rows: impl IntoIterator<Item = &'r SeriesSamples>) {
    for row in rows {
        check_labels(&row.labels);
        for exemplar in &row.exemplars {
            check_labels(&exemplar.labels);
        }
        for sample in &row.samples {
            if let Value::Histogram(histogram) = &sample.value {
                check_histogram(histogram);
            }
        }
    }
}

/// A label set is sorted by name, has no empty value, and survives its encoded form.
pub fn check_labels(labels: &Labels) {
    let pairs: Vec<(&str, &str)> = labels.iter().collect();
    assert!(pairs.is_sorted_by(|a, b| a.0 < b.0), "{labels}");
    assert!(pairs.iter().all(|(_, value)| !value.is_empty()), "{labels}");
    assert_eq!(Labels::from_encoded(labels.encoded()).as_ref(), Some(labels));
}

/// A histogram has as many buckets as its spans cover.
pub fn check_histogram(histogram: &Histogram) {
    let covered = |spans: &[Span]| spans.iter().map(|span| u64::from(span.length)).sum::<u64>();
    assert_eq!(covered(&histogram.positive_spans), histogram.positive_buckets.len() as u64);
    assert_eq!(covered(&histogram.negative_spans), histogram.negative_buckets.len() as u64);
}
