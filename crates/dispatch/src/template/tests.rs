use super::{Templates, check_syntax, data, quote_meta};
use crate::config::Config;
use crate::notice::{Notice, NoticeAlert, Reason, Target};
use model::{Alert, Labels, Timestamp};
use std::collections::BTreeSet;
use std::path::Path;

const NOW: Timestamp = Timestamp::from_millis(1_795_132_800_000);

fn alert(labels: &[(&str, &str)], annotations: &[(&str, &str)], resolved: bool) -> NoticeAlert {
    NoticeAlert {
        alert: Alert {
            labels: Labels::from_pairs(labels.iter().copied()),
            annotations: Labels::from_pairs(annotations.iter().copied()),
            starts_at: NOW,
            ends_at: NOW.plus_millis(61_500),
            updated_at: NOW,
            ends_by_timeout: false,
            generator_url: "http://prom/graph?g0.expr=up&g0.tab=1".to_owned(),
        },
        resolved,
    }
}

pub(crate) fn notice() -> Notice {
    Notice {
        id: "n".to_owned(),
        group_id: "g".to_owned(),
        group_key: "{}:{alertname=\"Down\"}".to_owned(),
        group_labels: Labels::from_pairs([("alertname", "Down")]),
        route_labels: Vec::new(),
        target: Target {
            receiver: "team.x".to_owned(),
            kind: "webhook".to_owned(),
            index: 0,
        },
        reason: Reason::FirstNotification,
        alerts: vec![
            alert(
                &[("alertname", "Down"), ("instance", "a"), ("job", "<j>")],
                &[("summary", "a & b")],
                false,
            ),
            alert(
                &[("alertname", "Down"), ("instance", "b"), ("job", "<j>")],
                &[("summary", "a & b")],
                true,
            ),
        ],
        left_out: 0,
        firing: BTreeSet::new(),
        resolved: BTreeSet::new(),
        created_at: NOW,
        deadline: NOW,
        repeat_interval_ms: 0,
        attempts: 0,
        failed_before: 0,
        next_attempt: NOW,
        memory: Vec::new(),
    }
}

fn templates() -> Templates {
    let (templates, problems) = Templates::load(&Config::built_in(), "http://am:9093/");
    assert_eq!(problems, Vec::<String>::new());
    templates
}

fn check(template: &str, expected: &str) {
    let scope = templates().scope(&notice(), 0, NOW);
    assert_eq!(scope.text(template).as_deref(), Ok(expected), "{template}");
}

