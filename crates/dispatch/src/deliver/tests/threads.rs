//! Attempts that hang, panic, or outlive their settings, and errors that are long.

use super::super::{ERROR_CHARS_MAX, Failure, guarded};
use super::servers::Server;
use super::{Deliverer, Event, attempt, config, job, notice};
use crate::notice::{FailureReason, Outcome};
use runtime::queue::{Received, bounded};
use std::process::Command;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[test]
fn what_hangs_before_its_request_delays_no_other() {
    let folder = tempfile::tempdir().expect("folder");
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    // Reading it waits until somebody writes, as a look-up waits for a name server that is dead.
    let receiver = format!("webhook_configs: [{{url_file: {}}}]", pipe.display());
    let stuck = config(&receiver, "");
    let server = Server::http(OK);
    let receiver = format!("webhook_configs: [{{url: 'http://{}'}}]", server.address);
    let free = config(&receiver, "");
    let deliverer = Deliverer::new().expect("threads");
    let (sender, reports) = bounded(64, runtime::metrics::Counter::default());
    for _ in 0..32 {
        let mut hanging = notice();
        hanging.target.receiver.push_str(" that hangs");
        deliverer.start(job(&stuck, hanging), sender.clone());
    }
    deliverer.start(job(&free, notice()), sender);
    match reports.receive(Duration::from_secs(20)) {
        Received::Item(Event::Ended(report)) => {
            assert_eq!(report.outcome, Outcome::Delivered(Vec::new()));
        }
        other => panic!("{other:?}"),
    }
    server.got();
    drop(deliverer);
    // Lets the threads end.
    let both = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipe);
    drop(both.expect("opened"));
}

#[test]
fn an_attempt_that_panics_is_tried_again() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    async fn panics() -> Outcome {
        panic!("SECRET")
    }
    let outcome = runtime.block_on(guarded(panics()));
    assert_eq!(
        outcome,
        Outcome::Retry {
            error: "the attempt ended unexpectedly".to_owned(),
            reason: FailureReason::Other,
            after_ms: None,
        }
    );
}

#[test]
fn an_attempt_with_older_settings_leaves_no_token_behind() {
    let answer = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let (token, taken) = (r#"{"access_token":"t"}"#, r#"{"errcode":0}"#);
    let answers = [token, taken, token, taken].map(answer);
    let ((came, requests), (go, words)) = (sync_channel(8), sync_channel(8));
    let server = Server::patient(answers.to_vec(), (came, words));
    let receiver = format!(
        "wechat_configs: [{{api_url: 'http://{}/', api_secret: s, corp_id: c}}]",
        server.address
    );
    let config = config(&receiver, "");
    let deliverer = Deliverer::new().expect("threads");
    let (sender, reports) = bounded(64, runtime::metrics::Counter::default());
    deliverer.start(job(&config, notice()), sender.clone());
    requests.recv().expect("a request for a token");
    deliverer.forget_clients();
    for _ in 0..4 {
        go.send(()).expect("waiting");
    }
    let ended = || match reports.receive(Duration::from_secs(20)) {
        Received::Item(Event::Ended(report)) => report.outcome,
        other => panic!("{other:?}"),
    };
    assert_eq!(ended(), Outcome::Delivered(Vec::new()));
    deliverer.start(job(&config, notice()), sender);
    assert_eq!(ended(), Outcome::Delivered(Vec::new()));
    let got = server.all();
    let fetched = got.iter().filter(|got| got.head.contains("/gettoken?"));
    assert_eq!(fetched.count(), 2);
}

#[test]
fn errors_are_short_and_no_secret_is_cut_in_two() {
    let secret = "SECRET-token";
    let mut secrets = super::super::kit::Secrets::default();
    secrets.hide(secret);
    for before in [0, 480, 990, 5000] {
        let error = format!("{}{secret}{}", "x".repeat(before), "y".repeat(60_000));
        let shown = match Failure::passing(error).outcome(&secrets) {
            Outcome::Retry { error, .. } => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(shown.chars().count(), ERROR_CHARS_MAX);
        assert!(!shown.contains("SECRET"), "{before}: {shown}");
    }
    // Also where a server repeats it at the end of what is shown.
    let body = format!("{}{secret}", "x".repeat(494));
    let answer = format!(
        "HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let server = Server::script(vec![answer]);
    let receiver = format!(
        "webhook_configs: [{{url: 'http://{}', http_config: {{authorization: {{credentials: {secret}}}}}}}]",
        server.address
    );
    match attempt(&config(&receiver, ""), notice()) {
        Outcome::Failed { error, .. } => assert!(!error.contains("SECRET"), "{error}"),
        other => panic!("{other:?}"),
    }
    server.all();
}

#[test]
fn ended_heartbeats_are_let_go() {
    let deliverer = Deliverer::new().expect("threads");
    let heartbeat = crate::config::Heartbeat {
        url: config::http_client::SecretSource::Text(config::Secret::new("not an address")),
        posts: false,
        interval_ms: 1000,
        stalled_after_ms: 30_000,
        http: config::HttpClientConfig::default(),
    };
    let (sender, ended) = sync_channel(1);
    let mut most = 0;
    for _ in 0..20 {
        let sender = sender.clone();
        deliverer.beat(heartbeat.clone(), super::NOW, move |end| {
            assert!(end.is_err());
            sender.send(()).expect("heard");
        });
        ended.recv().expect("an end");
        most = most.max(deliverer.tasks.lock().expect("lock").len());
    }
    // The last may not have been let go yet.
    assert!(most < 10, "{most} tasks are kept");
}
