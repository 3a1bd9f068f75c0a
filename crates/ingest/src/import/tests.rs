use super::{decode_json_lines, encode_json_lines};
use expect_test::{Expect, expect};
use model::{
    Histogram, Labels, MemoryStore, ReadBudget, STALE_MARKER, Sample, SeriesSamples, Sink, Source,
    TimeRange, Timestamp, Value,
};
use proptest::prelude::*;
use std::sync::Arc;

fn exported(rows: &[SeriesSamples], samples_max: usize) -> String {
    let store = MemoryStore::new();
    store.append(rows).expect("memory");
    let budget = ReadBudget::new(1_000_000);
    let mut out = String::new();
    for series in store.select(&[], TimeRange::ALL, &budget).expect("memory") {
        encode_json_lines(&mut out, &series.labels, &series.columns, samples_max);
    }
    out
}

#[test]
fn writes_and_reads_lines() {
    let labels = Labels::from_pairs([("__name__", "m"), ("a", "ü\"")]);
    let histogram = Histogram {
        count: 3.0,
        sum: 1.5,
        schema: 2,
        positive_spans: vec![model::histogram::Span {
            offset: -1,
            length: 2,
        }],
        positive_buckets: vec![1.0, 2.0],
        ..Histogram::default()
    };
    let at = Timestamp::from_millis;
    let samples = vec![
        Sample::float(at(1), 1.0),
        Sample::float(at(2), STALE_MARKER),
        Sample::float(at(3), f64::NEG_INFINITY),
        Sample::new(at(4), Value::Histogram(Arc::new(histogram))),
        Sample::float(at(5), 0.1),
    ];
    let rows = [SeriesSamples {
        labels,
        samples,
        exemplars: Vec::new(),
    }];
    let text = exported(&rows, 2);
    expect![[r#"
        {"metric":{"__name__":"m","a":"ü\""},"values":[1,null],"timestamps":[1,2]}
        {"metric":{"__name__":"m","a":"ü\""},"values":["-Infinity",0.1],"timestamps":[3,5]}
        {"metric":{"__name__":"m","a":"ü\""},"histograms":["EQAAAAAAAAhAGQAAAAAAAPg/IAQpAAAAAAAAAAA5AAAAAAAAAABaBAgBEAJqEAAAAAAAAPA/AAAAAAAAAEB4BA=="],"timestamps":[4]}
    "#]]
    .assert_eq(&text);
    let back = decode_json_lines(text.as_bytes(), &Labels::default());
    assert_eq!(back.complaint(), None);
    assert_eq!(exported(&back.rows, 2), text);
}

#[test]
fn complains_of_each_line() {
    let check = |line: &str, want: Expect| {
        let lines = decode_json_lines(line.as_bytes(), &Labels::from_pairs([("x", "y")]));
        want.assert_eq(&lines.complaint().unwrap_or_default());
    };
    check(
        "{",
        expect!["line 1: EOF while parsing an object at line 1 column 1"],
    );
    check(
        "{}",
        expect![[r#"line 1: "metric" is missing or no object"#]],
    );
    check(
        r#"{"metric":{"a":1}}"#,
        expect![[r#"line 1: the value of label "a" is no text"#]],
    );
    check(
        r#"{"metric":{"a":"b"},"values":[],"timestamps":[]}"#,
        expect![[r#"line 1: "metric" has no "__name__""#]],
    );
    check(
        r#"{"metric":{"__name__":"b"},"values":[1],"timestamps":[]}"#,
        expect!["line 1: 1 values and 0 timestamps"],
    );
    check(
        r#"{"metric":{"__name__":"b"},"values":["x"],"timestamps":[1]}"#,
        expect![[r#"line 1: the value "x" is no number"#]],
    );
    check(
        r#"{"metric":{"__name__":"b"},"values":[1],"timestamps":[1.5]}"#,
        expect!["line 1: the timestamp 1.5 is no whole number of milliseconds"],
    );
    check(
        r#"{"metric":{"__name__":"b"},"histograms":["AAAA"],"timestamps":[1]}"#,
        expect!["line 1: a histogram: illegal tag 0"],
    );
}

proptest! {
    #[test]
    fn garbage_is_refused_in_peace(bytes: Vec<u8>) {
        let _unread = decode_json_lines(&bytes, &Labels::default());
    }

    #[test]
    fn floats_round_trip(values in prop::collection::vec(any::<f64>(), 1..20)) {
        let labels = Labels::from_pairs([("__name__", "m")]);
        let sample = |(n, value): (usize, &f64)| {
            let value = if value.is_nan() { crate::exposition::NORMAL_NAN } else { *value };
            Sample::float(Timestamp::from_millis(i64::try_from(n).expect("few")), value)
        };
        let rows = [SeriesSamples {
            labels,
            samples: values.iter().enumerate().map(sample).collect(),
            exemplars: Vec::new(),
        }];
        let back = decode_json_lines(exported(&rows, 7).as_bytes(), &Labels::default());
        let bits = |rows: &[SeriesSamples]| -> Vec<u64> {
            let samples = rows.iter().flat_map(|row| &row.samples);
            samples
                .map(|sample| match sample.value {
                    Value::Float(value) => value.to_bits(),
                    Value::Histogram(_) => 0,
                })
                .collect()
        };
        prop_assert_eq!(bits(&back.rows), bits(&rows));
    }
}
