//! A data directory as `import prometheus` reads it: blocks with index, chunks, tombstones and `meta.json`; write-ahead log
//! with checkpoint, late log, head chunks. The input is the contents of one of them; the others are sound.
#![no_main]

use fuzz::{check_labels, check_rows, crc32c, parts};
use interchange::prometheus::block::{Block, Meta, Tombstones};
use interchange::prometheus::{Destination, Head, Wanted, for_each_series, import};
use interchange::{Journal, Selection};
use libfuzzer_sys::fuzz_target;
use model::{MemoryStore, TimeRange};
use std::fs;
use std::path::{Path, PathBuf};
use storage::SimulatedFiles;
use storage::encoding::put_varint;
use tempfile::TempDir;

const ULID: &str = "01M7YPMW0XQWZP5JWJ7FT82RMA";
const META: &str = r#"{"ulid":"01M7YPMW0XQWZP5JWJ7FT82RMA","minTime":0,"maxTime":1,"version":1}"#;
const CHUNKS_HEADER: [u8; 8] = [0x85, 0xbd, 0x40, 0xdd, 1, 0, 0, 0];
const HEAD_CHUNKS_HEADER: [u8; 8] = [0x01, 0x30, 0xbc, 0x91, 1, 0, 0, 0];

thread_local! {
    // In memory where the system has such a folder.
    static FOLDER: TempDir = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).expect("a folder");
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    FOLDER.with(|folder| {
        let folder = folder.path().join("data");
        let _fresh = fs::remove_dir_all(&folder);
        match first % 8 {
            0 => write(&folder.join("wal/00000000"), body),
            1 => logs(&folder, body),
            2 => write(&folder.join("chunks_head/000001"), body),
            3 => head_chunks(&folder, body),
            4 => block(&folder.join(ULID), body),
            5 => with_block(&folder, "index", body),
            6 => with_block(&folder, "meta.json", body),
            _ => {
                let mut sealed = vec![0x01, 0x30, 0xba, 0x30, 1];
                sealed.extend(body);
                sealed.extend(crc32c(body).to_be_bytes());
                with_block(&folder, "tombstones", &sealed);
                with_block(&folder, "chunks/000001", body);
            }
        }
        read(&folder);
    });
});

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("written");
}

/// A block whose files are sound and empty but for one.
fn with_block(folder: &Path, name: &str, bytes: &[u8]) {
    let block = folder.join(ULID);
    for (name, bytes) in [("meta.json", META.as_bytes()), ("chunks/000001", &CHUNKS_HEADER)] {
        if !block.join(name).exists() {
            write(&block.join(name), bytes);
        }
    }
    write(&block.join(name), bytes);
}

/// Records, each a part, framed: the first ones in a checkpoint, those behind an empty part in the log, those behind the
/// next in the log of late samples.
fn logs(folder: &Path, body: &[u8]) {
    let mut files = ["wal/checkpoint.00000000/00000000", "wal/00000001", "wbl/00000000"].into_iter();
    let mut segment = Vec::new();
    let mut next = || files.next().map(|name| folder.join(name));
    let mut path: PathBuf = next().expect("there are three");
    for record in parts(body) {
        if record.is_empty()
            && let Some(name) = next()
        {
            write(&path, &segment);
            segment.clear();
            path = name;
        }
        segment.push(1);
        segment.extend(u16::try_from(record.len()).unwrap_or(u16::MAX).to_be_bytes());
        segment.extend(crc32c(record).to_be_bytes());
        segment.extend(record);
    }
    write(&path, &segment);
}

