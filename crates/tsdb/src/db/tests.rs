//! The database against a naive model, and what happens to it at restarts.

mod ages;
mod checkpoints;
mod churn;
mod damage;
mod failures;
mod kinds;
mod scans;
mod simulation;
mod snapshots;

use super::Db;
use crate::options::{BLOCK_MS, Options};
use model::{
    Appended, Columns, Histogram, Labels, MatchOperator, Matcher, ReadBudget, Sample,
    SeriesSamples, Sink as _, Source as _, SourceError, TimeRange, Timestamp, Value,
};
use runtime::{Registry, SimulatedClock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use storage::{SimulatedFiles, WalSync};

/// A disk, a clock and the database on them.
struct Bench {
    disk: SimulatedFiles,
    clock: Arc<SimulatedClock>,
    options: Options,
    db: Option<Db>,
}

const START: i64 = 1_700_000_000_000;

impl Bench {
    fn new(seed: u64) -> Self {
        let disk = SimulatedFiles::new(seed);
        let clock = Arc::new(SimulatedClock::new(Timestamp::from_millis(START)));
        let options = Options {
            retention_ms: None,
            future_window_ms: None,
            wal_sync: WalSync::Always,
            clock: Arc::clone(&clock) as _,
            metrics: Registry::new(),
            files: disk.shared(),
            ..Options::new("/data")
        };
        let db = Some(Db::open(options.clone()).expect("opens"));
        Self {
            disk,
            clock,
            options,
            db,
        }
    }

    fn db(&self) -> &Db {
        self.db.as_ref().expect("open")
    }

    fn restart(&mut self) {
        self.db = None;
        self.disk.restart_process();
        self.db = Some(Db::open(self.options.clone()).expect("opens again"));
    }
}

fn labels(id: u8) -> Labels {
    let job = if id.is_multiple_of(2) { "even" } else { "odd" };
    let id = id.to_string();
    Labels::from_pairs([("__name__", "m"), ("id", &id), ("job", job)])
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START + seconds * 1000)
}

fn row(id: u8, seconds: i64, value: f64) -> SeriesSamples {
    SeriesSamples::float(labels(id), at(seconds), value)
}

fn samples(columns: &Columns) -> Vec<(i64, u64)> {
    let bits = columns.values.iter().map(|value| value.to_bits());
    columns.timestamps.iter().copied().zip(bits).collect()
}

fn read(db: &Db, matchers: &[Matcher], range: TimeRange) -> BTreeMap<Labels, Vec<(i64, u64)>> {
    let budget = ReadBudget::new(usize::MAX);
    let series = db.select(matchers, range, &budget).expect("select");
    let sorted = series.windows(2).all(|two| two[0].labels < two[1].labels);
    assert!(sorted, "sorted by labels, each once");
    let series = series.iter();
    series
        .map(|s| (s.labels.clone(), samples(&s.columns)))
        .collect()
}

#[test]
fn takes_samples_and_gives_them_back() {
    let mut bench = Bench::new(1);
    let stale = model::STALE_MARKER;
    let batch = [row(1, 0, 1.5), row(2, 0, f64::NAN), row(1, 15, stale)];
    let appended = bench.db().append(&batch).expect("append");
    assert_eq!(appended.accepted, 3);
    for _ in 0..2 {
        let found = read(
            bench.db(),
            &[Matcher::equal("__name__", "m")],
            TimeRange::ALL,
        );
        let ms = |seconds: i64| at(seconds).millis();
        let first = [(ms(0), 1.5_f64.to_bits()), (ms(15), stale.to_bits())];
        assert_eq!(found[&labels(1)], first);
        assert_eq!(found[&labels(2)], [(ms(0), f64::NAN.to_bits())]);
        bench.restart();
    }
    let odd = Matcher::new("job", MatchOperator::NotEqual, "even").expect("valid");
    let range = TimeRange {
        start: at(1),
        end: at(15),
    };
    assert_eq!(read(bench.db(), &[odd], range).len(), 1);
    assert_eq!(
        bench.db().label_names(&[], TimeRange::ALL).expect("names"),
        ["__name__", "id", "job"]
    );
    let values = bench.db().label_values("job", &[], range).expect("values");
    assert_eq!(values, ["odd"], "only series with samples in the range");
    let backwards = TimeRange {
        start: at(2),
        end: at(1),
    };
    assert!(read(bench.db(), &[], backwards).is_empty());
}

