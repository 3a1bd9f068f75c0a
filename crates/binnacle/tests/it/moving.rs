//! Moving in from Debian's prometheus and out to it again: the same questions get the same answers everywhere.

use crate::http::{self, Request};
use crate::peer::{self, Peer};
use crate::place::{Place, text, write};
use crate::program::{Program, Start, run, run_command};
use crate::waiting::now_ms;
use model::histogram::Span;
use model::number::i64_to_float;
use model::{Histogram, Labels, Sample, SeriesSamples, Timestamp, Value};
use serde_json::Value as Json;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// What a prometheus needs to take native histograms and late samples.
pub(crate) const FLAGS: [&str; 3] = [
    "--web.enable-remote-write-receiver",
    "--web.enable-admin-api",
    "--enable-feature=native-histograms,exemplar-storage",
];
pub(crate) const CONFIG: &str =
    "global: {scrape_interval: 1h}\nstorage: {tsdb: {out_of_order_time_window: 2h}}\n";
const HOUR_MS: i64 = 3_600_000;
/// Between two samples; odd, so that none lies on a border of a query.
const STEP_MS: i64 = 14_983;

/// Questions whose answers must not change by moving, and have not changed between Prometheus 2.42 and 3.x.
const QUERIES: [&str; 11] = [
    "{job=\"moved\"}",
    "count by (__name__) ({job=\"moved\"})",
    "sum by (host) (rate(requests_total[5m]))",
    "count_over_time(backfilled[10d])",
    "count_over_time(requests_total[5h])",
    "count_over_time(latency_seconds[5h])",
    "sum_over_time(temperature[47m])",
    "histogram_sum(latency_seconds)",
    "histogram_count(sum(latency_seconds))",
    "max_over_time(backfilled[10d])",
    "count_over_time(late[5h])",
];

/// A place with a Prometheus' data directory: blocks that promtool made, a log, head chunks, deletions. `None` where
/// Debian's prometheus is not installed.
pub(crate) fn moved_from(now: i64) -> Option<(Place, Vec<Json>)> {
    let place = Place::with(&[("prometheus.yml", CONFIG)]);
    let dump = place.beside("backfill.om");
    write(&dump, &backfill(now));
    let made = Command::new("promtool")
        .args([
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            text(&dump),
            text(&place.data()),
        ])
        .output();
    match made {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(_) => {
            println!("skipped: promtool is not installed");
            return None;
        }
    }
    let Some(peer) = peer::prometheus_with(&place, &FLAGS) else {
        println!("skipped: prometheus is not installed");
        return None;
    };
    let rows = rows(now);
    for row in rows.chunks(2) {
        send(&peer, row);
    }
    // Late samples go to a log of their own.
    let late = Labels::from_pairs([("__name__", "late"), ("job", "moved")]);
    for at in [now - 60_001, now - HOUR_MS - 1, now - HOUR_MS / 2 - 1] {
        let at = Timestamp::from_millis(at);
        send(&peer, &[SeriesSamples::float(late.clone(), at, 5.0)]);
    }
    let deleted = http::path_with(
        "/api/v1/admin/tsdb/delete_series",
        &[("match[]", "temperature{host=\"b\"}")],
    );
    assert_eq!(ask(&peer.address, "POST", &deleted), (204, Json::Null));
    let answers = answers(&peer.address, now);
    // Dropped means killed: the log is all there is of the last hour.
    drop(peer);
    Some((place, answers))
}

fn backfill(now: i64) -> String {
    let mut out = "# TYPE backfilled gauge\n".to_owned();
    for host in ["a", "b"] {
        for i in 0..500 {
            let at = i64_to_float(now - 48 * HOUR_MS + i * 61_007) / 1000.0;
            out.push_str(&format!(
                "backfilled{{job=\"moved\",host=\"{host}\"}} {i}.5 {at:.3}\n"
            ));
        }
    }
    out + "# EOF\n"
}

