//! Damaged and missing files: the rest is served, nothing wrong is, and nothing panics.

use super::{Bench, at, labels, read, row};
use crate::db::{Db, SnapshotHead};
use crate::options::Downsampling;
use model::{Labels, Matcher, ReadBudget, Sink as _, Source as _, TimeRange};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use storage::Files as _;

/// Three blocks of two merged and one late, tombstones, and samples in the log only.
fn filled() -> Bench {
    let bench = Bench::new(6);
    for round in 0..4_i64 {
        let rows: Vec<_> = (0..20_u8)
            .map(|id| row(id, round * 7200, f64::from(id) + 0.5))
            .collect();
        bench.db().append(&rows).expect("append");
        bench.db().flush().expect("flush");
    }
    bench.db().maintain(at(4 * 7200)).expect("merges");
    bench.db().append(&[row(7, 60, 1.0)]).expect("a late one");
    bench.db().flush().expect("flush");
    let first = TimeRange {
        start: at(0),
        end: at(0),
    };
    bench
        .db()
        .delete(&[Matcher::equal("id", "3")], first)
        .expect("delete");
    bench.db().append(&[row(8, 29_000, 1.0)]).expect("append");
    bench
}

fn all_files(bench: &Bench) -> Vec<PathBuf> {
    let folders = ["/data", "/data/blocks", "/data/wal"];
    let files = folders.iter().flat_map(|folder| {
        let names = bench.disk.list(Path::new(folder)).expect("list");
        names
            .into_iter()
            .map(move |name| Path::new(folder).join(name))
    });
    files.collect()
}

#[test]
fn a_lost_manifest_is_made_again() {
    let mut bench = filled();
    let want = read(bench.db(), &[], TimeRange::ALL);
    let blocks = bench.db().block_infos();
    assert!(blocks.len() >= 2, "{blocks:?}");
    for damaged in [false, true] {
        bench.db = None;
        let manifest = Path::new("/data/MANIFEST");
        if damaged {
            bench.disk.flip_byte(manifest, 30).expect("flip");
        } else {
            bench.disk.remove(manifest).expect("remove");
        }
        bench.restart();
        assert_eq!(read(bench.db(), &[], TimeRange::ALL), want);
        assert_eq!(bench.db().block_infos(), blocks);
        bench.db().append(&[row(9, 30_000, 1.0)]).expect("append");
        bench
            .db()
            .delete(
                &[Matcher::equal("id", "9")],
                TimeRange {
                    start: at(30_000),
                    end: at(30_000),
                },
            )
            .expect("delete");
    }
    let kept = bench.disk.list(Path::new("/data")).expect("list");
    assert!(
        kept.contains(&"MANIFEST.quarantined".to_owned()),
        "{kept:?}"
    );
    bench.db().flush().expect("block numbers go on");
    assert_eq!(read(bench.db(), &[], TimeRange::ALL), want);
}

/// A crash between the new manifest and the removal of merged blocks, and then the manifest is lost.
#[test]
fn merged_blocks_that_are_still_there_do_not_come_back() {
    let mut bench = Bench::new(7);
    let rows = [row(0, 0, 1.0), row(1, 0, 1.0)];
    bench.db().append(&rows).expect("append");
    bench.db().flush().expect("flush");
    let name = bench.db().snapshot(SnapshotHead::Skip).expect("snapshot");
    bench
        .db()
        .delete(&[Matcher::equal("id", "1")], TimeRange::ALL)
        .expect("delete");
    bench.db().clean_tombstones().expect("clean");
    bench.db = None;
    let old = Path::new("/data/snapshots").join(name).join("blocks");
    for file in bench.disk.list(&old).expect("list") {
        let to = Path::new("/data/blocks").join(&file);
        if bench.disk.open(&to).is_err() {
            bench.disk.link(&old.join(&file), &to).expect("link");
        }
    }
    bench
        .disk
        .remove(Path::new("/data/MANIFEST"))
        .expect("remove");
    for file in bench.disk.list(Path::new("/data/wal")).expect("list") {
        bench
            .disk
            .remove(&Path::new("/data/wal").join(file))
            .expect("remove");
    }
    bench.restart();
    let found = read(bench.db(), &[], TimeRange::ALL);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&labels(0)]);
}

#[test]
fn a_block_of_another_version_is_refused_and_kept() {
    let mut bench = filled();
    bench.db = None;
    let names = bench.disk.list(Path::new("/data/blocks")).expect("list");
    let name = names
        .iter()
        .find(|name| name.ends_with(".block"))
        .expect("a block");
    let path = Path::new("/data/blocks").join(name);
    let mut bytes = storage::files::read_whole(&bench.disk, &path).expect("read");
    bytes[8] = 9;
    let checksum = storage::sealed::checksum(&bytes[..12]);
    bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    let file = bench.disk.create(&path).expect("create");
    file.write(&bytes).expect("write");
    let error = Db::open(bench.options.clone()).err().expect("refuses");
    assert!(
        error
            .to_string()
            .contains("version 9, this program knows 4"),
        "{error}"
    );
    assert!(bench.disk.open(&path).is_ok(), "nothing was renamed");
}

/// How many samples each series has; a window counts as many as it stands for.
fn counts(db: &Db) -> BTreeMap<Labels, u64> {
    let budget = ReadBudget::new(usize::MAX);
    let found = db.select(&[], TimeRange::ALL, &budget).expect("select");
    let count = |columns: &model::Columns| match &columns.summaries {
        Some(kept) => kept.counts.iter().map(|count| u64::from(*count)).sum(),
        None => columns.len() as u64,
    };
    let counted = found.iter().map(|s| (s.labels.clone(), count(&s.columns)));
    counted.collect()
}

