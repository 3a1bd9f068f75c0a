use super::servers::{Got, Server};
use super::{attempt, config, notice};
use crate::notice::{FailureReason, Outcome};
use serde_json::{Value, json};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn header<'a>(got: &'a Got, name: &str) -> Option<&'a str> {
    got.head.lines().find_map(|line| {
        let (header, value) = line.split_once(": ")?;
        header.eq_ignore_ascii_case(name).then_some(value)
    })
}

#[test]
fn a_webhook_gets_the_payload_and_the_headers() {
    let server = Server::http(OK);
    let receiver = format!(
        "webhook_configs: [{{url: 'http://{}/hook/{{{{ .Receiver }}}}?a=1', max_alerts: 1, http_config: {{basic_auth: {{username: u, password: p}}, http_headers: {{X-Team: {{values: [t]}}}}}}}}]",
        server.address
    );
    let outcome = attempt(&config(&receiver, ""), notice());
    assert_eq!(outcome, Outcome::Delivered(Vec::new()));
    let got = server.got();
    assert!(
        got.head.starts_with("POST /hook/team?a=1 HTTP/1.1"),
        "{}",
        got.head
    );
    assert_eq!(header(&got, "content-type"), Some("application/json"));
    assert_eq!(header(&got, "authorization"), Some("Basic dTpw"));
    assert_eq!(header(&got, "x-team"), Some("t"));
    assert_eq!(header(&got, "idempotency-key"), Some("n"));
    let body = json(&got.body);
    assert_eq!(
        (&body["version"], &body["truncatedAlerts"]),
        (&json!("4"), &json!(1))
    );
    assert_eq!(body["alerts"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_custom_payload_is_rendered() {
    let server = Server::http(OK);
    let receiver = format!(
        "webhook_configs: [{{url: 'http://{}', payload: {{title: 'it is {{{{ .Status }}}}', count: '{{{{ len .Alerts }}}}', fixed: [1, true, x], '{{{{ .Receiver }}}}': {{list: '[1, 2]', data: '{{{{ .GroupLabels | toJson }}}}'}}}}}}]",
        server.address
    );
    assert_eq!(
        attempt(&config(&receiver, ""), notice()),
        Outcome::Delivered(Vec::new())
    );
    let expected = json!({
        "title": "it is firing",
        "count": 2,
        "fixed": [1, true, "x"],
        "team": {"list": [1, 2], "data": {"alertname": "Down"}},
    });
    assert_eq!(json(&server.got().body), expected);
}

/// What an answer means for a webhook.
fn check(answer: &'static str, expected: &Outcome) {
    let server = Server::http(answer);
    let receiver = format!("webhook_configs: [{{url: 'http://{}'}}]", server.address);
    assert_eq!(
        &attempt(&config(&receiver, ""), notice()),
        expected,
        "{answer}"
    );
    server.got();
}

fn retry(error: &str, reason: FailureReason, after_ms: Option<i64>) -> Outcome {
    Outcome::Retry {
        error: error.to_owned(),
        reason,
        after_ms,
    }
}

fn failed(error: &str, reason: FailureReason) -> Outcome {
    Outcome::Failed {
        error: error.to_owned(),
        reason,
    }
}

#[test]
fn answers_decide_what_follows() {
    check(
        "HTTP/1.1 204 No Content\r\n\r\n",
        &Outcome::Delivered(Vec::new()),
    );
    check(
        "HTTP/1.1 400 Bad\r\ncontent-length: 7\r\n\r\nno good",
        &failed(
            "unexpected status code 400: no good",
            FailureReason::ClientError,
        ),
    );
    check(
        "HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n",
        &failed("unexpected status code 403", FailureReason::AuthError),
    );
    check(
        "HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n",
        &retry(
            "unexpected status code 429",
            FailureReason::RateLimited,
            Some(7000),
        ),
    );
    check(
        "HTTP/1.1 500 Broken\r\ncontent-length: 3\r\n\r\noh!",
        &retry(
            "unexpected status code 500: oh!",
            FailureReason::ServerError,
            None,
        ),
    );
    check(
        "HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n",
        &retry(
            "unexpected status code 503",
            FailureReason::ServerError,
            None,
        ),
    );
}

#[test]
fn a_server_that_cuts_hangs_or_is_not_there_is_tried_again() {
    let reset = Server::http("");
    let receiver = format!("webhook_configs: [{{url: 'http://{}'}}]", reset.address);
    let outcome = attempt(&config(&receiver, ""), notice());
    assert!(
        matches!(
            outcome,
            Outcome::Retry {
                reason: FailureReason::Other,
                ..
            }
        ),
        "{outcome:?}"
    );
    reset.got();
    let hanging = Server::hanging();
    let receiver = format!(
        "webhook_configs: [{{url: 'http://{}', timeout: 200ms}}]",
        hanging.address
    );
    let outcome = attempt(&config(&receiver, ""), notice());
    assert!(
        matches!(
            outcome,
            Outcome::Retry {
                reason: FailureReason::DeadlineExceeded,
                ..
            }
        ),
        "{outcome:?}"
    );
    hanging.join();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let address = nobody.local_addr().expect("address");
    drop(nobody);
    let receiver = format!("webhook_configs: [{{url: 'http://user:secret@{address}'}}]");
    match attempt(&config(&receiver, ""), notice()) {
        Outcome::Retry { error, .. } => assert!(!error.contains("secret"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn metadata_addresses_are_not_reached() {
    for address in [
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
    ] {
        let receiver = format!("webhook_configs: [{{url: 'http://{address}/'}}]");
        let outcome = attempt(&config(&receiver, ""), notice());
        let error = "link-local addresses are not reached";
        assert_eq!(outcome, failed(error, FailureReason::Other), "{address}");
    }
}

#[test]
fn slack_gets_one_attachment_with_the_default_texts() {
    let server = Server::http(OK);
    let receiver = format!(
        "slack_configs: [{{api_url: 'http://{}/s', channel: '#c', fields: [{{title: T, value: '{{{{ .Status }}}}', short: true}}, {{title: U, value: v}}], actions: [{{type: button, text: Go, url: 'http://x'}}, {{type: button, text: Do, name: n, value: v, confirm: {{text: sure}}}}]}}]",
        server.address
    );
    assert_eq!(
        attempt(&config(&receiver, ""), notice()),
        Outcome::Delivered(Vec::new())
    );
    let expected = json!({
        "channel": "#c",
        "username": "Alertmanager",
        "attachments": [{
            "title": "[FIRING:1] Down (<j>)",
            "title_link": "http://am:9093/#/alerts?receiver=team",
            "text": "",
            "fallback": "[FIRING:1] Down (<j>) | http://am:9093/#/alerts?receiver=team",
            "callback_id": "",
            "fields": [
                {"title": "T", "value": "firing", "short": true},
                {"title": "U", "value": "v", "short": false},
            ],
            "actions": [
                {"type": "button", "text": "Go", "url": "http://x"},
                {"type": "button", "text": "Do", "name": "n", "value": "v", "confirm": {"text": "sure"}},
            ],
            "footer": "",
            "color": "danger",
            "mrkdwn_in": ["fallback", "pretext", "text"],
        }],
    });
    assert_eq!(json(&server.got().body), expected);
}

#[test]
fn slack_says_no_in_its_own_ways() {
    let check = |answer: &'static str, expected: &Outcome| {
        let server = Server::http(answer);
        let global = format!(
            "slack_app_token: xoxb, slack_app_url: 'http://{}/api'",
            server.address
        );
        let config = config("slack_configs: [{channel: '#c'}]", &global);
        assert_eq!(&attempt(&config, notice()), expected, "{answer}");
        let got = server.got();
        assert_eq!(header(&got, "authorization"), Some("Bearer xoxb"));
    };
    let refused = |error: &str| failed(error, FailureReason::ClientError);
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nno_channel",
        &refused("channel \"#c\": received an error response from Slack: no_channel"),
    );
    check(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 37\r\n\r\n{\"ok\":false,\"error\":\"channel_missing\"}",
        &retry(
            "channel \"#c\": could not unmarshal JSON response \"{\\\"ok\\\":false,\\\"error\\\":\\\"channel_missing\\\"\": EOF while parsing an object at line 1 column 37",
            FailureReason::ClientError,
            None,
        ),
    );
    check(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 38\r\n\r\n{\"ok\":false,\"error\":\"channel_missing\"}",
        &refused("channel \"#c\": error response from Slack: channel_missing"),
    );
    let memory = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    check(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 38\r\n\r\n{\"ok\":true,\"ts\":\"1.2\",\"channel\":\"C01\"}",
        &Outcome::Delivered(vec![memory("threadTs", "1.2"), memory("channelId", "C01")]),
    );
    check(
        "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n",
        &retry(
            "channel \"#c\": unexpected status code 500",
            FailureReason::ServerError,
            None,
        ),
    );
}

#[test]
fn a_broken_slack_template_still_says_what_fires() {
    let server = Server::http(OK);
    let receiver = format!(
        "slack_configs: [{{api_url: 'http://{}', text: '{{{{ .Nothing.Here }}}}'}}]",
        server.address
    );
    assert_eq!(
        attempt(&config(&receiver, ""), notice()),
        Outcome::Delivered(Vec::new())
    );
    let body = json(&server.got().body);
    let text = body["attachments"][0]["text"].as_str().expect("text");
    assert!(
        text.contains("alertname=Down") && text.contains("the template failed"),
        "{text}"
    );
}