/// Upstream: the first value of a time stays; the same again is no news.
#[test]
fn duplicates_and_conflicts() {
    let bench = Bench::new(1);
    let append = |row: SeriesSamples| bench.db().append(&[row]).expect("append");
    let accepted = |accepted, duplicates| Appended {
        accepted,
        duplicates,
        ..Appended::default()
    };
    for seconds in 0..100 {
        append(row(
            1,
            seconds,
            f64::from(u8::try_from(seconds).expect("small")),
        ));
    }
    for seconds in [0, 3, 50, 98, 99] {
        let same = f64::from(u8::try_from(seconds).expect("small"));
        assert_eq!(append(row(1, seconds, same)), accepted(1, 0));
        assert_eq!(append(row(1, seconds, -1.0)), accepted(0, 1));
    }
    let found = read(bench.db(), &[], TimeRange::ALL);
    assert_eq!(found[&labels(1)].len(), 100);
    assert_eq!(found[&labels(1)][50].1, 50_f64.to_bits());
}

#[test]
fn refuses_what_is_too_old_too_new_or_too_many() {
    let mut bench = Bench::new(1);
    bench.options.retention_ms = Some(3_600_000);
    bench.options.future_window_ms = Some(600_000);
    bench.options.series_max = 2;
    bench.restart();
    let batch = [
        row(1, -3601, 1.0),
        row(1, -3600, 1.0),
        row(1, 600, 1.0),
        row(1, 601, 1.0),
        row(2, 0, 1.0),
        row(3, 0, 1.0),
    ];
    let appended = bench.db().append(&batch).expect("append");
    let want = Appended {
        accepted: 3,
        duplicates: 0,
        too_old: 1,
        too_new: 1,
        over_limit: 1,
        ..Appended::default()
    };
    assert_eq!(appended, want);
    bench.clock.advance(Duration::from_secs(1));
    let appended = bench.db().append(&[row(1, 601, 1.0)]).expect("append");
    assert_eq!(appended.accepted, 1, "the bounds move with the clock");
}

#[test]
fn a_query_stops_at_its_budget() {
    let bench = Bench::new(1);
    for seconds in 0..100 {
        bench.db().append(&[row(1, seconds, 1.0)]).expect("append");
    }
    let select = |samples| {
        bench
            .db()
            .select(&[], TimeRange::ALL, &ReadBudget::new(samples))
    };
    assert_eq!(select(100).expect("enough").len(), 1);
    assert!(matches!(select(99), Err(SourceError::TooManySamples)));
}

#[test]
fn histograms_come_back() {
    let mut bench = Bench::new(1);
    let histogram = |count: f64| {
        Value::Histogram(Arc::new(Histogram {
            count,
            sum: 2.5,
            positive_buckets: vec![count],
            ..Histogram::default()
        }))
    };
    let sample = |seconds, value| Sample::new(at(seconds), value);
    let series = SeriesSamples {
        labels: labels(1),
        samples: vec![
            sample(0, histogram(3.0)),
            sample(15, Value::Float(model::STALE_MARKER)),
            sample(30, histogram(4.0)),
            sample(30, histogram(5.0)),
        ],
        exemplars: Vec::new(),
    };
    let appended = bench.db().append(&[series]).expect("append");
    assert_eq!((appended.accepted, appended.duplicates), (3, 1));
    bench.restart();
    let budget = ReadBudget::new(1000);
    let found = bench
        .db()
        .select(&[], TimeRange::ALL, &budget)
        .expect("select");
    let columns = &found[0].columns;
    assert_eq!(columns.len(), 3);
    let indexes: Vec<usize> = columns.histograms.iter().map(|(i, _)| *i).collect();
    assert_eq!(indexes, [0, 2]);
    assert_eq!(columns.values[2].to_bits(), 4_f64.to_bits());
    assert!(model::is_stale_marker(columns.values[1]));
}

