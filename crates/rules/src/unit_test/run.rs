//! One test: series and rules from its start to the last moment that is asked for.

use super::compare::{self, ComparedAlert, ComparedSample};
use super::format::{AlertTest, ExprTest, Test};
use super::{Options, Prepared};
use crate::alerts::AlertState;
use crate::config::{Config, Evaluator};
use crate::file::{self, RuleFile, RuleKind};
use crate::group::Group;
use crate::template::{Surroundings, float};
use gotemplate::duration_text;
use model::histogram::CounterResetHint;
use model::{
    Histogram, Labels, MemoryStore, Sample, SeriesSamples, Sink, Timestamp, Value, format_duration,
};
use promql::{
    DefaultStep, Engine, EngineOptions, QueryValue, SequenceValue, parse_series_description,
};
use runtime::SharedClock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Evaluations of one test at most: ten years of minutes.
const EVALUATIONS_MAX: i64 = 6_000_000;

/// Runs all tests of a file; what went wrong, in order.
pub(super) fn all(prepared: &Prepared, clock: &SharedClock, options: &Options) -> Vec<String> {
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    for (position, group) in prepared.tests.group_eval_order.iter().enumerate() {
        if order.insert(group, position).is_some() {
            return vec![format!("group name repeated in evaluation order: {group}")];
        }
    }
    let mut failures = Vec::new();
    for test in &prepared.tests.tests {
        let is_wanted = |run: &model::regex::Regex| run.is_match(&test.name);
        if options.run.as_ref().is_none_or(is_wanted) {
            failures.extend(one(prepared, test, &order, (clock, options)));
        }
    }
    failures
}

fn one(
    prepared: &Prepared,
    test: &Test,
    order: &BTreeMap<&str, usize>,
    (clock, options): (&SharedClock, &Options),
) -> Vec<String> {
    let interval_ms = prepared.tests.evaluation_interval_ms;
    let series = match load_series(test, test.interval_ms.unwrap_or(interval_ms)) {
        Ok(series) => series,
        Err(error) => return vec![error],
    };
    let files = match load_rules(prepared, options) {
        Ok(files) => files,
        Err(errors) => return errors,
    };
    if let Some(nameless) = test.alert_tests.iter().find(|t| t.alertname.is_empty()) {
        let group = match test.name.as_str() {
            "" => String::new(),
            name => format!(" (in TestGroup {name})"),
        };
        return vec![format!(
            "an item under alert_rule_test misses required attribute alertname at eval_time {}{group}",
            format_duration(nameless.eval_time_ms)
        )];
    }
    let config = Config {
        files,
        interval_ms,
        external_labels: test.external_labels.clone(),
        external_url: test.external_url.clone(),
        ..Config::default()
    };
    let mut bench = Bench::new(test, series, &config, clock);
    bench
        .groups
        .sort_by_key(|group| order.get(group.key.name.as_str()).copied().unwrap_or(0));
    let mut failures = bench.evaluate(interval_ms);
    if bench.is_broken {
        return failures;
    }
    let fuzzy = prepared.tests.fuzzy_compare;
    let exprs = test.expr_tests.iter();
    failures.extend(exprs.filter_map(|expr| bench.check_expr(expr, fuzzy).err()));
    failures
}

fn load_rules(prepared: &Prepared, options: &Options) -> Result<Vec<RuleFile>, Vec<String>> {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for (path, text) in &prepared.rule_files {
        match file::parse(path, text, options.unknown_fields()) {
            Ok(file) => files.push(file),
            Err(problems) => {
                errors.extend(problems.list().iter().map(ToString::to_string));
            }
        }
    }
    if errors.is_empty() {
        Ok(files)
    } else {
        Err(errors)
    }
}

/// The series of a test, samples ascending by time.
fn load_series(test: &Test, interval_ms: i64) -> Result<Vec<SeriesSamples>, String> {
    let mut all = Vec::new();
    for input in &test.input_series {
        let line = format!("{} {}", input.series, input.values);
        let description = parse_series_description(&line)
            .map_err(|error| format!("series {:?}: {error}", input.series))?;
        let mut samples: Vec<Sample> = Vec::new();
        let mut timestamp = test.start;
        for value in description.values {
            let value = match value {
                SequenceValue::Omitted => None,
                SequenceValue::Float(value) => Some(Value::Float(value)),
                SequenceValue::Histogram { histogram, .. } => {
                    Some(Value::Histogram(after(samples.last(), histogram)))
                }
            };
            samples.extend(value.map(|value| Sample::new(timestamp, value)));
            timestamp = timestamp.plus_millis(interval_ms);
        }
        all.push(SeriesSamples {
            labels: description.labels,
            samples,
            exemplars: Vec::new(),
        });
    }
    Ok(all)
}

