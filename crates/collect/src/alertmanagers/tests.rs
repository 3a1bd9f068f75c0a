//! Real requests to receivers on loopback that keep what they are sent.

use super::address::Addresses;
use super::{AlertmanagersView, Notifier, Surroundings};
use crate::prometheus_file::{Alertmanagers, PrometheusFile, Reading, read};
use model::{Alert, Labels, Timestamp};
use runtime::{Clock as _, Registry, SystemClock};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// An Alertmanager that answers with a status and keeps what it was sent.
struct Receiver {
    address: String,
    /// Head and body of each request.
    seen: Arc<Mutex<Vec<(String, String)>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let seen: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (kept, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = runtime::thread::spawn("receiver", move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let number = kept.lock().expect("no panic").len();
                let status = statuses.get(number).copied().unwrap_or(200);
                let request = answer(stream, status);
                kept.lock().expect("no panic").push(request);
            }
        });
        Self {
            address,
            seen,
            stop,
            thread: Some(thread.expect("a thread")),
        }
    }

    fn count(&self) -> usize {
        self.seen.lock().expect("no panic").len()
    }

    fn request(&self, index: usize) -> (String, serde_json::Value) {
        let (head, body) = self.seen.lock().expect("no panic")[index].clone();
        (head, serde_json::from_str(&body).expect("JSON"))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _woken = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn answer(mut stream: TcpStream, status: u16) -> (String, String) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    // The sender may be gone.
    let _unread = stream.write_all(text.as_bytes());
    (head, String::from_utf8(body).expect("text"))
}

