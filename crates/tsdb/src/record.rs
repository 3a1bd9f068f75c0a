//! What the write-ahead log holds: one record a batch.
//!
//! Layout: kind (byte). 1, samples: number of definitions, for each series id and encoded labels; number of
//! rows, for each the distance of its series id to that of the row before (zigzag, times two, plus one
//! for a histogram), the distance of its time to that of the row before (zigzag), and the value: bits
//! (u64), or length and histogram. 2, deletion: start, end (zigzag), number of series, the distances of
//! their ids. A segment defines every series before its first row or deletion of it, so segments do not
//! need each other.

use crate::histogram;
use model::{Labels, Value};
use std::sync::Arc;
use storage::encoding::{Decoder, put_bytes, put_varint, put_zigzag, unzigzag, zigzag};

const SAMPLES: u8 = 1;
const DELETION: u8 = 2;

/// A row of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordRow {
    pub(crate) series: u32,
    pub(crate) at: i64,
    pub(crate) value: Value,
}

/// A record as it was read.
#[derive(Debug, PartialEq)]
pub(crate) enum Decoded {
    Samples {
        definitions: Vec<(u32, Labels)>,
        rows: Vec<RecordRow>,
    },
    Deletion {
        definitions: Vec<(u32, Labels)>,
        start: i64,
        end: i64,
        series: Vec<u32>,
    },
}

/// Builds a record of samples; reused from batch to batch.
#[derive(Default)]
pub(crate) struct SamplesRecord {
    definitions: Definitions,
    rows: Vec<u8>,
    row_count: u64,
    previous: (u32, i64),
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Definitions {
    bytes: Vec<u8>,
    count: u64,
}

impl Definitions {
    fn add(&mut self, id: u32, labels: &Labels) {
        put_varint(&mut self.bytes, u64::from(id));
        put_bytes(&mut self.bytes, labels.encoded().as_bytes());
        self.count += 1;
    }
}

impl SamplesRecord {
    /// Forgets the batch before.
    pub(crate) fn clear(&mut self) {
        self.definitions.bytes.clear();
        self.definitions.count = 0;
        self.rows.clear();
        self.row_count = 0;
        self.previous = (0, 0);
    }

    /// Adds which labels an id stands for.
    pub(crate) fn define(&mut self, id: u32, labels: &Labels) {
        self.definitions.add(id, labels);
    }

    /// Adds a sample.
    pub(crate) fn push(&mut self, series: u32, at: i64, value: &Value) {
        let (previous_series, previous_at) = self.previous;
        let distance = zigzag(i64::from(series) - i64::from(previous_series));
        let is_histogram = u64::from(matches!(value, Value::Histogram(_)));
        put_varint(&mut self.rows, distance << 1 | is_histogram);
        put_zigzag(&mut self.rows, at.wrapping_sub(previous_at));
        match value {
            Value::Float(value) => self.rows.extend_from_slice(&value.to_bits().to_le_bytes()),
            Value::Histogram(value) => {
                let mut bytes = Vec::new();
                histogram::encode(&mut bytes, value);
                put_bytes(&mut self.rows, &bytes);
            }
        }
        self.previous = (series, at);
        self.row_count += 1;
    }