/// A histogram with the hint that a store would give it after the sample before.
fn after(before: Option<&Sample>, histogram: Arc<Histogram>) -> Arc<Histogram> {
    let Some(Value::Histogram(before)) = before.map(|sample| &sample.value) else {
        return histogram;
    };
    if histogram.counter_reset_hint != CounterResetHint::Unknown {
        return histogram;
    }
    let counts = [
        (before.count, histogram.count),
        (before.zero_count, histogram.zero_count),
    ];
    let is_reset = counts.iter().any(|(before, now)| now < before);
    let counter_reset_hint = if is_reset {
        CounterResetHint::Reset
    } else {
        CounterResetHint::NotReset
    };
    Arc::new(Histogram {
        counter_reset_hint,
        ..Histogram::clone(&histogram)
    })
}

/// A store, groups and what is still to come.
struct Bench<'t> {
    test: &'t Test,
    /// Samples that have not happened yet, the next one last.
    to_come: Vec<(Timestamp, SeriesSamples)>,
    store: Arc<MemoryStore>,
    engine: Engine,
    groups: Vec<Group>,
    evaluator: Evaluator,
    /// Whether a rule could not be evaluated: nothing after that means anything.
    is_broken: bool,
}

impl<'t> Bench<'t> {
    fn new(
        test: &'t Test,
        series: Vec<SeriesSamples>,
        config: &Config,
        clock: &SharedClock,
    ) -> Self {
        let store = Arc::new(MemoryStore::new());
        let engine = Engine::new(EngineOptions {
            subquery_step: DefaultStep::new(config.interval_ms),
            ..EngineOptions::new(Arc::clone(clock))
        });
        let mut to_come: Vec<(Timestamp, SeriesSamples)> = series
            .into_iter()
            .flat_map(|series| {
                series.samples.into_iter().map(move |sample| {
                    let row = SeriesSamples {
                        labels: series.labels.clone(),
                        samples: vec![sample.clone()],
                        exemplars: Vec::new(),
                    };
                    (sample.timestamp, row)
                })
            })
            .collect();
        to_come.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let groups = config.files.iter().flat_map(|file| {
            let specs = file.groups.iter();
            specs.map(|spec| Group::new(&file.path, spec, config))
        });
        Self {
            test,
            to_come,
            groups: groups.collect(),
            evaluator: Evaluator {
                surroundings: Surroundings {
                    engine: engine.clone(),
                    source: Arc::clone(&store) as _,
                    external_labels: config.external_labels.clone(),
                    external_url: config.external_url.clone(),
                },
                sink: Arc::clone(&store) as _,
                clock: Arc::clone(clock),
                query_offset_ms: config.query_offset_ms,
                restoring: config.restoring,
            },
            store,
            engine,
            is_broken: false,
        }
    }

    /// Evaluates all groups at each step and checks alerts where they are asked for.
    fn evaluate(&mut self, interval_ms: i64) -> Vec<String> {
        let times = self.test.alert_tests.iter().map(|test| test.eval_time_ms);
        let exprs = self.test.expr_tests.iter().map(|test| test.eval_time_ms);
        let last_ms = times.clone().chain(exprs).max().unwrap_or(0).max(0);
        if last_ms / interval_ms > EVALUATIONS_MAX {
            self.is_broken = true;
            return vec![format!(
                "more than {EVALUATIONS_MAX} evaluations until {}",
                format_duration(last_ms)
            )];
        }
        let asked: BTreeSet<i64> = times.collect();
        let mut failures = Vec::new();
        let mut since_start_ms = 0;
        while since_start_ms <= last_ms {
            let errors = self.step(since_start_ms);
            if !errors.is_empty() {
                self.is_broken = true;
                failures.extend(errors);
                return failures;
            }
            for at in asked.range(since_start_ms..since_start_ms + interval_ms) {
                failures.extend(self.check_alerts(*at));
            }
            since_start_ms += interval_ms;
        }
        failures
    }

    /// Lets samples happen and evaluates all groups; what rules could not do.
    fn step(&mut self, since_start_ms: i64) -> Vec<String> {
        let now = self.test.start.plus_millis(since_start_ms);
        let mut batch = Vec::new();
        while self.to_come.last().is_some_and(|(at, _)| *at <= now) {
            batch.extend(self.to_come.pop().map(|(_, row)| row));
        }
        if let Err(error) = self.store.append(&batch) {
            return vec![error.to_string()];
        }
        let mut errors = Vec::new();
        for group in &mut self.groups {
            group.step(now, &self.evaluator);
            for rule in &group.rules {
                if let Some(error) = &rule.last_error {
                    errors.push(format!(
                        "    rule: {}, time: {}, err: {error}",
                        rule.spec.name,
                        duration_text(since_start_ms.saturating_mul(1_000_000))
                    ));
                }
            }
        }
        errors
    }

