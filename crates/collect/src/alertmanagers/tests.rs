//! Real requests to receivers on loopback that keep what they are sent.

use super::address::Addresses;
use super::{AddressTest, AlertmanagersView, Notifier, Surroundings, lock};
use crate::discovery::Found;
use crate::prometheus_file::{Alertmanagers, PrometheusFile, Reading, TargetGroup, read};
use crate::receiver::{PATIENCE, Receiver, dead_address, metric, wait_until};
use model::{Alert, Labels, Timestamp};
use runtime::{Registry, SystemClock};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

/// An Alertmanager that answers with a status and keeps what it was sent.
struct Alertmanager {
    receiver: Receiver,
    /// Head and body of each request.
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Alertmanager {
    /// Listens; `statuses`: what the first requests are answered, 200 after them.
    fn start(statuses: &'static [u16]) -> Self {
        Self::start_slow(statuses, || ())
    }

    /// The same; waits before each answer.
    fn start_slow(statuses: &'static [u16], wait: impl Fn() + Send + 'static) -> Self {
        let seen: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let kept = Arc::clone(&seen);
        let receiver = Receiver::start(0, move |head, body| {
            let body = String::from_utf8(body).expect("text");
            let mut all = lock(&kept);
            let status = statuses.get(all.len()).copied().unwrap_or(200);
            all.push((head, body));
            drop(all);
            wait();
            status
        });
        Self { receiver, seen }
    }

    fn address(&self) -> &str {
        &self.receiver.address
    }

    fn count(&self) -> usize {
        lock(&self.seen).len()
    }

    fn request(&self, index: usize) -> (String, serde_json::Value) {
        let (head, body) = lock(&self.seen)[index].clone();
        (head, serde_json::from_str(&body).expect("JSON"))
    }

    /// The names of the alerts that came, in order.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for index in 0..self.count() {
            let (_, body) = self.request(index);
            for alert in body.as_array().expect("a list") {
                let name = alert["labels"]["alertname"].as_str();
                names.push(name.expect("a name").to_owned());
            }
        }
        names
    }
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
        self.notifier_where(queue_alerts_max, Arc::new(|_| false))
    }

    fn notifier_where(&self, queue_alerts_max: usize, stands_in: AddressTest) -> Notifier {
        Notifier::new(Surroundings {
            clock: SystemClock::shared(),
            registry: self.registry.clone(),
            runtime: self.runtime.handle().clone(),
            is_own: Arc::new(|address| address == "localhost:9090"),
            stands_in,
            queue_alerts_max,
            batch_alerts_max: 2,
            drains: true,
        })
    }

    fn metric(&self, part: &str) -> String {
        metric(&self.registry, part)
    }

    /// A number of one Alertmanager.
    fn number(&self, name: &str, address: &str) -> String {
        let url = format!("http://{address}/api/v2/alerts");
        self.metric(&format!("{name}{{alertmanager=\"{url}\"}}"))
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

/// One element with these static addresses.
fn at(addresses: &[&str]) -> Vec<Alertmanagers> {
    alertmanagers(&format!(
        "[{{static_configs: [{{targets: {addresses:?}}}]}}]"
    ))
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
    let (place, receiver) = (Place::new(), Alertmanager::start(&[]));
    let notifier = place.notifier(10);
    notifier.apply(&alertmanagers(&format!(
        "[{{path_prefix: /am, basic_auth: {{username: ann, password: secret}}, \
           alert_relabel_configs: [{{source_labels: [alertname], regex: Skip, action: drop}}, \
             {{target_label: via, replacement: relabelled}}], \
           static_configs: [{{targets: ['{}', 'localhost:9090']}}]}}]",
        receiver.address()
    )));
    let url = format!("http://{}/am/api/v2/alerts", receiver.address());
    let inside = "http://localhost:9090/am/api/v2/alerts".to_owned();
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
    let (place, receiver) = (Place::new(), Alertmanager::start(&[500]));
    let (dead, _reserved) = dead_address();
    let notifier = place.notifier(10);
    notifier.apply(&at(&[&dead, receiver.address()]));
    notifier.send(&[alert("A"), alert("B"), alert("C")]);
    let number = |name: &str, address: &str| {
        place.number(&format!("prometheus_notifications_{name}"), address)
    };
    // Two requests of at most two alerts each; the first is refused, counted and not repeated.
    wait_until("both requests", || {
        number("sent_total", receiver.address()) == "1"
    });
    assert_eq!(number("errors_total", receiver.address()), "2");
    assert_eq!(number("dropped_total", receiver.address()), "2");
    assert_eq!(receiver.names(), ["A", "B", "C"]);
    assert_eq!(receiver.count(), 2);
    wait_until("the dead one", || number("dropped_total", &dead) == "3");
    assert_eq!(number("errors_total", &dead), "3");
    assert_eq!(number("sent_total", &dead), "0");
    place.runtime.block_on(notifier.shut_down());
}

#[test]
fn a_full_queue_keeps_the_newest_and_the_end_sends_what_waits() {
    let (place, receiver) = (Place::new(), Alertmanager::start(&[]));
    let notifier = place.notifier(3);
    notifier.apply(&at(&[receiver.address()]));
    let names = ["A", "B", "C", "D", "E"];
    notifier.send(&names.map(alert));
    place.runtime.block_on(notifier.shut_down());
    assert_eq!(receiver.names(), ["C", "D", "E"]);
}

#[test]
fn an_alertmanager_that_appears_after_the_start_gets_alerts() {
    let (place, receiver) = (Place::new(), Alertmanager::start(&[]));
    let resolves = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&resolves);
    let notifier = place.notifier_where(10, Arc::new(move |_| !asked.load(Ordering::SeqCst)));
    notifier.apply(&at(&[receiver.address()]));
    let number = |name: &str| place.number(name, receiver.address());
    notifier.send(&[alert("A")]);
    wait_until("the alert to stay inside", || {
        number("binnacle_collect_alerts_inside_total") == "1"
    });
    // No reload, nothing but another answer of the resolver.
    resolves.store(true, Ordering::SeqCst);
    notifier.send(&[alert("B")]);
    wait_until("the alert to be sent", || {
        number("prometheus_notifications_sent_total") == "1"
    });
    resolves.store(false, Ordering::SeqCst);
    notifier.send(&[alert("C")]);
    wait_until("the alert to stay inside", || {
        number("binnacle_collect_alerts_inside_total") == "2"
    });
    assert_eq!(receiver.names(), ["B"]);
    assert_eq!(number("prometheus_notifications_errors_total"), "0");
    place.runtime.block_on(notifier.shut_down());
}

