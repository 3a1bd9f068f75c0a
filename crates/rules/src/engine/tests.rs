//! Stories: what is measured each minute, and what the rules make of it.
//!
//! `0m` is a full minute; a line `at 3m` first lets every minute up to the third pass, with all
//! evaluations that are due in them. Measured values are written for each minute until they change.

mod specification;

use super::{Parts, RuleEngine};
use crate::Config;
use crate::file::{self, UnknownFields};
use model::{Alert, Labels, MemoryStore, SeriesSamples, Sink, Timestamp, Value, format_float};
use promql::{Engine, EngineOptions, QueryValue};
use runtime::metrics::Counter;
use runtime::queue::{self, Received, Receiver, Sender};
use runtime::{Registry, SharedClock, Shutdown, SimulatedClock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use storage::{State, StateError};

const MINUTE: i64 = 60_000;

fn time(minute: i64) -> Timestamp {
    Timestamp::from_millis(28_333_334 * MINUTE).plus_millis(minute * MINUTE)
}

/// The end of a minute: every evaluation of the minute is due.
fn end_of(minute: i64) -> Timestamp {
    time(minute + 1).plus_millis(-1)
}

struct Story {
    store: Arc<MemoryStore>,
    state: State,
    clock: SharedClock,
    registry: Registry,
    queue: (Sender<Vec<Alert>>, Receiver<Vec<Alert>>),
    engine: RuleEngine,
    config: Config,
    minute: i64,
    measured: BTreeMap<Labels, f64>,
    log: Vec<Alert>,
}

fn rule_engine(
    story: (&Arc<MemoryStore>, &State, &SharedClock, &Registry),
    alerts: &Sender<Vec<Alert>>,
) -> RuleEngine {
    let (store, state, clock, registry) = story;
    RuleEngine::new(Parts {
        engine: Engine::new(EngineOptions::new(Arc::clone(clock))),
        source: Arc::clone(store) as _,
        sink: Arc::clone(store) as _,
        state: state.clone(),
        clock: Arc::clone(clock),
        registry: registry.clone(),
        alerts: alerts.clone(),
    })
    .expect("migrated")
}

fn config(rules: &str) -> Config {
    let file = file::parse("r.yml", rules, UnknownFields::Refuse).expect("good rules");
    Config {
        files: vec![file],
        external_labels: Labels::from_pairs([("region", "eu"), ("severity", "ignored")]),
        external_url: "http://b".to_owned(),
        ..Config::default()
    }
}

impl Story {
    fn new(rules: &str) -> Self {
        let store = Arc::new(MemoryStore::new());
        let state = State::in_memory().expect("in memory");
        let clock: SharedClock = Arc::new(SimulatedClock::new(time(0)));
        let registry = Registry::new();
        let queue = queue::bounded(100, Counter::default());
        let engine = rule_engine((&store, &state, &clock, &registry), &queue.0);
        let config = config(rules);
        engine.apply(config.clone(), time(0)).expect("applied");
        Self {
            store,
            state,
            clock,
            registry,
            queue,
            engine,
            config,
            minute: 0,
            measured: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    fn crash(&mut self) {
        let all = (&self.store, &self.state, &self.clock, &self.registry);
        self.engine = rule_engine(all, &self.queue.0);
        self.engine
            .apply(self.config.clone(), time(self.minute))
            .expect("applied");
    }

    /// Lets the minutes before `minute` pass.
    fn advance(&mut self, minute: i64) {
        while self.minute < minute {
            let now = time(self.minute);
            let rows = self.measured.iter();
            let rows: Vec<SeriesSamples> = rows
                .map(|(labels, value)| SeriesSamples::float(labels.clone(), now, *value))
                .collect();
            self.store.append(&rows).expect("memory takes all");
            self.engine.run_due(end_of(self.minute));
            while let Some(batch) = self.queue.1.try_receive() {
                self.log.extend(batch);
            }
            self.minute += 1;
        }
    }

    /// The answer of a query at the end of the minute before, as `{labels} value`.
    fn query(&self, text: &str) -> String {
        let engine = Engine::new(EngineOptions::new(Arc::clone(&self.clock)));
        let expr = promql::parse(text).expect("a query");
        let at = end_of(self.minute - 1);
        let result = engine
            .instant(self.store.as_ref(), &expr, at)
            .expect("an answer");
        let QueryValue::Vector(series) = result.value else {
            panic!("not a vector");
        };
        let line = |sample: &promql::InstantSample| match sample.value {
            Value::Float(value) => format!("{} {}", sample.labels, format_float(value)),
            Value::Histogram(_) => panic!("a histogram"),
        };
        series.iter().map(line).collect::<Vec<_>>().join("; ")
    }

    fn seen(&mut self, what: &str) -> String {
        match what {
            "alerts" => {
                let alerts = self.engine.alerts();
                let line = |alert: &crate::view::AlertView| {
                    let since = alert.active_at.millis_since(time(0)).div_euclid(MINUTE);
                    let host = alert.labels.value("host");
                    format!(
                        "{} {host} {} since {since}m",
                        alert.labels.value("alertname"),
                        alert.state.name()
                    )
                };
                alerts.iter().map(line).collect::<Vec<_>>().join("; ")
            }
            "sent" => {
                let log = std::mem::take(&mut self.log);
                let line = |alert: &Alert| {
                    let state = if alert.is_resolved_at(alert.updated_at) {
                        "resolved"
                    } else {
                        "firing"
                    };
                    let start = alert.starts_at.millis_since(time(0)).div_euclid(MINUTE);
                    format!("{} {state} since {start}m", alert.name())
                };
                log.iter().map(line).collect::<Vec<_>>().join("; ")
            }
            "errors" => {
                let groups = self.engine.groups();
                let rules = groups.iter().flat_map(|group| &group.rules);
                let errors = rules.filter_map(|rule| rule.last_error.clone());
                errors.collect::<Vec<_>>().join("; ")
            }
            query => self.query(query.trim_start_matches("query ")),
        }
    }

    fn act(&mut self, verb: &str, rest: &str) {
        match verb {
            "is" => {
                let (series, value) = rest.rsplit_once(' ').expect("series and value");
                let matchers = promql::parse_metric_selector(series).expect("a series");
                let labels = matchers.iter().map(|m| (m.name(), m.value())).collect();
                match value {
                    "gone" => self.measured.remove(&labels),
                    value => self
                        .measured
                        .insert(labels, value.parse().expect("a number")),
                };
            }
            "crash" => self.crash(),
            "disk" => {
                let sql = if rest == "full" {
                    "CREATE TEMP TRIGGER full BEFORE INSERT ON rule_alerts
                     BEGIN SELECT RAISE(ABORT, 'disk full'); END"
                } else {
                    "DROP TRIGGER full"
                };
                let done: Result<(), StateError> = self.state.read(|db| Ok(db.execute_batch(sql)?));
                done.expect("trigger");
            }
            _ => panic!("unknown verb {verb:?}"),
        }
    }
}

fn check(rules: &str, story: &str) -> Story {
    let mut world = Story::new(rules);
    tell(&mut world, story);
    world
}

fn tell(world: &mut Story, story: &str) {
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let rest = line.strip_prefix("at ").expect("at");
        let (minute, rest) = rest.split_once("m ").expect("minutes");
        world.advance(minute.trim().parse().expect("minutes"));
        let (verb, rest) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        if verb == "want" {
            let (what, want) = rest
                .split_once(": ")
                .unwrap_or((rest.trim_end_matches(':'), ""));
            assert_eq!(world.seen(what.trim()), want.trim(), "{line}");
        } else {
            world.act(verb, rest);
        }
    }
}

const DISK: &str = "groups:
- name: g
  rules:
  - record: host:free:ratio
    expr: free / size
    labels: {source: rule}
  - alert: DiskFull
    expr: host:free:ratio < 0.1
    for: 3m
    labels: {severity: page}
    annotations: {summary: 'host {{ $labels.host }} has {{ $value | humanizePercentage }}'}
";

#[test]
fn records_alerts_and_resolves() {
    let mut world = check(
        DISK,
        r#"at 0m  is size{host="a"} 100
           at 0m  is free{host="a"} 50
           at 3m  want query host:free:ratio: {__name__="host:free:ratio", host="a", source="rule"} 0.5
           at 3m  want alerts:
           at 3m  is free{host="a"} 5
           at 4m  want alerts: DiskFull a pending since 3m
           at 4m  want query ALERTS: {__name__="ALERTS", alertname="DiskFull", alertstate="pending", host="a", severity="page", source="rule"} 1
           at 6m  want sent:
           at 7m  want alerts: DiskFull a firing since 3m
           at 7m  want sent: DiskFull firing since 6m
           at 7m  want query ALERTS: {__name__="ALERTS", alertname="DiskFull", alertstate="firing", host="a", severity="page", source="rule"} 1
           at 9m  want sent: DiskFull firing since 6m
           at 9m  is free{host="a"} 50
           at 10m want alerts:
           at 10m want query ALERTS or ALERTS_FOR_STATE:
           at 10m want sent: DiskFull resolved since 6m
           at 30m want sent: DiskFull resolved since 6m; DiskFull resolved since 6m; DiskFull resolved since 6m; DiskFull resolved since 6m; DiskFull resolved since 6m; DiskFull resolved since 6m; DiskFull resolved since 6m"#,
    );
    tell(
        &mut world,
        r#"at 30m is size{host="a"} gone
           at 31m want query host:free:ratio: {__name__="host:free:ratio", host="a", source="rule"} 0.5
           at 36m want query host:free:ratio:"#,
    );
}

#[test]
fn alerts_leave_with_external_labels_and_a_link() {
    let mut world = check(
        DISK,
        r#"at 0m  is size{host="a"} 100
           at 0m  is free{host="a"} 5
           at 6m  want alerts: DiskFull a firing since 0m"#,
    );
    let alert = world.log.pop().expect("sent");
    let labels = r#"{alertname="DiskFull", host="a", region="eu", severity="page", source="rule"}"#;
    assert_eq!(alert.labels.to_string(), labels);
    assert_eq!(
        alert.annotations.to_string(),
        r#"{summary="host a has 5%"}"#
    );
    assert_eq!(alert.ends_at.millis_since(alert.updated_at), 4 * MINUTE);
    let url = "http://b/graph?g0.expr=host%3Afree%3Aratio+%3C+0.1&g0.tab=1";
    assert_eq!(alert.generator_url, url);
}

/// Pending since 3m, down from 5m to 5m or 35m: the timer goes on as if nothing had happened.
#[test]
fn a_crash_forgets_no_timer() {
    check(
        DISK,
        r#"at 0m  is size{host="a"} 100
           at 0m  is free{host="a"} 50
           at 3m  is free{host="a"} 5
           at 5m  crash
           at 5m  want alerts: DiskFull a pending since 3m
           at 7m  want alerts: DiskFull a firing since 3m
           at 7m  crash
           at 7m  want sent: DiskFull firing since 6m
           at 8m  want sent: DiskFull firing since 6m
           at 8m  is free{host="a"} 50
           at 9m  want sent: DiskFull resolved since 6m
           at 9m  crash
           at 10m want sent: DiskFull resolved since 6m
           at 10m want alerts:"#,
    );
}

#[test]
fn a_full_disk_silences_nobody() {
    check(
        DISK,
        r#"at 0m  is size{host="a"} 100
           at 0m  is free{host="a"} 5
           at 2m  disk full
           at 4m  want sent: DiskFull firing since 3m
           at 4m  disk fine
           at 5m  crash
           at 5m  want alerts: DiskFull a firing since 0m"#,
    );
}

#[test]
fn after_a_long_outage_absence_is_forgiven_for_a_while() {
    let mut world = check(
        DISK,
        r#"at 0m  is size{host="a"} 100
           at 0m  is free{host="a"} 5
           at 9m  want alerts: DiskFull a firing since 0m
           at 9m  is free{host="a"} gone"#,
    );
    world.log.clear();
    world.minute = 60; // Down for 51 minutes.
    tell(
        &mut world,
        r#"at 60m crash
           at 61m want alerts: DiskFull a firing since 0m
           at 61m is free{host="a"} 5
           at 65m want alerts: DiskFull a firing since 0m
           at 65m want sent: DiskFull firing since 3m; DiskFull firing since 3m; DiskFull firing since 3m
           at 65m is free{host="a"} 50
           at 66m want alerts:"#,
    );
}

const SLOW: &str = "groups:
- name: g
  rules:
  - {alert: Slow, expr: slow == 1, for: 30m}
";

#[test]
fn an_outage_is_no_waiting() {
    let check = |up_again: i64, want: &str| {
        let mut world = check(
            SLOW,
            r#"at 0m  is slow{host="a"} 1
               at 15m want alerts: Slow a pending since 0m"#,
        );
        world.minute = up_again;
        tell(&mut world, want);
    };
    // A restart, or a crash between two evaluations.
    check(
        15,
        "at 15m crash\nat 16m want alerts: Slow a pending since 0m",
    );
    check(
        16,
        "at 16m crash\nat 17m want alerts: Slow a pending since 0m",
    );
    // Fifteen minutes were left and are left after ten of outage, since the last evaluation before it.
    check(
        25,
        "at 25m crash\nat 26m want alerts: Slow a pending since 11m\nat 41m want alerts: Slow a pending since 11m\nat 42m want alerts: Slow a firing since 11m",
    );
    // Not tolerated: it begins anew.
    check(
        90,
        "at 90m crash\nat 91m want alerts: Slow a pending since 90m",
    );
}

#[test]
fn what_fires_goes_on_firing_after_any_outage() {
    let mut world = check(
        SLOW,
        r#"at 0m  is slow{host="a"} 1
           at 35m want alerts: Slow a firing since 0m"#,
    );
    world.minute = 200;
    tell(
        &mut world,
        r#"at 200m crash
           at 201m want alerts: Slow a firing since 0m
           at 201m is slow{host="a"} 0
           at 204m want alerts:"#,
    );
}

/// A data folder without our rows, as one that Prometheus wrote.
#[test]
fn without_rows_samples_tell_since_when_alerts_are_active() {
    let mut world = check(
        SLOW,
        r#"at 0m  is slow{host="a"} 1
           at 21m want alerts: Slow a pending since 0m"#,
    );
    world.state = State::in_memory().expect("in memory");
    world.minute = 31; // Down for 10 minutes.
    tell(
        &mut world,
        r#"at 31m crash
           at 32m want alerts: Slow a pending since 31m
           at 33m want alerts: Slow a pending since 12m
           at 42m want alerts: Slow a pending since 12m
           at 43m want alerts: Slow a firing since 12m"#,
    );
}

#[test]
fn a_reload_keeps_what_did_not_change() {
    let mut world = check(
        DISK,
        r#"at 0m  is size{host="a"} 100
           at 0m  is free{host="a"} 5
           at 5m  want alerts: DiskFull a firing since 0m"#,
    );
    // The expression changes, the names do not: the state stays, and the old series goes on.
    world.config = config(&DISK.replace("< 0.1", "< 0.2"));
    world
        .engine
        .apply(world.config.clone(), time(5))
        .expect("applied");
    tell(&mut world, "at 6m want alerts: DiskFull a firing since 0m");
    // The alert goes: its series end with the next evaluation.
    let (rules, _) = DISK.split_once("  - alert").expect("an alert");
    world.config = config(rules);
    world
        .engine
        .apply(world.config.clone(), time(6))
        .expect("applied");
    tell(
        &mut world,
        r#"at 7m  want query ALERTS:
           at 7m  want query host:free:ratio: {__name__="host:free:ratio", host="a", source="rule"} 0.05"#,
    );
    // The group is renamed: its series go on.
    world.config = config(&rules.replace("name: g", "name: renamed"));
    world
        .engine
        .apply(world.config.clone(), time(7))
        .expect("applied");
    tell(
        &mut world,
        r#"at 12m want query host:free:ratio: {__name__="host:free:ratio", host="a", source="rule"} 0.05"#,
    );
    // It goes for good: they end.
    world.config = config("groups: []");
    world
        .engine
        .apply(world.config.clone(), time(12))
        .expect("applied");
    tell(
        &mut world,
        r#"at 14m want query host:free:ratio: {__name__="host:free:ratio", host="a", source="rule"} 0.05
           at 16m want query host:free:ratio:"#,
    );
    assert!(!world.registry.render().contains("rule_group=\"r.yml"));
}

#[test]
fn rules_that_go_wrong_say_so() {
    let rules = "groups:
- name: g
  limit: 1
  rules:
  - {record: same, expr: 'label_replace(m, \"host\", \"x\", \"\", \"\")', labels: {host: x}}
  - {alert: Same, expr: m, labels: {host: x}}
  - {record: many, expr: m}
  - {alert: Many, expr: m}
  - {record: text, expr: '\"a\"'}
  - {record: broken, expr: 'm + on() m'}
";
    let world = check(
        rules,
        r#"at 0m  is m{host="a"} 1
           at 0m  is m{host="b"} 1
           at 2m  want sent:"#,
    );
    let groups = world.engine.groups();
    let errors: Vec<&str> = groups[0]
        .rules
        .iter()
        .map(|rule| rule.last_error.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(
        errors[1..5],
        [
            "vector contains metrics with the same labelset after applying alert labels",
            "exceeded limit of 1 with 2 series",
            "exceeded limit of 1 with 2 alerts",
            "rule result is not a vector or scalar",
        ]
    );
    assert!(errors[0].contains("same labelset"), "{}", errors[0]);
    assert!(
        errors[5].contains("found duplicate series"),
        "{}",
        errors[5]
    );
    let text = world.registry.render();
    let want = "prometheus_rule_evaluation_failures_total{rule_group=\"r.yml;g\"} 12\n";
    assert!(text.contains(want), "{text}");
}

#[test]
fn missed_iterations_are_counted_and_the_moments_kept() {
    let mut world = check(DISK, "at 2m want alerts:");
    world.minute = 9;
    tell(&mut world, "at 10m want alerts:");
    let text = world.registry.render();
    let total = "prometheus_rule_group_iterations_total{rule_group=\"r.yml;g\"} 10\n";
    let missed = "prometheus_rule_group_iterations_missed_total{rule_group=\"r.yml;g\"} 7\n";
    assert!(text.contains(total) && text.contains(missed), "{text}");
}

#[test]
fn a_full_queue_is_tried_again() {
    let mut world = Story::new(DISK);
    world.queue = queue::bounded(0, Counter::default());
    world.crash();
    tell(
        &mut world,
        r#"at 0m  is size{host="a"} 100
           at 0m  is free{host="a"} 5
           at 5m  want sent:"#,
    );
    world.queue = queue::bounded(10, Counter::default());
    world.crash();
    tell(&mut world, "at 6m want sent: DiskFull firing since 3m");
}

#[test]
fn the_query_offset_shifts_queries_and_samples() {
    let rules = "groups:
- name: g
  query_offset: 2m
  rules:
  - {record: copy, expr: m}
";
    check(
        rules,
        r#"at 0m  is m{host="a"} 1
           at 2m  want query copy:
           at 3m  want query timestamp(copy) <= bool time() - 120: {host="a"} 1"#,
    );
}

#[test]
fn threads_evaluate_until_the_end() {
    let story = Story::new(&DISK.replace("for: 3m", "for: 0s"));
    let clock = Arc::new(SimulatedClock::new(time(0)));
    let shared: SharedClock = clock.clone();
    let (sender, receiver) = queue::bounded(10, Counter::default());
    let engine = rule_engine(
        (&story.store, &story.state, &shared, &story.registry),
        &sender,
    );
    engine
        .apply(story.config.clone(), time(0))
        .expect("applied");
    for (name, value) in [("size", 100.0), ("free", 5.0)] {
        let labels = Labels::from_pairs([("__name__", name), ("host", "a")]);
        let row = SeriesSamples::float(labels, time(0), value);
        story.store.append(&[row]).expect("memory takes all");
    }
    clock.advance(Duration::from_secs(60));
    let shutdown = Shutdown::new();
    let threads = engine.start(2, &shutdown).expect("threads");
    let Received::Item(alerts) = receiver.receive(Duration::from_secs(30)) else {
        panic!("no alert came");
    };
    assert_eq!(alerts[0].name(), "DiskFull");
    shutdown.trigger();
    for thread in threads {
        thread.join().expect("no panic");
    }
}
