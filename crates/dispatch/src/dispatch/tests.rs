mod disk;
mod heart;
mod installed;

use super::{Dispatch, Error, Parts};
use crate::alert::PostedAlert;
use crate::config::Config;
use crate::machine::{AlertFilter, AlertState, GroupFilter};
use crate::silence::Silence;
use model::{Matcher, RoutedAlert, Timestamp};
use runtime::{Registry, SharedClock, Shutdown, SystemClock};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use storage::State;

/// A webhook that answers 200 to everything and hands over the bodies.
fn webhook() -> (String, Receiver<serde_json::Value>) {
    let (sender, bodies) = sync_channel(100);
    let url = serve(move |body| {
        // Not every test listens.
        let _nobody = sender.send(body);
        true
    });
    (url, bodies)
}

/// Serves a webhook: `take` gets the body of a request before it is answered with 200, and answers whether to go on.
fn serve(mut take: impl FnMut(serde_json::Value) -> bool + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}/", listener.local_addr().expect("address"));
    let serve = move || {
        while let Ok((stream, _)) = listener.accept() {
            let mut reader = BufReader::new(&stream);
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                let lower = std::mem::take(&mut line).to_lowercase();
                if let Some(value) = lower.strip_prefix("content-length: ") {
                    length = value.trim().parse().expect("length");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("body");
            if !take(serde_json::from_slice(&body).expect("JSON")) {
                return;
            }
            let mut writer = &stream;
            writer
                .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                .expect("answer");
        }
    };
    runtime::thread::spawn("webhook", serve).expect("thread");
    url
}

struct Running {
    dispatch: Dispatch,
    thread: Option<JoinHandle<()>>,
    shutdown: Shutdown,
    registry: Registry,
    routed: Arc<Mutex<Vec<RoutedAlert>>>,
    /// Attempts that ended.
    told: Receiver<()>,
}

impl Running {
    fn start(state: &State, config: &Arc<Config>) -> Self {
        Self::start_at(state, config, SystemClock::shared())
    }

    fn start_at(state: &State, config: &Arc<Config>, clock: SharedClock) -> Self {
        let routed = Arc::new(Mutex::new(Vec::new()));
        let (attempted, told) = sync_channel(100);
        let (heard, registry, shutdown) = (Arc::clone(&routed), Registry::new(), Shutdown::new());
        let parts = Parts {
            state: state.clone(),
            clock,
            registry: registry.clone(),
            external_url: "http://here".to_owned(),
            listener: Box::new(move |alert| heard.lock().expect("lock").push(alert)),
            told: Box::new(move |_| {
                // Nobody waits for most of them.
                let _full = attempted.try_send(());
            }),
        };
        let (dispatch, thread, problems) =
            Dispatch::start(parts, config, shutdown.clone()).expect("starts");
        assert_eq!(problems, Vec::<String>::new());
        Self {
            dispatch,
            thread: Some(thread),
            shutdown,
            registry,
            routed,
            told,
        }
    }

    fn stop(mut self) {
        self.shutdown.trigger();
        self.thread.take().expect("running").join().expect("ended");
    }
}

fn config(url: &str, more: &str) -> Arc<Config> {
    let text = format!(
        "route: {{receiver: team, group_wait: 0s, group_interval: 1s, group_by: [alertname]}}\nreceivers:\n- name: team\n  webhook_configs: [{{url: '{url}'}}]\n{more}"
    );
    Arc::new(Config::parse(&text, "a.yml").expect("good"))
}

fn alert(name: &str, ended: bool) -> PostedAlert {
    PostedAlert {
        labels: vec![("alertname".to_owned(), name.to_owned())],
        ends_at: ended.then_some(Timestamp::from_millis(1)),
        starts_at: ended.then_some(Timestamp::from_millis(0)),
        ..PostedAlert::default()
    }
}

