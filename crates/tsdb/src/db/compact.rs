//! From many blocks to fewer and longer ones.
//!
//! Longer blocks compress better and cost a query less. Blocks of one aligned span are merged when the span
//! is over; spans grow by three, as upstream's, up to a tenth of the retention. Blocks that overlap,
//! because samples came late, are merged too, a small one into a large one only when several wait.

use super::{Db, Work};
use crate::block::{
    Block, BlockMeta, BlockReader, BlockWriter, Origin, block_name, temporary_name, tombstones_name,
};
use crate::db::cut::window_start;
use crate::error::Error;
use crate::gather::Gathered;
use crate::summary;
use model::{Labels, ReadBudget, TimeRange};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

/// Each span is so many times the one before.
pub(super) const SPAN_GROWTH: i64 = 3;

/// The longest block without a limit of age.
const SPAN_MAX_MS: i64 = 31 * 86_400_000;

/// The longest block is this part of the retention, so that retention removes small pieces.
const RETENTION_SHARE: i64 = 10;

/// Overlapping blocks are merged at once unless one is this many times as large as all others.
const LOPSIDED: u64 = 10;

/// So many overlapping blocks are merged however lopsided.
const OVERLAPPING_MAX: usize = 5;

/// What blocks may be merged into.
#[derive(Clone, Copy, Debug)]
struct Spans {
    smallest_ms: i64,
    largest_ms: i64,
    /// Only spans that end by then are over.
    boundary: i64,
}

impl Db {
    /// Merges one group of blocks; answers whether there was one.
    pub(super) fn compact_once(&self, work: &mut Work) -> Result<bool, Error> {
        let spans = Spans {
            smallest_ms: self.options.block_ms.max(1),
            largest_ms: self.longest_span_ms(),
            boundary: work.manifest.boundary,
        };
        let blocks = &work.manifest.blocks;
        let lengths: BTreeSet<i64> = blocks.iter().map(|block| block.window_ms).collect();
        for window_ms in lengths {
            let same = blocks.iter().filter(|block| block.window_ms == window_ms);
            let same: Vec<BlockMeta> = same.cloned().collect();
            if let Some(group) = plan(&same, spans) {
                self.rewrite(work, &group, &Rewrite::to_windows(window_ms))?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The longest span that blocks are merged into.
    pub(super) fn longest_span_ms(&self) -> i64 {
        let by_retention = self.options.retention_ms.map(|ms| ms / RETENTION_SHARE);
        by_retention.map_or(SPAN_MAX_MS, |ms| SPAN_MAX_MS.min(ms))
    }

    /// Rewrites every block with tombstones, so that what was deleted is gone from the disk.
    pub fn clean_tombstones(&self) -> Result<(), Error> {
        let mut work = self.work();
        for block in self.blocks().iter() {
            if !block.tombstones().is_empty() {
                let same = Rewrite::to_windows(block.meta.window_ms);
                self.rewrite(&mut work, &BTreeSet::from([block.meta.id]), &same)?;
            }
        }
        Ok(())
    }

    /// Writes the blocks of a group anew as one and puts that in their place. Answers its number; `None`
    /// where nothing is left.
    pub(super) fn rewrite(
        &self,
        work: &mut Work,
        group: &BTreeSet<u64>,
        rewrite: &Rewrite<'_>,
    ) -> Result<Option<u64>, Error> {
        let blocks = self.blocks();
        let sources: Vec<Arc<Block>> = blocks
            .iter()
            .filter(|block| group.contains(&block.meta.id))
            .map(Arc::clone)
            .collect();
        let order = sources.iter().map(|block| block.meta.order).min();
        let id = work.next_block();
        let origin = Origin {
            id,
            order: order.unwrap_or(id),
            window_ms: rewrite.window_ms,
            sources: group.iter().copied().collect(),
        };
        let begun = BlockWriter::begin(&self.options.files, &self.blocks_folder(), origin);
        let merged = begun.and_then(|writer| merge_into(writer, &sources, rewrite));
        if merged.is_err() {
            self.remove_files(&BTreeSet::from([id]));
        }
        let merged = merged?;
        let written = merged.as_ref().map(|meta| meta.id);
        let manifest = work.manifest.clone();
        self.publish(work, manifest, (merged.into_iter().collect(), group))?;
        self.remove_files(group);
        Ok(written)
    }

    /// Removes the files of blocks that the manifest no longer names. What remains is removed at the next
    /// opening.
    pub(super) fn remove_files(&self, blocks: &BTreeSet<u64>) {
        let folder = self.blocks_folder();
        for id in blocks {
            for name in [block_name(*id), temporary_name(*id), tombstones_name(*id)] {
                let path = folder.join(name);
                match self.options.files.remove(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        tracing::warn!("{}: {error}", path.display());
                    }
                    _ => {}
                }
            }
        }
    }
}

/// How blocks are written anew.
pub(super) struct Rewrite<'a> {
    /// Length of the windows that floats are summarised to; 0 to leave them as they are.
    pub(super) window_ms: i64,
    /// Which series stay.
    pub(super) keep: &'a dyn Fn(&Labels) -> bool,
}

impl Rewrite<'_> {
    /// All series, in windows of this length.
    pub(super) fn to_windows(window_ms: i64) -> Self {
        Self {
            window_ms,
            keep: &|_| true,
        }
    }
}

