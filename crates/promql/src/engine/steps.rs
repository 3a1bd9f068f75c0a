//! The moments a query is evaluated at.

/// Evenly spaced moments in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    /// The first moment.
    pub(crate) start: i64,
    /// Between two moments; at least 1.
    pub(crate) interval: i64,
    /// How many moments.
    pub(crate) count: usize,
}

impl Steps {
    /// A single moment.
    pub(crate) const fn instant(at: i64) -> Self {
        Self {
            start: at,
            interval: 1,
            count: 1,
        }
    }

    /// The moments from `start` to `end`, both included; none where `end` is earlier.
    pub(crate) fn range(start: i64, end: i64, interval: i64) -> Self {
        let interval = interval.max(1);
        let count = match end.checked_sub(start) {
            Some(length) if length >= 0 => usize::try_from(length / interval)
                .map_or(usize::MAX, |steps| steps.saturating_add(1)),
            _ => 0,
        };
        Self {
            start,
            interval,
            count,
        }
    }

    /// The moment of a step.
    pub(crate) fn at(self, step: usize) -> i64 {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.start
            .saturating_add(self.interval.saturating_mul(step))
    }

    /// The last moment.
    pub(crate) fn end(self) -> i64 {
        self.at(self.count.saturating_sub(1))
    }

    /// Only the first moment.
    pub(crate) const fn first_only(self) -> Self {
        Self { count: 1, ..self }
    }
}
