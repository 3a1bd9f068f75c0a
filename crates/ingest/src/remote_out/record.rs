//! Records of the queue on disk.
//!
//! A record is packed with snappy. Inside: number of new series (varint), for each its encoded labels (varint length,
//! text); number of rows (varint), for each: number of its series (varint, counted from the segment's begin), number of
//! samples (varint), for each: distance of its time in ms to that of the sample before in the record (zigzag), its start
//! (zigzag, 0 for unknown), kind (byte): 0 and the bits of a float (8 bytes), or 1 and a `prometheus.Histogram` message
//! (varint length, bytes); number of exemplars (varint), for each: encoded labels, bits of the value, 0 or 1 and a time
//! (zigzag). A segment names each series before its first row, so it needs no other one to be understood.

use crate::protobuf::Message;
use crate::protobuf_write::histogram_message;
use crate::remote_write::decode_histogram;
use model::relabel::{self, RelabelRule};
use model::{Exemplar, Labels, Sample, SeriesSamples, Timestamp, Value};
use runtime::HashMap;
use storage::encoding::{Decoder, put_bytes, put_varint, put_zigzag};

/// Bytes that a record may have when unpacked: what a reader believes.
const UNPACKED_BYTES_MAX: usize = 256 << 20;
/// Series of a segment at most; a segment that has more begins anew with a fuller dictionary, so this bounds memory.
const SERIES_MAX: usize = 4_000_000;

/// Makes records; remembers which series the present segment has named.
#[derive(Debug, Default)]
pub struct RecordWriter {
    numbers: HashMap<Labels, u64>,
}

impl RecordWriter {
    /// Makes the record of a batch. `begins_segment`: no series has been named yet.
    pub fn encode(&mut self, rows: &[SeriesSamples], begins_segment: bool) -> Vec<u8> {
        if begins_segment {
            self.numbers.clear();
        }
        let (mut names, mut named, mut body) = (Vec::new(), 0, Vec::new());
        let mut before_ms = 0;
        for row in rows {
            let next = self.numbers.len() as u64;
            let number = *self.numbers.entry(row.labels.clone()).or_insert_with(|| {
                put_bytes(&mut names, row.labels.encoded().as_bytes());
                named += 1;
                next
            });
            put_varint(&mut body, number);
            put_varint(&mut body, row.samples.len() as u64);
            for sample in &row.samples {
                put_sample(&mut body, sample, &mut before_ms);
            }
            put_varint(&mut body, row.exemplars.len() as u64);
            for exemplar in &row.exemplars {
                put_exemplar(&mut body, exemplar);
            }
        }
        let mut record = Vec::with_capacity(names.len() + body.len() + 20);
        put_varint(&mut record, named);
        record.extend_from_slice(&names);
        put_varint(&mut record, rows.len() as u64);
        record.extend_from_slice(&body);
        // Packing fails only beyond 4 GiB, which no batch has; an empty record adds nothing.
        snap::raw::Encoder::new()
            .compress_vec(&record)
            .unwrap_or_default()
    }
}

fn put_sample(out: &mut Vec<u8>, sample: &Sample, before_ms: &mut i64) {
    let at = sample.timestamp.millis();
    put_zigzag(out, at.wrapping_sub(*before_ms));
    *before_ms = at;
    put_zigzag(out, sample.start.millis());
    match &sample.value {
        Value::Float(value) => {
            out.push(0);
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        Value::Histogram(histogram) => {
            out.push(1);
            put_bytes(out, &histogram_message(histogram, at));
        }
    }
}

fn put_exemplar(out: &mut Vec<u8>, exemplar: &Exemplar) {
    put_bytes(out, exemplar.labels.encoded().as_bytes());
    out.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
    match exemplar.timestamp {
        None => out.push(0),
        Some(at) => {
            out.push(1);
            put_zigzag(out, at.millis());
        }
    }
}

/// What becomes of labels on their way out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// `external_labels`; a series' own labels win.
    pub external: Labels,
    /// `write_relabel_configs`
    pub rules: Vec<RelabelRule>,
}

