//! A disk that takes nothing more: writes are refused and say why, reading goes on, and space makes all well again.

use crate::place::{Place, text};
use crate::program::{Program, Start, run, run_command};
use crate::waiting::{now_ms, until};
use crate::writer::{TimeSeries, body, series};
use std::process::Command;

const KIND: &str = "application/x-protobuf";

/// A file system of a few megabytes; unmounted when it is dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount(place: &Place) -> Option<Self> {
        let path = place.data();
        std::fs::create_dir_all(&path).expect("a folder");
        let mounted = run_command(Command::new("mount").args([
            "-t",
            "tmpfs",
            "-o",
            "size=12m",
            "binnacle-test",
            text(&path),
        ]));
        (mounted.status == 0).then_some(Self(path))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run_command(Command::new("umount").args(["-l", text(&self.0)]));
    }
}

/// Series with values that do not compress.
fn batch(number: usize, now: i64) -> Vec<TimeSeries> {
    let name = format!("batch_{number}");
    let one = |n: usize| {
        let padding = format!("{n:0500}");
        series(&[("__name__", &name), ("n", &padding)], &[(now, 1.0)])
    };
    (0..1000).map(one).collect()
}

#[test]
fn a_full_disk_refuses_writes_and_serves_reads() {
    let place = Place::new();
    let Some(_disk) = SmallDisk::mount(&place) else {
        println!("skipped: mounting a small file system is not allowed here");
        return;
    };
    let program = Program::start_as(&place, &Start::default());
    let now = now_ms();
    let write = |number: usize| program.post("/api/v1/write", KIND, &body(batch(number, now)));
    assert_eq!(write(0).status(), 204);
    let refused = (1..100)
        .map(write)
        .find(|answer| answer.status() != 204)
        .expect("12 MB are full some time");
    assert!(
        refused.status() >= 500,
        "a sender must try again: {}",
        refused.status()
    );
    assert!(
        refused.text().contains("No space left"),
        "{}",
        refused.text()
    );
    assert_eq!(program.query("count(batch_0)")[0].1, "1000");
    assert_eq!(program.get("/-/healthy", &[]).status(), 200);
    until("the store to say so", || {
        // What it could not write is cut off again, which makes room for a while.
        write(100);
        let status = program.json("/api/binnacle/v1/status", &[]);
        if status["storeProblem"].is_string() {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
    // It tries again by itself every few seconds, and is well until the next write.
    until("doctor to say so", || {
        write(100);
        let doctor = run(&["doctor", &program.url()]);
        let says_so = doctor.status == 1 && doctor.out.contains("FAIL  store takes writes");
        says_so.then_some(()).ok_or_else(|| format!("{doctor:?}"))
    });
    until("the metric to say so", || {
        write(100);
        let metrics = program.get("/metrics", &[]).text();
        let says_so = metrics
            .lines()
            .any(|line| line == "binnacle_tsdb_read_only 1");
        says_so
            .then_some(())
            .ok_or_else(|| "another value".to_owned())
    });
    // More space: it takes samples again by itself.
    let grown =
        run_command(Command::new("mount").args(["-o", "remount,size=64m", text(&place.data())]));
    assert_eq!(grown.status, 0, "{grown:?}");
    until("writes to be taken again", || {
        let answer = write(200);
        if answer.status() == 204 {
            Ok(())
        } else {
            Err(answer.text())
        }
    });
    assert_eq!(program.query("count(batch_200)")[0].1, "1000");
    program.kill();
    let program = Program::start_as(&place, &Start::default());
    assert_eq!(program.query("count(batch_0)")[0].1, "1000");
    assert_eq!(program.query("count(batch_200)")[0].1, "1000");
}

#[test]
fn a_limit_on_file_sizes_refuses_writes_and_serves_reads() {
    let place = Place::new();
    // In blocks of 512 bytes: files end at one megabyte. The signal for it would kill the process.
    let limits = Some("trap '' XFSZ; ulimit -f 2000".to_owned());
    let program = Program::start_as(
        &place,
        &Start {
            limits,
            ..Start::default()
        },
    );
    let now = now_ms();
    let write = |number: usize| program.post("/api/v1/write", KIND, &body(batch(number, now)));
    assert_eq!(write(0).status(), 204);
    let refused = (1..50)
        .map(write)
        .find(|answer| answer.status() != 204)
        .expect("a megabyte is full some time");
    assert!(
        refused.status() >= 500,
        "a sender must try again: {}",
        refused.status()
    );
    assert!(
        refused.text().contains("File too large"),
        "{}",
        refused.text()
    );
    assert_eq!(program.query("count(batch_0)")[0].1, "1000");
    // A new segment of the log has room again, which the store finds by itself.
    until("writes to be taken again", || {
        let answer = write(200);
        if answer.status() == 204 {
            Ok(())
        } else {
            Err(answer.text())
        }
    });
}