fn rows(now: i64) -> Vec<SeriesSamples> {
    let times = |start: i64| {
        (0..)
            .map(move |i| (i, start + i * STEP_MS))
            .take_while(move |(_, at)| *at < now)
    };
    let mut rows = Vec::new();
    for host in ["a", "b", "c"] {
        let row = |name: &str, value: &dyn Fn(i64) -> Value| SeriesSamples {
            labels: Labels::from_pairs([("__name__", name), ("host", host), ("job", "moved")]),
            samples: times(now - HOUR_MS - 7)
                .map(|(i, at)| Sample::new(Timestamp::from_millis(at), value(i)))
                .collect(),
            exemplars: Vec::new(),
        };
        rows.push(row("requests_total", &|i| {
            Value::Float(i64_to_float(i % 100 * 7))
        }));
        rows.push(row("temperature", &|i| {
            Value::Float(20.0 + i64_to_float(i % 13) / 8.0)
        }));
        rows.push(row("latency_seconds", &|i| {
            let count = i64_to_float(i);
            Value::Histogram(Arc::new(Histogram {
                schema: 0,
                zero_threshold: 1e-128,
                zero_count: 1.0,
                count: count * 4.0 + 1.0,
                sum: count * 2.5,
                positive_spans: vec![Span {
                    offset: -1,
                    length: 2,
                }],
                positive_buckets: vec![count * 3.0, count],
                ..Histogram::default()
            }))
        }));
    }
    rows
}

pub(crate) fn send(peer: &Peer, rows: &[SeriesSamples]) {
    let body = ingest::remote_out::encode_samples(rows);
    let request = Request {
        method: "POST",
        path: "/api/v1/write",
        headers: &[
            ("Content-Encoding", "snappy"),
            ("Content-Type", "application/x-protobuf"),
        ],
        body: &body,
    };
    let answer = http::send(&peer.address, request).expect("it answers");
    assert_eq!(answer.status(), 204, "{}", answer.text());
}

fn ask(address: &str, method: &str, path: &str) -> (u16, Json) {
    let request = Request {
        method,
        ..Request::get(path)
    };
    let answer = http::send(address, request).expect("it answers");
    let json = serde_json::from_slice(&answer.body).unwrap_or(Json::Null);
    (answer.status(), json)
}

/// What a server answers to all questions, its own metrics apart.
fn answers(address: &str, now: i64) -> Vec<Json> {
    let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
    let mut all = Vec::new();
    for query in QUERIES {
        let at = seconds(now - 90_000);
        let instant = http::path_with("/api/v1/query", &[("query", query), ("time", &at)]);
        let (start, end) = (seconds(now - 2 * HOUR_MS), seconds(now + 60_000));
        let range = http::path_with(
            "/api/v1/query_range",
            &[
                ("query", query),
                ("start", &start),
                ("end", &end),
                ("step", "97"),
            ],
        );
        for path in [instant, range] {
            let (status, json) = ask(address, "GET", &path);
            assert_eq!(status, 200, "{query}: {json}");
            all.push(sorted(json["data"]["result"].clone()));
        }
    }
    all
}

fn sorted(mut result: Json) -> Json {
    if let Some(rows) = result.as_array_mut() {
        rows.sort_by_key(|row| row["metric"].to_string());
    }
    result
}

fn assert_same(left: &[Json], right: &[Json], whose: &str) {
    let mut differing = String::new();
    for (i, (left, right)) in left.iter().zip(right).enumerate() {
        let query = QUERIES[i / 2];
        assert!(
            !left.as_array().expect("rows").is_empty(),
            "{query} has no answer"
        );
        if left != right {
            differing.push_str(&format!("{query}:\n{left}\n{right}\n"));
        }
    }
    assert!(differing.is_empty(), "{whose}: {differing}");
}

/// Ours on a data folder, without anything of its own in it.
fn ours(place: &Place) -> Program {
    place.write("prometheus.yml", "global: {scrape_interval: 1h}\n");
    Program::start_as(
        place,
        &Start {
            with_config: true,
            ..Start::default()
        },
    )
}

