//! Series of every kind, for the tests of this crate.

use model::histogram::{CUSTOM_BUCKETS_SCHEMA, CounterResetHint, Span};
use model::number::u64_to_float;
use model::{
    Columns, Histogram, Labels, MemoryStore, ReadBudget, STALE_MARKER, Sample, SeriesSamples,
    Sink as _, Source as _, TimeRange, Timestamp, Value,
};
use runtime::Random;
use std::sync::Arc;

/// A round moment, at the beginning of a block of two hours.
pub(crate) const START: i64 = 1_700_006_400_000;
/// Between two samples.
pub(crate) const STEP: i64 = 15_000;

/// Series of floats and histograms, 300 samples each, sorted by labels.
pub(crate) fn rows(seed: u64) -> Vec<SeriesSamples> {
    let mut random = Random::from_seed(seed);
    let kinds = [
        "constant", "counter", "noise", "special", "whole", "fraction", "custom", "gauge",
    ];
    let mut rows: Vec<SeriesSamples> = kinds
        .iter()
        .flat_map(|kind| ["a", "b\"\\\n", "ü€"].map(|host| (kind, host)))
        .map(|(kind, host)| {
            let labels = Labels::from_pairs([("__name__", *kind), ("host", host), ("π", "3")]);
            SeriesSamples {
                labels,
                samples: samples(kind, &mut random),
                exemplars: Vec::new(),
            }
        })
        .collect();
    rows.sort_by(|a, b| a.labels.cmp(&b.labels));
    rows
}

fn samples(kind: &str, random: &mut Random) -> Vec<Sample> {
    let mut counts = [0_u64; 8];
    let mut at = START;
    let mut sample = |i: u64| {
        at += STEP + i64::try_from(random.below(3)).expect("small") - 1;
        let value = match kind {
            "constant" => Value::Float(1.5),
            "counter" => Value::Float(u64_to_float(i * 7 + random.below(5))),
            "noise" => Value::Float(f64::from_bits(random.next_u64())),
            "special" => {
                Value::Float([f64::INFINITY, -0.0, STALE_MARKER, 1e-300, 3.25][index(i, 5)])
            }
            _ if i == 299 => Value::Float(STALE_MARKER),
            _ => Value::Histogram(Arc::new(histogram(kind, &mut counts, random))),
        };
        Sample::new(Timestamp::from_millis(at), value)
    };
    (0..300).map(&mut sample).collect()
}

fn index(i: u64, below: usize) -> usize {
    usize::try_from(i).expect("small") % below
}

fn histogram(kind: &str, counts: &mut [u64; 8], random: &mut Random) -> Histogram {
    for count in counts.iter_mut() {
        *count += random.below(4);
    }
    if kind == "whole" && random.below(60) == 0 {
        *counts = [0; 8];
    }
    let part = if kind == "fraction" { 0.375 } else { 1.0 };
    let buckets: Vec<f64> = counts
        .iter()
        .map(|count| u64_to_float(*count) * part)
        .collect();
    let span = |offset, length| Span { offset, length };
    let is_custom = kind == "custom";
    let (left, right) = buckets.split_at(5);
    let right = if is_custom { &[] } else { right };
    let zero_count = if is_custom { 0.0 } else { 2.0 };
    Histogram {
        counter_reset_hint: if kind == "gauge" {
            CounterResetHint::Gauge
        } else {
            CounterResetHint::Unknown
        },
        schema: if is_custom { CUSTOM_BUCKETS_SCHEMA } else { 3 },
        zero_threshold: if is_custom { 0.0 } else { 0.001 },
        zero_count,
        count: left.iter().chain(right).sum::<f64>() + zero_count,
        sum: u64_to_float(random.below(1_000_000)) / 7.0,
        positive_spans: vec![span(0, 2), span(3, 3)],
        negative_spans: if is_custom {
            Vec::new()
        } else {
            vec![span(-2, 3)]
        },
        positive_buckets: left.to_vec(),
        negative_buckets: right.to_vec(),
        custom_values: is_custom
            .then(|| Arc::from([0.005, 0.1, 1.0, 2.5, 10.0, 1e9, 1.0e10, f64::MAX])),
    }
}

/// Compares what two stores held; says where they begin to differ.
pub(crate) fn assert_same(left: &str, right: &str) {
    for (left, right) in left.lines().zip(right.lines()) {
        let at = left.bytes().zip(right.bytes()).position(|(l, r)| l != r);
        let at = at.unwrap_or(left.len().min(right.len()));
        let show = |line: &str| {
            line.chars()
                .skip(at.saturating_sub(60))
                .take(120)
                .collect::<String>()
        };
        assert!(
            left == right,
            "at {at}: {:?} / {:?}",
            show(left),
            show(right)
        );
    }
    assert_eq!(left.lines().count(), right.lines().count());
}

/// Everything a store holds, printed: NaN is equal to itself then.
pub(crate) fn held(store: &MemoryStore) -> String {
    let read = store.select(&[], TimeRange::ALL, &ReadBudget::new(usize::MAX));
    let lines = read.expect("memory").into_iter();
    lines
        .map(|series| format!("{} {}\n", series.labels, show(&series.columns)))
        .collect()
}

fn show(columns: &Columns) -> String {
    let values: Vec<u64> = columns.values.iter().map(|value| value.to_bits()).collect();
    format!(
        "{:?} {values:?} {:?} {:?}",
        columns.timestamps, columns.histograms, columns.starts
    )
}

/// What a store holds after it was given these rows, their start timestamps taken off.
pub(crate) fn without_starts(rows: &[SeriesSamples]) -> String {
    let mut rows = rows.to_vec();
    for sample in rows.iter_mut().flat_map(|row| &mut row.samples) {
        sample.start = Timestamp::from_millis(0);
    }
    let store = MemoryStore::new();
    store.append(&rows).expect("memory takes all");
    held(&store)
}
