//! Alerts that leave for Alertmanagers of `alerting`: Debian's own, where it is installed.

use crate::http::{self, Request};
use crate::peer;
use crate::place::Place;
use crate::program::{Program, Start, free_port};
use crate::waiting::until;
use serde_json::Value;
use std::net::ToSocketAddrs as _;

const QUIET: &str = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";

const RULES: &str = "groups:
- name: g
  interval: 1s
  rules:
  - alert: Down
    expr: vector(1)
    labels: {severity: page}
    annotations: {summary: 'it is {{ $value }}'}
  - {alert: Private, expr: vector(1)}
";

fn config(alertmanager: &str, dead_port: u16) -> String {
    format!(
        "global: {{external_labels: {{region: eu}}}}
rule_files: [rules.yml]
alerting:
  alert_relabel_configs:
  - {{regex: severity, action: labeldrop}}
  alertmanagers:
  - alert_relabel_configs:
    - {{source_labels: [alertname], regex: Private, action: drop}}
    relabel_configs:
    - {{source_labels: [__address__], regex: 'not-.*', action: drop}}
    static_configs:
    - {{targets: ['{alertmanager}', '127.0.0.1:{dead_port}', 'not-this:9093']}}
"
    )
}

fn alerts(address: &str) -> Value {
    let answer = http::send(address, Request::get("/api/v2/alerts"));
    answer.map_or(Value::Null, |answer| answer.json())
}

/// Waits for a counter of one Alertmanager to count something.
fn wait_for_count(program: &Program, name: &str, address: &str) {
    let series = format!("{name}{{alertmanager=\"http://{address}/api/v2/alerts\"}} ");
    until(&format!("{series} to count"), || {
        let metrics = program.get("/metrics", &[]).text();
        let value = metrics.lines().find_map(|line| line.strip_prefix(&series));
        match value.and_then(|value| value.parse::<u64>().ok()) {
            Some(1..) => Ok(()),
            _ => Err(format!("{value:?}")),
        }
    });
}

#[test]
fn a_customary_name_that_does_not_resolve_is_inside_unless_that_is_off() {
    const NAME: &str = "alertmanager:9093";
    if NAME.to_socket_addrs().is_ok() {
        println!("skipped: the name alertmanager resolves here");
        return;
    }
    let config = format!(
        "rule_files: [rules.yml]\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['{NAME}']}}]}}]}}\n"
    );
    let place = Place::with(&[("prometheus.yml", &config), ("rules.yml", RULES)]);
    let start = Start {
        with_config: true,
        arguments: vec!["--rules.alert.resend-delay=1s".to_owned()],
        ..Start::default()
    };
    let program = Program::start_as(&place, &start);
    wait_for_count(&program, "binnacle_collect_alerts_inside_total", NAME);
    let errors = format!(
        "prometheus_notifications_errors_total{{alertmanager=\"http://{NAME}/api/v2/alerts\"}} 0\n"
    );
    let metrics = program.get("/metrics", &[]).text();
    assert!(metrics.contains(&errors), "{metrics}");
    place.write("binnacle.yml", "stand_ins: off\n");
    program.hang_up();
    wait_for_count(&program, "prometheus_notifications_errors_total", NAME);
}

#[test]
fn debians_alertmanager_gets_the_alerts_and_sees_them_end() {
    let theirs = Place::with(&[("alertmanager.yml", QUIET)]);
    let Some(peer) = peer::alertmanager(&theirs) else {
        println!("skipped: no prometheus-alertmanager on the PATH");
        return;
    };
    let dead_port = free_port();
    let place = Place::with(&[
        ("prometheus.yml", &config(&peer.address, dead_port)),
        ("rules.yml", RULES),
        ("alertmanager.yml", QUIET),
    ]);
    let program = Program::start(&place);
    let found = until("the alert at the peer", || {
        let found = alerts(&peer.address);
        if found[0].is_object() {
            Ok(found)
        } else {
            Err(found.to_string())
        }
    });
    let labels = serde_json::json!({"alertname": "Down", "region": "eu"});
    assert_eq!(found[0]["labels"], labels);
    assert_eq!(found[0]["annotations"]["summary"], "it is 1");
    let link = found[0]["generatorURL"].as_str().unwrap_or_default();
    assert!(
        link.ends_with("/graph?g0.expr=vector%281%29&g0.tab=1"),
        "{link}"
    );
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    let url = |address: &str| serde_json::json!({"url": format!("http://{address}/api/v2/alerts")});
    assert_eq!(
        program.json("/api/v1/alertmanagers", &[])["data"],
        serde_json::json!({
            "activeAlertmanagers": [url(&peer.address), url(&format!("127.0.0.1:{dead_port}"))],
            "droppedAlertmanagers": [url("not-this:9093")],
        })
    );
    // The routing inside has both: only the way to the peer drops one.
    until("both alerts inside", || {
        match alerts(&program.address).as_array().map(Vec::len) {
            Some(2) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let dead = format!("127.0.0.1:{dead_port}");
    wait_for_count(&program, "prometheus_notifications_errors_total", &dead);
    // The condition ends: the peer hears of it.
    place.write(
        "rules.yml",
        &RULES.replace("expr: vector(1)\n", "expr: vector(1) < 0\n"),
    );
    program.hang_up();
    until("the end at the peer", || {
        let found = alerts(&peer.address);
        match found.as_array().map(Vec::len) {
            Some(0) => Ok(()),
            _ => Err(found.to_string()),
        }
    });
}
