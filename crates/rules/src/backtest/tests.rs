//! Stored days, rules over them, and what they would have said.

use super::{Backtest, Error, Outcome, Watch};
use crate::Config;
use crate::file::{self, UnknownFields};
use model::{Alert, Labels, MemoryStore, SeriesSamples, Sink, TimeRange, Timestamp};
use promql::{Engine, EngineOptions};
use runtime::{SharedClock, SystemClock};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

const MINUTE: i64 = 60_000;

fn time(minute: i64) -> Timestamp {
    Timestamp::from_millis(28_333_334 * MINUTE).plus_millis(minute * MINUTE)
}

/// The value at a minute; none is a minute without a sample.
type Course<'a> = &'a dyn Fn(i64) -> Option<f64>;

/// One value a minute for each series.
fn store(series: &[(&str, Course<'_>)], minutes: i64) -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    for (text, value) in series {
        let matchers = promql::parse_metric_selector(text).expect("a series");
        let labels: Labels = matchers.iter().map(|m| (m.name(), m.value())).collect();
        let samples = (-10..minutes).filter_map(|minute| Some((minute, value(minute)?)));
        let rows: Vec<SeriesSamples> = samples
            .map(|(minute, value)| SeriesSamples::float(labels.clone(), time(minute), value))
            .collect();
        store.append(&rows).expect("memory takes all");
    }
    Arc::new(store)
}

const TEN_MINUTES: Duration = Duration::from_secs(600);

/// Somebody waits for long enough.
static PATIENT: LazyLock<Watch<'static>> =
    LazyLock::new(|| Watch::new(SystemClock::shared(), TEN_MINUTES, &|| false));

fn backtest(rules: &str, store: &Arc<MemoryStore>, minutes: i64) -> Backtest<'static> {
    let file = file::parse("r.yml", rules, UnknownFields::Refuse).expect("good rules");
    let clock: SharedClock = SystemClock::shared();
    Backtest {
        config: Config {
            files: vec![file],
            ..Config::default()
        },
        engine: Engine::new(EngineOptions::new(Arc::clone(&clock))),
        source: Arc::clone(store) as _,
        clock,
        range: TimeRange {
            start: time(0),
            end: time(minutes),
        },
        watch: &PATIENT,
        by_moment: false,
    }
}

fn run(test: Backtest<'_>) -> (Outcome, Vec<(Timestamp, Alert)>) {
    let mut heard = Vec::new();
    let outcome = test.run(&mut |at, alerts| {
        heard.extend(alerts.into_iter().map(|alert| (at, alert)));
        Ok(())
    });
    (outcome.expect("it runs"), heard)
}

/// `DiskFull{host} 3m..7m` for each episode: the minutes in which it began to fire and ended.
fn episodes(outcome: &Outcome) -> String {
    let minute = |at: Timestamp| at.millis_since(time(0)).div_euclid(MINUTE);
    let mut texts = Vec::new();
    for rule in &outcome.rules {
        for episode in &rule.episodes {
            let end = episode.resolved_at.map(|at| format!("{}m", minute(at)));
            texts.push(format!(
                "{} {} {}m..{}",
                rule.name,
                episode.labels.value("host"),
                minute(episode.fired_at),
                end.unwrap_or_default()
            ));
        }
    }
    texts.join("; ")
}

const DISK: &str = "groups:
- name: g
  rules:
  - {record: free:ratio, expr: free / size}
  - {alert: DiskFull, expr: free:ratio < 0.1, for: 3m, annotations: {text: '{{ $value }}'}}
  - {alert: DiskFullKept, expr: free:ratio < 0.1, keep_firing_for: 5m}
";

#[test]
fn says_when_alerts_would_have_fired() {
    // Low from the 10th to the 20th minute, for a minute at the 30th, and from the 50th on.
    let free = |minute: i64| {
        let is_low = (10..20).contains(&minute) || minute == 30 || minute >= 50;
        Some(if is_low { 5.0 } else { 50.0 })
    };
    let store = store(
        &[
            ("free{host=\"a\"}", &free),
            ("size{host=\"a\"}", &|_| Some(100.0)),
            // What the live engine recorded is not what these rules give.
            ("free:ratio{host=\"a\"}", &|_| Some(0.0)),
        ],
        60,
    );
    let (outcome, heard) = run(backtest(DISK, &store, 60));
    assert_eq!(
        episodes(&outcome),
        "DiskFull a 13m..20m; DiskFull a 53m..; DiskFullKept a 10m..25m; \
         DiskFullKept a 30m..36m; DiskFullKept a 50m.."
    );
    assert_eq!(outcome.evaluations, 180);
    assert_eq!(outcome.notes, Vec::<String>::new());
    let full = &outcome.rules[1];
    assert_eq!((full.pending_only, full.failures), (1, 0));
    assert_eq!(full.episodes[0].annotations.value("text"), "0.05");
    // Firing and ended, in the order of time.
    let told: Vec<String> = heard
        .iter()
        .filter(|(_, alert)| alert.name() == "DiskFull")
        .map(|(at, alert)| {
            let state = if alert.is_resolved_at(*at) { "-" } else { "+" };
            format!("{state}{}m", at.millis_since(time(0)).div_euclid(MINUTE))
        })
        .collect();
    assert_eq!(told, ["+13m", "-20m", "+53m"]);
    assert!(heard.is_sorted_by_key(|(at, _)| *at));
}

const MIXED: &str = "groups:
- name: reader
  rules:
  - {alert: Slow, expr: 'max by (host) (max_over_time(load:rate[20m])) > 3', for: 5m}
  - {alert: Other, expr: 'load > 4 and on (host) ALERTS{alertname=\"Wrong\", alertstate=\"firing\"}'}
