//! Requests of remote write, versions 1.0 and 2.0. Sources: "Prometheus Remote-Write Specification" 1.0 and 2.0, and the
//! messages `prometheus.WriteRequest` and `io.prometheus.write.v2.Request`.

use super::record::QueuedSeries;
use crate::protobuf_write::Writer;
use model::{Exemplar, Labels, MetricKind, MetricMetadata, Sample, SeriesSamples, Value};
use runtime::HashMap;
use std::collections::BTreeMap;

/// Which message a receiver wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Message {
    /// `prometheus.WriteRequest`, version 1.0.
    #[default]
    V1,
    /// `io.prometheus.write.v2.Request`, version 2.0.
    V2,
}

impl Message {
    /// The `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::V1 => "application/x-protobuf",
            Self::V2 => "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        }
    }

    /// `X-Prometheus-Remote-Write-Version`
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::V1 => "0.1.0",
            Self::V2 => "2.0.0",
        }
    }
}

/// Makes the body of a request, packed. Rows without labels are left out. `metadata`: by metric name, used by version 2.0
/// only.
#[must_use]
pub fn encode(
    message: Message,
    rows: &[QueuedSeries],
    metadata: &BTreeMap<String, MetricMetadata>,
) -> Vec<u8> {
    let mut writer = Writer::default();
    match message {
        Message::V1 => write_v1(&mut writer, rows),
        Message::V2 => write_v2(&mut writer, rows, metadata),
    }
    pack(&writer.into_bytes())
}

/// Makes the body of a request of version 1.0, packed. Start timestamps have no place in it.
#[must_use]
pub fn encode_samples(rows: &[SeriesSamples]) -> Vec<u8> {
    let mut writer = Writer::default();
    for row in rows {
        write_series(&mut writer, &row.labels, (&row.samples, &row.exemplars));
    }
    pack(&writer.into_bytes())
}

/// Makes a message of series, not packed: a `prometheus.WriteRequest`, or a `prometheus.QueryResult`, which is laid out
/// alike.
#[must_use]
pub fn encode_series(rows: &[QueuedSeries]) -> Vec<u8> {
    let mut writer = Writer::default();
    write_v1(&mut writer, rows);
    writer.into_bytes()
}

/// Makes the body of a request of version 1.0 that tells what metrics are.
#[must_use]
pub fn encode_metadata(metadata: &[(String, MetricMetadata)]) -> Vec<u8> {
    let mut writer = Writer::default();
    for (name, metadata) in metadata {
        writer.message(3, |message| {
            message.varint(1, kind_number(metadata.kind));
            message.text(2, name);
            message.text(4, &metadata.help);
            message.text(5, &metadata.unit);
        });
    }
    pack(&writer.into_bytes())
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    // Packing fails only beyond 4 GiB; batches are bounded far below.
    snap::raw::Encoder::new()
        .compress_vec(bytes)
        .unwrap_or_default()
}

const fn kind_number(kind: MetricKind) -> u64 {
    match kind {
        MetricKind::Unknown => 0,
        MetricKind::Counter => 1,
        MetricKind::Gauge => 2,
        MetricKind::Histogram => 3,
        MetricKind::GaugeHistogram => 4,
        MetricKind::Summary => 5,
        MetricKind::Info => 6,
        MetricKind::StateSet => 7,
    }
}

fn write_v1(writer: &mut Writer, rows: &[QueuedSeries]) {
    for row in rows {
        if let Some(labels) = &row.labels {
            write_series(writer, labels, (&row.samples, &row.exemplars));
        }
    }
}

