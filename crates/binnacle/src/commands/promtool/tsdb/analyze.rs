//! `promtool tsdb analyze`: where a block's cardinality and churn come from.
//!
//! Equal numbers come in the order of their names; upstream's order changes from run to run. Our own data is analysed as
//! if it were one block.

use super::{Kind, go_duration, kind_of, list, selector};
use crate::commands::import::open_store;
use crate::print;
use anyhow::{Context as _, bail};
use interchange::prometheus::block::{Block, ChunkPlace, SeriesReader};
use interchange::prometheus::chunk::Encoding;
use model::number::{float_to_u64, u64_to_float};
use model::{Labels, METRIC_NAME, Matcher, ReadBudget, Source as _, TimeRange, matcher};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is asked.
pub(super) struct What<'a> {
    pub(super) limit: usize,
    pub(super) extended: bool,
    pub(super) matches: Option<&'a str>,
}

/// Analyses a block, the last one where none is named.
pub(super) fn run(path: &Path, block: Option<&str>, what: &What<'_>) -> anyhow::Result<()> {
    let matchers = what.matches.map(selector).transpose()?;
    match kind_of(path)? {
        Kind::Prometheus => of_block(path, block, (what, matchers.as_deref())),
        Kind::Ours => of_ours(path, (what, matchers.as_deref())),
    }
}

