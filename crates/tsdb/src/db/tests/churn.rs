//! Series that come and go: what left no sample in the head must leave the head.

use super::{Bench, at};
use model::{Labels, MatchOperator, Matcher, SeriesSamples, Sink as _, TimeRange};
use std::time::Duration;

const LIVE: i64 = 300;
/// One in a hundred is replaced every 5 minutes.
const REPLACED: i64 = LIVE / 100;
const STEP_S: i64 = 300;
const STEPS: i64 = 86_400 / STEP_S;

fn labels(id: i64) -> Labels {
    let pod = format!("pod-{id}");
    Labels::from_pairs([("__name__", "up"), ("job", "web"), ("pod", &pod)])
}

/// A day of churn: series, index, log and samples in the head stay as small as after some hours.
#[test]
fn a_day_of_churn_leaves_the_head_small() {
    let bench = Bench::new(1);
    let mut most = (0, 0, 0, 0);
    for step in 0..STEPS {
        let first = step * REPLACED;
        let rows: Vec<SeriesSamples> = (first..first + LIVE)
            .map(|id| SeriesSamples::float(labels(id), at(step * STEP_S), 1.0))
            .collect();
        bench.db().append(&rows).expect("append");
        bench.clock.advance(Duration::from_secs(300));
        bench.db().maintain(at(step * STEP_S)).expect("maintain");
        let stats = bench.db().stats(1);
        most.0 = most.0.max(stats.series);
        most.1 = most.1.max(stats.label_pairs);
        most.2 = most.2.max(stats.samples);
        most.3 = most.3.max(stats.wal_bytes);
    }
    // A series may stay for the window it was seen in, the one after it, and the grace: five hours.
    let per_hour = 3600 / STEP_S * REPLACED;
    let series = usize::try_from(LIVE + 5 * per_hour).expect("small");
    let samples = usize::try_from(LIVE * 3 * 3600 / STEP_S).expect("small");
    assert!(most.0 <= series, "{} of {series} series", most.0);
    assert!(most.1 <= series + 2, "{} label pairs", most.1);
    assert!(most.2 <= samples, "{} of {samples} samples", most.2);
    let log_bytes = u64::try_from(series + samples).expect("small") * 60;
    assert!(most.3 <= log_bytes, "{} of {log_bytes} bytes", most.3);
    // What left the head is in blocks, and what came back gets on with its samples.
    let all = super::read(bench.db(), &[], TimeRange::ALL);
    let ever = usize::try_from(LIVE + (STEPS - 1) * REPLACED).expect("small");
    assert_eq!(all.len(), ever);
    let back = SeriesSamples::float(labels(0), at(STEPS * STEP_S), 2.0);
    bench.db().append(&[back]).expect("append");
    let pod = Matcher::new("pod", MatchOperator::Equal, "pod-0").expect("valid");
    let found = super::read(bench.db(), &[pod], TimeRange::ALL);
    assert_eq!(found[&labels(0)].len(), 2);
}