/// Six hours of samples in the log, and options by which all of them are cut, merged and down-sampled at once.
fn full_of_work(seed: u64) -> Bench {
    let mut bench = Bench::new(seed);
    bench.options.downsampling = vec![Downsampling {
        after_ms: 0,
        window_ms: 600_000,
    }];
    bench.restart();
    for round in 0..12_i64 {
        let rows: Vec<_> = (0..10_u8)
            .flat_map(|id| (0..6).map(move |i| row(id, round * 1800 + i * 120, 1.0)))
            .collect();
        bench.db().append(&rows).expect("append");
    }
    bench.clock.advance(Duration::from_secs(6 * 3600));
    bench
}

#[test]
fn a_crash_while_blocks_are_written_loses_nothing() {
    let mut survived = 0;
    for changes in 0..400 {
        let mut bench = full_of_work(changes);
        let want = counts(bench.db());
        bench.disk.crash_after(changes);
        let done = bench
            .db()
            .maintain(at(6 * 3600))
            .and_then(|()| bench.db().flush());
        let done = done.and_then(|()| bench.db().maintain(at(6 * 3600)));
        bench.db = None;
        bench.disk.restart_machine();
        bench.db = Some(Db::open(bench.options.clone()).expect("opens"));
        assert_eq!(counts(bench.db()), want, "after {changes} changes");
        bench.db().flush().expect("goes on");
        bench.db().maintain(at(6 * 3600)).expect("goes on");
        assert_eq!(counts(bench.db()), want, "after {changes} changes");
        survived = changes;
        if done.is_ok() {
            let infos = bench.db().block_infos();
            assert!(infos.iter().any(|info| info.resolution_ms > 0), "{infos:?}");
            break;
        }
    }
    assert!(
        (10..399).contains(&survived),
        "{survived} changes make the whole"
    );
}

#[test]
fn a_full_disk_while_blocks_are_written_leaves_the_old_ones() {
    for free in (0..6000).step_by(250) {
        let bench = full_of_work(free);
        let want = counts(bench.db());
        let used = bench.disk.used_bytes();
        bench
            .disk
            .set_space(used + usize::try_from(free).expect("small"));
        for _ in 0..2 {
            let _may_fail = bench.db().flush().is_ok();
            let _may_fail = bench.db().maintain(at(6 * 3600)).is_ok();
            assert_eq!(counts(bench.db()), want, "{free} bytes free");
        }
        bench.disk.set_space(usize::MAX);
        bench.db().maintain(at(6 * 3600)).expect("room again");
        bench.db().flush().expect("room again");
        bench.db().maintain(at(6 * 3600)).expect("room again");
        assert_eq!(counts(bench.db()), want);
        let infos = bench.db().block_infos();
        assert!(infos.iter().any(|info| info.resolution_ms > 0), "{infos:?}");
        let names = bench.disk.list(Path::new("/data/blocks")).expect("list");
        assert_eq!(
            names.len(),
            infos.len(),
            "nothing is left behind: {names:?}"
        );
    }
}

/// Reads series by series, so that one in a damaged page does not hide the others.
fn readable(db: &Db) -> BTreeMap<Labels, Vec<(i64, u64)>> {
    let budget = ReadBudget::new(usize::MAX);
    let Ok(scan) = db.scan(&[], TimeRange::ALL) else {
        return BTreeMap::new();
    };
    let labels = scan.labels().iter().enumerate();
    let read = labels.filter_map(|(i, labels)| {
        let columns = scan.read(i, &budget).ok()?;
        Some((labels.clone(), super::samples(&columns)))
    });
    read.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// One byte of any file changes. The store opens or says why not; every sample it gives was
    /// written; and where some are missing, damage was counted.
    #[test]
    fn one_changed_byte_gives_no_wrong_sample(which: prop::sample::Index, place: prop::sample::Index) {
        let mut bench = filled();
        let mut want = readable(bench.db());
        // What was deleted may come back with a damaged log, but nothing else.
        want.entry(labels(3)).or_default().insert(0, (at(0).millis(), 3.5_f64.to_bits()));
        bench.db = None;
        let files = all_files(&bench);
        let path = &files[which.index(files.len())];
        let length = storage::files::read_whole(&bench.disk, path).expect("read").len();
        prop_assume!(length > 0);
        bench.disk.flip_byte(path, place.index(length)).expect("flip");
        bench.disk.restart_process();
        let db = Db::open(bench.options.clone()).expect("damage does not keep it from opening");
        for _ in 0..2 {
            let found = readable(&db);
            for (labels, samples) in &found {
                let known = &want[labels];
                prop_assert!(samples.iter().all(|sample| known.contains(sample)), "{path:?}");
            }
            // Damage in a page is met by the first read and set aside here.
            db.maintain(at(4 * 7200)).expect("maintain");
        }
        let found = read(&db, &[], TimeRange::ALL);
        let count = |all: &BTreeMap<Labels, Vec<(i64, u64)>>| all.values().map(Vec::len).sum::<usize>();
        let lost = count(&found) < count(&want) - 1;
        let text = bench.options.metrics.render();
        let damages = text.lines().find_map(|line| line.strip_prefix("binnacle_tsdb_damaged_files_total "));
        let torn = path.starts_with("/data/wal");
        prop_assert!(!lost || torn || damages != Some("0"), "{path:?}: {damages:?}");
    }
}
