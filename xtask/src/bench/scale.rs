//! What it costs to keep more and more series: remote write at 15 s in real time, queries beside it, then a
//! restart after a clean stop and one after a kill.
//!
//! Nothing sent may be lost: at the end the samples of every metric are counted by queries. Results go to
//! standard output as Markdown and, with a plot, to `docs/benchmarks/scale.svg`.

use super::workload::{DataSet, Workload};
use super::{float, now_ms, plot, push, queries, start_watch};
use crate::process;
use crate::server::{self, Kind, Server};
use anyhow::{Context as _, bail};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

const STEP_MS: i64 = 15_000;
/// Where nothing else is said: the largest count runs so long, the smaller ones five minutes.
const MINUTES: usize = 30;
const MINUTES_SMALL: usize = 5;
const COUNTS: [usize; 3] = [10_000, 100_000, 1_000_000];
const BETWEEN_QUERIES: Duration = Duration::from_millis(500);

/// What one count of series cost.
struct Cost {
    series: usize,
    samples: usize,
    /// Share of one core while writing and asking.
    cores: f64,
    /// Resident memory once a minute, in MiB.
    resident: Vec<f64>,
    disk_bytes: f64,
    /// Milliseconds, ascending.
    queries: Vec<f64>,
    /// Milliseconds of each write, ascending.
    writes: Vec<f64>,
    restart_seconds: f64,
    crash_restart_seconds: f64,
}

/// Runs each count of series and draws the plot: `[MINUTES [SERIES …]] [--block-duration=DURATION]`. With short blocks
/// a run of minutes shows what cuts and merges cost; it leaves the plot as it is.
pub(crate) fn scale(words: &[&str]) -> anyhow::Result<()> {
    let (flags, words): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| word.starts_with("--"));
    let minutes = words.first().map_or(Ok(MINUTES), |word| word.parse())?;
    let mut counts: Vec<usize> = Vec::new();
    for word in words.iter().skip(1) {
        counts.push(word.parse()?);
    }
    if counts.is_empty() {
        counts = COUNTS.to_vec();
    }
    crate::page::ensure_program()?;
    let largest = counts.iter().max().copied().unwrap_or_default();
    let mut costs = Vec::new();
    for count in counts {
        let minutes = if count == largest {
            minutes
        } else {
            minutes.min(MINUTES_SMALL)
        };
        println!("{count} series for {minutes} minutes …");
        costs.push(measure(count, minutes, &flags)?);
    }
    println!("\n{}", table(&costs));
    if flags.is_empty() {
        draw(&costs)?;
    }
    Ok(())
}

fn measure(series: usize, minutes: usize, flags: &[&str]) -> anyhow::Result<Cost> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data)?;
    let client = server::client();
    let mut server = Server::start_with(Kind::Binnacle, &data, None, flags)?;
    server.ready(&client)?;
    let mut workload = Workload::new(DataSet::Fleet, series);
    let (done, latest) = (AtomicBool::new(false), AtomicI64::new(0));
    let before = server.usage()?;
    let watch = start_watch();
    let (written, asked) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask_until(&server, &done, &latest));
        let written = write_for(&server, &mut workload, minutes, &latest);
        done.store(true, Ordering::Relaxed);
        (written, asking.join())
    });
    let mut written = written?;
    written.writes.sort_by(f64::total_cmp);
    let seconds = watch.elapsed().as_secs_f64();
    let after = server.usage()?;
    let Ok(mut queries) = asked else {
        bail!("the thread that asks broke off");
    };
    queries.sort_by(f64::total_cmp);
    verify(&server, &written, series)?;
    let disk_bytes = float(usize::try_from(process::folder_bytes(&data))?);
    let restart_seconds = restart(&mut server, (&data, flags), Stop::Clean)?;
    let crash_restart_seconds = restart(&mut server, (&data, flags), Stop::Kill)?;
    verify(&server, &written, series)?;
    Ok(Cost {
        series,
        samples: series * written.steps,
        cores: (after.cpu_seconds - before.cpu_seconds) / seconds,
        resident: written.resident,
        disk_bytes,
        queries,
        writes: written.writes,
        restart_seconds,
        crash_restart_seconds,
    })
}

struct Written {
    steps: usize,
    first_ms: i64,
    last_ms: i64,
    resident: Vec<f64>,
    writes: Vec<f64>,
}

/// Writes a step every 15 s, as agents would.
fn write_for(
    server: &Server,
    workload: &mut Workload,
    minutes: usize,
    latest: &AtomicI64,
) -> anyhow::Result<Written> {
    let client = server::client();
    let first_ms = now_ms()? / STEP_MS * STEP_MS;
    let mut written = Written {
        steps: minutes * 4,
        first_ms,
        last_ms: first_ms,
        resident: Vec::new(),
        writes: Vec::new(),
    };
    for step in 0..written.steps {
        let at = first_ms + i64::try_from(step)? * STEP_MS;
        let early = u64::try_from(at - now_ms()?).unwrap_or(0);
        std::thread::sleep(Duration::from_millis(early));
        for body in workload.step(at)? {
            let watch = start_watch();
            push(server, &client, &body)?;
            let ms = watch.elapsed().as_secs_f64() * 1000.0;
            written.writes.push(ms);
        }
        written.last_ms = at;
        latest.store(at, Ordering::Relaxed);
        if step % 4 == 3 {
            let resident = usize::try_from(server.usage()?.resident_bytes)?;
            written.resident.push(float(resident) / 1_048_576.0);
        }
    }
    Ok(written)
}

