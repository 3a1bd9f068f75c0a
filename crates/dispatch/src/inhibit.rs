//! While an alert of one kind fires, alerts of another kind are muted.
//!
//! Keeps, for each rule, the alerts that may mute, found by the values of the labels that must be equal.

use crate::config::InhibitRule;
use model::matcher::all_match;
use model::{Alert, Labels, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Fingerprints of alerts that may mute, by rule and values of the equal labels.
#[derive(Clone, Debug, Default)]
pub struct Inhibitor {
    rules: Vec<InhibitRule>,
    sources: BTreeMap<(usize, Vec<String>), BTreeSet<u64>>,
    /// Fingerprints of alerts that may be muted, likewise.
    targets: BTreeMap<(usize, Vec<String>), BTreeSet<u64>>,
}

impl Inhibitor {
    /// Makes an inhibitor that knows no alert yet.
    #[must_use]
    pub const fn new(rules: Vec<InhibitRule>) -> Self {
        Self {
            rules,
            sources: BTreeMap::new(),
            targets: BTreeMap::new(),
        }
    }

    /// Whether an alert with these labels could mute others.
    #[must_use]
    pub fn is_source(&self, labels: &Labels) -> bool {
        self.rules
            .iter()
            .any(|rule| all_match(&rule.source, labels))
    }

    /// Takes note of an alert.
    pub fn add(&mut self, fingerprint: u64, labels: &Labels) {
        for (index, rule) in self.rules.iter().enumerate() {
            for (matchers, index_of) in [
                (&rule.source, &mut self.sources),
                (&rule.target, &mut self.targets),
            ] {
                if all_match(matchers, labels) {
                    let key = (index, equal_values(rule, labels));
                    index_of.entry(key).or_default().insert(fingerprint);
                }
            }
        }
    }

    /// The alerts that one with these labels could mute.
    #[must_use]
    pub fn affected(&self, labels: &Labels) -> BTreeSet<u64> {
        let mut affected = BTreeSet::new();
        for (index, rule) in self.rules.iter().enumerate() {
            if all_match(&rule.source, labels) {
                let muted = self.targets.get(&(index, equal_values(rule, labels)));
                affected.extend(muted.into_iter().flatten());
            }
        }
        affected
    }

    /// Forgets an alert.
    pub fn remove(&mut self, fingerprint: u64, labels: &Labels) {
        for (index, rule) in self.rules.iter().enumerate() {
            let key = (index, equal_values(rule, labels));
            for index_of in [&mut self.sources, &mut self.targets] {
                if let Some(set) = index_of.get_mut(&key) {
                    set.remove(&fingerprint);
                    if set.is_empty() {
                        index_of.remove(&key);
                    }
                }
            }
        }
    }

    /// The alert that mutes one with these labels at `now`, if any; `alerts` are all that are known.
    ///
    /// An alert that fulfils both sides of a rule is not muted by another one that does: otherwise two of a
    /// kind would mute each other.
    #[must_use]
    pub fn muted_by(
        &self,
        labels: &Labels,
        alerts: &BTreeMap<u64, Alert>,
        now: Timestamp,
    ) -> Option<u64> {
        self.rules.iter().enumerate().find_map(|(index, rule)| {
            if !all_match(&rule.target, labels) {
                return None;
            }
            let both_sides = all_match(&rule.source, labels);
            let candidates = self.sources.get(&(index, equal_values(rule, labels)))?;
            candidates.iter().copied().find(|fingerprint| {
                alerts.get(fingerprint).is_some_and(|source| {
                    let excluded = both_sides && all_match(&rule.target, &source.labels);
                    !excluded && !source.is_resolved_at(now)
                })
            })
        })
    }
}

fn equal_values(rule: &InhibitRule, labels: &Labels) -> Vec<String> {
    let value = |name: &String| labels.value(name).to_owned();
    rule.equal.iter().map(value).collect()
}
