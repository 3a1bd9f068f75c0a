//! Measures the store itself: CPU per sample on the way in, bytes a sample on disk, memory, and reading
//! everything back. `cargo run --release -p tsdb --example measure` does 20,000 series of 240 samples;
//! `cargo test` does a tiny run and checks that head and blocks give the same answers.
//!
//! Four kinds of data: `noisy`, hundredths around a level with 0.98 bytes of entropy a sample; `host`, constants, counters
//! and slow gauges; `fleet`, a third counters, a third gauges that walk by hundredths, a third noise, 1.25 bytes of
//! entropy; `node`, the proportions of a host exporter, scraped with some milliseconds of jitter.

use model::{Labels, Matcher, ReadBudget, Source as _, TimeRange, Timestamp};
use runtime::Random;
use std::path::Path;
use tsdb::{Db, Options};

const START_MS: i64 = 1_700_006_400_000;
const STEP_MS: i64 = 15_000;
const SERIES_PER_HOST: usize = 100;

/// How much is written.
#[derive(Clone, Copy)]
struct Size {
    hosts: usize,
    samples: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Noisy,
    Host,
    Fleet,
    Node,
}

/// What was measured: names and numbers, and the hash of what was read back.
struct Report {
    numbers: Vec<(&'static str, f64)>,
    hash: u64,
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]
fn main() {
    let size = Size {
        hosts: 200,
        samples: 240,
    };
    for kind in [Kind::Noisy, Kind::Host, Kind::Fleet, Kind::Node] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let report = measure(kind, size, folder.path());
        println!("{kind:?}, result {:016x}", report.hash);
        for (name, number) in report.numbers {
            println!("  {name:<44}{number:>12.3}");
        }
    }
}

fn options(folder: &Path) -> Options {
    Options {
        retention_ms: None,
        future_window_ms: None,
        ..Options::new(folder)
    }
}

fn measure(kind: Kind, size: Size, folder: &Path) -> Report {
    let seconds = processor_seconds;
    let db = Db::open(options(folder)).expect("opens");
    let samples = model::number::usize_to_float(size.hosts * SERIES_PER_HOST * size.samples);
    let per_sample = |seconds: f64| seconds * 1e9 / samples;
    let bytes = |bytes: u64| model::number::u64_to_float(bytes) / samples;
    let mut numbers = vec![("samples", samples)];
    let append = append_all(&db, kind, size);
    numbers.push(("append, ns of processor time a sample", per_sample(append)));
    db.sync().expect("syncs");
    numbers.push(("resident with everything in the head, MB", resident_mb()));
    numbers.push((
        "write-ahead log, bytes a sample",
        bytes(db.stats(1).wal_bytes),
    ));
    let before = seconds();
    let hash = read_all(&db);
    numbers.push((
        "read from the head, ns a sample",
        per_sample(seconds() - before),
    ));
    measure_selections(&db, &mut numbers);
    drop(db);
    let before = seconds();
    let db = Db::open(options(folder)).expect("opens again");
    numbers.push(("replay, s", seconds() - before));
    let before = seconds();
    db.flush().expect("flushes");
    numbers.push(("write blocks, ns a sample", per_sample(seconds() - before)));
    numbers.push(("blocks, bytes a sample", bytes(db.stats(1).block_bytes)));
    numbers.push(("of these the index", bytes(index_bytes(folder))));
    let clock = runtime::SystemClock::shared();
    let before = clock.monotonic();
    assert_eq!(find_one(&db), 1, "one series of one host");
    numbers.push((
        "first query after that, µs",
        (clock.monotonic() - before).as_secs_f64() * 1e6,
    ));
    let before = seconds();
    assert_eq!(read_all(&db), hash, "blocks give what the head gave");
    numbers.push((
        "read from blocks, ns a sample",
        per_sample(seconds() - before),
    ));
    measure_selections(&db, &mut numbers);
    measure_waits(&db, size, &mut numbers);
    Report { numbers, hash }
}

