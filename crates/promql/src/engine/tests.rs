use super::{DefaultStep, Engine, EngineOptions, Query, QueryDetail, QueryTime, QueryValue};
use crate::ast::{
    Aggregate, AggregateOperator, Binary, BinaryOperator, Call, DurationExpr, Expr, ExprKind,
    MatrixSelector, Modifiers, RangeBorders, Span, VectorMatching, VectorSelector,
};
use model::{
    Labels, Matcher, MemoryStore, ReadBudget, Sample, SeriesSamples, Sink, Timestamp, Value,
};
use runtime::{SharedClock, SimulatedClock};
use std::sync::Arc;

fn expr(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: Span::default(),
    }
}

fn selector(name: &str) -> VectorSelector {
    VectorSelector {
        name: Some(name.to_owned()),
        matchers: vec![Matcher::equal("__name__", name)],
        modifiers: Modifiers::default(),
        borders: RangeBorders::Plain,
    }
}

fn vector(name: &str) -> Expr {
    expr(ExprKind::Vector(selector(name)))
}

fn rate(name: &str, range_ms: i64) -> Expr {
    expr(ExprKind::Call(Call {
        function: crate::signatures::find("rate").unwrap(),
        arguments: vec![expr(ExprKind::Matrix(MatrixSelector {
            selector: selector(name),
            range: DurationExpr::Millis(range_ms),
        }))],
    }))
}

fn sum_by(grouping: &[&str], operand: Expr) -> Expr {
    expr(ExprKind::Aggregate(Aggregate {
        operator: AggregateOperator::Sum,
        parameter: None,
        operand: Box::new(operand),
        without: false,
        grouping: grouping.iter().map(|&name| name.to_owned()).collect(),
    }))
}

fn divide(left: Expr, right: Expr) -> Expr {
    expr(ExprKind::Binary(Binary {
        operator: BinaryOperator::Divide,
        left: Box::new(left),
        right: Box::new(right),
        returns_bool: false,
        matching: Some(VectorMatching::default()),
    }))
}

/// Two counters, one sample every 15 s for ten minutes, growing by 15 and 30 a sample.
fn store() -> MemoryStore {
    let store = MemoryStore::new();
    for (instance, growth) in [("a", 15.0), ("b", 30.0)] {
        let labels = Labels::from_pairs([
            ("__name__", "requests_total"),
            ("instance", instance),
            ("job", "api"),
        ]);
        for step in 0..=40_i32 {
            let at = Timestamp::from_millis(i64::from(step) * 15_000);
            let value = growth * f64::from(step);
            let row = SeriesSamples::float(labels.clone(), at, value);
            store.append(&[row]).unwrap();
        }
    }
    store
}

fn engine() -> Engine {
    let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(0)));
    Engine::new(EngineOptions::new(clock))
}

fn check_instant(expr: &Expr, at_ms: i64, want: &[(&str, f64)]) {
    let result = engine()
        .instant(&store(), expr, Timestamp::from_millis(at_ms))
        .unwrap();
    let QueryValue::Vector(samples) = result.value else {
        panic!("not a vector: {:?}", result.value);
    };
    let found: Vec<(String, f64)> = samples
        .iter()
        .map(|sample| match sample.value {
            Value::Float(float) => (sample.labels.to_string(), float),
            Value::Histogram(_) => panic!("a histogram"),
        })
        .collect();
    let want: Vec<(String, f64)> = want
        .iter()
        .map(|&(labels, value)| (labels.to_owned(), value))
        .collect();
    assert_eq!(found.len(), want.len(), "{found:?}");
    for (found, want) in found.iter().zip(&want) {
        assert_eq!(found.0, want.0);
        assert!((found.1 - want.1).abs() < 1e-9, "{found:?} {want:?}");
    }
}

