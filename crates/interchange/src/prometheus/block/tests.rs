//! Blocks that are written, read back, damaged, and shown to Debian's promtool.

use super::{Block, BlockWriter, Tombstones, Ulid, Written};
use crate::error::Error;
use crate::prometheus::{DataFolder, chunk};
use crate::testing::{self, START, STEP};
use model::{MemoryStore, SeriesSamples, Sink as _, TimeRange};
use proptest::prelude::*;
use runtime::Random;
use std::path::Path;
use storage::{Files as _, OperatingSystem};
use tempfile::TempDir;

fn write(folder: &Path, rows: &[SeriesSamples]) -> Written {
    let files = OperatingSystem::shared();
    let name = Ulid::new(1, &mut Random::from_seed(1));
    let mut writer = BlockWriter::begin(&files, folder, name).expect("a folder");
    for row in rows {
        writer
            .add(&row.labels, &chunk::encode(&row.samples))
            .expect("written");
    }
    writer.finish().expect("written").expect("not empty")
}

fn read(folder: &Path, range: TimeRange) -> Result<(MemoryStore, usize), Error> {
    let mut block = Block::open(folder)?;
    let store = MemoryStore::new();
    let mut deleted = 0;
    let (index, mut reader) = block.parts();
    let mut walk = index.series();
    while let Some(series) = walk.next_series()? {
        let read = reader.read(&series, range)?;
        deleted += read.deleted;
        let row = SeriesSamples {
            labels: series.labels,
            samples: read.samples,
            exemplars: Vec::new(),
        };
        store.append(&[row]).expect("memory takes all");
    }
    Ok((store, deleted))
}

#[test]
fn round_trips() {
    let folder = TempDir::new().expect("a folder");
    let rows = testing::rows(3);
    let written = write(folder.path(), &rows);
    assert_eq!(written.meta.stats.num_series, 24);
    assert_eq!(written.meta.stats.num_samples, 24 * 300);
    let (store, deleted) = read(&written.folder, TimeRange::ALL).expect("reads");
    testing::assert_same(&testing::held(&store), &testing::without_starts(&rows));
    assert_eq!(deleted, 0);
    let block = Block::open(&written.folder).expect("opens");
    assert_eq!(block.size_bytes(), written.bytes);
    assert_eq!(block.index.postings("", "").expect("reads").len(), 24);
    assert_eq!(
        block
            .index
            .postings("__name__", "noise")
            .expect("reads")
            .len(),
        3
    );
    assert!(
        block
            .index
            .postings("__name__", "none")
            .expect("reads")
            .is_empty()
    );
    let found = DataFolder::open(folder.path()).expect("opens");
    assert_eq!((found.blocks.len(), found.damages.len()), (1, 0));
    let from = DataFolder::in_order_from(found.blocks.iter().map(|(meta, _)| meta));
    assert_eq!(from, written.meta.max_time);
}

#[test]
fn deleted_samples_stay_deleted() {
    let folder = TempDir::new().expect("a folder");
    let written = write(folder.path(), &testing::rows(3));
    let block = Block::open(&written.folder).expect("opens");
    let ids = block.index.postings("__name__", "constant").expect("reads");
    let mut stones = Tombstones::default();
    for id in ids {
        stones.add(id, START, START + 100 * STEP);
    }
    let files = OperatingSystem;
    let file = files
        .create(&written.folder.join("tombstones"))
        .expect("a file");
    file.write(&stones.encode()).expect("written");
    let (_, deleted) = read(&written.folder, TimeRange::ALL).expect("reads");
    assert!((296..=300).contains(&deleted), "{deleted}");
}

#[test]
fn a_range_is_a_range() {
    let folder = TempDir::new().expect("a folder");
    let rows = testing::rows(3);
    let written = write(folder.path(), &rows);
    let at = |steps| model::Timestamp::from_millis(START + steps * STEP + STEP / 2);
    let range = TimeRange {
        start: at(20),
        end: at(200),
    };
    let mut wanted = rows;
    for row in &mut wanted {
        row.samples
            .retain(|sample| range.contains(sample.timestamp));
    }
    let (store, _) = read(&written.folder, range).expect("reads");
    testing::assert_same(&testing::held(&store), &testing::without_starts(&wanted));
}

