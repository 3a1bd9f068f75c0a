//! Following every alert's routed state, so that others hear when it fires, ends, or is muted.

use super::{Group, Machine, Step};
use model::{Alert, RoutedAlert, Timestamp};

/// Time intervals have the grain of a minute.
const MINUTE_MS: i64 = 60_000;

impl Machine {
    /// Looks at all alerts, and decides when to do so again.
    pub(super) fn review_all(&mut self, now: Timestamp, step: &mut Step) {
        let fingerprints: Vec<u64> = self.alerts.keys().copied().collect();
        for fingerprint in fingerprints {
            self.review(now, fingerprint, step);
        }
        let ends = self.alerts.values().map(|alert| alert.ends_at);
        let next_end = ends.filter(|moment| *moment > now).min();
        let minute = now.millis().div_euclid(MINUTE_MS).saturating_add(1);
        let next_minute = Timestamp::from_millis(minute.saturating_mul(MINUTE_MS));
        let next_minute = (!self.intervals.is_empty()).then_some(next_minute);
        self.next_review = [next_end, next_minute, self.silences.next_change(now)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Timestamp::MAX);
    }

    /// Tells of one alert if its routed state is another than was told last.
    pub(super) fn review(&mut self, now: Timestamp, fingerprint: u64, step: &mut Step) {
        let Some(alert) = self.alerts.get(&fingerprint) else {
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
        self.told.insert(fingerprint, routed.clone());
        step.routed.push(routed);
    }

    /// The routed state of every alert, for those who have to begin anew.
    #[must_use]
    pub fn all_routed(&self, now: Timestamp) -> Vec<RoutedAlert> {
        self.alerts
            .iter()
            .map(|(fingerprint, alert)| self.routed(now, *fingerprint, alert))
            .collect()
    }

    fn routed(&self, now: Timestamp, fingerprint: u64, alert: &Alert) -> RoutedAlert {
        let nodes = self.router.matching(&alert.labels);
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
            suppressed_by: self.suppressed_by(now, fingerprint, alert),
            alert: alert.clone(),
        }
    }

    fn suppressed_by(&self, now: Timestamp, fingerprint: u64, alert: &Alert) -> Option<String> {
        if let Some(source) = self.inhibitor.muted_by(&alert.labels, &self.alerts, now) {
            let name = self.alerts.get(&source).map_or("", |source| source.name());
            return Some(format!("inhibited by {name} ({source:016x})"));
        }
        if let Some(id) = self.silences.muting(&alert.labels, now).first() {
            return Some(format!("silenced by {id}"));
        }
        // Muted by time only where every group that it is in is.
        let groups = self.groups_of(fingerprint, alert);
        let mut muted = groups.iter().map(|group| self.muted_times(group, now));
        let first = muted.next().filter(|names| !names.is_empty())?;
        muted
            .all(|names| !names.is_empty())
            .then(|| format!("muted by time interval {}", first.join(", ")))
    }

    pub(super) fn groups_of(&self, fingerprint: u64, alert: &Alert) -> Vec<&Group> {
        self.router
            .matching(&alert.labels)
            .into_iter()
            .filter_map(|node| {
                let id = node.group_id(&node.group_labels(&alert.labels));
                self.groups
                    .get(&id)
                    .filter(|group| group.members.contains(&fingerprint))
            })
            .collect()
    }
}