#[test]
fn default_texts_are_upstreams() {
    let list = "Labels:\n - alertname = Down\n - instance = a\n - job = <j>\nAnnotations:\n - summary = a & b\nSource: http://prom/graph?g0.expr=up&g0.tab=1\n";
    let resolved = list.replace("instance = a", "instance = b");
    check(r#"{{ template "__subject" . }}"#, "[FIRING:1] Down (<j>)");
    check(
        r#"{{ template "slack.default.title" . }}"#,
        "[FIRING:1] Down (<j>)",
    );
    check(
        r#"{{ template "slack.default.fallback" . }}"#,
        "[FIRING:1] Down (<j>) | http://am:9093/#/alerts?receiver=team%5C.x",
    );
    check(
        r#"{{ template "slack.default.username" . }}"#,
        "Alertmanager",
    );
    check(r#"{{ template "slack.default.text" . }}"#, "");
    check(
        r#"{{ template "email.default.subject" . }}"#,
        "[FIRING:1] Down (<j>)",
    );
    check(r#"{{ template "__text_alert_list" .Alerts.Firing }}"#, list);
    check(
        r#"{{ template "opsgenie.default.description" . }}"#,
        &format!("a & b\nAlerts Firing:\n{list}\nAlerts Resolved:\n{resolved}"),
    );
    check(
        r#"{{ template "pushover.default.message" . }}"#,
        &format!("a & b\n\nAlerts Firing:\n{list}\n\n\nAlerts Resolved:\n{resolved}\n\n"),
    );
    let markdown = "\nLabels:\n  - alertname = Down\n  - instance = a\n  - job = <j>\n\nAnnotations:\n  - summary = a & b\n\nSource: http://prom/graph?g0.expr=up&g0.tab=1\n\n";
    check(
        r#"{{ template "__text_alert_list_markdown" .Alerts.Firing }}"#,
        markdown,
    );
    check(r#"{{ template "jira.default.priority" . }}"#, "");
}

#[test]
fn the_mail_is_html_with_everything_escaped() {
    let scope = templates().scope(&notice(), 0, NOW);
    let html = scope
        .html(r#"{{ template "email.default.html" . }}"#)
        .expect("renders");
    for part in [
        "<title>[FIRING:1] Down (&lt;j&gt;)</title>",
        "              2 alerts for \n                alertname=Down\n              \n            </td>",
        "[1] Firing</strong>",
        "[1] Resolved</strong>",
        "job = &lt;j&gt;<br style=\"margin: 0; font-family: 'Helvetica Neue'",
        "summary = a &amp; b<br",
        "<a href=\"http://prom/graph?g0.expr=up&amp;g0.tab=1\" style=",
        "<a href=\"http://am:9093/#/alerts?receiver=team%5C.x\" class=\"btn-primary\"",
        "Sent by Alertmanager</a>",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    for part in ["@(", "ZgotmplZ", "<!--"] {
        assert!(!html.contains(part), "{part}\n{html}");
    }
}

#[test]
fn the_payload_is_version_4() {
    let mut notice = notice();
    let message = data(&notice, "http://am:9093", 0);
    let expected = r#"{"receiver":"team\\.x","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Down","instance":"a","job":"\u003cj\u003e"},"annotations":{"summary":"a \u0026 b"},"startsAt":"2026-11-20T00:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom/graph?g0.expr=up\u0026g0.tab=1","fingerprint":"FP1"},{"status":"resolved","labels":{"alertname":"Down","instance":"b","job":"\u003cj\u003e"},"annotations":{"summary":"a \u0026 b"},"startsAt":"2026-11-20T00:00:00Z","endsAt":"2026-11-20T00:01:01.5Z","generatorURL":"http://prom/graph?g0.expr=up\u0026g0.tab=1","fingerprint":"FP2"}],"notification_reason":"first notification","groupLabels":{"alertname":"Down"},"commonLabels":{"alertname":"Down","job":"\u003cj\u003e"},"commonAnnotations":{"summary":"a \u0026 b"},"routeLabels":{},"externalURL":"http://am:9093","version":"4","groupKey":"{}:{alertname=\"Down\"}","truncatedAlerts":0}"#;
    let fingerprint = |index: usize| message.data.alerts[index].fingerprint.clone();
    let expected = expected
        .replace("FP1", &fingerprint(0))
        .replace("FP2", &fingerprint(1));
    assert_eq!(message.json(), format!("{expected}\n"));
    notice.alerts.reverse();
    let truncated = data(&notice, "", 1);
    assert_eq!(
        (truncated.truncated, truncated.data.status.as_str()),
        (1, "resolved")
    );
    assert_eq!(quote_meta("a.b-c (d)"), r"a\.b-c \(d\)");
}

#[test]
fn route_labels_may_use_each_other() {
    let mut notice = notice();
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    notice.route_labels = vec![
        label("team", "{{ .GroupLabels.alertname }}-team"),
        label("link", r#"http://x/{{ routeLabels "team" }}"#),
        label("loop", r#"{{ routeLabels "loop" }}"#),
    ];
    let scope = templates().scope(&notice, 0, NOW);
    let text =
        scope.text(r#"{{ routeLabels "link" }} {{ .RouteLabels.team }} {{ routeLabels "loop" }}"#);
    assert_eq!(text.as_deref(), Ok("http://x/Down-team Down-team "));
}

#[test]
fn users_files_replace_the_defaults() {
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        let file = std::fs::File::create(path).expect("file");
        std::io::Write::write_all(&mut &file, text.as_bytes()).expect("written");
    };
    write(
        "a.tmpl",
        r#"{{ define "slack.default.title" }}mine: {{ template "__subject" . }}{{ end }}"#,
    );
    write("b.tmpl", "{{ nonsense");
    write("c.txt", "{{ nonsense");
    let config = Config {
        templates: vec![
            folder.path().join("*.tmpl"),
            Path::new("/nowhere/*.tmpl").to_owned(),
        ],
        ..Config::built_in()
    };
    let (templates, problems) = Templates::load(&config, "");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("b.tmpl"), "{problems:?}");
    let scope = templates.scope(&notice(), 0, NOW);
    let title = scope.text(r#"{{ template "slack.default.title" . }}"#);
    assert_eq!(title.as_deref(), Ok("mine: [FIRING:1] Down (<j>)"));
}

#[test]
fn a_broken_template_leaves_a_plain_text() {
    let scope = templates().scope(&notice(), 0, NOW);
    let error = scope.text("{{ .Nothing.At.All }}").expect_err("fails");
    let plain = scope.plain(&error);
    assert!(
        plain.starts_with("[FIRING:2] Down\nfiring: alertname=Down"),
        "{plain}"
    );
    assert!(plain.contains("(the template failed: "), "{plain}");
    assert!(check_syntax("{{ .a").is_err());
    assert_eq!(check_syntax("{{ .a }}"), Ok(()));
}

/// Debian's package prometheus-alertmanager brings upstream's own default templates.
const INSTALLED: &str = "/usr/share/prometheus/alertmanager";

#[test]
fn renders_what_an_installed_alertmanager_renders() {
    let patterns = ["default.tmpl", "email.tmpl"].map(|name| Path::new(INSTALLED).join(name));
    if config::glob::expand(&patterns[0]).is_empty() {
        println!("skipped: {INSTALLED} holds no templates to compare with");
        return;
    }
    let config = Config {
        templates: patterns.to_vec(),
        ..Config::built_in()
    };
    let (theirs, problems) = Templates::load(&config, "http://am:9093/");
    assert_eq!(problems, Vec::<String>::new());
    let (both, mut resolved, mut bare) = (notice(), notice(), notice());
    resolved.alerts.retain(|alert| alert.resolved);
    bare.alerts.truncate(1);
    bare.alerts[0].alert.annotations = Labels::default();
    bare.group_labels = Labels::default();
    let mut compared = 0;
    for notice in [both, resolved, bare] {
        let (ours, theirs) = (
            templates().scope(&notice, 0, NOW),
            theirs.scope(&notice, 0, NOW),
        );
        let names: Vec<String> = ours.set.names().map(str::to_owned).collect();
        for name in names {
            let takes_alerts = name.contains("alert_list") || name.ends_with("instances");
            let private = name.starts_with("binnacle.") || name.ends_with(".tmpl");
            if takes_alerts || private || name.is_empty() {
                continue;
            }
            let call = format!(r#"{{{{ template "{name}" . }}}}"#);
            if name != "email.default.html" {
                // As text their mail has a comment that HTML templates leave out.
                assert_eq!(ours.text(&call), theirs.text(&call), "{name}");
            }
            // The package is older: it has the address without TLS.
            let https = |html: Result<String, String>| {
                html.map(|html| html.replace("itemtype=\"http:", "itemtype=\"https:"))
            };
            assert_eq!(
                https(ours.html(&call)),
                https(theirs.html(&call)),
                "{name} as HTML"
            );
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared}");
}
