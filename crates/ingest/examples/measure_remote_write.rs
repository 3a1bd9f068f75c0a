//! Measures remote write without HTTP: body in, samples in the log and the head, then blocks.
//! `cargo run --release -p ingest --example measure_remote_write [SERIES [SAMPLES]]` sends 20,000 series × 240
//! samples, a sample of 5,000 series in each body; `cargo test` does a tiny run.

use ingest::{Ingest, remote_write};
use model::{ReadBudget, Source as _, TimeRange};
use prost::Message;
use runtime::{Random, Registry};
use std::path::Path;
use std::sync::Arc;
use tsdb::{Db, Options};

const START_MS: i64 = 1_700_006_400_000;
const STEP_MS: i64 = 15_000;
const SERIES_PER_BODY: usize = 5_000;

/// `prometheus.WriteRequest` by the specification.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]
fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|word| word.parse().expect("a number"));
    let series = numbers.next().unwrap_or(20_000);
    let samples = numbers.next().unwrap_or(240);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, number) in measure(series, samples, folder.path()) {
        println!("{name:<52}{number:>12.3}");
    }
}

fn measure(series: usize, samples: usize, folder: &Path) -> Vec<(&'static str, f64)> {
    let options = Options {
        retention_ms: None,
        future_window_ms: None,
        ..Options::new(folder)
    };
    let db = Arc::new(Db::open(options).expect("opens"));
    let door = Ingest::to_db(
        Arc::clone(&db),
        remote_write::Limits::default(),
        &Registry::new(),
    );
    let mut random = Random::from_seed(1);
    let mut requests: Vec<WriteRequest> = (0..series)
        .step_by(SERIES_PER_BODY)
        .map(|from| WriteRequest {
            timeseries: (from..series.min(from + SERIES_PER_BODY))
                .map(row)
                .collect(),
        })
        .collect();
    let mut levels: Vec<f64> = (0..series).map(|_| 100.0).collect();
    let resident_before = resident_mb();
    let mut taken = 0.0;
    let mut longest: f64 = 0.0;
    for sample in 0..samples {
        let at = START_MS + STEP_MS * i64::try_from(sample).unwrap_or_default();
        for (request, levels) in requests.iter_mut().zip(levels.chunks_mut(SERIES_PER_BODY)) {
            let body = body(request, levels, at, &mut random);
            let before = processor_seconds();
            door.remote_write(&body).expect("takes it");
            let step = processor_seconds() - before;
            taken += step;
            longest = longest.max(step);
        }
    }
    drop((requests, levels));
    let count = model::number::usize_to_float(series * samples);
    let mut numbers = vec![
        ("samples", count),
        ("write, ns of processor time a sample", taken * 1e9 / count),
        ("longest write, ms", longest * 1e3),
        ("resident before, MB", resident_before),
        ("resident with everything in the head, MB", resident_mb()),
    ];
    let before = processor_seconds();
    db.flush().expect("flushes");
    db.maintain(model::Timestamp::from_millis(START_MS))
        .expect("maintains");
    let flush = processor_seconds() - before;
    numbers.push(("blocks, ns of processor time a sample", flush * 1e9 / count));
    numbers.push(("resident after the flush, MB", resident_mb()));
    let stats = db.stats(1);
    let bytes = |bytes: u64| model::number::u64_to_float(bytes) / count;
    numbers.push(("blocks, bytes a sample", bytes(stats.block_bytes)));
    let budget = ReadBudget::new(usize::MAX);
    let all = db.select(&[], TimeRange::ALL, &budget).expect("reads");
    let read: usize = all.iter().map(|series| series.columns.len()).sum();
    assert_eq!(read, series * samples, "everything is there");
    numbers
}

fn row(i: usize) -> TimeSeries {
    let (host, metric) = (i / 100, i % 100);
    let name = match i % 3 {
        0 => format!("requests_{}_total", metric % 10),
        1 => format!("temperature_{}_celsius", metric % 10),
        _ => format!("load_{}_ratio", metric % 10),
    };
    let job = if host.is_multiple_of(2) { "web" } else { "db" };
    let pairs = [
        ("__name__", name),
        ("core", (metric / 10).to_string()),
        ("instance", format!("host-{host}:9100")),
        ("job", job.to_owned()),
    ];
    let label = |(name, value): (&str, String)| Label {
        name: name.to_owned(),
        value,
    };
    TimeSeries {
        labels: pairs.into_iter().map(label).collect(),
        samples: vec![Sample::default()],
    }
}

fn body(request: &mut WriteRequest, levels: &mut [f64], at: i64, random: &mut Random) -> Vec<u8> {
    let mut below = |bound: u64| model::number::u64_to_float(random.below(bound));
    for (i, (row, level)) in request.timeseries.iter_mut().zip(levels).enumerate() {
        *level = match i % 3 {
            0 => *level + below(1000),
            1 => ((*level * 100.0).round() + below(100) - 50.0) / 100.0,
            _ => below(100_000) / 1000.0,
        };
        row.samples[0] = Sample {
            value: *level,
            timestamp: at,
        };
    }
    let mut encoder = snap::raw::Encoder::new();
    let packed = encoder.compress_vec(&request.encode_to_vec());
    packed.expect("a body is small enough")
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
    fn a_tiny_run_keeps_everything() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let numbers = super::measure(500, 40, folder.path());
        assert!(numbers.iter().all(|(_, number)| *number >= 0.0));
    }
}
