//! The notifications on their way, found by what is asked for: when, to whom, of which group.
//!
//! Every question is answered without looking at all of them: a dead receiver may have thousands waiting.

use crate::notice::{Notice, Target};
use model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Attempts at once to one integration: a slow receiver delays nobody else. A place is free again when the
/// outcome is on disk, so that a slow disk and a thousand groups a second need this many.
pub(super) const IN_FLIGHT_PER_TARGET_MAX: usize = 32;
/// Attempts at once at all.
pub const IN_FLIGHT_MAX: usize = 512;

/// A notification and whether an attempt is being made.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) notice: Notice,
    /// Since when it is being attempted.
    pub(super) started_at: Option<Timestamp>,
}

impl Pending {
    /// Where it stands among those of its target.
    fn place(&self) -> (Timestamp, Timestamp, String) {
        let notice = &self.notice;
        (notice.next_attempt, notice.created_at, notice.id.clone())
    }
}

/// Those of one target: what waits in order, and how many are being attempted.
#[derive(Debug, Default)]
struct Line {
    waiting: BTreeSet<(Timestamp, Timestamp, String)>,
    in_flight: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    by_id: BTreeMap<String, Pending>,
    by_group: BTreeMap<String, BTreeSet<String>>,
    lines: BTreeMap<Target, Line>,
    in_flight: usize,
}

impl Outbox {
    /// How many attempts are being made.
    pub(super) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// All, in order of their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.by_id.values()
    }

    /// Those of one group.
    pub(super) fn of_group<'a>(&'a self, group_id: &str) -> impl Iterator<Item = &'a Pending> {
        let ids = self.by_group.get(group_id).into_iter().flatten();
        ids.filter_map(|id| self.by_id.get(id))
    }

    /// Adds one that waits.
    pub(super) fn add(&mut self, notice: Notice) {
        self.remove(&notice.id.clone());
        let pending = Pending {
            notice,
            started_at: None,
        };
        let notice = &pending.notice;
        let ids = self.by_group.entry(notice.group_id.clone()).or_default();
        ids.insert(notice.id.clone());
        let line = self.lines.entry(notice.target.clone()).or_default();
        line.waiting.insert(pending.place());
        self.by_id.insert(notice.id.clone(), pending);
    }

    /// Takes one out, whether it waits or is being attempted.
    pub(super) fn remove(&mut self, id: &str) -> Option<Pending> {
        let pending = self.by_id.remove(id)?;
        self.leave_line(&pending);
        let group_id = &pending.notice.group_id;
        if let Some(ids) = self.by_group.get_mut(group_id) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_group.remove(group_id);
            }
        }
        Some(pending)
    }

    fn leave_line(&mut self, pending: &Pending) {
        let target = &pending.notice.target;
        let Some(line) = self.lines.get_mut(target) else {
            return;
        };
        if pending.started_at.is_some() {
            line.in_flight -= 1;
            self.in_flight -= 1;
        } else {
            line.waiting.remove(&pending.place());
        }
        if line.in_flight == 0 && line.waiting.is_empty() {
            self.lines.remove(target);
        }
    }

    /// Takes one out whose attempt ended, with when that began; nothing where none was being made.
    pub(super) fn end_attempt(&mut self, id: &str) -> Option<(Notice, Timestamp)> {
        let started_at = self.by_id.get(id)?.started_at?;
        let mut notice = self.remove(id)?.notice;
        notice.attempts = notice.attempts.saturating_add(1);
        Some((notice, started_at))
    }

    /// The one of this id.
    pub(super) fn get(&self, id: &str) -> Option<&Notice> {
        self.by_id.get(id).map(|pending| &pending.notice)
    }

    /// Takes note that one is being attempted since a moment, though this machine did not start it.
    pub(super) fn resume(&mut self, id: &str, since: Timestamp) {
        if let Some(waiting) = self.by_id.get(id).filter(|p| p.started_at.is_none()) {
            let place = waiting.place();
            self.start(since, &place);
        }
    }

    /// Marks what is due as being attempted and answers it, what waited longest first. Each target has a share
    /// of its own.
    pub(super) fn start_due(&mut self, now: Timestamp) -> Vec<Notice> {
        let free = IN_FLIGHT_MAX.saturating_sub(self.in_flight);
        let mut due: Vec<_> = self
            .lines
            .values()
            .flat_map(|line| {
                let free = IN_FLIGHT_PER_TARGET_MAX.saturating_sub(line.in_flight);
                line.waiting.iter().take(free)
            })
            .filter(|(next_attempt, ..)| *next_attempt <= now)
            .cloned()
            .collect();
        due.sort();
        due.truncate(free);
        due.into_iter()
            .filter_map(|place| self.start(now, &place))
            .collect()
    }

    fn start(&mut self, now: Timestamp, place: &(Timestamp, Timestamp, String)) -> Option<Notice> {
        let pending = self.by_id.get_mut(&place.2)?;
        pending.started_at = Some(now);
        let line = self.lines.get_mut(&pending.notice.target)?;
        line.waiting.remove(place);
        line.in_flight += 1;
        self.in_flight += 1;
        Some(pending.notice.clone())
    }

    /// When the next attempt can begin, if one can before another ends.
    pub(super) fn next_moment(&self) -> Option<Timestamp> {
        if self.in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        let free = self
            .lines
            .values()
            .filter(|line| line.in_flight < IN_FLIGHT_PER_TARGET_MAX);
        free.filter_map(|line| line.waiting.first())
            .map(|(next_attempt, ..)| *next_attempt)
            .min()
    }

    /// Moves everything that waits by so many milliseconds, as a clock that was set did.
    pub(super) fn shift(&mut self, by_ms: i64) {
        let all: Vec<Pending> = self.by_id.values().cloned().collect();
        for mut pending in all {
            let notice = &mut pending.notice;
            notice.created_at = notice.created_at.plus_millis(by_ms);
            notice.deadline = notice.deadline.plus_millis(by_ms);
            notice.next_attempt = notice.next_attempt.plus_millis(by_ms);
            if let Some(at) = pending.started_at {
                pending.started_at = Some(at.plus_millis(by_ms));
                self.by_id.insert(pending.notice.id.clone(), pending);
            } else {
                self.add(pending.notice);
            }
        }
    }
}

#[cfg(test)]
mod tests;
