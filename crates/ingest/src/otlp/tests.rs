mod messages;

use super::{
    Accumulator, Deltas, Promoted, Settings, Translated, decode_json, decode_protobuf, translate,
};
use messages::{
    AnyValue, Buckets, Exemplar, Explicit, Exponential, ExponentialPoint, Export, Histogram,
    KeyValue, Kind, Metric, Number, Points, Quantile, Resource, ResourceMetrics, Scope,
    ScopeMetrics, Summary, SummaryPoint,
};
use model::{Value, is_stale_marker};
use proptest::prelude::*;
use prost::Message;

const CUMULATIVE: i32 = 2;
const DELTA: i32 = 1;
const MS: u64 = 1_000_000;

fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            kind: Some(Kind::Text(value.to_owned())),
        }),
    }
}

fn export(attributes: &[(&str, &str)], metrics: Vec<Metric>) -> Export {
    let attributes = attributes.iter().map(|(k, v)| attribute(k, v)).collect();
    let scope = Scope {
        name: "lib".to_owned(),
        version: "1".to_owned(),
        attributes: vec![attribute("x.y", "z")],
    };
    Export {
        resources: vec![ResourceMetrics {
            resource: Some(Resource { attributes }),
            scopes: vec![ScopeMetrics {
                scope: Some(scope),
                metrics,
                schema_url: String::new(),
            }],
        }],
    }
}

fn number(time_ms: u64, value: f64) -> Number {
    Number {
        start: 2 * MS,
        time: time_ms * MS,
        double: Some(value),
        ..Number::default()
    }
}

fn sum(temporality: i32, points: Vec<Number>) -> Metric {
    Metric {
        name: "http.requests".to_owned(),
        unit: "{request}".to_owned(),
        sum: Some(Points {
            points,
            temporality,
            is_monotonic: true,
        }),
        ..Metric::default()
    }
}

fn translated(export: &Export, settings: &Settings) -> Translated {
    let body = export.encode_to_vec();
    let request = decode_protobuf(&body).expect("sound");
    translate(&request, settings)
}

/// The rows as lines: labels, time, start, value.
fn lines(translated: &Translated) -> Vec<String> {
    let line = |row: &model::SeriesSamples| {
        let sample = &row.samples[0];
        let value = match &sample.value {
            Value::Float(value) if is_stale_marker(*value) => "stale".to_owned(),
            Value::Float(value) => model::format_float(*value),
            Value::Histogram(h) => format!(
                "{}/{} schema {} zero {} {:?} {:?} {:?}",
                h.count,
                h.sum,
                h.schema,
                h.zero_count,
                h.positive_spans
                    .iter()
                    .map(|s| (s.offset, s.length))
                    .collect::<Vec<_>>(),
                h.positive_buckets,
                h.custom_values.as_deref().unwrap_or_default()
            ),
        };
        let (at, start) = (sample.timestamp.millis(), sample.start.millis());
        let exemplars = row
            .exemplars
            .iter()
            .map(|e| format!(" # {} {}", e.labels, e.value));
        let labels = row.labels.to_string().replace("__name__=", "");
        format!(
            "{labels} @{at}/{start} {value}{}",
            exemplars.collect::<String>()
        )
    };
    translated.rows.iter().map(line).collect()
}

fn check(export: &Export, settings: &Settings, want: &[&str]) {
    let translated = translated(export, settings);
    assert_eq!(lines(&translated), want);
    assert_eq!((translated.rejected, translated.reasons.len()), (0, 0));
}

const SERVICE: [(&str, &str); 4] = [
    ("service.namespace", "shop"),
    ("service.name", "cart"),
    ("service.instance.id", "i1"),
    ("host.name", "h"),
];

