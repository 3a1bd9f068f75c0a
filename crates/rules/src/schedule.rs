//! When a group is evaluated: at fixed moments that its file and name decide by the hash that Prometheus uses, so that groups spread
//! over the interval and keep their moments across restarts.

use crate::group::GroupKey;
use model::{Labels, Timestamp};

/// In a millisecond.
const NANOSECONDS: u64 = 1_000_000;

/// The moments of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    interval_ms: i64,
    /// Where in the interval the moments lie.
    offset_ms: i64,
    next: Timestamp,
}

/// An evaluation that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// The moment that counts as the evaluation's.
    pub(crate) at: Timestamp,
    /// Moments before it that passed without an evaluation.
    pub(crate) missed: u64,
}

impl Schedule {
    /// Makes the schedule of a group; its first moment is the next one after `now`.
    pub(crate) fn new(key: &GroupKey, interval_ms: i64, now: Timestamp) -> Self {
        let identity = Labels::from_pairs([("file", &key.file), ("name", &key.name)]);
        let interval_ms = interval_ms.max(1);
        // Upstream counts in nanoseconds; its moments, too, are kept in whole milliseconds.
        let interval_ns = interval_ms.unsigned_abs().saturating_mul(NANOSECONDS);
        let spread = identity.hash_as_upstream() % interval_ns / NANOSECONDS;
        let offset_ms = i64::try_from(spread).unwrap_or_default();
        let mut schedule = Self {
            interval_ms,
            offset_ms,
            next: now,
        };
        schedule.next = schedule.slot_before(now).plus_millis(interval_ms);
        schedule
    }

    /// The last moment that is not after `now`.
    fn slot_before(&self, now: Timestamp) -> Timestamp {
        let since_slot = now
            .plus_millis(-self.offset_ms)
            .millis()
            .rem_euclid(self.interval_ms);
        now.plus_millis(-since_slot)
    }

    /// Between two moments.
    pub(crate) const fn interval_ms(&self) -> i64 {
        self.interval_ms
    }

    /// The next moment.
    pub(crate) const fn next(&self) -> Timestamp {
        self.next
    }

    /// Takes the evaluation that is due at `now`, if one is, and moves on to the next moment.
    ///
    /// A clock that was set back does not stop a group: its moments are found anew.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<Due> {
        if self.next.millis_since(now) > self.interval_ms {
            self.next = self.slot_before(now).plus_millis(self.interval_ms);
        }
        if now < self.next {
            return None;
        }
        let missed = now.millis_since(self.next) / self.interval_ms;
        let at = self.next.plus_millis(missed * self.interval_ms);
        self.next = at.plus_millis(self.interval_ms);
        Some(Due {
            at,
            missed: u64::try_from(missed).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use crate::group::GroupKey;
    use model::Timestamp;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn keeps_its_moments() {
        let key = GroupKey {
            file: "f.yml".to_owned(),
            name: "g".to_owned(),
        };
        let mut schedule = Schedule::new(&key, 1000, at(1_700_000_000_123));
        let first = schedule.next();
        assert!(first > at(1_700_000_000_123) && first <= at(1_700_000_001_123));
        let again = Schedule::new(&key, 1000, at(1_700_000_987_654));
        assert_eq!(again.next().millis_since(first) % 1000, 0);

        assert_eq!(schedule.take_due(first.plus_millis(-1)), None);
        let due = schedule.take_due(first.plus_millis(7)).expect("due");
        assert_eq!((due.at, due.missed), (first, 0));
        assert_eq!(schedule.next(), first.plus_millis(1000));
    }

    #[test]
    fn counts_what_it_missed_and_survives_a_clock_set_back() {
        let key = GroupKey {
            file: "f.yml".to_owned(),
            name: "g".to_owned(),
        };
        let mut schedule = Schedule::new(&key, 1000, at(1_700_000_000_000));
        let first = schedule.next();
        let due = schedule.take_due(first.plus_millis(3500)).expect("due");
        assert_eq!((due.at, due.missed), (first.plus_millis(3000), 3));
        let back = first.plus_millis(-3_600_000);
        assert_eq!(schedule.take_due(back.plus_millis(1)), None);
        assert_eq!(schedule.next(), back.plus_millis(1000));
    }
}