- name: writer
  interval: 30s
  rules:
  - {record: 'load:rate', expr: 'abs(deriv(load[5m])) * 60', labels: {by: rule}}
  - {alert: Wrong, expr: 'load * on (kind) group_left size', for: 2m, keep_firing_for: 3m}
  - {alert: Many, expr: load > 1}
  - {alert: Pinned, expr: load > load @ end()}
  - {alert: Number, expr: '1'}
- name: limited
  limit: 2
  query_offset: 2m
  rules:
  - {alert: Limited, expr: load > 2, for: 1m}
  - {record: text, expr: '\"a\"'}
";

/// What depends on nothing but samples is the same however it is evaluated.
#[test]
fn many_moments_at_once_are_one_after_another() {
    let mut seed = 7_u64;
    let mut noise = vec![0.0; 4096];
    for value in &mut noise {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *value = model::number::u64_to_float(seed >> 61);
    }
    let at = |minute: i64, series: i64| {
        let index = usize::try_from((minute + 10) * 4 + series).expect("positive");
        let value = noise[index % noise.len()];
        (value < 6.0).then_some(value)
    };
    let store = store(
        &[
            ("load{host=\"a\", kind=\"x\"}", &|minute| at(minute, 0)),
            ("load{host=\"b\", kind=\"x\"}", &|minute| at(minute, 1)),
            ("load{host=\"c\", kind=\"y\"}", &|minute| at(minute / 7, 2)),
            ("size{kind=\"x\"}", &|_| Some(1.0)),
            // For a while there are two of them: an error at some moments only.
            ("size{kind=\"x\", twice=\"yes\"}", &|minute| {
                (100..130).contains(&minute).then_some(1.0)
            }),
        ],
        300,
    );
    let at_once = backtest(MIXED, &store, 300);
    let one_by_one = Backtest {
        by_moment: true,
        ..backtest(MIXED, &store, 300)
    };
    let ((a, heard_a), (b, heard_b)) = (run(at_once), run(one_by_one));
    assert_eq!(a.notes, Vec::<String>::new());
    assert_eq!(a.evaluations, b.evaluations);
    let mut fired = 0;
    for (a, b) in a.rules.iter().zip(&b.rules) {
        assert_eq!(a.episodes, b.episodes, "{}", a.name);
        assert_eq!(
            (a.pending_only, a.failures, &a.last_error),
            (b.pending_only, b.failures, &b.last_error),
            "{}",
            a.name
        );
        fired += a.episodes.len();
    }
    assert!(fired > 100, "{fired}");
    let failed: Vec<&str> = a
        .rules
        .iter()
        .filter(|r| r.failures > 0)
        .map(|r| r.name.as_str())
        .collect();
    assert_eq!(failed, ["Wrong", "Limited", "text"]);
    let sorted = |mut heard: Vec<(Timestamp, Alert)>| {
        heard.sort_by(|a, b| (a.0, &a.1.labels).cmp(&(b.0, &b.1.labels)));
        heard
    };
    assert_eq!(sorted(heard_a), sorted(heard_b));
}

#[test]
fn what_reads_its_own_past_is_evaluated_moment_by_moment() {
    let rules = "groups:
- name: g
  rules:
  - {record: latched, expr: 'hot > 5 or latched'}
  - {alert: Latched, expr: latched > 0}
";
    let hot = |minute: i64| Some(if minute == 10 { 6.0 } else { 1.0 });
    let store = store(&[("hot{host=\"a\"}", &hot)], 30);
    let (outcome, _) = run(backtest(rules, &store, 30));
    assert_eq!(episodes(&outcome), "Latched a 10m..");
    assert!(
        outcome.notes[0].contains("moment by moment"),
        "{:?}",
        outcome.notes
    );
}

#[test]
fn what_would_be_too_much_says_so() {
    let store = store(&[], 0);
    let check = |test: Backtest<'_>, want: &str| {
        let failure = test.run(&mut |_, _| Ok(())).expect_err("too much");
        assert!(failure.to_string().contains(want), "{failure}");
    };
    let years = 60 * 24 * 365 * 200;
    check(
        backtest(DISK, &store, years),
        "evaluations, at most 100000000 are made",
    );
    check(
        backtest(
            "groups: [{name: a, interval: 1ms, rules: []}]",
            &store,
            years,
        ),
        "evaluations, at most 100000000 are made",
    );
    let nobody = Watch::new(SystemClock::shared(), TEN_MINUTES, &|| true);
    let gone = Backtest {
        watch: &nobody,
        ..backtest(DISK, &store, 60)
    };
    assert!(matches!(
        gone.run(&mut |_, _| Ok(())),
        Err(Error::Cancelled)
    ));
    let impatient = Watch::new(SystemClock::shared(), Duration::ZERO, &|| false);
    let hurried = Backtest {
        watch: &impatient,
        ..backtest(DISK, &store, 60)
    };
    check(hurried, "took longer than 0 s");
}

#[test]
fn evaluations_one_after_another_are_cancelled_between_two() {
    let store = store(&[], 0);
    let asked = AtomicUsize::new(0);
    // `@ end()` is another moment in each evaluation, so nothing is evaluated at once.
    let rules = "groups: [{name: a, rules: [{alert: A, expr: x @ end()}]}]";
    let is_cancelled = || asked.fetch_add(1, Ordering::Relaxed) >= 20;
    let watch = Watch::new(SystemClock::shared(), TEN_MINUTES, &is_cancelled);
    let gone = Backtest {
        watch: &watch,
        ..backtest(rules, &store, 600)
    };
    assert!(matches!(
        gone.run(&mut |_, _| Ok(())),
        Err(Error::Cancelled)
    ));
    assert_eq!(asked.into_inner(), 21);
}
