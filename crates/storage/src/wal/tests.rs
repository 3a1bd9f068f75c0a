use super::{Options, Position, Recovery, Wal, WalError, WalSync};
use crate::files::{Files as _, OperatingSystem, SharedFiles, SimulatedFiles, read_whole};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn open(files: SharedFiles, folder: &Path) -> (Wal, Vec<Vec<u8>>, Recovery) {
    let options = Options {
        folder: folder.to_owned(),
        sync: WalSync::Always,
        files,
    };
    let mut records = Vec::new();
    let (wal, report) = Wal::open(options, Position::default(), |record| {
        records.push(record.content.to_vec());
        Ok(())
    })
    .expect("opens");
    (wal, records, report)
}

fn folder() -> PathBuf {
    PathBuf::from("/wal")
}

fn write(wal: &Wal, content: &[u8]) -> Result<Position, WalError> {
    let position = wal.write(content)?;
    wal.acknowledge(position)?;
    Ok(position)
}

#[test]
fn reads_back_in_order_over_segments() {
    let real = tempfile::tempdir().expect("folder");
    let simulated = SimulatedFiles::new(1).shared();
    for (files, folder) in [
        (OperatingSystem::shared(), real.path().join("wal")),
        (simulated, folder()),
    ] {
        let (wal, records, _) = open(Arc::clone(&files), &folder);
        assert!(records.is_empty());
        write(&wal, b"one").expect("write");
        wal.rotate().expect("rotate");
        wal.rotate().expect("an empty segment is kept");
        write(&wal, b"two").expect("write");
        drop(wal);
        let (wal, records, report) = open(Arc::clone(&files), &folder);
        assert_eq!(records, [b"one", b"two"]);
        assert_eq!((report.records, report.torn_bytes), (2, 0));
        assert_eq!(wal.closed_segments(), [1]);
        assert_eq!(wal.size_bytes(), 2 * (16 + 8 + 3));
        wal.remove_segment(1).expect("remove");
        write(&wal, b"three").expect("write");
        drop(wal);
        let (_, records, _) = open(files, &folder);
        assert_eq!(records, [b"two".as_slice(), b"three"]);
    }
}

#[test]
fn damage_in_the_middle_is_set_aside_and_the_rest_served() {
    let disk = SimulatedFiles::new(1);
    let (wal, _, _) = open(disk.shared(), &folder());
    for content in [b"a1", b"a2", b"a3"] {
        write(&wal, content).expect("write");
    }
    wal.rotate().expect("rotate");
    write(&wal, b"b1").expect("write");
    drop(wal);
    // The content of the second record: header, frame of 8 and content of 2, frame.
    disk.flip_byte(&folder().join("00000001.wal"), 16 + 10 + 8)
        .expect("flip");
    let (wal, records, report) = open(disk.shared(), &folder());
    assert_eq!(records, [b"a1", b"b1"]);
    assert_eq!(report.damage.len(), 1);
    assert!(report.damage[0].contains("00000001.wal: offset 26: checksum mismatch; 20 bytes"));
    let kept = read_whole(&disk, &folder().join("00000001.wal.quarantined")).expect("kept");
    assert!(kept.ends_with(b"a3"));
    drop(wal);
    let (_, records, report) = open(disk.shared(), &folder());
    assert_eq!((records.len(), report.damage.len()), (2, 0));
}

#[test]
fn a_full_disk_poisons_until_there_is_room() {
    let disk = SimulatedFiles::new(1);
    let (wal, _, _) = open(disk.shared(), &folder());
    write(&wal, b"before").expect("write");
    disk.set_space(disk.used_bytes() + 5);
    let error = write(&wal, b"does not fit").expect_err("full").to_string();
    assert!(error.contains("/wal/00000001.wal"), "{error}");
    assert!(error.contains("no samples are taken"), "{error}");
    assert!(
        wal.write(b"x").is_err(),
        "poisoned, even for what would fit"
    );
    assert!(!wal.rearm());
    disk.set_space(1000);
    assert!(wal.rearm());
    write(&wal, b"after").expect("write");
    drop(wal);
    let (_, records, report) = open(disk.shared(), &folder());
    assert_eq!(records, [b"before".as_slice(), b"after"]);
    assert_eq!(
        report,
        Recovery {
            records: 2,
            ..Recovery::default()
        }
    );
}

