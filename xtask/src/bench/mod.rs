//! Benchmarks of whole programs: ours and the peers that are installed, in one run on the same data.
//!
//! CPU and disk are read after the server was idle for 20 s; each query is asked several times with the
//! result cache bypassed, and the median counts. These machines are noisy: look at ratios.

mod idle;
mod plot;
mod queries;
mod rules;
mod scale;
mod storm;
mod workload;

use crate::process;
use crate::server::{self, Kind, Server};
use anyhow::bail;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use workload::{DataSet, Workload};

pub(crate) use idle::idle;
pub(crate) use rules::rules;
pub(crate) use scale::scale;
pub(crate) use storm::storm;

const SERIES: usize = 20_000;
const SAMPLES_PER_SERIES: usize = 240;
const STEP_MS: i64 = 15_000;
const IDLE: Duration = Duration::from_secs(20);

struct Outcome {
    kind: Kind,
    seconds: f64,
    cpu_seconds: f64,
    resident_bytes: u64,
    resident_bytes_peak: u64,
    disk_bytes: u64,
    /// Median milliseconds of each query, in the order of the list.
    query_ms: Vec<f64>,
    /// Series in each query's answer.
    query_series: Vec<usize>,
}

/// Pushes 20,000 series × 240 samples of each data set (or the named ones) to each program and prints a
/// table for each.
pub(crate) fn metrics(words: &[&str]) -> anyhow::Result<()> {
    let named = |set: &DataSet| words.is_empty() || words.contains(&set.name());
    if let Some(unknown) = words
        .iter()
        .find(|word| DataSet::ALL.iter().all(|set| set.name() != **word))
    {
        bail!("no data set {unknown:?}: fleet, node or churn");
    }
    crate::page::ensure_program()?;
    let client = server::client();
    for set in DataSet::ALL.into_iter().filter(named) {
        let folder = tempfile::tempdir()?;
        let end_ms = now_ms()? / STEP_MS * STEP_MS;
        let bodies = bodies(set, end_ms)?;
        let mut outcomes = Vec::new();
        for kind in Kind::installed() {
            println!("{}, {} …", set.name(), kind.name());
            let data = folder.path().join(kind.name());
            outcomes.push(measure(kind, &data, &client, (set, &bodies, end_ms))?);
        }
        println!("\n### {}\n\n{}", set.name(), table(set, &outcomes));
    }
    Ok(())
}

/// All request bodies of a data set, in the order of time; the last sample is at `end_ms`.
fn bodies(set: DataSet, end_ms: i64) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut workload = Workload::new(set, SERIES);
    let mut bodies = Vec::new();
    for sample in 0..SAMPLES_PER_SERIES {
        let back = i64::try_from(SAMPLES_PER_SERIES - 1 - sample)?;
        bodies.extend(workload.step(end_ms - back * STEP_MS)?);
    }
    Ok(bodies)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now_ms() -> anyhow::Result<i64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_millis())?)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn start_watch() -> Instant {
    Instant::now()
}

fn measure(
    kind: Kind,
    data: &Path,
    client: &ureq::Agent,
    (set, bodies, end_ms): (DataSet, &[Vec<u8>], i64),
) -> anyhow::Result<Outcome> {
    std::fs::create_dir_all(data)?;
    let server = Server::start(kind, data, None)?;
    server.ready(client)?;
    let before = server.usage()?;
    let watch = start_watch();
    for body in bodies {
        push(&server, client, body)?;
    }
    let seconds = watch.elapsed().as_secs_f64();
    std::thread::sleep(IDLE);
    let after = server.usage()?;
    let disk_bytes = process::folder_bytes(data);
    let (query_ms, query_series) = queries::measure(&server, client, (set, end_ms))?;
    Ok(Outcome {
        kind,
        seconds,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        resident_bytes: after.resident_bytes,
        resident_bytes_peak: after.resident_bytes_peak,
        disk_bytes,
        query_ms,
        query_series,
    })
}

fn push(server: &Server, client: &ureq::Agent, body: &[u8]) -> anyhow::Result<()> {
    let (status, said) = server::write(client, &server.write_url(), body)?;
    if !(200..300).contains(&status) {
        bail!(
            "{}: remote write answers {status}: {said}",
            server.kind.name()
        );
    }
    Ok(())
}

/// A row's name and what stands in the column of a program.
type Row<'a> = (String, Box<dyn Fn(&Outcome) -> String + 'a>);

fn table(set: DataSet, outcomes: &[Outcome]) -> String {
    let samples = float(SERIES * SAMPLES_PER_SERIES);
    let mebibytes = |bytes: u64| {
        format!(
            "{:.0}",
            float(usize::try_from(bytes).unwrap_or(usize::MAX)) / 1_048_576.0
        )
    };
    let mut rows: Vec<Row<'_>> = vec![
        (
            "CPU, s".to_owned(),
            Box::new(|o| format!("{:.2}", o.cpu_seconds)),
        ),
        (
            "CPU, µs a sample".to_owned(),
            Box::new(|o| format!("{:.2}", o.cpu_seconds * 1e6 / samples)),
        ),
        (
            "samples/s".to_owned(),
            Box::new(|o| format!("{:.0}", samples / o.seconds)),
        ),
        (
            "memory after 20 s idle, MiB".to_owned(),
            Box::new(|o| mebibytes(o.resident_bytes)),
        ),
        (
            "peak memory, MiB".to_owned(),
            Box::new(|o| mebibytes(o.resident_bytes_peak)),
        ),
        (
            "disk, bytes a sample".to_owned(),
            Box::new(|o| {
                format!(
                    "{:.2}",
                    float(usize::try_from(o.disk_bytes).unwrap_or(usize::MAX)) / samples
                )
            }),
        ),
    ];
    for (index, query) in queries::of(set).into_iter().enumerate() {
        rows.push((
            format!("`{query}`, ms"),
            Box::new(move |o| {
                let ms = o.query_ms.get(index).copied().unwrap_or(f64::NAN);
                let series = o.query_series.get(index).copied().unwrap_or(0);
                format!("{ms:.1} ({series})")
            }),
        ));
    }
    rows.push((
        "all queries, ms".to_owned(),
        Box::new(|o| format!("{:.0}", o.query_ms.iter().sum::<f64>())),
    ));
    render(outcomes, &rows)
}

fn render(outcomes: &[Outcome], rows: &[Row<'_>]) -> String {
    let mut text = String::from("| what |");
    // Writing to a String cannot fail.
    for outcome in outcomes {
        let _infallible = write!(text, " {} |", outcome.kind.name());
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(outcomes.len()));
    for (name, cell) in rows {
        let _infallible = write!(text, "\n| {} |", name.replace('|', "\\|"));
        for outcome in outcomes {
            let _infallible = write!(text, " {} |", cell(outcome));
        }
    }
    text.push('\n');
    text
}

/// Counts here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}