/// Moves everything to blocks and reads again: nothing changes.
#[test]
fn blocks_give_the_same_answers_as_the_head() {
    let mut bench = Bench::new(1);
    for seconds in 0..300 {
        let batch: Vec<_> = (0..20)
            .map(|id| row(id, seconds * 60, f64::from(id) / 10.0))
            .collect();
        bench.db().append(&batch).expect("append");
    }
    let odd = [Matcher::equal("job", "odd")];
    let range = TimeRange {
        start: at(1000),
        end: at(9000),
    };
    let look = |bench: &Bench| {
        let db = bench.db();
        (
            read(db, &[], TimeRange::ALL),
            read(db, &odd, range),
            db.series(&odd, range).expect("series"),
            db.label_values("id", &odd, range).expect("values"),
        )
    };
    let want = look(&bench);
    assert_eq!(want.0[&labels(3)].len(), 300);
    bench.db().maintain(at(0)).expect("maintain");
    let stats = bench.db().stats(3);
    assert!(
        stats.blocks >= 2 && stats.samples > 0,
        "the newest window stays: {stats:?}"
    );
    assert_eq!(look(&bench), want);
    bench.db().flush().expect("flush");
    assert_eq!(bench.db().stats(3).samples, 0);
    assert_eq!(look(&bench), want);
    bench.restart();
    assert_eq!(
        bench.db().stats(3).samples,
        0,
        "nothing is replayed that is in blocks"
    );
    assert_eq!(look(&bench), want);
    bench.db().maintain(at(0)).expect("maintain");
    assert_eq!(look(&bench), want);
    bench.db().append(&[row(3, 60, -1.0)]).expect("append");
    assert_eq!(look(&bench), want, "what is in a block came first");
}

#[test]
fn deletes_from_head_and_blocks() {
    let mut bench = Bench::new(1);
    let append = |bench: &Bench, from: i64, to: i64| {
        for seconds in from..to {
            bench
                .db()
                .append(&[row(1, seconds, 1.0), row(2, seconds, 2.0)])
                .expect("append");
        }
    };
    append(&bench, 0, 100);
    bench.db().flush().expect("flush");
    append(&bench, 100, 200);
    let range = TimeRange {
        start: at(50),
        end: at(149),
    };
    bench
        .db()
        .delete(&[Matcher::equal("id", "1")], range)
        .expect("delete");
    for _ in 0..2 {
        let found = read(bench.db(), &[], TimeRange::ALL);
        assert_eq!(
            (found[&labels(1)].len(), found[&labels(2)].len()),
            (100, 200)
        );
        bench.restart();
    }
    bench
        .db()
        .append(&[row(1, 60, 5.0)])
        .expect("a deleted time is free again");
    assert_eq!(read(bench.db(), &[], TimeRange::ALL)[&labels(1)].len(), 101);
    let files = |bench: &Bench| {
        storage::Files::list(&bench.disk, std::path::Path::new("/data/blocks")).expect("list")
    };
    assert_eq!(files(&bench), ["00000001.block", "00000001.tombstones"]);
    bench.db().clean_tombstones().expect("clean");
    assert_eq!(files(&bench), ["00000002.block"]);
    assert_eq!(read(bench.db(), &[], TimeRange::ALL)[&labels(1)].len(), 101);
    bench.db().delete(&[], TimeRange::ALL).expect("delete");
    bench.db().clean_tombstones().expect("clean");
    assert!(read(bench.db(), &[], TimeRange::ALL).is_empty());
    assert_eq!(bench.db().stats(1).blocks, 0);
}

