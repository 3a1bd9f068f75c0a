//! Following every alert's routed state, so that others hear when it fires, ends, or is muted.

use super::{Group, Machine, Step};
use crate::history::Change;
use crate::route::Node;
use model::{Alert, RoutedAlert, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Time intervals have the grain of a minute.
const MINUTE_MS: i64 = 60_000;

impl Machine {
    /// Looks at the alerts whose state may have changed: those that ended, and those that they muted; all,
    /// where a silence or a named time begins or ends.
    pub(super) fn review_due(&mut self, now: Timestamp, step: &mut Step) {
        let ended = self.alerts.take_ended(now);
        for fingerprint in &ended {
            self.stale.insert(*fingerprint);
            if let Some(alert) = self.alerts.get(*fingerprint)
                && self.inhibitor.is_source(&alert.labels)
            {
                self.stale.extend(self.inhibitor.affected(&alert.labels));
            }
        }
        self.heard(ended.into_iter(), step);
        let times_on = self.times_on(now);
        if now >= self.next_review || times_on != self.times_on {
            self.times_on = times_on;
            self.stale.clear();
            return self.review_all(now, step);
        }
        for fingerprint in std::mem::take(&mut self.stale) {
            self.review(now, fingerprint, step);
        }
    }

    fn times_on(&self, now: Timestamp) -> BTreeSet<String> {
        let on = self.intervals.iter().filter(|(_, intervals)| {
            let mut intervals = intervals.iter();
            intervals.any(|interval| interval.contains(now))
        });
        on.map(|(name, _)| name.clone()).collect()
    }

    /// Looks at all alerts, and decides when to do so again.
    pub(super) fn review_all(&mut self, now: Timestamp, step: &mut Step) {
        let fingerprints: Vec<u64> = self.alerts.map().keys().copied().collect();
        for fingerprint in fingerprints {
            self.review(now, fingerprint, step);
        }
        let minute = now.millis().div_euclid(MINUTE_MS).saturating_add(1);
        let next_minute = Timestamp::from_millis(minute.saturating_mul(MINUTE_MS));
        let next_minute = (!self.intervals.is_empty()).then_some(next_minute);
        self.next_review = [next_minute, self.silences.next_change(now)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Timestamp::MAX);
    }

    /// Tells of one alert if its routed state is another than was told last.
    pub(super) fn review(&mut self, now: Timestamp, fingerprint: u64, step: &mut Step) {
        let Some(alert) = self.alerts.get(fingerprint) else {
            return;
        };
        let routed = self.routed(now, fingerprint, alert);
        // Another silence or source is no news as long as the kind of reason stays.
        let kind = |reason: &Option<String>| {
            let words = reason.as_ref().map(|reason| reason.split(' '));
            words.and_then(|mut words| words.next().map(str::to_owned))
        };
        let same = |told: &RoutedAlert| {
            told.resolved == routed.resolved
                && kind(&told.suppressed_by) == kind(&routed.suppressed_by)
                && told.receivers == routed.receivers
                && told.group_labels == routed.group_labels
                && told.alert.starts_at == routed.alert.starts_at
                && told.alert.annotations == routed.alert.annotations
        };
        if self.told.get(&fingerprint).is_some_and(same) {
            return;
        }
        let before = self.told.insert(fingerprint, routed.clone());
        self.remember(now, (fingerprint, before.as_ref()), &routed, step);
        step.routed.push(routed);
        step.before.push((fingerprint, before));
    }

    /// Writes down how an alert's state differs from before.
    fn remember(
        &mut self,
        now: Timestamp,
        (fingerprint, before): (u64, Option<&RoutedAlert>),
        after: &RoutedAlert,
        step: &mut Step,
    ) {
        if self.restoring {
            return;
        }
        let was_firing = before.is_some_and(|before| !before.resolved);
        let why = before.and_then(|before| before.suppressed_by.as_deref());
        if was_firing && after.resolved {
            return self.note(now, fingerprint, (Change::Resolved, String::new()), step);
        }
        if !was_firing && !after.resolved {
            let receivers = format!("for {}", after.receivers.join(", "));
            self.note(now, fingerprint, (Change::Fired, receivers), step);
            self.began(now, fingerprint, step);
        }
        if after.resolved {
            return;
        }
        match (why.filter(|_| was_firing), &after.suppressed_by) {
            (None, Some(reason)) => {
                self.note(now, fingerprint, (Change::Suppressed, reason.clone()), step);
            }
            (Some(reason), None) => {
                let detail = format!("no longer {reason}");
                self.note(now, fingerprint, (Change::Released, detail), step);
            }
            _ => {}
        }
    }

    /// The routed state of every alert, for those who have to begin anew.
    #[must_use]
    pub fn all_routed(&self, now: Timestamp) -> Vec<RoutedAlert> {
        self.alerts
            .map()
            .iter()
            .map(|(fingerprint, alert)| self.routed(now, *fingerprint, alert))
            .collect()
    }

    fn routed(&self, now: Timestamp, fingerprint: u64, alert: &Alert) -> RoutedAlert {
        let nodes = self.routes_of(&alert.labels);
        let group_labels = nodes
            .first()
            .map(|node| node.group_labels(&alert.labels))
            .unwrap_or_default();
        let mut receivers: Vec<String> = Vec::new();
        for node in &nodes {
            if !receivers.contains(&node.receiver) {
                receivers.push(node.receiver.clone());
            }
        }
        RoutedAlert {
            group_labels,
            receivers,
            resolved: alert.is_resolved_at(now),
            suppressed_by: self.suppressed_by(now, (fingerprint, alert), &nodes),
            alert: alert.clone(),
        }
    }

    fn suppressed_by(
        &self,
        now: Timestamp,
        (fingerprint, alert): (u64, &Alert),
        nodes: &[Arc<Node>],
    ) -> Option<String> {
        let alerts = self.alerts.map();
        if let Some(source) = self.inhibitor.muted_by(&alert.labels, alerts, now) {
            let name = self.alerts.get(source).map_or("", |source| source.name());
            return Some(format!("inhibited by {name} ({source:016x})"));
        }
        if let Some(id) = self.silences.muting(&alert.labels, now).first() {
            return Some(format!("silenced by {id}"));
        }
        // Muted by time only where every group that it is in is.
        if self.intervals.is_empty() {
            return None;
        }
        let groups = self.groups_of((fingerprint, alert), nodes);
        let mut muted = groups.iter().map(|group| self.muted_times(group, now));
        let first = muted.next().filter(|names| !names.is_empty())?;
        muted
            .all(|names| !names.is_empty())
            .then(|| format!("muted by time interval {}", first.join(", ")))
    }

    pub(super) fn groups_of(
        &self,
        (fingerprint, alert): (u64, &Alert),
        nodes: &[Arc<Node>],
    ) -> Vec<&Group> {
        nodes
            .iter()
            .filter_map(|node| {
                let id = node.group_id(&node.group_labels(&alert.labels));
                self.groups
                    .get(&id)
                    .filter(|group| group.members.contains(&fingerprint))
            })
            .collect()
    }
}