impl Rewrite {
    /// The labels that are sent; `None` where a rule drops the series.
    #[must_use]
    pub fn apply(&self, labels: &Labels) -> Option<Labels> {
        let whole = self.external.merged_with(labels);
        let kept = relabel::apply(&self.rules, &whole)?;
        (!kept.is_empty()).then_some(kept)
    }
}

/// A row as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedSeries {
    /// Its labels as they are sent; `None` where a rule drops it.
    pub labels: Option<Labels>,
    /// Its samples.
    pub samples: Vec<Sample>,
    /// Its exemplars.
    pub exemplars: Vec<Exemplar>,
}

/// Reads records in the order in which they were written.
#[derive(Debug, Default)]
pub struct RecordReader {
    rewrite: Rewrite,
    series: Vec<Option<Labels>>,
}

impl RecordReader {
    /// Makes a reader at the beginning of a segment.
    #[must_use]
    pub const fn new(rewrite: Rewrite) -> Self {
        Self {
            rewrite,
            series: Vec::new(),
        }
    }

    /// Reads one record. `begins_segment`: names of earlier segments do not count. Fails where the bytes are not what a
    /// writer made, or name series of records that were lost.
    pub fn decode(
        &mut self,
        record: &[u8],
        begins_segment: bool,
    ) -> Result<Vec<QueuedSeries>, String> {
        if begins_segment {
            self.series.clear();
        }
        let length = snap::raw::decompress_len(record).map_err(|error| error.to_string())?;
        if length > UNPACKED_BYTES_MAX {
            return Err(format!("{length} bytes are more than a record has"));
        }
        let unpacked = snap::raw::Decoder::new()
            .decompress_vec(record)
            .map_err(|error| error.to_string())?;
        self.unpacked(&mut Decoder::new(&unpacked))
            .ok_or_else(|| "the record makes no sense".to_owned())
    }

    fn unpacked(&mut self, decoder: &mut Decoder<'_>) -> Option<Vec<QueuedSeries>> {
        for _ in 0..decoder.count()? {
            let labels = Labels::from_encoded(decoder.text()?)?;
            if self.series.len() >= SERIES_MAX {
                return None;
            }
            self.series.push(self.rewrite.apply(&labels));
        }
        let mut before_ms = 0;
        let mut rows = Vec::new();
        for _ in 0..decoder.count()? {
            let labels = self.series.get(decoder.count()?)?.clone();
            let mut samples = Vec::new();
            for _ in 0..decoder.count()? {
                samples.push(take_sample(decoder, &mut before_ms)?);
            }
            let mut exemplars = Vec::new();
            for _ in 0..decoder.count()? {
                exemplars.push(take_exemplar(decoder)?);
            }
            rows.push(QueuedSeries {
                labels,
                samples,
                exemplars,
            });
        }
        decoder.is_empty().then_some(rows)
    }
}

fn take_sample(decoder: &mut Decoder<'_>, before_ms: &mut i64) -> Option<Sample> {
    let at = before_ms.wrapping_add(decoder.zigzag()?);
    *before_ms = at;
    let start = Timestamp::from_millis(decoder.zigzag()?);
    let value = match decoder.byte()? {
        0 => Value::Float(f64::from_bits(decoder.u64()?)),
        1 => {
            let message = Message::new(decoder.bytes()?);
            decode_histogram(message).ok()?.ok()?.value
        }
        _ => return None,
    };
    Some(Sample {
        timestamp: Timestamp::from_millis(at),
        start,
        value,
    })
}

fn take_exemplar(decoder: &mut Decoder<'_>) -> Option<Exemplar> {
    let labels = Labels::from_encoded(decoder.text()?)?;
    let value = f64::from_bits(decoder.u64()?);
    let timestamp = match decoder.byte()? {
        0 => None,
        1 => Some(Timestamp::from_millis(decoder.zigzag()?)),
        _ => return None,
    };
    Some(Exemplar {
        labels,
        value,
        timestamp,
    })
}

/// Samples of a batch, for the weight of its record.
#[must_use]
pub(crate) fn sample_count(rows: &[SeriesSamples]) -> usize {
    rows.iter().map(|row| row.samples.len()).sum()
}