#[test]
fn an_idle_head_goes_to_disk() {
    let bench = Bench::new(1);
    let mut batch = bench.db().batch();
    for seconds in 0..2000 {
        for id in 0..60 {
            assert!(batch.push_encoded(labels(id).encoded(), at(seconds), 1.0));
        }
    }
    assert_eq!(batch.commit().expect("commit").accepted, 120_000);
    bench.db().maintain(at(0)).expect("maintain");
    for seconds in 2000..2005 {
        for id in 0..60 {
            assert!(batch.push_encoded(labels(id).encoded(), at(seconds), 1.0));
        }
    }
    batch.commit().expect("commit");
    bench.clock.advance(Duration::from_secs(5));
    bench.db().maintain(at(0)).expect("maintain");
    assert_eq!(
        bench.db().stats(1).samples,
        120_300,
        "samples come as before"
    );
    bench.db().append(&[row(1, 2005, 1.0)]).expect("append");
    bench.clock.advance(Duration::from_secs(5));
    bench.db().maintain(at(0)).expect("maintain");
    assert_eq!(bench.db().stats(1).samples, 0, "hardly any come");
    let found = read(bench.db(), &[Matcher::equal("id", "1")], TimeRange::ALL);
    assert_eq!(found[&labels(1)].len(), 2006);
}

#[test]
fn what_a_cut_leaves_of_a_burst_goes_to_disk_too() {
    let bench = Bench::new(1);
    let window = (BLOCK_MS - START % BLOCK_MS) / 1000;
    let mut batch = bench.db().batch();
    for seconds in window - 600..window + 1500 {
        for id in 0..80 {
            assert!(batch.push_encoded(labels(id).encoded(), at(seconds), 1.0));
        }
    }
    batch.commit().expect("commit");
    bench.db().maintain(at(0)).expect("maintain");
    assert_eq!(
        bench.db().stats(1).samples,
        80 * 1500,
        "the window before is cut"
    );
    bench.clock.advance(Duration::from_secs(5));
    bench.db().maintain(at(0)).expect("maintain");
    assert_eq!(bench.db().stats(1).samples, 0);
}

#[test]
fn a_year_at_once_makes_few_blocks() {
    let bench = Bench::new(1);
    let mut batch = bench.db().batch();
    for hours in (0..365 * 24).rev() {
        assert!(batch.push_encoded(labels(1).encoded(), at(hours * 3600), 1.0));
    }
    batch.commit().expect("commit");
    bench.db().flush().expect("flush");
    let stats = bench.db().stats(1);
    assert!((5..=40).contains(&stats.blocks), "{} blocks", stats.blocks);
    assert_eq!(
        read(bench.db(), &[], TimeRange::ALL)[&labels(1)].len(),
        365 * 24
    );
}

#[test]
fn counts_cardinality() {
    let bench = Bench::new(1);
    let batch: Vec<_> = (0..5).map(|id| row(id, 0, 1.0)).collect();
    bench.db().append(&batch).expect("append");
    let stats = bench.db().stats(2);
    let list = |list: &[super::LabelCount]| {
        let pairs = list
            .iter()
            .map(|entry| format!("{} {}", entry.name, entry.count));
        pairs.collect::<Vec<_>>()
    };
    assert_eq!((stats.series, stats.samples, stats.label_pairs), (5, 5, 8));
    assert_eq!(list(&stats.series_by_metric_name), ["m 5"]);
    assert_eq!(list(&stats.values_by_label_name), ["id 5", "job 2"]);
    assert_eq!(list(&stats.memory_by_label_name), ["job 18", "__name__ 5"]);
    assert_eq!(
        list(&stats.series_by_label_pair),
        ["__name__=m 5", "job=even 3"]
    );
    assert_eq!(stats.start_ms, Some(START));
}

/// Many writers and readers while blocks are cut and merged: no sample is ever missing.
#[test]
fn readers_never_miss_what_was_acknowledged() {
    let bench = Bench::new(1);
    let db = Arc::new(
        Db::open(Options {
            folder: "/other".into(),
            block_ms: 10_000,
            ..bench.options.clone()
        })
        .expect("opens"),
    );
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2_u8)
            .map(|id| {
                let db = Arc::clone(&db);
                scope.spawn(move || {
                    for seconds in 0..200 {
                        db.append(&[row(id, seconds, 1.0)]).expect("append");
                        let found =
                            read(&db, &[Matcher::equal("id", id.to_string())], TimeRange::ALL);
                        let want = usize::try_from(seconds + 1).expect("small");
                        assert_eq!(found[&labels(id)].len(), want);
                    }
                })
            })
            .collect();
        while !writers
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            db.maintain(at(0)).expect("maintain");
            db.flush().expect("flush");
        }
    });
}
