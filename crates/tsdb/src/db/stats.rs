//! What the head holds and where its cardinality comes from: the numbers of `/api/v1/status/tsdb`.

use super::Db;
use super::compact::SPAN_GROWTH;
use crate::block::block_name;
use std::sync::atomic::Ordering;

/// Something with a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelCount {
    /// A metric name, a label name, or `name=value`.
    pub name: String,
    /// The number.
    pub count: u64,
}

/// A block on disk: the numbers of `/api/v1/status/tsdb/blocks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Its number, unique as long as the database lives; names its file.
    pub id: u64,
    /// The name of its file.
    pub file: String,
    /// Time of the first sample, in ms.
    pub start_ms: i64,
    /// Time of the last sample, in ms.
    pub end_ms: i64,
    /// Series in it.
    pub series: u64,
    /// Samples in it.
    pub samples: u64,
    /// Bytes of its file.
    pub bytes: u64,
    /// 1 for a block as long as those cut from the head, one more for each span of merged blocks.
    pub level: u32,
    /// Length of the windows that samples were summarised to, in ms; 0 for samples as they came.
    pub resolution_ms: i64,
    /// Series of which something was deleted since the block was written.
    pub series_with_deletions: usize,
}

/// The state of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series in the head.
    pub series: usize,
    /// Samples in the head.
    pub samples: usize,
    /// Chunks in the head.
    pub chunks: usize,
    /// Different pairs of label and value in the head.
    pub label_pairs: usize,
    /// Time of the oldest sample in the head as far as windows go, in ms; `None` for an empty head.
    pub start_ms: Option<i64>,
    /// Time of the newest sample, in ms.
    pub end_ms: Option<i64>,
    /// Blocks on disk.
    pub blocks: usize,
    /// Their bytes.
    pub block_bytes: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// Metric names by their series, the largest first.
    pub series_by_metric_name: Vec<LabelCount>,
    /// Label names by their different values.
    pub values_by_label_name: Vec<LabelCount>,
    /// Label names by the bytes of their values in all series.
    pub memory_by_label_name: Vec<LabelCount>,
    /// `name=value` pairs by their series.
    pub series_by_label_pair: Vec<LabelCount>,
}

/// The head in numbers: what costs less to count than `Stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadNumbers {
    /// Series.
    pub series: usize,
    /// Chunks.
    pub chunks: usize,
    /// Series that were ever made since the opening.
    pub series_created: usize,
    /// Of those, how many were taken out again.
    pub series_removed: usize,
    /// Time of the oldest sample, in ms.
    pub start_ms: Option<i64>,
    /// Time of the newest sample, in ms.
    pub end_ms: Option<i64>,
}

impl Db {
    /// Counts the head. Looks at every series: not more often than once a minute or so.
    #[must_use]
    pub fn head_numbers(&self) -> HeadNumbers {
        let counts = &self.head.counts;
        let series = self.head.all();
        let newest = counts.newest.load(Ordering::Relaxed);
        let boundary = self.boundary.load(Ordering::Relaxed);
        let oldest = series.iter().filter_map(|series| series.oldest()).min();
        let created = counts.created.load(Ordering::Relaxed);
        HeadNumbers {
            series: self.head.series_count(),
            chunks: series.iter().map(|series| series.chunk_count()).sum(),
            series_created: created,
            series_removed: created.saturating_sub(self.head.series_count()),
            start_ms: oldest.map(|oldest| oldest.max(boundary)),
            end_ms: (newest != i64::MIN).then_some(newest),
        }
    }

    /// The blocks on disk, the oldest first.
    #[must_use]
    pub fn block_infos(&self) -> Vec<BlockInfo> {
        let blocks = self.blocks();
        let infos = blocks.iter().map(|block| {
            let meta = &block.meta;
            BlockInfo {
                id: meta.id,
                file: block_name(meta.id),
                start_ms: meta.start,
                end_ms: meta.end,
                series: meta.series,
                samples: meta.samples,
                bytes: meta.bytes,
                level: level_of(meta.end.saturating_sub(meta.start), self.options.block_ms),
                resolution_ms: meta.window_ms,
                series_with_deletions: block.tombstones().series_count(),
            }
        });
        let mut infos: Vec<BlockInfo> = infos.collect();
        infos.sort_by_key(|info| (info.start_ms, info.id));
        infos
    }

    /// Counts what the database holds; of each list the `top` largest.
    #[must_use]
    pub fn stats(&self, top: usize) -> Stats {
        let counts = &self.head.counts;
        let blocks = self.blocks();
        let newest = counts.newest.load(Ordering::Relaxed);
        let boundary = self.boundary.load(Ordering::Relaxed);
        let mut stats = Stats {
            series: self.head.series_count(),
            samples: counts.samples.load(Ordering::Relaxed),
            blocks: blocks.len(),
            block_bytes: blocks.iter().map(|block| block.meta.bytes).sum(),
            wal_bytes: self.wal.size_bytes(),
            end_ms: (newest != i64::MIN).then_some(newest),
            ..Stats::default()
        };
        let series = self.head.all();
        stats.chunks = series.iter().map(|series| series.chunk_count()).sum();
        let oldest = series.iter().filter_map(|series| series.oldest()).min();
        stats.start_ms = oldest.map(|oldest| oldest.max(boundary));
        for (name, values) in self.head.index().labels() {
            let of = |name: &str, count| LabelCount {
                name: name.to_owned(),
                count,
            };
            stats.label_pairs += values.len();
            stats
                .values_by_label_name
                .push(of(name, values.len() as u64));
            let mut bytes = 0;
            for (value, ids) in values {
                let series = ids.len() as u64;
                bytes += value.len() as u64 * series;
                stats
                    .series_by_label_pair
                    .push(of(&format!("{name}={value}"), series));
                if name == model::METRIC_NAME {
                    stats.series_by_metric_name.push(of(value, series));
                }
            }
            stats.memory_by_label_name.push(of(name, bytes));
        }
        for list in [
            &mut stats.series_by_metric_name,
            &mut stats.values_by_label_name,
            &mut stats.memory_by_label_name,
            &mut stats.series_by_label_pair,
        ] {
            list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
            list.truncate(top);
        }
        stats
    }
}

/// How many times the span of merged blocks grew until one of this length fitted.
fn level_of(length_ms: i64, block_ms: i64) -> u32 {
    let mut level = 1;
    let mut span_ms = block_ms.max(1);
    while length_ms >= span_ms && level < 20 {
        span_ms = span_ms.saturating_mul(SPAN_GROWTH);
        level += 1;
    }
    level
}

#[cfg(test)]
mod tests {
    use super::level_of;

    #[test]
    fn levels() {
        let check = |length, level| assert_eq!(level_of(length, 10), level, "{length}");
        check(0, 1);
        check(9, 1);
        check(29, 2);
        check(89, 3);
        check(i64::MAX, 20);
    }
}
