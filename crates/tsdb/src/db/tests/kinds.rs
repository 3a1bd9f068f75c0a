//! What is more than a float at a time: start timestamps, native histograms, exemplars.

use super::{Bench, at, labels, row};
use crate::db::Db;
use model::histogram::{CounterResetHint, Span};
use model::{
    Columns, Exemplar, Histogram, Labels, Matcher, ReadBudget, Sample, SeriesSamples, Sink as _,
    Source as _, TimeRange, Value,
};
use std::path::Path;
use std::sync::Arc;
use storage::Files as _;

fn columns(db: &Db) -> Vec<(Labels, Columns)> {
    let budget = ReadBudget::new(usize::MAX);
    let series = db.select(&[], TimeRange::ALL, &budget).expect("select");
    let series = series.into_iter();
    series.map(|s| (s.labels, s.columns)).collect()
}

fn histogram(hint: CounterResetHint, buckets: &[f64]) -> Value {
    let length = u32::try_from(buckets.len()).expect("few");
    Value::Histogram(Arc::new(Histogram {
        counter_reset_hint: hint,
        count: buckets.iter().sum(),
        sum: 0.5,
        positive_spans: vec![Span { offset: 0, length }],
        positive_buckets: buckets.to_vec(),
        ..Histogram::default()
    }))
}

fn started(seconds: i64, start: i64, value: Value) -> Sample {
    Sample {
        timestamp: at(seconds),
        start: at(start),
        value,
    }
}

fn exemplar(trace: &str, seconds: i64) -> Exemplar {
    Exemplar {
        labels: Labels::from_pairs([("trace_id", trace)]),
        value: 1.5,
        timestamp: Some(at(seconds)),
    }
}

fn exemplars(db: &Db) -> Vec<String> {
    let matchers = [vec![Matcher::equal("__name__", "m")]];
    let mut all = Vec::new();
    for (labels, exemplars) in db.exemplars(&matchers, TimeRange::ALL) {
        let id = labels.value("id").to_owned();
        all.extend(
            exemplars
                .iter()
                .map(|e| format!("{id} {}", e.labels.value("trace_id"))),
        );
    }
    all
}

/// Looks at the database in the head, after a replay, in a block, and in merged blocks.
fn at_each_stage(bench: &mut Bench, mut check: impl FnMut(&Db, &str)) {
    check(bench.db(), "head");
    bench.restart();
    check(bench.db(), "replayed");
    bench.db().flush().expect("flush");
    check(bench.db(), "block");
    bench.restart();
    check(bench.db(), "reopened");
    bench.db().append(&[row(9, 0, 1.0)]).expect("append");
    bench.db().flush().expect("flush");
    bench.db().maintain(at(0)).expect("maintain");
    assert_eq!(bench.db().stats(1).blocks, 1, "merged");
    check(bench.db(), "merged");
}

#[test]
fn start_timestamps_are_kept() {
    let mut bench = Bench::new(1);
    let mut samples: Vec<Sample> = (0..100)
        .map(|i| started(i * 15, if i < 60 { -100 } else { 900 }, Value::Float(1.0)))
        .collect();
    samples[3].start = model::Timestamp::default();
    // Behind its time, and into the middle of a step.
    let late = started(50, 49, Value::Float(2.0));
    let counted = [
        started(0, -1, histogram(CounterResetHint::Unknown, &[1.0])),
        started(15, -1, histogram(CounterResetHint::Unknown, &[2.0])),
    ];
    for (id, samples) in [(1, samples.clone()), (2, counted.to_vec()), (1, vec![late])] {
        let row = SeriesSamples {
            labels: labels(id),
            samples,
            exemplars: Vec::new(),
        };
        bench.db().append(&[row]).expect("append");
    }
    bench.db().append(&[row(3, 0, 1.0)]).expect("append");
    at_each_stage(&mut bench, |db, stage| {
        let found = columns(db);
        let starts = found[0].1.starts.as_deref().expect(stage);
        let of = |seconds: i64| {
            let place = found[0].1.timestamps.binary_search(&at(seconds).millis());
            starts[place.expect("there")]
        };
        for (seconds, want) in [
            (0, at(-100).millis()),
            (45, 0),
            (50, at(49).millis()),
            (60, at(-100).millis()),
            (59 * 15, at(-100).millis()),
            (60 * 15, at(900).millis()),
            (99 * 15, at(900).millis()),
        ] {
            assert_eq!(of(seconds), want, "{stage}, {seconds} s");
        }
        let of_histograms = found[1].1.starts.as_deref().expect(stage);
        assert_eq!(of_histograms, [at(-1).millis(); 2], "{stage}");
        assert_eq!(found[2].1.starts, None, "{stage}");
    });
}

#[test]
fn counter_reset_hints_are_kept_and_settled() {
    use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
    let mut bench = Bench::new(1);
    let sent = [
        (Unknown, 1.0),
        (Unknown, 2.0),
        (NotReset, 1.0),
        (Unknown, 1.0),
        (Reset, 5.0),
        (Gauge, 3.0),
    ];
    let rows: Vec<Sample> = (0..)
        .zip(sent)
        .map(|(i, (hint, count))| Sample::new(at(i * 15), histogram(hint, &[count])))
        .collect();
    let row = SeriesSamples {
        labels: labels(1),
        samples: rows,
        exemplars: Vec::new(),
    };
    bench.db().append(&[row]).expect("append");
    at_each_stage(&mut bench, |db, stage| {
        let found = columns(db);
        let histograms = found[0].1.histograms.iter();
        let hints: Vec<_> = histograms.map(|(_, h)| h.counter_reset_hint).collect();
        let want = [Unknown, NotReset, Unknown, NotReset, Reset, Gauge];
        assert_eq!(hints, want, "{stage}");
    });
}

