//! The outbox: which notifications are attempted now, and what follows from the outcome.

use super::{Machine, Step};
use crate::notice::{FailureReason, Notice, Outcome, Target, backoff_ms};
use crate::rows::{Attempt, Row};
use model::Timestamp;
use std::collections::BTreeMap;

/// Attempts at once to one integration: a slow receiver delays nobody else.
const IN_FLIGHT_PER_TARGET_MAX: usize = 8;
/// Attempts at once at all.
pub(crate) const IN_FLIGHT_MAX: usize = 256;

impl Machine {
    /// Takes out the notifications whose attempt is due and marks them as being attempted.
    ///
    /// To be called after their rows are stored.
    pub fn start_due(&mut self, now: Timestamp) -> Vec<Notice> {
        let mut busy: BTreeMap<Target, usize> = BTreeMap::new();
        let mut total = 0;
        for pending in self.outbox.values().filter(|pending| pending.in_flight) {
            *busy.entry(pending.notice.target.clone()).or_default() += 1;
            total += 1;
        }
        let mut due: Vec<&mut super::Pending> = self
            .outbox
            .values_mut()
            .filter(|pending| !pending.in_flight && pending.notice.next_attempt <= now)
            .collect();
        due.sort_by_key(|pending| (pending.notice.next_attempt, pending.notice.created_at));
        let mut started = Vec::new();
        for pending in due {
            let count = busy.entry(pending.notice.target.clone()).or_default();
            if *count >= IN_FLIGHT_PER_TARGET_MAX || total >= IN_FLIGHT_MAX {
                continue;
            }
            *count += 1;
            total += 1;
            pending.in_flight = true;
            started.push(pending.notice.clone());
        }
        started
    }

    /// How many attempts are being made.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let busy = self.outbox.values().filter(|pending| pending.in_flight);
        busy.count()
    }

    /// Takes note of how an attempt ended.
    pub(super) fn delivered(
        &mut self,
        now: Timestamp,
        id: &str,
        outcome: Outcome,
        step: &mut Step,
    ) {
        let Some(pending) = self.outbox.get_mut(id) else {
            return;
        };
        pending.in_flight = false;
        pending.notice.attempts = pending.notice.attempts.saturating_add(1);
        let notice = pending.notice.clone();
        let mut attempt = Attempt::of(&notice, now);
        match outcome {
            Outcome::Delivered(memory) => {
                step.record(attempt, &notice);
                self.log_arrival(now, &notice, memory, step);
                self.outbox.remove(id);
                step.rows.push(Row::DeleteNotice(id.to_owned()));
                self.leave_round(now, &notice, false, step);
            }
            Outcome::Retry {
                error,
                reason,
                after_ms,
            } => {
                attempt.error = Some(error);
                step.record(attempt, &notice);
                let wait_ms = backoff_ms(notice.attempts).max(after_ms.unwrap_or(0));
                let next_attempt = now.plus_millis(wait_ms);
                if now >= notice.deadline {
                    self.give_up(id, reason, step);
                    self.look_again(now, &notice.group_id, step);
                } else if let Some(pending) = self.outbox.get_mut(id) {
                    pending.notice.next_attempt = next_attempt.min(notice.deadline);
                    step.rows.push(Row::PutNotice(pending.notice.clone()));
                }
            }
            Outcome::Failed { error, reason } => {
                attempt.error = Some(error);
                step.record(attempt, &notice);
                self.give_up(id, reason, step);
            }
        }
    }

    /// Drops a notification that did not arrive. The log does not know of it, so the next look at the group
    /// makes another one if it is still called for.
    pub(super) fn give_up(&mut self, id: &str, reason: FailureReason, step: &mut Step) {
        let Some(pending) = self.outbox.remove(id) else {
            return;
        };
        let kind = pending.notice.target.kind.clone();
        *step.counts.failed.entry((kind, reason.name())).or_default() += 1;
        step.rows.push(Row::DeleteNotice(id.to_owned()));
        self.leave_round(Timestamp::MIN, &pending.notice, true, step);
    }

    /// A notification of a group's look is done with.
    fn leave_round(&mut self, now: Timestamp, notice: &Notice, failed: bool, step: &mut Step) {
        let Some(mut group) = self.groups.remove(&notice.group_id) else {
            return;
        };
        let mut done = None;
        if let Some(round) = &mut group.round {
            round.waiting.remove(&notice.id);
            round.failed |= failed;
            if round.waiting.is_empty() {
                done = group.round.take();
            }
        }
        if let Some(round) = done {
            if !round.failed {
                self.finish_round(&notice.group_id, &mut group, &round, step);
            }
            if round.again && now != Timestamp::MIN {
                group.next_flush = now;
                let id = notice.group_id.clone();
                step.rows.push(Row::PutGroup(id, now));
            }
        }
        if group.members.is_empty() {
            step.rows.push(Row::DeleteGroup(notice.group_id.clone()));
        } else {
            self.groups.insert(notice.group_id.clone(), group);
        }
    }

    /// Has a group looked at without waiting for its interval.
    fn look_again(&mut self, now: Timestamp, group_id: &str, step: &mut Step) {
        if let Some(group) = self.groups.get_mut(group_id) {
            group.next_flush = now;
            step.rows.push(Row::PutGroup(group_id.to_owned(), now));
        }
    }

    /// Drops notifications whose group or integration is not configured any more.
    pub(super) fn drop_orphans(&mut self, step: &mut Step) {
        let orphans: Vec<String> = self
            .outbox
            .values()
            .filter(|pending| {
                let target = &pending.notice.target;
                let known = self
                    .integrations(&target.receiver)
                    .iter()
                    .any(|i| i.kind == target.kind && i.index == target.index);
                !known || !self.groups.contains_key(&pending.notice.group_id)
            })
            .map(|pending| pending.notice.id.clone())
            .collect();
        for id in orphans {
            self.give_up(&id, FailureReason::Canceled, step);
        }
    }
}
