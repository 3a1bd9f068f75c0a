//! Alertmanagers of one element of `alertmanagers`: their sources are watched, each that is found has a queue.

use super::address::Addresses;
use super::queue::Queue;
use super::request::Requests;
use super::{AlertmanagersView, Around, lock};
use crate::discovery::{self, Found, Reporter};
use crate::prometheus_file::{Alertmanagers, TargetGroup};
use model::{Alert, relabel};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Finds that wait at most; further ones wait with their watchers.
const FINDS_MAX: usize = 16;

pub(super) struct Set {
    pub(super) settings: Alertmanagers,
    around: Arc<Around>,
    requests: Arc<Requests>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What each source lists.
    groups: Vec<Vec<TargetGroup>>,
    view: AlertmanagersView,
    queues: BTreeMap<String, Arc<Queue>>,
    /// Queues that end.
    ending: Vec<Arc<Queue>>,
    watchers: Vec<JoinHandle<()>>,
    /// Whether no queue may be started any more.
    has_stopped: bool,
}

impl Set {
    /// Reads what can be read at once and begins to watch the rest.
    pub(super) fn start(around: Arc<Around>, settings: Alertmanagers) -> Arc<Self> {
        let set = Arc::new(Self {
            requests: Arc::new(Requests::new(&settings)),
            settings,
            around,
            state: Mutex::default(),
        });
        let (to, finds) = mpsc::channel(FINDS_MAX);
        let runtime = &set.around.surroundings.runtime;
        let mut state = lock(&set.state);
        for (index, discovery) in set.settings.discoveries.iter().enumerate() {
            let groups = discovery::read_now(discovery, &set.around.metrics);
            state.groups.push(groups);
            let reporter = Reporter {
                to: to.clone(),
                job: "alertmanagers".to_owned(),
                generation: 0,
                index,
            };
            let around = discovery::Around {
                metrics: set.around.metrics.clone(),
                clock: Arc::clone(&set.around.surroundings.clock),
            };
            let watch = discovery::watch(discovery.clone(), around, reporter);
            state.watchers.push(runtime.spawn(watch));
        }
        let follower = Arc::downgrade(&set);
        state.watchers.push(runtime.spawn(async move {
            let mut finds: mpsc::Receiver<Found> = finds;
            while let Some(found) = finds.recv().await {
                let Some(set) = follower.upgrade() else {
                    return;
                };
                set.found(found);
            }
        }));
        drop(state);
        set.sync();
        set
    }

    /// Takes note of what a source lists now.
    pub(super) fn found(&self, found: Found) {
        if let Some(groups) = lock(&self.state).groups.get_mut(found.index) {
            *groups = found.groups;
        }
        self.sync();
    }

    /// Brings the queues in line with what the sources list.
    fn sync(&self) {
        let mut state = lock(&self.state);
        // What a source found may still be on its way when the set is stopped.
        if state.has_stopped {
            return;
        }
        let found = Addresses::of(state.groups.iter().flatten(), &self.settings);
        for problem in found.problems {
            tracing::error!("a discovered Alertmanager cannot be used: {problem}");
        }
        let mut old = std::mem::take(&mut state.queues);
        for (address, url) in &found.active {
            if (self.around.surroundings.is_own)(address) {
                continue;
            }
            let queue = old.remove(url).unwrap_or_else(|| {
                let (around, requests) = (Arc::clone(&self.around), Arc::clone(&self.requests));
                Queue::start(around, requests, (address.clone(), url.clone()))
            });
            state.queues.insert(url.clone(), queue);
        }
        state.end(old);
        state.view = AlertmanagersView {
            active: found.active.into_iter().map(|(_, url)| url).collect(),
            dropped: found.dropped,
        };
    }

    pub(super) fn view(&self) -> AlertmanagersView {
        lock(&self.state).view.clone()
    }

    /// Queues the alerts that the set's own rules leave.
    pub(super) fn send(&self, alerts: &[Arc<Alert>]) {
        let rules = &self.settings.alert_relabel;
        let relabelled: Vec<Arc<Alert>>;
        let mut alerts = alerts;
        if !rules.is_empty() {
            let relabelled_one = |alert: &Arc<Alert>| {
                let labels = relabel::apply(rules, &alert.labels)?;
                Some(Arc::new(Alert {
                    labels,
                    ..Alert::clone(alert)
                }))
            };
            relabelled = alerts.iter().filter_map(relabelled_one).collect();
            alerts = &relabelled;
        }
        if alerts.is_empty() {
            return;
        }
        for queue in lock(&self.state).queues.values() {
            queue.add(alerts);
        }
    }

    /// Ends watching and tells the queues to end.
    pub(super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.has_stopped = true;
        for watcher in state.watchers.drain(..) {
            watcher.abort();
        }
        let queues = std::mem::take(&mut state.queues);
        state.end(queues);
    }

    /// Whether nothing is left to wait for.
    pub(super) fn has_ended(&self) -> bool {
        let state = lock(&self.state);
        state.has_stopped && state.ending.iter().all(|queue| queue.has_ended())
    }

    /// Waits for the queues that were told to end.
    pub(super) async fn ended(&self) {
        let ending = std::mem::take(&mut lock(&self.state).ending);
        for queue in ending {
            queue.ended().await;
        }
    }
}

impl State {
    /// Tells queues to end and keeps them until they have.
    fn end(&mut self, queues: BTreeMap<String, Arc<Queue>>) {
        self.ending.retain(|queue| !queue.has_ended());
        for queue in queues.into_values() {
            queue.stop();
            self.ending.push(queue);
        }
    }
}
