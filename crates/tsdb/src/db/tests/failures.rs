//! Full, read-only and damaged disks, clocks that jump, and what retention removes.

use super::{Bench, at, labels, read, row};
use crate::db::Db;
use crate::options::Options;
use model::{Matcher, ReadBudget, Sink as _, Source as _, TimeRange};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use storage::Files as _;

#[test]
fn a_full_disk_refuses_writes_and_serves_reads() {
    let bench = Bench::new(1);
    bench.db().append(&[row(1, 0, 1.0)]).expect("append");
    bench.disk.set_space(bench.disk.used_bytes() + 10);
    let error = bench
        .db()
        .append(&[row(2, 0, 1.0)])
        .expect_err("full")
        .to_string();
    assert!(error.contains("/data/wal/00000001.wal: "), "{error}");
    assert!(error.contains("no samples are taken"), "{error}");
    assert!(bench.db().read_only_reason().is_some());
    assert_eq!(read(bench.db(), &[], TimeRange::ALL).len(), 1);
}

#[test]
fn a_closed_store_takes_nothing_and_a_second_one_does_not_open() {
    let bench = Bench::new(1);
    assert!(Db::open(bench.options.clone()).is_err());
    bench.db().append(&[row(1, 0, 1.0)]).expect("append");
    bench.db().close().expect("close");
    assert!(bench.db().append(&[row(1, 1, 1.0)]).is_err());
    assert_eq!(read(bench.db(), &[], TimeRange::ALL).len(), 1);
}

#[test]
fn a_damaged_block_is_set_aside_and_the_rest_served() {
    let mut bench = Bench::new(1);
    bench.db().append(&[row(1, 0, 1.0)]).expect("append");
    bench.db().flush().expect("flush");
    bench.db().append(&[row(2, 0, 1.0)]).expect("append");
    bench.db().flush().expect("flush");
    let path = Path::new("/data/blocks/00000001.block");
    // The value page: found by the query, not by the opening.
    bench.disk.flip_byte(path, 20).expect("flip");
    let budget = ReadBudget::new(100);
    let error = bench
        .db()
        .select(&[], TimeRange::ALL, &budget)
        .expect_err("damage");
    assert!(
        error
            .to_string()
            .contains("/data/blocks/00000001.block: offset 16: checksum"),
        "{error}"
    );
    bench.db().maintain(at(0)).expect("maintain");
    assert_eq!(read(bench.db(), &[], TimeRange::ALL).len(), 1);
    // The footer: found by the opening.
    bench
        .disk
        .flip_byte(Path::new("/data/blocks/00000002.block"), 60)
        .expect("flip");
    bench.restart();
    assert_eq!(read(bench.db(), &[], TimeRange::ALL).len(), 0);
    let kept = bench.disk.list(Path::new("/data/blocks"));
    let want = ["00000001.block.quarantined", "00000002.block.quarantined"];
    assert_eq!(kept.expect("list"), want);
}

#[test]
fn retention_by_time_and_by_size() {
    let mut bench = Bench::new(1);
    bench.options.retention_ms = Some(100 * 3_600_000);
    bench.restart();
    let hour = 3600;
    for hours in 0..150 {
        bench.clock.step_to(at(hours * hour));
        bench.clock.advance(Duration::ZERO);
        bench
            .db()
            .append(&[row(1, hours * hour, 1.0)])
            .expect("append");
        // The clock of the retention follows the monotonic one.
        bench.clock.advance(Duration::from_secs(3600));
        bench
            .db()
            .maintain(at((hours + 1) * hour))
            .expect("maintain");
    }
    let found = read(bench.db(), &[], TimeRange::ALL);
    let count = found[&labels(1)].len();
    assert!(
        (100..=112).contains(&count),
        "{count} samples of 150 h at 100 h of retention"
    );
    bench.options.retention_bytes = Some(bench.db().stats(1).block_bytes / 2);
    bench.restart();
    bench.db().maintain(at(150 * hour)).expect("maintain");
    let fewer = read(bench.db(), &[], TimeRange::ALL)[&labels(1)].len();
    assert!(fewer > 0 && fewer < count, "{fewer} of {count}");
}

#[test]
fn a_clock_that_jumps_costs_no_data() {
    let mut bench = Bench::new(1);
    bench.options.retention_ms = Some(10 * 86_400_000);
    bench.options.future_window_ms = Some(600_000);
    bench.restart();
    bench.db().append(&[row(1, 0, 1.0)]).expect("append");
    bench.db().flush().expect("flush");
    let year = 365 * 86_400;
    bench.clock.step_to(at(year));
    let appended = bench.db().append(&[row(1, year, 1.0)]).expect("append");
    assert_eq!(appended.accepted, 1, "scraped under the wrong date");
    let sent = bench.db().append(&[row(2, 30, 1.0)]).expect("append");
    assert_eq!(sent.accepted, 1, "sent by someone with the right date");
    bench.db().maintain(at(year)).expect("maintain");
    bench.clock.step_to(at(60));
    bench.db().append(&[row(1, 60, 1.0)]).expect("append");
    bench.db().maintain(at(60)).expect("maintain");
    assert_eq!(read(bench.db(), &[], TimeRange::ALL)[&labels(1)].len(), 3);
}

