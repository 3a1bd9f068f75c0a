//! How much memory the decoded indexes of all blocks take together.
//!
//! An index beyond the limit is decoded for one query and dropped: slower, but bounded. Those that nobody
//! asked for lately make room, see `Block::trim_memory`.

use super::BlockIndex;
use runtime::metrics::Counter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The account of one database.
#[derive(Debug)]
pub(crate) struct IndexMemory {
    /// What all indexes may take.
    bytes_max: usize,
    bytes: AtomicUsize,
    /// Counts indexes that found no room.
    refused: Counter,
}

impl IndexMemory {
    pub(crate) const fn new(bytes_max: usize, refused: Counter) -> Self {
        Self {
            bytes_max,
            bytes: AtomicUsize::new(0),
            refused,
        }
    }

    /// Bytes of all indexes that are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether idle indexes should make room.
    pub(super) fn is_crowded(&self) -> bool {
        self.bytes() > self.bytes_max / 4 * 3
    }

    /// Keeps an index if there is room.
    pub(super) fn hold(self: &Arc<Self>, index: &Arc<BlockIndex>) -> Option<HeldIndex> {
        let bytes = index.size_bytes();
        if self.bytes().saturating_add(bytes) > self.bytes_max {
            self.refused.increment();
            return None;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Some(HeldIndex {
            index: Arc::clone(index),
            bytes,
            memory: Arc::clone(self),
        })
    }
}

/// An index that is kept; its bytes are free again when this is dropped.
pub(super) struct HeldIndex {
    index: Arc<BlockIndex>,
    bytes: usize,
    memory: Arc<IndexMemory>,
}

impl HeldIndex {
    pub(super) fn index(&self) -> Arc<BlockIndex> {
        Arc::clone(&self.index)
    }
}

impl Drop for HeldIndex {
    fn drop(&mut self) {
        self.memory.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