struct Place {
    registry: Registry,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn new() -> Self {
        Self {
            registry: Registry::new(),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    fn notifier(&self, queue_alerts_max: usize) -> Notifier {
        Notifier::new(Surroundings {
            clock: SystemClock::shared(),
            registry: self.registry.clone(),
            runtime: self.runtime.handle().clone(),
            is_inside: Arc::new(|address| address == "alertmanager:9093"),
            queue_alerts_max,
            batch_alerts_max: 2,
            drains: true,
        })
    }

    fn metric(&self, part: &str) -> String {
        let text = self.registry.render();
        let line = text.lines().find(|line| line.starts_with(part));
        let value = line.and_then(|line| line.rsplit(' ').next());
        value.unwrap_or("none").to_owned()
    }
}

fn file(text: &str) -> PrometheusFile {
    let reading = Reading {
        file: "p.yml",
        directory: Path::new("/etc/p"),
        environment: &|_| None,
    };
    read(text, reading).expect("a good file")
}

/// The `alertmanagers` of a file's text.
fn alertmanagers(list: &str) -> Vec<Alertmanagers> {
    file(&format!("alerting: {{alertmanagers: {list}}}\n"))
        .alerting
        .alertmanagers
}

fn alert(name: &str) -> Alert {
    Alert {
        labels: Labels::from_pairs([("alertname", name), ("team", "db")]),
        annotations: Labels::from_pairs([("summary", "it is down")]),
        starts_at: Timestamp::from_millis(1_700_000_000_000),
        ends_at: Timestamp::from_millis(1_700_000_240_500),
        updated_at: Timestamp::from_millis(1_700_000_000_000),
        ends_by_timeout: false,
        generator_url: "http://b/graph".to_owned(),
    }
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let clock = SystemClock::new();
    while !holds() {
        assert!(
            clock.monotonic() < Duration::from_secs(30),
            "waited for {what}"
        );
        std::thread::yield_now();
    }
}

#[test]
fn finds_addresses() {
    let check = |list: &str, active: &[&str], dropped: &[&str], problems: usize| {
        let settings = alertmanagers(list).remove(0);
        let sources = settings.discoveries.iter();
        let groups: Vec<_> = sources
            .flat_map(|source| {
                crate::discovery::read_now(source, &crate::metrics::Metrics::new(&Registry::new()))
            })
            .collect();
        let found = Addresses::of(groups.iter(), &settings);
        let urls: Vec<&str> = found.active.iter().map(|(_, url)| url.as_str()).collect();
        assert_eq!(urls, active, "{list}");
        assert_eq!(found.dropped, dropped, "{list}");
        assert_eq!(found.problems.len(), problems, "{list}");
    };
    check(
        "[{static_configs: [{targets: ['a:9093', 'b:9093', 'a:9093']}]}]",
        &["http://a:9093/api/v2/alerts", "http://b:9093/api/v2/alerts"],
        &[],
        0,
    );
    check(
        "[{scheme: https, path_prefix: am/x/, static_configs: [{targets: [a]}]}]",
        &["https://a/am/x/api/v2/alerts"],
        &[],
        0,
    );
    check(
        "[{path_prefix: /, static_configs: [{targets: [a]}]}]",
        &["http://a/api/v2/alerts"],
        &[],
        0,
    );
    check(
        "[{static_configs: [{targets: ['a:1', 'b:1'], labels: {zone: x}}], relabel_configs: [\
          {source_labels: [__address__], regex: 'b:1', action: drop}, \
          {source_labels: [zone], target_label: __alerts_path__, replacement: '/$1/post'}, \
          {target_label: __scheme__, replacement: https}]}]",
        &["https://a:1/x/post"],
        &["http://b:1/api/v2/alerts"],
        0,
    );
    check(
        "[{static_configs: [{targets: ['a:1']}], relabel_configs: [{target_label: __address__, replacement: ''}]}]",
        &[],
        &[],
        1,
    );
}

#[test]
fn posts_what_the_interface_wants_with_credentials() {
    let (place, receiver) = (Place::new(), Receiver::start(&[]));
    let notifier = place.notifier(10);
    notifier.apply(&alertmanagers(&format!(
        "[{{path_prefix: /am, basic_auth: {{username: ann, password: secret}}, \
           alert_relabel_configs: [{{source_labels: [alertname], regex: Skip, action: drop}}, \
             {{target_label: via, replacement: relabelled}}], \
           static_configs: [{{targets: ['{}', 'alertmanager:9093']}}]}}]",
        receiver.address
    )));
    let url = format!("http://{}/am/api/v2/alerts", receiver.address);
    let inside = "http://alertmanager:9093/am/api/v2/alerts".to_owned();
    let view = AlertmanagersView {
        active: vec![url.clone(), inside],
        dropped: Vec::new(),
    };
    assert_eq!(notifier.view(), view);
    notifier.send(&[alert("Down"), alert("Skip")]);
    wait_until("a request", || receiver.count() == 1);
    let (head, body) = receiver.request(0);
    assert!(
        head.starts_with("POST /am/api/v2/alerts HTTP/1.1\r\n"),
        "{head}"
    );
    let head = head.to_lowercase();
    for line in [
        "content-type: application/json\r\n",
        "authorization: basic yw5uonnly3jlda==\r\n",
        "user-agent: binnacle/",
    ] {
        assert!(head.contains(line), "{head}");
    }
    assert_eq!(
        body,
        serde_json::json!([{
            "labels": {"alertname": "Down", "team": "db", "via": "relabelled"},
            "annotations": {"summary": "it is down"},
            "startsAt": "2023-11-14T22:13:20.000Z",
            "endsAt": "2023-11-14T22:17:20.500Z",
            "generatorURL": "http://b/graph",
        }])
    );
    let label = format!("{{alertmanager=\"{url}\"}}");
    let metric = |name: &str| place.metric(&format!("prometheus_notifications_{name}{label}"));
    wait_until("the answer", || metric("sent_total") == "1");
    assert_eq!(metric("errors_total"), "0");
    assert_eq!(metric("queue_length"), "0");
    assert_eq!(
        place.metric("prometheus_notifications_queue_capacity"),
        "10"
    );
    assert_eq!(
        place.metric("prometheus_notifications_alertmanagers_discovered"),
        "2"
    );
    place.runtime.block_on(notifier.shut_down());
    assert_eq!(metric("sent_total"), "none");
}

#[test]
fn one_that_is_dead_costs_the_other_nothing_and_is_counted() {
    let (place, receiver) = (Place::new(), Receiver::start(&[500]));
    // Nobody listens here: the port was ours a moment ago.
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("bound").to_string()
    };
    let notifier = place.notifier(10);
    notifier.apply(&alertmanagers(&format!(
        "[{{timeout: 5s, static_configs: [{{targets: ['{dead}', '{}']}}]}}]",
        receiver.address
    )));
    notifier.send(&[alert("A"), alert("B"), alert("C")]);
    let metric = |name: &str, address: &str| {
        place.metric(&format!(
            "prometheus_notifications_{name}{{alertmanager=\"http://{address}/api/v2/alerts\"}}"
        ))
    };
    // Two requests of at most two alerts each; the first is refused, counted and not repeated.
    wait_until("both requests", || {
        metric("sent_total", &receiver.address) == "1"
    });
    assert_eq!(metric("errors_total", &receiver.address), "2");
    assert_eq!(metric("dropped_total", &receiver.address), "2");
    let (_, body) = receiver.request(1);
    assert_eq!(body[0]["labels"]["alertname"], "C");
    wait_until("the dead one", || metric("dropped_total", &dead) == "3");
    assert_eq!(metric("errors_total", &dead), "3");
    assert_eq!(metric("sent_total", &dead), "0");
    place.runtime.block_on(notifier.shut_down());
}

#[test]
fn a_full_queue_keeps_the_newest_and_the_end_sends_what_waits() {
    let (place, receiver) = (Place::new(), Receiver::start(&[]));
    let notifier = place.notifier(3);
    notifier.apply(&alertmanagers(&format!(
        "[{{static_configs: [{{targets: ['{}']}}]}}]",
        receiver.address
    )));
    let names = ["A", "B", "C", "D", "E"];
    notifier.send(&names.map(alert));
    place.runtime.block_on(notifier.shut_down());
    let mut got = Vec::new();
    for index in 0..receiver.count() {
        let (_, body) = receiver.request(index);
        let alerts = body.as_array().cloned().unwrap_or_default();
        got.extend(alerts.iter().map(|alert| {
            alert["labels"]["alertname"]
                .as_str()
                .expect("a name")
                .to_owned()
        }));
    }
    assert_eq!(got, ["C", "D", "E"]);
}

#[test]
fn files_that_list_alertmanagers_are_followed() {
    let (place, receiver) = (Place::new(), Receiver::start(&[]));
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("am.json");
    #[expect(clippy::disallowed_methods, reason = "a test's own file")]
    let write = |text: &str| std::fs::write(&list, text).expect("written");
    write("[]");
    let notifier = place.notifier(10);
    notifier.apply(&alertmanagers(&format!(
        "[{{file_sd_configs: [{{files: ['{}']}}]}}]",
        list.display()
    )));
    assert_eq!(notifier.view(), AlertmanagersView::default());
    write(&format!("[{{\"targets\": [\"{}\"]}}]", receiver.address));
    wait_until("the file to be read", || notifier.view().active.len() == 1);
    notifier.send(&[alert("A")]);
    wait_until("a request", || receiver.count() == 1);
    // A configuration that is the same leaves everything as it is; an empty one ends it.
    let same = alertmanagers(&format!(
        "[{{file_sd_configs: [{{files: ['{}']}}]}}]",
        list.display()
    ));
    notifier.apply(&same);
    assert_eq!(notifier.view().active.len(), 1);
    notifier.apply(&[]);
    assert_eq!(notifier.view(), AlertmanagersView::default());
}
