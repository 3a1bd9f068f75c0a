//! Remote write: what is taken, what is refused, and how that is said.

use crate::http::Request;
use crate::place::Place;
use crate::program::{Program, Start};
use crate::waiting::now_ms;
use crate::writer::{body, compress, series};
use expect_test::{Expect, expect};

const PATH: &str = "/api/v1/write";
const KIND: &str = "application/x-protobuf";

#[test]
fn samples_are_there_once_they_are_acknowledged() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let now = now_ms();
    let labels = [("__name__", "pushed"), ("job", "batch")];
    let write = |samples: &[(i64, f64)]| {
        program
            .post(PATH, KIND, &body(vec![series(&labels, samples)]))
            .status()
    };
    assert_eq!(write(&[(now - 60_000, 1.0), (now - 30_000, 2.0)]), 204);
    assert_eq!(program.query("pushed").len(), 1);
    assert_eq!(program.query("pushed")[0].1, "2");
    // Older than what is there already.
    assert_eq!(write(&[(now - 45_000, 1.5), (now - 3_600_000, 0.5)]), 204);
    let all = program.json("/api/v1/query", &[("query", "pushed[2h]")]);
    let values = all["data"]["result"][0]["values"]
        .as_array()
        .expect("values")
        .clone();
    let values: Vec<&str> = values.iter().filter_map(|pair| pair[1].as_str()).collect();
    assert_eq!(values, ["0.5", "1", "1.5", "2"]);
    // The same again is no mistake: senders repeat themselves.
    assert_eq!(write(&[(now - 45_000, 1.5)]), 204);
}

