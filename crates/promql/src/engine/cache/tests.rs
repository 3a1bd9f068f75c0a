use super::ResultCache;
use crate::engine::{Engine, EngineOptions, Query, QueryDetail, QueryTime, QueryValue};
use model::{Labels, Matcher, ReadBudget, SeriesSamples, Sink, TimeRange, Timestamp};
use proptest::prelude::*;
use runtime::{Registry, SimulatedClock};
use std::sync::Arc;
use tsdb::{Db, Options};

const QUERIES: [&str; 10] = [
    "m_total",
    "rate(m_total[90s])",
    "sum by (b) (increase(m_total[2m]))",
    "max_over_time(m_total[1m] offset 1m)",
    "topk(1, m_total)",
    "m_total offset -2m > 3",
    "avg_over_time(sum(m_total)[3m:20s])",
    "quantile(0.5, m_total) or absent(m_total)",
    "m_total{a=\"1\"} / on (b) group_left () sum by (b) (m_total)",
    "timestamp(m_total) - time()",
];

/// What happens to the store between queries.
#[derive(Clone, Debug)]
enum Event {
    /// A sample of a series, some seconds after the beginning.
    Write(u8, i64, u8),
    /// A deletion of a series between two seconds.
    Delete(u8, i64, i64),
    /// The head becomes blocks.
    Flush,
    /// A query from a second on, over so many steps of so many seconds.
    Ask(usize, i64, i64, i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..4_u8, 0..1500_i64, 0..20_u8).prop_map(|(s, at, v)| Event::Write(s, at, v)),
        1 => (0..4_u8, 0..1500_i64, 0..300_i64).prop_map(|(s, at, l)| Event::Delete(s, at, at + l)),
        1 => Just(Event::Flush),
        8 => (0..QUERIES.len(), 0..40_i64, 4..40_i64, prop::sample::select(vec![15_i64, 30]))
            .prop_map(|(q, start, count, step)| Event::Ask(q, start * 15, count, step)),
    ]
}

fn labels(series: u8) -> Labels {
    Labels::from_pairs([
        ("__name__", "m_total"),
        ("a", if series.is_multiple_of(2) { "0" } else { "1" }),
        ("b", if series < 2 { "0" } else { "1" }),
    ])
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

struct Bench {
    db: Db,
    engine: Engine,
    registry: Registry,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(bytes_max: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::new(at(2000)));
        let db = Db::open(Options {
            retention_ms: None,
            clock: clock.clone(),
            ..Options::new(folder.path())
        })
        .unwrap();
        let registry = Registry::new();
        let engine = Engine::new(EngineOptions {
            cache: Some(Arc::new(ResultCache::new(bytes_max, &registry))),
            ..EngineOptions::new(clock)
        });
        Self {
            db,
            engine,
            registry,
            _folder: folder,
        }
    }

    fn ask(&self, query: &str, (start, count, step): (i64, i64, i64), fresh: bool) -> QueryValue {
        let expr = crate::parse(query).unwrap();
        let budget = ReadBudget::new(1_000_000);
        let query = Query {
            expr: &expr,
            time: QueryTime::Range {
                start: at(start),
                end: at(start + (count - 1) * step),
                step_ms: step * 1000,
            },
            lookback_ms: Some(60_000),
            timeout: None,
            budget: &budget,
            detail: QueryDetail::default(),
            bypasses_cache: fresh,
            rule_group: None,
        };
        let value = self.engine.run(&self.db, &query).unwrap().value;
        assert_eq!(budget.samples_left(), 1_000_000);
        value
    }

    fn found(&self, found: &str) -> u64 {
        let name = "binnacle_promql_result_cache_queries_total";
        self.registry.counter(name, "", &[("found", found)]).value()
    }
}

/// Answers as texts: NaN is no different from NaN then.
fn text(value: &QueryValue) -> String {
    format!("{value:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn known_answers_are_those_of_evaluation(events in prop::collection::vec(event(), 1..120)) {
        let bench = Bench::new(1 << 14);
        for event in events {
            match event {
                Event::Write(series, seconds, value) => {
                    let value = f64::from(value);
                    let row = SeriesSamples::float(labels(series), at(seconds), value);
                    bench.db.append(&[row]).unwrap();
                }
                Event::Delete(series, start, end) => {
                    let matchers: Vec<Matcher> =
                        labels(series).iter().map(|(name, value)| Matcher::equal(name, value)).collect();
                    let range = TimeRange { start: at(start), end: at(end) };
                    bench.db.delete(&matchers, range).unwrap();
                }
                Event::Flush => { bench.db.flush().unwrap(); }
                Event::Ask(query, start, count, step) => {
                    let query = QUERIES[query];
                    let known = bench.ask(query, (start, count, step), false);
                    let fresh = bench.ask(query, (start, count, step), true);
                    prop_assert_eq!(text(&known), text(&fresh), "{}", query);
                }
            }
        }
    }
}

#[test]
fn only_what_changed_is_evaluated_again() {
    let bench = Bench::new(1 << 20);
    for second in (0..600).step_by(15) {
        let row = SeriesSamples::float(labels(0), at(second), 1.0);
        bench.db.append(&[row]).unwrap();
    }
    let counts = || ["whole", "part", "none"].map(|found| bench.found(found));
    bench.ask("m_total", (0, 40, 15), false);
    assert_eq!(counts(), [0, 0, 1]);
    bench.ask("m_total", (0, 40, 15), false);
    bench.ask("m_total", (150, 10, 15), false);
    assert_eq!(counts(), [2, 0, 1]);
    // Time goes on.
    let row = SeriesSamples::float(labels(0), at(600), 2.0);
    bench.db.append(&[row]).unwrap();
    bench.ask("m_total", (15, 40, 15), false);
    assert_eq!(counts(), [2, 1, 1]);
    // Another phase is another query, and so is another look-back or step.
    bench.ask("m_total", (7, 40, 15), false);
    bench.ask("m_total", (0, 20, 30), false);
    assert_eq!(counts(), [2, 1, 3]);
    // What depends on the whole query, and what is asked for afresh, is not looked for.
    bench.ask("m_total @ end()", (0, 40, 15), false);
    bench.ask("m_total", (0, 40, 15), true);
    assert_eq!(counts(), [2, 1, 3]);
}