/// Whatever bit flips: nothing panics, and what is read without an error is what was written.
#[test]
fn flipped_bits_are_noticed() {
    let folder = TempDir::new().expect("a folder");
    let rows: Vec<_> = testing::rows(3).into_iter().step_by(5).collect();
    let written = write(folder.path(), &rows);
    let want = testing::without_starts(&rows);
    let files = OperatingSystem;
    let mut random = Random::from_seed(5);
    let mut noticed = 0;
    for name in ["index", "chunks/000001", "tombstones"] {
        let path = written.folder.join(name);
        let good = std::fs::read(&path).expect("there");
        for _ in 0..60 {
            let mut bad = good.clone();
            let at = usize::try_from(random.below(bad.len() as u64)).expect("small");
            bad[at] ^= 1 << random.below(8);
            files
                .create(&path)
                .expect("a file")
                .write(&bad)
                .expect("written");
            match read(&written.folder, TimeRange::ALL) {
                // Padding and postings are not looked at.
                Ok((store, _)) => assert!(testing::held(&store) == want, "{name} at {at}"),
                Err(error) => {
                    assert!(
                        error.is_damage() || matches!(error, Error::NotOne { .. }),
                        "{error}"
                    );
                    noticed += 1;
                }
            }
        }
        files
            .create(&path)
            .expect("a file")
            .write(&good)
            .expect("written");
    }
    assert!(noticed > 100, "{noticed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = TempDir::new().expect("a folder");
        let written = write(folder.path(), &testing::rows(1)[..1]);
        let files = OperatingSystem;
        for (name, head) in [
            ("index", vec![0xba, 0xaa, 0xd7, 0, 2]),
            ("chunks/000001", vec![0x85, 0xbd, 0x40, 0xdd, 1, 0, 0, 0]),
            ("meta.json", Vec::new()),
        ] {
            let path = written.folder.join(name);
            let good = std::fs::read(&path).expect("there");
            let bad: Vec<u8> = head.into_iter().chain(bytes.iter().copied()).collect();
            files.create(&path).expect("a file").write(&bad).expect("written");
            prop_assert!(read(&written.folder, TimeRange::ALL).is_err());
            files.create(&path).expect("a file").write(&good).expect("written");
        }
    }
}

/// Debian's promtool lists and dumps what we wrote, where it is installed.
#[test]
fn promtool_reads_our_blocks() {
    let folder = TempDir::new().expect("a folder");
    let rows: Vec<_> = testing::rows(3)
        .into_iter()
        .filter(|row| row.labels.metric_name() != "custom")
        .collect();
    let written = write(folder.path(), &rows);
    let run = |arguments: &[&str]| {
        let path = folder.path().to_str().expect("text");
        let output = std::process::Command::new("promtool")
            .args(arguments)
            .arg(path)
            .output();
        output.ok().map(|output| {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            assert!(output.status.success(), "{}", text(&output.stderr));
            text(&output.stdout)
        })
    };
    let Some(list) = run(&["tsdb", "list"]) else {
        println!("skipped: promtool is not installed");
        return;
    };
    assert!(list.contains(&written.meta.ulid), "{list}");
    let analysis = run(&["tsdb", "analyze"]).expect("installed");
    assert!(analysis.contains("Series: 21"), "{analysis}");
    // It needs a folder for the log, and dumps floats only.
    std::fs::create_dir(folder.path().join("wal")).expect("a folder");
    let dump = run(&[
        "tsdb",
        "dump",
        "--match",
        "{__name__=~\"constant|counter|noise|special\"}",
    ]);
    assert_eq!(dump.expect("installed").lines().count(), 12 * 300);
}