/// Fills the head again and writes it to a block while one batch of a host after the other comes in. How long the
/// longest of them took; and, as the machine has its own pauses, the same while nothing else is done.
fn measure_waits(db: &Db, size: Size, numbers: &mut Vec<(&'static str, f64)>) {
    let clock = runtime::SystemClock::shared();
    let mut random = Random::from_seed(2);
    let names: Vec<String> = (0..size.hosts * SERIES_PER_HOST)
        .map(|i| {
            series(
                Kind::Fleet,
                i / SERIES_PER_HOST,
                i % SERIES_PER_HOST,
                &mut random,
            )
            .0
        })
        .collect();
    let append = |names: &[String], step: i64| {
        let mut batch = db.batch();
        for name in names {
            let at = Timestamp::from_millis(START_MS + (1_000_000 + step) * STEP_MS);
            batch.push_encoded(name, at, 0.5);
        }
        batch.commit().expect("takes samples");
    };
    for step in 0..i64::try_from(size.samples / 4).unwrap_or_default() {
        append(&names, step);
    }
    let mut longest_while = |what: &'static str, work: &(dyn Fn() + Sync), first: i64| {
        let mut longest = std::time::Duration::ZERO;
        std::thread::scope(|threads| {
            let working = threads.spawn(work);
            let mut step = first;
            while !working.is_finished() {
                for host in names.chunks(SERIES_PER_HOST) {
                    let before = clock.monotonic();
                    append(host, step);
                    longest = longest.max(clock.monotonic() - before);
                }
                step += 1;
            }
        });
        numbers.push((what, longest.as_secs_f64() * 1e3));
    };
    let before = clock.monotonic();
    let cut = || db.flush().expect("flushes");
    longest_while("longest batch while a block is cut, ms", &cut, 1_000);
    let took = clock.monotonic() - before;
    let wait = || std::thread::sleep(took);
    longest_while("longest batch for as long without, ms", &wait, 10_000);
}

/// Bytes of the index pages of all blocks, as their footers say.
fn index_bytes(folder: &Path) -> u64 {
    let names = std::fs::read_dir(folder.join("blocks")).expect("the folder");
    let blocks = names.filter_map(|entry| {
        let path = entry.expect("an entry").path();
        (path.extension()? == "block").then(|| std::fs::read(path).expect("a block"))
    });
    let index = blocks.filter_map(|block| {
        let footer = block.get(block.len() - 28..)?;
        let length = footer.get(8..16)?.try_into().ok()?;
        Some(u64::from_le_bytes(length))
    });
    index.sum()
}

