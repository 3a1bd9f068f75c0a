use super::labels::LabelEncoder;
use super::{Batch, DecodeError, LabelLimits, Limits, SeriesCache, apply, apply_to_db, decode};
use crate::ProtobufError;
use model::{
    Labels, MemoryStore, MetricKind, ReadBudget, STALE_MARKER, Source, TimeRange, Timestamp,
    is_stale_marker,
};
use proptest::prelude::*;
use prost::Message;
use runtime::SimulatedClock;
use std::sync::{Arc, Mutex};

/// `prometheus.WriteRequest` by the specification, for an encoder that is not ours.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    exemplars: Vec<Exemplar>,
    #[prost(message, repeated, tag = "4")]
    histograms: Vec<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(double, tag = "2")]
    value: f64,
    #[prost(int64, tag = "3")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "3")]
    sum: f64,
    #[prost(sint32, tag = "4")]
    schema: i32,
    #[prost(message, repeated, tag = "11")]
    positive_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "12")]
    positive_deltas: Vec<i64>,
    #[prost(int64, tag = "15")]
    timestamp: i64,
    #[prost(double, repeated, tag = "16")]
    custom_values: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct BucketSpan {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "4")]
    help: String,
    #[prost(string, tag = "5")]
    unit: String,
}

fn labels(pairs: &[(&str, &str)]) -> Vec<Label> {
    let label = |(name, value): &(&str, &str)| Label {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    pairs.iter().map(label).collect()
}

fn series(pairs: &[(&str, &str)], samples: &[(i64, f64)]) -> TimeSeries {
    let sample = |(timestamp, value): &(i64, f64)| Sample {
        value: *value,
        timestamp: *timestamp,
    };
    TimeSeries {
        labels: labels(pairs),
        samples: samples.iter().map(sample).collect(),
        ..TimeSeries::default()
    }
}

fn pack(request: &WriteRequest) -> Vec<u8> {
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .expect("small enough")
}

fn decode_series(timeseries: Vec<TimeSeries>) -> Batch {
    let request = WriteRequest {
        timeseries,
        metadata: Vec::new(),
    };
    decode(&pack(&request), &Limits::default()).expect("a good request")
}

/// The rows as `labels time=value …`, or why they are refused.
fn show(batch: &Batch) -> Vec<String> {
    let mut encoder = LabelEncoder::default();
    let mut row = |row: super::BatchRow<'_>| {
        let encoded = encoder.encode(row.labels, &LabelLimits::default())?;
        let labels = Labels::from_encoded(encoded).expect("encoded labels");
        let samples = row.samples.iter();
        let texts = samples.map(|(at, value)| format!(" {}={value}", at.millis()));
        Ok::<_, String>(format!("{labels}{}", texts.collect::<String>()))
    };
    batch
        .rows()
        .map(|r| row(r).unwrap_or_else(|reason| reason))
        .collect()
}

