//! Groups that are gone, until their series are marked as ended.

use crate::config::Evaluator;
use crate::group::{Group, end_series};
use model::{Labels, Timestamp};
use std::collections::BTreeSet;

/// What is left of a group: its series.
///
/// They are ended only after two intervals: a renamed group writes them again by then, and they go on.
pub(super) struct Retired {
    series: BTreeSet<Labels>,
    /// The moment of the marks: when the group went.
    ended_at: Timestamp,
    due: Timestamp,
}

impl Retired {
    /// Takes the series of a group that goes at `now`.
    pub(super) fn new(group: &Group, evaluator: &Evaluator, now: Timestamp) -> Self {
        Self {
            series: group.series().cloned().collect(),
            ended_at: now.plus_millis(-group.query_offset_ms(evaluator)),
            due: now.plus_millis(group.interval_ms.saturating_mul(2)),
        }
    }

    /// Whether it is too early to end the series.
    pub(super) fn is_waiting(&self, now: Timestamp) -> bool {
        now < self.due
    }

    /// Ends the series that no rule writes any more. Answers whether the store took the marks.
    pub(super) fn end(&self, written: &BTreeSet<Labels>, evaluator: &Evaluator) -> bool {
        let ended: Vec<Labels> = self.series.difference(written).cloned().collect();
        end_series(&ended, self.ended_at, evaluator)
    }
}
