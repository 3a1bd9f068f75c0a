//! What becomes of data as it grows old, on a simulated clock.

use super::{Bench, START, at, labels, read, row};
use crate::options::{Downsampling, RetentionRule};
use model::{
    Columns, Histogram, Labels, Matcher, ReadBudget, Sample, SeriesSamples, Sink as _, Source as _,
    TimeRange, Timestamp, Value,
};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Appends a sample a minute for so many hours and keeps the store in order meanwhile. Series 1 counts
/// and is reset every 7 hours, series 2 goes up and down.
fn run(bench: &Bench, hours: i64) {
    for hour in 0..hours {
        let mut rows = Vec::new();
        for minute in 0..60 {
            let now = hour * HOUR + minute * MINUTE;
            let count = (now % (7 * HOUR)) / MINUTE;
            rows.push(row(1, now, model::number::i64_to_float(count)));
            let swing = now / MINUTE % 13 - 6;
            rows.push(row(2, now, model::number::i64_to_float(swing)));
        }
        bench.db().append(&rows).expect("append");
        bench.clock.advance(Duration::from_secs(3600));
        bench
            .db()
            .maintain(at((hour + 1) * HOUR))
            .expect("maintain");
    }
}

fn columns(bench: &Bench, id: u8) -> Columns {
    let budget = ReadBudget::new(usize::MAX);
    let id = Matcher::equal("id", id.to_string());
    let found = bench
        .db()
        .select(&[id], TimeRange::ALL, &budget)
        .expect("select");
    found
        .into_iter()
        .next()
        .map(|series| series.columns)
        .unwrap_or_default()
}

fn aged(steps: &[(i64, i64)], retention: i64) -> Bench {
    let mut bench = Bench::new(8);
    let step = |(after, window): &(i64, i64)| Downsampling {
        after_ms: after * 1000,
        window_ms: window * 1000,
    };
    bench.options.downsampling = steps.iter().map(step).collect();
    bench.options.retention_ms = Some(retention * 1000);
    bench.restart();
    bench
}

#[test]
fn old_samples_become_windows_and_go_at_last() {
    let mut bench = aged(&[(DAY, 5 * MINUTE), (3 * DAY, HOUR)], 10 * DAY);
    run(&bench, 24 * 6);
    for _ in 0..2 {
        let lengths: Vec<i64> = bench
            .db()
            .block_infos()
            .iter()
            .map(|b| b.resolution_ms / 1000)
            .collect();
        assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
        for length in [0, 5 * MINUTE, HOUR] {
            assert!(lengths.contains(&length), "{lengths:?}");
        }
        for id in [1, 2] {
            check_windows(&columns(&bench, id), id);
        }
        bench.restart();
    }
    let all = columns(&bench, 1);
    assert!(all.len() < 24 * 60 * 2, "{} of {}", all.len(), 24 * 60 * 6);
    assert_eq!(all.values.last(), Some(&f64::from(143 * 60 % 420 + 59)));
}

/// Whole hours and days over windows give what they give over the samples.
fn check_windows(columns: &Columns, id: u8) {
    let kept = columns.summaries.as_ref().expect("windows");
    let total: u32 = kept.counts.iter().sum();
    assert_eq!(total, 6 * 24 * 60, "no sample is lost or counted twice");
    // Windows are open on the left: the sample at the hour belongs to the hour before.
    let hour_start = |hour: i64| {
        let aligned = (START / 3_600_000 + 1) * 3_600_000;
        aligned + hour * 3_600_000
    };
    for hour in 0..(6 * 24 - 2) {
        let inside = |at: &i64| hour_start(hour) < *at && *at <= hour_start(hour + 1);
        let places: Vec<usize> = (0..columns.len())
            .filter(|i| inside(&columns.timestamps[*i]))
            .collect();
        let want: Vec<f64> = (0..6 * 24 * 60)
            .filter(|minute| inside(&at(minute * MINUTE).millis()))
            .map(|minute| match id {
                1 => model::number::i64_to_float(minute % 420),
                _ => model::number::i64_to_float(minute % 13 - 6),
            })
            .collect();
        let count: u32 = places.iter().map(|i| kept.counts[*i]).sum();
        assert_eq!(
            usize::try_from(count).expect("few"),
            want.len(),
            "hour {hour}"
        );
        let sum: f64 = places.iter().map(|i| kept.sums[*i]).sum();
        assert_eq!(sum, want.iter().sum::<f64>(), "hour {hour}");
        let least = places
            .iter()
            .map(|i| kept.minima[*i])
            .fold(f64::INFINITY, f64::min);
        assert_eq!(least, want.iter().copied().fold(f64::INFINITY, f64::min));
        let greatest = places
            .iter()
            .map(|i| kept.maxima[*i])
            .fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(
            greatest,
            want.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        );
    }
}

