//! A clock that was set: everything that is relative to it moves along, so that nothing is late, nothing comes
//! twice, and no alert ends because its source's words seem old.
//!
//! Silences and time intervals do not move: they are meant by the clock on the wall.

use super::{Machine, Step};
use crate::rows::Row;
use model::{Alert, Timestamp};

impl Machine {
    /// Moves moments by as much as the clock was set.
    pub(super) fn clock_set(&mut self, now: Timestamp, by_ms: i64, step: &mut Step) {
        let alerts: Vec<(u64, Alert)> = self
            .alerts
            .map()
            .iter()
            .map(|(f, a)| (*f, a.clone()))
            .collect();
        for (fingerprint, mut alert) in alerts {
            alert.ends_at = alert.ends_at.plus_millis(by_ms);
            alert.updated_at = alert.updated_at.plus_millis(by_ms);
            alert.starts_at = alert.starts_at.min(alert.ends_at);
            step.rows.push(Row::PutAlert(alert.clone()));
            self.alerts.insert(fingerprint, alert);
        }
        let ids: Vec<String> = self.groups.iter().map(|(id, _)| id.clone()).collect();
        for id in ids {
            let mut moment = now;
            self.groups.change(&id, |group| {
                group.next_flush = group.next_flush.plus_millis(by_ms);
                moment = group.next_flush;
                let ended = group.round.iter_mut().flat_map(|round| &mut round.resolved);
                for (_, updated_at) in ended {
                    *updated_at = updated_at.plus_millis(by_ms);
                }
            });
            step.rows.push(Row::PutGroup(id, moment));
        }
        self.outbox.shift(by_ms);
        let notices = self.outbox.iter().map(|pending| &pending.notice);
        step.rows
            .extend(notices.map(|notice| Row::PutNotice(notice.clone())));
        for ((group_key, target), entry) in &mut self.log {
            entry.at = entry.at.plus_millis(by_ms);
            entry.expires_at = entry.expires_at.plus_millis(by_ms);
            step.rows.push(Row::PutLog(
                group_key.clone(),
                target.clone(),
                entry.clone(),
            ));
        }
        for (target, failing) in &mut self.failing {
            failing.at = failing.at.plus_millis(by_ms);
            failing.since = failing.since.min(failing.at);
            step.rows
                .push(Row::PutFailing(target.clone(), failing.clone()));
        }
        for at in self.arrived_at.values_mut() {
            *at = at.plus_millis(by_ms);
        }
        self.flaps.shift(by_ms);
        self.next_trim = Timestamp::MIN;
        self.next_recurrence = Timestamp::MIN;
        self.next_review = Timestamp::MIN;
        self.next_cleaning = Timestamp::MIN;
    }
}
