//! A database that takes nothing for a while, as on a full disk.

use super::{PATIENCE, Running, alert, serve, state};
use crate::config::Config;
use crate::dispatch::Error;
use crate::machine::GroupFilter;
use model::Timestamp;
use runtime::{Clock as _, SimulatedClock};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use storage::{State, StateError};

/// A webhook that answers a request when it is told to; the group keys of what came.
fn patient_webhook() -> (String, Receiver<String>, SyncSender<()>) {
    let (sender, keys) = sync_channel(100);
    let (go, answers) = sync_channel::<()>(100);
    let url = serve(move |body| {
        let key = body["groupKey"].as_str().expect("a key").to_owned();
        sender.send(key).is_ok() && answers.recv().is_ok()
    });
    (url, keys, go)
}

fn config(url: &str, group_interval: &str) -> Arc<Config> {
    let text = format!(
        "route: {{receiver: team, group_wait: 0s, group_interval: {group_interval}, group_by: [alertname]}}\nreceivers:\n- name: team\n  webhook_configs: [{{url: '{url}'}}]\n"
    );
    Arc::new(Config::parse(&text, "a.yml").expect("good"))
}

fn set_full(state: &State, is_full: bool) {
    let done: Result<(), StateError> =
        state.read(|db| Ok(db.pragma_update(None, "query_only", is_full)?));
    done.expect("set");
}

fn value(running: &Running, series: &str) -> u64 {
    let text = running.registry.render();
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0, |value| value.trim().parse().expect("a number"))
}

#[test]
fn an_outcome_waits_for_the_disk_and_nothing_is_sent_twice() {
    let (url, keys, go) = patient_webhook();
    let config = config(&url, "5m");
    let state = state();
    let running = Running::start(&state, &config);
    let failed = || value(&running, "binnacle_dispatch_commits_failed_total");
    running
        .dispatch
        .put(vec![alert("A", false)])
        .expect("taken");
    let first = keys.recv_timeout(PATIENCE).expect("a notification");
    assert_eq!(first, r#"{}:{alertname="A"}"#);
    set_full(&state, true);
    let refused = running.dispatch.put(vec![alert("B", false)]);
    assert!(matches!(refused, Err(Error::State(_))), "{refused:?}");
    go.send(()).expect("waiting");
    let requests = "alertmanager_notification_requests_total{integration=\"webhook\"}";
    while value(&running, requests) == 0 {
        std::thread::yield_now();
    }
    // The next that fails is what the thread does with the outcome.
    let before = failed();
    while failed() == before {
        std::thread::yield_now();
    }
    set_full(&state, false);
    running.told.recv_timeout(PATIENCE).expect("an outcome");
    running
        .dispatch
        .put(vec![alert("B", false)])
        .expect("taken");
    let second = keys.recv_timeout(PATIENCE).expect("a notification");
    assert_eq!(second, r#"{}:{alertname="B"}"#);
    go.send(()).expect("waiting");
    running.told.recv_timeout(PATIENCE).expect("an outcome");
    let attempts = running.dispatch.attempts(10).expect("read");
    let attempts: Vec<(u32, &Option<String>)> = attempts
        .iter()
        .map(|attempt| (attempt.attempt, &attempt.error))
        .collect();
    assert_eq!(attempts, [(1, &None), (1, &None)]);
    running.stop();
}

#[test]
fn a_clock_that_is_set_meanwhile_is_noticed_afterwards() {
    let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(
        1_795_132_800_000,
    )));
    let state = state();
    let shared = Arc::clone(&clock) as runtime::SharedClock;
    // The next look at the group is later than the clock is set forward.
    let running = Running::start_at(&state, &config("http://127.0.0.1:1/", "2h"), shared);
    running
        .dispatch
        .put(vec![alert("A", false)])
        .expect("taken");
    let next_flush = || running.dispatch.groups(&GroupFilter::default())[0].next_flush;
    let before = next_flush();
    set_full(&state, true);
    clock.step_to(clock.now().plus_millis(3_600_000));
    assert!(running.dispatch.put(vec![alert("B", false)]).is_err());
    set_full(&state, false);
    running
        .dispatch
        .put(vec![alert("B", false)])
        .expect("taken");
    // What fired still does: its end moved along.
    let groups = running.dispatch.groups(&GroupFilter::default());
    assert_eq!(groups.len(), 2, "{groups:?}");
    assert_eq!(next_flush().millis_since(before), 3_600_000);
    running.stop();
}
