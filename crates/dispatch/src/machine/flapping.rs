//! Alerts that come and go: their ends are held back, so that nobody is told again and again.
//!
//! An alert flaps from its `starts`th beginning within `within` until it did not begin for `quiet`. While it
//! flaps, an end is not told: for its receivers it fires on. A first notification is never held back, nor is
//! anything of an alert that begins less often. What is held is shown: `flapping` in our API, in the history,
//! and in a metric.

use super::{Machine, Step};
use crate::config::Flapping;
use crate::history::{AlertEvent, Change};
use crate::rows::Row;
use model::{Labels, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The last beginnings of alerts.
#[derive(Debug, Default)]
pub(super) struct Flaps {
    starts: BTreeMap<u64, VecDeque<Timestamp>>,
    flapping: BTreeSet<u64>,
}

impl Flaps {
    /// Takes note that an alert began; answers whether it flaps from now on.
    pub(super) fn began(&mut self, fingerprint: u64, at: Timestamp, limits: &Flapping) -> bool {
        let starts = self.starts.entry(fingerprint).or_default();
        starts.push_back(at);
        while starts.len() > limits.starts {
            starts.pop_front();
        }
        let first = starts.front().copied().unwrap_or(at);
        let many = starts.len() >= limits.starts && at.millis_since(first) <= limits.within_ms;
        many && self.flapping.insert(fingerprint)
    }

    /// Takes note that these flap.
    pub(super) fn restore(&mut self, flapping: BTreeSet<u64>) {
        self.flapping.extend(flapping);
    }

    /// Whether an alert flaps.
    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        self.flapping.contains(&fingerprint)
    }

    /// How many flap.
    pub(super) fn count(&self) -> usize {
        self.flapping.len()
    }

    /// Their fingerprints.
    pub(super) fn all(&self) -> impl Iterator<Item = u64> {
        self.flapping.iter().copied()
    }

    /// Forgets those that did not begin for long; answers which flap no more.
    pub(super) fn calm(&mut self, now: Timestamp, limits: &Flapping) -> Vec<u64> {
        let last = |starts: &VecDeque<Timestamp>| starts.back().copied().unwrap_or(Timestamp::MIN);
        let calm: Vec<u64> = self
            .flapping
            .iter()
            .filter(|fingerprint| {
                let starts = self.starts.get(fingerprint);
                starts.is_none_or(|starts| now.millis_since(last(starts)) >= limits.quiet_ms)
            })
            .copied()
            .collect();
        for fingerprint in &calm {
            self.flapping.remove(fingerprint);
            self.starts.remove(fingerprint);
        }
        self.starts
            .retain(|_, starts| now.millis_since(last(starts)) < limits.memory_ms());
        calm
    }

    /// Moves along with a clock that was set.
    pub(super) fn shift(&mut self, by_ms: i64) {
        for start in self.starts.values_mut().flatten() {
            *start = start.plus_millis(by_ms);
        }
    }
}

impl Machine {
    /// An alert began to fire.
    pub(super) fn began(&mut self, now: Timestamp, fingerprint: u64, step: &mut Step) {
        let Some(limits) = self.config.own.flapping.clone() else {
            return;
        };
        if self.flaps.began(fingerprint, now, &limits) {
            let within = model::format_duration(limits.within_ms);
            let detail = format!(
                "began {} times within {within}; its ends are held back",
                limits.starts
            );
            self.note(now, fingerprint, (Change::Flapping, detail), step);
        }
    }

    /// Lets go of alerts that are steady again; their groups tell of the end at their next look.
    pub(super) fn calm(&mut self, now: Timestamp, step: &mut Step) {
        let limits = self.config.own.flapping.clone().unwrap_or_default();
        for fingerprint in self.flaps.calm(now, &limits) {
            let quiet = model::format_duration(limits.quiet_ms);
            let detail = format!("did not begin for {quiet}");
            self.note(now, fingerprint, (Change::Steady, detail), step);
        }
    }

    /// Whether an alert's end is held back.
    pub(super) fn is_held(&self, fingerprint: u64) -> bool {
        self.config.own.flapping.is_some() && self.flaps.contains(fingerprint)
    }

    /// Writes an event into the history.
    pub(super) fn note(
        &self,
        now: Timestamp,
        fingerprint: u64,
        (change, detail): (Change, String),
        step: &mut Step,
    ) {
        let Some(alert) = self.alerts.get(fingerprint) else {
            return;
        };
        step.rows.push(Row::AddEvent(AlertEvent {
            at: now,
            labels: Labels::clone(&alert.labels),
            change,
            detail,
        }));
    }
}
