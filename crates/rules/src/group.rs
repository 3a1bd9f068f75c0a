//! A group of rules and its state: one evaluation is one `step`.
//!
//! A step reads through `Source`, writes through `Sink` what rules record, and moves the alerts' state
//! machines. It commits nothing and sends nothing: the shell writes [`Group::rows`] in one transaction
//! and only then takes [`Group::outgoing`].

mod evaluate;

pub(crate) use evaluate::{Answer, end_series};

use crate::alerts::{AlertSet, AlertState, Instance, Timers};
use crate::config::{Config, Evaluator};
use crate::file::{GroupSpec, RuleKind, RuleSpec};
use crate::outgoing::Origin;
use crate::restore::{self, Restoring};
use crate::rows::{Row, StoredGroup};
use model::{Alert, Labels, METRIC_NAME, Timestamp};
use promql::{SharedParts, SharedValues};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names a group: group names are unique only within a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupKey {
    pub(crate) file: String,
    pub(crate) name: String,
}

impl GroupKey {
    /// As the labels of metrics name it.
    pub(crate) fn label(&self) -> String {
        format!("{};{}", self.file, self.name)
    }
}

/// After an outage longer than this the samples from before it are out of sight: what is absent then
/// may only not have been scraped yet.
const OUTAGE_MS: i64 = 6 * 60_000;
/// How long absence is forgiven after such an outage, at least.
const FORGIVENESS_MS: i64 = 90_000;
/// The moment of the last evaluation is written down this often while there are alerts.
const EVALUATED_ROW_MS: i64 = 60_000;

/// The metric that shows active alerts.
pub(crate) const ALERTS: &str = "ALERTS";
/// The metric that shows since when they are active.
pub(crate) const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";
/// The label of `ALERTS` that tells pending from firing.
const ALERT_STATE: &str = "alertstate";
/// The label that names an alert.
const ALERT_NAME: &str = "alertname";

/// Whether the last evaluation of a rule went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Health {
    /// It has not been evaluated.
    #[default]
    Unknown,
    /// It did.
    Good,
    /// It did not.
    Bad,
}

impl Health {
    /// `unknown`, `ok` or `err`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "ok",
            Self::Bad => "err",
        }
    }
}

/// A rule and what its evaluations left behind.
#[derive(Clone, Debug)]
pub(crate) struct RuleState {
    pub(crate) spec: Arc<RuleSpec>,
    /// What its rows are stored under: identity, and a number where several are equal.
    row_key: String,
    pub(crate) health: Health,
    pub(crate) last_error: Option<String>,
    pub(crate) evaluation_seconds: f64,
    pub(crate) last_evaluation: Option<Timestamp>,
    /// Whether the last evaluation gave alerts; only then are they handed on.
    may_send: bool,
    /// The series that the last evaluation wrote.
    series: BTreeSet<Labels>,
    pub(crate) alerts: AlertSet,
    /// The alerts' timers as the database has them.
    written: BTreeMap<Labels, Timers>,
}

/// How the state of a group that was just started comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restore {
    /// It is there, or there was none.
    Done,
    /// Rows are missing: it is read from samples after a second evaluation, when scrapes and recording
    /// rules have run.
    FromSamples {
        /// Evaluations so far.
        evaluations: u32,
    },
}

/// A group of rules.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) key: GroupKey,
    pub(crate) interval_ms: i64,
    query_offset_ms: Option<i64>,
    pub(crate) limit: usize,
    pub(crate) rules: Vec<RuleState>,
    /// What its expressions have in common.
    pub(crate) shared: Arc<SharedParts>,
    /// Series of rules that are gone, still to be marked as ended.
    stale_series: BTreeSet<Labels>,
    /// Stored rules that are gone, still to be deleted.
    forgotten_rules: BTreeSet<String>,
    restore: Restore,
    absence_forgiven_until: Option<Timestamp>,
    /// When the stored moment of the last evaluation was written.
    evaluated_row_at: Option<Timestamp>,
    pub(crate) evaluation_seconds: f64,
    pub(crate) last_evaluation: Option<Timestamp>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) evaluations: u64,
    pub(crate) failures: u64,
    pub(crate) samples: usize,
    /// Parts of expressions whose value was used again.
    pub(crate) reused: u64,
    /// Those whose value was too large to be kept.
    pub(crate) refused: u64,
}