#[test]
fn translates_numbers_and_the_resource() {
    let mut point = number(7, 3.0);
    point.attributes = vec![
        attribute("a.b", "2"),
        attribute("a_b", "3"),
        attribute("e", ""),
    ];
    let request = export(&SERVICE, vec![sum(CUMULATIVE, vec![point])]);
    let info = r#"{"target_info", host_name="h", instance="i1", job="shop/cart"} @7/0 1"#;
    check(
        &request,
        &Settings::default(),
        &[
            r#"{"http_requests_total", a_b="2;3", instance="i1", job="shop/cart"} @7/2 3"#,
            info,
        ],
    );
    let promoting = Settings {
        promoted: Promoted::Only(vec!["host.name".to_owned()]),
        promote_scope: true,
        keep_identifying: true,
        ..Settings::default()
    };
    check(
        &request,
        &promoting,
        &[
            r#"{"http_requests_total", a_b="2;3", host_name="h", instance="i1", job="shop/cart", otel_scope_name="lib", otel_scope_version="1", otel_scope_x_y="z"} @7/2 3"#,
            r#"{"target_info", host_name="h", instance="i1", job="shop/cart", service_instance_id="i1", service_name="cart", service_namespace="shop"} @7/0 1"#,
        ],
    );
    let plain = Settings {
        strategy: super::Strategy::NoTranslation,
        promoted: Promoted::AllBut(IDENTIFYING_AND_HOST.map(str::to_owned).to_vec()),
        type_and_unit_labels: true,
        ..Settings::default()
    };
    check(
        &request,
        &plain,
        &[
            r#"{"http.requests", __type__="counter", "a.b"="2", a_b="3", instance="i1", job="shop/cart"} @7/2 3"#,
            r#"{"target_info", "host.name"="h", instance="i1", job="shop/cart"} @7/0 1"#,
        ],
    );
}

const IDENTIFYING_AND_HOST: [&str; 4] = [
    "service.namespace",
    "service.name",
    "service.instance.id",
    "host.name",
];

/// Often enough that a query finds it all the time; none where there is nothing to say, or nobody to say it of.
#[test]
fn writes_target_info() {
    let check = |attributes: &[(&str, &str)], times: &[u64], want: &[i64]| {
        let points = times.iter().map(|at| number(*at, 1.0)).collect();
        let translated = translated(
            &export(attributes, vec![sum(CUMULATIVE, points)]),
            &Settings::default(),
        );
        let info = translated
            .rows
            .iter()
            .filter(|row| row.labels.metric_name() == "target_info");
        let got: Vec<i64> = info.map(|row| row.samples[0].timestamp.millis()).collect();
        assert_eq!(got, want);
    };
    check(&SERVICE, &[1000], &[1000]);
    check(
        &SERVICE,
        &[400_000, 1000],
        &[1000, 151_000, 301_000, 400_000],
    );
    check(&SERVICE[..3], &[1000], &[]);
    check(&SERVICE[3..], &[1000], &[]);
    // A request cannot make millions of them.
    let points = vec![number(1, 1.0), number(1_700_000_000_000, 1.0)];
    let request = export(&SERVICE, vec![sum(CUMULATIVE, points)]);
    assert_eq!(translated(&request, &Settings::default()).rows.len(), 1003);
}

fn explicit() -> Metric {
    let exemplar = |value, byte| Exemplar {
        time: 5 * MS,
        value,
        span_id: vec![byte; 8],
        trace_id: vec![byte; 16],
    };
    Metric {
        name: "latency".to_owned(),
        unit: "ms".to_owned(),
        histogram: Some(Histogram {
            temporality: CUMULATIVE,
            points: vec![Explicit {
                start: 2 * MS,
                time: 7 * MS,
                count: 6,
                sum: Some(12.5),
                counts: vec![1, 0, 5],
                bounds: vec![0.5, 1e6],
                exemplars: vec![exemplar(0.25, 1), exemplar(1e9, 0)],
                flags: 0,
            }],
        }),
        ..Metric::default()
    }
}