#[test]
fn selects_the_latest_sample_within_the_lookback() {
    let a = r#"{__name__="requests_total", instance="a", job="api"}"#;
    let b = r#"{__name__="requests_total", instance="b", job="api"}"#;
    check_instant(&vector("requests_total"), 20_000, &[(a, 15.0), (b, 30.0)]);
    // The last sample is at 600 s; exactly five minutes later it is too old.
    check_instant(
        &vector("requests_total"),
        899_999,
        &[(a, 600.0), (b, 1200.0)],
    );
    check_instant(&vector("requests_total"), 900_000, &[]);
}

#[test]
fn rates_sums_and_divides() {
    let rates = rate("requests_total", 60_000);
    let a = r#"{instance="a", job="api"}"#;
    let b = r#"{instance="b", job="api"}"#;
    check_instant(&rates, 300_000, &[(a, 1.0), (b, 2.0)]);
    let sum = sum_by(&["job"], rates.clone());
    check_instant(&sum, 300_000, &[(r#"{job="api"}"#, 3.0)]);
    let ratio = divide(rates.clone(), rates);
    check_instant(&ratio, 300_000, &[(a, 1.0), (b, 1.0)]);
}

#[test]
fn evaluates_every_step_of_a_range() {
    let range = (Timestamp::from_millis(0), Timestamp::from_millis(120_000));
    let sum = sum_by(&[], vector("requests_total"));
    let result = engine().range(&store(), &sum, range, 60_000).unwrap();
    let QueryValue::Matrix(series) = result.value else {
        panic!("not a matrix");
    };
    let values: Vec<&Value> = series[0]
        .samples
        .iter()
        .map(|sample| &sample.value)
        .collect();
    assert_eq!(
        values,
        [
            &Value::Float(0.0),
            &Value::Float(180.0),
            &Value::Float(360.0)
        ]
    );
    assert!(result.stats.samples_touched > 0);
}

#[test]
fn limits_the_samples_in_memory() {
    let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(0)));
    let mut options = EngineOptions::new(clock);
    options.samples_max = 10;
    let range = (Timestamp::from_millis(0), Timestamp::from_millis(600_000));
    let error = Engine::new(options)
        .range(&store(), &vector("requests_total"), range, 15_000)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "query processing would load too many samples into memory in query execution"
    );
    assert_eq!(error.kind(), "execution");
}

#[test]
fn holds_one_series_at_a_time() {
    let clock: SharedClock = Arc::new(SimulatedClock::new(Timestamp::from_millis(0)));
    let range = (Timestamp::from_millis(0), Timestamp::from_millis(600_000));
    let check = |query: &str, peak: usize| {
        let expr = crate::parse(query).unwrap();
        let mut options = EngineOptions::new(Arc::clone(&clock));
        let whole = Engine::new(options.clone())
            .range(&store(), &expr, range, 60_000)
            .unwrap();
        // Each series has 41 samples in the range, two of them give 22 values.
        assert_eq!(whole.stats.samples_read, 82, "{query}");
        assert_eq!(whole.stats.samples_peak, peak, "{query}");
        options.samples_max = peak;
        let limited = Engine::new(options.clone())
            .range(&store(), &expr, range, 60_000)
            .unwrap();
        assert_eq!(limited.value, whole.value, "{query}");
        options.samples_max = peak - 1;
        let refused = Engine::new(options).range(&store(), &expr, range, 60_000);
        assert_eq!(refused.unwrap_err().kind(), "execution", "{query}");
    };
    check("requests_total", 63);
    check("sum(requests_total)", 63);
    check("rate(requests_total[2m])", 61);
    check("topk(1, requests_total)", 77);
}

