//! What stands in one record of the write-ahead log.
//!
//! The first byte is the kind. Numbers of series are what the log itself defines. Kinds 2, 5 to 10 give their first
//! series and time in full (8 bytes each) and all entries, the first included, as differences from those; kinds 11
//! to 13 (Prometheus 3.x, with start timestamps) give the first entry in full and the following as differences: the series
//! from the one before, the time from the first, the start by a byte (0 unknown, 1 as before, else a difference
//! from the first start). Format: Prometheus' `tsdb/docs/format/wal.md` and `tsdb/record`.

use super::super::bytes::{be_float, be64};
use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Span};
use model::number::{i64_to_float, u64_to_float};
use model::{Exemplar, Histogram, Labels, STALE_MARKER, Sample, Timestamp, Value, is_stale_marker};
use std::sync::Arc;
use storage::encoding::Decoder;

/// What a record holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Record {
    /// Series and their numbers.
    Series(Vec<(u64, Labels)>),
    /// Samples of numbered series.
    Samples(Vec<(u64, Sample)>),
    /// Deleted intervals, both ends included.
    Tombstones(Vec<(u64, i64, i64)>),
    /// Exemplars of numbered series.
    Exemplars(Vec<(u64, Exemplar)>),
    /// The number of entries of kinds that an importer has no use for: metadata, markers.
    Other,
    /// A kind that is not known.
    Unknown(u8),
}

/// Schemas of exponential buckets.
const EXPONENTIAL: std::ops::RangeInclusive<i32> = -4..=8;

/// Reads a record; `None` where the bytes make no sense.
pub(super) fn decode(record: &[u8]) -> Option<Record> {
    let (kind, rest) = record.split_first()?;
    let mut decoder = Decoder::new(rest);
    Some(match kind {
        1 => Record::Series(all(&mut decoder, series)?),
        2 => Record::Samples(entries(&mut decoder, float)?),
        3 => Record::Tombstones(all(&mut decoder, tombstone)?),
        4 => Record::Exemplars(exemplars(&mut decoder)?),
        7 | 9 => Record::Samples(entries(&mut decoder, whole_histogram)?),
        8 | 10 => Record::Samples(entries(&mut decoder, float_histogram)?),
        11 => Record::Samples(entries_with_starts(&mut decoder, float)?),
        12 => Record::Samples(entries_with_starts(&mut decoder, whole_histogram)?),
        13 => Record::Samples(entries_with_starts(&mut decoder, float_histogram)?),
        5 | 6 | 14 => Record::Other,
        other => Record::Unknown(*other),
    })
}

fn all<'a, T>(
    decoder: &mut Decoder<'a>,
    read: impl Fn(&mut Decoder<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let mut found = Vec::new();
    while !decoder.is_empty() {
        found.push(read(decoder)?);
    }
    Some(found)
}

fn series(decoder: &mut Decoder<'_>) -> Option<(u64, Labels)> {
    Some((be64(decoder)?, labels(decoder)?))
}

fn labels(decoder: &mut Decoder<'_>) -> Option<Labels> {
    let mut pairs = Vec::new();
    for _ in 0..decoder.varint()? {
        pairs.push((decoder.text()?, decoder.text()?));
    }
    Some(Labels::from_pairs(pairs))
}

fn tombstone(decoder: &mut Decoder<'_>) -> Option<(u64, i64, i64)> {
    Some((be64(decoder)?, decoder.zigzag()?, decoder.zigzag()?))
}

/// Where the differences of a record begin.
fn base(decoder: &mut Decoder<'_>) -> Option<(u64, i64)> {
    Some((be64(decoder)?, be64(decoder)?.cast_signed()))
}

/// Series and time of the next entry.
fn step(decoder: &mut Decoder<'_>, (series, time): (u64, i64)) -> Option<(u64, i64)> {
    let series = series.wrapping_add_signed(decoder.zigzag()?);
    Some((series, time.wrapping_add(decoder.zigzag()?)))
}