impl Group {
    /// Makes a group without state.
    pub(crate) fn new(file: &str, spec: &GroupSpec, config: &Config) -> Self {
        let expressions = spec
            .rules
            .iter()
            .map(|rule| Arc::clone(&rule.expr))
            .collect();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let rules = spec.rules.iter().map(|rule| {
            let identity = rule.identity();
            let count = counts.entry(identity.clone()).or_default();
            *count += 1;
            RuleState::new(Arc::clone(rule), format!("{identity}#{count}"))
        });
        Self {
            key: GroupKey {
                file: file.to_owned(),
                name: spec.name.clone(),
            },
            interval_ms: spec.interval_ms.unwrap_or(config.interval_ms).max(1),
            query_offset_ms: spec.query_offset_ms,
            limit: spec.limit,
            rules: rules.collect(),
            shared: Arc::new(SharedParts::of(expressions)),
            stale_series: BTreeSet::new(),
            forgotten_rules: BTreeSet::new(),
            restore: Restore::Done,
            absence_forgiven_until: None,
            evaluated_row_at: None,
            evaluation_seconds: 0.0,
            last_evaluation: None,
        }
    }

    /// Takes over what the database has of this group, at the start of the process.
    pub(crate) fn adopt(
        &mut self,
        stored: Option<StoredGroup>,
        restoring: Restoring,
        now: Timestamp,
    ) {
        let Some(mut stored) = stored else {
            self.restore = Restore::FromSamples { evaluations: 0 };
            return;
        };
        // A crash between two evaluations is no outage.
        let unseen_ms = self.interval_ms.saturating_mul(2) + EVALUATED_ROW_MS;
        for rule in &mut self.rules {
            if let Some(mut instances) = stored.rules.remove(&rule.row_key) {
                let timers =
                    |(labels, instance): (&Labels, &Instance)| (labels.clone(), instance.timers);
                rule.written = instances.iter().map(timers).collect();
                if let RuleKind::Alerting(alert) = &rule.spec.kind
                    && now.millis_since(stored.evaluated_at) > unseen_ms
                {
                    let outage = (stored.evaluated_at, now);
                    restore::after_outage(&mut instances, alert.for_ms, outage, restoring);
                }
                rule.alerts = AlertSet::from_instances(instances);
                rule.series = rule.alert_series();
            }
        }
        self.forgotten_rules = stored.rules.into_keys().collect();
        if now.millis_since(stored.evaluated_at) > OUTAGE_MS {
            let long = FORGIVENESS_MS.max(self.interval_ms.saturating_mul(2));
            self.absence_forgiven_until = Some(now.plus_millis(long));
        }
    }

    /// Takes over the state of the group that this one replaces.
    ///
    /// Rules are matched by name and labels; of equal ones the first with the first, and so on.
    pub(crate) fn copy_state(&mut self, from: Self) {
        self.evaluation_seconds = from.evaluation_seconds;
        self.last_evaluation = from.last_evaluation;
        self.restore = from.restore;
        self.absence_forgiven_until = from.absence_forgiven_until;
        self.evaluated_row_at = from.evaluated_row_at;
        self.stale_series = from.stale_series;
        self.forgotten_rules = from.forgotten_rules;
        let mut old: BTreeMap<String, RuleState> = from
            .rules
            .into_iter()
            .map(|rule| (rule.row_key.clone(), rule))
            .collect();
        for rule in &mut self.rules {
            let Some(old) = old.remove(&rule.row_key) else {
                continue;
            };
            rule.series = old.series;
            rule.written = old.written;
            if matches!(rule.spec.kind, RuleKind::Alerting(_)) {
                rule.alerts = old.alerts;
            }
        }
        for (row_key, rule) in old {
            self.stale_series.extend(rule.series);
            self.forgotten_rules.insert(row_key);
        }
    }