fn state() -> State {
    State::in_memory().expect("database")
}

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn an_alert_becomes_a_request_and_its_end_another() {
    let (url, bodies) = webhook();
    let state = state();
    let running = Running::start(&state, &config(&url, ""));
    running
        .dispatch
        .put(vec![alert("A", false)])
        .expect("taken");
    let first = bodies.recv_timeout(PATIENCE).expect("a notification");
    assert_eq!(first["status"], "firing");
    assert_eq!(first["groupKey"], r#"{}:{alertname="A"}"#);
    let alerts = running.dispatch.alerts(&AlertFilter::default());
    assert_eq!((alerts.len(), alerts[0].state), (1, AlertState::Active));
    assert_eq!(running.dispatch.groups(&GroupFilter::default()).len(), 1);
    running.stop();
    // Another process: it knows what was told, and tells the end.
    let running = Running::start(&state, &config(&url, ""));
    let now = running.dispatch.now();
    let ended = PostedAlert {
        ends_at: Some(now),
        ..alert("A", false)
    };
    running.dispatch.put(vec![ended]).expect("taken");
    let second = bodies.recv_timeout(PATIENCE).expect("a notification");
    assert_eq!(second["status"], "resolved");
    let routed = running.routed.lock().expect("lock").clone();
    assert!(routed.iter().any(|alert| alert.resolved), "{routed:?}");
    let attempts = running.dispatch.attempts(10).expect("read");
    assert!(attempts.iter().all(|attempt| attempt.error.is_none()));
    let text = running.registry.render();
    assert!(
        text.contains("alertmanager_notifications_total{integration=\"webhook\"} 1"),
        "{text}"
    );
    running.stop();
}

#[test]
fn valid_alerts_are_taken_beside_wrong_ones() {
    let running = Running::start(&state(), &Arc::new(Config::built_in()));
    let wrong = PostedAlert::default();
    match running.dispatch.put(vec![alert("A", false), wrong]) {
        Err(Error::Alerts(messages)) => {
            assert_eq!(messages, ["at least one label pair required"]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(running.dispatch.alerts(&AlertFilter::default()).len(), 1);
    // Nobody is told, and yet incidents hear of it.
    let routed = running.routed.lock().expect("lock").clone();
    assert_eq!(routed.len(), 1);
    assert_eq!(routed[0].receivers, ["none"]);
    assert_eq!(routed[0].group_labels.value("alertname"), "A");
    running.stop();
}

#[test]
fn silences_have_ids_and_mute() {
    let running = Running::start(&state(), &Arc::new(Config::built_in()));
    let now = running.dispatch.now();
    let silence = Silence {
        id: String::new(),
        matchers: vec![Matcher::equal("alertname", "A")],
        starts_at: now,
        ends_at: now.plus_millis(60_000),
        updated_at: now,
        created_by: "me".to_owned(),
        comment: String::new(),
        annotations: BTreeMap::new(),
    };
    let id = running
        .dispatch
        .set_silence(silence.clone())
        .expect("taken");
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
    running
        .dispatch
        .put(vec![alert("A", false)])
        .expect("taken");
    let view = running.dispatch.alerts(&AlertFilter::default()).remove(0);
    assert_eq!(
        (view.state, view.silenced_by),
        (AlertState::Suppressed, vec![id.clone()])
    );
    let hidden = AlertFilter {
        silenced: false,
        ..AlertFilter::default()
    };
    assert!(running.dispatch.alerts(&hidden).is_empty());
    assert_eq!(running.dispatch.silences(&silence.matchers).len(), 1);
    assert!(
        running
            .dispatch
            .silences(&[Matcher::equal("alertname", "B")])
            .is_empty()
    );
    running.dispatch.expire_silence(&id).expect("known");
    assert!(running.dispatch.expire_silence("none").is_err());
    assert_eq!(running.dispatch.alerts(&hidden).len(), 1);
    running.stop();
}

#[test]
fn what_nobody_could_be_told_of_is_shown() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = nobody.local_addr().expect("address");
    drop(nobody);
    let more = format!(
        "- name: pager\n  pagerduty_configs: [{{routing_key: k, url: 'http://{address}'}}]\n"
    );
    let text = format!("route: {{receiver: pager, group_wait: 0s}}\nreceivers:\n{more}");
    let config = Arc::new(Config::parse(&text, "a.yml").expect("good"));
    let running = Running::start(&state(), &config);
    running
        .dispatch
        .put(vec![alert("A", false)])
        .expect("taken");
    running.told.recv_timeout(PATIENCE).expect("an attempt");
    let undelivered = running.dispatch.undelivered();
    assert_eq!(undelivered.len(), 1);
    assert_eq!(
        (&undelivered[0].receivers, &undelivered[0].kinds),
        (&vec!["pager".to_owned()], &vec!["pagerduty".to_owned()])
    );
    // Another configuration, and the alert reaches someone.
    let (url, bodies) = webhook();
    running
        .dispatch
        .apply(self::config(&url, ""))
        .expect("applied");
    assert!(running.dispatch.undelivered().is_empty());
    let told = bodies.recv_timeout(PATIENCE).expect("a notification");
    assert_eq!(told["receiver"], "team");
    running.stop();
}

#[test]
fn trouble_with_one_receiver_is_told_to_another() {
    let (url, bodies) = webhook();
    let text = format!(
        "route:\n  receiver: broken\n  group_wait: 0s\n  routes:\n  - {{matchers: ['alertname=~\"Binnacle.*\"'], receiver: ops, group_wait: 0s}}\nreceivers:\n- name: broken\n  webhook_configs:\n  - {{url: '{url}', payload: {{text: '{{{{ .No.Such }}}}'}}}}\n  - {{url_file: /no/such/file}}\n- name: ops\n  webhook_configs: [{{url: '{url}', max_alerts: 1}}]\n"
    );
    let config = Arc::new(Config::parse(&text, "a.yml").expect("good"));
    let running = Running::start(&state(), &config);
    running
        .dispatch
        .put(vec![alert("A", false)])
        .expect("taken");
    // The one with the broken payload gets the standard one; which of them is first is not said.
    let (mut broken, mut name) = (0, None);
    while broken == 0 || name.is_none() {
        let body = bodies.recv_timeout(PATIENCE).expect("a notification");
        if body["receiver"] == "ops" {
            name = Some(body["alerts"][0]["labels"]["alertname"].clone());
        } else {
            broken += 1;
        }
    }
    let name = name.expect("told");
    assert_eq!(broken, 1);
    let ours = ["BinnacleNotificationsFailing", "BinnacleTemplateFailing"];
    assert!(ours.iter().any(|one| name == *one), "{name}");
    running.stop();
}

#[test]
fn a_receiver_is_tried_without_a_trace() {
    let (url, bodies) = webhook();
    let state = state();
    let running = Running::start(&state, &config(&url, "- name: silent\n"));
    let trial = |name: &str, resolves: bool| running.dispatch.try_receiver(name, resolves);
    let trials = trial("team", true).expect("asked").expect("known");
    let shown: Vec<String> = trials
        .iter()
        .map(|t| format!("{} {} {:?}", t.integration, t.resolved, t.error))
        .collect();
    assert_eq!(shown, ["webhook[0] false None", "webhook[0] true None"]);
    let first = bodies.recv_timeout(PATIENCE).expect("a notification");
    assert_eq!(first["alerts"][0]["labels"]["alertname"], "BinnacleTest");
    let summary = first["alerts"][0]["annotations"]["summary"].as_str();
    assert!(summary.is_some_and(|text| text.starts_with("TEST: ")));
    let second = bodies.recv_timeout(PATIENCE).expect("a notification");
    assert_eq!(second["status"], "resolved");
    assert_eq!(trial("silent", false).expect("asked"), Some(Vec::new()));
    assert_eq!(trial("nobody", false).expect("asked"), None);
    assert!(running.dispatch.alerts(&AlertFilter::default()).is_empty());
    assert_eq!(running.dispatch.attempts(10).expect("read"), []);
    running.stop();
}

#[test]
fn what_became_of_alerts_is_kept_and_asked_for() {
    let (url, _bodies) = webhook();
    let state = state();
    let running = Running::start(&state, &config(&url, ""));
    let dispatch = &running.dispatch;
    dispatch
        .put(vec![alert("A", false), alert("B", false)])
        .expect("taken");
    let ended = PostedAlert {
        ends_at: Some(dispatch.now()),
        ..alert("A", false)
    };
    dispatch.put(vec![ended]).expect("taken");
    let matcher = |value| Matcher::equal("alertname", value);
    let ask = |matchers: Vec<Matcher>, limit| {
        let query = crate::HistoryQuery {
            matchers,
            limit,
            ..crate::HistoryQuery::default()
        };
        let events = dispatch.history(&query).expect("read");
        let shown = events.iter().map(|event| {
            format!(
                "{} {}",
                event.labels.value("alertname"),
                event.change.name()
            )
        });
        shown.collect::<Vec<String>>()
    };
    assert_eq!(ask(Vec::new(), 10), ["A resolved", "B fired", "A fired"]);
    assert_eq!(ask(vec![matcher("A")], 10), ["A resolved", "A fired"]);
    assert_eq!(ask(Vec::new(), 1), ["A resolved"]);
    let muted = dispatch
        .would_mute(&[matcher("A")], Timestamp::MIN)
        .expect("read");
    assert_eq!(
        (muted.len(), muted[0].fired, muted[0].firing),
        (1, 1, false)
    );
    let muted = dispatch
        .would_mute(&[matcher("B")], Timestamp::MIN)
        .expect("read");
    assert_eq!((muted.len(), muted[0].fired, muted[0].firing), (1, 1, true));
    running.stop();
}
