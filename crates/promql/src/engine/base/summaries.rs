//! Down-sampled data gives what the samples give.

use crate::engine::{Engine, EngineOptions, QueryResult, QueryValue};
use model::{
    Columns, HeldScan, Labels, Matcher, Scan, Series, Source, SourceError, Summaries, TimeRange,
    Timestamp, Value,
};
use runtime::SimulatedClock;
use std::sync::Arc;

/// One series, as its samples or down-sampled.
struct Store(Columns);

impl Source for Store {
    fn scan<'a>(
        &'a self,
        _: &[Matcher],
        range: TimeRange,
    ) -> Result<Box<dyn Scan + 'a>, SourceError> {
        let all = &self.0;
        let inside = |index: &usize| range.contains(Timestamp::from_millis(all.timestamps[*index]));
        let kept: Vec<usize> = (0..all.len()).filter(inside).collect();
        let of = |column: &[f64]| -> Vec<f64> { kept.iter().map(|index| column[*index]).collect() };
        let columns = Columns {
            timestamps: kept.iter().map(|index| all.timestamps[*index]).collect(),
            values: of(&all.values),
            summaries: all.summaries.as_ref().map(|all| {
                Arc::new(Summaries {
                    first_timestamps: kept
                        .iter()
                        .map(|index| all.first_timestamps[*index])
                        .collect(),
                    counts: kept.iter().map(|index| all.counts[*index]).collect(),
                    first_values: of(&all.first_values),
                    sums: of(&all.sums),
                    minima: of(&all.minima),
                    maxima: of(&all.maxima),
                    squares: of(&all.squares),
                    increases: of(&all.increases),
                })
            }),
            ..Columns::default()
        };
        let labels = Labels::from_pairs([("__name__", "m_total")]);
        Ok(Box::new(HeldScan::new(vec![Series { labels, columns }])))
    }

    fn series(&self, _: &[Matcher], _: TimeRange) -> Result<Vec<Labels>, SourceError> {
        Ok(Vec::new())
    }

    fn label_names(&self, _: &[Matcher], _: TimeRange) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    fn label_values(
        &self,
        _: &str,
        _: &[Matcher],
        _: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }
}

/// Four hours of samples at 15 s, a counter that starts again now and then.
fn samples() -> Columns {
    let times: Vec<i64> = (1..=960).map(|index| index * 15_000).collect();
    let value = |time: &i64| {
        let index = i32::try_from(time / 15_000).unwrap();
        f64::from((index * 7) % 500) + f64::from(index % 3) / 4.0
    };
    Columns {
        values: times.iter().map(value).collect(),
        timestamps: times.into(),
        ..Columns::default()
    }
}

/// The same in windows of five minutes, open on the left.
fn down_sampled(samples: &Columns) -> Columns {
    let mut columns = Columns::default();
    let (mut times, mut values) = (Vec::new(), Vec::new());
    let mut summaries = Summaries::default();
    for first in (0..samples.len()).step_by(20) {
        let all = &samples.values[first..first + 20];
        let sum: f64 = all.iter().sum();
        let mean = sum / 20.0;
        let grown = |pair: &[f64]| {
            if pair[1] < pair[0] {
                pair[1]
            } else {
                pair[1] - pair[0]
            }
        };
        times.push(samples.timestamps[first + 19]);
        values.push(all[19]);
        summaries.first_timestamps.push(samples.timestamps[first]);
        summaries.first_values.push(all[0]);
        summaries.counts.push(20);
        summaries.sums.push(sum);
        summaries
            .minima
            .push(all.iter().copied().fold(f64::INFINITY, f64::min));
        summaries
            .maxima
            .push(all.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        summaries
            .squares
            .push(all.iter().map(|value| (value - mean).powi(2)).sum());
        summaries.increases.push(all.windows(2).map(grown).sum());
    }
    columns.timestamps = times.into();
    columns.values = values;
    columns.summaries = Some(Arc::new(summaries));
    columns
}

fn ask(store: &Store, query: &str) -> QueryResult {
    let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(0)));
    let expr = crate::parse(query).unwrap();
    let range = (
        Timestamp::from_millis(3_600_000),
        Timestamp::from_millis(14_400_000),
    );
    Engine::new(EngineOptions::new(clock))
        .range(store, &expr, range, 600_000)
        .unwrap()
}