impl RecordWriter {
    /// The record of a batch and its weight: its number of samples.
    pub fn encode_weighed(
        &mut self,
        rows: &[SeriesSamples],
        begins_segment: bool,
    ) -> (Vec<u8>, u32) {
        let weight = u32::try_from(sample_count(rows)).unwrap_or(u32::MAX);
        (self.encode(rows, begins_segment), weight)
    }
}

/// A histogram to share.
#[cfg(test)]
pub(crate) fn shared(histogram: model::Histogram) -> Value {
    Value::Histogram(std::sync::Arc::new(histogram))
}

#[cfg(test)]
mod tests {
    use super::{QueuedSeries, RecordReader, RecordWriter, Rewrite, shared};
    use model::histogram::Span;
    use model::{Exemplar, Histogram, Labels, Sample, SeriesSamples, Timestamp};
    use proptest::prelude::*;

    fn rows(seeds: &[(u8, i64, f64)]) -> Vec<SeriesSamples> {
        let row = |(n, (name, at, value)): (usize, &(u8, i64, f64))| {
            let at = Timestamp::from_millis(*at);
            let histogram = Histogram {
                count: 3.0,
                sum: *value,
                schema: 1,
                positive_spans: vec![Span {
                    offset: -2,
                    length: 1,
                }],
                positive_buckets: vec![3.0],
                ..Histogram::default()
            };
            let value = match n % 3 {
                0 if !value.is_nan() => shared(histogram),
                _ => model::Value::Float(*value),
            };
            let exemplar = Exemplar {
                labels: Labels::from_pairs([("trace", "x")]),
                value: 1.5,
                timestamp: (n % 2 == 0).then_some(at),
            };
            SeriesSamples {
                labels: Labels::from_pairs([("__name__", format!("m{}", name % 5))]),
                samples: vec![Sample {
                    timestamp: at,
                    start: Timestamp::from_millis(i64::from(*name)),
                    value,
                }],
                exemplars: if n % 4 == 1 {
                    vec![exemplar]
                } else {
                    Vec::new()
                },
            }
        };
        seeds.iter().enumerate().map(row).collect()
    }

    fn shown(series: &QueuedSeries) -> String {
        format!("{series:?}")
    }

    proptest! {
        #[test]
        fn records_round_trip(batches in prop::collection::vec(prop::collection::vec(any::<(u8, i64, f64)>(), 0..8), 1..6)) {
            let (mut writer, mut reader) = (RecordWriter::default(), RecordReader::default());
            for (n, batch) in batches.iter().enumerate() {
                let rows = rows(batch);
                let record = writer.encode(&rows, n == 0);
                let read = reader.decode(&record, n == 0).expect("sound");
                let want = rows.iter().map(|row| shown(&QueuedSeries {
                    labels: Some(row.labels.clone()),
                    samples: row.samples.clone(),
                    exemplars: row.exemplars.clone(),
                }));
                prop_assert_eq!(read.iter().map(shown).collect::<Vec<_>>(), want.collect::<Vec<_>>());
            }
        }

        #[test]
        fn garbage_is_refused_in_peace(bytes: Vec<u8>, batch in prop::collection::vec(any::<(u8, i64, f64)>(), 1..8), place: prop::sample::Index) {
            let _unread = RecordReader::default().decode(&bytes, true);
            let packed = snap::raw::Encoder::new().compress_vec(&bytes).expect("small");
            let _unread = RecordReader::default().decode(&packed, true);
            let mut record = RecordWriter::default().encode(&rows(&batch), true);
            let at = place.index(record.len());
            let _unread = RecordReader::default().decode(&record[..at], true);
            record[at] ^= 1;
            let _unread = RecordReader::default().decode(&record, true);
        }
    }

    #[test]
    fn labels_are_rewritten_on_the_way_out() {
        let rewrite = Rewrite {
            external: Labels::from_pairs([("region", "eu"), ("__name__", "never")]),
            rules: Vec::new(),
        };
        let rows = rows(&[(1, 5, 1.0)]);
        let record = RecordWriter::default().encode(&rows, true);
        let read = RecordReader::new(rewrite)
            .decode(&record, true)
            .expect("sound");
        let labels = read[0].labels.as_ref().map(ToString::to_string);
        assert_eq!(labels.as_deref(), Some(r#"{__name__="m1", region="eu"}"#));
    }
}
