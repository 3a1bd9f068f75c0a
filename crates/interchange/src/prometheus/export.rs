//! Writes what a source holds as Prometheus' blocks, one for each aligned span of time.

use super::block::{BlockWriter, Ulid, Written};
use super::chunk;
use crate::delivery::Selection;
use crate::error::Error;
use model::histogram::CUSTOM_BUCKETS_SCHEMA;
use model::{Columns, ReadBudget, Sample, Source, TimeRange, Timestamp, Value};
use runtime::Random;
use std::path::Path;
use storage::SharedFiles;

/// Upstream's shortest block.
pub const BLOCK_MS: i64 = 2 * 3_600_000;

/// How blocks are written.
#[derive(Clone, Copy, Debug)]
pub struct ExportOptions {
    /// Length of the blocks: a multiple of `BLOCK_MS`.
    pub block_ms: i64,
    /// Whether histograms with custom buckets are written, which Prometheus reads since 3.0.
    pub custom_buckets: bool,
    /// Milliseconds since 1970, for the blocks' names.
    pub now_ms: u64,
}

/// What an export did.
#[derive(Debug, Default)]
pub struct Exported {
    /// The blocks, ascending by time.
    pub blocks: Vec<Written>,
    /// Samples in them.
    pub samples: u64,
    /// Histograms with custom buckets that were left out.
    pub custom_left_out: usize,
    /// Start timestamps that were left out: the format that every Prometheus reads has no place for them.
    pub starts_left_out: usize,
}

/// Writes blocks below `folder`, which must exist. `selection.range` is the range of samples that exist: nothing
/// outside is looked for. Memory: the labels of the series of one block and the samples of one series.
pub fn export(
    source: &dyn Source,
    selection: &Selection,
    (files, folder): (&SharedFiles, &Path),
    options: ExportOptions,
    show: &mut dyn FnMut(&Exported),
) -> Result<Exported, Error> {
    let mut done = Exported::default();
    let mut random = Random::from_system();
    let (first, last) = (selection.range.start.millis(), selection.range.end.millis());
    let mut window = first.div_euclid(options.block_ms) * options.block_ms;
    while window <= last {
        let range = TimeRange {
            start: Timestamp::from_millis(window.max(first)),
            end: Timestamp::from_millis(window.saturating_add(options.block_ms - 1).min(last)),
        };
        let name = Ulid::new(options.now_ms, &mut random);
        let mut writer = BlockWriter::begin(files, folder, name)?;
        match fill(&mut writer, (source, selection, range), options, &mut done) {
            Ok(()) => {}
            Err(error) => {
                writer.abandon();
                return Err(error);
            }
        }
        if let Some(written) = writer.finish()? {
            done.samples += written.meta.stats.num_samples;
            done.blocks.push(written);
        }
        show(&done);
        let Some(next) = window.checked_add(options.block_ms) else {
            break;
        };
        window = next;
    }
    Ok(done)
}

fn fill(
    writer: &mut BlockWriter,
    (source, selection, range): (&dyn Source, &Selection, TimeRange),
    options: ExportOptions,
    done: &mut Exported,
) -> Result<(), Error> {
    let refused = |error: model::SourceError| Error::Refused(error.to_string());
    let scan = source.scan(&selection.matchers, range).map_err(refused)?;
    for (i, labels) in scan.labels().iter().enumerate() {
        // A budget for each series: what is held at once is what counts.
        let columns = scan
            .read(i, &ReadBudget::new(usize::MAX))
            .map_err(refused)?;
        let mut samples = samples_of(&columns);
        if !options.custom_buckets {
            let before = samples.len();
            samples.retain(|sample| !has_custom_buckets(&sample.value));
            done.custom_left_out += before - samples.len();
        }
        let starts = samples.iter().filter(|sample| sample.start.millis() != 0);
        done.starts_left_out += starts.count();
        writer.add(labels, &chunk::encode(&samples))?;
    }
    Ok(())
}

fn has_custom_buckets(value: &Value) -> bool {
    matches!(value, Value::Histogram(histogram) if histogram.schema == CUSTOM_BUCKETS_SCHEMA)
}

/// The samples of columns, one by one.
#[must_use]
pub fn samples_of(columns: &Columns) -> Vec<Sample> {
    let mut histograms = columns.histograms.iter().peekable();
    let starts = columns.starts.as_deref().unwrap_or_default();
    let mut samples = Vec::with_capacity(columns.len());
    for (i, (at, value)) in columns
        .timestamps
        .iter()
        .zip(columns.values.iter())
        .enumerate()
    {
        let value = match histograms.next_if(|(place, _)| *place == i) {
            Some((_, histogram)) => Value::Histogram(histogram.clone()),
            None => Value::Float(*value),
        };
        samples.push(Sample {
            timestamp: Timestamp::from_millis(*at),
            start: Timestamp::from_millis(starts.get(i).copied().unwrap_or_default()),
            value,
        });
    }
    samples
}
