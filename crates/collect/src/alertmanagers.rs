//! Sends alerts to the Alertmanagers that `alerting` of prometheus.yml names.
//!
//! Each Alertmanager that discovery finds has a queue and a task of its own, so one that is dead or slow costs the others
//! nothing. A full queue drops its oldest alerts: newer ones say more, and rules report again what still fires.
//! A batch that an Alertmanager does not take is counted and dropped, as upstream does; the next report repeats it.
//!
//! Alerts reach the routing in this process without a request. So an address that is this process has no queue; one that
//! it may stand in for has, and is asked about before each batch: its host may appear at any time, and a look-up that
//! waits costs nobody else.
//!
//! What it deliberately does not do: relabel with the rules of the whole section or add external labels; alerts come
//! here as `rules` hands them to the routing in this process.

mod address;
mod numbers;
mod queue;
mod request;
mod set;

use crate::metrics::Metrics;
use crate::prometheus_file::Alertmanagers;
use model::Alert;
use numbers::Numbers;
use runtime::{Registry, SharedClock};
use set::Set;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Alerts that wait for one Alertmanager at most; upstream's default.
pub const QUEUE_ALERTS_MAX: usize = 10_000;
/// Alerts of a request at most; upstream's default.
pub const BATCH_ALERTS_MAX: usize = 256;

/// Says something of an address.
pub type AddressTest = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What sending needs from around it.
#[derive(Clone)]
pub struct Surroundings {
    /// What time it is.
    pub clock: SharedClock,
    /// Where numbers about sending go.
    pub registry: Registry,
    /// What requests run on; must have time and I/O.
    pub runtime: tokio::runtime::Handle,
    /// Whether an address is this process, now and always. Does not block.
    pub is_own: AddressTest,
    /// Whether this process stands in for an address at the moment. May block, as name resolution does.
    pub stands_in: AddressTest,
    /// Alerts that wait for one Alertmanager at most.
    pub queue_alerts_max: usize,
    /// Alerts of a request at most.
    pub batch_alerts_max: usize,
    /// Whether what waits is still sent when an Alertmanager goes or the process ends.
    pub drains: bool,
}

/// Everything that a set and its queues share.
struct Around {
    surroundings: Surroundings,
    numbers: Numbers,
    metrics: Metrics,
}

/// All Alertmanagers that a configuration names.
pub struct Notifier {
    around: Arc<Around>,
    sets: Arc<Mutex<Sets>>,
    /// One configuration at a time.
    applying: Mutex<()>,
}

#[derive(Default)]
struct Sets {
    /// Those of the configuration in force.
    present: Vec<Arc<Set>>,
    /// Replaced ones that still send what waits.
    ending: Vec<Arc<Set>>,
    /// Whether nothing may be started any more.
    has_ended: bool,
}

/// The Alertmanagers' addresses, as `/api/v1/alertmanagers` lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertmanagersView {
    /// Those that alerts are sent to.
    pub active: Vec<String>,
    /// Those that relabelling dropped.
    pub dropped: Vec<String>,
}

impl Notifier {
    /// Makes a notifier without Alertmanagers.
    #[must_use]
    pub fn new(surroundings: Surroundings) -> Self {
        let registry = surroundings.registry.clone();
        let numbers = Numbers::new(&registry, surroundings.queue_alerts_max);
        let discovered = numbers.discovered.clone();
        let sets: Arc<Mutex<Sets>> = Arc::default();
        let counted = Arc::downgrade(&sets);
        registry.before_showing(move || {
            if let Some(sets) = counted.upgrade() {
                let present = lock(&sets).present.clone();
                let active = present.iter().map(|set| set.view().active.len());
                discovered.set_count(active.sum());
            }
        });
        Self {
            around: Arc::new(Around {
                metrics: Metrics::new(&registry),
                numbers,
                surroundings,
            }),
            sets,
            applying: Mutex::default(),
        }
    }

    /// Replaces what the configuration names. Sets that did not change go on undisturbed. Reads files; who sends does not
    /// wait for that.
    pub fn apply(&self, wanted: &[Alertmanagers]) {
        let _one_at_a_time = lock(&self.applying);
        let mut old = lock(&self.sets).present.clone();
        let mut next = Vec::new();
        for settings in wanted {
            let same = old.iter().position(|set| set.settings == *settings);
            next.push(match same {
                Some(index) => old.swap_remove(index),
                None => Set::start(Arc::clone(&self.around), settings.clone()),
            });
        }
        let mut sets = lock(&self.sets);
        sets.ending.retain(|set| !set.has_ended());
        if sets.has_ended {
            // Too late: what was just made ends as well, and whoever waits for the end had the others.
            next.iter().for_each(|set| set.stop());
            return;
        }
        sets.present = next;
        old.iter().for_each(|set| set.stop());
        sets.ending.extend(old);
    }

    /// Queues alerts for every Alertmanager. Never waits.
    pub fn send(&self, alerts: &[Alert]) {
        // Held to the end, so that a batch goes either to a set that is about to be replaced or to the next one.
        let sets = lock(&self.sets);
        if sets.present.is_empty() {
            return;
        }
        let alerts: Vec<Arc<Alert>> = alerts.iter().cloned().map(Arc::new).collect();
        for set in &sets.present {
            set.send(&alerts);
        }
    }

    /// The addresses of all Alertmanagers.
    #[must_use]
    pub fn view(&self) -> AlertmanagersView {
        let mut all = AlertmanagersView::default();
        let present = lock(&self.sets).present.clone();
        for set in present {
            let view = set.view();
            all.active.extend(view.active);
            all.dropped.extend(view.dropped);
        }
        all
    }

    /// Ends everything; what waits is sent first where that was asked for, each request within its time limit.
    pub async fn shut_down(&self) {
        let ending = {
            let mut sets = lock(&self.sets);
            sets.has_ended = true;
            let present = std::mem::take(&mut sets.present);
            present.iter().for_each(|set| set.stop());
            let mut ending = std::mem::take(&mut sets.ending);
            ending.extend(present);
            ending
        };
        for set in ending {
            set.ended().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
