//! When alerts fired: made of what the state machine says after each evaluation.

use crate::alerts::{AlertState, Instance};
use model::{Labels, Timestamp};
use std::collections::BTreeMap;

/// One time that an alert fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// The alert's labels, as the rule made them.
    pub labels: Labels,
    /// Its texts when it began to fire.
    pub annotations: Labels,
    /// The expression's value when it began to fire.
    pub value: f64,
    /// When its condition began to hold.
    pub active_at: Timestamp,
    /// When it began to fire.
    pub fired_at: Timestamp,
    /// When it ended; `None` where it still fired at the end of the span.
    pub resolved_at: Option<Timestamp>,
}

/// What began and has not ended.
enum Open {
    Pending,
    Firing(Episode),
}

/// The episodes of one rule.
#[derive(Default)]
pub(super) struct Episodes {
    open: BTreeMap<Labels, Open>,
    ended: Vec<Episode>,
    pending_only: u64,
}

impl Episodes {
    /// Takes in the alerts after the evaluation at `at`. Answers how many began to fire.
    pub(super) fn follow(&mut self, at: Timestamp, alerts: &BTreeMap<Labels, Instance>) -> usize {
        if alerts.is_empty() && self.open.is_empty() {
            return 0;
        }
        let before = std::mem::take(&mut self.open);
        for (labels, open) in before {
            let instance = alerts.get(&labels);
            let goes_on = instance.is_some_and(|now| match &open {
                Open::Pending => now.timers.state != AlertState::Inactive,
                Open::Firing(episode) => {
                    now.timers.state != AlertState::Inactive
                        && now.timers.active_at == episode.active_at
                }
            });
            match open {
                open if goes_on => drop(self.open.insert(labels, open)),
                Open::Pending => self.pending_only += 1,
                Open::Firing(episode) => {
                    let resolved_at = instance.and_then(|now| now.timers.resolved_at);
                    self.ended.push(Episode {
                        resolved_at: Some(resolved_at.unwrap_or(at)),
                        ..episode
                    });
                }
            }
        }
        let mut began = 0;
        for (labels, instance) in alerts {
            let timers = &instance.timers;
            match (timers.state, self.open.get(labels)) {
                (AlertState::Pending, None) => {
                    drop(self.open.insert(labels.clone(), Open::Pending))
                }
                (AlertState::Firing, None | Some(Open::Pending)) => {
                    began += 1;
                    let episode = Episode {
                        labels: labels.clone(),
                        annotations: instance.annotations.clone(),
                        value: instance.value,
                        active_at: timers.active_at,
                        fired_at: timers.fired_at.unwrap_or(at),
                        resolved_at: None,
                    };
                    self.open.insert(labels.clone(), Open::Firing(episode));
                }
                _ => {}
            }
        }
        began
    }

    /// All episodes by the time at which they began to fire, and how often a series was only pending.
    pub(super) fn finish(mut self) -> (Vec<Episode>, u64) {
        let open = self.open.into_values().filter_map(|open| match open {
            Open::Pending => None,
            Open::Firing(episode) => Some(episode),
        });
        self.ended.extend(open);
        self.ended
            .sort_by(|a, b| (a.fired_at, &a.labels).cmp(&(b.fired_at, &b.labels)));
        (self.ended, self.pending_only)
    }
}
