//! Snapshots answer what the database answered when they were made.

use super::{Bench, at, labels, read, row};
use crate::db::{Db, SnapshotHead};
use crate::options::Options;
use model::{Matcher, Sink as _, TimeRange};
use std::path::Path;

fn open(bench: &Bench, name: &str) -> Db {
    let options = Options {
        folder: Path::new("/data/snapshots").join(name),
        ..bench.options.clone()
    };
    Db::open(options).expect("opens the snapshot")
}

#[test]
fn answers_as_the_database_did() {
    let mut bench = Bench::new(5);
    bench
        .db()
        .append(&[row(1, 0, 1.0), row(2, 0, 2.0)])
        .expect("append");
    bench.db().flush().expect("flush");
    bench
        .db()
        .append(&[row(1, 15, 3.0), row(3, 15, 4.0)])
        .expect("append");
    let first = TimeRange {
        start: at(0),
        end: at(0),
    };
    bench
        .db()
        .delete(&[Matcher::equal("id", "2")], first)
        .expect("delete");
    let blocks = bench.db().snapshot(SnapshotHead::Skip).expect("snapshot");
    let all = bench
        .db()
        .snapshot(SnapshotHead::Include)
        .expect("snapshot");
    assert_ne!(blocks, all);
    let want = read(bench.db(), &[], TimeRange::ALL);
    bench.db().append(&[row(1, 30, 5.0)]).expect("append");
    bench.db().flush().expect("flush");
    bench.db().maintain(at(86_400)).expect("maintain");
    for _ in 0..2 {
        let snapshot = open(&bench, &all);
        assert_eq!(read(&snapshot, &[], TimeRange::ALL), want);
        let snapshot = open(&bench, &blocks);
        let found = read(&snapshot, &[], TimeRange::ALL);
        assert_eq!(found.keys().collect::<Vec<_>>(), [&labels(1)]);
        bench.disk.restart_machine();
    }
    let snapshot = open(&bench, &all);
    snapshot
        .append(&[row(9, 45, 1.0)])
        .expect("a snapshot takes samples");
    drop(snapshot);
    bench.restart();
    let found = read(bench.db(), &[], TimeRange::ALL);
    assert!(!found.contains_key(&labels(9)), "which are its own");
    assert_eq!(found[&labels(1)].len(), 3);
    assert_eq!(bench.db().block_infos().len(), bench.db().stats(0).blocks);
}