#[test]
fn a_wrong_date_at_the_start_costs_no_data() {
    let mut bench = Bench::new(1);
    bench.options.retention_ms = Some(10 * 86_400_000);
    bench.restart();
    bench.db().append(&[row(1, 0, 1.0)]).expect("append");
    bench.db().flush().expect("flush");
    let year = 365 * 86_400;
    bench.clock.step_to(at(year));
    bench.restart();
    let appended = bench.db().append(&[row(1, year, 1.0)]).expect("append");
    assert_eq!(appended.accepted, 1, "scraped under the wrong date");
    bench.db().maintain(at(year)).expect("maintain");
    bench.clock.step_to(at(60));
    bench.db().append(&[row(1, 60, 1.0)]).expect("append");
    bench.db().maintain(at(60)).expect("maintain");
    assert_eq!(read(bench.db(), &[], TimeRange::ALL)[&labels(1)].len(), 3);
}

#[test]
fn a_full_disk_recovers_without_a_restart() {
    let bench = Bench::new(1);
    bench.db().append(&[row(1, 0, 1.0)]).expect("append");
    bench.disk.set_space(bench.disk.used_bytes() + 10);
    assert!(bench.db().append(&[row(2, 0, 1.0)]).is_err());
    assert!(bench.db().flush().is_err(), "no block fits either");
    bench.db().maintain(at(0)).expect("still full, not worse");
    assert!(bench.db().append(&[row(2, 0, 1.0)]).is_err());
    bench.disk.set_space(1 << 20);
    bench.db().maintain(at(0)).expect("maintain");
    bench
        .db()
        .append(&[row(2, 0, 1.0)])
        .expect("takes samples again");
    assert_eq!(read(bench.db(), &[], TimeRange::ALL).len(), 2);
}

#[test]
fn maintenance_threads_end_with_the_shutdown() {
    let bench = Bench::new(1);
    let options = Options {
        folder: "/other".into(),
        ..bench.options.clone()
    };
    let db = Arc::new(Db::open(options).expect("opens"));
    let shutdown = runtime::Shutdown::new();
    let maintenance = db.spawn_maintenance(&shutdown).expect("threads");
    shutdown.trigger();
    maintenance.join();
    assert_eq!(Arc::strong_count(&db), 1);
    db.close().expect("closes");
}

#[test]
fn a_read_only_disk_refuses_writes_and_serves_reads() {
    let bench = Bench::new(1);
    bench.db().append(&[row(1, 0, 1.0)]).expect("append");
    bench.disk.set_read_only(true);
    let error = bench
        .db()
        .append(&[row(2, 0, 1.0)])
        .expect_err("read-only")
        .to_string();
    assert!(
        error.contains("/data/wal/00000001.wal: read-only filesystem"),
        "{error}"
    );
    assert!(bench.db().delete(&[], TimeRange::ALL).is_err());
    assert!(bench.db().flush().is_err());
    assert_eq!(read(bench.db(), &[], TimeRange::ALL).len(), 1);
    bench.disk.set_read_only(false);
    bench.db().maintain(at(0)).expect("maintain");
    assert_eq!(bench.db().read_only_reason(), None);
    bench
        .db()
        .append(&[row(2, 0, 1.0)])
        .expect("takes samples again");
    assert_eq!(read(bench.db(), &[], TimeRange::ALL).len(), 2);
}

#[test]
fn a_log_damaged_in_the_middle_serves_the_rest() {
    let mut bench = Bench::new(1);
    let folder = Path::new("/data/wal");
    for seconds in 0..3 {
        bench.db().append(&[row(1, seconds, 1.0)]).expect("append");
    }
    let position = bench.db().wal.rotate().expect("rotate");
    assert_eq!(position.segment, 2);
    bench.db().append(&[row(1, 3, 1.0)]).expect("append");
    // The first record holds the definition of the series and is longer than the others.
    let length = storage::files::read_whole(&bench.disk, &folder.join("00000001.wal"))
        .expect("read")
        .len();
    bench
        .disk
        .flip_byte(&folder.join("00000001.wal"), length - 40)
        .expect("flip");
    bench.restart();
    let times = |bench: &Bench| {
        let found = read(bench.db(), &[Matcher::equal("id", "1")], TimeRange::ALL);
        let seconds = found[&labels(1)]
            .iter()
            .map(|(millis, _)| (millis - at(0).millis()) / 1000);
        seconds.collect::<Vec<_>>()
    };
    assert_eq!(
        times(&bench),
        [0, 3],
        "the next segment does not need the damaged one"
    );
    let names = bench.disk.list(folder).expect("list");
    assert_eq!(
        names,
        ["00000001.wal", "00000001.wal.quarantined", "00000002.wal"]
    );
    bench.db().append(&[row(1, 4, 1.0)]).expect("goes on");
    bench.restart();
    assert_eq!(times(&bench), [0, 3, 4]);
}
