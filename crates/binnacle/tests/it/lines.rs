//! Doors for lines: InfluxDB's, Graphite's, VictoriaMetrics' imports; and the ways back, `/federate` and `/api/v1/export`.

use crate::http::{self, Request};
use crate::peer;
use crate::place::Place;
use crate::program::{Program, Start, free_port};
use crate::waiting::{now_ms, until};
use crate::writer::{body, series};
use expect_test::{Expect, expect};
use std::io::{ErrorKind, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const TEXT: &str = "text/plain";

#[test]
fn influx_lines_become_series_and_bad_ones_are_named() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let seconds = now_ms() / 1000;
    let check = |path: &str, body: &str, want: Expect| {
        let answer = program.post(path, TEXT, body.as_bytes());
        want.assert_eq(&format!("{} {}", answer.status(), answer.text().trim_end()));
    };
    check(
        "/write?db=telegraf&precision=s",
        &format!("cpu,host=a usage=0.5,cores=4i {seconds}\n"),
        expect!["204 "],
    );
    assert_eq!(
        program.query("cpu_usage{db=\"telegraf\",host=\"a\"}")[0].1,
        "0.5"
    );
    assert_eq!(program.query("cpu_cores")[0].1, "4");
    check(
        "/write?precision=s",
        &format!("good v=1 {seconds}\nbad\n"),
        expect![[
            r#"400 {"error":"partial write: line 2: unable to parse 'bad': missing fields dropped=1"}"#
        ]],
    );
    assert_eq!(program.query("good_v")[0].1, "1");
    check(
        "/api/v2/write?org=o&bucket=b&precision=d",
        "",
        expect![[
            r#"400 {"code":"invalid","message":"invalid precision \"d\" (use n, u, ms, s, m or h)"}"#
        ]],
    );
    check(
        "/api/v2/write?org=o&bucket=b&precision=ns",
        "m v=1\n",
        expect!["204 "],
    );
    assert_eq!(program.query("m_v{db=\"b\"}")[0].1, "1");
    assert_eq!(program.get("/ping", &[]).status(), 204);
    assert!(
        !program
            .get("/ping", &[])
            .header("x-influxdb-version")
            .is_empty()
    );
    let made = program.get("/query", &[("q", "CREATE DATABASE telegraf")]);
    assert_eq!(made.text(), "{\"results\":[{\"statement_id\":0}]}");
}

#[test]
fn graphite_lines_arrive_over_tcp() {
    let place = Place::new();
    let address = format!("127.0.0.1:{}", free_port());
    let start = Start {
        arguments: vec!["--graphite-listen".to_owned(), address.clone()],
        ..Start::default()
    };
    let program = Program::start_as(&place, &start);
    let mut stream = TcpStream::connect(&address).expect("it listens");
    let seconds = now_ms() / 1000;
    let lines =
        format!("servers.web1.load;dc=a 1.5 {seconds}\nnot a line at all\nplain 7 {seconds}\n");
    stream.write_all(lines.as_bytes()).expect("sent");
    // While the connection stays open.
    program.wait_for_value("plain", "7");
    assert_eq!(
        program.query("{\"servers.web1.load\",dc=\"a\"}")[0].1,
        "1.5"
    );
    stream
        .write_all(format!("unfinished 8 {seconds}").as_bytes())
        .expect("sent");
    drop(stream);
    program.wait_for_value("unfinished", "8");
    let metrics = program.get("/metrics", &[]).text();
    let counted = "binnacle_ingest_refused_lines_total{protocol=\"graphite\"} 1\n";
    assert!(metrics.contains(counted), "{metrics}");
    // A line without end costs its sender the connection.
    let mut endless = TcpStream::connect(&address).expect("it listens");
    let patience = Some(Duration::from_secs(30));
    endless.set_write_timeout(patience).expect("a limit");
    // More than the buffers of both ends hold.
    let cut = (0..1_000).find_map(|_| endless.write_all(&[b'x'; 1 << 16]).err());
    let kind = cut.expect("a line of 64 MB was read").kind();
    let ended = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(ended.contains(&kind), "{kind}");
    assert_eq!(program.end(), 0);
}

