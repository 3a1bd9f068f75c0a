//! The numbers that the rule engine keeps, under Prometheus' names.

use crate::group::{Group, GroupKey, Report};
use model::Timestamp;
use runtime::Registry;
use runtime::metrics::{Counter, Gauge, Histogram, Summary};

const ITERATIONS: (&str, &str) = (
    "prometheus_rule_group_iterations_total",
    "The total number of scheduled rule group evaluations, whether executed or missed.",
);
const MISSED: (&str, &str) = (
    "prometheus_rule_group_iterations_missed_total",
    "The total number of rule group evaluations missed due to slow rule group evaluation.",
);
const EVALUATIONS: (&str, &str) = (
    "prometheus_rule_evaluations_total",
    "The total number of rule evaluations.",
);
const FAILURES: (&str, &str) = (
    "prometheus_rule_evaluation_failures_total",
    "The total number of rule evaluation failures.",
);
const INTERVAL: (&str, &str) = (
    "prometheus_rule_group_interval_seconds",
    "The interval of a rule group.",
);
const LAST_EVALUATION: (&str, &str) = (
    "prometheus_rule_group_last_evaluation_timestamp_seconds",
    "The timestamp of the last rule group evaluation in seconds.",
);
const LAST_DURATION: (&str, &str) = (
    "prometheus_rule_group_last_duration_seconds",
    "The duration of the last rule group evaluation.",
);
const RULE_DURATION_SUM: (&str, &str) = (
    "prometheus_rule_group_last_rule_duration_sum_seconds",
    "The sum of time in seconds it took to evaluate each rule in the group regardless of concurrency.",
);
const RULES: (&str, &str) = ("prometheus_rule_group_rules", "The number of rules.");
const SAMPLES: (&str, &str) = (
    "prometheus_rule_group_last_evaluation_samples",
    "The number of samples returned during the last rule group evaluation.",
);

/// The numbers of one group.
pub(crate) struct GroupMetrics {
    iterations: Counter,
    missed: Counter,
    evaluations: Counter,
    failures: Counter,
    interval: Gauge,
    last_evaluation: Gauge,
    last_duration: Gauge,
    rule_duration_sum: Gauge,
    rules: Gauge,
    samples: Gauge,
}

impl GroupMetrics {
    /// The numbers of a group, made where they are missing.
    pub(crate) fn new(registry: &Registry, group: &Group) -> Self {
        let label = group.key.label();
        let labels = [("rule_group", label.as_str())];
        let counter = |(name, help)| registry.counter(name, help, &labels);
        let gauge = |(name, help)| registry.gauge(name, help, &labels);
        let metrics = Self {
            iterations: counter(ITERATIONS),
            missed: counter(MISSED),
            evaluations: counter(EVALUATIONS),
            failures: counter(FAILURES),
            interval: gauge(INTERVAL),
            last_evaluation: gauge(LAST_EVALUATION),
            last_duration: gauge(LAST_DURATION),
            rule_duration_sum: gauge(RULE_DURATION_SUM),
            rules: gauge(RULES),
            samples: gauge(SAMPLES),
        };
        let interval = model::number::i64_to_float(group.interval_ms) / 1000.0;
        metrics.interval.set(interval);
        metrics.rules.set_count(group.rules.len());
        metrics
    }

    /// Notes an evaluation and those that were missed before it.
    pub(crate) fn note(&self, group: &Group, report: Report, at: Timestamp, missed: u64) {
        self.iterations.add(1 + missed);
        self.missed.add(missed);
        self.evaluations.add(report.evaluations);
        self.failures.add(report.failures);
        self.samples.set_count(report.samples);
        self.last_evaluation.set(at.seconds());
        self.last_duration.set(group.evaluation_seconds);
        let rules = group.rules.iter().map(|rule| rule.evaluation_seconds);
        self.rule_duration_sum.set(rules.sum());
    }

    /// Removes the numbers of a group that is gone.
    pub(crate) fn remove(registry: &Registry, key: &GroupKey) {
        let label = key.label();
        for (name, _) in [
            ITERATIONS,
            MISSED,
            EVALUATIONS,
            FAILURES,
            INTERVAL,
            LAST_EVALUATION,
            LAST_DURATION,
            RULE_DURATION_SUM,
            RULES,
            SAMPLES,
        ] {
            registry.remove(name, &[("rule_group", &label)]);
        }
    }
}

/// A duration under both of upstream's names.
pub(crate) struct Seconds {
    summary: Summary,
    histogram: Histogram,
}

impl Seconds {
    /// Adds an observation.
    pub(crate) fn observe(&self, seconds: f64) {
        self.summary.observe(seconds);
        self.histogram.observe(seconds);
    }
}

/// The numbers of the whole engine.
pub(crate) struct EngineMetrics {
    pub(crate) rule_seconds: Seconds,
    pub(crate) group_seconds: Seconds,
    pub(crate) commit_failures: Counter,
    pub(crate) shared_reused: Counter,
    pub(crate) shared_refused: Counter,
    pub(crate) alerts_sent: Counter,
    pub(crate) alerts_refused: Counter,
}

impl EngineMetrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let counter = |name, help| registry.counter(name, help, &[]);
        Self {
            rule_seconds: Seconds {
                summary: registry.summary(
                    "prometheus_rule_evaluation_duration_seconds",
                    "The duration for a rule to execute.",
                    &[],
                ),
                histogram: registry.histogram(
                    "prometheus_rule_evaluation_duration_histogram_seconds",
                    "The duration for a rule to execute.",
                    &[],
                ),
            },
            group_seconds: Seconds {
                summary: registry.summary(
                    "prometheus_rule_group_duration_seconds",
                    "The duration of rule group evaluations.",
                    &[],
                ),
                histogram: registry.histogram(
                    "prometheus_rule_group_duration_histogram_seconds",
                    "The duration of rule group evaluations.",
                    &[],
                ),
            },
            commit_failures: counter(
                "binnacle_rules_commit_failures_total",
                "Evaluations whose alert state could not be written down.",
            ),
            shared_reused: counter(
                "binnacle_rules_shared_parts_reused_total",
                "Parts of expressions whose value another rule of the group had computed.",
            ),
            shared_refused: counter(
                "binnacle_rules_shared_parts_refused_total",
                "Values of shared parts that were not kept because they have too many series.",
            ),
            alerts_sent: counter(
                "binnacle_rules_alerts_sent_total",
                "Alerts handed on for routing, repeated ones included.",
            ),
            alerts_refused: counter(
                "binnacle_rules_alerts_refused_total",
                "Alerts that could not be handed on because the queue was full; they are tried again.",
            ),
        }
    }
}
