//! Making the machine again from rows.

use super::{Before, Failing, Machine, Membership, Round, Step};
use crate::config::Config;
use crate::notice::{LogEntry, Notice, Target};
use crate::recurrence::Recurrence;
use crate::rows::Row;
use crate::silence::Silence;
use model::{Alert, RoutedAlert, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that rows say.
#[derive(Debug, Default)]
pub struct Restored {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// The groups, by their unique names.
    pub groups: BTreeMap<String, Membership>,
    /// The silences.
    pub silences: Vec<Silence>,
    /// The log.
    pub log: Vec<(String, Target, LogEntry)>,
    /// The outbox.
    pub notices: Vec<Notice>,
    /// Integrations that fail.
    pub failing: Vec<(Target, Failing)>,
    /// Alerts whose notification was given up.
    pub unheard: Vec<(u64, Target)>,
    /// How many notifications there were.
    pub sequence: u64,
    /// Silences that come again.
    pub recurrences: Vec<Recurrence>,
    /// Alerts that began lately.
    pub flaps: Recent,
    /// What no row says, where the process lives on and only the machine is made anew.
    pub kept: Option<Kept>,
}

/// Alerts that began lately.
#[derive(Debug, Default)]
pub struct Recent {
    /// When they began, each since it was steady last.
    pub starts: Vec<(u64, Timestamp)>,
    /// Those that flap.
    pub flapping: BTreeSet<u64>,
}

/// What a process still knows when it makes its machine anew.
#[derive(Debug, Default)]
pub struct Kept {
    /// Attempts that are being made, with their beginnings.
    pub under_way: BTreeMap<String, Timestamp>,
    /// What was last told about each alert's routed state.
    pub told: BTreeMap<u64, RoutedAlert>,
}

impl Machine {
    /// Makes a machine from rows at `now`.
    ///
    /// An alert that was firing when we went away and whose end has passed meanwhile gets the resolve
    /// time-out anew: its source could not reach us. Groups whose moment has passed are looked at in the next
    /// step, notifications under way are attempted again at once.
    ///
    /// Where the process lives on, attempts go on with it, the others keep their moments, and an alert whose end
    /// has passed has ended: nobody was away. Of routed states only those are told that are other than what was
    /// told last.
    #[must_use]
    pub fn restore(now: Timestamp, config: Arc<Config>, rows: Restored) -> (Self, Step) {
        let mut machine = Self::new(config);
        let mut step = Step::default();
        let was_away = rows.kept.is_none();
        let kept = rows.kept.unwrap_or_default();
        for silence in rows.silences {
            machine.silences.restore(silence);
        }
        for recurrence in rows.recurrences {
            machine
                .recurrences
                .insert(recurrence.id.clone(), recurrence);
        }
        for (group_key, target, mut entry) in rows.log {
            // The clock may have been set back meanwhile.
            entry.at = entry.at.min(now);
            machine.log.insert((group_key, target), entry);
        }
        machine.sequence = rows.sequence;
        machine.failing.extend(rows.failing);
        for (fingerprint, target) in rows.unheard {
            machine
                .unheard
                .entry(fingerprint)
                .or_default()
                .insert(target);
        }
        let members: BTreeSet<u64> = rows
            .groups
            .values()
            .flat_map(|group| group.members.iter().copied())
            .collect();
        let grace = now.plus_millis(machine.config.global.resolve_timeout_ms);
        for mut alert in rows.alerts {
            let fingerprint = alert.labels.fingerprint();
            // Whatever has left its groups was known to have ended.
            let was_firing =
                alert.ends_at > alert.updated_at && members.contains(&fingerprint) && was_away;
            if alert.ends_at > now && alert.ends_at <= alert.updated_at {
                // It had ended by a clock that was set back since.
                alert.ends_at = now;
                step.rows.push(Row::PutAlert(alert.clone()));
            }
            if was_firing && alert.ends_at <= now {
                alert.ends_at = grace;
                step.rows.push(Row::PutAlert(alert.clone()));
            }
            machine.inhibitor.add(fingerprint, &alert.labels);
            machine.alerts.insert(fingerprint, alert);
        }
        machine.regroup(now, rows.groups, &mut step);
        machine.restore_outbox(now, rows.notices, was_away);
        for (id, since) in &kept.under_way {
            machine.outbox.resume(id, *since);
        }
        machine.drop_orphans(now, &mut step);
        machine.clean_unheard(now, &mut step);
        machine.restore_flaps(rows.flaps);
        machine.told = kept.told;
        machine.restoring = was_away;
        machine.review_all(now, &mut step);
        machine.restoring = false;
        (machine, step)
    }

    /// What was told about alerts' routed states before steps that did not become rows; with it a machine can
    /// be made that says what these steps would have said.
    #[must_use]
    pub fn take_told(&mut self, before: Vec<Before>) -> BTreeMap<u64, RoutedAlert> {
        let mut told = std::mem::take(&mut self.told);
        for (fingerprint, routed) in before.into_iter().rev() {
            match routed {
                Some(routed) => told.insert(fingerprint, routed),
                None => told.remove(&fingerprint),
            };
        }
        told
    }

    fn restore_flaps(&mut self, recent: Recent) {
        if let Some(limits) = self.config.own.flapping.clone() {
            for (fingerprint, at) in recent.starts {
                self.flaps.began(fingerprint, at, &limits);
            }
            self.flaps.restore(recent.flapping);
        }
    }

    fn restore_outbox(&mut self, now: Timestamp, notices: Vec<Notice>, was_away: bool) {
        for mut notice in notices {
            if was_away {
                notice.next_attempt = notice.next_attempt.min(now);
            }
            let left_ms = notice.deadline.millis_since(notice.created_at);
            notice.deadline = notice.deadline.min(now.plus_millis(left_ms));
            self.groups.change(&notice.group_id, |group| {
                let round = group.round.get_or_insert_with(Round::default);
                round.waiting.insert(notice.id.clone());
                let ended = notice.alerts.iter().filter(|alert| alert.resolved);
                round
                    .resolved
                    .extend(ended.map(|a| (a.alert.labels.fingerprint(), a.alert.updated_at)));
            });
            self.outbox.add(notice);
        }
    }
}
