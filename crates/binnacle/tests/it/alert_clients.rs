//! Clients of Alertmanager against us: a real Prometheus that sends its alerts here, and what Grafana asks.

use crate::http::Request;
use crate::place::Place;
use crate::program::Program;
use crate::story::Receivers;
use crate::target::Target;
use crate::waiting::until;
use serde_json::{Value, json};

fn alertmanager(receivers: &Receivers) -> Place {
    Place::with(&[("alertmanager.yml", &receivers.alertmanager_yml())])
}

#[test]
fn a_prometheus_sends_its_alerts_here() {
    let mut target = Target::healthy();
    let receivers = Receivers::start();
    let ours = alertmanager(&receivers);
    let program = Program::start(&ours);
    let config = format!(
        "
global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{region: north}}}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: app
    static_configs: [{{targets: ['{}']}}]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ['{}']}}]
",
        target.address(),
        program.address
    );
    let rules = "
groups:
  - name: app
    rules:
      - alert: AppLives
        expr: up{job=\"app\"} == 1
        labels: {severity: info}
        annotations: {summary: '{{ $labels.job }} lives'}
";
    let place = Place::with(&[("prometheus.yml", &config), ("rules.yml", rules)]);
    let Some(_prometheus) = crate::peer::prometheus(&place) else {
        println!("skipped: no prometheus on the PATH");
        return;
    };
    let told = |count: usize| {
        until(&format!("{count} webhook bodies"), || {
            let bodies = receivers.capture.bodies("/webhook");
            match bodies.get(count - 1) {
                Some(body) => Ok(body.clone()),
                None => Err(format!("{bodies:?}")),
            }
        })
    };
    let firing = told(1);
    let labels = json!({
        "alertname": "AppLives", "instance": target.address(), "job": "app", "region": "north", "severity": "info",
    });
    assert_eq!(
        (&firing["status"], &firing["commonLabels"]),
        (&json!("firing"), &labels)
    );
    assert_eq!(firing["commonAnnotations"], json!({"summary": "app lives"}));
    let url = firing["alerts"][0]["generatorURL"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(url.contains("/graph?g0.expr=up"), "{url}");
    let listed = program.json("/api/v2/alerts", &[("filter", "region=\"north\"")]);
    assert_eq!(listed[0]["labels"], labels);
    target.die();
    let resolved = told(2);
    assert_eq!(resolved["status"], "resolved");
    assert_ne!(resolved["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
}

/// Whether a value has the fields of a list of `pointer: type`.
fn check_fields(value: &Value, fields: &[(&str, &str)]) {
    for (pointer, kind) in fields {
        let found = value.pointer(pointer);
        let right = match (*kind, found) {
            ("text", Some(Value::String(_)))
            | ("list", Some(Value::Array(_)))
            | ("object", Some(Value::Object(_)))
            | ("flag", Some(Value::Bool(_))) => true,
            ("moment", Some(Value::String(text))) => text.ends_with('Z') && text.contains('T'),
            _ => false,
        };
        assert!(right, "{pointer} is no {kind}: {value}");
    }
}

const ALERT: [(&str, &str); 12] = [
    ("/annotations", "object"),
    ("/endsAt", "moment"),
    ("/fingerprint", "text"),
    ("/generatorURL", "text"),
    ("/labels", "object"),
    ("/receivers/0/name", "text"),
    ("/startsAt", "moment"),
    ("/status/inhibitedBy", "list"),
    ("/status/mutedBy", "list"),
    ("/status/silencedBy", "list"),
    ("/status/state", "text"),
    ("/updatedAt", "moment"),
];
const SILENCE: [(&str, &str); 11] = [
    ("/id", "text"),
    ("/status/state", "text"),
    ("/updatedAt", "moment"),
    ("/comment", "text"),
    ("/createdBy", "text"),
    ("/endsAt", "moment"),
    ("/startsAt", "moment"),
    ("/matchers/0/isEqual", "flag"),
    ("/matchers/0/isRegex", "flag"),
    ("/matchers/0/name", "text"),
    ("/matchers/0/value", "text"),
];

/// The requests of Grafana's Alertmanager data source, with its parameters and its JSON.
#[test]
fn grafanas_requests_are_answered() {
    let receivers = Receivers::start();
    let place = alertmanager(&receivers);
    let program = Program::start(&place);
    let status = program.json("/api/v2/status", &[]);
    check_fields(
        &status,
        &[
            ("/cluster/status", "text"),
            ("/cluster/peers", "list"),
            ("/config/original", "text"),
            ("/uptime", "moment"),
            ("/versionInfo/version", "text"),
            ("/versionInfo/branch", "text"),
        ],
    );
    let posted = json!([{
        "labels": {"alertname": "A", "severity": "high"}, "annotations": {"summary": "s"},
        "generatorURL": "http://source.test/graph",
    }]);
    assert_eq!(program.post_json("/api/v2/alerts", &posted).status(), 200);
    let states = [
        ("silenced", "true"),
        ("active", "true"),
        ("inhibited", "true"),
    ];
    let groups = until("a group", || {
        let groups = program.json("/api/v2/alerts/groups", &states);
        if groups[0]["alerts"][0].is_object() {
            Ok(groups)
        } else {
            Err(groups.to_string())
        }
    });
    check_fields(
        &groups[0],
        &[("/labels", "object"), ("/receiver/name", "text")],
    );
    check_fields(&groups[0]["alerts"][0], &ALERT);
    let filtered = [("filter", "severity=\"low\""), ("receiver", "everyone")];
    assert_eq!(program.json("/api/v2/alerts/groups", &filtered), json!([]));
    check_fields(&program.json("/api/v2/alerts", &states)[0], &ALERT);

    let silence = json!({
        "matchers": [{"name": "alertname", "value": "A", "isEqual": true, "isRegex": false}],
        "startsAt": "2020-01-01T00:00:00.000Z", "endsAt": "2999-01-01T00:00:00.000Z",
        "createdBy": "grafana", "comment": "created", "id": "",
    });
    let made = program.post_json("/api/v2/silences", &silence);
    assert_eq!(made.status(), 200, "{}", made.text());
    let id = made.json()["silenceID"].as_str().expect("an id").to_owned();
    check_fields(&program.json("/api/v2/silences", &[])[0], &SILENCE);
    let path = format!("/api/v2/silence/{id}");
    check_fields(&program.json(&path, &[]), &SILENCE);
    let ended = program.send(Request {
        method: "DELETE",
        ..Request::get(&path)
    });
    assert_eq!(ended.status(), 200);
    assert_eq!(program.json(&path, &[])["status"]["state"], "expired");
    assert_eq!(
        program.json("/api/v2/receivers", &[]),
        json!([{"name": "everyone"}])
    );
}

const JSON: &str = "application/json";

/// What is refused, and with which status, code and words: as upstream's generated server answers it.
fn check_refused(
    program: &Program,
    (method, path): (&str, &str),
    (kind, body): (&str, &str),
    want: (u16, u64, &str),
) {
    let answer = program.send(Request {
        method,
        path,
        headers: &[("Content-Type", kind)],
        body: body.as_bytes(),
    });
    let said = answer.json();
    let found = (answer.status(), said["code"].as_u64().unwrap_or(0));
    assert_eq!(found, (want.0, want.1), "{method} {path} {body}: {said}");
    let message = said["message"].as_str().unwrap_or_default();
    assert!(message.contains(want.2), "{method} {path} {body}: {said}");
}

#[test]
fn alerts_that_are_not_of_the_specification_are_refused() {
    let receivers = Receivers::start();
    let place = alertmanager(&receivers);
    let program = Program::start(&place);
    let check = |request, body: (&str, &str), want| check_refused(&program, request, body, want);
    let alerts = ("POST", "/api/v2/alerts");
    check(alerts, (JSON, ""), (422, 602, "alerts in body is required"));
    check(alerts, (JSON, "{"), (400, 400, "parsing alerts body"));
    check(
        alerts,
        ("text/plain", "[]"),
        (415, 415, "unsupported media type \"text/plain\", only"),
    );
    check(
        alerts,
        (JSON, "[{\"annotations\":{}}]"),
        (422, 602, "0.labels in body is required"),
    );
    check(
        alerts,
        (
            JSON,
            "[{\"labels\":{\"a\":\"b\"},\"generatorURL\":\"::bad\"}]",
        ),
        (
            422,
            601,
            "0.generatorURL in body must be of type uri: \"::bad\"",
        ),
    );
    check(
        alerts,
        (JSON, "[{\"labels\":{\"a\":\"b\"},\"startsAt\":\"x\"}]"),
        (400, 400, "startsAt"),
    );
}

#[test]
fn silences_and_paths_that_are_not_of_the_specification_are_refused() {
    let receivers = Receivers::start();
    let place = alertmanager(&receivers);
    let program = Program::start(&place);
    let check = |request, body: (&str, &str), want| check_refused(&program, request, body, want);
    let silences = ("POST", "/api/v2/silences");
    check(
        silences,
        (JSON, ""),
        (422, 602, "silence in body is required"),
    );
    check(
        silences,
        (JSON, "{}"),
        (422, 602, "comment in body is required"),
    );
    let rest = "\"comment\":\"c\",\"createdBy\":\"b\",\"startsAt\":\"2020-01-01T00:00:00Z\",\"endsAt\":\"2999-01-01T00:00:00Z\"";
    let with = |matchers: &str| format!("{{\"matchers\":{matchers},{rest}}}");
    check(
        silences,
        (JSON, &with("[]")),
        (422, 612, "at least 1 items"),
    );
    check(
        silences,
        (JSON, &with("[{\"name\":\"a\",\"value\":\"b\"}]")),
        (422, 602, "matchers.0.isRegex in body is required"),
    );
    let id = "silenceID in path must be of type uuid: \"xyz\"";
    check(("GET", "/api/v2/silence/xyz"), (JSON, ""), (422, 601, id));
    check(
        ("DELETE", "/api/v2/silence/xyz"),
        (JSON, ""),
        (422, 601, id),
    );
    check(
        ("PUT", "/api/v2/alerts"),
        (JSON, ""),
        (405, 405, "method PUT is not allowed, but [GET,POST] are"),
    );
    check(
        ("POST", "/api/v2/status"),
        (JSON, ""),
        (405, 405, "but [GET] are"),
    );
    check(
        ("GET", "/api/v2/nothing"),
        (JSON, ""),
        (404, 404, "path /api/v2/nothing was not found"),
    );
}