fn write_series(
    writer: &mut Writer,
    labels: &Labels,
    (samples, exemplars): (&[Sample], &[Exemplar]),
) {
    writer.message(1, |series| {
        series.labels(1, labels);
        for sample in samples {
            let at = sample.timestamp.millis();
            match &sample.value {
                Value::Float(value) => series.message(2, |message| {
                    message.double(1, *value);
                    message.int(2, at);
                }),
                Value::Histogram(histogram) => {
                    series.message(4, |message| message.histogram(histogram, at));
                }
            }
        }
        for exemplar in exemplars {
            series.message(3, |message| {
                message.labels(1, &exemplar.labels);
                message.double(2, exemplar.value);
                if let Some(at) = exemplar.timestamp {
                    message.int(3, at.millis());
                }
            });
        }
    });
}

/// Texts of a request of version 2.0, each once; the first is empty.
#[derive(Default)]
struct Symbols<'a> {
    numbers: HashMap<&'a str, u32>,
    texts: Vec<&'a str>,
}

impl<'a> Symbols<'a> {
    fn number(&mut self, text: &'a str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let texts = &mut self.texts;
        *self.numbers.entry(text).or_insert_with(|| {
            texts.push(text);
            u32::try_from(texts.len()).unwrap_or(u32::MAX)
        })
    }

    fn labels(&mut self, labels: &'a Labels) -> Vec<u32> {
        let pairs = labels.iter().flat_map(|(name, value)| [name, value]);
        pairs.map(|text| self.number(text)).collect()
    }
}

fn write_v2(
    writer: &mut Writer,
    rows: &[QueuedSeries],
    metadata: &BTreeMap<String, MetricMetadata>,
) {
    let mut symbols = Symbols::default();
    let mut all_series = Writer::default();
    for row in rows {
        let Some(labels) = &row.labels else {
            continue;
        };
        let known = metadata_of(labels.metric_name(), metadata);
        all_series.message(5, |series| {
            series.varints(1, &symbols.labels(labels));
            for sample in &row.samples {
                let (at, start) = (sample.timestamp.millis(), sample.start.millis());
                match &sample.value {
                    Value::Float(value) => series.message(2, |message| {
                        message.double(1, *value);
                        message.int(2, at);
                        if start != 0 {
                            message.int(3, start);
                        }
                    }),
                    Value::Histogram(histogram) => series.message(3, |message| {
                        message.histogram(histogram, at);
                        if start != 0 {
                            message.int(17, start);
                        }
                    }),
                }
            }
            for exemplar in &row.exemplars {
                let refs = symbols.labels(&exemplar.labels);
                series.message(4, |message| {
                    message.varints(1, &refs);
                    message.double(2, exemplar.value);
                    if let Some(at) = exemplar.timestamp {
                        message.int(3, at.millis());
                    }
                });
            }
            if let Some(known) = known {
                let (help, unit) = (symbols.number(&known.help), symbols.number(&known.unit));
                series.message(5, |message| {
                    message.varint(1, kind_number(known.kind));
                    message.varint(3, u64::from(help));
                    message.varint(4, u64::from(unit));
                });
            }
        });
    }
    writer.text(4, "");
    for text in symbols.texts {
        writer.text(4, text);
    }
    writer.append(&all_series);
}

/// What is known of a metric, or of the family that a part of a histogram or summary belongs to.
fn metadata_of<'a>(
    name: &str,
    metadata: &'a BTreeMap<String, MetricMetadata>,
) -> Option<&'a MetricMetadata> {
    metadata.get(name).or_else(|| {
        let suffixes = ["_bucket", "_sum", "_count", "_total"];
        suffixes
            .iter()
            .find_map(|suffix| metadata.get(name.strip_suffix(suffix)?))
    })
}