#[test]
fn in_and_out_again() {
    let now = now_ms();
    let Some((theirs, want)) = moved_from(now) else {
        return;
    };
    let home = Place::new();
    let data = home.data();
    let import = |more: &[&str]| {
        let mut all = vec![
            "import",
            "prometheus",
            text_of(&theirs),
            "--data",
            text(&data),
        ];
        all.extend(more);
        run(&all)
    };
    let done = import(&[]);
    assert_eq!((done.status, done.err.as_str()), (0, ""), "{}", done.out);
    assert!(
        done.out.contains("deleted samples left out"),
        "{}",
        done.out
    );
    let again = import(&["-o", "json"]);
    assert_eq!(again.status, 0, "{}{}", again.out, again.err);
    let report: Json = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!(report["blocks"], 0, "{report}");
    assert!(report["blocksDoneBefore"].as_u64() > Some(0), "{report}");

    let program = ours(&home);
    assert_same(&want, &answers(&program.address, now), "imported");
    let while_running = import(&[]);
    assert_eq!(while_running.status, 2);
    assert!(while_running.err.contains("--url"), "{}", while_running.err);
    program.kill();

    let back = Place::with(&[("prometheus.yml", CONFIG)]);
    let out = back.data();
    let exported = run(&["export", "prometheus", text(&out), "--data", text(&data)]);
    assert_eq!(exported.status, 0, "{}{}", exported.out, exported.err);
    let peer = peer::prometheus_with(&back, &FLAGS).expect("it ran before");
    assert_same(&want, &answers(&peer.address, now), "exported");
    drop(peer);
    let list = Command::new("promtool")
        .args(["tsdb", "list", text(&out)])
        .output();
    assert!(list.expect("it ran before").status.success());
}

fn text_of(place: &Place) -> &'static str {
    Box::leak(text(&place.data()).to_owned().into_boxed_str())
}

#[test]
fn into_a_running_server() {
    let now = now_ms();
    let Some((theirs, want)) = moved_from(now) else {
        return;
    };
    let home = Place::new();
    let program = ours(&home);
    let journal = home.beside("journal");
    let arguments = [
        "import",
        "prometheus",
        text_of(&theirs),
        "--journal",
        text(&journal),
    ];
    let done = program.command(&arguments);
    assert_eq!((done.status, done.err.as_str()), (0, ""), "{}", done.out);
    assert_same(&want, &answers(&program.address, now), "written remotely");
}

#[test]
fn a_damaged_block_is_reported_and_the_rest_comes() {
    let folder = Place::new();
    let dump = folder.beside("two.om");
    write(
        &dump,
        "a 1 1700000000\nb 2 1700000000\na 3 1700100000\n# EOF\n",
    );
    let made = run_command(Command::new("sh").args([
        "-c",
        "promtool tsdb create-blocks-from openmetrics \"$0\" \"$1\" || exit 77",
        text(&dump),
        text(&folder.data()),
    ]));
    if made.status == 77 {
        println!("skipped: promtool is not installed");
        return;
    }
    let blocks = || std::fs::read_dir(folder.data()).expect("there").flatten();
    let mut names: Vec<_> = blocks().map(|entry| entry.path()).collect();
    names.sort();
    let index = names[0].join("index");
    let bytes = std::fs::read(&index).expect("there");
    cut(&index, bytes.len() / 2);
    let home = Place::new();
    let data = home.data();
    let done = run(&[
        "import",
        "prometheus",
        text(&folder.data()),
        "--data",
        text(&data),
    ]);
    assert_eq!(done.status, 1, "{}{}", done.out, done.err);
    assert!(done.err.contains("index: offset"), "{}", done.err);
    assert!(
        done.out
            .starts_with("1 blocks and the head: 1 samples taken"),
        "{}",
        done.out
    );
}

fn cut(path: &Path, length: usize) {
    let file = std::fs::File::options()
        .write(true)
        .open(path)
        .expect("there");
    file.set_len(u64::try_from(length).expect("small"))
        .expect("cut");
}

