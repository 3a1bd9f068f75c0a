//! `promtool tsdb create-blocks-from openmetrics`: text with timestamps as blocks.
//!
//! The file is read once to find mistakes and the spans of time that it fills, then again for as many blocks at
//! once as fit into memory. Samples may stand in any order; of two with one time the first is kept.

use super::list;
use crate::cli::Shown;
use anyhow::{Context as _, bail};
use interchange::openmetrics::OpenMetrics;
use interchange::prometheus::block::{BlockWriter, Ulid, Written};
use interchange::prometheus::{BLOCK_MS, chunk};
use interchange::text::TextReport;
use interchange::{Selection, text};
use model::{Labels, Sample, SeriesSamples, TimeRange, Timestamp};
use runtime::{Clock as _, Random, SystemClock};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use storage::{OperatingSystem, SharedFiles};

/// Samples that are held at once.
const SAMPLES_MAX: usize = 5_000_000;
/// Longer blocks are three times as long as the next shorter, as upstream's.
const GROWTH: i64 = 3;
/// So many lengths there are.
const LENGTHS: usize = 10;

/// Series of one block, sorted.
pub(super) type Window = BTreeMap<Labels, Vec<Sample>>;

/// Writes blocks and prints them.
pub(super) struct Blocks {
    output: PathBuf,
    pub(super) block_ms: i64,
    shown: Shown,
    written: usize,
    files: SharedFiles,
    random: Random,
}

impl Blocks {
    /// Blocks below `output`, as long as upstream makes them for a longest duration.
    pub(super) fn new(output: &Path, longest: &str, shown: Shown) -> anyhow::Result<Self> {
        let longest_ms = model::parse_duration(longest)
            .map_err(anyhow::Error::msg)
            .context("--max-block-duration")?;
        let lengths = std::iter::successors(Some(BLOCK_MS), |length| Some(length * GROWTH));
        let fitting = lengths
            .take(LENGTHS)
            .take_while(|length| *length <= longest_ms);
        Ok(Self {
            output: output.to_owned(),
            block_ms: fitting.last().unwrap_or(BLOCK_MS),
            shown,
            written: 0,
            files: OperatingSystem::shared(),
            random: Random::from_system(),
        })
    }

    /// Where the block of a moment begins.
    pub(super) const fn window_of(&self, at: i64) -> i64 {
        at.div_euclid(self.block_ms) * self.block_ms
    }

    /// Writes a block and says so unless that is not wanted.
    pub(super) fn write(&mut self, window: &mut Window) -> anyhow::Result<()> {
        let now_ms = SystemClock::new().now().millis().unsigned_abs();
        self.files
            .make_folder(&self.output)
            .with_context(|| format!("create output dir: {}", self.output.display()))?;
        let name = Ulid::new(now_ms, &mut self.random);
        let mut writer = BlockWriter::begin(&self.files, &self.output, name)?;
        for (labels, samples) in window {
            samples.sort_by_key(|sample| sample.timestamp);
            samples.dedup_by_key(|sample| sample.timestamp);
            writer.add(labels, &chunk::encode(samples))?;
        }
        if let Some(Written { meta, bytes, .. }) = writer.finish()?
            && !self.shown.quiet
        {
            let style = (self.shown.human_readable, self.written == 0);
            list::show_one(&meta, bytes, style);
            self.written += 1;
        }
        Ok(())
    }
}

/// Makes blocks of a file; `labels` (`name=value`) are added to each series.
pub(super) fn run(file: &Path, labels: &[String], mut blocks: Blocks) -> anyhow::Result<()> {
    let labels = parse_labels(labels)?;
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    let report = read(file, TimeRange::ALL, &mut |rows| {
        for sample in rows.iter().flat_map(|row| &row.samples) {
            *counts
                .entry(blocks.window_of(sample.timestamp.millis()))
                .or_default() += 1;
        }
    })?;
    if let Some((line, mistake)) = report.mistakes.first() {
        let step = if mistake.starts_with("expected timestamp") {
            ""
        } else {
            "next: "
        };
        bail!("getting min and max timestamp: {step}{mistake} (line {line})");
    }
    let mut left: Vec<(i64, usize)> = counts.into_iter().collect();
    while let Some((first, _)) = left.first().copied() {
        let mut total = 0;
        let fitting = left.iter().take_while(|(_, count)| {
            total += count;
            total <= SAMPLES_MAX
        });
        let taken: Vec<(i64, usize)> = left.drain(..fitting.count().max(1)).collect();
        let last = taken.last().map_or(first, |(window, _)| *window);
        let range = TimeRange {
            start: Timestamp::from_millis(first),
            end: Timestamp::from_millis(last.saturating_add(blocks.block_ms - 1)),
        };
        let mut windows: BTreeMap<i64, Window> = BTreeMap::new();
        read(file, range, &mut |rows| {
            for row in rows {
                let series = labels.merged_with(&row.labels);
                for sample in row.samples {
                    let window = blocks.window_of(sample.timestamp.millis());
                    let held = windows.entry(window).or_default();
                    held.entry(series.clone()).or_default().push(sample);
                }
            }
        })?;
        for window in windows.values_mut() {
            blocks.write(window)?;
        }
    }
    Ok(())
}

fn parse_labels(texts: &[String]) -> anyhow::Result<Labels> {
    let mut pairs = Vec::new();
    for text in texts {
        let pair = text.split_once('=');
        pairs.push(pair.with_context(|| format!("expected KEY=VALUE got {text:?}"))?);
    }
    Ok(Labels::from_pairs(pairs))
}

fn read(
    path: &Path,
    range: TimeRange,
    take: &mut dyn FnMut(Vec<SeriesSamples>),
) -> anyhow::Result<TextReport> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            anyhow::anyhow!("open {}: no such file or directory", path.display())
        }
        _ => anyhow::anyhow!("open {}: {error}", path.display()),
    })?;
    let mut input = BufReader::with_capacity(1 << 20, file);
    let selection = Selection {
        matchers: Vec::new(),
        range,
    };
    let mut give = |rows: Vec<SeriesSamples>, _report: &TextReport| {
        take(rows);
        Ok(())
    };
    let mut taker = OpenMetrics::default();
    Ok(text::read(
        (path, &mut input),
        &mut taker,
        &selection,
        &mut give,
    )?)
}
