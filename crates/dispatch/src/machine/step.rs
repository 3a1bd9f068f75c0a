//! What an input led to: rows to store, news for others, numbers for metrics.

use crate::notice::Notice;
use crate::rows::{Attempt, Row};
use crate::silence::SilenceError;
use model::{Labels, RoutedAlert};
use std::collections::BTreeMap;

/// What an input led to.
#[derive(Debug, Default)]
pub struct Step {
    /// To be stored, in order, before anything else happens.
    pub rows: Vec<Row>,
    /// Alerts whose routed state changed.
    pub routed: Vec<RoutedAlert>,
    /// What was told before of those, in the same order.
    pub before: Vec<Before>,
    /// Notifications whose attempts ended.
    pub ended: Vec<String>,
    /// Attempts to deliver that ended.
    pub told: Vec<Told>,
    /// What was wrong with the input, upstream's words.
    pub refused: Vec<String>,
    /// What else could not be done: nobody waits for an answer, so it belongs into the log.
    pub trouble: Vec<String>,
    /// The id of the silence that was set.
    pub silence: Option<Result<String, SilenceError>>,
    /// What metrics count.
    pub counts: Counts,
}

/// What was told of an alert's routed state, nothing where it was not known.
pub type Before = (u64, Option<RoutedAlert>);

/// An attempt to deliver that ended, for those who follow the alerts in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whom it was for, as `team/webhook[0]`.
    pub target: String,
    /// Labels of the alerts in it.
    pub alerts: Vec<Labels>,
    /// What went wrong, nothing if it arrived.
    pub failure: Option<String>,
}

impl Step {
    /// Adds what happened after it.
    pub fn absorb(&mut self, later: Self) {
        self.rows.extend(later.rows);
        self.routed.extend(later.routed);
        self.before.extend(later.before);
        self.ended.extend(later.ended);
        self.told.extend(later.told);
        self.refused.extend(later.refused);
        self.trouble.extend(later.trouble);
        self.silence = later.silence.or(self.silence.take());
        self.counts.absorb(later.counts);
    }

    pub(super) fn record(&mut self, attempt: Attempt, notice: &Notice) {
        self.told.push(Told {
            target: notice.target.to_string(),
            alerts: notice
                .alerts
                .iter()
                .map(|one| one.alert.labels.clone())
                .collect(),
            failure: attempt.error.clone(),
        });
        self.rows.push(Row::AddAttempt(attempt));
    }
}

/// What metrics count about one step.
#[derive(Debug, Default)]
pub struct Counts {
    /// Alerts received that fire.
    pub received_firing: u64,
    /// Alerts received that ended.
    pub received_resolved: u64,
    /// Alerts that were not valid.
    pub invalid: u64,
    /// Alerts refused because there were too many.
    pub limited: u64,
    /// Notifications made, by kind of integration.
    pub notifications: BTreeMap<String, u64>,
    /// Notifications given up, by kind and reason.
    pub failed: BTreeMap<(String, &'static str), u64>,
    /// Alerts left out of notifications, by reason.
    pub suppressed: BTreeMap<&'static str, u64>,
    /// Questions to the log of notifications.
    pub log_queries: u64,
    /// Questions to the silences.
    pub silence_queries: u64,
}

impl Counts {
    fn absorb(&mut self, later: Self) {
        let Self {
            received_firing,
            received_resolved,
            invalid,
            limited,
            notifications,
            failed,
            suppressed,
            log_queries,
            silence_queries,
        } = later;
        self.received_firing += received_firing;
        self.received_resolved += received_resolved;
        self.invalid += invalid;
        self.limited += limited;
        self.log_queries += log_queries;
        self.silence_queries += silence_queries;
        for (kind, count) in notifications {
            *self.notifications.entry(kind).or_default() += count;
        }
        for (kind, count) in failed {
            *self.failed.entry(kind).or_default() += count;
        }
        for (reason, count) in suppressed {
            *self.suppressed.entry(reason).or_default() += count;
        }
    }
}