#[test]
fn translates_histograms_of_given_bounds() {
    let request = export(&[], vec![explicit()]);
    let trace = "01".repeat(16);
    let span = "01".repeat(8);
    let exemplar = format!("{{span_id=\"{span}\", trace_id=\"{trace}\"}} 0.25");
    check(
        &request,
        &Settings::default(),
        &[
            r#"{"latency_milliseconds_sum"} @7/2 12.5"#,
            r#"{"latency_milliseconds_count"} @7/2 6"#,
            &format!(r#"{{"latency_milliseconds_bucket", le="0.5"}} @7/2 1 # {exemplar}"#),
            r#"{"latency_milliseconds_bucket", le="1000000"} @7/2 1"#,
            r#"{"latency_milliseconds_bucket", le="+Inf"} @7/2 6 # {} 1000000000"#,
        ],
    );
    let native = Settings {
        convert_histograms: true,
        ..Settings::default()
    };
    let want = format!(
        "{{\"latency_milliseconds\"}} @7/2 6/12.5 schema -53 zero 0 [(0, 1), (1, 1)] [1.0, 5.0] [0.5, 1000000.0] \
         # {exemplar} # {{}} 1000000000"
    );
    check(&request, &native, &[&want]);
    let mut stale = explicit();
    let point = &mut stale.histogram.as_mut().expect("one").points[0];
    (point.flags, point.exemplars) = (1, Vec::new());
    check(
        &export(&[], vec![stale]),
        &native,
        &[r#"{"latency_milliseconds"} @7/2 stale"#],
    );
}

fn exponential(scale: i32, offset: i32, counts: Vec<u64>) -> Metric {
    Metric {
        name: "e".to_owned(),
        exponential: Some(Exponential {
            temporality: CUMULATIVE,
            points: vec![ExponentialPoint {
                time: 7 * MS,
                count: counts.iter().sum::<u64>() + 2,
                sum: Some(1.5),
                scale,
                zero_count: 2,
                positive: Some(Buckets { offset, counts }),
            }],
        }),
        ..Metric::default()
    }
}

#[test]
fn translates_exponential_histograms() {
    let check = |scale, offset, counts: &[u64], want: &str| {
        let request = export(&[], vec![exponential(scale, offset, counts.to_vec())]);
        check(&request, &Settings::default(), &[want]);
    };
    check(
        2,
        -1,
        &[1, 0, 3],
        r#"{"e"} @7/0 6/1.5 schema 2 zero 2 [(0, 1), (1, 1)] [1.0, 3.0] []"#,
    );
    // Two scales finer than is stored: buckets 0 to 3 become one.
    check(
        10,
        0,
        &[1, 1, 1, 1, 1],
        r#"{"e"} @7/0 7/1.5 schema 8 zero 2 [(1, 2)] [4.0, 1.0] []"#,
    );
    let refused = translated(
        &export(&[], vec![exponential(-5, 0, vec![1])]),
        &Settings::default(),
    );
    assert_eq!((refused.rows.len(), refused.rejected), (0, 1));
    let reason = "metric \"e\": an exponential histogram has the scale -5, below -4";
    assert_eq!(refused.reasons, [reason]);
}

#[test]
fn translates_summaries_and_gauges() {
    let summary = Metric {
        name: "s".to_owned(),
        summary: Some(Summary {
            points: vec![SummaryPoint {
                time: 7 * MS,
                count: 3,
                sum: 4.5,
                quantiles: vec![Quantile {
                    quantile: 0.99,
                    value: 2.0,
                }],
            }],
        }),
        ..Metric::default()
    };
    let mut gone = number(7, 0.0);
    gone.flags = 1;
    let whole = Number {
        double: None,
        int: Some(-4),
        ..number(7, 0.0)
    };
    let gauge = Metric {
        name: "g".to_owned(),
        unit: "1".to_owned(),
        gauge: Some(Points {
            points: vec![gone, whole],
            ..Points::default()
        }),
        ..Metric::default()
    };
    check(
        &export(&[], vec![summary, gauge]),
        &Settings::default(),
        &[
            r#"{"s_sum"} @7/0 4.5"#,
            r#"{"s_count"} @7/0 3"#,
            r#"{"s", quantile="0.99"} @7/0 2"#,
            r#"{"g_ratio"} @7/2 stale"#,
            r#"{"g_ratio"} @7/2 -4"#,
        ],
    );
}

#[test]
fn deltas_are_refused_kept_or_added_up() {
    let request = |at, value| export(&[], vec![sum(DELTA, vec![number(at, value)])]);
    let refused = translated(&request(7, 1.0), &Settings::default());
    assert_eq!((refused.rows.len(), refused.rejected), (0, 1));
    let reason = "invalid temporality and type combination for metric \"http.requests\"";
    assert_eq!(refused.reasons, [reason]);
    let with = |deltas| Settings {
        deltas,
        ..Settings::default()
    };
    check(
        &request(7, 1.5),
        &with(Deltas::Keep),
        &[r#"{"http_requests_total"} @7/2 1.5"#],
    );
    let mut sums = Accumulator::default();
    let mut add = |at, value, want: &str| {
        let mut translated = translated(&request(at, value), &with(Deltas::Accumulate));
        sums.add_up(&mut translated);
        let shown = lines(&translated).join(" ") + &translated.reasons.join(" ");
        assert_eq!(shown, want);
    };
    add(7, 1.5, r#"{"http_requests_total"} @7/2 1.5"#);
    add(9, 2.0, r#"{"http_requests_total"} @9/2 3.5"#);
    add(
        9,
        2.0,
        "a point of delta temporality is not newer than the one before",
    );
    add(500_000, 2.0, r#"{"http_requests_total"} @500000/2 2"#);
    let histogram = |at| {
        let mut metric = exponential(2, 0, vec![1, 2]);
        let inner = metric.exponential.as_mut().expect("one");
        inner.temporality = DELTA;
        inner.points[0].time = at * MS;
        export(&[], vec![metric])
    };
    let mut sums = Accumulator::default();
    for (at, want) in [(7, "5/1.5"), (8, "10/3")] {
        let mut translated = translated(&histogram(at), &with(Deltas::Accumulate));
        sums.add_up(&mut translated);
        assert!(lines(&translated)[0].contains(want), "{translated:?}");
    }
}

/// The same request in both encodings.
#[test]
fn json_is_read_as_protocol_buffers_are() {
    let json = serde_json::json!({"resourceMetrics": [{
    "resource": {"attributes": [
        {"key": "service.namespace", "value": {"stringValue": "shop"}},
        {"key": "service.name", "value": {"stringValue": "cart"}},
        {"key": "service.instance.id", "value": {"stringValue": "i1"}},
        {"key": "host.name", "value": {"stringValue": "h"}},
    ]},
    "unknown": [1, 2],
    "scopeMetrics": [{
        "scope": {"name": "lib", "version": "1", "attributes": [
            {"key": "x.y", "value": {"stringValue": "z"}}]},
        "metrics": [
            {"name": "http.requests", "unit": "{request}", "sum": {
                "aggregationTemporality": 2, "isMonotonic": true,
                "dataPoints": [{"startTimeUnixNano": "2000000", "timeUnixNano": 7_000_000, "asDouble": 3.0}]}},
            {"name": "latency", "unit": "ms", "histogram": {
                "aggregationTemporality": 2,
                "dataPoints": [{"startTimeUnixNano": "2000000", "timeUnixNano": "7000000",
                    "count": "6", "sum": 12.5, "bucketCounts": ["1", "0", 5], "explicitBounds": [0.5, 1e6],
                    "exemplars": [
                        {"timeUnixNano": "5000000", "asDouble": 0.25,
                         "spanId": "0101010101010101", "traceId": "01010101010101010101010101010101"},
                        {"timeUnixNano": "5000000", "asDouble": 1e9,
                         "spanId": "0000000000000000", "traceId": "00000000000000000000000000000000"}]}]}},
            {"name": "e", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [
                {"timeUnixNano": "7000000", "count": 6, "sum": 1.5, "scale": 2, "zeroCount": 2,
                 "positive": {"offset": -1, "bucketCounts": ["1", "0", "3"]}}]}},
        ]}]}]});
    let metrics = vec![
        sum(CUMULATIVE, vec![number(7, 3.0)]),
        explicit(),
        exponential(2, -1, vec![1, 0, 3]),
    ];
    let body = export(&SERVICE, metrics).encode_to_vec();
    let want = decode_protobuf(&body).expect("sound");
    assert_eq!(decode_json(&json).expect("sound"), want);
}

#[test]
fn refuses_json() {
    let check = |document: serde_json::Value, want: &str| {
        let error = decode_json(&document).expect_err(want);
        assert_eq!(error.to_string(), want);
    };
    check(serde_json::json!([]), "json: the request is not an object");
    check(
        serde_json::json!({"resourceMetrics": 1}),
        "json: resourceMetrics is not a list",
    );
    let mut value = serde_json::json!({"intValue": "1"});
    for _ in 0..20 {
        value = serde_json::json!({"arrayValue": {"values": [value]}});
    }
    let deep = serde_json::json!({"resourceMetrics": [
        {"resource": {"attributes": [{"key": "a", "value": value}]}}]});
    check(
        deep,
        "more than 16 attributes within each other in one request",
    );
}

/// A few bytes that stand for gigabytes.
#[test]
fn limits_what_labels_take() {
    let mut metric = explicit();
    let point = &mut metric.histogram.as_mut().expect("one").points[0];
    point.counts = vec![1; 5000];
    point.bounds = (0..5000).map(f64::from).collect();
    let long = "x".repeat(100_000);
    let request = export(&[("service.name", &long)], vec![metric]);
    let translated = translated(&request, &Settings::default());
    assert_eq!((translated.rows.len(), translated.rejected), (0, 1));
    assert!(translated.reasons[0].contains("too much memory"));
}

fn any_request() -> impl Strategy<Value = Export> {
    let points = prop::collection::vec((any::<u32>(), any::<f64>()), 0..3);
    (
        points,
        -6..12_i32,
        any::<i32>(),
        prop::collection::vec(any::<u64>(), 0..5),
    )
        .prop_map(|(points, scale, offset, counts)| {
            let points = points
                .into_iter()
                .map(|(at, value)| number(u64::from(at), value))
                .collect();
            let counts: Vec<u64> = counts.into_iter().map(|count| count >> 8).collect();
            let metrics = vec![
                sum(CUMULATIVE, points),
                exponential(scale, offset, counts),
                explicit(),
            ];
            export(&SERVICE, metrics)
        })
}

proptest! {
    #[test]
    fn survives_cuts_and_bit_flips(
        request in any_request(),
        cut: prop::sample::Index,
        flip: prop::sample::Index,
        deltas in prop_oneof![Just(Deltas::Refuse), Just(Deltas::Keep), Just(Deltas::Accumulate)],
        convert_histograms: bool,
    ) {
        let settings = Settings { deltas, convert_histograms, ..Settings::default() };
        let mut body = request.encode_to_vec();
        let translated = translate(&decode_protobuf(&body).expect("sound"), &settings);
        prop_assert!(!translated.rows.is_empty());
        let bit = flip.index(body.len() * 8);
        body[bit / 8] ^= 1 << (bit % 8);
        body.truncate(cut.index(body.len()) + 1);
        if let Ok(request) = decode_protobuf(&body) {
            let mut translated = translate(&request, &settings);
            Accumulator::default().add_up(&mut translated);
        }
    }

    #[test]
    fn never_panics_on_bytes(body: Vec<u8>) {
        if let Ok(request) = decode_protobuf(&body) {
            let _any = translate(&request, &Settings::default());
        }
    }
}
