//! The outbox: which notifications are attempted now, and what follows from the outcome.

use super::{Machine, Step};
use crate::notice::{FailureReason, Notice, Outcome, Target, backoff_ms};
use crate::rows::{Attempt, Row};
use model::Timestamp;
use std::collections::BTreeSet;

impl Machine {
    /// Takes out the notifications whose attempt is due and marks them as being attempted.
    ///
    /// To be called after their rows are stored.
    pub fn start_due(&mut self, now: Timestamp) -> Vec<Notice> {
        self.outbox.start_due(now)
    }

    /// How many attempts are being made.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.outbox.in_flight()
    }

    /// By how much the attempt that lasts longest exceeds its time.
    #[must_use]
    pub fn attempt_late_ms(&self, now: Timestamp) -> i64 {
        let late = self.outbox.iter().filter_map(|pending| {
            let end = pending.notice.deadline.max(pending.started_at?);
            Some(now.millis_since(end))
        });
        late.max().unwrap_or(0).max(0)
    }

    /// Takes note of how an attempt ended.
    pub(super) fn delivered(
        &mut self,
        now: Timestamp,
        id: &str,
        outcome: Outcome,
        step: &mut Step,
    ) {
        step.ended.push(id.to_owned());
        let Some((notice, started_at)) = self.outbox.end_attempt(id) else {
            return;
        };
        let mut attempt = Attempt::of(&notice, now);
        match outcome {
            Outcome::Delivered(memory) => {
                step.record(attempt, &notice);
                self.log_arrival(now, &notice, memory, step);
                step.rows.push(Row::DeleteNotice(id.to_owned()));
                self.leave_round(now, &notice, false, step);
                self.arrived(now, &notice.target, step);
            }
            Outcome::Retry {
                error,
                reason,
                after_ms,
            } => {
                attempt.error = Some(error.clone());
                step.record(attempt, &notice);
                let wait_ms = backoff_ms(notice.attempts).max(after_ms.unwrap_or(0));
                let next_attempt = now.plus_millis(wait_ms);
                let given_up = now >= notice.deadline;
                if given_up {
                    self.dropped(now, &notice, reason, step);
                    self.look_again(now, &notice.group_id, step);
                } else {
                    let notice = Notice {
                        next_attempt: next_attempt.min(notice.deadline),
                        ..notice.clone()
                    };
                    step.rows.push(Row::PutNotice(notice.clone()));
                    self.outbox.add(notice);
                }
                if !self.has_arrived_since(&notice.target, started_at) {
                    self.failed(now, &notice, (&error, given_up), step);
                }
            }
            Outcome::Failed { error, reason } => {
                attempt.error = Some(error.clone());
                step.record(attempt, &notice);
                self.dropped(now, &notice, reason, step);
                self.failed(now, &notice, (&error, true), step);
            }
        }
    }

    /// Drops a notification that did not arrive. The log does not know of it, so the next look at the group
    /// makes another one if it is still called for.
    pub(super) fn give_up(
        &mut self,
        now: Timestamp,
        id: &str,
        reason: FailureReason,
        step: &mut Step,
    ) {
        if let Some(pending) = self.outbox.remove(id) {
            self.dropped(now, &pending.notice, reason, step);
        }
    }

    /// What follows for a notification that is in the outbox no more and did not arrive.
    fn dropped(&mut self, now: Timestamp, notice: &Notice, reason: FailureReason, step: &mut Step) {
        let kind = notice.target.kind.clone();
        *step.counts.failed.entry((kind, reason.name())).or_default() += 1;
        step.rows.push(Row::DeleteNotice(notice.id.clone()));
        if notice.attempts > 0 && reason != FailureReason::Canceled {
            for fingerprint in &notice.firing {
                // What ended meanwhile misses nobody, and nothing would take it off the list.
                let alert = self.alerts.get(*fingerprint);
                if alert.is_none_or(|alert| alert.is_resolved_at(now)) {
                    continue;
                }
                let targets = self.unheard.entry(*fingerprint).or_default();
                if targets.insert(notice.target.clone()) {
                    let target = notice.target.clone();
                    step.rows.push(Row::PutUnheard(*fingerprint, target));
                }
            }
        }
        self.leave_round(Timestamp::MIN, notice, true, step);
    }

    /// Somebody was told of these alerts, or they ended.
    pub(super) fn heard(&mut self, fingerprints: impl Iterator<Item = u64>, step: &mut Step) {
        for fingerprint in fingerprints {
            if self.unheard.remove(&fingerprint).is_some() {
                step.rows.push(Row::DeleteUnheard(fingerprint));
            }
        }
    }

    /// Takes alerts off the list of those nobody heard of that are not known any more, have ended, or do not go
    /// to who could not be told.
    pub(super) fn clean_unheard(&mut self, now: Timestamp, step: &mut Step) {
        for (fingerprint, targets) in std::mem::take(&mut self.unheard) {
            let alert = self.alerts.get(fingerprint);
            let alert = alert.filter(|alert| !alert.is_resolved_at(now));
            let nodes = alert.map_or_else(Vec::new, |alert| self.routes_of(&alert.labels));
            let goes_to = |target: &&Target| {
                self.is_configured(target) && nodes.iter().any(|n| n.receiver == target.receiver)
            };
            let kept: BTreeSet<Target> = targets.iter().filter(goes_to).cloned().collect();
            if kept.len() < targets.len() {
                step.rows.push(Row::DeleteUnheard(fingerprint));
                let rows = kept.iter().cloned();
                step.rows
                    .extend(rows.map(|target| Row::PutUnheard(fingerprint, target)));
            }
            if !kept.is_empty() {
                self.unheard.insert(fingerprint, kept);
            }
        }
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
        if self.groups.change(group_id, |group| group.next_flush = now) {
            step.rows.push(Row::PutGroup(group_id.to_owned(), now));
        }
    }

    /// Drops notifications whose group or integration is not configured any more.
    pub(super) fn drop_orphans(&mut self, now: Timestamp, step: &mut Step) {
        let orphans: Vec<String> = self
            .outbox
            .iter()
            .filter(|pending| {
                let notice = &pending.notice;
                !self.is_configured(&notice.target) || !self.groups.contains(&notice.group_id)
            })
            .map(|pending| pending.notice.id.clone())
            .collect();
        for id in orphans {
            self.give_up(now, &id, FailureReason::Canceled, step);
        }
    }
}
