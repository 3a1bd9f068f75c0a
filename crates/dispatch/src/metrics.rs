//! The numbers kept about alerts and notifications, under Alertmanager's names, and a few of our own.

use crate::config::Config;
use crate::deliver::Report;
use crate::heartbeat::Stage;
use crate::machine::{Counts, Machine};
use crate::notice::{FailureReason, Outcome};
use model::Timestamp;
use runtime::Registry;
use runtime::metrics::{Counter, Histogram, Summary};
use std::time::Duration;

/// Handles are asked from the registry by name; this keeps it and what is asked for most.
pub(crate) struct Metrics {
    registry: Registry,
    /// Outcomes that found no room; must stay 0.
    pub(crate) reports_refused: Counter,
    /// Transactions that the database did not take.
    pub(crate) commits_failed: Counter,
    commit_seconds: Histogram,
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
            commits_failed: registry.counter(
                "binnacle_dispatch_commits_failed_total",
                "Transactions that the database did not take; what they hold is tried again.",
                &[],
            ),
            commit_seconds: registry.histogram(
                "binnacle_dispatch_commit_seconds",
                "How long the database took to store what follows from a step.",
                &[],
            ),
        };
        metrics.show_zeros();
        metrics
    }

    /// What alerts ask for the rate of must be there before it is counted.
    fn show_zeros(&self) {
        for kind in crate::config::kinds() {
            self.notifications(kind).add(0);
            for reason in FailureReason::ALL {
                self.failed(kind, reason.name()).add(0);
            }
            self.requests(kind).add(0);
            self.requests_failed(kind).add(0);
            drop(self.latency(kind));
        }
        for status in ["firing", "resolved"] {
            self.received(status).add(0);
        }
        for reason in ["inhibition", "mute_time_interval", "silence"] {
            self.suppressed(reason).add(0);
        }
        for name in [
            "alertmanager_nflog_query_errors_total",
            "alertmanager_silences_query_errors_total",
        ] {
            let help = "Questions that failed; they are answered from memory, so none does.";
            self.registry.counter(name, help, &[]).add(0);
        }
        drop(self.processing());
    }

    fn processing(&self) -> Summary {
        self.registry.summary(
            "alertmanager_dispatcher_alert_processing_duration_seconds",
            "How long it took to take, route and store alerts.",
            &[],
        )
    }

    /// Notes how long one body of alerts took.
    pub(crate) fn processed(&self, took: Duration) {
        self.processing().observe(took.as_secs_f64());
    }

    /// Shows what a configuration holds.
    pub(crate) fn configured(&self, config: &Config) {
        let gauge = |name, help, value: usize| {
            self.registry.gauge(name, help, &[]).set_count(value);
        };
        let integrations = config
            .receivers
            .iter()
            .map(|receiver| receiver.integrations.len());
        gauge(
            "alertmanager_receivers",
            "Receivers in the configuration.",
            config.receivers.len(),
        );
        gauge(
            "alertmanager_integrations",
            "Integrations in the configuration.",
            integrations.sum(),
        );
        let help = "Hash of the configuration in force.";
        let hash = self.registry.gauge("alertmanager_config_hash", help, &[]);
        hash.set(model::number::u64_to_float(config.hash));
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
        self.received("firing").add(counts.received_firing);
        self.received("resolved").add(counts.received_resolved);
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
            self.suppressed(reason).add(*count);
        }
        let asked = |name, count: u64| {
            let help = "Questions that were answered.";
            self.registry.counter(name, help, &[]).add(count);
        };
        asked("alertmanager_nflog_queries_total", counts.log_queries);
        asked(
            "alertmanager_silences_queries_total",
            counts.silence_queries,
        );
    }

    fn received(&self, status: &str) -> Counter {
        self.registry.counter(
            "alertmanager_alerts_received_total",
            "Alerts that were received.",
            &[("status", status), ("version", "v2")],
        )
    }

    fn suppressed(&self, reason: &str) -> Counter {
        self.registry.counter(
            "alertmanager_notifications_suppressed_total",
            "Alerts that were left out of notifications.",
            &[("reason", reason)],
        )
    }

    fn requests(&self, kind: &str) -> Counter {
        self.registry.counter(
            "alertmanager_notification_requests_total",
            "Attempts to deliver.",
            &[("integration", kind)],
        )
    }

    fn requests_failed(&self, kind: &str) -> Counter {
        self.registry.counter(
            "alertmanager_notification_requests_failed_total",
            "Attempts to deliver that failed.",
            &[("integration", kind)],
        )
    }

    fn latency(&self, kind: &str) -> Histogram {
        self.registry.histogram(
            "alertmanager_notification_latency_seconds",
            "How long attempts took.",
            &[("integration", kind)],
        )
    }

    /// Counts an attempt.
    pub(crate) fn attempt(&self, report: &Report) {
        let kind = report.target.kind.as_str();
        self.requests(kind).increment();
        if !matches!(report.outcome, Outcome::Delivered(_)) {
            self.requests_failed(kind).increment();
        }
        self.latency(kind).observe(report.took.as_secs_f64());
    }

    /// Counts a transaction.
    pub(crate) fn commit(&self, took: Duration, rows: usize) {
        if rows > 0 {
            self.commit_seconds.observe(took.as_secs_f64());
        }
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
            // The second is the older name.
            for name in ["alertmanager_alerts", "alertmanager_marked_alerts"] {
                let help = "Alerts that fire, by state.";
                let gauge = self.registry.gauge(name, help, &[("state", state)]);
                gauge.set_count(count);
            }
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
                "Alerts that fire and that nobody could be told of.",
                &[],
            )
            .set_count(machine.undelivered(now).len());
        self.registry
            .gauge(
                "binnacle_dispatch_alerts_flapping",
                "Alerts that come and go so often that their ends are held back.",
                &[],
            )
            .set_count(machine.flapping());
    }
}