#[test]
fn openmetrics_with_mistakes() {
    let home = Place::new();
    let dump = home.beside("dump.om");
    write(
        &dump,
        "# TYPE x histogram\nx_bucket{le=\"1\"} 3 1700000000\nnonsense\nx_bucket{le=\"1\"} 4 1700000015\ny 1\n# EOF\n",
    );
    let data = home.data();
    let done = run(&["import", "openmetrics", text(&dump), "--data", text(&data)]);
    assert_eq!(done.status, 1, "{}{}", done.out, done.err);
    assert!(
        done.out
            .contains("6 lines, 2 of them with mistakes: 2 samples taken"),
        "{}",
        done.out
    );
    assert!(done.err.contains("dump.om:3: "), "{}", done.err);
    assert!(
        done.err.contains("dump.om:5: expected timestamp"),
        "{}",
        done.err
    );
}

#[test]
fn from_victoriametrics() {
    let place = Place::new();
    let Some(peer) = peer::victoriametrics(&place) else {
        println!("skipped: victoria-metrics is not installed");
        return;
    };
    let start = now_ms() - HOUR_MS;
    let mut lines = String::new();
    for i in 0..500 {
        for host in ["a", "b"] {
            lines.push_str(&format!(
                "load{{host=\"{host}\"}} {i}.5 {}\n",
                start + i * 1009
            ));
        }
    }
    let post = Request {
        method: "POST",
        path: "/api/v1/import/prometheus",
        headers: &[],
        body: lines.as_bytes(),
    };
    let taken = http::send(&peer.address, post).expect("it answers");
    assert_eq!(taken.status(), 204, "{}", taken.text());
    let flushed = http::send(&peer.address, Request::get("/internal/force_flush"));
    assert_eq!(flushed.expect("it answers").status(), 200);

    let data = place.beside("ours");
    let url = format!("http://{}", peer.address);
    let to = ["--data", text(&data)];
    let mut arguments = vec!["import", "victoriametrics", &url, "--match", "load"];
    arguments.extend(to);
    let done = run(&arguments);
    assert_eq!((done.status, done.err.as_str()), (0, ""), "{}", done.out);
    assert!(
        done.out.ends_with("1,000 samples taken, 0 refused\n"),
        "{}",
        done.out
    );
    let dump = run(&["promtool", "tsdb", "dump", text(&data)]);
    let first = format!("{{__name__=\"load\", host=\"a\"}} 0.5 {start}");
    assert_eq!(dump.out.lines().next(), Some(first.as_str()));
    assert_eq!(dump.out.lines().count(), 1000);
}

#[test]
fn from_influx() {
    let place = Place::new();
    let dump = place.beside("dump.lp");
    write(
        &dump,
        "# DML\n# CONTEXT-DATABASE: metrics\ncpu,host=a usage=1.5,idle=2i 1700000000000\nnonsense\n\
         cpu,host=a usage=2.5 1700000010000\n",
    );
    let data = place.data();
    let done = run(&[
        "import",
        "influx",
        "--precision",
        "ms",
        text(&dump),
        "--data",
        text(&data),
    ]);
    assert_eq!(done.status, 1, "{}{}", done.out, done.err);
    assert!(done.err.contains("dump.lp:4: "), "{}", done.err);
    let dump = run(&["promtool", "tsdb", "dump", text(&data)]);
    let want = "{__name__=\"cpu_idle\", db=\"metrics\", host=\"a\"} 2 1700000000000\n\
        {__name__=\"cpu_usage\", db=\"metrics\", host=\"a\"} 1.5 1700000000000\n\
        {__name__=\"cpu_usage\", db=\"metrics\", host=\"a\"} 2.5 1700000010000\n";
    assert_eq!(dump.out, want);
    let wrong = run(&[
        "import",
        "influx",
        "--precision",
        "weeks",
        "x",
        "--data",
        text(&data),
    ]);
    assert_eq!(wrong.status, 2);
}
