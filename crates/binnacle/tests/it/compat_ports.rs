//! `--compat-ports`: what clients of the programs that are replaced ask on their ports.

use crate::http::{self, Request};
use crate::place::Place;
use crate::program::{Program, Start};
use std::net::TcpListener;

const PORTS: [u16; 8] = [9093, 3100, 3000, 3001, 9091, 4317, 4318, 2003];

#[test]
fn the_customary_ports_answer() {
    if let Some(port) = PORTS
        .into_iter()
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_err())
    {
        println!("skipped: port {port} is taken");
        return;
    }
    let place = Place::new();
    let start = Start {
        arguments: vec!["--compat-ports".to_owned()],
        ..Start::default()
    };
    let program = Program::start_as(&place, &start);
    let check = |port: u16, path: &str, part: &str| {
        let answer =
            http::send(&format!("127.0.0.1:{port}"), Request::get(path)).expect("an answer");
        assert_eq!(answer.status(), 200, "{port}{path}");
        assert!(
            answer.text().contains(part),
            "{port}{path}: {}",
            answer.text()
        );
    };
    check(9093, "/api/v2/status", "versionInfo");
    check(9093, "/api/v2/alerts", "[]");
    check(9093, "/api/v1/status", "configYAML");
    // The page is whole there.
    check(9093, "/api/binnacle/v1/status", "startedAt");
    check(9093, "/api/v1/rules", "groups");
    check(9093, "/-/healthy", "");
    check(9093, "/-/ready", "");
    check(3100, "/ready", "ready");
    check(3000, "/api/health", "\"database\":\"ok\"");
    check(3001, "/api/health", "\"database\":\"ok\"");
    check(9091, "/metrics", "binnacle_tsdb_");
    check(9091, "/-/healthy", "");
    for port in [4317, 4318] {
        let request = Request {
            method: "POST",
            path: "/v1/metrics",
            headers: &[("Content-Type", "application/json")],
            body: b"{}",
        };
        let answer = http::send(&format!("127.0.0.1:{port}"), request).expect("an answer");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "{}"));
    }
    crate::pushgateway::check_port();
    // The old API of Alertmanager, which some clients still post to.
    let body = br#"[{"labels": {"alertname": "Old"}}]"#;
    let request = Request {
        method: "POST",
        path: "/api/v1/alerts",
        headers: &[("Content-Type", "application/json")],
        body,
    };
    let answer = http::send("127.0.0.1:9093", request).expect("an answer");
    assert_eq!(
        (answer.status(), answer.text().as_str()),
        (200, "{\"status\":\"success\"}")
    );
    let alerts = program.json("/api/v2/alerts", &[]);
    assert_eq!(alerts[0]["labels"]["alertname"], "Old");
}