fn floats(result: &QueryResult) -> Vec<f64> {
    let QueryValue::Matrix(series) = &result.value else {
        panic!("no matrix");
    };
    let samples = series.iter().flat_map(|one| &one.samples);
    let float = |value: &Value| match value {
        Value::Float(float) => *float,
        Value::Histogram(_) => panic!("a histogram"),
    };
    samples.map(|sample| float(&sample.value)).collect()
}

#[test]
fn whole_windows_give_what_samples_give() {
    let samples = samples();
    let (raw, down) = (Store(samples.clone()), Store(down_sampled(&samples)));
    let check = |query: &str| {
        let (want, found) = (ask(&raw, query), ask(&down, query));
        assert!(found.warnings.is_empty(), "{query}");
        let (want, found) = (floats(&want), floats(&found));
        assert_eq!(want.len(), 19, "{query}");
        assert_eq!(found.len(), 19, "{query}");
        for (want, found) in want.iter().zip(&found) {
            let close = (want - found).abs() <= 1e-9 * want.abs().max(1.0);
            assert!(close, "{query}: {found} instead of {want}");
        }
    };
    for function in [
        "avg_over_time",
        "count_over_time",
        "delta",
        "first_over_time",
        "increase",
        "last_over_time",
        "max_over_time",
        "min_over_time",
        "present_over_time",
        "rate",
        "stddev_over_time",
        "stdvar_over_time",
        "sum_over_time",
        "ts_of_first_over_time",
        "ts_of_last_over_time",
    ] {
        check(&format!("{function}(m_total[30m])"));
        check(&format!("sum({function}(m_total[1h] offset 5m))"));
    }
    check("m_total");
}

#[test]
fn what_summaries_do_not_tell_is_remarked() {
    let down = Store(down_sampled(&samples()));
    for function in ["changes", "irate", "deriv"] {
        let result = ask(&down, &format!("{function}(m_total[30m])"));
        let texts: Vec<&str> = result
            .warnings
            .iter()
            .map(|one| one.message.as_str())
            .collect();
        let want =
            format!("data was down-sampled: {function} sees only the last sample of each window");
        assert_eq!(texts, [want]);
        assert_eq!(floats(&result).len(), 19);
    }
}

#[test]
fn graphs_of_long_windows_have_no_holes() {
    let samples = samples();
    let mut down = down_sampled(&samples);
    // Only every sixth window is left, as if windows were half an hour long.
    let every_sixth = |index: &usize| index % 6 == 5;
    let kept: Vec<usize> = (0..down.len()).filter(every_sixth).collect();
    let times: Vec<i64> = kept.iter().map(|index| down.timestamps[*index]).collect();
    let values: Vec<f64> = kept.iter().map(|index| down.values[*index]).collect();
    let firsts = kept.iter().map(|index| index - 5).collect::<Vec<_>>();
    down.summaries = Some(Arc::new(Summaries {
        first_timestamps: firsts
            .iter()
            .map(|index| samples.timestamps[index * 20])
            .collect(),
        first_values: firsts
            .iter()
            .map(|index| samples.values[index * 20])
            .collect(),
        counts: vec![120; kept.len()],
        sums: values.clone(),
        minima: values.clone(),
        maxima: values.clone(),
        squares: values.clone(),
        increases: values.clone(),
    }));
    down.timestamps = times.into();
    down.values = values;
    assert_eq!(floats(&ask(&Store(down), "m_total")).len(), 19);
}
