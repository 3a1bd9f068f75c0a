//! Logs put together from the format's description: fragments, kinds of records, what a crash leaves.

use super::super::crc32c::crc32c;
use super::{Head, Wanted};
use crate::error::Error;
use model::{SeriesSamples, TimeRange, Value};
use proptest::prelude::*;
use std::path::Path;
use storage::encoding::{put_bytes, put_varint, put_zigzag};
use storage::{Files as _, OperatingSystem};
use tempfile::TempDir;

const PAGE: usize = 32 << 10;

/// Writes records as Prometheus does: fragments that fill pages of 32 KiB.
pub(crate) fn segment(records: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for (flags, record) in records {
        let mut rest = record.as_slice();
        let mut first = true;
        loop {
            let room = PAGE - out.len() % PAGE;
            if room < 7 {
                out.resize(out.len() + room, 0);
                continue;
            }
            let (now, later) = rest.split_at(rest.len().min(room - 7));
            let kind = match (first, later.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            out.push(kind | flags);
            out.extend(
                u16::try_from(now.len())
                    .expect("below a page")
                    .to_be_bytes(),
            );
            out.extend(crc32c(now).to_be_bytes());
            out.extend(now);
            (rest, first) = (later, false);
            if rest.is_empty() {
                break;
            }
        }
    }
    out
}

pub(crate) fn series(id: u64, name: &str) -> Vec<u8> {
    let mut out = vec![1];
    out.extend(id.to_be_bytes());
    put_varint(&mut out, 1);
    put_bytes(&mut out, b"__name__");
    put_bytes(&mut out, name.as_bytes());
    out
}

fn floats(id: u64, samples: &[(i64, f64)]) -> Vec<u8> {
    let mut out = vec![2];
    let base = samples[0].0;
    out.extend(id.to_be_bytes());
    out.extend(base.to_be_bytes());
    for (at, value) in samples {
        put_zigzag(&mut out, 0);
        put_zigzag(&mut out, at - base);
        out.extend(value.to_bits().to_be_bytes());
    }
    out
}

fn write(path: &Path, bytes: &[u8]) {
    let files = OperatingSystem;
    files
        .make_folder(path.parent().expect("below"))
        .expect("a folder");
    files
        .create(path)
        .expect("a file")
        .write(bytes)
        .expect("written");
}

fn read(data: &Path, from: i64) -> (Vec<String>, Vec<String>) {
    let mut head = Head::open(data).expect("opens");
    let wanted = Wanted {
        in_order_from: from,
        range: TimeRange::ALL,
    };
    let mut seen = Vec::new();
    let mut take = |rows: Vec<SeriesSamples>| {
        for row in rows {
            for sample in &row.samples {
                let value = match &sample.value {
                    Value::Float(value) => value.to_string(),
                    Value::Histogram(histogram) => format!(
                        "{}/{} {:?} {:?}",
                        histogram.count,
                        histogram.sum,
                        histogram.positive_buckets,
                        histogram.custom_values
                    ),
                };
                let (at, start) = (sample.timestamp.millis(), sample.start.millis());
                seen.push(format!("{} {at} {start} {value}", row.labels.metric_name()));
            }
            for exemplar in &row.exemplars {
                seen.push(format!(
                    "{} exemplar {}",
                    row.labels.metric_name(),
                    exemplar.value
                ));
            }
        }
        Ok(())
    };
    head.for_each_batch(wanted, &|_| true, &mut take)
        .expect("reads");
    (seen, head.damages.iter().map(Error::to_string).collect())
}

fn snappy(record: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new()
        .compress_vec(record)
        .expect("small")
}

#[test]
fn all_kinds_of_fragments_and_packing() {
    let folder = TempDir::new().expect("a folder");
    let many: Vec<(i64, f64)> = (0..9000).map(|i| (i * 10, 0.5)).collect();
    let zstd = zstd::bulk::compress(&floats(2, &[(7, 9.0)]), 1).expect("packs");
    let records = [
        (0, series(1, "a")),
        (8, snappy(&series(2, "b"))),
        (0, floats(1, &many)),
        (16, zstd),
        (8, snappy(&floats(3, &[(1, 1.0)]))),
    ];
    write(&folder.path().join("wal/00000000"), &segment(&records));
    let (seen, damages) = read(folder.path(), i64::MIN);
    assert_eq!((seen.len(), damages), (9001, vec![]));
    assert!(seen.contains(&"b 7 0 9".to_owned()));
}

#[test]
fn checkpoints_tombstones_and_late_samples() {
    let folder = TempDir::new().expect("a folder");
    let wal = folder.path().join("wal");
    write(
        &wal.join("00000003"),
        &segment(&[(0, series(9, "replaced"))]),
    );
    let mut stone = vec![3];
    stone.extend(1_u64.to_be_bytes());
    put_zigzag(&mut stone, 20);
    put_zigzag(&mut stone, 29);
    let first = [(0, series(1, "a")), (0, floats(1, &[(5, 1.0)])), (0, stone)];
    write(&wal.join("checkpoint.00000003/00000000"), &segment(&first));
    write(
        &wal.join("checkpoint.00000001/00000000"),
        &segment(&[(0, series(8, "old"))]),
    );
    let later = [
        (0, floats(1, &[(15, 2.0), (25, 3.0), (35, 4.0)])),
        (0, vec![99, 1]),
    ];
    write(&wal.join("00000004"), &segment(&later));
    let late = [(0, floats(1, &[(3, 9.0)])), (0, vec![5, 0, 0])];
    write(&folder.path().join("wbl/00000000"), &segment(&late));
    let (seen, damages) = read(folder.path(), 10);
    assert_eq!(seen, ["a 15 0 2", "a 35 0 4", "a 3 0 9"]);
    assert_eq!(damages, Vec::<String>::new());
}

#[test]
fn a_torn_end_is_no_damage_and_damage_is_skipped() {
    let folder = TempDir::new().expect("a folder");
    let wal = folder.path().join("wal");
    let good = segment(&[(0, series(1, "a")), (0, floats(1, &[(1, 1.0)]))]);
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    write(&wal.join("00000000"), &good);
    write(&wal.join("00000001"), &bad);
    write(
        &wal.join("00000002"),
        &segment(&[(0, floats(1, &[(2, 2.0)]))]),
    );
    let mut torn = segment(&[(0, floats(1, &[(3, 3.0)])), (0, floats(1, &[(4, 4.0)]))]);
    torn.pop();
    write(&wal.join("00000003"), &torn);
    let (seen, damages) = read(folder.path(), i64::MIN);
    assert_eq!(seen, ["a 1 0 1", "a 2 0 2", "a 3 0 3"]);
    assert_eq!(damages.len(), 1);
    assert!(
        damages[0].contains("00000001: offset 28: checksum mismatch"),
        "{damages:?}"
    );
}

#[test]
fn kinds_of_prometheus_3() {
    let folder = TempDir::new().expect("a folder");
    let mut starts = vec![11];
    for number in [1, 1000, 400] {
        put_zigzag(&mut starts, number);
    }
    starts.extend(1.5_f64.to_bits().to_be_bytes());
    for (marker, value) in [(1, 2.5_f64), (0, 3.5), (2, 4.5)] {
        put_zigzag(&mut starts, 0);
        put_zigzag(&mut starts, 10 * i64::from(marker) + 10);
        starts.push(marker);
        if marker == 2 {
            put_zigzag(&mut starts, 50);
        }
        starts.extend(value.to_bits().to_be_bytes());
    }
    let mut custom = vec![9];
    custom.extend(1_u64.to_be_bytes());
    custom.extend(2000_i64.to_be_bytes());
    put_zigzag(&mut custom, 0);
    put_zigzag(&mut custom, 0);
    custom.push(0);
    put_zigzag(&mut custom, -53);
    custom.extend(0.0_f64.to_bits().to_be_bytes());
    put_varint(&mut custom, 0);
    put_varint(&mut custom, 5);
    custom.extend(7.0_f64.to_bits().to_be_bytes());
    for number in [1, 0, 2, 0, 2, 4, 2, 0, 1] {
        // Spans (offset 0, length 2), none; two bucket deltas 2, 1; none; one bound.
        custom.push(number);
    }
    custom.extend(0.25_f64.to_bits().to_be_bytes());
    let mut exemplar = vec![4];
    exemplar.extend(1_u64.to_be_bytes());
    exemplar.extend(1500_i64.to_be_bytes());
    exemplar.extend([0, 0]);
    exemplar.extend(8.5_f64.to_bits().to_be_bytes());
    exemplar.push(0);
    let records = [series(1, "a"), starts, custom, exemplar].map(|record| (0, record));
    write(&folder.path().join("wal/00000000"), &segment(&records));
    let (seen, damages) = read(folder.path(), i64::MIN);
    let want = [
        "a 1000 400 1.5",
        "a 1020 400 2.5",
        "a 1010 0 3.5",
        "a 1030 450 4.5",
        "a 2000 0 5/7 [2.0, 3.0] Some([0.25])",
        "a exemplar 8.5",
    ];
    assert_eq!((seen, damages), (want.map(str::to_owned).to_vec(), vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn garbage_is_skipped(bytes: Vec<u8>, kind in 1..15_u8, place: prop::sample::Index) {
        let folder = TempDir::new().expect("a folder");
        let mut record = bytes.clone();
        record.insert(0, kind);
        let mut log = segment(&[(0, series(1, "a")), (0, record), (0, floats(1, &[(2, 2.0)]))]);
        write(&folder.path().join("wal/00000000"), &log);
        let (seen, _) = read(folder.path(), i64::MIN);
        prop_assert!(seen.contains(&"a 2 0 2".to_owned()) || kind == 3 || kind == 1);
        let at = place.index(log.len());
        log[at] ^= 0x55;
        write(&folder.path().join("wal/00000000"), &log);
        write(&folder.path().join("chunks_head/000001"), &bytes);
        let _any = read(folder.path(), i64::MIN);
        let mut chunks = vec![0x01, 0x30, 0xbc, 0x91, 1, 0, 0, 0];
        chunks.extend(&bytes);
        write(&folder.path().join("chunks_head/000001"), &chunks);
        let _any = read(folder.path(), i64::MIN);
    }
}
