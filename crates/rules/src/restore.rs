//! Since when alerts are active, read from `ALERTS_FOR_STATE` where the database has no rows: after
//! moving a data folder over from Prometheus, for example. The rules are Prometheus' own
//! (`rules.alert.for-outage-tolerance`, `rules.alert.for-grace-period`).

use crate::group::ALERTS_FOR_STATE;
use model::{
    Labels, METRIC_NAME, Matcher, ReadBudget, Source, SourceError, TimeRange, Timestamp,
    is_stale_marker,
};

/// An outage longer than this lets alerts begin anew; upstream's default.
const OUTAGE_TOLERANCE_MS: i64 = 3_600_000;
/// An alert that is restored while pending waits at least this long; upstream's default.
pub(crate) const GRACE_PERIOD_MS: i64 = 10 * 60_000;
/// Samples of one rule's alerts at most: a thousand alerts at 5 s for an hour.
const SAMPLES_MAX: usize = 1_000_000;

/// Reads for each alert of a rule since when it counts as active at `now`.
pub(crate) fn beginnings(
    source: &dyn Source,
    alert: &str,
    for_ms: i64,
    now: Timestamp,
) -> Result<Vec<(Labels, Timestamp)>, SourceError> {
    let matchers = [
        Matcher::equal(METRIC_NAME, ALERTS_FOR_STATE),
        Matcher::equal("alertname", alert),
    ];
    let range = TimeRange {
        start: now.plus_millis(-OUTAGE_TOLERANCE_MS),
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
        beginnings.push((labels, active_at(since, seen, for_ms, now)));
    }
    Ok(beginnings)
}

/// Since when an alert counts as active that was active since `since` when it was last `seen`.
fn active_at(since: Timestamp, seen: Timestamp, for_ms: i64, now: Timestamp) -> Timestamp {
    let remaining_ms = for_ms - seen.millis_since(since);
    if remaining_ms <= 0 {
        // It was firing; it fires again at the next evaluation.
        since
    } else if remaining_ms < GRACE_PERIOD_MS {
        now.plus_millis(GRACE_PERIOD_MS - for_ms)
    } else {
        // The outage does not count as waiting.
        since.plus_millis(now.millis_since(seen))
    }
}

#[cfg(test)]
mod tests {
    use super::{GRACE_PERIOD_MS, active_at};
    use model::Timestamp;

    #[test]
    fn follows_upstreams_rules() {
        let minute = |minutes: i64| Timestamp::from_millis(minutes * 60_000);
        let check = |since, seen, for_minutes: i64, now, want| {
            let got = active_at(
                minute(since),
                minute(seen),
                for_minutes * 60_000,
                minute(now),
            );
            assert_eq!(got, minute(want));
        };
        // Firing when it was last seen.
        check(0, 30, 30, 40, 0);
        // Five minutes were left: it gets ten from now.
        check(0, 25, 30, 40, 20);
        // Twenty minutes were left: they are left now.
        check(0, 10, 30, 40, 30);
        assert_eq!(GRACE_PERIOD_MS, 600_000);
    }
}
