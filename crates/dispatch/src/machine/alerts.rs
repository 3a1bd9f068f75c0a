//! The alerts, found by their fingerprints and by when they end.

use model::{Alert, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// All alerts.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    by_fingerprint: BTreeMap<u64, Alert>,
    /// Ends that nobody has looked at yet.
    ends: BTreeSet<(Timestamp, u64)>,
}

impl Alerts {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_fingerprint.len()
    }

    /// The alert of this fingerprint.
    pub(super) fn get(&self, fingerprint: u64) -> Option<&Alert> {
        self.by_fingerprint.get(&fingerprint)
    }

    /// All, by their fingerprints.
    pub(super) const fn map(&self) -> &BTreeMap<u64, Alert> {
        &self.by_fingerprint
    }

    /// Puts an alert in, in place of what was known of it.
    pub(super) fn insert(&mut self, fingerprint: u64, alert: Alert) {
        let ends_at = alert.ends_at;
        if let Some(known) = self.by_fingerprint.insert(fingerprint, alert) {
            self.ends.remove(&(known.ends_at, fingerprint));
        }
        self.ends.insert((ends_at, fingerprint));
    }

    /// Takes an alert out.
    pub(super) fn remove(&mut self, fingerprint: u64) -> Option<Alert> {
        let alert = self.by_fingerprint.remove(&fingerprint)?;
        self.ends.remove(&(alert.ends_at, fingerprint));
        Some(alert)
    }

    /// When the next alert ends that nobody has looked at.
    pub(super) fn next_end(&self) -> Option<Timestamp> {
        self.ends.first().map(|(moment, _)| *moment)
    }

    /// The alerts that ended since this was asked last.
    pub(super) fn take_ended(&mut self, now: Timestamp) -> Vec<u64> {
        let later = self.ends.split_off(&(now.plus_millis(1), 0));
        let ended = std::mem::replace(&mut self.ends, later);
        ended
            .into_iter()
            .map(|(_, fingerprint)| fingerprint)
            .collect()
    }
}
