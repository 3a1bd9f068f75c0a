//! What the write-ahead log holds: one record a batch.
//!
//! Layout: kind (byte); number of definitions, for each series id and encoded labels. 3, samples: number of
//! rows, for each the distance of its series id to that of the row before (zigzag, times four, plus one
//! for a histogram, plus two for a known start), the distance of its time to that of the row before (zigzag),
//! the distance from the known start to the time (zigzag), and the value: bits (u64), or length and
//! histogram; number of exemplars, for each series id, time (zigzag), bits, encoded labels. 2, deletion: start,
//! end (zigzag), number of series, the distances of their ids. 1, samples of older programs: times two instead
//! of four, no starts, no exemplars. A segment defines every series before its first mention, so segments do
//! not need each other.

use crate::histogram;
use model::{Exemplar, Labels, Timestamp, Value};
use std::sync::Arc;
use storage::encoding::{Decoder, put_bytes, put_varint, put_zigzag, unzigzag, zigzag};

const SAMPLES_WITHOUT_STARTS: u8 = 1;
const DELETION: u8 = 2;
const SAMPLES: u8 = 3;

const IS_HISTOGRAM: u64 = 1;
const HAS_START: u64 = 2;

/// A row of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordRow {
    pub(crate) series: u32,
    pub(crate) at: i64,
    /// Since when it has been counting, 0 where that is unknown.
    pub(crate) start: i64,
    pub(crate) value: Value,
}

/// An exemplar of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordExemplar {
    pub(crate) series: u32,
    pub(crate) exemplar: Exemplar,
}

impl RecordExemplar {
    /// Appends time, value and labels.
    pub(crate) fn encode(out: &mut Vec<u8>, exemplar: &Exemplar) {
        put_zigzag(out, exemplar.timestamp.unwrap_or_default().millis());
        out.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
        put_bytes(out, exemplar.labels.encoded().as_bytes());
    }

    /// Reads what `encode` wrote.
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Option<Exemplar> {
        let timestamp = Some(Timestamp::from_millis(decoder.zigzag()?));
        let value = f64::from_bits(decoder.u64()?);
        let labels = Labels::from_encoded(decoder.text()?)?;
        Some(Exemplar {
            labels,
            value,
            timestamp,
        })
    }
}

