//! Remote write out and remote read, with Debian's prometheus and with ourselves at the other end.

use crate::http::{self, Request};
use crate::peer;
use crate::place::Place;
use crate::program::{Program, Start, free_port};
use crate::waiting::{now_ms, until};
use crate::writer::{body, series};

/// Posts samples of ten series at these times.
fn write(program: &Program, name: &str, times: &[i64]) {
    let all = (0..10).map(|n| {
        let n = n.to_string();
        let value = |at: &i64| (*at, model::number::i64_to_float(at % 1000));
        let samples: Vec<(i64, f64)> = times.iter().map(value).collect();
        series(&[("__name__", name), ("n", &n)], &samples)
    });
    let answer = program.post(
        "/api/v1/write",
        "application/x-protobuf",
        &body(all.collect()),
    );
    assert_eq!(answer.status(), 204, "{}", answer.text());
}

/// The value of an instant query of any server, empty where there is none.
fn ask(address: &str, query: &str) -> String {
    let path = http::path_with("/api/v1/query", &[("query", query)]);
    let Ok(answer) = http::send(address, Request::get(&path)) else {
        return String::new();
    };
    if answer.status() != 200 {
        return String::new();
    }
    let value = &answer.json()["data"]["result"][0]["value"][1];
    value.as_str().unwrap_or_default().to_owned()
}

fn wait_for(address: &str, query: &str, want: &str) {
    until(&format!("{query} = {want}"), || {
        let got = ask(address, query);
        if got == want { Ok(()) } else { Err(got) }
    });
}

fn config(url: &str, more: &str) -> String {
    format!(
        "global: {{external_labels: {{from: here}}}}\nremote_write:\n- url: {url}\n{more}  queue_config: {{batch_send_deadline: 100ms, max_backoff: 200ms, min_shards: 2}}\n  \
         write_relabel_configs:\n  - {{source_labels: [__name__], regex: 'rw_.*', action: keep}}\n"
    )
}

/// Everything that was acknowledged before, between and after deaths arrives, once and whole.
fn everything_arrives(
    program_place: &Place,
    start_receiver: impl FnOnce() -> Option<(String, Box<dyn std::any::Any>)>,
) {
    let now = now_ms();
    let program = Program::start(program_place);
    let times = |from: i64| {
        (0..20)
            .map(|n| now - 100_000 + from + n * 1000)
            .collect::<Vec<_>>()
    };
    write(&program, "rw_a", &times(0));
    program.kill();
    let program = Program::start(program_place);
    write(&program, "rw_a", &times(20_000));
    write(&program, "not_sent", &times(0));
    let Some((address, _receiver)) = start_receiver() else {
        println!("skipped: prometheus is not installed");
        return;
    };
    write(&program, "rw_a", &times(40_000));
    wait_for(
        &address,
        "sum(count_over_time(rw_a{from=\"here\"}[10m]))",
        "600",
    );
    wait_for(&address, "count(count_over_time(rw_a[10m]) == 60)", "10");
    assert_eq!(ask(&address, "count(count_over_time(not_sent[10m]))"), "");
    let metrics = program.get("/metrics", &[]).text();
    for name in [
        "samples_retried_total",
        "shards",
        "bytes_total",
        "queue_highest_sent_timestamp_seconds",
    ] {
        let name = format!("prometheus_remote_storage_{name}{{remote_name=");
        assert!(metrics.contains(&name), "{name} in {metrics}");
    }
    assert_eq!(program.end(), 0);
}

#[test]
fn a_dead_prometheus_gets_everything_when_it_is_back() {
    let address = format!("127.0.0.1:{}", free_port());
    let place = Place::with(&[(
        "prometheus.yml",
        &config(&format!("http://{address}/api/v1/write"), ""),
    )]);
    let peer_place = Place::with(&[("prometheus.yml", "global: {}\n")]);
    everything_arrives(&place, || {
        let peer = peer::prometheus_receiver_at(&peer_place, &address)?;
        Some((address.clone(), Box::new(peer) as Box<dyn std::any::Any>))
    });
}

#[test]
fn one_of_us_gets_everything_by_the_second_version() {
    let address = format!("127.0.0.1:{}", free_port());
    let more = "  protobuf_message: io.prometheus.write.v2.Request\n";
    let place = Place::with(&[(
        "prometheus.yml",
        &config(&format!("http://{address}/api/v1/write"), more),
    )]);
    let receiver_place = Place::new();
    everything_arrives(&place, || {
        let start = Start {
            arguments: vec!["--listen".to_owned(), address.clone()],
            ..Start::default()
        };
        let receiver = Program::begin(&receiver_place, &start);
        Some((
            address.clone(),
            Box::new(receiver) as Box<dyn std::any::Any>,
        ))
    });
}

#[test]
fn prometheus_reads_from_us_and_we_from_it() {
    let ours = format!("127.0.0.1:{}", free_port());
    let theirs = format!("127.0.0.1:{}", free_port());
    let reading = |address: &str| {
        format!("remote_read:\n- {{url: 'http://{address}/api/v1/read', read_recent: true}}\n")
    };
    let place = Place::with(&[("prometheus.yml", &reading(&theirs))]);
    let peer_place = Place::with(&[("prometheus.yml", &reading(&ours))]);
    let start = Start {
        with_config: true,
        arguments: vec!["--listen".to_owned(), ours.clone()],
        ..Start::default()
    };
    let program = Program::begin(&place, &start);
    wait_for(&ours, "vector(1)", "1");
    let Some(peer) = peer::prometheus_receiver_at(&peer_place, &theirs) else {
        println!("skipped: prometheus is not installed");
        return;
    };
    let now = now_ms();
    let samples = |name: &str, from: i64| {
        let value = |n: i64| {
            (
                now - 60_000 + from + n * 1000,
                model::number::i64_to_float(n),
            )
        };
        let samples: Vec<_> = (0..10).map(value).collect();
        body(vec![series(&[("__name__", name), ("job", "x")], &samples)])
    };
    let post = |address: &str, body: &[u8]| {
        let request = Request {
            method: "POST",
            path: "/api/v1/write",
            headers: &[
                ("Content-Type", "application/x-protobuf"),
                ("Content-Encoding", "snappy"),
            ],
            body,
        };
        assert_eq!(
            http::send(address, request).expect("an answer").status(),
            204
        );
    };
    post(&ours, &samples("ours_alone", 0));
    post(&theirs, &samples("theirs_alone", 0));
    post(&ours, &samples("both", 0));
    post(&theirs, &samples("both", 20_000));
    for address in [&ours, &theirs] {
        assert_eq!(
            ask(address, "sum_over_time(ours_alone{job=\"x\"}[5m])"),
            "45",
            "{address}"
        );
        assert_eq!(
            ask(address, "sum_over_time(theirs_alone{job=~\"x|y\"}[5m])"),
            "45",
            "{address}"
        );
        assert_eq!(
            ask(address, "count_over_time(both{job!=\"y\"}[5m])"),
            "20",
            "{address}"
        );
    }
    drop(peer);
    // A dead endpoint costs its samples, not the query.
    assert_eq!(ask(&ours, "sum_over_time(ours_alone[5m])"), "45");
    assert_eq!(program.end(), 0);
}