    /// The whole record.
    pub(crate) fn finish(&mut self) -> &[u8] {
        self.bytes.clear();
        self.bytes.push(SAMPLES);
        put_varint(&mut self.bytes, self.definitions.count);
        self.bytes.extend_from_slice(&self.definitions.bytes);
        put_varint(&mut self.bytes, self.row_count);
        self.bytes.extend_from_slice(&self.rows);
        &self.bytes
    }
}

/// The record of a deletion; `definitions` are those the segment lacks, `series` all ids.
pub(crate) fn deletion(
    definitions: &[(u32, &Labels)],
    (start, end): (i64, i64),
    series: &[u32],
) -> Vec<u8> {
    let mut defined = Definitions::default();
    for (id, labels) in definitions {
        defined.add(*id, labels);
    }
    let mut bytes = vec![DELETION];
    put_varint(&mut bytes, defined.count);
    bytes.extend_from_slice(&defined.bytes);
    put_zigzag(&mut bytes, start);
    put_zigzag(&mut bytes, end);
    put_varint(&mut bytes, series.len() as u64);
    let mut previous = 0;
    for id in series {
        put_zigzag(&mut bytes, i64::from(*id) - previous);
        previous = i64::from(*id);
    }
    bytes
}

/// Reads a record; `None` for bytes that no encoder wrote.
pub(crate) fn decode(bytes: &[u8]) -> Option<Decoded> {
    let mut decoder = Decoder::new(bytes);
    let kind = decoder.byte()?;
    let definitions = take_definitions(&mut decoder)?;
    let decoded = match kind {
        SAMPLES => Decoded::Samples {
            definitions,
            rows: take_rows(&mut decoder)?,
        },
        DELETION => {
            let (start, end) = (decoder.zigzag()?, decoder.zigzag()?);
            let mut series = Vec::new();
            let mut previous = 0_i64;
            for _ in 0..decoder.count()? {
                previous = previous.checked_add(decoder.zigzag()?)?;
                series.push(u32::try_from(previous).ok()?);
            }
            Decoded::Deletion {
                definitions,
                start,
                end,
                series,
            }
        }
        _ => return None,
    };
    decoder.is_empty().then_some(decoded)
}

fn take_definitions(decoder: &mut Decoder<'_>) -> Option<Vec<(u32, Labels)>> {
    let mut definitions = Vec::new();
    for _ in 0..decoder.count()? {
        let id = u32::try_from(decoder.varint()?).ok()?;
        definitions.push((id, Labels::from_encoded(decoder.text()?)?));
    }
    Some(definitions)
}

fn take_rows(decoder: &mut Decoder<'_>) -> Option<Vec<RecordRow>> {
    let mut rows = Vec::new();
    let (mut series, mut at) = (0_i64, 0_i64);
    for _ in 0..decoder.count()? {
        let head = decoder.varint()?;
        series = series.checked_add(unzigzag(head >> 1))?;
        at = at.wrapping_add(decoder.zigzag()?);
        let value = if head & 1 == 0 {
            Value::Float(f64::from_bits(decoder.u64()?))
        } else {
            let mut inner = Decoder::new(decoder.bytes()?);
            Value::Histogram(Arc::new(histogram::decode(&mut inner)?))
        };
        rows.push(RecordRow {
            series: u32::try_from(series).ok()?,
            at,
            value,
        });
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::{Decoded, RecordRow, SamplesRecord, decode, deletion};
    use model::{Histogram, Labels, Value};
    use proptest::prelude::*;
    use std::sync::Arc;

    proptest! {
        #[test]
        fn samples_round_trip(rows: Vec<(u32, i64, i32)>, place: prop::sample::Index) {
            let labels = Labels::from_pairs([("a", "b")]);
            let mut record = SamplesRecord::default();
            record.push(1, 1, &Value::Float(1.0));
            record.clear();
            record.define(7, &labels);
            let mut want = Vec::new();
            for (series, at, value) in rows {
                let float = f64::from(value);
                let value = if value % 5 == 0 {
                    let histogram = Histogram { count: float, ..Histogram::default() };
                    Value::Histogram(Arc::new(histogram))
                } else {
                    Value::Float(float)
                };
                record.push(series, at, &value);
                want.push(RecordRow { series, at, value });
            }
            let bytes = record.finish();
            prop_assert!(decode(&bytes[..place.index(bytes.len())]).is_none());
            let definitions = vec![(7, labels)];
            prop_assert_eq!(decode(bytes), Some(Decoded::Samples { definitions, rows: want }));
        }

        #[test]
        fn deletions_round_trip(start: i64, end: i64, series: Vec<u32>) {
            let labels = Labels::from_pairs([("a", "b")]);
            let bytes = deletion(&[(3, &labels)], (start, end), &series);
            let definitions = vec![(3, labels)];
            prop_assert_eq!(decode(&bytes), Some(Decoded::Deletion { definitions, start, end, series }));
        }

        #[test]
        fn garbage_does_not_panic(bytes: Vec<u8>) {
            let _any = decode(&bytes);
        }
    }
}