/// Queries over `store`, one for each way of evaluation.
const QUERIES: &[&str] = &[
    "requests_total",
    "requests_total offset 1m",
    "requests_total @ 120 + requests_total",
    "rate(requests_total[2m])",
    "increase(requests_total[2m] offset 1m)",
    "max_over_time(rate(requests_total[1m])[3m:20s])",
    "avg_over_time(requests_total[90s:])",
    "sum by (job) (requests_total) / count by (job) (requests_total)",
    "requests_total > 200",
    "requests_total > bool 200",
    "requests_total{instance=\"a\"} or requests_total{instance=\"b\"} > 500",
    "requests_total unless requests_total > 300",
    "requests_total * on (job) group_left () max by (job) (requests_total)",
    "topk(1, requests_total)",
    "bottomk(scalar(count(requests_total > 300) or vector(0)), requests_total)",
    "quantile(0.5, requests_total)",
    "count_values(\"v\", requests_total)",
    "absent(requests_total > 1000)",
    "absent_over_time(nothing{a=\"b\"}[1m])",
    "timestamp(requests_total)",
    "clamp(requests_total, time() - 100, 400)",
    "label_replace(requests_total, \"host\", \"h-$1\", \"instance\", \"(.*)\")",
    "predict_linear(requests_total[2m], 60)",
    "scalar(requests_total{instance=\"a\"}) + time()",
    "hour() + vector(1)",
    "-requests_total ^ 2 % 7",
];

#[test]
fn a_range_is_the_instants_at_its_steps() {
    let store = store();
    let (start, step, count) = (7_500_i64, 35_000_i64, 18_i64);
    for query in QUERIES {
        let expr = crate::parse(query).unwrap();
        let times = |index| Timestamp::from_millis(start + index * step);
        let range = (times(0), times(count - 1));
        let result = engine().range(&store, &expr, range, step).unwrap();
        let QueryValue::Matrix(series) = result.value else {
            panic!("{query}: not a matrix");
        };
        for index in 0..count {
            let mut at_step: Vec<(Labels, Value)> = series
                .iter()
                .flat_map(|series| {
                    let samples = series.samples.iter();
                    let here = samples.filter(|sample| sample.timestamp == times(index));
                    here.map(|sample| (series.labels.clone(), sample.value.clone()))
                })
                .collect();
            let mut instant = match engine().instant(&store, &expr, times(index)).unwrap().value {
                QueryValue::Scalar { value, .. } => {
                    vec![(Labels::default(), Value::Float(value))]
                }
                QueryValue::Vector(samples) => {
                    let pairs = samples.into_iter();
                    pairs.map(|sample| (sample.labels, sample.value)).collect()
                }
                other => panic!("{query}: {other:?}"),
            };
            at_step.sort_by(|a, b| a.0.cmp(&b.0));
            instant.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(at_step, instant, "{query} at step {index}");
        }
    }
}

#[test]
fn says_why_it_failed() {
    let check = |query: &str, kind: &str, message: &str| {
        let expr = crate::parse(query).unwrap();
        let at = Timestamp::from_millis(300_000);
        let error = engine().instant(&store(), &expr, at).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    };
    check(
        "requests_total + ignoring (instance) requests_total",
        "execution",
        "found duplicate series for the match group {job=\"api\"} on the right hand-side of the operation: \
         [{__name__=\"requests_total\", instance=\"a\", job=\"api\"}, {__name__=\"requests_total\", instance=\"b\", job=\"api\"}]\
         ;many-to-many matching not allowed: matching labels must be unique on one side",
    );
    check(
        "requests_total + on (job) sum by (job) (requests_total)",
        "execution",
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
    );
    check(
        "label_replace(requests_total, \"instance\", \"\", \"\", \"\")",
        "execution",
        "vector cannot contain metrics with the same labelset",
    );
    check(
        "topk(NaN, requests_total)",
        "execution",
        "Parameter value is NaN",
    );
}

#[test]
fn ends_when_cancelled_or_out_of_time() {
    let expr = crate::parse("sum(rate(requests_total[5m]))").unwrap();
    let run = |timeout, cancelled: bool| {
        let budget = ReadBudget::new(1_000_000);
        if cancelled {
            budget.cancel();
        }
        let query = Query {
            expr: &expr,
            time: QueryTime::Instant(Timestamp::from_millis(300_000)),
            lookback_ms: None,
            timeout: Some(timeout),
            budget: &budget,
            detail: QueryDetail::default(),
            bypasses_cache: true,
            rule_group: None,
        };
        engine().run(&store(), &query).map_err(|error| error.kind())
    };
    let minute = std::time::Duration::from_secs(60);
    assert_eq!(run(minute, true).unwrap_err(), "canceled");
    assert_eq!(
        run(std::time::Duration::ZERO, false).unwrap_err(),
        "timeout"
    );
    assert!(run(minute, false).is_ok());
}

