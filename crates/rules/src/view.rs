//! What people and programs see of the rules: plain values, taken after each evaluation.

use crate::alerts::AlertState;
use crate::file::RuleKind;
use crate::group::{Group, RuleState};
use model::{Labels, Timestamp};

pub use crate::group::Health;

/// A group as it was after its last evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupView {
    /// Its name, unique within its file.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Between two evaluations.
    pub interval_ms: i64,
    /// Series or alerts that one rule may give; 0 for no limit.
    pub limit: usize,
    /// Its rules in order.
    pub rules: Vec<RuleView>,
    /// How long the last evaluation took.
    pub evaluation_seconds: f64,
    /// When it was last evaluated.
    pub last_evaluation: Option<Timestamp>,
}

/// A rule as it was after its last evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleView {
    /// The recorded metric's or the alert's name.
    pub name: String,
    /// The expression.
    pub query: String,
    /// Labels that it sets, as they stand in the file.
    pub labels: Labels,
    /// Whether the last evaluation went well.
    pub health: Health,
    /// What went wrong, if so.
    pub last_error: Option<String>,
    /// How long the last evaluation took.
    pub evaluation_seconds: f64,
    /// When it was last evaluated.
    pub last_evaluation: Option<Timestamp>,
    /// What only alerting rules have.
    pub alerting: Option<AlertingView>,
}

/// What only alerting rules have.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertingView {
    /// How long a series must be there before its alert fires.
    pub for_ms: i64,
    /// How long an alert keeps firing after its series is gone.
    pub keep_firing_for_ms: i64,
    /// Texts for people, as they stand in the file.
    pub annotations: Labels,
    /// The worst state of its alerts; `None` before the first evaluation (`unknown`).
    pub state: Option<AlertState>,
    /// Those that are pending or firing, sorted by labels.
    pub alerts: Vec<AlertView>,
}

/// A pending or firing alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertView {
    /// Its labels.
    pub labels: Labels,
    /// Its texts.
    pub annotations: Labels,
    /// Pending or firing.
    pub state: AlertState,
    /// When its condition began to hold.
    pub active_at: Timestamp,
    /// Since when it fires only because it is kept firing.
    pub keep_firing_since: Option<Timestamp>,
    /// The expression's value.
    pub value: f64,
}

impl GroupView {
    pub(crate) fn of(group: &Group) -> Self {
        Self {
            name: group.key.name.clone(),
            file: group.key.file.clone(),
            interval_ms: group.interval_ms,
            limit: group.limit,
            rules: group.rules.iter().map(RuleView::of).collect(),
            evaluation_seconds: group.evaluation_seconds,
            last_evaluation: group.last_evaluation,
        }
    }

    /// The pending and firing alerts of all its rules.
    pub fn alerts(&self) -> impl Iterator<Item = &AlertView> {
        let alerting = self.rules.iter().filter_map(|rule| rule.alerting.as_ref());
        alerting.flat_map(|alerting| &alerting.alerts)
    }
}

impl RuleView {
    fn of(rule: &RuleState) -> Self {
        let spec = &rule.spec;
        let alerting = match &spec.kind {
            RuleKind::Recording => None,
            RuleKind::Alerting(alert) => Some(AlertingView {
                for_ms: alert.for_ms,
                keep_firing_for_ms: alert.keep_firing_for_ms,
                annotations: alert
                    .annotations
                    .iter()
                    .map(|(n, text)| (n, text))
                    .collect(),
                state: rule.last_evaluation.map(|_| rule.alerts.state()),
                alerts: alerts(rule),
            }),
        };
        Self {
            name: spec.name.clone(),
            query: spec.query.clone(),
            labels: spec.label_set(),
            health: rule.health,
            last_error: rule.last_error.clone(),
            evaluation_seconds: rule.evaluation_seconds,
            last_evaluation: rule.last_evaluation,
            alerting,
        }
    }
}

fn alerts(rule: &RuleState) -> Vec<AlertView> {
    let active = rule.alerts.active();
    active
        .map(|(labels, instance)| AlertView {
            labels: labels.clone(),
            annotations: instance.annotations.clone(),
            state: instance.timers.state,
            active_at: instance.timers.active_at,
            keep_firing_since: instance.timers.keep_firing_since,
            value: instance.value,
        })
        .collect()
}