#[test]
fn decodes_series() {
    let check = |pairs: &[(&str, &str)], want: &str| {
        let batch = decode_series(vec![series(pairs, &[(1, 2.5), (3, -4.0)])]);
        assert_eq!(show(&batch), [format!("{want} 1=2.5 3=-4")]);
    };
    check(&[("__name__", "up")], r#"{__name__="up"}"#);
    check(
        &[("__name__", "up"), ("a", ""), ("b", "é")],
        r#"{__name__="up", b="é"}"#,
    );
    check(
        &[("b", "1"), ("__name__", "up"), ("a", "2")],
        r#"{__name__="up", a="2", b="1"}"#,
    );
}

#[test]
fn refuses_single_series_and_keeps_the_rest() {
    let good = || series(&[("__name__", "good")], &[(1, 1.0)]);
    let check = |pairs: &[(&str, &str)], want: &str| {
        let batch = decode_series(vec![good(), series(pairs, &[(1, 2.0)]), good()]);
        let good = r#"{__name__="good"} 1=1"#;
        assert_eq!(show(&batch), [good, want, good]);
        let written = apply(&batch, &LabelLimits::default(), &MemoryStore::new()).expect("open");
        assert_eq!((written.appended.accepted, written.refused.count), (2, 1));
        assert_eq!(written.refused.first.as_deref(), Some(want));
    };
    check(&[("a", "b")], "invalid labels: the metric name is missing");
    check(
        &[("__name__", "")],
        "invalid labels: the metric name is missing",
    );
    check(&[], "invalid labels: the metric name is missing");
    check(
        &[("", "x"), ("__name__", "a")],
        "invalid labels: a label name is empty",
    );
    check(
        &[("__name__", "a"), ("b", "1"), ("b", "2")],
        "label name \"b\" is not unique: invalid sample",
    );
    let long = "x".repeat(2000);
    check(
        &[("__name__", "a"), (&long, "1")],
        "a label name has 2000 bytes, more than the limit of 1024",
    );
    let long = "x".repeat(70_000);
    check(
        &[("__name__", "a"), ("b", &long)],
        "the value of label \"b\" has 70000 bytes, more than the limit of 65536",
    );
    let names: Vec<String> = (0..300).map(|i| format!("b{i:03}")).collect();
    let mut many: Vec<(&str, &str)> = vec![("__name__", "a")];
    many.extend(names.iter().map(|name| (name.as_str(), "x")));
    check(&many, "a series has 301 labels, more than the limit of 256");
}

#[test]
fn decodes_metadata_exemplars_and_histograms() {
    let request = WriteRequest {
        timeseries: vec![TimeSeries {
            labels: labels(&[("__name__", "h")]),
            exemplars: vec![Exemplar {
                labels: labels(&[("trace_id", "x")]),
                value: 0.5,
                timestamp: 7,
            }],
            histograms: vec![
                Histogram {
                    count: 6,
                    sum: 10.0,
                    schema: 3,
                    positive_spans: vec![BucketSpan {
                        offset: -2,
                        length: 2,
                    }],
                    positive_deltas: vec![4, -2],
                    timestamp: 9,
                    ..Histogram::default()
                },
                Histogram {
                    sum: STALE_MARKER,
                    timestamp: 10,
                    ..Histogram::default()
                },
                Histogram {
                    schema: 99,
                    ..Histogram::default()
                },
            ],
            ..TimeSeries::default()
        }],
        metadata: vec![Metadata {
            kind: 1,
            name: "h".to_owned(),
            help: "Help.".to_owned(),
            unit: "s".to_owned(),
        }],
    };
    let batch = decode(&pack(&request), &Limits::default()).expect("good");
    let row = batch.rows().next().expect("one series");
    assert_eq!(row.exemplars[0].labels.to_string(), r#"{trace_id="x"}"#);
    let (at, histogram) = &row.histograms[0];
    assert_eq!((at.millis(), histogram.count), (9, 6.0));
    assert_eq!(histogram.positive_buckets, [4.0, 2.0]);
    assert!(is_stale_marker(row.samples[0].1));
    assert_eq!(batch.refused.count, 1);
    assert_eq!(batch.metadata[0].1.kind, MetricKind::Counter);
    assert_eq!(batch.metadata[0].0, "h");
}

#[test]
fn refuses_bodies() {
    let check = |body: &[u8], limits: &Limits, want: DecodeError, status: u16| {
        let error = decode(body, limits).expect_err("must be refused");
        assert_eq!((error.status(), error), (status, want));
    };
    let limits = Limits::default();
    let small = Limits {
        body_bytes_max: 10,
        decoded_bytes_max: 100,
        series_max: 1,
        samples_max: 1,
        labels: LabelLimits::default(),
    };
    let too_large = |what, bytes, bytes_max| DecodeError::TooLarge {
        what,
        bytes,
        bytes_max,
    };
    check(&[0; 11], &small, too_large("request body", 11, 10), 413);
    // A header that claims 4 GiB and a body of six bytes.
    let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00];
    let claimed = usize::try_from(u32::MAX).expect("64 bits");
    check(
        &bomb,
        &limits,
        too_large("decoded request", claimed, 128 << 20),
        413,
    );
    let packed = |bytes: &[u8]| {
        snap::raw::Encoder::new()
            .compress_vec(bytes)
            .expect("small")
    };
    let truncated = DecodeError::Protobuf(ProtobufError::Truncated);
    check(&packed(&[0x0a, 0x05, 1]), &limits, truncated, 400);
    let wrong = DecodeError::Protobuf(ProtobufError::WrongWireType(1));
    check(&packed(&[0x08, 0x05]), &limits, wrong, 400);
    let too_many = |what| DecodeError::TooMany { what, max: 1 };
    let large = Limits {
        body_bytes_max: 1000,
        ..small
    };
    let two_series = WriteRequest {
        timeseries: vec![series(&[("__name__", "a")], &[]); 2],
        metadata: Vec::new(),
    };
    check(&pack(&two_series), &large, too_many("series"), 400);
    let two_samples = WriteRequest {
        timeseries: vec![series(&[("__name__", "a")], &[(1, 1.0), (2, 2.0)])],
        metadata: Vec::new(),
    };
    check(&pack(&two_samples), &large, too_many("samples"), 400);
    assert!(matches!(
        decode(b"hello", &limits),
        Err(DecodeError::Snappy(_))
    ));
    assert!(matches!(decode(b"", &limits), Err(DecodeError::Snappy(_))));
}

#[test]
fn applies_to_a_store() {
    let batch = decode_series(vec![
        series(&[("__name__", "a")], &[(1, 1.0), (2, STALE_MARKER)]),
        series(&[("__name__", "b")], &[(1, 3.0)]),
    ]);
    let store = MemoryStore::new();
    let written = apply(&batch, &LabelLimits::default(), &store).expect("appended");
    assert_eq!(written.appended.accepted, 3);
    let read = store
        .select(&[], TimeRange::ALL, &ReadBudget::new(10))
        .expect("read");
    assert_eq!(read[0].labels.to_string(), r#"{__name__="a"}"#);
    assert_eq!(*read[0].columns.timestamps, [1, 2]);
    assert!(is_stale_marker(read[0].columns.values[1]));
}

/// Through the cache: the same series in any order of labels, seen once or often, is one series; a bad one
/// stays refused.
#[test]
fn knows_series_again() {
    let folder = tempfile::tempdir().expect("folder");
    let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(100_000)));
    let options = tsdb::Options {
        clock,
        series_max: 2,
        ..tsdb::Options::new(folder.path())
    };
    let db = tsdb::Db::open(options).expect("opens");
    let cache = Mutex::new(SeriesCache::new());
    let limits = LabelLimits::default();
    for at in 1..4 {
        let batch = decode_series(vec![
            series(&[("__name__", "a"), ("b", "1"), ("c", "2")], &[(at, 1.0)]),
            series(
                &[("c", "2"), ("b", "1"), ("__name__", "a")],
                &[(at + 10, 2.0)],
            ),
            series(&[("__name__", "a"), ("b", "12"), ("c", "")], &[(at, 3.0)]),
            series(&[("b", "1")], &[(at, 4.0)]),
            series(&[("__name__", "beyond the limit")], &[(at, 5.0)]),
        ]);
        let written = apply_to_db(&batch, &limits, &db, &cache).expect("open");
        assert_eq!(
            (written.appended.accepted, written.appended.over_limit),
            (3, 1)
        );
        assert_eq!(written.refused.count, 1);
    }
    let read = db
        .select(&[], TimeRange::ALL, &ReadBudget::new(100))
        .expect("read");
    let shown: Vec<String> = read
        .iter()
        .map(|series| format!("{} {:?}", series.labels, series.columns.timestamps))
        .collect();
    let want = [
        r#"{__name__="a", b="1", c="2"} [1, 2, 3, 11, 12, 13]"#,
        r#"{__name__="a", b="12"} [1, 2, 3]"#,
    ];
    assert_eq!(shown, want);
    db.close().expect("closes");
}