#[test]
fn exemplars_survive_a_restart() {
    let mut bench = Bench::new(1);
    bench.options.exemplars_max = 3;
    bench.restart();
    let append = |bench: &Bench, id, seconds, exemplars: Vec<Exemplar>| {
        let row = SeriesSamples {
            exemplars,
            ..row(id, seconds, 1.0)
        };
        let appended = bench.db().append(&[row]).expect("append");
        (appended.exemplars, appended.exemplars_refused)
    };
    let without_time = Exemplar {
        timestamp: None,
        ..exemplar("c", 0)
    };
    let two = vec![exemplar("a", 1), exemplar("b", 2)];
    assert_eq!(append(&bench, 1, 2, two), (2, 0));
    assert_eq!(append(&bench, 1, 3, vec![exemplar("b", 2)]), (1, 0));
    assert_eq!(append(&bench, 1, 4, vec![exemplar("x", 1)]), (0, 1));
    assert_eq!(append(&bench, 2, 5, vec![without_time]), (1, 0));
    let long = "x".repeat(121);
    assert_eq!(append(&bench, 2, 6, vec![exemplar(&long, 6)]), (0, 1));
    assert_eq!(append(&bench, 2, 7, vec![exemplar("d", 7)]), (1, 0));
    for _ in 0..3 {
        assert_eq!(exemplars(bench.db()), ["1 b", "2 c", "2 d"]);
        bench.restart();
    }
    let range = TimeRange {
        start: at(3),
        end: at(5),
    };
    assert_eq!(bench.db().exemplars(&[Vec::new()], range).len(), 1);
    assert!(bench.db().exemplars(&[], TimeRange::ALL).is_empty());
    bench.db().set_exemplars_max(0);
    assert!(exemplars(bench.db()).is_empty());
    assert_eq!(append(&bench, 2, 8, vec![exemplar("e", 8)]), (0, 1));
}

/// The last record is cut off at each of its bytes: what came before is whole, and nothing of it is there.
#[test]
fn a_record_torn_at_any_byte_leaves_the_others_whole() {
    let first = SeriesSamples {
        exemplars: vec![exemplar("a", 1)],
        ..row(1, 1, 1.0)
    };
    let last = SeriesSamples {
        labels: labels(2),
        samples: vec![
            started(2, 1, histogram(CounterResetHint::Unknown, &[1.0, 2.0])),
            started(3, 1, Value::Float(0.5)),
        ],
        exemplars: vec![exemplar("b", 2)],
    };
    let path = Path::new("/data/wal/00000001.wal");
    let lengths = |bench: &Bench| {
        let file = bench.disk.open(path).expect("opens");
        file.length().expect("has a length")
    };
    let bench = Bench::new(1);
    bench
        .db()
        .append(std::slice::from_ref(&first))
        .expect("append");
    let whole = lengths(&bench);
    bench
        .db()
        .append(std::slice::from_ref(&last))
        .expect("append");
    let end = lengths(&bench);
    for length in whole..=end {
        let mut bench = Bench::new(1);
        bench
            .db()
            .append(std::slice::from_ref(&first))
            .expect("append");
        bench
            .db()
            .append(std::slice::from_ref(&last))
            .expect("append");
        bench.db = None;
        let file = bench.disk.open_for_append(path).expect("opens");
        file.truncate(length).expect("cuts");
        drop(file);
        bench.restart();
        let is_whole = length == end;
        let want: &[&str] = if is_whole { &["1 a", "2 b"] } else { &["1 a"] };
        assert_eq!(exemplars(bench.db()), want, "{length} of {end}");
        let found = columns(bench.db());
        assert_eq!(
            found.len(),
            if is_whole { 2 } else { 1 },
            "{length} of {end}"
        );
        assert_eq!(found[0].1.len(), 1);
        bench
            .db()
            .append(std::slice::from_ref(&last))
            .expect("goes on");
        assert_eq!(exemplars(bench.db()), ["1 a", "2 b"]);
        assert_eq!(columns(bench.db())[1].1.len(), 2);
    }
}

/// Whatever room the disk has, a batch is there whole, with its exemplars, or not at all.
#[test]
fn a_disk_that_fills_amid_a_batch_keeps_batches_whole() {
    for room in 0..400 {
        let mut bench = Bench::new(1);
        bench.disk.set_space(bench.disk.used_bytes() + room);
        let mut acknowledged = 0;
        for i in 0..4_u8 {
            let seconds = i64::from(i);
            let sent = SeriesSamples {
                exemplars: vec![exemplar(&i.to_string(), seconds)],
                ..row(1, seconds, 1.0)
            };
            acknowledged += usize::from(bench.db().append(&[sent]).is_ok());
        }
        let check = |bench: &Bench| {
            let samples = columns(bench.db())
                .first()
                .map_or(0, |(_, found)| found.len());
            assert_eq!(samples, acknowledged, "room {room}");
            assert_eq!(exemplars(bench.db()).len(), acknowledged, "room {room}");
        };
        check(&bench);
        bench.disk.set_space(usize::MAX);
        bench.restart();
        check(&bench);
    }
}
