//! The state machine of one alerting rule: inactive, pending, firing, resolved.
//!
//! It is given what the expression answered at a moment and keeps an instance for every label set.
//! It reads no clock and does no I/O; what must survive a restart is in [`Timers`]. Specification: the
//! alert generator compliance document of prometheus/compliance, version 1.0.

use model::{Labels, Timestamp};
use std::collections::BTreeMap;

/// How long a resolved alert is kept and told of again: a receiver that was away still learns of it.
pub const RESOLVED_KEPT_MS: i64 = 15 * 60_000;

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertState {
    /// Its condition does not hold (any more).
    Inactive,
    /// Its condition holds, but not yet for long enough.
    Pending,
    /// Its condition has held for long enough.
    Firing,
}

impl AlertState {
    const ALL: [Self; 3] = [Self::Inactive, Self::Pending, Self::Firing];

    /// `inactive`, `pending` or `firing`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a restart must not forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timers {
    pub(crate) state: AlertState,
    /// When the condition began to hold.
    pub(crate) active_at: Timestamp,
    /// When it began to fire.
    pub(crate) fired_at: Option<Timestamp>,
    /// When it ended after firing.
    pub(crate) resolved_at: Option<Timestamp>,
    /// When it was last handed on.
    pub(crate) last_sent_at: Option<Timestamp>,
    /// Since when it fires only because it is kept firing.
    pub(crate) keep_firing_since: Option<Timestamp>,
}

/// An alert of a rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Instance {
    pub(crate) annotations: Labels,
    /// The expression's value at the last evaluation that had it.
    pub(crate) value: f64,
    pub(crate) timers: Timers,
}

impl Instance {
    fn is_active(&self) -> bool {
        self.timers.state != AlertState::Inactive
    }

    /// Whether the alert is to be handed on at `now`: as soon as it fires or is resolved, and again
    /// after each `resend_delay_ms`.
    fn needs_sending(&self, now: Timestamp, resend_delay_ms: i64) -> bool {
        let timers = &self.timers;
        if timers.state == AlertState::Pending {
            return false;
        }
        let Some(sent) = timers.last_sent_at else {
            return true;
        };
        timers.resolved_at.is_some_and(|resolved| resolved > sent)
            || sent.plus_millis(resend_delay_ms) < now
    }
}

/// What an expression answered for one label set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) value: f64,
    pub(crate) annotations: Labels,
}

/// The rule's durations and its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    pub(crate) for_ms: i64,
    pub(crate) keep_firing_for_ms: i64,
    /// Active alerts at most; 0 for no limit.
    pub(crate) limit: usize,
    /// Whether a missing series is no reason to end an alert this time.
    pub(crate) forgives_absence: bool,
}

/// All alerts of a rule by their labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlertSet {
    instances: BTreeMap<Labels, Instance>,
}

impl AlertSet {
    /// Makes the set from instances as they were stored.
    pub(crate) const fn from_instances(instances: BTreeMap<Labels, Instance>) -> Self {
        Self { instances }
    }

    /// All instances, those that were resolved lately included.
    pub(crate) const fn instances(&self) -> &BTreeMap<Labels, Instance> {
        &self.instances
    }

    /// The pending and firing ones.
    pub(crate) fn active(&self) -> impl Iterator<Item = (&Labels, &Instance)> {
        self.instances
            .iter()
            .filter(|(_, instance)| instance.is_active())
    }

    /// The worst state of an instance.
    pub(crate) fn state(&self) -> AlertState {
        let states = self.instances.values().map(|i| i.timers.state);
        states.max().unwrap_or(AlertState::Inactive)
    }

