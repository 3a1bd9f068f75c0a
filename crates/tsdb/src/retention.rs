//! Which blocks go: too old, or too many bytes.
//!
//! Age counts from the newest data, and never from a wall clock that has just jumped: a wrong date for
//! an hour must not cost a year of data.

use crate::block::BlockMeta;
use model::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// A wall clock that differs from the elapsed time by more than this has jumped.
const JUMP_MS: i64 = 3_600_000;

/// After this long a jump is taken for a correction.
const JUMP_BELIEVED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A wall clock with doubts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrustedClock {
    wall: Timestamp,
    monotonic: Duration,
    doubt_since: Option<Duration>,
}

impl TrustedClock {
    pub(crate) const fn new(wall: Timestamp, monotonic: Duration) -> Self {
        Self {
            wall,
            monotonic,
            doubt_since: None,
        }
    }

    /// Begins beside data whose newest sample has this time. Far behind it, the date may be wrong or the server may have
    /// rested: that is told by time alone.
    pub(crate) fn beside(newest: Option<Timestamp>, wall: Timestamp, monotonic: Duration) -> Self {
        match newest {
            Some(newest) if wall.millis_since(newest) > JUMP_MS => {
                tracing::info!("no samples between {newest} and {wall}; retention waits a day");
                Self {
                    wall: newest,
                    monotonic,
                    doubt_since: Some(monotonic),
                }
            }
            Some(_) | None => Self::new(wall, monotonic),
        }
    }

    /// What time it is as far as deleting data is concerned.
    pub(crate) fn now(&mut self, wall: Timestamp, monotonic: Duration) -> Timestamp {
        let elapsed = monotonic.saturating_sub(self.monotonic).as_millis();
        let expected = self
            .wall
            .plus_millis(i64::try_from(elapsed).unwrap_or(i64::MAX));
        let jumped = wall.millis_since(expected).saturating_abs() > JUMP_MS;
        if jumped && self.doubt_since.is_none() {
            tracing::warn!("the clock jumped from {expected} to {wall}; retention waits");
        }
        if jumped {
            let since = *self.doubt_since.get_or_insert(monotonic);
            if monotonic.saturating_sub(since) < JUMP_BELIEVED_AFTER {
                return expected;
            }
        }
        *self = Self::new(wall, monotonic);
        wall
    }
}

/// What may be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Data that ends before this is too old.
    pub(crate) oldest: Option<i64>,
    /// Bytes for all blocks.
    pub(crate) bytes: Option<u64>,
}

/// So many percent of all bytes.
pub(crate) fn share_of(bytes: u64, percentage: f64) -> u64 {
    let share = model::number::u64_to_float(bytes) * percentage / 100.0;
    u64::try_from(model::number::float_to_i64(share)).unwrap_or_default()
}

/// The numbers of the blocks to remove.
pub(crate) fn expired(blocks: &[BlockMeta], limits: Limits) -> BTreeSet<u64> {
    let too_old = |block: &&BlockMeta| limits.oldest.is_some_and(|oldest| block.end < oldest);
    let mut removed: BTreeSet<u64> = blocks.iter().filter(too_old).map(|b| b.id).collect();
    let Some(bytes_max) = limits.bytes else {
        return removed;
    };
    let mut kept: Vec<&BlockMeta> = blocks.iter().filter(|b| !removed.contains(&b.id)).collect();
    kept.sort_by_key(|block| block.end);
    let mut bytes: u64 = kept.iter().map(|block| block.bytes).sum();
    for block in kept {
        if bytes <= bytes_max {
            break;
        }
        bytes -= block.bytes;
        removed.insert(block.id);
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::{Limits, TrustedClock, expired};
    use crate::block::BlockMeta;
    use model::Timestamp;
    use std::time::Duration;

    #[test]
    fn removes_the_oldest() {
        let block = |id: u64, end, bytes| BlockMeta {
            id,
            order: id,
            window_ms: 0,
            start: end - 10,
            end,
            series: 1,
            samples: 1,
            bytes,
        };
        let blocks = [block(1, 100, 5), block(2, 300, 5), block(3, 200, 5)];
        let check = |oldest, bytes, want: &[u64]| {
            let removed = expired(&blocks, Limits { oldest, bytes });
            assert_eq!(removed.into_iter().collect::<Vec<_>>(), want);
        };
        check(None, None, &[]);
        check(Some(100), None, &[]);
        check(Some(101), None, &[1]);
        check(None, Some(15), &[]);
        check(None, Some(14), &[1]);
        check(None, Some(9), &[1, 3]);
        check(Some(101), Some(10), &[1]);
        check(Some(1000), Some(0), &[1, 2, 3]);
    }

    #[test]
    fn doubts_a_clock_that_jumps() {
        let (hour, day) = (3_600_000, 86_400_000);
        let at = Timestamp::from_millis;
        let elapsed = |millis: i64| Duration::from_millis(millis.unsigned_abs());
        let mut clock = TrustedClock::new(at(0), elapsed(0));
        assert_eq!(clock.now(at(hour), elapsed(hour)), at(hour));
        let jumped = clock.now(at(400 * day), elapsed(2 * hour));
        assert_eq!(jumped, at(2 * hour), "a year in an hour is not believed");
        assert_eq!(
            clock.now(at(3 * hour), elapsed(3 * hour)),
            at(3 * hour),
            "back again"
        );
        let _doubted = clock.now(at(400 * day), elapsed(4 * hour));
        let believed = clock.now(at(401 * day), elapsed(28 * hour));
        assert_eq!(believed, at(401 * day), "after a day it is");
    }

    #[test]
    fn a_date_far_behind_the_data_is_believed_after_a_day() {
        let at = Timestamp::from_millis;
        let elapsed = |ms: i64| Duration::from_millis(u64::try_from(ms).expect("positive"));
        let (hour, day) = (3_600_000, 24 * 3_600_000);
        let begin = |newest: Option<i64>| {
            TrustedClock::beside(newest.map(at), at(400 * day), Duration::ZERO)
        };
        let check = |newest, after: i64, want: i64| {
            let now = begin(newest).now(at(400 * day + after), elapsed(after));
            assert_eq!(now, at(want), "{newest:?} {after}");
        };
        check(None, hour, 400 * day + hour);
        check(Some(400 * day - hour), hour, 400 * day + hour);
        check(Some(500 * day), hour, 400 * day + hour);
        check(Some(0), hour, hour);
        check(Some(0), day, 401 * day);
        // It was wrong and is right again.
        assert_eq!(
            begin(Some(0)).now(at(2 * hour), elapsed(hour)),
            at(2 * hour)
        );
    }
}
