//! When to scrape: each target at its own moment of the interval, timestamps on a grid.

use model::Timestamp;

/// Timers are late by a millisecond or two; a timestamp that is at most so late is taken as on time, which
/// the store packs much better. Prometheus does the same.
const TOLERANCE_MS: i64 = 2;

/// Milliseconds until a target's first scrape.
///
/// `hash` chooses the moment within the interval; it is counted from the epoch, so that a restart
/// scrapes at the same moments as before.
#[must_use]
pub(crate) fn first_delay_ms(now: Timestamp, interval_ms: i64, hash: u64) -> i64 {
    let interval = interval_ms.max(1);
    let offset = i64::try_from(hash % interval.unsigned_abs()).unwrap_or_default();
    (offset - now.millis()).rem_euclid(interval)
}

/// Puts the timestamps of a target's scrapes on a grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    base: Timestamp,
    interval_ms: i64,
}

impl Grid {
    /// Makes a grid that begins now.
    pub(crate) fn new(now: Timestamp, interval_ms: i64) -> Self {
        Self {
            base: now,
            interval_ms: interval_ms.max(1),
        }
    }

    /// The timestamp of a scrape that begins now. A clock that was set back begins a new grid.
    pub(crate) fn align(&mut self, now: Timestamp) -> Timestamp {
        let elapsed = now.millis_since(self.base);
        if elapsed < 0 {
            self.base = now;
            return now;
        }
        let late = elapsed % self.interval_ms;
        self.base = now.plus_millis(-late);
        if late <= TOLERANCE_MS.min(self.interval_ms / 100) {
            return self.base;
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::{Grid, first_delay_ms};
    use model::Timestamp;

    #[test]
    fn spreads_targets() {
        let check = |now, interval, hash, want| {
            assert_eq!(
                first_delay_ms(Timestamp::from_millis(now), interval, hash),
                want
            );
        };
        check(0, 1000, 300, 300);
        check(300, 1000, 300, 0);
        check(301, 1000, 300, 999);
        check(1_000_000, 60_000, u64::MAX, 11_615);
        check(-5, 10, 0, 5);
    }

    #[test]
    fn aligns_timestamps() {
        let at = Timestamp::from_millis;
        let mut grid = Grid::new(at(1000), 500);
        let mut check = |now, want| assert_eq!(grid.align(at(now)), at(want), "{now}");
        check(1000, 1000);
        check(1501, 1500);
        check(2002, 2000);
        check(2530, 2530); // too late to be called on time
        check(3000, 3000);
        check(5001, 5000); // ticks were missed
        check(400, 400); // the clock was set back
        check(901, 900);
    }
}
