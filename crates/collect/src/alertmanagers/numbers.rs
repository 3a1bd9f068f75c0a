//! The numbers of sending, under upstream's names where it has one.

use runtime::Registry;
use runtime::metrics::{Counter, Gauge, Histogram, Summary};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

const ERRORS: (&str, &str) = (
    "prometheus_notifications_errors_total",
    "Total number of sent alerts affected by errors.",
);
const SENT: (&str, &str) = (
    "prometheus_notifications_sent_total",
    "Total number of alerts sent.",
);
const DROPPED: (&str, &str) = (
    "prometheus_notifications_dropped_total",
    "Total number of alerts dropped due to errors when sending to Alertmanager.",
);
const QUEUE_LENGTH: (&str, &str) = (
    "prometheus_notifications_queue_length",
    "The number of alert notifications in the queue.",
);
const INSIDE: (&str, &str) = (
    "binnacle_collect_alerts_inside_total",
    "Alerts that were not sent because this process stands in for their Alertmanager, whose host does not resolve.",
);
const LATENCY: (&str, &str) = (
    "prometheus_notifications_latency_seconds",
    "Latency quantiles for sending alert notifications.",
);
const LATENCY_HISTOGRAM: (&str, &str) = (
    "prometheus_notifications_latency_histogram_seconds",
    "Latency histogram for sending alert notifications.",
);
/// Upstream's bounds of the histogram.
const LATENCY_BOUNDS: [f64; 4] = [0.01, 0.1, 1.0, 10.0];

/// The numbers of all Alertmanagers together.
pub(super) struct Numbers {
    registry: Registry,
    pub(super) discovered: Gauge,
    /// How many queues show numbers under an address: after a reload the old one may still be ending.
    shown: Mutex<BTreeMap<String, usize>>,
}

impl Numbers {
    pub(super) fn new(registry: &Registry, capacity: usize) -> Self {
        registry
            .gauge(
                "prometheus_notifications_queue_capacity",
                "The capacity of the alert notifications queue.",
                &[],
            )
            .set_count(capacity);
        Self {
            discovered: registry.gauge(
                "prometheus_notifications_alertmanagers_discovered",
                "The number of alertmanagers discovered and active.",
                &[],
            ),
            registry: registry.clone(),
            shown: Mutex::default(),
        }
    }

    /// The numbers of one Alertmanager, made where they are missing.
    pub(super) fn of(&self, url: &str) -> OwnNumbers {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *shown.entry(url.to_owned()).or_default() += 1;
        let labels = [("alertmanager", url)];
        let counter = |(name, help)| self.registry.counter(name, help, &labels);
        OwnNumbers {
            errors: counter(ERRORS),
            sent: counter(SENT),
            dropped: counter(DROPPED),
            inside: counter(INSIDE),
            queue_length: self.registry.gauge(QUEUE_LENGTH.0, QUEUE_LENGTH.1, &labels),
            latency: self.registry.summary(LATENCY.0, LATENCY.1, &labels),
            latency_histogram: self.registry.histogram_in(
                LATENCY_HISTOGRAM,
                &labels,
                &LATENCY_BOUNDS,
            ),
        }
    }

    /// Removes the numbers of a queue that is gone, unless another shows them.
    pub(super) fn remove(&self, url: &str) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let left = shown.get(url).map_or(0, |count| count.saturating_sub(1));
        if left > 0 {
            shown.insert(url.to_owned(), left);
            return;
        }
        shown.remove(url);
        for (name, _) in [
            ERRORS,
            SENT,
            DROPPED,
            INSIDE,
            QUEUE_LENGTH,
            LATENCY,
            LATENCY_HISTOGRAM,
        ] {
            self.registry.remove(name, &[("alertmanager", url)]);
        }
    }
}

/// The numbers of one Alertmanager.
pub(super) struct OwnNumbers {
    pub(super) errors: Counter,
    pub(super) sent: Counter,
    pub(super) dropped: Counter,
    pub(super) inside: Counter,
    pub(super) queue_length: Gauge,
    pub(super) latency: Summary,
    pub(super) latency_histogram: Histogram,
}