/// Labels after the samples are allowed, if unusual.
#[test]
fn reads_labels_wherever_they_stand() {
    let whole = series(&[("__name__", "a"), ("b", "1")], &[(1, 2.0)]);
    let (first, second) = whole.labels.split_at(1);
    let part = |labels: &[Label], samples: &[Sample]| TimeSeries {
        labels: labels.to_vec(),
        samples: samples.to_vec(),
        ..TimeSeries::default()
    };
    let mut message = part(first, &whole.samples).encode_to_vec();
    message.extend(part(second, &[]).encode_to_vec());
    let mut request = vec![0x0a, u8::try_from(message.len()).expect("short")];
    request.extend(message);
    let packed = snap::raw::Encoder::new()
        .compress_vec(&request)
        .expect("small");
    let batch = decode(&packed, &Limits::default()).expect("good");
    assert_eq!(show(&batch), [r#"{__name__="a", b="1"} 1=2"#]);
}

/// Any bits but those of -0, which prost takes for 0 and leaves out.
fn any_value() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(|bits| f64::from_bits(bits) + 0.0)
}

fn any_series() -> impl Strategy<Value = TimeSeries> {
    let pairs = prop::collection::btree_map("[a-z]{1,4}|\\PC{1,3}", "\\PC{0,9}", 0..6);
    let samples = prop::collection::vec((any::<i64>(), any_value()), 0..4);
    (pairs, samples).prop_map(|(pairs, samples)| {
        let mut all: Vec<(&str, &str)> = vec![("__name__", "m")];
        all.extend(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        series(&all, &samples)
    })
}

proptest! {
    /// What prost encodes, we decode: the same labels, times and bits.
    #[test]
    fn agrees_with_prost(timeseries in prop::collection::vec(any_series(), 0..5)) {
        let batch = decode_series(timeseries.clone());
        prop_assert_eq!(batch.rows().len(), timeseries.len());
        for (row, sent) in batch.rows().zip(&timeseries) {
            let limits = LabelLimits::default();
            let mut encoder = LabelEncoder::default();
            let encoded = encoder.encode(row.labels, &limits).expect("good labels");
            let labels = Labels::from_encoded(encoded).expect("labels");
            let want: Labels = sent.labels.iter().map(|l| (l.name.as_str(), l.value.as_str())).collect();
            prop_assert_eq!(&labels, &want);
            prop_assert!(row.labels_alone);
            let got: Vec<_> = row.samples.iter().map(|(at, v)| (at.millis(), v.to_bits())).collect();
            let want: Vec<_> = sent.samples.iter().map(|s| (s.timestamp, s.value.to_bits())).collect();
            prop_assert_eq!(got, want);
        }
    }

    #[test]
    fn survives_cuts_and_bit_flips(
        timeseries in prop::collection::vec(any_series(), 1..4),
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let message = WriteRequest { timeseries, metadata: Vec::new() }.encode_to_vec();
        let mut broken = message;
        let bit = flip.index(broken.len() * 8);
        broken[bit / 8] ^= 1 << (bit % 8);
        broken.truncate(cut.index(broken.len()) + 1);
        let packed = snap::raw::Encoder::new().compress_vec(&broken).expect("small");
        if let Ok(batch) = decode(&packed, &Limits::default()) {
            show(&batch);
        }
        let mut broken = packed;
        let bit = flip.index(broken.len() * 8);
        broken[bit / 8] ^= 1 << (bit % 8);
        let _outcome = decode(&broken, &Limits::default());
    }

    #[test]
    fn never_panics_on_bytes(bytes: Vec<u8>) {
        let _outcome = decode(&bytes, &Limits::default());
        let packed = snap::raw::Encoder::new().compress_vec(&bytes).expect("small");
        let _outcome = decode(&packed, &Limits::default());
    }
}