/// Asks a dashboard's queries one after the other; gives the milliseconds of each.
fn ask_until(server: &Server, done: &AtomicBool, latest: &AtomicI64) -> Vec<f64> {
    let client = server::client();
    let mut times = Vec::new();
    for query in queries::of(DataSet::Fleet).iter().take(9).cycle() {
        if done.load(Ordering::Relaxed) {
            break;
        }
        std::thread::sleep(BETWEEN_QUERIES);
        let end_ms = latest.load(Ordering::Relaxed);
        if end_ms == 0 {
            continue;
        }
        match queries::ask(server, &client, query, end_ms) {
            Ok((_series, milliseconds)) => times.push(milliseconds),
            Err(error) => println!("{query}: {error:#}"),
        }
    }
    times
}

/// Counts what is there of each of the fleet's metrics.
fn verify(server: &Server, written: &Written, series: usize) -> anyhow::Result<()> {
    let client = server::client();
    let range_ms = written.last_ms - written.first_ms + 1;
    let time = format!("{}.{:03}", written.last_ms / 1000, written.last_ms % 1000);
    let mut found = 0.0;
    for metric in 0..10 {
        for name in ["requests_#_total", "temperature_#_celsius", "load_#_ratio"] {
            let name = name.replace('#', &metric.to_string());
            let query = format!("sum(count_over_time({name}[{range_ms}ms]))");
            let parameters = [("query", query.as_str()), ("time", &time)];
            let (_, text) = server::get(&client, &server.api_url("query"), &parameters)?;
            let json: serde_json::Value = serde_json::from_str(&text)?;
            let value = json.pointer("/data/result/0/value/1");
            let value = value
                .and_then(|value| value.as_str())
                .context(text.clone())?;
            found += value.parse::<f64>()?;
        }
    }
    let want = float(series * written.steps);
    if (found - want).abs() > 0.5 {
        bail!("{want} samples were acknowledged, {found} are there");
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Stop {
    Clean,
    Kill,
}

/// Ends the server, starts it again and gives the seconds until it was ready.
fn restart(
    server: &mut Server,
    (data, flags): (&Path, &[&str]),
    stop: Stop,
) -> anyhow::Result<f64> {
    match stop {
        Stop::Clean => server.terminate()?,
        Stop::Kill => server.kill()?,
    }
    let watch = start_watch();
    *server = Server::start_with(Kind::Binnacle, data, None, flags)?;
    server.ready(&server::client())?;
    Ok(watch.elapsed().as_secs_f64())
}

fn quantile(sorted: &[f64], hundredths: usize) -> f64 {
    let index = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

fn table(costs: &[Cost]) -> String {
    let mut text = String::from(
        "| series | samples | cores | MiB at 1/4, 1/2, 3/4, end | bytes a sample | query p50 / p99, ms | \
         write p50 / p99 / longest, ms | ready after stop / kill, s |\n|---|---|---|---|---|---|---|---|\n",
    );
    for cost in costs {
        let quarter = |n: usize| quantile(&cost.resident, n * 25);
        let last = cost.resident.last().copied().unwrap_or(f64::NAN);
        text.push_str(&format!(
            "| {} | {} | {:.3} | {:.0}, {:.0}, {:.0}, {last:.0} | {:.2} | {:.1} / {:.1} | {:.1} / {:.1} / {:.0} | {:.2} / {:.2} |\n",
            cost.series,
            cost.samples,
            cost.cores,
            quarter(1),
            quarter(2),
            quarter(3),
            cost.disk_bytes / float(cost.samples),
            quantile(&cost.queries, 50),
            quantile(&cost.queries, 99),
            quantile(&cost.writes, 50),
            quantile(&cost.writes, 99),
            cost.writes.last().copied().unwrap_or(f64::NAN),
            cost.restart_seconds,
            cost.crash_restart_seconds,
        ));
    }
    text
}

#[expect(clippy::disallowed_methods, reason = "a picture for the documentation")]
fn draw(costs: &[Cost]) -> anyhow::Result<()> {
    let points = |value: fn(&Cost) -> f64| -> Vec<(f64, f64)> {
        costs
            .iter()
            .map(|cost| (float(cost.series), value(cost)))
            .collect()
    };
    let panels = [
        ("CPU, cores", points(|cost| cost.cores)),
        (
            "memory, MiB",
            points(|cost| cost.resident.last().copied().unwrap_or(f64::NAN)),
        ),
        ("query p99, ms", points(|cost| quantile(&cost.queries, 99))),
        (
            "ready after kill, s",
            points(|cost| cost.crash_restart_seconds),
        ),
    ];
    let file = process::root().join("docs/benchmarks/scale.svg");
    std::fs::write(&file, plot::panels("series", &panels))?;
    println!("{}", file.display());
    Ok(())
}
