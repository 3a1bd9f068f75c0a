//! What our own store finds on a damaged disk: log, checkpoint, manifest, blocks, tombstones, the queue of remote write, the
//! journal of imports. The input is the contents of one of them, framed with right checksums, or one file as it is.
#![no_main]

use fuzz::{check_labels, check_rows, parts};
use ingest::remote_out::{RecordReader, Rewrite};
use interchange::Journal;
use libfuzzer_sys::fuzz_target;
use model::{Columns, Labels, ReadBudget, SeriesSamples, Source as _, TimeRange, Timestamp};
use runtime::SimulatedClock;
use std::path::Path;
use std::sync::Arc;
use storage::sealed::{Kind, checksum, replace};
use storage::{DiskQueue, Files as _, SimulatedFiles, disk_queue};
use tsdb::{Db, Options};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const MANIFEST: Kind = Kind { magic: *b"BNCLMAN\0", version: 2 };
const TOMBSTONES: Kind = Kind { magic: *b"BNCLTMB\0", version: 1 };
const JOURNAL: Kind = Kind { magic: *b"BNIMPORT", version: 1 };
/// Which file bytes are put into as they are.
const NAMES: [&str; 6] = [
    "/d/wal/00000001.wal",
    "/d/CHECKPOINT",
    "/d/MANIFEST",
    "/d/blocks/00000001.block",
    "/d/blocks/00000001.tombstones",
    "/d/LOCK",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    let disk = SimulatedFiles::new(1);
    match first % 8 {
        0 => wal(&disk, body),
        1 => {
            wal(&disk, &[]);
            put(&disk, "/d/CHECKPOINT", &records(header(*b"BNCLCKP\0", 1), body, false));
        }
        2 => replace(&disk, Path::new("/d/MANIFEST"), MANIFEST, body).expect("memory takes all"),
        3 => put(&disk, "/d/blocks/00000001.block", &block(body)),
        4 => {
            put(&disk, "/d/blocks/00000001.block", &block(SOUND_BLOCK));
            let path = Path::new("/d/blocks/00000001.tombstones");
            replace(&disk, path, TOMBSTONES, body).expect("memory takes all");
        }
        5 => return queue(&disk, body),
        6 => {
            let path = Path::new("/d/journal");
            replace(&disk, path, JOURNAL, body).expect("memory takes all");
            let _journal = Journal::open(&disk.shared(), path);
            return;
        }
        _ => {
            let name = NAMES[usize::from(first / 8) % NAMES.len()];
            put(&disk, name, body);
        }
    }
    open(&disk);
});

/// The parts of a block of two series with floats and histograms, as the seeds have them.
const SOUND_BLOCK: &[u8] = include_bytes!("../corpus/store/block").split_at(1).1;

fn put(disk: &SimulatedFiles, path: &str, bytes: &[u8]) {
    let file = disk.create(Path::new(path)).expect("memory takes all");
    file.write(bytes).expect("memory takes all");
}

fn header(magic: [u8; 8], version: u32) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend(version.to_le_bytes());
    let sum = checksum(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// A file of records, each a part behind its length and its checksum.
fn records(mut file: Vec<u8>, body: &[u8], with_length: bool) -> Vec<u8> {
    for record in parts(body) {
        let length = (record.len() as u32).to_le_bytes();
        let summed = if with_length { [&length, record].concat() } else { record.to_vec() };
        file.extend(length);
        file.extend(checksum(&summed).to_le_bytes());
        file.extend(record);
    }
    file
}

fn wal(disk: &SimulatedFiles, body: &[u8]) {
    put(disk, "/d/wal/00000001.wal", &records(header(*b"BNCLWAL\0", 1), body, true));
}

/// Parts are pages without their checksums, the last one is the index. Whatever the index says of their lengths, they
/// follow each other.
fn block(body: &[u8]) -> Vec<u8> {
    let mut file = header(*b"BNCLBLK\0", 4);
    let mut place = (0, 0);
    for page in parts(body) {
        place = (file.len() as u64, page.len() as u64 + 4);
        file.extend(checksum(page).to_le_bytes());
        file.extend(page);
    }
    let footer = [place.0.to_le_bytes(), place.1.to_le_bytes()].concat();
    file.extend(&footer);
    file.extend(checksum(&footer).to_le_bytes());
    file.extend(b"BNCLEND\0");
    file
}

fn options(disk: &SimulatedFiles) -> Options {
    Options {
        files: disk.shared(),
        clock: Arc::new(SimulatedClock::new(NOW)),
        retention_ms: None,
        ..Options::new("/d")
    }
}

/// Opens the store, reads all of it, and reads the same after a restart.
fn open(disk: &SimulatedFiles) {
    let Ok(db) = Db::open(options(disk)) else {
        return;
    };
    let found = read(&db);
    let _stats = (db.stats(10), db.block_infos(), db.head_numbers());
    let _exemplars = db.exemplars(&[], TimeRange::ALL);
    db.close().expect("memory takes all");
    drop(db);
    disk.restart_process();
    let db = Db::open(options(disk)).expect("what was opened once opens again");
    if let (Some(found), Some(again)) = (found, read(&db)) {
        assert_eq!(found, again);
    }
    let _kept = db.maintain(NOW);
    let _read = read(&db);
}

fn read(db: &Db) -> Option<Vec<(Labels, String)>> {
    let budget = ReadBudget::new(1 << 20);
    let series = db.select(&[], TimeRange::ALL, &budget).ok()?;
    let shown = |columns: &Columns| format!("{columns:?}");
    for series in &series {
        check_labels(&series.labels);
        let columns = &series.columns;
        assert!(columns.timestamps.is_sorted_by(|a, b| a < b), "{columns:?}");
    }
    let mut shown: Vec<_> = series.iter().map(|s| (s.labels.clone(), shown(&s.columns))).collect();
    shown.sort();
    Some(shown)
}

/// A queue of remote write with one segment, whose records are parts.
fn queue(disk: &SimulatedFiles, body: &[u8]) {
    let mut file = header(*b"BNCLQUE\0", 1);
    for (index, content) in parts(body).into_iter().enumerate() {
        let packed = snap::raw::Encoder::new().compress_vec(content).expect("small");
        let (length, weight) = ((packed.len() as u32).to_le_bytes(), 1_u32.to_le_bytes());
        let sum = checksum(&[&length, &weight, packed.as_slice()].concat());
        // Now and then bytes that nobody wrote.
        let sum = if index == 5 { !sum } else { sum };
        file.extend([length, weight, sum.to_le_bytes()].concat());
        file.extend(packed);
    }
    put(disk, "/q/00000001.queue", &file);
    let options = disk_queue::Options {
        folder: "/q".into(),
        bytes_max: 1 << 20,
        segment_bytes: 1 << 16,
        files: disk.shared(),
    };
    let (queue, mut reader) = DiskQueue::open(options).expect("memory opens");
    let mut records = RecordReader::new(Rewrite::default());
    while let Ok(Some(record)) = queue.read(&mut reader) {
        let Ok(rows) = records.decode(&record.content, record.begins_segment) else {
            continue;
        };
        check_rows(&rows.into_iter().map(sent).collect::<Vec<_>>());
        queue.acknowledge(record.end).expect("memory takes all");
    }
}

fn sent(row: ingest::remote_out::QueuedSeries) -> SeriesSamples {
    SeriesSamples {
        labels: row.labels.unwrap_or_default(),
        samples: row.samples,
        exemplars: row.exemplars,
    }
}
