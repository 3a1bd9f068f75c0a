use super::{Engine, EngineOptions, QueryValue};
use crate::ast::{
    Aggregate, AggregateOperator, Binary, BinaryOperator, Call, DurationExpr, Expr, ExprKind,
    MatrixSelector, Modifiers, RangeBorders, Span, VectorMatching, VectorSelector,
};
use model::{Labels, Matcher, MemoryStore, SeriesSamples, Sink, Timestamp, Value};
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
fn reads_in_slices_what_does_not_fit_at_once() {
    let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(0)));
    let range = (Timestamp::from_millis(0), Timestamp::from_millis(600_000));
    let check = |query: &str| {
        let expr = crate::parse(query).unwrap();
        let mut options = EngineOptions::new(SharedClock::clone(&(clock.clone() as SharedClock)));
        let whole = Engine::new(options.clone())
            .range(&store(), &expr, range, 60_000)
            .unwrap();
        // The two series have 41 samples each in the range.
        options.samples_max = 75;
        let sliced = Engine::new(options)
            .range(&store(), &expr, range, 60_000)
            .unwrap();
        assert_eq!(sliced.value, whole.value, "{query}");
        assert!(whole.stats.samples_peak > 75);
        assert!(sliced.stats.samples_peak <= 75);
    };
    check("requests_total");
    check("sum(requests_total)");
    check("rate(requests_total[2m])");
    check("quantile_over_time(time() / 600, requests_total[2m])");
}