#[test]
fn late_samples_and_histograms_beside_windows() {
    let bench = aged(&[(DAY, HOUR)], 100 * DAY);
    let histogram = Arc::new(Histogram {
        count: 4.0,
        ..Histogram::default()
    });
    let held = SeriesSamples {
        labels: labels(5),
        samples: (0..30)
            .map(|i| Sample::new(at(i * MINUTE), Value::Histogram(Arc::clone(&histogram))))
            .collect(),
        exemplars: Vec::new(),
    };
    bench.db().append(&[held]).expect("append");
    run(&bench, 72);
    let before = columns(&bench, 2);
    assert!(before.summaries.is_some());
    assert_eq!(
        columns(&bench, 5).histograms.len(),
        30,
        "histograms stay as they came"
    );
    let late = at(HOUR + 90);
    bench
        .db()
        .append(&[SeriesSamples::float(labels(2), late, 99.0)])
        .expect("append");
    let check = |bench: &Bench| {
        let found = columns(bench, 2);
        let kept = found.summaries.as_ref().expect("windows");
        let total: u32 = kept.counts.iter().sum();
        assert_eq!(total, 72 * 60 + 1);
        assert_eq!(kept.maxima.iter().copied().fold(0.0, f64::max), 99.0);
    };
    check(&bench);
    bench.db().flush().expect("flush");
    check(&bench);
    for hour in 72..100 {
        bench.clock.advance(Duration::from_secs(3600));
        bench.db().maintain(at(hour * HOUR)).expect("maintain");
    }
    check(&bench);
}

#[test]
fn a_rule_takes_series_before_the_rest() {
    let mut bench = aged(&[], 30 * DAY);
    bench.options.retention_rules = vec![RetentionRule {
        matchers: vec![Matcher::equal("job", "odd")],
        keep_ms: 2 * DAY * 1000,
    }];
    bench.restart();
    run(&bench, 24 * 6);
    let (odd, even) = (columns(&bench, 1), columns(&bench, 2));
    assert_eq!(even.len(), 6 * 24 * 60);
    let oldest = *odd.timestamps.first().expect("some are left");
    let age_hours = (at(6 * DAY).millis() - oldest) / 3_600_000;
    assert!((48..=56).contains(&age_hours), "{age_hours} hours are kept");
    assert_eq!(i64::try_from(odd.len()).expect("few") / 60, age_hours);
    bench.restart();
    bench.db().maintain(at(6 * DAY)).expect("maintain");
    assert_eq!(columns(&bench, 2).len(), 6 * 24 * 60);
    let gone: Vec<Labels> = read(
        bench.db(),
        &[],
        TimeRange {
            start: Timestamp::MIN,
            end: at(3 * DAY),
        },
    )
    .into_keys()
    .collect();
    assert_eq!(gone, [labels(2)]);
}

#[test]
fn a_share_of_the_disk() {
    let mut bench = aged(&[], 100 * DAY);
    run(&bench, 24 * 3);
    let used = bench.db().stats(0).block_bytes + bench.db().stats(0).wal_bytes;
    let capacity = used * 10;
    bench
        .disk
        .set_space(usize::try_from(capacity).expect("small"));
    for (percentage, all_stay) in [(0.0, true), (11.0, true), (7.0, false)] {
        bench.options.retention_percentage = Some(percentage);
        bench.restart();
        bench.db().maintain(at(3 * DAY)).expect("maintain");
        let stay = columns(&bench, 1).len() == 3 * 24 * 60;
        assert_eq!(stay, all_stay, "{percentage} %");
    }
}

#[test]
fn a_deletion_takes_every_window_it_touches() {
    let bench = aged(&[(DAY, HOUR)], 100 * DAY);
    run(&bench, 72);
    let counts = |bench: &Bench| -> u32 {
        let found = columns(bench, 2);
        found
            .summaries
            .as_ref()
            .expect("windows")
            .counts
            .iter()
            .sum()
    };
    assert_eq!(counts(&bench), 72 * 60);
    let delete = |from: i64, to: i64| {
        let range = TimeRange {
            start: at(from),
            end: at(to),
        };
        let series = [Matcher::equal("id", "2")];
        bench.db().delete(&series, range).expect("deleted");
    };
    // Part of an hour, its end, and what lies between the last sample of one and the first of the next.
    let hour = |number: i64| HOUR - START / 1000 % HOUR + number * HOUR;
    delete(hour(5) + 10 * MINUTE, hour(5) + 20 * MINUTE);
    assert_eq!(counts(&bench), 71 * 60);
    delete(hour(8) - 5 * MINUTE, hour(8));
    assert_eq!(counts(&bench), 70 * 60);
    delete(hour(10) - 39, hour(10) + 19);
    assert_eq!(counts(&bench), 70 * 60);
}