    /// The firing alerts of a name, sorted.
    fn firing(&self, name: &str) -> Vec<ComparedAlert> {
        let rules = self.groups.iter().flat_map(|group| &group.rules);
        let rules = rules.filter(|rule| {
            rule.spec.name == name && matches!(rule.spec.kind, RuleKind::Alerting(_))
        });
        let mut alerts: Vec<ComparedAlert> = rules
            .flat_map(|rule| rule.alerts.active())
            .filter(|(_, instance)| instance.timers.state == AlertState::Firing)
            .map(|(labels, instance)| ComparedAlert {
                labels: labels.clone(),
                annotations: instance.annotations.clone(),
            })
            .collect();
        alerts.sort();
        alerts
    }

    fn check_alerts(&self, eval_time_ms: i64) -> Vec<String> {
        let tests = self.test.alert_tests.iter();
        let tests = tests.filter(|test| test.eval_time_ms == eval_time_ms);
        tests.filter_map(|test| self.check_alert(test)).collect()
    }

    fn check_alert(&self, test: &AlertTest) -> Option<String> {
        let mut expected: Vec<ComparedAlert> = test
            .alerts
            .iter()
            .map(|alert| ComparedAlert {
                labels: alert.labels.with("alertname", &test.alertname),
                annotations: alert.annotations.clone(),
            })
            .collect();
        expected.sort();
        let found = self.firing(&test.alertname);
        if expected == found {
            return None;
        }
        let name = match self.test.name.as_str() {
            "" => String::new(),
            name => format!("    name: {name},\n"),
        };
        Some(format!(
            "{name}    alertname: {}, time: {}, \n        exp:{}, \n        got:{}",
            test.alertname,
            format_duration(test.eval_time_ms),
            compare::alerts_text(&expected),
            compare::alerts_text(&found)
        ))
    }

    fn check_expr(&self, test: &ExprTest, fuzzy: bool) -> Result<(), String> {
        let time = format_duration(test.eval_time_ms);
        let expr = &test.expr;
        let failed = |error: String| format!("    expr: {expr:?}, time: {time}, err: {error}");
        let mut found = self.query(test).map_err(failed)?;
        let expected: Result<Vec<ComparedSample>, String> =
            test.samples.iter().map(expected_sample).collect();
        let mut expected = expected.map_err(failed)?;
        found.sort_by(|a, b| a.labels.cmp(&b.labels));
        expected.sort_by(|a, b| a.labels.cmp(&b.labels));
        if compare::same_samples(&expected, &found, fuzzy) {
            return Ok(());
        }
        Err(format!(
            "    expr: {expr:?}, time: {time},\n        exp: {}\n        got: {}",
            compare::samples_text(&expected),
            compare::samples_text(&found)
        ))
    }

    fn query(&self, test: &ExprTest) -> Result<Vec<ComparedSample>, String> {
        let expr = promql::parse(&test.expr).map_err(|error| error.to_string())?;
        let at = self.test.start.plus_millis(test.eval_time_ms);
        let result = self
            .engine
            .instant(self.store.as_ref(), &expr, at)
            .map_err(|error| error.to_string())?;
        match result.value {
            QueryValue::Scalar { value, .. } => Ok(vec![ComparedSample {
                labels: Labels::default(),
                value,
                histogram: String::new(),
            }]),
            QueryValue::Vector(series) => Ok(series
                .into_iter()
                .map(|sample| ComparedSample {
                    value: float(&sample.value),
                    histogram: match &sample.value {
                        Value::Float(_) => String::new(),
                        Value::Histogram(histogram) => compare::histogram_text(histogram),
                    },
                    labels: sample.labels,
                })
                .collect()),
            QueryValue::Matrix(_) | QueryValue::String { .. } => {
                Err("rule result is not a vector or scalar".to_owned())
            }
        }
    }
}

fn expected_sample(sample: &super::format::ExpectedSample) -> Result<ComparedSample, String> {
    let failed = |error: String| format!("labels {:?}: {error}", sample.labels);
    let series =
        parse_series_description(&sample.labels).map_err(|error| failed(error.to_string()))?;
    if !series.values.is_empty() {
        return Err(failed("expected a label set without values".to_owned()));
    }
    let histogram = match sample.histogram.as_str() {
        "" => String::new(),
        text => expected_histogram(text).map_err(failed)?,
    };
    Ok(ComparedSample {
        labels: series.labels,
        value: sample.value,
        histogram,
    })
}

fn expected_histogram(text: &str) -> Result<String, String> {
    let series =
        parse_series_description(&format!("{{}} {text}")).map_err(|error| error.to_string())?;
    match series.values.as_slice() {
        [SequenceValue::Histogram { histogram, .. }] => Ok(compare::histogram_text(histogram)),
        [other] => Err(format!("expected histogram, got {other:?}")),
        values => Err(format!("expected 1 value, got {}", values.len())),
    }
}