/// What a query costs that needs little of what is there.
fn measure_selections(db: &Db, numbers: &mut Vec<(&'static str, f64)>) {
    let host = Matcher::equal("instance", "host-007.example.org:9100");
    let name = Matcher::equal("__name__", "app_metric_5");
    let of_host = [name.clone(), host.clone()];
    numbers.push(("one metric of one host, µs", average_us(db, &of_host, 200)));
    numbers.push(("one host, µs", average_us(db, &[host], 50)));
    numbers.push(("one metric, µs", average_us(db, &[name], 50)));
}

/// Series that one metric of one host has.
fn find_one(db: &Db) -> usize {
    let host = Matcher::equal("instance", "host-001.example.org:9100");
    let name = Matcher::equal("__name__", "app_metric_5");
    let device = Matcher::equal("device", "dev2");
    let budget = ReadBudget::new(usize::MAX);
    let found = db.select(&[host, name, device], TimeRange::ALL, &budget);
    found.expect("reads").len()
}

/// Microseconds of this thread for a read, on the average of several.
fn average_us(db: &Db, matchers: &[Matcher], repeats: u32) -> f64 {
    let budget = ReadBudget::new(usize::MAX);
    let before = processor_seconds();
    for _ in 0..repeats {
        let found = db.select(matchers, TimeRange::ALL, &budget).expect("reads");
        assert!(!found.is_empty(), "{matchers:?} finds something");
    }
    (processor_seconds() - before) * 1e6 / f64::from(repeats)
}

/// Writes scrape by scrape, each series found by its encoded labels as remote write does; answers the
/// seconds of processor time that the store took, without those for making the data.
fn append_all(db: &Db, kind: Kind, size: Size) -> f64 {
    let mut random = Random::from_seed(1);
    let mut hosts: Vec<Vec<(String, Walk)>> = (0..size.hosts)
        .map(|host| {
            let all = 0..SERIES_PER_HOST;
            all.map(|i| series(kind, host, i, &mut random)).collect()
        })
        .collect();
    let mut taken = 0.0;
    for step in 0..size.samples {
        let step = i64::try_from(step).unwrap_or_default();
        let mut scrapes = Vec::new();
        for host in &mut hosts {
            let jitter = i64::try_from(random.below(20)).unwrap_or_default();
            let at = Timestamp::from_millis(START_MS + step * STEP_MS + jitter);
            let walks = host.iter_mut().map(|(_, walk)| walk.next(&mut random));
            scrapes.push((at, walks.collect::<Vec<f64>>()));
        }
        let before = processor_seconds();
        for (host, (at, values)) in hosts.iter().zip(scrapes) {
            let mut batch = db.batch();
            for ((encoded, _), value) in host.iter().zip(values) {
                assert!(batch.push_encoded(encoded, at, value), "below the limit");
            }
            batch.commit().expect("takes samples");
        }
        taken += processor_seconds() - before;
    }
    taken
}

/// Seconds that this thread spent on a processor; 0 where the system does not say.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split_whitespace()
        .next()
        .and_then(|n| n.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}

/// A series that moves.
struct Walk {
    value: i64,
    step: Step,
    divisor: f64,
}

enum Step {
    Never,
    Uniform(u64),
    Counter(u64),
    Seldom(u64),
    Around(u64),
    Anything(u64),
}

impl Walk {
    fn next(&mut self, random: &mut Random) -> f64 {
        let below =
            |random: &mut Random, bound| i64::try_from(random.below(bound)).unwrap_or_default();
        match self.step {
            Step::Never => {}
            // Around a level: 2.3 times 100 values have 1.2 bytes of entropy between two samples.
            Step::Uniform(bound) => {
                return model::number::i64_to_float(self.value + below(random, bound))
                    / self.divisor;
            }
            Step::Around(bound) => {
                self.value += below(random, bound) - i64::try_from(bound / 2).unwrap_or_default();
            }
            Step::Anything(bound) => self.value = below(random, bound),
            Step::Counter(bound) => self.value += below(random, bound),
            Step::Seldom(bound) => {
                if random.below(20) == 0 {
                    self.value += below(random, bound);
                }
            }
        }
        model::number::i64_to_float(self.value) / self.divisor
    }
}

fn series(kind: Kind, host: usize, i: usize, random: &mut Random) -> (String, Walk) {
    let name = format!(
        "{}_metric_{}",
        if i.is_multiple_of(3) { "node" } else { "app" },
        i / 4
    );
    let labels = Labels::from_pairs([
        ("__name__", name.as_str()),
        ("instance", &format!("host-{host:03}.example.org:9100")),
        ("job", "node"),
        ("device", &format!("dev{}", i % 4)),
        ("datacenter", &format!("dc-{}", host % 3)),
    ]);
    let value = i64::try_from(random.below(1_000_000)).unwrap_or_default();
    let (step, divisor) = match (kind, i % 10) {
        (Kind::Noisy, _) => (Step::Uniform(230), 100.0),
        (Kind::Fleet, _) => match i % 3 {
            0 => (Step::Counter(1000), 1.0),
            1 => (Step::Around(101), 100.0),
            _ => (Step::Anything(10_001), 100.0),
        },
        (Kind::Node, _) => match i {
            0..=1 => (Step::Counter(2800), 100.0),
            2..=5 => (Step::Counter(80), 100.0),
            6..=11 => (Step::Seldom(20), 1.0),
            12..=13 => (Step::Around(500), 1.0),
            14 => (Step::Around(101), 100.0),
            15..=17 => (Step::Counter(200_000), 1.0),
            _ => (Step::Never, 1.0),
        },
        (Kind::Host, 0..=4) => (Step::Never, 1.0),
        (Kind::Host, 5 | 6) => (Step::Seldom(1000), 1.0),
        (Kind::Host, 7 | 8) => (Step::Seldom(100), 100.0),
        (Kind::Host, _) => (Step::Counter(50), 100.0),
    };
    let walk = Walk {
        value,
        step,
        divisor,
    };
    (labels.encoded().to_owned(), walk)
}

/// Reads everything and answers a hash of it.
fn read_all(db: &Db) -> u64 {
    let budget = ReadBudget::new(usize::MAX);
    let matchers = [Matcher::equal("job", "node")];
    let series = db
        .select(&matchers, TimeRange::ALL, &budget)
        .expect("reads");
    let mut hash = 0_u64;
    let mut mix = |word: u64| {
        hash = (hash ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    };
    for series in series {
        mix(series.labels.fingerprint());
        let columns = series.columns;
        for (at, value) in columns.timestamps.iter().zip(columns.values.iter()) {
            mix(at.cast_unsigned());
            mix(value.to_bits());
        }
    }
    hash
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
    use super::{Kind, Size, measure};

    #[test]
    fn a_tiny_run_reads_back_what_it_wrote() {
        for kind in [Kind::Noisy, Kind::Host, Kind::Fleet, Kind::Node] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let size = Size {
                hosts: 8,
                samples: 40,
            };
            let report = measure(kind, size, folder.path());
            assert!(report.hash != 0 && report.numbers.len() > 5);
        }
    }
}
