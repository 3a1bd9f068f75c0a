//! Measures what a million series cost: appending, the longest append while the head is cut, and opening again
//! after a clean stop and after a kill. `cargo run --release -p tsdb --example restart [SERIES [SAMPLES]]`;
//! `cargo test` does a tiny run.

use model::{Labels, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tsdb::{Db, Options, SeriesHandle};

const START_MS: i64 = 1_700_006_400_000;
const STEP_MS: i64 = 15_000;
const SERIES_PER_BATCH: usize = 1_000;

#[expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]
fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|word| word.parse().expect("a number"));
    let series = numbers.next().unwrap_or(1_000_000);
    let samples = numbers.next().unwrap_or(20);
    let folder = tempfile::tempdir().expect("a temporary folder");
    measure(series, samples, folder.path(), |name, number| {
        println!("{name:<48}{number:>12.3}");
    });
}

fn options(folder: &Path) -> Options {
    Options {
        retention_ms: None,
        future_window_ms: None,
        ..Options::new(folder)
    }
}

fn measure(series: usize, samples: usize, folder: &Path, mut say: impl FnMut(&str, f64)) {
    let clock = runtime::SystemClock::shared();
    let since = |from: Duration| (clock.monotonic() - from).as_secs_f64();
    let now = Timestamp::from_millis(START_MS);
    let db = Arc::new(Db::open(options(folder)).expect("opens"));
    let begin = clock.monotonic();
    let handles: Vec<SeriesHandle> = (0..series)
        .map(|i| db.series_handle(&labels(i)).expect("below the limit"))
        .collect();
    say("make the series, s", since(begin));
    let begin = clock.monotonic();
    let mut longest = 0.0_f64;
    for step in 0..samples {
        longest = longest.max(append(&db, &handles, step));
        db.maintain(now).expect("maintains");
    }
    say("append, s", since(begin));
    say("longest append, ms", longest * 1e3);
    say("resident, MB", resident_mb());
    drop(handles);
    // As after a kill: nothing is written at the end.
    drop(db);
    say("log, MB", folder_mb(&folder.join("wal")));
    say("all files, MB", folder_mb(folder));
    for name in ["open after a kill, s", "open after a clean stop, s"] {
        let (begin, busy) = (clock.monotonic(), processor_seconds());
        let db = Db::open(options(folder)).expect("opens again");
        say(name, since(begin));
        say(
            "  of all threads' processor time, s",
            processor_seconds() - busy,
        );
        let stats = db.stats(1);
        assert_eq!((stats.series, stats.samples), (series, series * samples));
        let begin = clock.monotonic();
        db.close().expect("closes");
        say("close, s", since(begin));
    }
    say("resident after opening, MB", resident_mb());
    let db = Arc::new(Db::open(options(folder)).expect("opens again"));
    say(
        "longest append during a cut, ms",
        append_during_cut(&db, series, samples) * 1e3,
    );
    say("resident after the cut, MB", resident_mb());
}

/// Appends one more sample of each series; answers the seconds that the longest batch took.
fn append(db: &Db, handles: &[SeriesHandle], step: usize) -> f64 {
    let clock = runtime::SystemClock::shared();
    let at = START_MS + STEP_MS * i64::try_from(step).unwrap_or_default();
    let mut longest = 0.0_f64;
    for (i, handles) in handles.chunks(SERIES_PER_BATCH).enumerate() {
        let begin = clock.monotonic();
        let mut batch = db.batch();
        for (j, handle) in handles.iter().enumerate() {
            let value = model::number::usize_to_float((i * 7 + j * 13 + step * 31) % 1000) / 10.0;
            batch.push(handle, Timestamp::from_millis(at), value);
        }
        batch.commit().expect("takes samples");
        longest = longest.max((clock.monotonic() - begin).as_secs_f64());
    }
    longest
}

/// Writes everything to blocks while samples go on coming; answers the longest append.
fn append_during_cut(db: &Arc<Db>, series: usize, samples: usize) -> f64 {
    let handles: Vec<SeriesHandle> = (0..series)
        .filter_map(|i| db.series_handle(&labels(i)))
        .collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            db.flush().expect("flushes");
            done.store(true, Ordering::Relaxed);
        });
        let mut longest = 0.0_f64;
        let mut step = samples;
        while !done.load(Ordering::Relaxed) {
            longest = longest.max(append(db, &handles, step));
            step += 1;
        }
        longest
    })
}

fn labels(i: usize) -> Labels {
    let (host, metric) = (i / 100, i % 100);
    Labels::from_pairs([
        ("__name__", format!("metric_{metric}_total").as_str()),
        ("instance", &format!("host-{host:05}.example.org:9100")),
        ("job", "node"),
        ("device", &format!("dev{}", i % 4)),
        ("datacenter", &format!("dc-{}", host % 3)),
    ])
}

fn folder_mb(folder: &Path) -> f64 {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            bytes += model::number::float_to_u64(folder_mb(&path) * 1e6);
        } else {
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    model::number::u64_to_float(bytes) / 1e6
}

/// Seconds that all threads of this process spent on a processor, in hundredths; 0 where the system does not say.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in brackets, may hold spaces.
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|number| number.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// Resident memory of this process in MB; 0 where the system does not say.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_tiny_run_finds_everything_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        super::measure(3000, 30, folder.path(), |_, number| assert!(number >= 0.0));
    }
}