/// The first part names series in the log; each other one is a chunk without its checksum.
fn head_chunks(folder: &Path, body: &[u8]) {
    let mut chunks = HEAD_CHUNKS_HEADER.to_vec();
    for (index, part) in parts(body).into_iter().enumerate() {
        if index == 0 {
            let mut log = Vec::new();
            log.extend(u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
            log.extend(part);
            logs(folder, &log);
            continue;
        }
        chunks.extend(part);
        chunks.extend(crc32c(part).to_be_bytes());
    }
    write(&folder.join("chunks_head/000001"), &chunks);
}

/// Parts: version, tombstones, symbols, table of postings, a list of postings; then chunks (their first byte is odd) and
/// series (even), without lengths and checksums.
fn block(folder: &Path, body: &[u8]) {
    let mut parts = parts(body).into_iter();
    let mut next = || parts.next().unwrap_or_default();
    let version = next().first().copied().unwrap_or(2);
    let mut tombstones = vec![0x01, 0x30, 0xba, 0x30, 1];
    let stones = next();
    tombstones.extend(stones);
    tombstones.extend(crc32c(stones).to_be_bytes());
    write(&folder.join("tombstones"), &tombstones);
    let (symbols, table, list) = (next(), next(), next());
    let mut index = vec![0xba, 0xaa, 0xd7, 0x00, version];
    let symbols = section(&mut index, symbols);
    let mut chunks = CHUNKS_HEADER.to_vec();
    let series = index.len() as u64;
    for part in parts {
        let Some((kind, content)) = part.split_first() else {
            continue;
        };
        let out = if kind & 1 == 1 { &mut chunks } else { &mut index };
        if kind & 1 == 0 {
            out.resize(out.len().next_multiple_of(16), 0);
        }
        put_varint(out, content.len().saturating_sub(usize::from(kind & 1)) as u64);
        out.extend(content);
        out.extend(crc32c(content).to_be_bytes());
    }
    let postings = section(&mut index, list);
    let table = section(&mut index, table);
    let mut contents = Vec::new();
    for place in [symbols, series, 0, 0, postings, table] {
        contents.extend(place.to_be_bytes());
    }
    index.extend(&contents);
    index.extend(crc32c(&contents).to_be_bytes());
    write(&folder.join("index"), &index);
    write(&folder.join("chunks/000001"), &chunks);
    write(&folder.join("meta.json"), META.as_bytes());
}

/// Appends a section and answers where it begins.
fn section(index: &mut Vec<u8>, content: &[u8]) -> u64 {
    let place = index.len() as u64;
    index.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    index.extend(content);
    index.extend(crc32c(content).to_be_bytes());
    place
}

fn read(folder: &Path) {
    let files = SimulatedFiles::new(1).shared();
    let mut journal = Journal::open(&files, Path::new("/journal")).expect("memory opens");
    let store = MemoryStore::new();
    let mut destination = Destination {
        sink: &store,
        settle: &|| Ok(()),
        journal: &mut journal,
        name: "fuzz".to_owned(),
    };
    let imported = import(folder, &Selection::default(), &mut destination, &mut |_| {});
    let mut ordered = 0;
    let walked = for_each_series(folder, &|_| true, TimeRange::ALL, &mut |labels, samples| {
        check_labels(labels);
        assert!(samples.is_sorted_by(|a, b| a.timestamp < b.timestamp));
        ordered += samples.len();
        Ok(())
    });
    if let (Ok(report), Ok(())) = (imported, walked)
        && report.damages.is_empty()
    {
        // Repetitions are handed over and stored once.
        assert!(report.samples >= ordered);
    }
    head(folder);
    block_itself(&folder.join(ULID));
}

fn head(folder: &Path) {
    let Ok(mut head) = Head::open(folder) else {
        return;
    };
    let wanted = Wanted { in_order_from: 0, range: TimeRange::ALL };
    let mut samples = 0;
    let counts = head.for_each_batch(wanted, &|_| true, &mut |rows| {
        check_rows(&rows);
        samples += rows.iter().map(|row| row.samples.len()).sum::<usize>();
        Ok(())
    });
    if let Ok(counts) = counts {
        assert_eq!(counts.samples, samples);
    }
}

fn block_itself(folder: &Path) {
    if let Ok(meta) = Meta::read(folder) {
        let again: Meta = serde_json::from_slice(&meta.to_json()).expect("what is written is read");
        assert_eq!(format!("{again:?}"), format!("{meta:?}"));
    }
    if let Ok(stones) = Tombstones::read(folder) {
        write(&folder.join("tombstones"), &stones.encode());
        assert_eq!(Tombstones::read(folder).expect("what is written is read").encode(), stones.encode());
    }
    let Ok(mut block) = Block::open(folder) else {
        return;
    };
    let _all = block.index.postings("", "");
    let _some = block.index.postings("__name__", "a");
    let (index, mut reader) = block.parts();
    let mut walk = index.series();
    while let Ok(Some(series)) = walk.next_series() {
        check_labels(&series.labels);
        for place in &series.chunks {
            let _chunk = reader.chunk(place);
            let _buckets = reader.chunk_buckets(place);
        }
    }
}