#[test]
fn remarks_have_their_place() {
    let query = "sum(\n rate(requests[5m]))";
    let store = MemoryStore::new();
    let labels = Labels::from_pairs([("__name__", "requests")]);
    for at_ms in [0, 60_000, 120_000] {
        let row = SeriesSamples::float(labels.clone(), Timestamp::from_millis(at_ms), 1.0);
        store.append(&[row]).unwrap();
    }
    let expr = crate::parse(query).unwrap();
    let at = Timestamp::from_millis(120_000);
    let result = engine().instant(&store, &expr, at).unwrap();
    let infos: Vec<String> = result.infos.iter().map(|info| info.text(query)).collect();
    let want = "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"requests\" (2:7)";
    assert_eq!(infos, [want]);
    assert!(result.warnings.is_empty());
}

#[test]
fn names_go_at_once_or_at_the_end() {
    let expr = crate::parse(
        "label_replace(rate(requests_total[5m]), \"was\", \"$1\", \"__name__\", \"(.+)\")",
    );
    let check = |delayed_name_removal, want: &str| {
        let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(0)));
        let options = EngineOptions {
            delayed_name_removal,
            ..EngineOptions::new(clock)
        };
        let at = Timestamp::from_millis(300_000);
        let result = Engine::new(options)
            .instant(&store(), expr.as_ref().unwrap(), at)
            .unwrap();
        let QueryValue::Vector(samples) = result.value else {
            panic!("not a vector");
        };
        assert_eq!(samples[0].labels.to_string(), want);
    };
    check(false, r#"{instance="a", job="api"}"#);
    check(true, r#"{instance="a", job="api", was="requests_total"}"#);
}

#[test]
fn the_deepest_tree_is_evaluated() {
    let nested = |depth: usize| {
        [
            format!("{}vector(1){}", "(".repeat(depth), ")".repeat(depth)),
            format!("vector(1){}", "+vector(1)".repeat(depth)),
            format!("{}vector(1)", "-".repeat(depth)),
            format!("{}vector(1){}", "abs(".repeat(depth), ")".repeat(depth)),
        ]
    };
    // The parser refuses what is deeper than it allows; the deepest it takes must not end the thread.
    for depth in [50, 100, 150, 190, 200, 240, 250, 400, 490, 500, 990, 1000] {
        for text in nested(depth) {
            if let Ok(expr) = crate::parse(&text) {
                let at = Timestamp::from_millis(0);
                assert!(engine().instant(&store(), &expr, at).is_ok(), "{depth}");
            }
        }
    }
}

#[test]
fn refuses_more_steps_than_it_may_hold() {
    let check = |query: &str| {
        let expr = crate::parse(query).unwrap();
        let at = Timestamp::from_millis(0);
        let error = engine().instant(&store(), &expr, at).unwrap_err();
        assert_eq!(error.kind(), "execution", "{query}: {error}");
    };
    check("max_over_time(vector(1)[100y:1ms])");
    check("sum_over_time(vector(time())[50y:1ms])");
}

#[test]
fn start_timestamps_count_only_where_they_are_wanted() {
    let store = MemoryStore::new();
    let mut sample = Sample::float(Timestamp::from_millis(60_000), 6.0);
    sample.start = Timestamp::from_millis(30_000);
    let row = SeriesSamples {
        labels: Labels::from_pairs([("__name__", "c_total")]),
        samples: vec![sample],
        exemplars: Vec::new(),
    };
    store.append(&[row]).unwrap();
    for wanted in [false, true] {
        let options = EngineOptions {
            start_timestamps: wanted,
            ..engine().options().clone()
        };
        let at = Timestamp::from_millis(60_000);
        let result = Engine::new(options)
            .instant(&store, &rate("c_total", 60_000), at)
            .unwrap();
        let QueryValue::Vector(found) = result.value else {
            panic!("no vector");
        };
        assert_eq!(found.len(), usize::from(wanted));
    }
}

#[test]
fn counters_are_known_by_their_type_where_types_are_labels() {
    let check = |name: &str, kind: &str, has_types: bool, want: Option<&str>| {
        let store = MemoryStore::new();
        for at in [0, 60_000] {
            let labels = Labels::from_pairs([("__name__", name), ("__type__", kind)]);
            let row = SeriesSamples::float(labels, Timestamp::from_millis(at), 1.0);
            store.append(&[row]).unwrap();
        }
        let options = EngineOptions {
            type_and_unit_labels: has_types,
            ..engine().options().clone()
        };
        let result = Engine::new(options)
            .instant(&store, &rate(name, 120_000), Timestamp::from_millis(60_000))
            .unwrap();
        let found = result.infos.first().map(|info| info.text(""));
        assert_eq!(found.as_deref(), want);
    };
    check("a_total", "gauge", false, None);
    check("a", "counter", true, None);
    check("a", "histogram", true, None);
    check(
        "a_total",
        "gauge",
        true,
        Some(
            "PromQL info: metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", got \"gauge\": \"a_total\"",
        ),
    );
}

#[test]
fn threads_change_nothing() {
    let store = MemoryStore::new();
    for series in 0..3000_i32 {
        let labels = Labels::from_pairs([
            ("__name__", "load"),
            ("host", &format!("h{}", series / 10)),
            ("core", &format!("{}", series % 10)),
        ]);
        let samples = (0..12_i64).filter(|at| (i64::from(series) + at) % 11 != 0);
        let samples = samples.map(|at| {
            let value = f64::from(series).sin() * 1e3 + model::number::i64_to_float(at) / 7.0;
            Sample::float(Timestamp::from_millis(at * 60_000), value)
        });
        let row = SeriesSamples {
            labels,
            samples: samples.collect(),
            exemplars: Vec::new(),
        };
        store.append(&[row]).unwrap();
    }
    let engine = |helpers| {
        Engine::new(EngineOptions {
            workers: runtime::Workers::new(helpers),
            ..engine().options().clone()
        })
    };
    for query in [
        "sum(load)",
        "avg by (host) (rate(load[5m]))",
        "stddev without (core) (load)",
        "quantile by (core) (0.9, abs(load))",
        "topk by (core) (3, load)",
        "max_over_time(load[3m]) > 500",
        "sum(load) by (host) / on (host) group_right () load{core=\"1\"}",
        "histogram_quantile(0.5, load)",
        "load + on (host) load",
    ] {
        let expr = crate::parse(query).unwrap();
        let range = (Timestamp::from_millis(0), Timestamp::from_millis(660_000));
        let answer = |helpers| match engine(helpers).range(&store, &expr, range, 11_000) {
            Ok(result) => format!("{:?} {:?}", result.value, result.infos),
            Err(error) => error.to_string(),
        };
        let alone = answer(0);
        for helpers in [1, 3] {
            assert_eq!(answer(helpers), alone, "{query}");
        }
    }
}

#[test]
fn subqueries_without_a_step_use_the_default_of_the_moment() {
    let step = DefaultStep::new(15_000);
    let engine = Engine::new(EngineOptions {
        subquery_step: step.clone(),
        ..EngineOptions::new(Arc::new(SimulatedClock::new(Timestamp::from_millis(0))))
    });
    let check = |want: f64| {
        let expr = crate::parse("count_over_time(vector(1)[1m:])").expect("a query");
        let at = Timestamp::from_millis(600_000);
        let value = engine
            .instant(&store(), &expr, at)
            .expect("an answer")
            .value;
        match value {
            QueryValue::Vector(series) => assert_eq!(series[0].value, Value::Float(want)),
            other => panic!("{other:?}"),
        }
    };
    check(4.0);
    step.set(30_000);
    check(2.0);
}
