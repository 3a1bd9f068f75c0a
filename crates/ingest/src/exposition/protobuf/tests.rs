use crate::exposition::{Encoding, Entry, Item, Options, Reader};
use model::Value;
use proptest::prelude::*;
use prost::Message;
use std::fmt::Write as _;

/// `io.prometheus.client`, as any client library writes it. Source: client_model, metrics.proto.
#[derive(Clone, PartialEq, Message)]
struct MetricFamily {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    help: String,
    #[prost(int32, tag = "3")]
    kind: i32,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
    #[prost(string, tag = "5")]
    unit: String,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Single>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Single>,
    #[prost(message, optional, tag = "4")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "5")]
    untyped: Option<Single>,
    #[prost(int64, tag = "6")]
    timestamp_ms: i64,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct LabelPair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Single {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(message, optional, tag = "2")]
    exemplar: Option<Exemplar>,
    #[prost(message, optional, tag = "3")]
    created: Option<Time>,
}

#[derive(Clone, PartialEq, Message)]
struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(double, tag = "2")]
    value: f64,
    #[prost(message, optional, tag = "3")]
    timestamp: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    sum: f64,
    #[prost(message, repeated, tag = "3")]
    quantile: Vec<Quantile>,
    #[prost(message, optional, tag = "4")]
    created: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Quantile {
    #[prost(double, tag = "1")]
    quantile: f64,
    #[prost(double, tag = "2")]
    value: f64,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    sum: f64,
    #[prost(message, repeated, tag = "3")]
    bucket: Vec<Bucket>,
    #[prost(double, tag = "4")]
    count_float: f64,
    #[prost(sint32, tag = "5")]
    schema: i32,
    #[prost(double, tag = "6")]
    zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    zero_count: u64,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<Span>,
    #[prost(sint64, repeated, tag = "13")]
    positive_delta: Vec<i64>,
    #[prost(double, repeated, tag = "14")]
    positive_count: Vec<f64>,
    #[prost(message, optional, tag = "15")]
    created: Option<Time>,
    #[prost(message, repeated, tag = "16")]
    exemplars: Vec<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
struct Bucket {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    bound: f64,
    #[prost(message, optional, tag = "3")]
    exemplar: Option<Exemplar>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Span {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

/// Every item as a line, and the error that ended the body.
fn read(body: &[u8], options: Options) -> String {
    let mut reader = Reader::new(body, Encoding::Protobuf, options);
    let mut text = String::new();
    loop {
        match reader.next_item() {
            Ok(None) => return text,
            Ok(Some(Item::Metadata(entry))) => match entry {
                Entry::Type { name, kind } => writeln!(text, "type {name} {kind}"),
                Entry::Help { name, text: help } => writeln!(text, "help {name} {help}"),
                Entry::Unit { name, unit } => writeln!(text, "unit {name} {unit}"),
                Entry::Comment(_) | Entry::Series(_) => Ok(()),
            }
            .expect("string"),
            Ok(Some(Item::Sample)) => write_sample(&mut text, &reader),
            Err(error) => {
                writeln!(text, "error {}", error.message).expect("string");
                return text;
            }
        }
    }
}

fn write_sample(text: &mut String, reader: &Reader<'_>) {
    match reader.labels() {
        Ok(labels) => write!(text, "{labels} "),
        Err(error) => write!(text, "labels: {} ", error.message),
    }
    .expect("string");
    match reader.value() {
        Value::Float(value) => write!(text, "{}", model::format_float(value)),
        Value::Histogram(h) => write!(
            text,
            "schema={} count={} sum={} zero={} spans={} buckets={:?}",
            h.schema,
            h.count,
            h.sum,
            h.zero_count,
            h.positive_spans.len(),
            h.positive_buckets
        ),
    }
    .expect("string");
    if let Some(at) = reader.timestamp() {
        write!(text, " @{}", at.millis()).expect("string");
    }
    if let Some(start) = reader.start() {
        write!(text, " since {}", start.millis()).expect("string");
    }
    let mut exemplars = Vec::new();
    reader.exemplars(&mut exemplars);
    for exemplar in exemplars {
        let at = exemplar.timestamp.map(model::Timestamp::millis);
        write!(text, " # {} {} {at:?}", exemplar.labels, exemplar.value).expect("string");
    }
    writeln!(text).expect("string");
}

fn pair(name: &str, value: &str) -> LabelPair {
    LabelPair {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn family(name: &str, kind: i32, metric: Vec<Metric>) -> MetricFamily {
    MetricFamily {
        name: name.to_owned(),
        help: "Help.".to_owned(),
        kind,
        metric,
        unit: String::new(),
    }
}

fn exemplar(seconds: i64) -> Exemplar {
    Exemplar {
        label: vec![pair("trace", "x")],
        value: 0.5,
        timestamp: Some(Time { seconds, nanos: 0 }),
    }
}

fn encode(families: &[MetricFamily]) -> Vec<u8> {
    families
        .iter()
        .flat_map(Message::encode_length_delimited_to_vec)
        .collect()
}

fn check(families: &[MetricFamily], options: Options, want: &str) {
    assert_eq!(read(&encode(families), options).trim_end(), want);
}

fn single(value: f64) -> Single {
    Single {
        value,
        exemplar: None,
        created: None,
    }
}

#[test]
fn reads_plain_metrics() {
    let counter = Metric {
        label: vec![pair("b", "2"), pair("a", "1"), pair("c", "")],
        counter: Some(Single {
            exemplar: Some(exemplar(7)),
            created: Some(Time {
                seconds: 5,
                nanos: 250_000_000,
            }),
            ..single(3.0)
        }),
        timestamp_ms: 9,
        ..Metric::default()
    };
    let with_unit = MetricFamily {
        unit: "seconds".to_owned(),
        ..family("a_seconds_total", 0, vec![counter])
    };
    check(
        &[with_unit],
        Options::default(),
        "help a_seconds_total Help.\ntype a_seconds_total counter\nunit a_seconds_total seconds\n\
         {__name__=\"a_seconds_total\", a=\"1\", b=\"2\"} 3 @9 since 5250 # {trace=\"x\"} 0.5 Some(7000)",
    );
    let gauge = Metric {
        gauge: Some(single(f64::from_bits(0x7ff0_0000_0000_0002))),
        ..Metric::default()
    };
    let untyped = Metric {
        untyped: Some(single(-0.5)),
        ..Metric::default()
    };
    let families = [
        family("g", 1, vec![gauge, Metric::default()]),
        family("u", 3, vec![untyped]),
    ];
    check(
        &families,
        Options::default(),
        "help g Help.\ntype g gauge\n{__name__=\"g\"} NaN\n{__name__=\"g\"} 0\n\
         help u Help.\ntype u unknown\n{__name__=\"u\"} -0.5",
    );
    let summary = Metric {
        summary: Some(Summary {
            count: 4,
            sum: 2.5,
            quantile: vec![Quantile {
                quantile: 0.5,
                value: 1.5,
            }],
            created: None,
        }),
        ..Metric::default()
    };
    check(
        &[family("s", 2, vec![summary])],
        Options::default(),
        "help s Help.\ntype s summary\n{__name__=\"s_count\"} 4\n{__name__=\"s_sum\"} 2.5\n\
         {__name__=\"s\", quantile=\"0.5\"} 1.5",
    );
}

fn both() -> MetricFamily {
    let bucket = |bound, count| Bucket {
        count,
        bound,
        exemplar: (bound == 1.0).then(|| exemplar(3)),
    };
    let histogram = Histogram {
        count: 6,
        sum: 10.0,
        schema: 2,
        zero_threshold: 0.001,
        bucket: vec![bucket(1.0, 4), bucket(5.0, 6)],
        positive_span: vec![
            Span {
                offset: 0,
                length: 0,
            },
            Span {
                offset: -2,
                length: 2,
            },
        ],
        positive_delta: vec![4, -2],
        ..Histogram::default()
    };
    let metric = Metric {
        histogram: Some(histogram),
        ..Metric::default()
    };
    family("h", 4, vec![metric])
}

const CLASSIC: &str = "{__name__=\"h_count\"} 6\n{__name__=\"h_sum\"} 10\n\
     {__name__=\"h_bucket\", le=\"1.0\"} 4 # {trace=\"x\"} 0.5 Some(3000)\n\
     {__name__=\"h_bucket\", le=\"5.0\"} 6\n{__name__=\"h_bucket\", le=\"+Inf\"} 6";
const NATIVE: &str = "{__name__=\"h\"} schema=2 count=6 sum=10 zero=0 spans=1 buckets=[4.0, 2.0] \
     # {trace=\"x\"} 0.5 Some(3000)";

#[test]
fn reads_histograms() {
    let head = "help h Help.\ntype h histogram\n";
    let check = |options: Options, want: &str| check(&[both()], options, &format!("{head}{want}"));
    check(Options::default(), CLASSIC);
    let native = Options {
        native_histograms: true,
        ..Options::default()
    };
    check(native, NATIVE);
    let both = Options {
        keep_classic: true,
        ..native
    };
    check(both, &format!("{NATIVE}\n{CLASSIC}"));
    // What is native already is not made native once more.
    let converted = Options {
        convert_classic: true,
        ..both
    };
    check(converted, &format!("{NATIVE}\n{CLASSIC}"));
    let only_converted = Options {
        convert_classic: true,
        ..Options::default()
    };
    check(
        only_converted,
        "{__name__=\"h\"} schema=-53 count=6 sum=10 zero=0 spans=1 buckets=[4.0, 2.0] # {trace=\"x\"} 0.5 Some(3000)",
    );
}

#[test]
fn refuses() {
    let check = |body: &[u8], want: &str| {
        let text = read(
            body,
            Options {
                native_histograms: true,
                ..Options::default()
            },
        );
        let last = text.lines().last().unwrap_or_default();
        assert_eq!(last, format!("error {want}"));
    };
    check(&[5, 1], "proto: unexpected end of message");
    check(&[1, 0x0b], "proto: illegal tag 11");
    check(&[0xff; 11], "proto: varint overflows 64 bits");
    check(
        &encode(&[family("", 0, Vec::new())]),
        "invalid metric name: ",
    );
    check(
        &encode(&[family("a", 9, Vec::new())]),
        "unknown metric type for metric \"a\": 9",
    );
    let unit = MetricFamily {
        unit: "x".to_owned(),
        ..family("a", 0, Vec::new())
    };
    check(&encode(&[unit]), "unit \"x\" not a suffix of metric \"a\"");
    let unnamed = Metric {
        label: vec![pair("", "x")],
        ..Metric::default()
    };
    check(
        &encode(&[family("a", 1, vec![unnamed])]),
        "invalid label name: \"\"",
    );
    let mut wrong = both();
    wrong.metric[0].histogram.as_mut().expect("one").count = 3;
    check(
        &encode(&[wrong]),
        "invalid histogram: 6 observations in buckets, 3 observations in all",
    );
    let twice = Metric {
        label: vec![pair("x", "1"), pair("x", "2")],
        ..Metric::default()
    };
    let text = read(&encode(&[family("a", 1, vec![twice])]), Options::default());
    assert!(text.contains("label name \"x\" is not unique"), "{text}");
}

fn any_metric() -> impl Strategy<Value = Metric> {
    let labels = prop::collection::vec(("\\PC{1,3}", "\\PC{0,4}"), 0..3);
    let deltas = prop::collection::vec(0_i64..5, 0..6);
    (labels, any::<f64>(), any::<u64>(), deltas, any::<i64>()).prop_map(
        |(labels, value, count, deltas, at)| {
            let length = u32::try_from(deltas.len()).expect("few");
            Metric {
                label: labels.iter().map(|(n, v)| pair(n, v)).collect(),
                gauge: Some(single(value)),
                counter: Some(single(value)),
                summary: Some(Summary {
                    count,
                    sum: value,
                    ..Summary::default()
                }),
                untyped: Some(single(value)),
                timestamp_ms: at,
                histogram: Some(Histogram {
                    count_float: 1.0,
                    positive_span: vec![Span { offset: 3, length }],
                    positive_count: deltas
                        .iter()
                        .map(|d| model::number::i64_to_float(*d))
                        .collect(),
                    positive_delta: deltas,
                    ..Histogram::default()
                }),
            }
        },
    )
}

proptest! {
    /// What a client library writes is read: each metric is at least one sample.
    #[test]
    fn agrees_with_prost(metrics in prop::collection::vec(any_metric(), 0..4), kind in 0..6) {
        let count = metrics.len();
        let body = encode(&[family("m", kind, metrics)]);
        let options = Options { native_histograms: true, ..Options::default() };
        let mut reader = Reader::new(&body, Encoding::Protobuf, options);
        let mut samples = 0;
        while let Some(item) = reader.next_item().expect("sound") {
            samples += usize::from(item == Item::Sample);
        }
        prop_assert!(samples >= count);
    }

    #[test]
    fn survives_cuts_and_bit_flips(
        metrics in prop::collection::vec(any_metric(), 1..4),
        kind in 0..6,
        cut: prop::sample::Index,
        flip: prop::sample::Index,
    ) {
        let mut body = encode(&[family("m", kind, metrics), both()]);
        let bit = flip.index(body.len() * 8);
        body[bit / 8] ^= 1 << (bit % 8);
        body.truncate(cut.index(body.len()) + 1);
        for options in 0..8 {
            let options = Options {
                native_histograms: options & 1 > 0,
                keep_classic: options & 2 > 0,
                convert_classic: options & 4 > 0,
                ..Options::default()
            };
            read(&body, options);
        }
    }

    #[test]
    fn never_panics_on_bytes(body: Vec<u8>) {
        read(&body, Options { native_histograms: true, keep_classic: true, convert_classic: true, ..Options::default() });
    }
}