#[test]
fn what_senders_say_of_metrics_is_shown() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    // `WriteRequest.metadata`: a counter `sent` in `bytes`.
    let message = b"\x1a\x16\x08\x01\x12\x04sent\x22\x05Bytes\x2a\x05bytes";
    assert_eq!(program.post(PATH, KIND, &compress(message)).status(), 204);
    let said = program.json("/api/v1/metadata", &[("metric", "sent")]);
    assert_eq!(
        said["data"],
        serde_json::json!({"sent": [{"type": "counter", "help": "Bytes", "unit": "bytes"}]})
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_the_reason() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let now = now_ms();
    let check = |headers: &[(&str, &str)], body: &[u8], want: Expect| {
        let answer = program.send(Request {
            method: "POST",
            path: PATH,
            headers,
            body,
        });
        want.assert_eq(&format!("{} {}", answer.status(), answer.text().trim_end()));
    };
    let plain = [("Content-Type", KIND), ("Content-Encoding", "snappy")];
    let sound = body(vec![series(&[("__name__", "a")], &[(now, 1.0)])]);
    check(
        &plain,
        b"not snappy at all",
        expect![
            "400 snappy: corrupt input: snappy: corrupt input (expected valid offset but got offset 1853038708; dst position: 0)"
        ],
    );
    check(
        &plain,
        &compress(b"not a message"),
        expect!["400 proto: illegal tag 110"],
    );
    check(
        &plain,
        sound.get(..sound.len() - 3).expect("longer"),
        expect![
            "400 snappy: corrupt input: snappy: corrupt input (expected literal read of length 35; remaining src: 32; remaining dst: 35)"
        ],
    );
    // A header that promises four gigabytes.
    check(
        &plain,
        &[0xff, 0xff, 0xff, 0xff, 0x0f, 0],
        expect!["413 decoded request of 4294967295 bytes is larger than the limit of 134217728"],
    );
    check(
        &[("Content-Encoding", "gzip")],
        &sound,
        expect![[r#"415 content encoding "gzip" is not snappy"#]],
    );
    check(
        &[("Content-Type", "application/json")],
        &sound,
        expect![[r#"415 content type "application/json" is not application/x-protobuf"#]],
    );
    let unknown = [(
        "Content-Type",
        "application/x-protobuf;proto=io.prometheus.write.v3.Request",
    )];
    check(
        &unknown,
        &sound,
        expect![[
            r#"415 "io.prometheus.write.v3.Request" is neither prometheus.WriteRequest nor io.prometheus.write.v2.Request"#
        ]],
    );
    check(
        &plain,
        &[],
        expect!["400 snappy: corrupt input: snappy: corrupt input (empty)"],
    );
    let get = program.get(PATH, &[]);
    assert_eq!(get.status(), 405);
}

#[test]
fn label_sets_that_nobody_may_have_are_refused_and_the_rest_is_kept() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let now = now_ms();
    let long = "x".repeat(100_000);
    let many: Vec<(String, String)> = (0..300)
        .map(|n| (format!("l{n:03}"), "v".to_owned()))
        .collect();
    let mut many: Vec<(&str, &str)> = many
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    many.insert(0, ("__name__", "bad"));
    let check = |number: usize, labels: &[(&str, &str)], want: Expect| {
        let good = format!("good_{number}");
        let both = vec![
            series(labels, &[(now, 1.0)]),
            series(&[("__name__", &good)], &[(now, 1.0)]),
        ];
        let answer = program.post(PATH, KIND, &body(both));
        let said = answer.text();
        let shown = if said.len() > 300 {
            format!("{} bytes", said.len())
        } else {
            said
        };
        want.assert_eq(&format!("{} {}", answer.status(), shown.trim_end()));
        assert_eq!(program.query(&good).len(), 1, "{labels:?}");
    };
    check(
        1,
        &[],
        expect!["400 invalid labels: the metric name is missing"],
    );
    check(
        2,
        &[("job", "a")],
        expect!["400 invalid labels: the metric name is missing"],
    );
    check(
        3,
        &[("__name__", "bad"), ("a", "1"), ("a", "2")],
        expect![[r#"400 label name "a" is not unique: invalid sample"#]],
    );
    check(
        4,
        &[("__name__", "bad"), ("", "1")],
        expect!["400 invalid labels: a label name is empty"],
    );
    check(
        5,
        &[("__name__", "bad"), ("a", &long)],
        expect![[r#"400 the value of label "a" has 100000 bytes, more than the limit of 65536"#]],
    );
    check(
        6,
        &many,
        expect!["400 a series has 301 labels, more than the limit of 256"],
    );
    // Not sorted: sorted here, as others do.
    check(
        7,
        &[("b", "1"), ("a", "2"), ("__name__", "unsorted")],
        expect!["204 "],
    );
    assert!(program.query("{__name__=\"bad\"}").is_empty());
}

/// Version 2.0: what was stored is said in headers, whatever the answer.
#[test]
fn the_second_version_says_how_much_was_stored() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let now = now_ms();
    let headers = [
        (
            "Content-Type",
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        ),
        ("Content-Encoding", "snappy"),
    ];
    let check = |name: &str, references: &[u32], want: &str| {
        let symbols = ["", "__name__", name, "trace"];
        let answer = program.send(Request {
            method: "POST",
            path: PATH,
            headers: &headers,
            body: &second(&symbols, references, now),
        });
        let written = ["samples", "histograms", "exemplars"].map(|what| {
            answer
                .header(&format!("x-prometheus-remote-write-{what}-written"))
                .to_owned()
        });
        let said = format!(
            "{} {} {}",
            answer.status(),
            written.join(" "),
            answer.text().trim_end()
        );
        assert_eq!(said.trim_end(), want);
    };
    check("good", &[1, 2], "204 1 1 1");
    check(
        "partly",
        &[1, 77],
        "400 0 1 0 invalid labels: reference 77 is outside of 4 symbols",
    );
    assert_eq!(program.query("good")[0].1, "1.5");
    assert_eq!(
        program
            .query("histogram_count({__name__=~\"good|partly\"})")
            .len(),
        0
    );
    assert_eq!(program.query("histogram_count(trace)")[0].1, "3");
}

/// A float series with an exemplar, named by `references`, and a histogram series named by symbol 3.
fn second(symbols: &[&str], references: &[u32], at: i64) -> Vec<u8> {
    let varint = prost::encoding::encode_varint;
    let field = |out: &mut Vec<u8>, number: u64, bytes: &[u8]| {
        varint(number << 3 | 2, out);
        varint(u64::try_from(bytes.len()).expect("short"), out);
        out.extend_from_slice(bytes);
    };
    let packed = |numbers: &[u32]| {
        let mut out = Vec::new();
        numbers.iter().for_each(|n| varint(u64::from(*n), &mut out));
        out
    };
    let time = |number: u64| {
        let mut out = Vec::new();
        varint(number << 3, &mut out);
        varint(at.cast_unsigned(), &mut out);
        out
    };
    let double = |number: u64, value: f64| {
        let mut out = Vec::new();
        varint(number << 3 | 1, &mut out);
        out.extend_from_slice(&value.to_le_bytes());
        out
    };
    let mut exemplar = Vec::new();
    field(&mut exemplar, 1, &packed(&[3, 2]));
    exemplar.extend([double(2, 0.5), time(3)].concat());
    let mut float = Vec::new();
    field(&mut float, 1, &packed(references));
    field(&mut float, 2, &[double(1, 1.5), time(2)].concat());
    field(&mut float, 4, &exemplar);
    // Three observations in the bucket that ends at 1.
    let mut histogram = [&[0x08, 3][..], &double(3, 2.5)].concat();
    field(&mut histogram, 11, &[0x10, 1]);
    field(&mut histogram, 12, &[6]);
    histogram.extend(time(15));
    let mut native = Vec::new();
    field(&mut native, 1, &packed(&[1, 3]));
    field(&mut native, 3, &histogram);
    let mut request = Vec::new();
    for symbol in symbols {
        field(&mut request, 4, symbol.as_bytes());
    }
    field(&mut request, 5, &float);
    field(&mut request, 5, &native);
    compress(&request)
}
