//! Every kind of receivers in one table: the exact requests, and what follows from every bad answer.

use super::servers::{Got, Server};
use super::{NOW, config, job, notice, run};
use crate::config::Settings;
use crate::deliver::{Deliverer, Job};
use crate::notice::{FailureReason, Notice, Outcome};
use expect_test::expect_file;
use std::fmt::Write as _;

/// A kind: its name, an entry with `HOST` for the server's address, and what the server answers to make it
/// happy: bodies, one a request. Secrets begin with `SECRET`.
type Case = (&'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "webhook",
        "{url: 'http://HOST/SECRET-path', http_config: {authorization: {credentials: SECRET-token}}}",
        &["{}"],
    ),
    (
        "webhook",
        "{url: 'http://HOST/hook/{{ .GroupLabels.alertname }}/SECRET-path?key=SECRET-key'}",
        &["{}"],
    ),
    (
        "slack",
        "{api_url: 'http://HOST/SECRET-path', channel: '#c'}",
        &["ok"],
    ),
    (
        "pagerduty",
        "{url: 'http://HOST/v2', routing_key: SECRET-key, class: c, images: [{src: 'http://i', alt: a}, {alt: none}], links: [{href: '{{ .ExternalURL }}', text: t}], details: {more: '{{ .GroupLabels.alertname }}', list: [1, '{{ .Status }}']}}",
        &["{}"],
    ),
    ("pagerduty", "{service_key: SECRET-key}", &["{}"]),
    (
        "opsgenie",
        "{api_url: 'http://HOST/', api_key: SECRET-key, update_alerts: true, tags: 'a,,b', priority: P1, details: {more: '{{ .Status }}'}, responders: [{name: 'a,b', type: teams}, {id: '{{ .CommonLabels.none }}', type: '{{ .CommonLabels.none }}'}, {username: u, type: User}]}",
        &["{}", "{}", "{}"],
    ),
    (
        "wechat",
        "{api_url: 'http://HOST/cgi-bin/', api_secret: SECRET-key, corp_id: corp, to_user: '@all', agent_id: '7'}",
        &[
            r#"{"access_token":"SECRET-token"}"#,
            r#"{"errcode":0,"errmsg":"ok"}"#,
        ],
    ),
    (
        "victorops",
        "{api_url: 'http://HOST/alert/', api_key: SECRET-key, routing_key: 'team {{ .Status }}', custom_fields: {more: '{{ .Status }}'}}",
        &["{}"],
    ),
    (
        "pushover",
        "{user_key: SECRET-user, token: SECRET-token, html: true, ttl: 90s, sound: siren}",
        &["{}"],
    ),
    (
        "sns",
        "{api_url: 'http://HOST/', sigv4: {region: eu-central-1, access_key: AKID, secret_key: SECRET-key}, topic_arn: 'arn:aws:sns:eu-central-1:1:t.fifo', attributes: {severity: '{{ .Status }}'}}",
        &["<PublishResponse/>"],
    ),
    (
        "telegram",
        "{api_url: 'http://HOST', bot_token: SECRET-token, chat_id: -1001, message_thread_id: 3, disable_notifications: true}",
        &[r#"{"ok":true,"result":{}}"#],
    ),
    (
        "discord",
        "{webhook_url: 'http://HOST/SECRET-path', content: '{{ .Status }}', username: u}",
        &[""],
    ),
    (
        "webex",
        "{api_url: 'http://HOST/messages', room_id: '{{ .Receiver }}', http_config: {authorization: {credentials: SECRET-token}}}",
        &["{}"],
    ),
    (
        "msteams",
        "{webhook_url: 'http://HOST/SECRET-path'}",
        &["1"],
    ),
    (
        "msteamsv2",
        "{webhook_url: 'http://HOST/SECRET-path'}",
        &[""],
    ),
    (
        "jira",
        "{api_url: 'http://HOST/rest/api/2/', project: OPS, issue_type: Bug, labels: [z, '{{ .Status }}'], resolve_transition: Done, reopen_transition: Open, reopen_duration: 1h, fields: {customfield_1: {value: red}}, http_config: {basic_auth: {username: u, password: SECRET-key}}}",
        &[r#"{"issues":[]}"#, "{}"],
    ),
    (
        "rocketchat",
        "{api_url: 'http://HOST/', token_id: SECRET-id, token: SECRET-token, channel: '#c', fields: [{title: T, value: v}], actions: [{type: button, text: Go, url: 'http://x'}]}",
        &[r#"{"success":true}"#],
    ),
    (
        "mattermost",
        "{webhook_url: 'http://HOST/SECRET-path', channel: c, attachments: [{title: '{{ .Status }}', fields: [{title: T, value: v, short: true}], image_url: 'http://i'}], props: {card: k}, priority: {priority: Important, requested_ack: true, persistent_notifications: true}}",
        &["ok"],
    ),
    (
        "incidentio",
        "{url: 'http://HOST/v2', alert_source_token: SECRET-token, max_alerts: 1}",
        &["{}"],
    ),
];

/// An attempt of a kind with a server.
fn job_of((kind, entry, _): &Case, server: &Server, notice: Notice) -> Job {
    let host = server.address.to_string();
    let entry = entry.replace("HOST", &host);
    let mut job = job(&config(&format!("{kind}_configs: [{entry}]"), ""), notice);
    // These two are where nobody can move them.
    match &mut job.integration.settings {
        Settings::Pushover(pushover) => pushover.api_url = format!("http://{host}/messages.json"),
        Settings::PagerDuty(pagerduty) if pagerduty.url.contains("2010-04-15") => {
            pagerduty.url = format!("http://{host}/v1");
        }
        _ => {}
    }
    job
}

fn answer(status: &str, more: &str, body: &str) -> String {
    let kind = if body.starts_with('{') {
        "application/json"
    } else {
        "text/plain"
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n{body}"
    )
}

fn resolved() -> Notice {
    let mut notice = notice();
    for alert in &mut notice.alerts {
        alert.resolved = true;
    }
    notice
}

/// A request without what is the same everywhere or changes from run to run.
fn shown(got: &Got, host: &str) -> String {
    let mut text = String::new();
    for line in got.head.lines() {
        let name = line.split(':').next().unwrap_or_default();
        if ![
            "accept",
            "host",
            "user-agent",
            "content-length",
            "idempotency-key",
        ]
        .contains(&name)
        {
            let _infallible = writeln!(text, "{}", line.replace(host, "HOST"));
        }
    }
    // The signature covers the port; that it is right is tested where it is made.
    if let Some(at) = text.find("Signature=") {
        let end = text.get(at..).and_then(|rest| rest.find('\n')).unwrap_or(0);
        text.replace_range(at..at + end, "Signature=…");
    }
    let body = got.body.replace(host, "HOST");
    format!("{text}{}\n", body.trim_end())
}

#[test]
fn requests_are_exact() {
    let deliverer = Deliverer::new().expect("threads");
    let mut all = String::new();
    for (state, make) in [("firing", notice as fn() -> Notice), ("resolved", resolved)] {
        for case in CASES {
            let bodies = match (case.0, state) {
                // An issue that is there is changed and resolved.
                ("jira", "resolved") => &[
                    r#"{"issues":[{"key":"OPS-1","fields":{"status":{"name":"x","statusCategory":{"key":"new"}}}}]}"#,
                    "",
                    r#"{"transitions":[{"id":"1","name":"Open"},{"id":"2","name":"Done"}]}"#,
                    "",
                ][..],
                ("opsgenie", "resolved") => &["{}"],
                // The token is kept.
                ("wechat", "resolved") => &case.2[1..],
                _ => case.2,
            };
            let answers = bodies.iter().map(|body| answer("200 OK", "", body));
            let server = Server::script(answers.collect());
            let host = server.address.to_string();
            let report = run(&deliverer, vec![job_of(case, &server, make())]).remove(0);
            assert_eq!(report.outcome, Outcome::Delivered(Vec::new()), "{}", case.0);
            assert_eq!(report.template_error, None, "{}", case.0);
            deliverer.forget_connections();
            for got in server.all() {
                let _infallible = writeln!(all, "== {} {state}\n{}", case.0, shown(&got, &host));
            }
        }
    }
    expect_file!["../../../testdata/requests.txt"].assert_eq(&all);
}

/// What follows from an answer that refuses.
fn check(status: &str, more: &str, is_retried: fn(&str) -> bool, after_ms: Option<i64>) {
    for case in CASES {
        let deliverer = Deliverer::new().expect("threads");
        let said = r#"{"message":"no SECRET-token SECRET-key SECRET-path","description":"Cannot POST /hook/Down/SECRET-path?key=SECRET-key"}"#;
        let server = Server::script(vec![answer(status, more, said)]);
        let report = run(&deliverer, vec![job_of(case, &server, notice())]).remove(0);
        assert_eq!(server.all().len(), 1, "{} {status}", case.0);
        let (error, retried, after) = match report.outcome {
            Outcome::Retry {
                error, after_ms, ..
            } => (error, true, after_ms),
            Outcome::Failed { error, .. } => (error, false, None),
            Outcome::Delivered(_) => panic!("{} {status}: delivered", case.0),
        };
        assert_eq!(retried, is_retried(case.0), "{} {status}: {error}", case.0);
        assert_eq!(after, after_ms.filter(|_| retried), "{} {status}", case.0);
        // Only what stands in this kind's settings is a secret of it.
        for secret in ["SECRET-token", "SECRET-key", "SECRET-path"] {
            let own = case.1.contains(secret);
            assert!(
                !own || !error.contains(secret),
                "{} {status}: {error}",
                case.0
            );
        }
    }
}

#[test]
fn refusals_are_final_and_troubles_are_not() {
    check("400 Bad", "", |kind| kind == "telegram", None);
    check("500 Broken", "", |_| true, None);
    check("429 Slow", "retry-after: 7\r\n", |_| true, Some(7_000));
    let date =
        "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:50:37 GMT\r\n";
    check("429 Slow", date, |_| true, Some(60_000));
}

#[test]
fn a_server_that_cuts_or_hangs_is_tried_again() {
    let deliverer = Deliverer::new().expect("threads");
    for case in CASES {
        let server = Server::script(vec![String::new()]);
        let report = run(&deliverer, vec![job_of(case, &server, notice())]).remove(0);
        let again =
            matches!(&report.outcome, Outcome::Retry { error, .. } if !error.contains("SECRET"));
        assert!(again, "{}: {:?}", case.0, report.outcome);
        deliverer.forget_connections();
    }
    let servers: Vec<Server> = CASES.iter().map(|_| Server::hanging()).collect();
    let jobs = CASES.iter().zip(&servers).map(|(case, server)| {
        let mut notice = notice();
        notice.deadline = NOW;
        job_of(case, server, notice)
    });
    for report in run(&deliverer, jobs.collect()) {
        let late = FailureReason::DeadlineExceeded;
        let again = matches!(&report.outcome, Outcome::Retry { reason, .. } if *reason == late);
        assert!(again, "{}: {:?}", report.target, report.outcome);
    }
    servers.into_iter().for_each(Server::join);
}

/// Fields that hold the body of a message, by kind.
const BODIES: &[(&str, &str)] = &[
    ("slack", "text"),
    ("pagerduty", "description"),
    ("opsgenie", "description"),
    ("wechat", "message"),
    ("victorops", "state_message"),
    ("pushover", "message"),
    ("sns", "message"),
    ("telegram", "message"),
    ("discord", "message"),
    ("webex", "message"),
    ("msteams", "text"),
    ("msteamsv2", "text"),
    ("jira", "description"),
    ("rocketchat", "text"),
    ("mattermost", "text"),
];

#[test]
fn a_broken_template_still_says_what_fires() {
    for (kind, field) in BODIES {
        let deliverer = Deliverer::new().expect("threads");
        let (_, entry, bodies) = CASES.iter().find(|case| case.0 == *kind).expect("a case");
        let entry = entry.replacen('{', &format!("{{{field}: '{{{{ .No.Such }}}}', "), 1);
        let entry: &'static str = Box::leak(entry.into_boxed_str());
        let server = Server::script(
            bodies
                .iter()
                .map(|body| answer("200 OK", "", body))
                .collect(),
        );
        let report = run(
            &deliverer,
            vec![job_of(&(kind, entry, bodies), &server, notice())],
        )
        .remove(0);
        assert_eq!(report.outcome, Outcome::Delivered(Vec::new()), "{kind}");
        assert!(report.template_error.is_some(), "{kind}");
        let sent: String = server
            .all()
            .iter()
            .map(|got| format!("{}{}", got.head, got.body))
            .collect();
        assert!(sent.contains("Down"), "{kind}: {sent}");
        let has_room = *kind != "pagerduty";
        assert!(
            !has_room || sent.replace(['+', '%'], " ").contains("template"),
            "{kind}: {sent}"
        );
    }
}

#[test]
fn telegram_is_not_asked_to_read_plain_text_as_markdown() {
    let check = |mode: &str, message: &str, want: Option<&str>| {
        let entry = format!(
            "telegram_configs: [{{api_url: 'http://HOST', bot_token: t, chat_id: 5, parse_mode: {mode}, message: '{message}'}}]"
        );
        let server = Server::script(vec![answer("200 OK", "", r#"{"ok":true}"#)]);
        let entry = entry.replace("HOST", &server.address.to_string());
        let report = run(
            &Deliverer::new().expect("threads"),
            vec![job(&config(&entry, ""), notice())],
        );
        assert_eq!(report[0].outcome, Outcome::Delivered(Vec::new()));
        let sent: serde_json::Value = serde_json::from_str(&server.all()[0].body).expect("JSON");
        assert_eq!(sent["parse_mode"].as_str(), want, "{mode} {sent}");
        sent["text"].as_str().expect("a text").to_owned()
    };
    let broken = "{{ .No.Such }}";
    for mode in ["Markdown", "MarkdownV2"] {
        assert_eq!(check(mode, "*fine*", Some(mode)), "*fine*");
        assert!(check(mode, broken, None).contains("Down"), "{mode}");
        let cut = check(mode, &"_".repeat(5000), None);
        assert!(cut.contains("longer than Telegram takes"), "{cut}");
    }
    check("HTML", broken, Some("HTML"));
    check("\"\"", broken, None);
    assert_eq!(check("\"\"", &"_".repeat(5000), None).chars().count(), 4096);
}

/// Sends a text that is much too long; answers how many of its letters arrived.
fn arrived(kind: &str, field: &str, letter: &str) -> usize {
    let deliverer = Deliverer::new().expect("threads");
    let (name, entry, bodies) = CASES.iter().find(|case| case.0 == kind).expect("a case");
    let long = letter.repeat(600_000);
    let entry = entry.replacen('{', &format!("{{{field}: '{long}', "), 1);
    let entry: &'static str = Box::leak(entry.into_boxed_str());
    let bodies: &'static [&'static str] = if kind == "opsgenie" {
        &bodies[..1]
    } else {
        bodies
    };
    let server = Server::script(
        bodies
            .iter()
            .map(|body| answer("200 OK", "", body))
            .collect(),
    );
    let mut job = job_of(&(name, entry, bodies), &server, notice());
    if let Settings::OpsGenie(opsgenie) = &mut job.integration.settings {
        opsgenie.update_alerts = false;
    }
    let report = run(&deliverer, vec![job]).remove(0);
    assert_eq!(report.outcome, Outcome::Delivered(Vec::new()), "{kind}");
    let got = server.all();
    let sent = got.iter().map(|got| got.body.matches(letter).count());
    sent.sum()
}

#[test]
fn long_texts_are_cut_as_the_service_wants() {
    let check = |kind: &str, field: &str, letter: &str, want: usize| {
        assert_eq!(arrived(kind, field, letter), want, "{kind} {field}");
    };
    check("slack", "title", "ü", 1023);
    check("pagerduty", "description", "ü", 1023);
    check("opsgenie", "message", "ü", 129);
    check("victorops", "state_message", "ü", 20_479);
    check("discord", "title", "ü", 255);
    check("discord", "message", "ü", 4095);
    check("webex", "message", "ü", 3718);
    check("jira", "summary", "ü", 254);
    check("jira", "description", "ü", 32_766);
    check("rocketchat", "title", "ü", 1023);
    check("mattermost", "text", "ü", 16_382);
    check("sns", "message", "Ω", 0);
    check("sns", "message", "ABCD", 65_536);
}

#[test]
fn every_request_has_a_key_of_its_own_that_stays_for_each_attempt() {
    for case in CASES {
        let keys = || {
            let deliverer = Deliverer::new().expect("threads");
            let answers = case.2.iter().map(|body| answer("200 OK", "", body));
            let server = Server::script(answers.collect());
            run(&deliverer, vec![job_of(case, &server, notice())]);
            let key = |got: &Got| {
                let named = got
                    .head
                    .lines()
                    .find(|line| line.starts_with("idempotency-key: "));
                // What only reads needs none.
                let reads = got.head.starts_with("GET ");
                assert!(named.is_some() || reads, "{}: {}", case.0, got.head);
                named.unwrap_or_default().to_owned()
            };
            let keys: Vec<String> = server.all().iter().map(key).collect();
            keys
        };
        let first = keys();
        let different: std::collections::BTreeSet<&String> = first.iter().collect();
        assert_eq!(different.len(), first.len(), "{}: {first:?}", case.0);
        assert_eq!(first, keys(), "{}", case.0);
    }
}