/// Copies the series of all sources into one block. `sources` come in the order of precedence. Histograms
/// are copied as they are, whatever the windows.
fn merge_into(
    mut writer: BlockWriter,
    sources: &[Arc<Block>],
    rewrite: &Rewrite<'_>,
) -> Result<Option<BlockMeta>, Error> {
    let mut readers = Vec::new();
    let mut next: BinaryHeap<Reverse<(Labels, usize, u32)>> = BinaryHeap::new();
    for (i, block) in sources.iter().enumerate() {
        let reader = BlockReader::new(block)?;
        if reader.index.series.count() > 0 {
            next.push(Reverse((reader.index.series.labels(0), i, 0)));
        }
        readers.push(reader);
    }
    let unlimited = ReadBudget::new(usize::MAX);
    while let Some(Reverse((labels, ..))) = next.peek() {
        let labels = labels.clone();
        let mut gathered = Gathered::default();
        let keep = (rewrite.keep)(&labels);
        // Equal labels come in the order of the sources.
        while let Some(Reverse((same, i, series))) = next.peek()
            && *same == labels
        {
            let (i, series) = (*i, *series);
            next.pop();
            let reader = &readers[i];
            if keep {
                reader.read(series, TimeRange::ALL, &unlimited, &mut gathered)?;
            }
            let following = series + 1;
            if following < reader.index.series.count() {
                next.push(Reverse((
                    reader.index.series.labels(following),
                    i,
                    following,
                )));
            }
        }
        let mut floats = gathered.floats();
        if rewrite.window_ms > 0 {
            let windows = (0..floats.times.len()).filter_map(|i| summary::window_at(&floats, i));
            floats = summary::summarize(windows, rewrite.window_ms);
        }
        writer.add(&labels, &floats, &gathered.histograms())?;
    }
    writer.finish()
}

/// The numbers of the blocks to merge next.
fn plan(blocks: &[BlockMeta], spans: Spans) -> Option<BTreeSet<u64>> {
    overlapping(blocks, spans).or_else(|| in_one_span(blocks, spans))
}

fn overlapping(blocks: &[BlockMeta], spans: Spans) -> Option<BTreeSet<u64>> {
    let mut by_start: Vec<&BlockMeta> = blocks.iter().collect();
    by_start.sort_by_key(|block| (block.start, block.id));
    let mut group: Vec<&BlockMeta> = Vec::new();
    let mut group_end = i64::MIN;
    let worth = |group: &[&BlockMeta]| {
        let largest = group.iter().map(|block| block.bytes).max().unwrap_or(0);
        let all: u64 = group.iter().map(|block| block.bytes).sum();
        let lopsided = largest >= (all - largest).saturating_mul(LOPSIDED);
        group.len() >= 2 && (!lopsided || group.len() >= OVERLAPPING_MAX)
    };
    let numbers = |group: &[&BlockMeta]| group.iter().map(|block| block.id).collect();
    for block in by_start {
        let too_long = |first: &&BlockMeta| {
            block.end.max(group_end).saturating_sub(first.start)
                > spans.largest_ms.max(spans.smallest_ms)
        };
        if block.start > group_end || group.first().is_some_and(too_long) {
            if worth(&group) {
                return Some(numbers(&group));
            }
            group.clear();
            group_end = i64::MIN;
        }
        group.push(block);
        group_end = group_end.max(block.end);
    }
    worth(&group).then(|| numbers(&group))
}

fn in_one_span(blocks: &[BlockMeta], spans: Spans) -> Option<BTreeSet<u64>> {
    let mut span_ms = spans.smallest_ms;
    while span_ms <= spans.largest_ms.max(spans.smallest_ms) {
        let span_of = |block: &BlockMeta| {
            let start = window_start(block.start, span_ms);
            let inside = block.end.saturating_sub(start) < span_ms;
            let over = start.saturating_add(span_ms) <= spans.boundary;
            (inside && over).then_some(start)
        };
        for block in blocks {
            let Some(start) = span_of(block) else {
                continue;
            };
            let same: BTreeSet<u64> = blocks
                .iter()
                .filter(|other| span_of(other) == Some(start))
                .map(|other| other.id)
                .collect();
            if same.len() >= 2 {
                return Some(same);
            }
        }
        span_ms = span_ms.saturating_mul(SPAN_GROWTH);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Spans, plan};
    use crate::block::BlockMeta;

    fn check(blocks: &[(i64, i64, u64)], want: Option<&[u64]>) {
        let spans = Spans {
            smallest_ms: 10,
            largest_ms: 90,
            boundary: 95,
        };
        let blocks: Vec<BlockMeta> = (1..)
            .zip(blocks)
            .map(|(id, &(start, end, bytes))| BlockMeta {
                id,
                order: id,
                window_ms: 0,
                start,
                end,
                series: 1,
                samples: 1,
                bytes,
            })
            .collect();
        let group: Option<Vec<u64>> = plan(&blocks, spans).map(|group| group.into_iter().collect());
        assert_eq!(group.as_deref(), want, "{blocks:?}");
    }

    #[test]
    fn plans() {
        check(&[], None);
        check(&[(0, 9, 1), (10, 19, 1)], Some(&[1, 2]));
        check(&[(20, 29, 1), (30, 39, 1)], Some(&[1, 2]));
        check(&[(80, 89, 1), (90, 92, 1)], None);
        check(&[(80, 84, 1), (85, 89, 1)], Some(&[1, 2]));
        check(&[(0, 29, 1), (30, 59, 1), (60, 89, 1)], Some(&[1, 2, 3]));
        check(&[(90, 99, 1), (100, 109, 1)], None);
        check(&[(0, 9, 1), (3, 5, 1)], Some(&[1, 2]));
        check(&[(0, 89, 100), (3, 5, 1)], Some(&[1, 2]));
        check(&[(60, 99, 100), (63, 65, 1)], None);
        check(&[(60, 99, 10), (63, 65, 1), (70, 71, 1)], Some(&[1, 2, 3]));
    }
}