/// Writers that wait at the same time share a sync, and none is told too early.
#[test]
fn concurrent_writers_share_syncs() {
    let disk = SimulatedFiles::new(1);
    let (wal, _, _) = open(disk.shared(), &folder());
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let wal = &wal;
            scope.spawn(move || {
                for i in 0..100_u8 {
                    write(wal, &[thread, i]).expect("write");
                }
            });
        }
    });
    assert!(disk.changes() <= 4 + 2 * 400, "at most one sync a write");
    drop(wal);
    disk.restart_machine();
    let (_, records, _) = open(disk.shared(), &folder());
    assert_eq!(records.len(), 400);
    for thread in 0..4 {
        let own = records.iter().filter(|record| record[0] == thread);
        assert!(
            own.map(|record| record[1]).is_sorted(),
            "in the order of writing"
        );
    }
}

#[test]
fn a_record_that_the_reader_refuses_fails_the_opening() {
    let disk = SimulatedFiles::new(1);
    let (wal, _, _) = open(disk.shared(), &folder());
    write(&wal, b"x").expect("write");
    let options = wal.options.clone();
    let error = Wal::open(options, Position::default(), |_| {
        Err("unknown kind 120".to_owned())
    });
    let error = error.err().expect("refused").to_string();
    assert_eq!(error, "/wal/00000001.wal: offset 16: unknown kind 120");
}

proptest! {
    /// Whatever was acknowledged is there after a loss of power, in order, nothing twice, and what
    /// is there was written.
    #[test]
    fn power_loss_at_any_moment(seed: u64, changes in 0..60_u64, sizes in prop::collection::vec(1..900_usize, 1..30)) {
        let disk = SimulatedFiles::new(seed);
        let mut acknowledged = Vec::new();
        let mut written = Vec::new();
        let (wal, _, _) = open(disk.shared(), &folder());
        disk.crash_after(changes);
        for (i, size) in sizes.iter().enumerate() {
            let mut content = vec![b'x'; *size];
            content[0] = u8::try_from(i).expect("few");
            written.push(content.clone());
            if write(&wal, &content).is_err() {
                break;
            }
            acknowledged.push(content);
            if i % 7 == 6 && wal.rotate().is_err() {
                break;
            }
        }
        disk.restart_machine();
        let (wal, records, _) = open(disk.shared(), &folder());
        prop_assert!(records.starts_with(&acknowledged));
        prop_assert!(written.starts_with(&records));
        write(&wal, b"goes on").expect("takes records again");
    }

    /// A log cut or damaged anywhere opens, and gives back only what was written.
    #[test]
    fn any_cut_or_damage_opens(place: prop::sample::Index, cut: bool) {
        let disk = SimulatedFiles::new(1);
        let (wal, _, _) = open(disk.shared(), &folder());
        let written: Vec<Vec<u8>> = (1..20_u8).map(|i| vec![i; usize::from(i)]).collect();
        for content in &written {
            write(&wal, content).expect("write");
        }
        drop(wal);
        let path = folder().join("00000001.wal");
        let length = read_whole(&disk, &path).expect("bytes").len();
        let at = place.index(length);
        if cut {
            disk.open_for_append(&path).expect("open").truncate(at as u64).expect("cut");
        } else {
            disk.flip_byte(&path, at).expect("flip");
        }
        let (_, records, _) = open(disk.shared(), &folder());
        prop_assert!(written.starts_with(&records));
        prop_assert!(records.len() < written.len());
    }
}