#[test]
fn a_resolver_that_hangs_delays_nobody_else() {
    let (place, receiver) = (Place::new(), Alertmanager::start(&[]));
    let slow = Alertmanager::start(&[]);
    let (release, gate) = mpsc::sync_channel::<()>(3);
    let (gate, name) = (Mutex::new(gate), slow.address().to_owned());
    let stands_in = move |address: &str| {
        // In vain where whoever would open the gate waits for this very answer.
        if address == name {
            lock(&gate).recv_timeout(PATIENCE).expect("to be released");
        }
        false
    };
    let notifier = place.notifier_where(10, Arc::new(stands_in));
    notifier.apply(&at(&[slow.address(), receiver.address()]));
    notifier.send(&[alert("A")]);
    wait_until("the other to get it", || receiver.count() == 1);
    assert_eq!(notifier.view().active.len(), 2);
    assert_eq!(slow.count(), 0);
    release.send(()).expect("somebody waits");
    wait_until("the alert to be sent", || slow.count() == 1);
    place.runtime.block_on(notifier.shut_down());
}

#[test]
fn a_set_that_was_stopped_starts_nothing() {
    let (place, receiver) = (Place::new(), Alertmanager::start(&[]));
    let notifier = place.notifier(10);
    let settings = at(&[receiver.address()]);
    notifier.apply(&settings);
    let set = Arc::clone(&lock(&notifier.sets).present[0]);
    notifier.apply(&[]);
    let length = "prometheus_notifications_queue_length";
    wait_until("the queue to end", || {
        place.number(length, receiver.address()) == "none"
    });
    // What its source found was on its way.
    let groups = crate::discovery::read_now(
        &settings[0].discoveries[0],
        &crate::metrics::Metrics::new(&Registry::new()),
    );
    set.found(found(groups));
    assert_eq!(place.number(length, receiver.address()), "none");
    place.runtime.block_on(notifier.shut_down());
    // Nor is anything started after the end.
    notifier.apply(&settings);
    assert_eq!(notifier.view(), AlertmanagersView::default());
}

/// What the first source of a set lists.
fn found(groups: Vec<TargetGroup>) -> Found {
    Found {
        job: "alertmanagers".to_owned(),
        generation: 0,
        index: 0,
        groups,
    }
}

#[test]
fn the_end_waits_for_queues_that_went_before() {
    let check = |what: &str, go: &dyn Fn(&Notifier)| {
        let (release, gate) = mpsc::sync_channel::<()>(3);
        let place = Place::new();
        let receiver = Alertmanager::start_slow(&[], move || {
            gate.recv_timeout(PATIENCE).expect("to be released");
        });
        let notifier = place.notifier(10);
        notifier.apply(&at(&[receiver.address()]));
        notifier.send(&["A", "B", "C", "D", "E"].map(alert));
        wait_until("the first request", || receiver.count() == 1);
        go(&notifier);
        for _ in 0..3 {
            release.send(()).expect("it runs");
        }
        place.runtime.block_on(notifier.shut_down());
        assert_eq!(receiver.names(), ["A", "B", "C", "D", "E"], "{what}");
    };
    check("nothing goes", &|_| ());
    check("a source lists nothing more", &|notifier| {
        let set = Arc::clone(&lock(&notifier.sets).present[0]);
        set.found(found(Vec::new()));
    });
    check("a set is replaced", &|notifier| notifier.apply(&[]));
}

#[test]
fn files_that_list_alertmanagers_are_followed() {
    let (place, receiver) = (Place::new(), Alertmanager::start(&[]));
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
    write(&format!("[{{\"targets\": [\"{}\"]}}]", receiver.address()));
    wait_until("the file to be read", || notifier.view().active.len() == 1);
    notifier.send(&[alert("A")]);
    wait_until("a request", || receiver.count() == 1);
    // A configuration that is the same leaves everything as it is; an empty one ends it.
    let same = alertmanagers(&format!(
        "[{{file_sd_configs: [{{files: ['{}']}}]}}]",
        list.display()
    ));
    let before = Arc::clone(&lock(&notifier.sets).present[0]);
    notifier.apply(&same);
    let after = Arc::clone(&lock(&notifier.sets).present[0]);
    assert!(Arc::ptr_eq(&before, &after));
    assert_eq!(notifier.view().active.len(), 1);
    notifier.apply(&[]);
    assert_eq!(notifier.view(), AlertmanagersView::default());
}