fn of_block(
    path: &Path,
    name: Option<&str>,
    (what, matchers): (&What<'_>, Option<&[Matcher]>),
) -> anyhow::Result<()> {
    let blocks = list::blocks_of(path)?;
    let found = match name {
        Some(name) => {
            let found = blocks.iter().find(|(meta, _)| meta.ulid == name);
            found.with_context(|| format!("invalid block ID {name}"))?
        }
        None => {
            let newest = blocks.iter().max_by(|a, b| a.0.ulid.cmp(&b.0.ulid));
            newest.context("no blocks found")?
        }
    };
    let mut block = Block::open(&found.1)?;
    let meta = block.meta.clone();
    let mut analysis = Analysis::new(meta.max_time.saturating_sub(meta.min_time));
    let (index, mut reader) = block.parts();
    let mut walk = index.series();
    let mut chunks = Chunks::default();
    while let Some(series) = walk.next_series()? {
        if matchers.is_some_and(|matchers| !matcher::all_match(matchers, &series.labels)) {
            continue;
        }
        if let (Some(first), Some(last)) = (series.chunks.first(), series.chunks.last()) {
            analysis.add(&series.labels, (first.first, last.last));
        }
        if what.extended {
            for chunk in &series.chunks {
                chunks.add(&mut reader, chunk)?;
            }
        }
    }
    head_lines((&meta.ulid, &analysis), meta.stats.num_series, what);
    analysis.print(what);
    if what.extended {
        chunks.print();
    }
    Ok(())
}

fn of_ours(path: &Path, (what, matchers): (&What<'_>, Option<&[Matcher]>)) -> anyhow::Result<()> {
    let db = open_store(path)?;
    let scan = db.scan(matchers.unwrap_or_default(), TimeRange::ALL)?;
    let mut spans = Vec::new();
    for i in 0..scan.labels().len() {
        let columns = scan.read(i, &ReadBudget::new(usize::MAX))?;
        let span = columns.timestamps.first().zip(columns.timestamps.last());
        spans.push(span.map(|(first, last)| (*first, *last)));
    }
    let first = spans.iter().flatten().map(|(first, _)| *first).min();
    let last = spans.iter().flatten().map(|(_, last)| *last).max();
    let (Some(first), Some(last)) = (first, last) else {
        bail!("no blocks found");
    };
    let mut analysis = Analysis::new(last.saturating_sub(first).saturating_add(1));
    for (labels, span) in scan.labels().iter().zip(&spans) {
        if let Some(span) = span {
            analysis.add(labels, *span);
        }
    }
    head_lines(("all", &analysis), analysis.series, what);
    analysis.print(what);
    Ok(())
}

fn head_lines((name, analysis): (&str, &Analysis), series: u64, what: &What<'_>) {
    print::line(&format!("Block ID: {name}"));
    print::line(&format!("Duration: {}", go_duration(analysis.duration)));
    print::line(&format!("Total Series: {series}"));
    if let Some(matches) = what.matches {
        print::line(&format!("Matcher: {matches}"));
    }
    print::line(&format!("Label names: {}", analysis.names.len()));
    if what.matches.is_some() {
        print::line(&format!("Matched series: {}", analysis.series));
    }
}

/// What is known of one label.
#[derive(Default)]
struct Name {
    /// Milliseconds of the block that series with it do not cover.
    uncovered: u64,
    values: BTreeSet<String>,
}

struct Analysis {
    duration: i64,
    series: u64,
    entries: u64,
    names: BTreeMap<String, Name>,
    /// By `name=value`: uncovered milliseconds, and series.
    pairs: BTreeMap<String, (u64, u64)>,
    metrics: BTreeMap<String, u64>,
}

impl Analysis {
    const fn new(duration: i64) -> Self {
        Self {
            duration,
            series: 0,
            entries: 0,
            names: BTreeMap::new(),
            pairs: BTreeMap::new(),
            metrics: BTreeMap::new(),
        }
    }

    fn add(&mut self, labels: &Labels, (first, last): (i64, i64)) {
        let covered = last.saturating_sub(first);
        let uncovered = self.duration.saturating_sub(covered).max(0).unsigned_abs();
        self.series += 1;
        for (name, value) in labels {
            self.entries += 1;
            let known = self.names.entry(name.to_owned()).or_default();
            known.uncovered += uncovered;
            if !known.values.contains(value) {
                known.values.insert(value.to_owned());
            }
            let pair = self.pairs.entry(format!("{name}={value}")).or_default();
            pair.0 += uncovered;
            pair.1 += 1;
            if name == METRIC_NAME {
                *self.metrics.entry(value.to_owned()).or_default() += 1;
            }
        }
    }

    fn print(&self, what: &What<'_>) {
        let (pairs, entries) = (self.pairs.len(), self.entries);
        print::line(&format!("Postings (unique label pairs): {pairs}"));
        print::line(&format!("Postings entries (total label pairs): {entries}"));
        let duration = u64_to_float(self.duration.max(1).unsigned_abs());
        let share = |uncovered: u64| float_to_u64(u64_to_float(uncovered) / duration);
        let section = |title: &str, rows: Vec<(u64, &String)>| top(title, rows, what.limit);
        let pairs = || self.pairs.iter();
        let names = || self.names.iter();
        let length = |name: &Name| name.values.iter().map(|value| value.len() as u64).sum();
        section(
            "Label pairs most involved in churning",
            pairs().map(|(key, pair)| (share(pair.0), key)).collect(),
        );
        section(
            "Label names most involved in churning",
            names()
                .map(|(key, name)| (share(name.uncovered), key))
                .collect(),
        );
        section(
            "Most common label pairs",
            pairs().map(|(key, pair)| (pair.1, key)).collect(),
        );
        section(
            "Label names with highest cumulative label value length",
            names().map(|(key, name)| (length(name), key)).collect(),
        );
        section(
            "Highest cardinality labels",
            names()
                .map(|(key, name)| (name.values.len() as u64, key))
                .collect(),
        );
        section(
            "Highest cardinality metric names",
            self.metrics
                .iter()
                .map(|(key, count)| (*count, key))
                .collect(),
        );
    }
}

fn top(title: &str, mut rows: Vec<(u64, &String)>, limit: usize) {
    print::line(&format!("\n{title}:"));
    // Stable: equal numbers stay in the order of their names.
    rows.sort_by_key(|row| std::cmp::Reverse(row.0));
    for (number, key) in rows.into_iter().take(limit) {
        print::line(&format!("{number} {key}"));
    }
}

/// What `--extended` counts of the chunks.
#[derive(Default)]
struct Chunks {
    total: usize,
    float_samples: Vec<usize>,
    float_bytes: Vec<usize>,
    histogram_samples: Vec<usize>,
    histogram_bytes: Vec<usize>,
    histogram_buckets: Vec<usize>,
}

impl Chunks {
    fn add(&mut self, reader: &mut SeriesReader<'_>, place: &ChunkPlace) -> anyhow::Result<()> {
        let (encoding, samples, bytes): (Encoding, usize, usize) = reader.chunk(place)?;
        self.total += 1;
        if encoding.is_float() {
            self.float_samples.push(samples);
            self.float_bytes.push(bytes);
            return Ok(());
        }
        self.histogram_samples.push(samples);
        self.histogram_bytes.push(bytes);
        self.histogram_buckets.push(reader.chunk_buckets(place)?);
        Ok(())
    }

    fn print(self) {
        print::line("\nCompaction analysis:\n");
        distribution("samples per float chunk", self.float_samples, self.total);
        distribution("bytes per float chunk", self.float_bytes, self.total);
        distribution(
            "samples per histogram chunk",
            self.histogram_samples,
            self.total,
        );
        distribution(
            "bytes per histogram chunk",
            self.histogram_bytes,
            self.total,
        );
        distribution(
            "buckets per histogram chunk",
            self.histogram_buckets,
            self.total,
        );
    }
}

/// Prints how often numbers lie in about ten equal ranges.
fn distribution(what: &str, mut numbers: Vec<usize>, total: usize) {
    numbers.sort_unstable();
    let (Some(&least), Some(&most)) = (numbers.first(), numbers.last()) else {
        print::line(&format!("{what}: N/A\n"));
        return;
    };
    let mut step = 10;
    while step < (most - least) / 10 && step <= 10_000 {
        step *= 10;
    }
    let start = least - least % step;
    let end = most - most % step + step;
    let mut ranges = vec![0_usize; (end - start) / step + 1];
    for number in &numbers {
        if let Some(range) = ranges.get_mut((number - start) / step) {
            *range += 1;
        }
    }
    let mean = numbers.iter().sum::<usize>() / numbers.len();
    print::line(&format!("{what} (min/avg/max): {least}/{mean}/{most}"));
    let digits = |number: usize| number.to_string().len();
    let (left, right) = (digits(end), digits(end + step));
    let width = digits(ranges.iter().copied().max().unwrap_or_default());
    for (i, count) in ranges.iter().enumerate() {
        let (from, to) = (i * step + start + 1, (i + 1) * step + start);
        let bar = "#".repeat(100 * count / total.max(1));
        print::line(&format!(
            "[{from:left$}, {to:right$}]: {count:width$} {bar}"
        ));
    }
    print::line("");
}
