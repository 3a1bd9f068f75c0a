//! `promtool tsdb bench write`: how fast our store takes scrapes.

use crate::print;
use anyhow::Context as _;
use model::number::{u64_to_float, usize_to_float};
use model::{Labels, Timestamp};
use runtime::{Clock as _, SystemClock};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::Duration;
use tsdb::{Db, SeriesHandle};

/// Between two scrapes.
const STEP_MS: i64 = 30_000;
/// Series of one batch, as of one target.
const BATCH: usize = 1000;
/// What the first value is, and by how much each is larger than the one before.
const FIRST_VALUE: f64 = 123_456_789.0;
const VALUE_STEP: f64 = 1000.0;

/// Reads `metrics` label sets of a file and writes `scrapes` samples of each to a new store below `out`.
pub(super) fn write(
    file: &Path,
    out: &Path,
    (metrics, scrapes): (usize, usize),
) -> anyhow::Result<()> {
    let folder = out.join("storage");
    if folder.is_dir() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let options = tsdb::Options {
        retention_ms: None,
        ..tsdb::Options::new(&folder)
    };
    let db = Db::open(options)?;
    let (labels, _) = measure("readData", || read_labels(file, metrics))?;
    let (total, spent) = measure("ingestScrapes", || {
        let total = ingest(&db, &labels, scrapes)?;
        print::line("ingestion completed");
        Ok(total)
    })?;
    print::line(&format!(" > total samples: {total}"));
    let rate = usize_to_float(total) / spent.as_secs_f64();
    print::line(&format!(" > samples/sec: {rate}"));
    measure("stopStorage", || Ok(db.close()?))?;
    Ok(())
}

fn measure<T>(
    stage: &str,
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(T, Duration)> {
    print::line(&format!(">> start stage={stage}"));
    let clock = SystemClock::new();
    let started = clock.monotonic();
    let done = work()?;
    let spent = clock.monotonic().saturating_sub(started);
    // Debug prints as Go does: 1.5ms, 2.25s.
    print::line(&format!(">> completed stage={stage} duration={spent:?}"));
    Ok((done, spent))
}

/// A label set a line, as `{"name":"value","name":"value"}`; each is taken once.
fn read_labels(file: &Path, most: usize) -> anyhow::Result<Vec<Labels>> {
    let opened = File::open(file).with_context(|| format!("open {}", file.display()))?;
    let mut found = BTreeSet::new();
    for line in BufReader::new(opened).lines() {
        if found.len() >= most {
            break;
        }
        let plain = line?.replace(['"', '{', '}'], "");
        let pairs = plain.split(',').filter_map(|pair| pair.split_once(':'));
        found.insert(Labels::from_pairs(pairs));
    }
    Ok(found.into_iter().collect())
}

fn ingest(db: &Db, labels: &[Labels], scrapes: usize) -> anyhow::Result<usize> {
    let handles: Vec<SeriesHandle> = labels.iter().filter_map(|l| db.series_handle(l)).collect();
    let mut batch = db.batch();
    let mut total = 0;
    let mut at = 0;
    for scrape in 0..scrapes {
        at += STEP_MS;
        let value = FIRST_VALUE + u64_to_float(scrape as u64 + 1) * VALUE_STEP;
        for target in handles.chunks(BATCH) {
            for handle in target {
                batch.push(handle, Timestamp::from_millis(at), value);
            }
            total += batch.commit()?.accepted;
        }
    }
    Ok(total)
}
