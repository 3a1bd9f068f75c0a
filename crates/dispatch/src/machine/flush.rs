//! Looking at a group: who must be told what.

use super::outbox::Pending;
use super::{Group, Machine, Round, Step};
use crate::alert;
use crate::notice::{ALERTS_MAX, FailureReason, LogEntry, Notice, NoticeAlert, Question, Target};
use crate::rows::Row;
use model::{Alert, Timestamp};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The shortest time a notification gets before it is given up.
const TIMEOUT_MIN_MS: i64 = 10_000;
/// A log entry is forgotten after this time at the latest.
const LOG_RETENTION_MS: i64 = 120 * 3_600_000;

/// The alerts of a group at one moment, those that are muted left out.
struct Look {
    alerts: Vec<NoticeAlert>,
    firing: BTreeSet<u64>,
    resolved: BTreeSet<u64>,
}

impl Machine {
    /// Looks at every group whose moment has come.
    pub(super) fn flush_due(&mut self, now: Timestamp, step: &mut Step) {
        let sequence = self.sequence;
        for id in self.groups.due(now) {
            if let Some(mut group) = self.groups.remove(&id) {
                if self.flush(now, &id, &mut group, step) {
                    step.rows.push(Row::PutGroup(id.clone(), group.next_flush));
                    self.groups.insert(id, group);
                } else {
                    step.rows.push(Row::DeleteGroup(id));
                }
            }
        }
        if self.sequence != sequence {
            step.rows.push(Row::PutSequence(self.sequence));
        }
    }

    /// Looks at one group; answers whether it goes on.
    fn flush(&mut self, now: Timestamp, id: &str, group: &mut Group, step: &mut Step) -> bool {
        group.next_flush = now.plus_millis(group.node.group_interval_ms);
        let members: Vec<Alert> = group
            .members
            .iter()
            .filter_map(|fingerprint| self.alerts.get(*fingerprint).cloned())
            .collect();
        let ended: BTreeMap<u64, Timestamp> = members
            .iter()
            .map(|alert| (alert.labels.fingerprint(), alert))
            .filter(|(fingerprint, alert)| alert.is_resolved_at(now) && !self.is_held(*fingerprint))
            .map(|(fingerprint, alert)| (fingerprint, alert.updated_at))
            .collect();
        group.muted_by = self.muted_times(group, now);
        let look = self.look(now, group, members, step);
        let mut round = Round {
            resolved: ended,
            ..Round::default()
        };
        // What is still being attempted from the last look counts into this one. It does not tell what
        // happened since, so the group is looked at again when it is over.
        let in_flight: BTreeSet<String> = self
            .outbox
            .of_group(id)
            .filter(|pending| pending.started_at.is_some())
            .map(|pending| pending.notice.id.clone())
            .collect();
        if !look.alerts.is_empty() {
            round.waiting = self.tell(now, (id, group), &look, step);
        }
        round.failed = !in_flight.is_empty();
        round.again = round.failed;
        round.waiting.extend(in_flight);
        if round.waiting.is_empty() {
            self.finish_round(id, group, &round, step);
            group.round = None;
        } else {
            group.round = Some(round);
        }
        !group.members.is_empty()
    }

    /// Lets the alerts that had ended, and were not reported since, leave the group.
    pub(super) fn finish_round(&self, id: &str, group: &mut Group, round: &Round, step: &mut Step) {
        for (fingerprint, updated_at) in &round.resolved {
            let unchanged = self
                .alerts
                .get(*fingerprint)
                .is_none_or(|alert| alert.updated_at == *updated_at);
            if unchanged && group.members.remove(fingerprint) {
                step.rows
                    .push(Row::DeleteMember(id.to_owned(), *fingerprint));
            }
        }
    }

