//! Start timestamps: since when each sample of a counter has been counting.
//!
//! A start that lies after the sample before says that the counter began again in between, whatever its values
//! look like. A start at the very time of the sample before is a reset for deltas, whose samples each begin
//! where the last one ended; for a cumulative counter whose start is unknown it is the first sample's time,
//! which that one tells by having no start, or one at its own time. A sample that starts at or after its
//! own time says nothing.

/// The start timestamps of the samples of a window, in milliseconds, 0 where unknown; empty where no
/// sample has one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Starts<'a>(pub(crate) &'a [i64]);

impl Starts<'_> {
    /// Whether the counter began again between the sample `index` and the one before it.
    pub(crate) fn is_reset(self, index: usize, times: &[i64]) -> bool {
        let Some((before, now)) = self.pair(index) else {
            return false;
        };
        let (Some(time_before), Some(time)) = (times.get(index - 1), times.get(index)) else {
            return false;
        };
        is_reset((before, *time_before), (now, *time))
    }

    /// Whether any sample starts before the sample before it was taken and yet not where that one started:
    /// both then count the same thing.
    pub(crate) fn any_overlaps(self, times: &[i64]) -> bool {
        (1..self.0.len()).any(|index| match (self.pair(index), times.get(index - 1)) {
            (Some((before, now)), Some(time_before)) => {
                now != 0 && now < *time_before && now != before
            }
            _ => false,
        })
    }

    /// When the counter began, where the first sample says so and that lies inside the range (left end
    /// excluded).
    pub(crate) fn begin_inside(self, range_start: i64, times: &[i64]) -> Option<i64> {
        let (start, time) = (*self.0.first()?, *times.first()?);
        (start != 0 && start > range_start && start < time).then_some(start)
    }

    fn pair(self, index: usize) -> Option<(i64, i64)> {
        Some((*self.0.get(index.checked_sub(1)?)?, *self.0.get(index)?))
    }
}

/// Whether a counter began again between two samples, each given as (start, time).
pub(crate) const fn is_reset(
    (start_before, time_before): (i64, i64),
    (start, time): (i64, i64),
) -> bool {
    if start == 0 || start >= time || start < time_before {
        return false;
    }
    start > time_before || (start_before != 0 && start_before < time_before)
}

#[cfg(test)]
mod tests {
    use super::{Starts, is_reset};

    #[test]
    fn tells_resets() {
        let check =
            |before, now, want| assert_eq!(is_reset(before, now), want, "{before:?} {now:?}");
        // Unknown, at or after its own time, before the sample before.
        check((50, 100), (0, 200), false);
        check((50, 100), (200, 200), false);
        check((50, 100), (201, 200), false);
        check((50, 100), (50, 200), false);
        check((50, 100), (99, 200), false);
        // Between the two samples.
        check((0, 100), (101, 200), true);
        check((150, 100), (199, 200), true);
        // Where the sample before was taken: a delta, unless that one's start is unknown or nonsense.
        check((50, 100), (100, 200), true);
        check((0, 100), (100, 200), false);
        check((100, 100), (100, 200), false);
        check((150, 100), (100, 200), false);
        // Times before 1970.
        check((-300, -200), (-150, -100), true);
    }

    #[test]
    fn tells_overlaps() {
        let check = |starts: &[i64], want| {
            assert_eq!(
                Starts(starts).any_overlaps(&[100, 200, 300]),
                want,
                "{starts:?}"
            );
        };
        check(&[], false);
        check(&[50, 50, 50], false);
        check(&[50, 100, 200], false);
        check(&[0, 0, 0], false);
        check(&[50, 60, 60], true);
        check(&[0, 50, 50], true);
        check(&[50, 0, 150], true);
        check(&[50, 250, 250], false);
    }

    #[test]
    fn finds_the_beginning() {
        let check = |start, want| assert_eq!(Starts(&[start]).begin_inside(50, &[100]), want);
        check(0, None);
        check(49, None);
        check(50, None);
        check(51, Some(51));
        check(99, Some(99));
        check(100, None);
        check(101, None);
    }
}
