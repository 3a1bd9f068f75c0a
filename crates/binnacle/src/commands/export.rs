//! `binnacle export`: our data for other stores.

use super::import::open_store;
use super::progress::{Progress, grouped};
use super::selection::selection;
use crate::cli::{Export, ExportedAs, Format, Output, SelectionFlags};
use crate::print;
use anyhow::{Context as _, bail};
use interchange::Selection;
use interchange::prometheus::{BLOCK_MS, ExportOptions, Exported, export};
use model::{TimeRange, Timestamp};
use runtime::{Clock as _, SystemClock};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use storage::OperatingSystem;
use tsdb::Db;

/// Exports what was named.
pub(crate) fn run(command: &Export) -> anyhow::Result<ExitCode> {
    let ExportedAs::Prometheus {
        directory,
        data,
        block_duration,
        custom_buckets,
        selection,
        output,
    } = &command.what;
    let block_ms = model::parse_duration(block_duration)
        .map_err(anyhow::Error::msg)
        .context("--block-duration")?;
    if block_ms < BLOCK_MS || block_ms % BLOCK_MS != 0 {
        bail!("--block-duration {block_duration}: neither 2h nor a multiple of it");
    }
    let options = ExportOptions {
        block_ms,
        custom_buckets: *custom_buckets,
        now_ms: SystemClock::new().now().millis().unsigned_abs(),
    };
    if !data.join("metrics").is_dir() {
        bail!("{}: no data folder of ours", data.display());
    }
    to_prometheus((data, directory), selection, options, *output)
}

fn to_prometheus(
    (data, directory): (&Path, &Path),
    flags: &SelectionFlags,
    options: ExportOptions,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let mut wanted = selection(flags)?;
    let db = open_store(data)?;
    let Some(range) = held(&db, wanted.range)? else {
        print::note("there are no samples in this range");
        return Ok(ExitCode::SUCCESS);
    };
    wanted.range = range;
    let files = OperatingSystem::shared();
    files
        .make_folder(directory)
        .with_context(|| directory.display().to_string())?;
    let done = write(&db, &wanted, (&files, directory), options)?;
    db.close()?;
    if output.output == Format::Json {
        let blocks: Vec<&str> = done.blocks.iter().map(|b| b.meta.ulid.as_str()).collect();
        print::json(&json!({
            "blocks": blocks,
            "samples": done.samples,
            "customBucketsLeftOut": done.custom_left_out,
            "startTimestampsLeftOut": done.starts_left_out,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let samples = usize::try_from(done.samples).unwrap_or(usize::MAX);
    let blocks = done.blocks.len();
    print::line(&format!(
        "{blocks} blocks with {} samples",
        grouped(samples)
    ));
    if done.custom_left_out > 0 {
        print::note(&format!(
            "left out: {} histograms with custom buckets, which Prometheus reads since 3.0 (--custom-buckets writes them)",
            grouped(done.custom_left_out)
        ));
    }
    if done.starts_left_out > 0 {
        let count = grouped(done.starts_left_out);
        print::note(&format!("left out: {count} start timestamps"));
    }
    Ok(ExitCode::SUCCESS)
}

fn write(
    db: &Db,
    wanted: &Selection,
    to: (&storage::SharedFiles, &Path),
    options: ExportOptions,
) -> anyhow::Result<Exported> {
    let mut bar = Progress::new();
    let (first, last) = (wanted.range.start.millis(), wanted.range.end.millis());
    let all = last.saturating_sub(first).unsigned_abs();
    let mut show = |done: &Exported| {
        let at = done
            .blocks
            .last()
            .map_or(first, |block| block.meta.max_time);
        let text = format!("{} blocks", done.blocks.len());
        bar.show(
            (at.saturating_sub(first).unsigned_abs().min(all), all),
            &text,
        );
    };
    Ok(export(db, wanted, to, options, &mut show)?)
}

/// The part of a range in which the store has samples. What is in the head becomes blocks first: those say
/// from when to when they reach.
fn held(db: &Db, range: TimeRange) -> anyhow::Result<Option<TimeRange>> {
    db.flush()?;
    let blocks = db.block_infos();
    let first = blocks.iter().map(|block| block.start_ms).min();
    let last = blocks.iter().map(|block| block.end_ms).max();
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(None);
    };
    let held = TimeRange {
        start: range.start.max(Timestamp::from_millis(first)),
        end: range.end.min(Timestamp::from_millis(last)),
    };
    Ok((held.start <= held.end).then_some(held))
}
