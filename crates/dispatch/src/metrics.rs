//! The numbers kept about alerts and notifications, under Alertmanager's names, and a few of our own.

use crate::deliver::Report;
use crate::heartbeat::Stage;
use crate::machine::{Counts, Machine};
use crate::notice::Outcome;
use model::Timestamp;
use runtime::Registry;
use runtime::metrics::Counter;
use std::time::Duration;

/// Handles are asked from the registry by name; this keeps it and what is asked for most.
pub(crate) struct Metrics {
    registry: Registry,
    /// Outcomes that found no room; must stay 0.
    pub(crate) reports_refused: Counter,
}

impl Metrics {
    /// Makes the series that are shown from the start.
    #[must_use]
    pub(crate) fn new(registry: &Registry) -> Self {
        let metrics = Self {
            registry: registry.clone(),
            reports_refused: registry.counter(
                "binnacle_dispatch_reports_refused_total",
                "Outcomes of notifications that found no room in the queue.",
                &[],
            ),
        };
        for kind in ["webhook", "slack", "email"] {
            metrics.notifications(kind).add(0);
            metrics.failed(kind, "other").add(0);
        }
        metrics
    }

    fn notifications(&self, kind: &str) -> Counter {
        self.registry.counter(
            "alertmanager_notifications_total",
            "Notifications that were made.",
            &[("integration", kind)],
        )
    }

    fn failed(&self, kind: &str, reason: &str) -> Counter {
        self.registry.counter(
            "alertmanager_notifications_failed_total",
            "Notifications that were given up.",
            &[("integration", kind), ("reason", reason)],
        )
    }

    /// Counts what a step did.
    pub(crate) fn count(&self, counts: &Counts) {
        let received = |status: &str, count: u64| {
            let labels = [("status", status), ("version", "v2")];
            let name = "alertmanager_alerts_received_total";
            if count > 0 {
                self.registry
                    .counter(name, "Alerts that were received.", &labels)
                    .add(count);
            }
        };
        received("firing", counts.received_firing);
        received("resolved", counts.received_resolved);
        self.registry
            .counter(
                "alertmanager_alerts_invalid_total",
                "Alerts that were not valid.",
                &[("version", "v2")],
            )
            .add(counts.invalid);
        self.registry
            .counter(
                "binnacle_dispatch_refused_total",
                "Alerts and groups beyond a limit.",
                &[],
            )
            .add(counts.limited);
        for (kind, count) in &counts.notifications {
            self.notifications(kind).add(*count);
        }
        for ((kind, reason), count) in &counts.failed {
            self.failed(kind, reason).add(*count);
        }
        for (reason, count) in &counts.suppressed {
            self.registry
                .counter(
                    "alertmanager_notifications_suppressed_total",
                    "Alerts that were left out of notifications.",
                    &[("reason", reason)],
                )
                .add(*count);
        }
    }

    /// Counts an attempt.
    pub(crate) fn attempt(&self, report: &Report) {
        let labels = [("integration", report.target.kind.as_str())];
        self.registry
            .counter(
                "alertmanager_notification_requests_total",
                "Attempts to deliver.",
                &labels,
            )
            .increment();
        if !matches!(report.outcome, Outcome::Delivered(_)) {
            self.registry
                .counter(
                    "alertmanager_notification_requests_failed_total",
                    "Attempts to deliver that failed.",
                    &labels,
                )
                .increment();
        }
        self.registry
            .histogram(
                "alertmanager_notification_latency_seconds",
                "How long attempts took.",
                &labels,
            )
            .observe(report.took.as_secs_f64());
    }

    /// Sets for how long each stage has made no progress.
    pub(crate) fn stages(&self, silence: impl Iterator<Item = (Stage, Duration)>) {
        for (stage, silent) in silence {
            self.registry
                .gauge(
                    "binnacle_dispatch_stage_silent_seconds",
                    "Time since a stage that alerts go through made progress.",
                    &[("stage", stage.name())],
                )
                .set(silent.as_secs_f64());
        }
    }

    /// Counts a heartbeat.
    pub(crate) fn heartbeat(&self, result: &str) {
        self.registry
            .counter(
                "binnacle_dispatch_heartbeats_total",
                "Heartbeats that were sent, failed, or were withheld because a stage makes no progress.",
                &[("result", result)],
            )
            .increment();
    }

    /// Sets what there is at the moment.
    pub(crate) fn census(&self, machine: &Machine, now: Timestamp) {
        let (alerts, groups, silences) = machine.census(now);
        for (state, count) in alerts {
            self.registry
                .gauge(
                    "alertmanager_alerts",
                    "Alerts that fire, by state.",
                    &[("state", state)],
                )
                .set_count(count);
        }
        for (state, count) in silences {
            self.registry
                .gauge(
                    "alertmanager_silences",
                    "Silences, by state.",
                    &[("state", state)],
                )
                .set_count(count);
        }
        self.registry
            .gauge(
                "alertmanager_dispatcher_aggregation_groups",
                "Groups of alerts.",
                &[],
            )
            .set_count(groups);
        self.registry
            .gauge(
                "binnacle_dispatch_alerts_undelivered",
                "Alerts that fire and reach only receivers to which nothing sends yet.",
                &[],
            )
            .set_count(machine.undelivered(now).len());
    }
}
