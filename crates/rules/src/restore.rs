//! Since when alerts are active after an outage. The rules are Prometheus' own (`rules.alert.for-outage-tolerance`,
//! `rules.alert.for-grace-period`).
//!
//! Mostly the database says what there was before the outage; where it has no rows, as after moving a data folder over from
//! Prometheus, the series `ALERTS_FOR_STATE` do. What fires goes on firing however long the outage was: somebody was told,
//! and must be told of the end.

use crate::alerts::{AlertState, Instance};
use crate::group::ALERTS_FOR_STATE;
use model::{
    Labels, METRIC_NAME, Matcher, ReadBudget, Source, SourceError, TimeRange, Timestamp,
    is_stale_marker,
};
use std::collections::BTreeMap;

/// What is made of samples that an earlier process left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restoring {
    /// An outage longer than this lets alerts begin anew.
    pub outage_tolerance_ms: i64,
    /// An alert that is restored while pending waits at least this long.
    pub grace_period_ms: i64,
}

/// Upstream's defaults.
impl Default for Restoring {
    fn default() -> Self {
        Self {
            outage_tolerance_ms: 3_600_000,
            grace_period_ms: 10 * 60_000,
        }
    }
}

/// Samples of one rule's alerts at most: a thousand alerts at 5 s for an hour.
const SAMPLES_MAX: usize = 1_000_000;

/// Reads for each alert of a rule since when it counts as active at `now`.
pub(crate) fn beginnings(
    source: &dyn Source,
    alert: &str,
    (for_ms, restoring): (i64, Restoring),
    now: Timestamp,
) -> Result<Vec<(Labels, Timestamp)>, SourceError> {
    let matchers = [
        Matcher::equal(METRIC_NAME, ALERTS_FOR_STATE),
        Matcher::equal("alertname", alert),
    ];
    let range = TimeRange {
        start: now.plus_millis(-restoring.outage_tolerance_ms),
        end: now,
    };
    let series = source.select(&matchers, range, &ReadBudget::new(SAMPLES_MAX))?;
    let mut beginnings = Vec::new();
    for series in series {
        let columns = &series.columns;
        let last = (columns.timestamps.last(), columns.values.last());
        let (Some(seen), Some(since)) = last else {
            continue;
        };
        if is_stale_marker(*since) {
            continue; // It had ended before the outage.
        }
        let seen = Timestamp::from_millis(*seen);
        let since = Timestamp::from_seconds(since.floor());
        let labels = series.labels.without(&[METRIC_NAME]);
        beginnings.push((labels, active_at(since, (seen, now), for_ms, restoring)));
    }
    Ok(beginnings)
}

/// Takes an outage, from the last evaluation before it to `now`, into account for alerts that were pending. After one that
/// is not tolerated they begin anew. What a rule that waits less than the grace period has waited counts, where upstream lets
/// it begin anew; the outage does not count.
pub(crate) fn after_outage(
    instances: &mut BTreeMap<Labels, Instance>,
    for_ms: i64,
    (seen, now): (Timestamp, Timestamp),
    restoring: Restoring,
) {
    let is_pending = |instance: &Instance| instance.timers.state == AlertState::Pending;
    if now.millis_since(seen) > restoring.outage_tolerance_ms {
        instances.retain(|_, instance| !is_pending(instance));
        return;
    }
    for instance in instances.values_mut().filter(|one| is_pending(one)) {
        let timers = &mut instance.timers;
        timers.active_at = match for_ms < restoring.grace_period_ms {
            true => timers.active_at.plus_millis(now.millis_since(seen)),
            false => active_at(timers.active_at, (seen, now), for_ms, restoring),
        };
    }
}

/// Since when an alert counts as active that was active since `since` when it was last `seen`.
fn active_at(
    since: Timestamp,
    (seen, now): (Timestamp, Timestamp),
    for_ms: i64,
    restoring: Restoring,
) -> Timestamp {
    let grace_period_ms = restoring.grace_period_ms;
    let remaining_ms = for_ms - seen.millis_since(since);
    if remaining_ms <= 0 {
        // It was firing; it fires again at the next evaluation.
        since
    } else if remaining_ms < grace_period_ms {
        now.plus_millis(grace_period_ms - for_ms)
    } else {
        // The outage does not count as waiting.
        since.plus_millis(now.millis_since(seen))
    }
}

#[cfg(test)]
mod tests {
    use super::{Restoring, active_at};
    use model::Timestamp;

    #[test]
    fn follows_upstreams_rules() {
        let minute = |minutes: i64| Timestamp::from_millis(minutes * 60_000);
        let check = |since, seen, for_minutes: i64, now, want| {
            let got = active_at(
                minute(since),
                (minute(seen), minute(now)),
                for_minutes * 60_000,
                Restoring::default(),
            );
            assert_eq!(got, minute(want));
        };
        // Firing when it was last seen.
        check(0, 30, 30, 40, 0);
        // Five minutes were left: it gets ten from now.
        check(0, 25, 30, 40, 20);
        // Twenty minutes were left: they are left now.
        check(0, 10, 30, 40, 30);
    }
}
