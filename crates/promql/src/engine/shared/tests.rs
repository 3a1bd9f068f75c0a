use super::{SharedParts, SharedValues};
use crate::ast::Expr;
use crate::engine::{Engine, EngineOptions, RuleGroup};
use crate::parse;
use model::{Labels, MemoryStore, SeriesSamples, Sink as _, Timestamp};
use runtime::SystemClock;
use std::sync::Arc;

const MINUTE: i64 = 60_000;

const GROUP: RuleGroup<'_> = RuleGroup {
    file: "r.yml",
    name: "g",
};

fn exprs(texts: &[&str]) -> Vec<Arc<Expr>> {
    texts
        .iter()
        .map(|text| Arc::new(parse(text).expect("a query")))
        .collect()
}

fn store() -> MemoryStore {
    let store = MemoryStore::new();
    for (name, host, scale) in [
        ("a_total", "x", 3.0),
        ("a_total", "y", 5.0),
        ("b_total", "x", 7.0),
        ("b_total", "y", 11.0),
        ("g", "x", -1.0),
        ("g", "y", 2.0),
    ] {
        let labels = Labels::from_pairs([("__name__", name), ("host", host), ("job", "j")]);
        for minute in 0..30_i32 {
            let at = Timestamp::from_millis(i64::from(minute) * MINUTE);
            let value = f64::from(minute * minute % 13) * scale;
            let row = SeriesSamples::float(labels.clone(), at, value);
            store.append(&[row]).expect("memory takes all");
        }
    }
    store
}

/// How many different parts are shared.
fn count(texts: &[&str]) -> usize {
    SharedParts::of(exprs(texts)).selectors.len()
}

#[test]
fn finds_what_is_shared() {
    let check = |texts: &[&str], want: usize| assert_eq!(count(texts), want, "{texts:?}");
    check(&["sum(rate(a[5m])) > 1", "sum(rate(a[5m])) > 2"], 1);
    check(&["sum(rate(a[5m]))", "sum by () (rate(a[5m])) > 2"], 1);
    check(&["rate(a[5m]) > 1", "sum(rate(a[5m]))"], 1);
    // The sum is in three, the rate in one more.
    check(
        &[
            "sum(rate(a[5m])) > 1",
            "sum(rate(a[5m])) > 2",
            "rate(a[5m])",
        ],
        2,
    );
    check(&["sum(a) / sum(b) > 1", "sum(a) / sum(b) > 2"], 1);
    check(&["g > 1", "g > 2"], 1);
    check(&["abs(g)", "sgn(g)"], 0);
    check(&["timestamp(g)", "timestamp(g) > 1"], 1);
    check(&["max_over_time(sum(a)[5m:1m])", "sum(a)"], 0);
    check(
        &[
            "1 > bool 2",
            "1 > bool 2",
            "time() > bool 1",
            "time() > bool 1",
        ],
        0,
    );
    check(&["a > 1", "b > 1"], 0);
}

const QUERIES: [&str; 22] = [
    "sum by (job) (rate(a_total[5m]))",
    "sum by (job) (rate(a_total[5m])) > 1e9",
    "sum by (job) (rate(a_total[5m])) > 0",
    "rate(a_total[5m])",
    "-rate(a_total[5m])",
    "abs(-rate(a_total[5m]) * 2)",
    "topk(1, rate(a_total[5m]))",
    "g > 1",
    "g < bool 1",
    "sum without (host) (g)",
    "g * on (host) group_left rate(a_total[5m])",
    "sum(rate(a_total[5m])) / sum(rate(b_total[5m]))",
    "sum(rate(a_total[5m])) / sum(rate(b_total[5m])) > 0.1",
    "label_replace(rate(a_total[5m]), \"to\", \"$1\", \"host\", \"(.*)\")",
    "absent(g) or absent(g)",
    "histogram_quantile(0.9, rate(a_total[5m]))",
    "clamp_max(g, 1) + clamp_max(g, 1)",
    "timestamp(g) - timestamp(g)",
    "g and g > 1",
    "max_over_time(sum(rate(a_total[5m]))[10m:1m])",
    "scalar(sum(rate(a_total[5m]))) * g",
    "g @ 600 + g",
];

#[test]
fn shared_answers_are_the_answers() {
    let store = store();
    let all = exprs(&QUERIES);
    let engine = Engine::new(EngineOptions::new(SystemClock::shared()));
    let delayed = Engine::new(EngineOptions {
        delayed_name_removal: true,
        ..EngineOptions::new(SystemClock::shared())
    });
    let parts = SharedParts::of(all.clone());
    for engine in [&engine, &delayed] {
        for minute in [10, 17, 29, 200] {
            let at = Timestamp::from_millis(minute * MINUTE);
            let values = SharedValues::new(&parts);
            for expr in &all {
                let alone = engine.instant(&store, expr, at).expect("an answer");
                let shared = engine.instant_sharing(&store, (expr, at), GROUP, &values);
                assert_eq!(
                    shared.expect("an answer").value,
                    alone.value,
                    "{expr} at {minute}m"
                );
            }
            assert!(values.reused() > 10, "{}", values.reused());
            assert_eq!(values.refused(), 0);
        }
    }
}

#[test]
fn what_was_written_is_seen() {
    let store = store();
    let texts = [
        "sum(g)",
        "sum(g) > 0",
        "sum(ALERTS{alertname=\"A\"})",
        "sum(ALERTS{alertname=\"A\"}) > 0",
    ];
    let all = exprs(&texts);
    let parts = SharedParts::of(all.clone());
    let engine = Engine::new(EngineOptions::new(SystemClock::shared()));
    let at = Timestamp::from_millis(29 * MINUTE);
    let check = |index: usize, values: &SharedValues<'_>| {
        let alone = engine.instant(&store, &all[index], at).expect("an answer");
        let shared = engine.instant_sharing(&store, (&all[index], at), GROUP, values);
        assert_eq!(
            shared.expect("an answer").value,
            alone.value,
            "{}",
            texts[index]
        );
        values.reused()
    };
    let write = |name: &str, labels: &[(&str, &str)]| {
        let labels = Labels::from_pairs([("__name__", name)].iter().chain(labels).copied());
        let row = SeriesSamples::float(labels, at, 100.0);
        store.append(&[row]).expect("memory takes all");
    };
    let values = SharedValues::new(&parts);
    assert_eq!(check(0, &values), 0);
    write("other", &[]);
    values.written("other", None);
    assert_eq!(check(1, &values), 1);
    write("g", &[("host", "new")]);
    values.written("g", None);
    assert_eq!(check(1, &values), 1);
    assert_eq!(check(2, &values), 1);
    write("ALERTS", &[("alertname", "B")]);
    values.written("ALERTS", Some("B"));
    assert_eq!(check(3, &values), 2);
    write("ALERTS", &[("alertname", "A")]);
    values.written("ALERTS", Some("A"));
    assert_eq!(check(3, &values), 2);
}