    /// Takes in what the expression answered at `now`.
    ///
    /// Fails where more alerts are active than the limit allows; then all are forgotten, as upstream does.
    pub(crate) fn step(
        &mut self,
        now: Timestamp,
        found: &BTreeMap<Labels, Found>,
        conditions: Conditions,
    ) -> Result<(), String> {
        for (labels, found) in found {
            self.found(now, labels, found);
        }
        self.instances.retain(|labels, instance| {
            if !found.contains_key(labels) {
                return conditions.forgives_absence || miss(now, instance, conditions);
            }
            instance.timers.keep_firing_since = None;
            turn(now, &mut instance.timers, conditions);
            true
        });
        let active = self.active().count();
        if conditions.limit > 0 && active > conditions.limit {
            self.instances.clear();
            return Err(format!(
                "exceeded limit of {} with {active} alerts",
                conditions.limit
            ));
        }
        Ok(())
    }

    fn found(&mut self, now: Timestamp, labels: &Labels, found: &Found) {
        match self.instances.get_mut(labels) {
            Some(instance) if instance.is_active() => {
                instance.value = found.value;
                instance.annotations = found.annotations.clone();
            }
            Some(_) | None => {
                let fresh = Instance {
                    annotations: found.annotations.clone(),
                    value: found.value,
                    timers: Timers {
                        state: AlertState::Pending,
                        active_at: now,
                        fired_at: None,
                        resolved_at: None,
                        last_sent_at: None,
                        keep_firing_since: None,
                    },
                };
                self.instances.insert(labels.clone(), fresh);
            }
        }
    }

    /// Chooses the alerts to hand on at `now` and remembers that they were.
    pub(crate) fn send(&mut self, now: Timestamp, resend_delay_ms: i64) -> Vec<(Labels, Instance)> {
        let mut sent = Vec::new();
        for (labels, instance) in &mut self.instances {
            if instance.needs_sending(now, resend_delay_ms) {
                instance.timers.last_sent_at = Some(now);
                sent.push((labels.clone(), instance.clone()));
            }
        }
        sent
    }

    /// Takes back that alerts were handed on at `now`: nobody took them.
    pub(crate) fn unsend(&mut self, now: Timestamp) {
        for instance in self.instances.values_mut() {
            if instance.timers.last_sent_at == Some(now) {
                instance.timers.last_sent_at = None;
            }
        }
    }

    /// Moves the beginning of pending and firing alerts, as restoring from samples does.
    pub(crate) fn set_active_at(&mut self, labels: &Labels, active_at: Timestamp) {
        if let Some(instance) = self.instances.get_mut(labels) {
            instance.timers.active_at = active_at;
        }
    }
}

/// The condition of an alert does not hold. Answers whether the alert is still to be kept.
fn miss(now: Timestamp, instance: &mut Instance, conditions: Conditions) -> bool {
    let timers = &mut instance.timers;
    match timers.state {
        AlertState::Pending => false,
        AlertState::Inactive => timers
            .resolved_at
            .is_some_and(|resolved| now.millis_since(resolved) <= RESOLVED_KEPT_MS),
        AlertState::Firing => {
            if conditions.keep_firing_for_ms > 0 {
                let since = *timers.keep_firing_since.get_or_insert(now);
                if now.millis_since(since) < conditions.keep_firing_for_ms {
                    turn(now, timers, conditions);
                    return true;
                }
            }
            timers.state = AlertState::Inactive;
            timers.resolved_at = Some(now);
            true
        }
    }
}

/// Lets an active alert fire, or wait again where a longer `for` was configured.
fn turn(now: Timestamp, timers: &mut Timers, conditions: Conditions) {
    let is_due = now.millis_since(timers.active_at) >= conditions.for_ms;
    match timers.state {
        AlertState::Pending if is_due => {
            timers.state = AlertState::Firing;
            timers.fired_at = Some(now);
        }
        AlertState::Firing if !is_due => {
            timers.state = AlertState::Pending;
            timers.fired_at = None;
            timers.last_sent_at = None;
            timers.keep_firing_since = None;
        }
        AlertState::Pending | AlertState::Firing | AlertState::Inactive => {}
    }
}

#[cfg(test)]
mod tests;