#[cfg(test)]
mod tests {
    use super::{Message, encode, encode_metadata, encode_samples};
    use crate::remote_out::QueuedSeries;
    use crate::remote_write::{Limits, decode};
    use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Span};
    use model::{
        Exemplar, Histogram, Labels, MetricKind, MetricMetadata, STALE_MARKER, Sample,
        SeriesSamples, Timestamp, Value,
    };
    use std::collections::BTreeMap;

    fn row(name: &str) -> QueuedSeries {
        QueuedSeries {
            labels: Some(Labels::from_pairs([("__name__", name), ("a", "b")])),
            samples: vec![Sample::float(Timestamp::from_millis(-5), 1.5)],
            exemplars: vec![Exemplar {
                labels: Labels::from_pairs([("trace", "x")]),
                value: 2.0,
                timestamp: Some(Timestamp::from_millis(7)),
            }],
        }
    }

    #[test]
    fn version_1_reads_back() {
        let dropped = QueuedSeries {
            labels: None,
            ..row("dropped")
        };
        let rows = [row("m"), dropped, row("n")];
        let body = encode(Message::V1, &rows, &BTreeMap::new());
        let batch = decode(&body, &Limits::default()).expect("our own");
        let back = batch.to_rows(&Limits::default().labels);
        assert_eq!(back.len(), 2);
        assert_eq!(Some(&back[0].labels), rows[0].labels.as_ref());
        assert_eq!(back[0].samples, rows[0].samples);
        assert_eq!(back[0].exemplars, rows[0].exemplars);
        let metadata = MetricMetadata {
            kind: MetricKind::Counter,
            help: "Help.".to_owned(),
            unit: "seconds".to_owned(),
        };
        let told = [("m".to_owned(), metadata)];
        let batch = decode(&encode_metadata(&told), &Limits::default()).expect("our own");
        assert_eq!(batch.metadata, told);
    }

    #[test]
    fn all_values_read_back() {
        let histogram = Histogram {
            counter_reset_hint: CounterResetHint::Gauge,
            schema: CUSTOM_BUCKETS_SCHEMA,
            count: 3.5,
            sum: -0.0,
            positive_spans: vec![Span {
                offset: 1,
                length: 2,
            }],
            positive_buckets: vec![1.5, 2.0],
            custom_values: Some([0.5, 1.0].into()),
            ..Histogram::default()
        };
        let values = [
            Value::Float(0.0),
            Value::Float(-0.0),
            Value::Float(f64::NEG_INFINITY),
            Value::Float(STALE_MARKER),
            Value::Histogram(histogram.into()),
        ];
        for (number, value) in (0..).zip(values) {
            let at = Timestamp::from_millis(number);
            let labels = Labels::from_pairs([("__name__", "m")]);
            let row = SeriesSamples {
                samples: vec![Sample::new(at, value)],
                ..SeriesSamples::float(labels, at, 0.0)
            };
            let body = encode_samples(std::slice::from_ref(&row));
            let batch = decode(&body, &Limits::default()).expect("our own");
            let back = batch.to_rows(&Limits::default().labels);
            // Bits tell one NaN from another, and −0 from 0.
            let text = |rows: &[SeriesSamples]| match &rows[0].samples[0].value {
                Value::Float(float) => format!("{rows:?} {:x}", float.to_bits()),
                Value::Histogram(_) => format!("{rows:?}"),
            };
            assert_eq!(text(&back), text(&[row]));
        }
    }

    #[test]
    fn version_2_names_each_text_once() {
        let mut known = BTreeMap::new();
        known.insert("m".to_owned(), MetricMetadata::default());
        let body = encode(Message::V2, &[row("m_total"), row("m_total")], &known);
        let bytes = snap::raw::Decoder::new()
            .decompress_vec(&body)
            .expect("packed");
        let mut message = crate::protobuf::Message::new(&bytes);
        let (mut symbols, mut refs) = (Vec::new(), Vec::new());
        while let Some((field, wire)) = message.next_field().expect("our own") {
            let part = message.bytes(wire).expect("bytes");
            match field {
                4 => symbols.push(String::from_utf8_lossy(part).into_owned()),
                5 => refs.push(part.get(..6).expect("six").to_vec()),
                _ => panic!("field {field}"),
            }
        }
        assert_eq!(symbols, ["", "__name__", "m_total", "a", "b", "trace", "x"]);
        assert_eq!(refs, [[0x0a, 4, 1, 2, 3, 4], [0x0a, 4, 1, 2, 3, 4]]);
    }
}
