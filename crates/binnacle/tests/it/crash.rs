//! The process is killed in the middle: nothing that was acknowledged is gone, and nothing begins anew.

use crate::place::Place;
use crate::program::Program;
use crate::story::{
    self, Receivers, incidents, timeline_kinds, wait_for_incident, wait_for_scrapes,
};
use crate::target::Target;
use crate::waiting::{now_ms, until};
use crate::writer::{body, series};
use serde_json::{Value, json};
use std::path::PathBuf;

const RULES: &str = "
groups:
  - name: app
    rules:
      - alert: Now
        expr: up{job=\"app\"} == 0
        labels: {severity: critical}
      - alert: Soon
        expr: up{job=\"app\"} == 0
        for: 8s
      - alert: Later
        expr: up{job=\"app\"} == 0
        for: 1h
";

/// State and `activeAt` of an alert.
fn alert(program: &Program, name: &str) -> Option<(String, Value)> {
    let answer = program.json("/api/v1/alerts", &[]);
    let alerts = answer["data"]["alerts"].as_array().expect("alerts");
    let found = alerts
        .iter()
        .find(|alert| alert["labels"]["alertname"] == name)?;
    Some((
        found["state"].as_str().unwrap_or_default().to_owned(),
        found["activeAt"].clone(),
    ))
}

fn wait_for(program: &Program, name: &str, state: &str) -> Value {
    until(&format!("{name} to be {state}"), || {
        match alert(program, name) {
            Some((found, active_at)) if found == state => Ok(active_at),
            other => Err(format!("{other:?}")),
        }
    })
}

fn place(target: &Target, receivers: &Receivers) -> Place {
    let place = story::place(target, receivers, "0s");
    place.write("rules.yml", RULES);
    place
}

/// Writes samples of the series `pushed`.
fn push(program: &Program, samples: &[(i64, f64)]) {
    let sent = body(vec![series(&[("__name__", "pushed")], samples)]);
    let answer = program.post("/api/v1/write", "application/x-protobuf", &sent);
    assert_eq!(answer.status(), 204, "{}", answer.text());
}

/// Waits until the incident's timeline tells of so many notifications.
fn wait_for_notices(program: &Program, path: &str, count: usize) {
    until("notifications in the timeline", || {
        let kinds = timeline_kinds(&program.json(path, &[]));
        let sent = kinds.iter().filter(|kind| *kind == "notification_sent");
        if sent.count() == count {
            Ok(())
        } else {
            Err(format!("{kinds:?}"))
        }
    });
}

#[test]
fn a_killed_program_goes_on_where_it_was() {
    let mut target = Target::healthy();
    let receivers = Receivers::start();
    let place = place(&target, &receivers);
    let program = Program::start(&place);
    program.wait_for_value("up{job=\"app\"}", "1");
    // A silence for what fires later, so that it tells nobody and opens nothing.
    let silence = program.command(&[
        "silence",
        "add",
        "--comment",
        "known",
        "alertname=~Soon|Later",
    ]);
    let silence = silence.out.trim().to_owned();
    target.die();
    let active_at = wait_for(&program, "Soon", "pending");
    assert_eq!(wait_for(&program, "Later", "pending"), active_at);
    let incident = wait_for_incident(&program, "open");
    let path = format!(
        "/api/binnacle/v1/incidents/{}",
        incident["id"].as_str().expect("an id")
    );
    // What was sent but not noted before the end would be sent again, as it must.
    wait_for_notices(&program, &path, 3);
    let told = || (receivers.capture.count(), receivers.mail.taken().len());
    assert_eq!(told(), (2, 1));
    program.post_json(&format!("{path}/acknowledge"), &json!({"author": "ann"}));
    let now = now_ms();
    push(&program, &[(now - 1000, 41.0), (now, 42.0)]);
    let before = program.json(&path, &[]);
    program.kill();

    let program = Program::start(&place);
    let kept =
        program.json("/api/v1/query", &[("query", "pushed[1h]")])["data"]["result"][0]["values"]
            .clone();
    assert_eq!(
        (&kept[0][1], &kept[1][1]),
        (&json!("41"), &json!("42")),
        "{kept}"
    );
    assert_eq!(program.json(&path, &[]), before);
    assert_eq!(wait_for(&program, "Later", "pending"), active_at);
    assert_eq!(wait_for(&program, "Soon", "firing"), active_at);
    assert_eq!(wait_for(&program, "Now", "firing"), active_at);
    let silences = program.json("/api/v2/silences", &[]);
    assert_eq!(
        (&silences[0]["id"], &silences[0]["status"]["state"]),
        (&json!(silence), &json!("active"))
    );
    assert_eq!(incidents(&program).len(), 1);
    assert_eq!(told(), (2, 1));

    target.revive();
    let resolved = wait_for_incident(&program, "resolved");
    assert_eq!(resolved["id"], incident["id"]);
    wait_for_notices(&program, &path, 6);
    wait_for_scrapes(&target, 3);
    assert_eq!((told(), incidents(&program).len()), ((4, 2), 1));
}

/// The newest file of the write-ahead log and its length.
fn last_segment(place: &Place) -> (PathBuf, u64) {
    let entries = std::fs::read_dir(place.data().join("metrics/wal")).expect("the log");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let segments = paths.filter(|path| path.extension().is_some_and(|ending| ending == "wal"));
    let last = segments.max().expect("a segment");
    let length = std::fs::metadata(&last).expect("its length").len();
    (last, length)
}

#[test]
fn a_torn_tail_of_the_log_is_cut_off() {
    let target = Target::healthy();
    let receivers = Receivers::start();
    let place = place(&target, &receivers);
    let program = Program::start(&place);
    let sent = |value: f64| {
        body(vec![series(
            &[("__name__", "pushed")],
            &[(now_ms(), value)],
        )])
    };
    assert_eq!(
        program
            .post("/api/v1/write", "application/x-protobuf", &sent(1.0))
            .status(),
        204
    );
    program.kill();
    // What a machine leaves that went down while the last record was being written.
    let (last, length) = last_segment(&place);
    let file = std::fs::File::options()
        .append(true)
        .open(&last)
        .expect("the segment");
    std::io::Write::write_all(&mut &file, &[77, 0, 0, 0, 1, 2, 3, 4, 5]).expect("written");
    assert!(length > 16);

    let program = Program::start(&place);
    program.wait_for_value("pushed", "1");
    assert_eq!(
        program
            .post("/api/v1/write", "application/x-protobuf", &sent(2.0))
            .status(),
        204
    );
    program.wait_for_value("pushed", "2");
    assert!(program.log().contains("torn_bytes=9"), "{}", program.log());
    program.kill();

    // Cut in the middle of its last record: that one is gone, the program starts and serves.
    let (last, length) = last_segment(&place);
    let file = std::fs::File::options()
        .write(true)
        .open(&last)
        .expect("the segment");
    file.set_len(length - 3).expect("cut");
    let program = Program::start(&place);
    assert!(!program.query("pushed").is_empty());
    assert_eq!(program.end(), 0);
}