#[test]
fn imports_take_the_good_lines_and_export_gives_them_back() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let now = now_ms();
    let check = |path: &str, body: &str, want: Expect| {
        let answer = program.post(path, TEXT, body.as_bytes());
        want.assert_eq(&format!("{} {}", answer.status(), answer.text().trim_end()));
    };
    let line = |name: &str, at: i64| {
        format!(
            "{{\"metric\":{{\"__name__\":\"{name}\",\"job\":\"x\"}},\"values\":[1,2.5],\"timestamps\":[{at},{}]}}\n",
            at + 1000
        )
    };
    let lines = [
        line("a", now - 60_000),
        "{}\n".to_owned(),
        line("b", now - 60_000),
    ]
    .concat();
    check(
        "/api/v1/import",
        &lines,
        expect![[r#"
            400 4 samples were stored, 1 lines were refused
            line 2: "metric" is missing or no object"#]],
    );
    check(
        "/api/v1/import/csv?format=1:label:host,2:metric:csv_load,3:time:unix_ms&extra_label=from=csv",
        &format!("a,1.5,{now}\nb,2.5,{now}\n"),
        expect!["204 "],
    );
    assert_eq!(program.query("sum(csv_load{from=\"csv\"})")[0].1, "4");
    check(
        "/api/v1/import/prometheus?extra_label=from=text",
        &format!("text_metric{{a=\"b\"}} 5 {now}\nbroken one\n"),
        expect![[r#"
            400 1 samples were stored, 1 lines were refused
            line 2: strconv.ParseFloat: parsing "one": invalid syntax while parsing: "broken one""#]],
    );
    assert_eq!(program.query("text_metric{from=\"text\"}")[0].1, "5");
    let exported = program.get("/api/v1/export", &[("match[]", "{job=\"x\"}")]);
    assert_eq!(
        exported.text(),
        [line("a", now - 60_000), line("b", now - 60_000)].concat()
    );
    // Into another one.
    let other_place = Place::new();
    let other = Program::start_as(&other_place, &Start::default());
    let imported = other.post("/api/v1/import", TEXT, &exported.body);
    assert_eq!(imported.status(), 204);
    let again = other.get("/api/v1/export", &[("match[]", "{job=\"x\"}")]);
    assert_eq!(again.text(), exported.text());
}

#[test]
fn federates_as_prometheus_does() {
    let config = "global:\n  external_labels:\n    region: eu\n    zone: a\n";
    let place = Place::with(&[("prometheus.yml", config)]);
    let program = Program::start(&place);
    let peer_place = Place::with(&[("prometheus.yml", config)]);
    let Some(peer) = peer::prometheus_receiver(&peer_place) else {
        println!("skipped: prometheus is not installed");
        return;
    };
    let now = now_ms();
    let at = now - 10_000;
    let write = body(vec![
        series(
            &[("__name__", "fed_b"), ("instance", "i"), ("z", "1")],
            &[(at, 1.0)],
        ),
        series(
            &[("__name__", "fed_b"), ("a", "q\"\\\n"), ("zone", "own")],
            &[(at, 0.1)],
        ),
        series(
            &[("__name__", "fed_a")],
            &[(at - 5000, 2.0), (at, f64::INFINITY)],
        ),
        series(&[("__name__", "fed_old")], &[(now - 400_000, 1.0)]),
        series(
            &[("__name__", "fed_stale")],
            &[(at, f64::from_bits(0x7ff0_0000_0000_0002))],
        ),
        series(&[("__name__", "fed_nan"), ("le", "1")], &[(at, f64::NAN)]),
    ]);
    let post = Request {
        method: "POST",
        path: "/api/v1/write",
        headers: &[
            ("Content-Type", "application/x-protobuf"),
            ("Content-Encoding", "snappy"),
        ],
        body: &write,
    };
    assert_eq!(program.send(post).status(), 204);
    let wrote = http::send(&peer.address, post).expect("an answer");
    assert_eq!(wrote.status(), 204, "{}", wrote.text());
    let path = http::path_with(
        "/federate",
        &[("match[]", "{__name__=~\"fed_.*\"}"), ("match[]", "fed_a")],
    );
    let theirs = until("the peer's answer", || {
        let answer = http::send(&peer.address, Request::get(&path)).map_err(|e| e.to_string())?;
        (answer.status() == 200 && answer.text().contains("fed_b"))
            .then_some(answer.clone())
            .ok_or_else(|| answer.text())
    });
    let ours = program.send(Request::get(&path));
    assert_eq!(ours.text(), theirs.text());
    assert_eq!(ours.header("content-type"), theirs.header("content-type"));
}
