//! All series of a data directory in the order of their labels, blocks and head merged.
//!
//! Memory: the samples of the head, and one series of each block.

use super::block::{Block, IndexedSeries, SeriesReader, SeriesWalk};
use super::folder::DataFolder;
use super::wal::{Head, Wanted};
use crate::error::Error;
use model::{Labels, Sample, SeriesSamples, TimeRange};
use std::collections::BTreeMap;
use std::path::Path;

/// A block that is being walked over.
struct Walked<'a> {
    walk: SeriesWalk<'a>,
    reader: SeriesReader<'a>,
    next: Option<IndexedSeries>,
}

/// Takes a series with its samples.
pub(super) type TakeSeries<'a> = &'a mut dyn FnMut(&Labels, &[Sample]) -> Result<(), Error>;

/// Hands over each chosen series with its samples in a range, ascending by labels and by time; of samples of
/// one time the one in the oldest block is taken. The first damage ends it.
pub fn for_each_series(
    path: &Path,
    chosen: &dyn Fn(&Labels) -> bool,
    range: TimeRange,
    take: TakeSeries<'_>,
) -> Result<(), Error> {
    let folder = DataFolder::open(path)?;
    if let Some(damage) = folder.damages.into_iter().next() {
        return Err(damage);
    }
    let mut blocks = Vec::new();
    for (_, path) in &folder.blocks {
        blocks.push(Block::open(path)?);
    }
    let metas = folder.blocks.iter().map(|(meta, _)| meta);
    let mut head = read_head(path, DataFolder::in_order_from(metas), chosen, range)?;
    let mut walked = Vec::new();
    for block in &mut blocks {
        let (index, reader) = block.parts();
        let mut walk = index.series();
        let next = walk.next_series()?;
        walked.push(Walked { walk, reader, next });
    }
    loop {
        let in_blocks = walked
            .iter()
            .filter_map(|w| w.next.as_ref().map(|s| &s.labels));
        let first = in_blocks.chain(head.keys().next()).min().cloned();
        let Some(labels) = first else {
            return Ok(());
        };
        let is_chosen = chosen(&labels);
        let mut samples = Vec::new();
        for block in &mut walked {
            if let Some(series) = block.next.take_if(|series| series.labels == labels) {
                if is_chosen {
                    samples.append(&mut block.reader.read(&series, range)?.samples);
                }
                block.next = block.walk.next_series()?;
            }
        }
        samples.append(&mut head.remove(&labels).unwrap_or_default());
        // Stable: the first of equal times stays first.
        samples.sort_by_key(|sample| sample.timestamp);
        samples.dedup_by_key(|sample| sample.timestamp);
        if !samples.is_empty() {
            take(&labels, &samples)?;
        }
    }
}

fn read_head(
    path: &Path,
    in_order_from: i64,
    chosen: &dyn Fn(&Labels) -> bool,
    range: TimeRange,
) -> Result<BTreeMap<Labels, Vec<Sample>>, Error> {
    let mut held: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
    let mut head = Head::open(path)?;
    let wanted = Wanted {
        in_order_from,
        range,
    };
    let mut take = |rows: Vec<SeriesSamples>| {
        for mut row in rows {
            held.entry(row.labels).or_default().append(&mut row.samples);
        }
        Ok(())
    };
    head.for_each_batch(wanted, chosen, &mut take)?;
    match head.damages.into_iter().next() {
        Some(damage) => Err(damage),
        None => Ok(held),
    }
}
