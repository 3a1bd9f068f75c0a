use super::{SecondOptions, decode_second};
use crate::remote_write::{Batch, DecodeError, LabelLimits, Limits, apply};
use model::{MemoryStore, ReadBudget, Source, TimeRange};
use proptest::prelude::*;
use prost::Message;

/// `io.prometheus.write.v2.Request`. Source: the remote write 2.0 specification.
#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(string, repeated, tag = "4")]
    symbols: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(uint32, repeated, tag = "1")]
    labels_refs: Vec<u32>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    histograms: Vec<Histogram>,
    #[prost(message, repeated, tag = "4")]
    exemplars: Vec<Exemplar>,
    #[prost(message, optional, tag = "5")]
    metadata: Option<Metadata>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
    #[prost(int64, tag = "3")]
    start_timestamp: i64,
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
    positive_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = "12")]
    positive_deltas: Vec<i64>,
    #[prost(int64, tag = "15")]
    timestamp: i64,
    #[prost(double, repeated, tag = "16")]
    custom_values: Vec<f64>,
    #[prost(int64, tag = "17")]
    start_timestamp: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Span {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Exemplar {
    #[prost(uint32, repeated, tag = "1")]
    labels_refs: Vec<u32>,
    #[prost(double, tag = "2")]
    value: f64,
    #[prost(int64, tag = "3")]
    timestamp: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Metadata {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(uint32, tag = "3")]
    help_ref: u32,
    #[prost(uint32, tag = "4")]
    unit_ref: u32,
}

const SYMBOLS: [&str; 8] = ["", "__name__", "a", "b", "x", "trace", "Help.", "s"];

fn pack(message: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new()
        .compress_vec(message)
        .expect("small")
}

fn body(timeseries: Vec<TimeSeries>) -> Vec<u8> {
    let request = Request {
        symbols: SYMBOLS.map(str::to_owned).to_vec(),
        timeseries,
    };
    pack(&request.encode_to_vec())
}

fn series(labels_refs: &[u32], samples: &[(i64, f64)]) -> TimeSeries {
    let sample = |(timestamp, value): &(i64, f64)| Sample {
        value: *value,
        timestamp: *timestamp,
        start_timestamp: timestamp / 2,
    };
    TimeSeries {
        labels_refs: labels_refs.to_vec(),
        samples: samples.iter().map(sample).collect(),
        ..TimeSeries::default()
    }
}

fn decode(timeseries: Vec<TimeSeries>) -> Batch {
    decode_second(
        &body(timeseries),
        &Limits::default(),
        SecondOptions::default(),
    )
    .expect("a good request")
}

#[test]
fn type_and_unit_become_labels() {
    let check = |labels_refs: &[u32], metadata: Option<Metadata>, want: &str| {
        let mut sent = series(labels_refs, &[(1, 1.0)]);
        sent.metadata = metadata;
        let request = Request {
            symbols: ["", "__name__", "a", "seconds", "__type__", "x"]
                .map(str::to_owned)
                .to_vec(),
            timeseries: vec![sent],
        };
        let options = SecondOptions {
            type_and_unit_labels: true,
        };
        let body = pack(&request.encode_to_vec());
        let batch = decode_second(&body, &Limits::default(), options).expect("sound");
        let (found, refused) = stored(&batch);
        let found = found.first().and_then(|line| line.split(" [").next());
        let found = found.map(str::to_owned).or(refused);
        assert_eq!(found.as_deref(), Some(want));
    };
    let said = |kind, unit_ref| {
        let help_ref = 0;
        Some(Metadata {
            kind,
            help_ref,
            unit_ref,
        })
    };
    let name = [1, 2];
    check(&name, None, "{__name__=\"a\"}");
    check(&name, said(0, 0), "{__name__=\"a\"}");
    check(
        &name,
        said(1, 3),
        "{__name__=\"a\", __type__=\"counter\", __unit__=\"seconds\"}",
    );
    check(&name, said(2, 0), "{__name__=\"a\", __type__=\"gauge\"}");
    check(&name, said(0, 3), "{__name__=\"a\", __unit__=\"seconds\"}");
    // A label that says so itself holds where there is no metadata.
    check(&[1, 2, 4, 5], None, "{__name__=\"a\", __type__=\"x\"}");
    check(
        &[1, 2, 4, 5],
        said(1, 0),
        "{__name__=\"a\", __type__=\"counter\"}",
    );
    check(
        &name,
        said(1, 9),
        "invalid labels: reference 9 is outside of 6 symbols",
    );
}

/// What a store has of a batch, and the first reason of what was refused.
fn stored(batch: &Batch) -> (Vec<String>, Option<String>) {
    let store = MemoryStore::new();
    let written = apply(batch, &LabelLimits::default(), &store).expect("open");
    let read = store
        .select(&[], TimeRange::ALL, &ReadBudget::new(100))
        .expect("read");
    let shown = read.iter().map(|series| {
        let columns = &series.columns;
        let starts = columns.starts.as_deref().unwrap_or_default();
        format!(
            "{} {:?} {:?} {starts:?} {}",
            series.labels,
            columns.timestamps,
            columns.values,
            columns.histograms.len()
        )
    });
    (shown.collect(), written.refused.first)
}

#[test]
fn decodes_series() {
    let histogram = Histogram {
        count: 3,
        schema: -53,
        positive_spans: vec![Span {
            offset: 0,
            length: 2,
        }],
        positive_deltas: vec![1, 1],
        custom_values: vec![2.5],
        timestamp: 7,
        start_timestamp: 3,
        ..Histogram::default()
    };
    let native = TimeSeries {
        labels_refs: vec![1, 3],
        histograms: vec![histogram],
        metadata: Some(Metadata {
            kind: 3,
            help_ref: 6,
            unit_ref: 7,
        }),
        ..TimeSeries::default()
    };
    let with_exemplar = TimeSeries {
        exemplars: vec![Exemplar {
            labels_refs: vec![5, 4],
            value: 0.5,
            timestamp: 9,
        }],
        ..series(&[1, 2, 4, 3], &[(4, 1.5), (6, 2.5)])
    };
    let batch = decode(vec![with_exemplar, native]);
    let exemplars: Vec<_> = batch.rows().map(|row| row.exemplars.len()).collect();
    assert_eq!(exemplars, [1, 0]);
    assert_eq!(batch.exemplars[0].labels.to_string(), r#"{trace="x"}"#);
    let (name, metadata) = &batch.metadata[0];
    assert_eq!(
        (
            name.as_str(),
            metadata.help.as_str(),
            metadata.unit.as_str()
        ),
        ("b", "Help.", "s")
    );
    let want = [
        r#"{__name__="a", x="b"} [4, 6] [1.5, 2.5] [2, 3] 0"#,
        r#"{__name__="b"} [7] [3.0] [3] 1"#,
    ];
    assert_eq!(stored(&batch), (want.map(str::to_owned).to_vec(), None));
    let (floats, histograms) = batch.by_type();
    let histograms = histograms.expect("one");
    assert_eq!((floats.rows().len(), floats.sample_count()), (1, 2));
    assert_eq!((histograms.rows().len(), histograms.sample_count()), (1, 1));
}

#[test]
fn refuses_single_series_and_keeps_the_rest() {
    let check = |refs: &[u32], samples: &[(i64, f64)], want: &str| {
        let batch = decode(vec![
            series(&[1, 2], &[(1, 1.0)]),
            series(refs, samples),
            series(&[1, 3], &[(1, 1.0)]),
        ]);
        let (rows, reason) = stored(&batch);
        assert_eq!((rows.len(), reason.as_deref()), (2, Some(want)));
    };
    let one = [(1, 1.0)];
    check(
        &[1, 4, 2, 99],
        &one,
        "invalid labels: reference 99 is outside of 8 symbols",
    );
    check(
        &[1, 4, 2],
        &one,
        "invalid labels: 3 references, an odd number",
    );
    check(&[4, 2], &one, "invalid labels: the metric name is missing");
    check(&[0, 2, 1, 4], &one, "invalid labels: a label name is empty");
    check(
        &[1, 4, 2, 3, 2, 3],
        &one,
        "label name \"a\" is not unique: invalid sample",
    );
    check(
        &[1, 4],
        &[],
        "a series of \"x\" has neither a sample nor a histogram",
    );
}

#[test]
fn refuses_bodies() {
    let few = Limits {
        samples_max: 1,
        ..Limits::default()
    };
    let two = body(vec![series(&[1, 2], &[(1, 1.0), (2, 1.0)])]);
    let error = decode_second(&two, &few, SecondOptions::default()).expect_err("too many");
    assert_eq!(error.to_string(), "more than 1 samples in one request");
}

/// A long text, named again and again.
#[test]
fn what_is_written_out_is_limited() {
    let limits = Limits {
        decoded_bytes_max: 2000,
        ..Limits::default()
    };
    let check = |timeseries: Vec<TimeSeries>, type_and_unit_labels, want: &str| {
        let request = Request {
            symbols: ["", "__name__", "a", "b", &"n".repeat(500)]
                .map(str::to_owned)
                .to_vec(),
            timeseries,
        };
        let options = SecondOptions {
            type_and_unit_labels,
        };
        let body = pack(&request.encode_to_vec());
        let error = decode_second(&body, &limits, options).expect_err("too large");
        let DecodeError::TooLarge { what, .. } = error else {
            panic!("{error}");
        };
        assert_eq!((what, error.status()), (want, 413));
    };
    let one = [(1, 1.0)];
    let labels = "labels written out";
    check(vec![series(&[4, 4, 4, 4, 4, 4], &one)], false, labels);
    check(vec![series(&[1, 4], &one); 10], false, labels);
    // Series that are refused cost as much.
    check(vec![series(&[1, 4], &[]); 10], false, labels);
    let with_exemplars = TimeSeries {
        exemplars: vec![
            Exemplar {
                labels_refs: vec![4, 4],
                ..Exemplar::default()
            };
            10
        ],
        ..series(&[1, 2], &one)
    };
    check(vec![with_exemplars], false, labels);
    let said = |name, help_ref, unit_ref| TimeSeries {
        metadata: Some(Metadata {
            kind: 0,
            help_ref,
            unit_ref,
        }),
        ..series(&[1, name], &one)
    };
    check(vec![said(2, 0, 4); 10], true, labels);
    let metadata = "metadata written out";
    let in_turn = |help_ref, unit_ref| {
        let name = |n: u32| 2 + n % 2;
        (0..10).map(|n| said(name(n), help_ref, unit_ref)).collect()
    };
    check(in_turn(4, 0), false, metadata);
    check(in_turn(0, 4), false, metadata);
}

proptest! {
    #[test]
    fn survives_cuts_and_bit_flips(
        refs in prop::collection::vec(prop::collection::vec(0_u32..9, 0..6), 1..4),
        cut: prop::sample::Index,
        flip: prop::sample::Index,
    ) {
        let series = refs.iter().map(|refs| series(refs, &[(1, 1.0)])).collect();
        let request = Request { symbols: SYMBOLS.map(str::to_owned).to_vec(), timeseries: series };
        let mut message = request.encode_to_vec();
        let bit = flip.index(message.len() * 8);
        message[bit / 8] ^= 1 << (bit % 8);
        message.truncate(cut.index(message.len()) + 1);
        if let Ok(batch) = decode_second(&pack(&message), &Limits::default(), SecondOptions::default()) {
            stored(&batch);
        }
    }

    #[test]
    fn never_panics_on_bytes(bytes: Vec<u8>) {
        let _outcome = decode_second(&pack(&bytes), &Limits::default(), SecondOptions::default());
        let _outcome = decode_second(&bytes, &Limits::default(), SecondOptions::default());
    }

    /// Both versions of the same series are the same to the store.
    #[test]
    fn labels_are_written_out_as_version_1_sends_them(value in "\\PC{0,300}") {
        let request = Request {
            symbols: vec![String::new(), "__name__".to_owned(), "a".to_owned(), "l".to_owned(), value.clone()],
            timeseries: vec![series(&[1, 2, 3, 4], &[(1, 1.0)])],
        };
        let batch = decode_second(&pack(&request.encode_to_vec()), &Limits::default(), SecondOptions::default()).expect("sound");
        let rows = batch.to_rows(&LabelLimits::default());
        prop_assert_eq!(rows[0].labels.value("l"), value.as_str());
    }
}
