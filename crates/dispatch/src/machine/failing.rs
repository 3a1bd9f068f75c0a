//! Receivers that cannot be told anything: the alert of ours about each, and who hears of it.
//!
//! An integration fails from the moment it refuses a notification, eight attempts in a row did not work, or one
//! was given up because its time was over, until it takes one. For that time the alert [`NOT_DELIVERED`] fires. It takes the ordinary way through the
//! routing. Where that leads only to receivers that cannot be reached, it goes to a stand-in as well: the
//! first receiver of `failure_receivers`, or of the file, that can.

use super::{Machine, Step};
use crate::config::FailureReceivers;
use crate::notice::{Notice, Target};
use crate::route::Node;
use crate::rows::Row;
use model::{Alert, Labels, Timestamp};
use std::sync::Arc;

/// After so many attempts an integration counts as dead: half a minute of growing waits.
const ATTEMPTS_ALARMING: u32 = 8;
/// What was not tried for this long is not known to fail any more.
pub(super) const FAILING_KEPT_MS: i64 = 3_600_000;
/// The alert about an integration that fails.
pub const NOT_DELIVERED: &str = "BinnacleNotificationsFailing";

/// An integration that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// When an attempt failed last.
    pub at: Timestamp,
    /// How.
    pub error: String,
}

impl Machine {
    /// Takes note of an attempt that failed; `is_final`: the notification was refused or given up.
    pub(super) fn failed(
        &mut self,
        now: Timestamp,
        notice: &Notice,
        (error, is_final): (&str, bool),
        step: &mut Step,
    ) {
        let known = self.failing.get(&notice.target);
        if known.is_none() && !is_final && notice.failed_in_a_row() < ATTEMPTS_ALARMING {
            return;
        }
        let (is_new, since) = known.map_or((true, now), |known| (false, known.since));
        let failing = Failing {
            since,
            at: now,
            error: error.to_owned(),
        };
        step.rows
            .push(Row::PutFailing(notice.target.clone(), failing.clone()));
        self.failing.insert(notice.target.clone(), failing.clone());
        self.store(now, about(&notice.target, &failing, now), step);
        if is_new {
            self.find_stand_ins(now, step);
        }
    }

    /// Takes note that an integration took a notification.
    pub(super) fn arrived(&mut self, now: Timestamp, target: &Target, step: &mut Step) {
        self.arrived_at.insert(target.clone(), now);
        self.recovered(now, target, step);
    }

    /// Whether an integration took something after a moment: an attempt that began before it says nothing of
    /// how it is now.
    pub(super) fn has_arrived_since(&self, target: &Target, since: Timestamp) -> bool {
        self.arrived_at.get(target).is_some_and(|at| *at > since)
    }

    /// An integration does not fail any more.
    fn recovered(&mut self, now: Timestamp, target: &Target, step: &mut Step) {
        let Some(failing) = self.failing.remove(target) else {
            return;
        };
        step.rows.push(Row::DeleteFailing(target.clone()));
        let ended = Alert {
            ends_at: now,
            ..about(target, &failing, now)
        };
        self.store(now, ended, step);
    }

    /// Forgets what was not tried for long, and what is not configured any more.
    pub(super) fn clean_failing(&mut self, now: Timestamp, step: &mut Step) {
        let mut arrived_at = std::mem::take(&mut self.arrived_at);
        arrived_at.retain(|target, _| self.is_configured(target));
        self.arrived_at = arrived_at;
        let old: Vec<Target> = self
            .failing
            .iter()
            .filter(|(target, failing)| {
                now.millis_since(failing.at) > FAILING_KEPT_MS || !self.is_configured(target)
            })
            .map(|(target, _)| target.clone())
            .collect();
        for target in old {
            self.recovered(now, &target, step);
        }
    }

    /// Puts the alerts of ours into groups of stand-ins where they need one.
    fn find_stand_ins(&mut self, now: Timestamp, step: &mut Step) {
        let targets = self.failing.iter();
        let fingerprints: Vec<u64> = targets
            .map(|(target, failing)| about(target, failing, now).labels.fingerprint())
            .collect();
        for fingerprint in fingerprints {
            self.group(now, fingerprint, step);
        }
    }

    /// The routes that take an alert, with that of a stand-in.
    pub(super) fn routes_of(&self, labels: &Labels) -> Vec<Arc<Node>> {
        let mut nodes: Vec<Arc<Node>> = self
            .router
            .matching(labels)
            .into_iter()
            .filter_map(|node| self.nodes.get(&node.id).cloned())
            .collect();
        let stand_in = self.stand_in(labels, &nodes);
        nodes.extend(stand_in);
        nodes
    }

    fn stand_in(&self, labels: &Labels, own: &[Arc<Node>]) -> Option<Arc<Node>> {
        if labels.value("alertname") != NOT_DELIVERED {
            return None;
        }
        if own.iter().any(|node| self.is_reachable(&node.receiver)) {
            return None;
        }
        let name = match &self.config.own.failure_receivers {
            FailureReceivers::Off => None,
            FailureReceivers::Named(names) => {
                names.iter().find(|name| self.is_reachable(name)).cloned()
            }
            FailureReceivers::Auto => {
                let names = self.config.receivers.iter().map(|receiver| &receiver.name);
                names
                    .into_iter()
                    .find(|name| self.is_reachable(name))
                    .cloned()
            }
        }?;
        self.nodes.get(&Node::stand_in_id(&name)).cloned()
    }

    /// Whether a receiver has an integration that is not known to fail.
    fn is_reachable(&self, receiver: &str) -> bool {
        let mut integrations = self.integrations(receiver).iter();
        integrations.any(|one| !self.failing.contains_key(&one.target(receiver)))
    }
}

/// The alert about an integration.
fn about(target: &Target, failing: &Failing, now: Timestamp) -> Alert {
    let integration = target.integration();
    Alert {
        labels: Labels::from_pairs([
            ("alertname", NOT_DELIVERED),
            ("severity", "warning"),
            ("receiver", target.receiver.as_str()),
            ("integration", integration.as_str()),
        ]),
        annotations: Labels::from_pairs([
            ("summary", format!("{target} cannot be reached").as_str()),
            ("description", failing.error.as_str()),
        ]),
        starts_at: failing.since,
        ends_at: now.plus_millis(FAILING_KEPT_MS),
        updated_at: now,
        ends_by_timeout: false,
        generator_url: String::new(),
    }
}