    /// Whether a group of a new configuration is this one, unchanged.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.key == other.key
            && self.interval_ms == other.interval_ms
            && self.query_offset_ms == other.query_offset_ms
            && self.limit == other.limit
            && self.rules.len() == other.rules.len()
            && self
                .rules
                .iter()
                .zip(&other.rules)
                .all(|(a, b)| a.spec == b.spec)
    }

    /// Evaluates all rules at `at`, one after another.
    pub(crate) fn step(&mut self, at: Timestamp, evaluator: &Evaluator) -> Report {
        let started = evaluator.clock.monotonic();
        let mut report = Report::default();
        let parts = Arc::clone(&self.shared);
        let shared = SharedValues::new(&parts);
        for index in 0..self.rules.len() {
            let began = evaluator.clock.monotonic();
            let result = self.evaluate(index, at, (evaluator, &shared));
            let took = evaluator.clock.monotonic().saturating_sub(began);
            report.evaluations += 1;
            if let Some(rule) = self.rules.get_mut(index) {
                rule.evaluation_seconds = took.as_secs_f64();
                rule.last_evaluation = Some(at);
                report.note(rule, result);
            }
        }
        report.reused = shared.reused();
        report.refused = shared.refused();
        self.end_stale_series(at, evaluator);
        self.restore_from_samples(at, evaluator);
        self.last_evaluation = Some(at);
        let took = evaluator.clock.monotonic().saturating_sub(started);
        self.evaluation_seconds = took.as_secs_f64();
        report
    }

    /// How far back the queries look.
    pub(crate) fn query_offset_ms(&self, evaluator: &Evaluator) -> i64 {
        self.query_offset_ms.unwrap_or(evaluator.query_offset_ms)
    }

    /// All series that the last evaluations of its rules wrote, and those still to be ended.
    pub(crate) fn series(&self) -> impl Iterator<Item = &Labels> {
        let written = self.rules.iter().flat_map(|rule| &rule.series);
        written.chain(&self.stale_series)
    }

    /// The changes since the database was last written. None while the state may still be restored
    /// from samples: once there are rows, samples are not asked any more.
    pub(crate) fn rows(&self, now: Timestamp) -> Vec<Row> {
        if self.restore != Restore::Done {
            return Vec::new();
        }
        let forgotten = self.forgotten_rules.iter().cloned();
        let mut rows: Vec<Row> = forgotten.map(Row::RuleForgotten).collect();
        for rule in &self.rules {
            let instances = rule.alerts.instances();
            for (labels, instance) in instances {
                if rule.written.get(labels) != Some(&instance.timers) {
                    let (rule, labels) = (rule.row_key.clone(), labels.clone());
                    rows.push(Row::Alert(rule, labels, instance.clone()));
                }
            }
            for labels in rule.written.keys() {
                if !instances.contains_key(labels) {
                    rows.push(Row::AlertForgotten(rule.row_key.clone(), labels.clone()));
                }
            }
        }
        let has_alerts = self.rules.iter().any(|r| !r.alerts.instances().is_empty());
        let is_due = self.evaluated_row_at.is_none_or(|written| {
            has_alerts && now.millis_since(written).abs() >= EVALUATED_ROW_MS
        });
        if is_due || !rows.is_empty() {
            rows.push(Row::Evaluated(now));
        }
        rows
    }

    /// Remembers that the rows of `now` are written.
    pub(crate) fn committed(&mut self, now: Timestamp) {
        self.forgotten_rules.clear();
        self.evaluated_row_at = Some(now);
        for rule in &mut self.rules {
            let timers =
                |(labels, instance): (&Labels, &Instance)| (labels.clone(), instance.timers);
            rule.written = rule.alerts.instances().iter().map(timers).collect();
        }
    }

    /// Chooses the alerts that are to be handed on after the evaluation at `at`.
    ///
    /// That they were handed on is written with the rows of the next evaluation: a crash in between
    /// repeats them rather than forgets them.
    pub(crate) fn outgoing(&mut self, at: Timestamp, config: &Config) -> Vec<Alert> {
        let rules = 0..self.rules.len();
        rules
            .flat_map(|index| self.outgoing_of(index, at, config))
            .collect()
    }

    /// The same for one rule.
    pub(crate) fn outgoing_of(
        &mut self,
        index: usize,
        at: Timestamp,
        config: &Config,
    ) -> Vec<Alert> {
        let interval_ms = self.interval_ms;
        let Some(rule) = self.rules.get_mut(index).filter(|rule| rule.may_send) else {
            return Vec::new();
        };
        let origin = Origin {
            query: &rule.spec.query,
            interval_ms,
            config,
        };
        let sent = rule.alerts.send(at, config.resend_delay_ms);
        sent.iter()
            .filter_map(|(labels, instance)| origin.alert(labels, instance, at))
            .collect()
    }

    /// Takes back that alerts were handed on at `at`: nobody took them.
    pub(crate) fn take_back(&mut self, at: Timestamp) {
        for rule in &mut self.rules {
            rule.alerts.unsend(at);
        }
    }

    /// Marks the series of rules that are gone as ended, unless another rule writes them now.
    fn end_stale_series(&mut self, at: Timestamp, evaluator: &Evaluator) {
        if self.stale_series.is_empty() {
            return;
        }
        let offset_ms = self.query_offset_ms(evaluator);
        let ended: Vec<Labels> = self
            .stale_series
            .iter()
            .filter(|series| !self.rules.iter().any(|rule| rule.series.contains(series)))
            .cloned()
            .collect();
        if end_series(&ended, at.plus_millis(-offset_ms), evaluator) {
            self.stale_series.clear();
        }
    }

    /// After the second evaluation, moves the beginning of alerts back to where samples say.
    fn restore_from_samples(&mut self, at: Timestamp, evaluator: &Evaluator) {
        let Restore::FromSamples { evaluations } = &mut self.restore else {
            return;
        };
        *evaluations += 1;
        if *evaluations < 2 {
            return;
        }
        self.restore = Restore::Done;
        for rule in &mut self.rules {
            let RuleKind::Alerting(alert) = &rule.spec.kind else {
                continue;
            };
            // A rule that waits less than the grace period would only wait longer.
            if alert.for_ms < evaluator.restoring.grace_period_ms {
                continue;
            }
            let source = evaluator.surroundings.source.as_ref();
            let timing = (alert.for_ms, evaluator.restoring);
            match restore::beginnings(source, &rule.spec.name, timing, at) {
                Ok(beginnings) => {
                    for (labels, active_at) in beginnings {
                        rule.alerts.set_active_at(&labels, active_at);
                    }
                }
                Err(error) => tracing::error!(
                    alert = rule.spec.name,
                    %error,
                    "could not restore since when alerts are active"
                ),
            }
        }
    }
}