/// A record as it was read. Which labels an id stands for is given as `Labels` encodes them, unchecked: nearly all
/// series are known when their definition comes again, and comparing costs less than checking.
#[derive(Debug, PartialEq)]
pub(crate) enum Decoded<'a> {
    Samples {
        definitions: Vec<(u32, &'a str)>,
        rows: Vec<RecordRow>,
        exemplars: Vec<RecordExemplar>,
    },
    Deletion {
        definitions: Vec<(u32, &'a str)>,
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
    exemplars: Vec<u8>,
    exemplar_count: u64,
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
        self.exemplars.clear();
        self.exemplar_count = 0;
        self.previous = (0, 0);
    }

    /// Adds which labels an id stands for.
    pub(crate) fn define(&mut self, id: u32, labels: &Labels) {
        self.definitions.add(id, labels);
    }

    /// Bytes of the definitions so far.
    pub(crate) fn definition_bytes(&self) -> u64 {
        self.definitions.bytes.len() as u64
    }

    /// Adds a sample: time, start (0 where it is unknown) and value.
    pub(crate) fn push(&mut self, series: u32, (at, start, value): (i64, i64, &Value)) {
        let (previous_series, previous_at) = self.previous;
        let distance = zigzag(i64::from(series) - i64::from(previous_series));
        let mut flags = 0;
        if matches!(value, Value::Histogram(_)) {
            flags |= IS_HISTOGRAM;
        }
        if start != 0 {
            flags |= HAS_START;
        }
        put_varint(&mut self.rows, distance << 2 | flags);
        put_zigzag(&mut self.rows, at.wrapping_sub(previous_at));
        if start != 0 {
            put_zigzag(&mut self.rows, at.wrapping_sub(start));
        }
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

    /// Adds an exemplar.
    pub(crate) fn push_exemplar(&mut self, series: u32, exemplar: &Exemplar) {
        put_varint(&mut self.exemplars, u64::from(series));
        RecordExemplar::encode(&mut self.exemplars, exemplar);
        self.exemplar_count += 1;
    }

    /// The whole record.
    pub(crate) fn finish(&mut self) -> &[u8] {
        self.bytes.clear();
        self.bytes.push(SAMPLES);
        put_varint(&mut self.bytes, self.definitions.count);
        self.bytes.extend_from_slice(&self.definitions.bytes);
        put_varint(&mut self.bytes, self.row_count);
        self.bytes.extend_from_slice(&self.rows);
        put_varint(&mut self.bytes, self.exemplar_count);
        self.bytes.extend_from_slice(&self.exemplars);
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
pub(crate) fn decode(bytes: &[u8]) -> Option<Decoded<'_>> {
    let mut decoder = Decoder::new(bytes);
    let kind = decoder.byte()?;
    let definitions = take_definitions(&mut decoder)?;
    let decoded = match kind {
        SAMPLES => Decoded::Samples {
            definitions,
            rows: take_rows(&mut decoder, 2)?,
            exemplars: take_exemplars(&mut decoder)?,
        },
        SAMPLES_WITHOUT_STARTS => Decoded::Samples {
            definitions,
            rows: take_rows(&mut decoder, 1)?,
            exemplars: Vec::new(),
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

fn take_definitions<'a>(decoder: &mut Decoder<'a>) -> Option<Vec<(u32, &'a str)>> {
    let mut definitions = Vec::new();
    for _ in 0..decoder.count()? {
        let id = u32::try_from(decoder.varint()?).ok()?;
        definitions.push((id, decoder.text()?));
    }
    Some(definitions)
}

/// `flag_bits`: how many bits of a row's first number are flags.
fn take_rows(decoder: &mut Decoder<'_>, flag_bits: u32) -> Option<Vec<RecordRow>> {
    let mut rows = Vec::new();
    let (mut series, mut at) = (0_i64, 0_i64);
    for _ in 0..decoder.count()? {
        let head = decoder.varint()?;
        let flags = head & ((1 << flag_bits) - 1);
        series = series.checked_add(unzigzag(head >> flag_bits))?;
        at = at.wrapping_add(decoder.zigzag()?);
        let start = match flags & HAS_START {
            0 => 0,
            _ => at.wrapping_sub(decoder.zigzag()?),
        };
        let value = if flags & IS_HISTOGRAM == 0 {
            Value::Float(f64::from_bits(decoder.u64()?))
        } else {
            let mut inner = Decoder::new(decoder.bytes()?);
            Value::Histogram(Arc::new(histogram::decode(&mut inner)?))
        };
        rows.push(RecordRow {
            series: u32::try_from(series).ok()?,
            at,
            start,
            value,
        });
    }
    Some(rows)
}

fn take_exemplars(decoder: &mut Decoder<'_>) -> Option<Vec<RecordExemplar>> {
    let mut exemplars = Vec::new();
    for _ in 0..decoder.count()? {
        let series = u32::try_from(decoder.varint()?).ok()?;
        let exemplar = RecordExemplar::decode(decoder)?;
        exemplars.push(RecordExemplar { series, exemplar });
    }
    Some(exemplars)
}

#[cfg(test)]
mod tests {
    use super::{Decoded, RecordExemplar, RecordRow, SamplesRecord, decode, deletion};
    use model::{Exemplar, Histogram, Labels, Timestamp, Value};
    use proptest::prelude::*;
    use std::sync::Arc;
    use storage::encoding::{put_varint, put_zigzag, zigzag};

    /// What a program before starts and exemplars wrote.
    fn old_record(rows: &[RecordRow]) -> Vec<u8> {
        let mut bytes = vec![1, 0];
        put_varint(&mut bytes, rows.len() as u64);
        let (mut series, mut at) = (0, 0_i64);
        for row in rows {
            let distance = zigzag(i64::from(row.series) - series);
            put_varint(&mut bytes, distance << 1);
            put_zigzag(&mut bytes, row.at.wrapping_sub(at));
            let Value::Float(value) = row.value else {
                continue;
            };
            bytes.extend_from_slice(&value.to_bits().to_le_bytes());
            (series, at) = (i64::from(row.series), row.at);
        }
        bytes
    }

    proptest! {
        #[test]
        fn samples_round_trip(
            rows: Vec<(u32, i64, i64, i32)>,
            exemplars: Vec<(u32, i64, i32)>,
            place: prop::sample::Index,
        ) {
            let labels = Labels::from_pairs([("a", "b")]);
            let mut record = SamplesRecord::default();
            record.push(1, (1, 0, &Value::Float(1.0)));
            record.clear();
            record.define(7, &labels);
            let mut want = Vec::new();
            for (series, at, start, value) in rows {
                let float = f64::from(value);
                let start = if value % 3 == 0 { start } else { 0 };
                let value = if value % 5 == 0 {
                    let histogram = Histogram { count: float, ..Histogram::default() };
                    Value::Histogram(Arc::new(histogram))
                } else {
                    Value::Float(float)
                };
                record.push(series, (at, start, &value));
                want.push(RecordRow { series, at, start, value });
            }
            let mut want_exemplars = Vec::new();
            for (series, at, value) in exemplars {
                let exemplar = Exemplar {
                    labels: labels.clone(),
                    value: f64::from(value),
                    timestamp: Some(Timestamp::from_millis(at)),
                };
                record.push_exemplar(series, &exemplar);
                want_exemplars.push(RecordExemplar { series, exemplar });
            }
            let bytes = record.finish();
            prop_assert!(decode(&bytes[..place.index(bytes.len())]).is_none());
            let definitions = vec![(7, labels.encoded())];
            let want = Decoded::Samples { definitions, rows: want, exemplars: want_exemplars };
            prop_assert_eq!(decode(bytes), Some(want));
        }

        #[test]
        fn old_samples_are_read(rows: Vec<(u32, i64, i32)>) {
            let row = |(series, at, value)| RecordRow {
                series, at, start: 0, value: Value::Float(f64::from(value)),
            };
            let rows: Vec<RecordRow> = rows.into_iter().map(row).collect();
            let bytes = old_record(&rows);
            let want = Decoded::Samples { definitions: Vec::new(), rows, exemplars: Vec::new() };
            prop_assert_eq!(decode(&bytes), Some(want));
        }

        #[test]
        fn deletions_round_trip(start: i64, end: i64, series: Vec<u32>) {
            let labels = Labels::from_pairs([("a", "b")]);
            let bytes = deletion(&[(3, &labels)], (start, end), &series);
            let definitions = vec![(3, labels.encoded())];
            prop_assert_eq!(decode(&bytes), Some(Decoded::Deletion { definitions, start, end, series }));
        }

        #[test]
        fn garbage_does_not_panic(bytes: Vec<u8>) {
            let _any = decode(&bytes);
        }
    }
}
