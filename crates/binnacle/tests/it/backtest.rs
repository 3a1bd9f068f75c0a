//! `binnacle rules backtest`: hours that were written, rules over them, and what is said about them.

use crate::place::{Place, text, write};
use crate::program::{Outcome, Program, run};
use crate::waiting::now_ms;
use crate::writer::{body, series};
use serde_json::Value;

const MINUTE: i64 = 60_000;

const RULES: &str = "groups:
- name: g
  interval: 1m
  rules:
  - {record: 'errors:ratio', expr: errors / requests}
  - alert: ManyErrors
    expr: errors:ratio > 0.1
    for: 2m
    labels: {severity: page}
    annotations: {summary: '{{ $value | humanizePercentage }} of {{ $labels.service }}'}
";

const ROUTES: &str = "route:
  receiver: oncall
  group_by: [alertname, service]
  group_wait: 30s
  repeat_interval: 1h
  routes: [{receiver: nobody, matchers: [severity=\"info\"]}]
receivers:
- {name: oncall, webhook_configs: [{url: 'http://127.0.0.1:9/hook'}]}
- {name: nobody}
";

/// Two bad spans of ten and ninety minutes in three hours.
fn is_bad(minute: i64) -> bool {
    (20..30).contains(&minute) || (60..150).contains(&minute)
}

fn write_hours(program: &Program, start: i64) {
    let minutes = 0..180_i64;
    let requests: Vec<(i64, f64)> = minutes
        .clone()
        .map(|m| (start + m * MINUTE, 100.0))
        .collect();
    let value = |minute| if is_bad(minute) { 25.0 } else { 1.0 };
    let errors: Vec<(i64, f64)> = minutes.map(|m| (start + m * MINUTE, value(m))).collect();
    let all = vec![
        series(
            &[("__name__", "requests"), ("service", "checkout")],
            &requests,
        ),
        series(&[("__name__", "errors"), ("service", "checkout")], &errors),
    ];
    let answer = program.post("/api/v1/write", "application/x-protobuf", &body(all));
    assert_eq!(answer.status(), 204, "{}", answer.text());
}

fn moment(at: i64) -> String {
    model::Timestamp::from_millis(at).to_string()
}

fn check_report(outcome: &Outcome) -> Value {
    let report: Value = serde_json::from_str(&outcome.out)
        .unwrap_or_else(|error| panic!("{error}: {} {}", outcome.out, outcome.err));
    let alert = &report["rules"][1];
    assert_eq!(alert["name"], "ManyErrors");
    assert_eq!(alert["fired"], 2, "{report:#}");
    assert_eq!(alert["series"], 1);
    assert_eq!(alert["firingSeconds"], 96.0 * 60.0);
    assert_eq!(alert["longestSeconds"], 88.0 * 60.0);
    assert_eq!(alert["failures"], 0);
    let episode = &alert["episodes"][0];
    assert_eq!(episode["annotations"]["summary"], "25% of checkout");
    assert_eq!(episode["value"], "0.25");
    // Told when it fires and when it ends; the second also once more after an hour.
    let oncall = &report["notifications"]["receivers"][1];
    assert_eq!(oncall["receiver"], "oncall");
    assert_eq!(oncall["total"], 5, "{report:#}");
    let found = &report["incidents"];
    assert_eq!(
        (&found["detected"], &found["missed"]),
        (&1.into(), &1.into()),
        "{report:#}"
    );
    assert_eq!(
        (&found["fired"], &found["falseAlarms"]),
        (&2.into(), &1.into())
    );
    assert_eq!(found["list"][0]["alert"], "ManyErrors");
    let delay = found["list"][0]["delaySeconds"].as_f64().expect("a number");
    assert!((60.0..=180.0).contains(&delay), "{delay}");
    assert!(found["list"][1]["detectedAt"].is_null());
    report
}

#[test]
fn says_what_rules_would_have_said() {
    let start = now_ms() / MINUTE * MINUTE - 181 * MINUTE;
    let place = Place::with(&[("alertmanager.yml", ROUTES), ("rules.yml", RULES)]);
    let program = Program::start(&place);
    write_hours(&program, start);
    let (rules, list) = (
        place.config().join("rules.yml"),
        place.beside("incidents.csv"),
    );
    let incidents = format!(
        "name,start,end,alerts\ncheckout down,{},{},ManyErrors\nslow,{},{},\n",
        moment(start + 20 * MINUTE),
        moment(start + 32 * MINUTE),
        moment(start + 40 * MINUTE),
        moment(start + 44 * MINUTE),
    );
    write(&list, &incidents);
    let until = moment(start + 175 * MINUTE);
    let arguments = [
        "rules",
        "backtest",
        text(&rules),
        "--since",
        "3h",
        "--until",
        &until,
        "--incidents",
        text(&list),
    ];
    let with_routes = place.config().join("alertmanager.yml");
    let json: Vec<&str> = arguments
        .iter()
        .copied()
        .chain(["--json", "--alertmanager", text(&with_routes)])
        .collect();
    let asked = program.command(&json);
    // An incident was missed.
    assert_eq!(asked.status, 1, "{}", asked.err);
    let by_server = check_report(&asked);
    let table = program.command(&arguments);
    for part in [
        "ALERT       FIRED  SERIES  FIRING  LONGEST  FLAPS  PENDING ONLY\n\
         ManyErrors  2      1       1h36m   1h28m    0      0\n",
        "ManyErrors  {service=\"checkout\", severity=\"page\"}\n",
        "1 detected, 1 missed, median delay 2m",
        "; 1 of 2 alerts were false alarms\n",
        "MISSED",
    ] {
        let said = &table.out;
        assert!(
            said.contains(part),
            "{part:?} is not in {said}{}",
            table.err
        );
    }
    check_requests(&program);
    assert_eq!(program.end(), 0);
    // The same over the folder, without a server.
    let data = place.data();
    let over_folder: Vec<&str> = json
        .iter()
        .copied()
        .chain(["--data", text(&data)])
        .collect();
    let mut by_folder = check_report(&run(&over_folder));
    let mut by_server = by_server;
    for report in [&mut by_folder, &mut by_server] {
        report["seconds"] = Value::Null;
    }
    assert_eq!(by_folder, by_server);
}

/// The rules that are loaded, and what cannot be.
fn check_requests(program: &Program) {
    let loaded = program.post_json(
        "/api/binnacle/v1/rules/backtest",
        &serde_json::json!({"group": "g", "since": "10m"}),
    );
    assert_eq!(loaded.status(), 200, "{}", loaded.text());
    let check = |body: Value, want: &str| {
        let answer = program.post_json("/api/binnacle/v1/rules/backtest", &body);
        assert_eq!(answer.status(), 400, "{}", answer.text());
        assert!(answer.text().contains(want), "{}", answer.text());
    };
    check(
        serde_json::json!({"group": "other", "since": "1h"}),
        "no loaded group",
    );
    check(serde_json::json!({}), "neither since nor start");
    check(
        serde_json::json!({"rules": "groups: 1", "since": "1h"}),
        "rules.yml:1:9",
    );
    check(
        serde_json::json!({"rules": 1, "since": "1h"}),
        "rules must be a text",
    );
}