impl RuleState {
    fn new(spec: Arc<RuleSpec>, row_key: String) -> Self {
        Self {
            spec,
            row_key,
            health: Health::Unknown,
            last_error: None,
            evaluation_seconds: 0.0,
            last_evaluation: None,
            may_send: false,
            series: BTreeSet::new(),
            alerts: AlertSet::default(),
            written: BTreeMap::new(),
        }
    }

    /// The series that stand for the active alerts.
    fn alert_series(&self) -> BTreeSet<Labels> {
        self.alerts
            .active()
            .flat_map(|(labels, instance)| {
                [
                    alerts_labels(labels, instance.timers.state),
                    labels.with(METRIC_NAME, ALERTS_FOR_STATE),
                ]
            })
            .collect()
    }
}

/// The labels of an alert's `ALERTS` series.
fn alerts_labels(labels: &Labels, state: AlertState) -> Labels {
    let own = [(METRIC_NAME, ALERTS), (ALERT_STATE, state.name())];
    Labels::from_pairs(labels.iter().chain(own))
}

impl Report {
    fn note(&mut self, rule: &mut RuleState, result: Result<usize, String>) {
        match result {
            Ok(samples) => {
                self.samples += samples;
                rule.health = Health::Good;
                rule.last_error = None;
            }
            Err(error) => {
                self.failures += 1;
                // Once, not every interval.
                if rule.last_error.as_deref() != Some(error.as_str()) {
                    tracing::warn!(rule = rule.spec.name, error, "evaluating rule failed");
                }
                rule.health = Health::Bad;
                rule.last_error = Some(error);
            }
        }
    }
}

#[cfg(test)]
mod tests;
