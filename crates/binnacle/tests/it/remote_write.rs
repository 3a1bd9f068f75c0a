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
    let second = [(
        "Content-Type",
        "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    )];
    check(
        &second,
        &sound,
        expect!["415 remote write 2.0 is not active yet; send prometheus.WriteRequest"],
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