/// Reads a value; the inner `None` is one that is left out.
type ReadValue = fn(&mut Decoder<'_>) -> Option<Option<Value>>;

fn entries(decoder: &mut Decoder<'_>, value: ReadValue) -> Option<Vec<(u64, Sample)>> {
    if decoder.is_empty() {
        return Some(Vec::new());
    }
    let base = base(decoder)?;
    let mut found = Vec::new();
    while !decoder.is_empty() {
        let (series, time) = step(decoder, base)?;
        if let Some(value) = value(decoder)? {
            found.push((series, Sample::new(Timestamp::from_millis(time), value)));
        }
    }
    Some(found)
}

fn entries_with_starts(decoder: &mut Decoder<'_>, value: ReadValue) -> Option<Vec<(u64, Sample)>> {
    if decoder.is_empty() {
        return Some(Vec::new());
    }
    let mut series = decoder.zigzag()?.cast_unsigned();
    let first_time = decoder.zigzag()?;
    let first_start = decoder.zigzag()?;
    let (mut time, mut start) = (first_time, first_start);
    let mut found = Vec::new();
    loop {
        if let Some(value) = value(decoder)? {
            let sample = Sample {
                timestamp: Timestamp::from_millis(time),
                start: Timestamp::from_millis(start),
                value,
            };
            found.push((series, sample));
        }
        if decoder.is_empty() {
            return Some(found);
        }
        series = series.wrapping_add_signed(decoder.zigzag()?);
        time = first_time.wrapping_add(decoder.zigzag()?);
        start = match decoder.byte()? {
            0 => 0,
            1 => start,
            _ => first_start.wrapping_add(decoder.zigzag()?),
        };
    }
}

fn exemplars(decoder: &mut Decoder<'_>) -> Option<Vec<(u64, Exemplar)>> {
    if decoder.is_empty() {
        return Some(Vec::new());
    }
    let base = base(decoder)?;
    let mut found = Vec::new();
    while !decoder.is_empty() {
        let (series, time) = step(decoder, base)?;
        let value = be_float(decoder)?;
        let exemplar = Exemplar {
            labels: labels(decoder)?,
            value,
            timestamp: Some(Timestamp::from_millis(time)),
        };
        found.push((series, exemplar));
    }
    Some(found)
}

fn float(decoder: &mut Decoder<'_>) -> Option<Option<Value>> {
    be_float(decoder).map(|value| Some(Value::Float(value)))
}

fn whole_histogram(decoder: &mut Decoder<'_>) -> Option<Option<Value>> {
    let mut histogram = head(decoder)?;
    histogram.zero_count = u64_to_float(decoder.varint()?);
    histogram.count = u64_to_float(decoder.varint()?);
    histogram.sum = be_float(decoder)?;
    spans_of_both(decoder, &mut histogram)?;
    for side in [
        &mut histogram.positive_buckets,
        &mut histogram.negative_buckets,
    ] {
        let mut count = 0_i64;
        for _ in 0..decoder.varint()? {
            count = count.wrapping_add(decoder.zigzag()?);
            side.push(i64_to_float(count));
        }
    }
    custom_values(decoder, &mut histogram)?;
    Some(complete(histogram))
}

fn float_histogram(decoder: &mut Decoder<'_>) -> Option<Option<Value>> {
    let mut histogram = head(decoder)?;
    histogram.zero_count = be_float(decoder)?;
    histogram.count = be_float(decoder)?;
    histogram.sum = be_float(decoder)?;
    spans_of_both(decoder, &mut histogram)?;
    histogram.positive_buckets = floats(decoder)?;
    histogram.negative_buckets = floats(decoder)?;
    custom_values(decoder, &mut histogram)?;
    Some(complete(histogram))
}

fn head(decoder: &mut Decoder<'_>) -> Option<Histogram> {
    let is_gauge = decoder.byte()? == 3;
    Some(Histogram {
        counter_reset_hint: if is_gauge {
            CounterResetHint::Gauge
        } else {
            CounterResetHint::Unknown
        },
        schema: i32::try_from(decoder.zigzag()?).ok()?,
        zero_threshold: be_float(decoder)?,
        ..Histogram::default()
    })
}

fn spans_of_both(decoder: &mut Decoder<'_>, histogram: &mut Histogram) -> Option<()> {
    for side in [&mut histogram.positive_spans, &mut histogram.negative_spans] {
        for _ in 0..decoder.varint()? {
            side.push(Span {
                offset: i32::try_from(decoder.zigzag()?).ok()?,
                length: u32::try_from(decoder.varint()?).ok()?,
            });
        }
    }
    Some(())
}

fn floats(decoder: &mut Decoder<'_>) -> Option<Vec<f64>> {
    let count = decoder.count()?;
    let bytes = decoder.take(count.checked_mul(8)?)?;
    let (words, _) = bytes.as_chunks::<8>();
    Some(words.iter().map(|word| f64::from_be_bytes(*word)).collect())
}

fn custom_values(decoder: &mut Decoder<'_>, histogram: &mut Histogram) -> Option<()> {
    if histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        histogram.custom_values = Some(floats(decoder)?.into());
    }
    Some(())
}

/// The end of a series becomes the float marker; schemas and shapes that nobody knows are left out.
fn complete(histogram: Histogram) -> Option<Value> {
    if is_stale_marker(histogram.sum) {
        return Some(Value::Float(STALE_MARKER));
    }
    let covered = |spans: &[Span]| spans.iter().map(|span| u64::from(span.length)).sum::<u64>();
    let fits = covered(&histogram.positive_spans) == histogram.positive_buckets.len() as u64
        && covered(&histogram.negative_spans) == histogram.negative_buckets.len() as u64;
    let known =
        EXPONENTIAL.contains(&histogram.schema) || histogram.schema == CUSTOM_BUCKETS_SCHEMA;
    (fits && known).then(|| Value::Histogram(Arc::new(histogram)))
}