    /// Sorts out what is muted, in upstream's order: inhibition, times, silences.
    fn look(&self, now: Timestamp, group: &Group, members: Vec<Alert>, step: &mut Step) -> Look {
        let counted = &mut step.counts.suppressed;
        let mut suppressed = |reason: &'static str, count: usize| {
            if count > 0 {
                *counted.entry(reason).or_default() += u64::try_from(count).unwrap_or(u64::MAX);
            }
        };
        let all = members.len();
        let mut alerts = members;
        alerts.retain(|alert| {
            self.inhibitor
                .muted_by(&alert.labels, self.alerts.map(), now)
                .is_none()
        });
        suppressed("inhibition", all - alerts.len());
        if !group.muted_by.is_empty() {
            suppressed("mute_time_interval", alerts.len());
            alerts.clear();
        }
        let loud = alerts.len();
        step.counts.silence_queries += u64::try_from(loud).unwrap_or(u64::MAX);
        alerts.retain(|alert| self.silences.muting(&alert.labels, now).is_empty());
        suppressed("silence", loud - alerts.len());
        alert::sort(&mut alerts);
        let mut look = Look {
            alerts: Vec::with_capacity(alerts.len()),
            firing: BTreeSet::new(),
            resolved: BTreeSet::new(),
        };
        for mut alert in alerts {
            let fingerprint = alert.labels.fingerprint();
            let ended = alert.is_resolved_at(now);
            let resolved = ended && !self.is_held(fingerprint);
            if ended && !resolved {
                // It flaps: for receivers it fires on, if they know of it.
                if !self.is_told(group, fingerprint) {
                    continue;
                }
                alert.ends_at = now.plus_millis(group.node.group_interval_ms);
            }
            let set = if resolved {
                &mut look.resolved
            } else {
                &mut look.firing
            };
            set.insert(fingerprint);
            look.alerts.push(NoticeAlert { alert, resolved });
        }
        look
    }

    /// Whether somebody was told that an alert of a group fires.
    fn is_told(&self, group: &Group, fingerprint: u64) -> bool {
        let receiver = &group.node.receiver;
        self.integrations(receiver).iter().any(|integration| {
            let target = integration.target(receiver);
            let entry = self.log.get(&(group.key.clone(), target));
            entry.is_some_and(|entry| entry.firing.contains(&fingerprint))
        })
    }

    /// Makes notifications for the integrations that must be told; answers their ids.
    fn tell(
        &mut self,
        now: Timestamp,
        (id, group): (&str, &Group),
        look: &Look,
        step: &mut Step,
    ) -> BTreeSet<String> {
        let mut waiting = BTreeSet::new();
        let receiver = group.node.receiver.clone();
        let integrations: Vec<(Target, bool)> = self
            .integrations(&receiver)
            .iter()
            .map(|integration| (integration.target(&receiver), integration.send_resolved))
            .collect();
        for (target, send_resolved) in integrations {
            let Some(failed_before) = self.supersede(now, (id, &target), step) else {
                continue;
            };
            let log_key = (group.key.clone(), target.clone());
            step.counts.log_queries += 1;
            let question = Question {
                entry: self.log.get(&log_key),
                firing: &look.firing,
                resolved: &look.resolved,
                send_resolved,
                repeat_interval_ms: group.node.repeat_interval_ms,
            };
            let Some(reason) = question.answer(now) else {
                continue;
            };
            self.sequence += 1;
            let mut notice = notice(now, (id, group), target, look, reason);
            notice.id = notice_id(&notice, self.sequence);
            notice.failed_before = failed_before;
            if !send_resolved && look.firing.is_empty() {
                // It does not want to hear of ends, but the log must know of them.
                self.log_arrival(now, &notice, Vec::new(), step);
                continue;
            }
            if !send_resolved {
                notice.alerts.retain(|alert| !alert.resolved);
            }
            notice.left_out = notice.alerts.len().saturating_sub(ALERTS_MAX);
            notice.alerts.truncate(ALERTS_MAX);
            if let Some(entry) = self.log.get(&log_key)
                && reason != crate::notice::Reason::FirstNotification
            {
                notice.memory.clone_from(&entry.memory);
            }
            let count = step.counts.notifications.entry(notice.target.kind.clone());
            *count.or_default() += 1;
            waiting.insert(notice.id.clone());
            step.rows.push(Row::PutNotice(notice.clone()));
            self.outbox.add(notice);
        }
        waiting
    }

    /// Drops a notification of an earlier look that has not arrived; answers how many attempts failed so far.
    /// Nothing where one is just being made, so that its outcome must be awaited.
    fn supersede(
        &mut self,
        now: Timestamp,
        (group_id, target): (&str, &Target),
        step: &mut Step,
    ) -> Option<u32> {
        let same = |pending: &&Pending| pending.notice.target == *target;
        let Some(older) = self.outbox.of_group(group_id).find(same) else {
            return Some(0);
        };
        if older.started_at.is_some() {
            return None;
        }
        let (id, failed) = (older.notice.id.clone(), older.notice.failed_in_a_row());
        self.give_up(now, &id, FailureReason::DeadlineExceeded, step);
        Some(failed)
    }

    /// Writes into the log that a notification arrived.
    pub(super) fn log_arrival(
        &mut self,
        now: Timestamp,
        notice: &Notice,
        memory: Vec<(String, String)>,
        step: &mut Step,
    ) {
        let kept_ms = notice
            .repeat_interval_ms
            .saturating_mul(2)
            .min(LOG_RETENTION_MS);
        let entry = LogEntry {
            at: now,
            expires_at: now.plus_millis(kept_ms),
            firing: notice.firing.clone(),
            resolved: notice.resolved.clone(),
            memory,
        };
        let key = (notice.group_key.clone(), notice.target.clone());
        step.rows
            .push(Row::PutLog(key.0.clone(), key.1.clone(), entry.clone()));
        self.log.insert(key, entry);
        self.heard(notice.firing.iter().copied(), step);
    }

    /// Names of the times that mute a group at `now`; empty where it is not muted.
    pub(super) fn muted_times(&self, group: &Group, now: Timestamp) -> Vec<String> {
        let within = |name: &&String| {
            let intervals = self.intervals.get(*name).map_or(&[][..], Vec::as_slice);
            intervals.iter().any(|interval| interval.contains(now))
        };
        let active = &group.node.active_time_intervals;
        if !active.is_empty() && !active.iter().any(|name| within(&name)) {
            return active.clone();
        }
        let muting = group.node.mute_time_intervals.iter().filter(within);
        muting.cloned().collect()
    }
}

fn notice(
    now: Timestamp,
    (id, group): (&str, &Group),
    target: Target,
    look: &Look,
    reason: crate::notice::Reason,
) -> Notice {
    let timeout_ms = group.node.group_interval_ms.max(TIMEOUT_MIN_MS);
    Notice {
        id: String::new(),
        group_id: id.to_owned(),
        group_key: group.key.clone(),
        group_labels: group.labels.clone(),
        route_labels: group.node.labels.clone(),
        target,
        reason,
        alerts: look.alerts.clone(),
        left_out: 0,
        firing: look.firing.clone(),
        resolved: look.resolved.clone(),
        created_at: now,
        deadline: now.plus_millis(timeout_ms),
        repeat_interval_ms: group.node.repeat_interval_ms,
        attempts: 0,
        failed_before: 0,
        next_attempt: now,
        memory: Vec::new(),
    }
}

/// A name that no other notification has, also where the clock was set back.
fn notice_id(notice: &Notice, sequence: u64) -> String {
    let (group_id, target, at) = (&notice.group_id, &notice.target, notice.created_at.millis());
    let text = format!("{group_id}\n{target}\n{at}\n{sequence}");
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
