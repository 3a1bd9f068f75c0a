//! The libraries against what Prometheus 3.15 and Alertmanager 0.34 give; cases as in `template/tests.rs`.

use super::alertmanager::data::{Alert, Data};
use super::prometheus::{Context, DEFINITIONS, Sample, alert_data};
use super::{alertmanager, prometheus};
use crate::format::unquote;
use crate::{FunctionMap, Limits, MissingKey, Template, Time, Value};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn check(cases: &str, functions: &FunctionMap, definitions: &str, data: &Value) -> usize {
    let mut failures = Vec::new();
    for line in cases.lines() {
        let (text, expected) = line.split_once('\t').unwrap();
        let text = unquote(text).unwrap();
        let mut template = Template::new("t")
            .functions(functions)
            .missing_key(MissingKey::Zero);
        let result = template
            .parse(&format!("{definitions}{text}"))
            .and_then(|()| template.execute("t", data, &Limits::default()));
        let got = result.unwrap_or_else(|error| format!("!{error}"));
        let expected = match expected.strip_prefix('!') {
            Some(error) => format!("!{}", unquote(error).unwrap()),
            None => unquote(expected).unwrap(),
        };
        if got != expected {
            failures.push(format!("{text:?}\n  want {expected:?}\n  got  {got:?}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
    cases.lines().count()
}

#[test]
fn prometheus_functions_give_what_prometheus_gives() {
    let context = Context {
        external_url: "http://prom.example:9090/base/path?x=1".into(),
        now_ms: 1_700_000_000_123,
    };
    let functions = prometheus::functions(&context, |query| match query {
        "bad" => Err("parse error".into()),
        "none" => Ok(Vec::new()),
        _ => Ok(vec![
            Sample {
                labels: pairs(&[("instance", "b:1"), ("job", "x"), ("__value__", "v")]),
                value: 2.0,
            },
            Sample {
                labels: pairs(&[("instance", "a:1"), ("job", "y")]),
                value: 1.5,
            },
        ]),
    });
    let labels = pairs(&[("instance", "host.example.com:9100"), ("job", "node")]);
    let data = alert_data(
        &labels,
        &pairs(&[("dc", "eu")]),
        &context,
        Value::Float(0.123_456),
    );
    let cases = include_str!("../testdata/prometheus.cases");
    assert!(check(cases, &functions, DEFINITIONS, &data) > 45);
}

fn notification() -> Data {
    let at = Time::parse(
        "2006-01-02T15:04:05.999999Z07:00",
        "2024-02-29T13:04:05.067890Z",
    )
    .unwrap();
    let end = Time::parse(
        "2006-01-02T15:04:05.999999Z07:00",
        "2024-02-29T14:04:05.067890Z",
    )
    .unwrap();
    let alert =
        |status: &str, instance, annotations: &[(&str, &str)], url: &str, fingerprint: &str| {
            Alert {
                status: status.into(),
                labels: pairs(&[
                    ("alertname", "Disk Full"),
                    ("instance", instance),
                    ("sev", "page"),
                ]),
                annotations: pairs(annotations),
                starts_at: at.clone(),
                ends_at: if status == "firing" {
                    Time::zero()
                } else {
                    end.clone()
                },
                generator_url: url.into(),
                fingerprint: fingerprint.into(),
            }
        };
    let summary = [
        ("summary", "<b>full</b> & \"more\""),
        ("runbook", "http://r/b?x=1&y=2"),
    ];
    Data {
        receiver: "team-x".into(),
        status: "firing".into(),
        notification_reason: "first".into(),
        alerts: vec![
            alert(
                "firing",
                "a:1",
                &summary,
                "http://prom/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
                "abc",
            ),
            alert("firing", "b:1", &[], "http://prom/graph?a=\"b\"", "abd"),
            alert(
                "resolved",
                "c:1",
                &[("summary", "gone")],
                "javascript:x",
                "abe",
            ),
        ],
        group_labels: pairs(&[("alertname", "Disk Full")]),
        common_labels: pairs(&[("alertname", "Disk Full"), ("sev", "page")]),
        common_annotations: Vec::new(),
        route_labels: pairs(&[("team", "x")]),
        external_url: "http://am.example:9093/base".into(),
    }
}

#[test]
fn alertmanager_functions_give_what_alertmanager_gives() {
    let now = Time::parse("2006-01-02", "2024-03-01").unwrap();
    let functions = alertmanager::functions(&now);
    let cases = include_str!("../testdata/alertmanager.cases");
    assert!(check(cases, &functions, "", &notification().value()) > 35);
}
