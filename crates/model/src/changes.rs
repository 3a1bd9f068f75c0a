//! What changed in a store and when: answers that were computed from it are good until then.
//!
//! Time is cut into buckets of a minute; each remembers the number of the last change that touched it. A change is
//! marked once it can be read and before it is acknowledged: who takes the number of the last change, then reads,
//! and later finds no bucket with a higher one has read what he would read now. Memory is bounded: of the oldest
//! buckets only the highest number is kept, which makes more look changed than was, never less.

use crate::{TimeRange, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Length of a bucket in milliseconds.
const BUCKET_MS: i64 = 60_000;

/// Buckets that are told apart: eleven days of minutes.
const BUCKETS_MAX: usize = 1 << 14;

/// The changes of a store; see the module's page.
#[derive(Debug, Default)]
pub struct ChangeLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    buckets: BTreeMap<i64, u64>,
    /// Everything up to a bucket changed with a number: by changes too wide for single buckets, and in buckets
    /// that are no longer told apart.
    wide: Option<(i64, u64)>,
    forgotten: Option<(i64, u64)>,
}

impl ChangeLog {
    /// The number of the last change. Take it before reading.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.lock().last
    }

    /// Notes that samples in a range came, went or are read differently.
    pub fn mark(&self, range: TimeRange) {
        if range.start > range.end {
            return;
        }
        let (first, last) = (bucket(range.start), bucket(range.end));
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        let is_wide = usize::try_from(last - first).map_or(true, |wide| wide >= BUCKETS_MAX);
        if is_wide {
            let upto = state.wide.map_or(last, |(upto, _)| upto.max(last));
            state.wide = Some((upto, number));
            return;
        }
        for bucket in first..=last {
            state.buckets.insert(bucket, number);
        }
        while state.buckets.len() > BUCKETS_MAX {
            let Some((bucket, number)) = state.buckets.pop_first() else {
                break;
            };
            let highest = state
                .forgotten
                .map_or(number, |(_, known)| known.max(number));
            let upto = state.forgotten.map_or(bucket, |(upto, _)| upto.max(bucket));
            state.forgotten = Some((upto, highest));
        }
    }

    /// The parts of a range that may have changed after the change `number`, ascending and apart.
    #[must_use]
    pub fn since(&self, number: u64, range: TimeRange) -> Vec<TimeRange> {
        let mut parts: Vec<TimeRange> = Vec::new();
        if range.start > range.end {
            return parts;
        }
        let state = self.lock();
        if number >= state.last {
            return parts;
        }
        let upto = [state.wide, state.forgotten].into_iter().flatten();
        let upto = upto.filter(|(_, changed)| *changed > number);
        if let Some(upto) = upto.map(|(upto, _)| upto).max()
            && bucket(range.start) <= upto
        {
            parts.push(TimeRange {
                start: range.start,
                end: range.end.min(end_of(upto)),
            });
        }
        let inside = state.buckets.range(bucket(range.start)..=bucket(range.end));
        for (bucket, _) in inside.filter(|(_, changed)| **changed > number) {
            let part = TimeRange {
                start: start_of(*bucket).max(range.start),
                end: end_of(*bucket).min(range.end),
            };
            match parts.last_mut() {
                Some(last) if part.start.millis() <= last.end.millis().saturating_add(1) => {
                    last.end = last.end.max(part.end);
                }
                _ => parts.push(part),
            }
        }
        parts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn bucket(at: Timestamp) -> i64 {
    at.millis().div_euclid(BUCKET_MS)
}

const fn start_of(bucket: i64) -> Timestamp {
    Timestamp::from_millis(bucket.saturating_mul(BUCKET_MS))
}

const fn end_of(bucket: i64) -> Timestamp {
    Timestamp::from_millis(
        bucket
            .saturating_mul(BUCKET_MS)
            .saturating_add(BUCKET_MS - 1),
    )
}

#[cfg(test)]
mod tests {
    use super::{BUCKET_MS, BUCKETS_MAX, ChangeLog};
    use crate::{TimeRange, Timestamp};
    use proptest::prelude::*;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange {
            start: Timestamp::from_millis(start),
            end: Timestamp::from_millis(end),
        }
    }

    #[test]
    fn tells_what_changed_since() {
        let log = ChangeLog::default();
        let all = range(-1_000_000_000, 2_000_000_000_000);
        assert!(log.since(0, all).is_empty());
        log.mark(range(60_000, 60_001));
        log.mark(range(179_999, 180_000));
        assert_eq!(log.last(), 2);
        assert_eq!(log.since(0, range(0, 130_000)), [range(60_000, 130_000)]);
        assert_eq!(log.since(1, all), [range(120_000, 239_999)]);
        assert!(log.since(1, range(0, 119_999)).is_empty());
        log.mark(range(5, 4));
        assert!(log.since(2, all).is_empty());
        // A change of all times, and one of times long gone.
        log.mark(TimeRange::ALL);
        assert_eq!(log.since(2, all), [all]);
        let early = i64::try_from(BUCKETS_MAX).unwrap();
        for bucket in 0..early + 10 {
            log.mark(range(bucket * BUCKET_MS, bucket * BUCKET_MS));
        }
        let last = log.last();
        log.mark(range(0, 0));
        assert_eq!(
            log.since(last, all),
            [range(-1_000_000_000, 10 * BUCKET_MS - 1)]
        );
    }

    proptest! {
        #[test]
        fn no_change_is_missed(
            marks in prop::collection::vec((0_i64..3_000_000, 0_i64..400_000), 1..40),
            from in 0_usize..40,
        ) {
            let log = ChangeLog::default();
            for (start, length) in &marks {
                log.mark(range(*start, start + length));
            }
            let parts = log.since(from as u64, range(500_000, 2_500_000));
            for (start, length) in marks.iter().skip(from) {
                for at in [*start, start + length / 2, start + length] {
                    let at = Timestamp::from_millis(at);
                    let is_asked = range(500_000, 2_500_000).contains(at);
                    let is_told = parts.iter().any(|part| part.contains(at));
                    prop_assert_eq!(is_told, is_asked);
                }
            }
        }
    }
}
