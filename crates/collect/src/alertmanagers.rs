//! Sends alerts to the Alertmanagers that `alerting` of prometheus.yml names.
//!
//! Each Alertmanager that discovery finds has a queue and a task of its own, so one that is dead or slow costs the others
//! nothing. A full queue drops its oldest alerts: newer ones say more, and rules report again what still fires.
//! A batch that an Alertmanager does not take is counted and dropped, as upstream does; the next report repeats it.
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

/// Whether an address is answered from inside this process: alerts reach the routing there without a request.
pub type IsInside = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What sending needs from around it.
#[derive(Clone)]
pub struct Surroundings {
    /// What time it is.
    pub clock: SharedClock,
    /// Where numbers about sending go.
    pub registry: Registry,
    /// What requests run on; must have time and I/O.
    pub runtime: tokio::runtime::Handle,
    /// Which addresses are this process.
    pub is_inside: IsInside,
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
    sets: Arc<Mutex<Vec<Arc<Set>>>>,
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
        let sets: Arc<Mutex<Vec<Arc<Set>>>> = Arc::default();
        let counted = Arc::downgrade(&sets);
        registry.before_showing(move || {
            if let Some(sets) = counted.upgrade() {
                let sets = lock(&sets).clone();
                let active = sets.iter().map(|set| set.view().active.len());
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
        }
    }

    /// Replaces what the configuration names. Sets that did not change go on undisturbed.
    pub fn apply(&self, wanted: &[Alertmanagers]) {
        let mut sets = lock(&self.sets);
        let mut old = std::mem::take(&mut *sets);
        for settings in wanted {
            let same = old.iter().position(|set| set.settings == *settings);
            sets.push(match same {
                Some(index) => old.swap_remove(index),
                None => Set::start(Arc::clone(&self.around), settings.clone()),
            });
        }
        drop(sets);
        for set in old {
            set.stop();
        }
    }

    /// Queues alerts for every Alertmanager. Never waits.
    pub fn send(&self, alerts: &[Alert]) {
        let sets = lock(&self.sets).clone();
        if sets.is_empty() {
            return;
        }
        let alerts: Vec<Arc<Alert>> = alerts.iter().cloned().map(Arc::new).collect();
        for set in &sets {
            set.send(&alerts);
        }
    }

    /// The addresses of all Alertmanagers.
    #[must_use]
    pub fn view(&self) -> AlertmanagersView {
        let mut all = AlertmanagersView::default();
        for set in lock(&self.sets).iter() {
            let view = set.view();
            all.active.extend(view.active);
            all.dropped.extend(view.dropped);
        }
        all
    }

    /// Ends everything; what waits is sent first where that was asked for, each request within its time limit.
    pub async fn shut_down(&self) {
        let sets = std::mem::take(&mut *lock(&self.sets));
        for set in &sets {
            set.stop();
        }
        for set in sets {
            set.ended().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
