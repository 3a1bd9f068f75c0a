//! Opening from a checkpoint: the same as from the log, whatever happens to the file.

use super::{Bench, at, labels, read, row};
use model::histogram::CounterResetHint;
use model::{
    Columns, Exemplar, Histogram, Labels, Matcher, ReadBudget, Sample, SeriesSamples, Sink as _,
    Source as _, TimeRange, Value,
};
use std::path::Path;
use std::sync::Arc;
use storage::Files as _;

const FILE: &str = "/data/CHECKPOINT";

type Found = (Vec<(Labels, Columns)>, Vec<(Labels, Vec<Exemplar>)>);

fn everything(bench: &Bench) -> Found {
    let budget = ReadBudget::new(usize::MAX);
    let series = bench.db().select(&[], TimeRange::ALL, &budget);
    let series = series.expect("select").into_iter();
    (
        series.map(|s| (s.labels, s.columns)).collect(),
        bench.db().exemplars(&[Vec::new()], TimeRange::ALL),
    )
}

fn checkpoint(bench: &Bench) {
    bench
        .db()
        .checkpoint(&mut bench.db().work())
        .expect("makes a checkpoint");
}

/// Floats in and out of order, histograms, starts, exemplars.
fn fill(bench: &Bench) {
    for seconds in (0..100).chain([-20, -10]) {
        let value = f64::from(i32::try_from(seconds).expect("small")) / 8.0;
        let batch = [row(1, seconds, value), row(2, seconds, f64::NAN)];
        bench.db().append(&batch).expect("append");
    }
    let histogram = Histogram {
        counter_reset_hint: CounterResetHint::Gauge,
        count: 2.5,
        ..Histogram::default()
    };
    let row = SeriesSamples {
        labels: labels(3),
        samples: vec![Sample {
            timestamp: at(1),
            start: at(-5),
            value: Value::Histogram(Arc::new(histogram)),
        }],
        exemplars: vec![Exemplar {
            labels: Labels::from_pairs([("trace_id", "a")]),
            value: 1.0,
            timestamp: Some(at(1)),
        }],
    };
    bench.db().append(&[row]).expect("append");
}

#[test]
fn opens_from_a_checkpoint_and_the_log_behind_it() {
    let mut bench = Bench::new(1);
    fill(&bench);
    checkpoint(&bench);
    bench
        .db()
        .append(&[row(1, 200, 7.0), row(4, 200, 8.0)])
        .expect("append");
    let range = TimeRange {
        start: at(50),
        end: at(60),
    };
    let matchers = [Matcher::equal("id", "1")];
    bench.db().delete(&matchers, range).expect("delete");
    bench.db().append(&[row(1, 55, 9.0)]).expect("append");
    // NaN is not equal to itself; its bits are compared elsewhere.
    let text = |bench: &Bench| format!("{:?}", everything(bench));
    let want = text(&bench);
    let stats = bench.db().stats(1);
    for _ in 0..3 {
        bench.restart();
        assert_eq!(text(&bench), want);
        let again = bench.db().stats(1);
        assert_eq!((again.series, again.samples), (stats.series, stats.samples));
        checkpoint(&bench);
    }
    // What the checkpoint holds is not asked of the log.
    let log = Path::new("/data/wal/00000001.wal");
    bench.disk.flip_byte(log, 30).expect("flip");
    bench.restart();
    assert_eq!(text(&bench), want);
    bench.db().append(&[row(5, 300, 1.0)]).expect("goes on");
    bench.db().flush().expect("cuts");
    assert_eq!(everything(&bench).0.len(), 5);
}

#[test]
fn a_closed_store_leaves_a_checkpoint_where_it_is_worth_it() {
    let mut bench = Bench::new(1);
    let batch: Vec<_> = (0..100).map(|seconds| row(1, seconds, 0.1)).collect();
    bench.db().append(&batch).expect("append");
    bench.db().close().expect("close");
    assert!(
        bench.disk.open(Path::new(FILE)).is_err(),
        "a short log is read quickly"
    );
    bench.restart();
    for seconds in 0..1200 {
        let batch: Vec<_> = (0..100).map(|id| row(id, seconds, 0.1)).collect();
        bench.db().append(&batch).expect("append");
    }
    bench.db().close().expect("close");
    assert!(bench.disk.open(Path::new(FILE)).is_ok());
    bench.restart();
    assert_eq!(
        read(bench.db(), &[], TimeRange::ALL)[&labels(7)].len(),
        1200
    );
}

#[test]
fn a_cut_makes_the_checkpoint_worthless() {
    let mut bench = Bench::new(1);
    fill(&bench);
    checkpoint(&bench);
    let path = Path::new(FILE);
    let old = storage::files::read_whole(&bench.disk, path).expect("read");
    bench.db().flush().expect("flush");
    assert!(bench.disk.open(path).is_err(), "removed with the cut");
    bench.db().delete(&[], TimeRange::ALL).expect("delete");
    // As if the process had died before it was removed: it must not bring back what was deleted since.
    let file = bench.disk.create(path).expect("create");
    file.write(&old).expect("write");
    bench.restart();
    assert_eq!(everything(&bench).0, []);
}

/// One changed byte anywhere, or a file that is cut off anywhere: the log has everything.
#[test]
fn a_damaged_checkpoint_costs_no_samples() {
    let bench = Bench::new(1);
    fill(&bench);
    checkpoint(&bench);
    let path = Path::new(FILE);
    let whole = storage::files::read_whole(&bench.disk, path).expect("read");
    let want = format!("{:?}", everything(&bench));
    let check = |bytes: &[u8], what: &str| {
        let mut bench = Bench::new(1);
        fill(&bench);
        let file = bench.disk.create(path).expect("create");
        file.write(bytes).expect("write");
        drop(file);
        bench.restart();
        assert_eq!(format!("{:?}", everything(&bench)), want, "{what}");
    };
    for place in (0..whole.len()).step_by(7) {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x41;
        check(&flipped, &format!("byte {place}"));
        check(&whole[..place], &format!("cut at {place}"));
    }
    check(&whole, "whole");
}
