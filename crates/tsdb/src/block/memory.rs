//! How much memory the decoded indexes of all blocks take together.
//!
//! An index beyond the limit is decoded for one query and dropped: slower, but bounded. Those that nobody
//! asked for lately make room, see `Block::trim_memory`. Blocks with the same series share what says which ones
//! these are, which is most of an index; it counts once.

use super::BlockIndex;
use super::index::SeriesTable;
use runtime::metrics::Counter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The account of one database.
#[derive(Debug)]
pub(crate) struct IndexMemory {
    /// What all indexes may take.
    bytes_max: usize,
    bytes: AtomicUsize,
    /// Counts indexes that found no room.
    refused: Counter,
    /// The tables of all indexes in memory.
    tables: Mutex<Vec<Weak<SeriesTable>>>,
}

impl IndexMemory {
    pub(crate) const fn new(bytes_max: usize, refused: Counter) -> Self {
        Self {
            bytes_max,
            bytes: AtomicUsize::new(0),
            refused,
            tables: Mutex::new(Vec::new()),
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

    /// The table of another index that has the same series, or this one, made ready for queries.
    pub(super) fn share(&self, mut table: SeriesTable) -> Option<Arc<SeriesTable>> {
        if let Some(equal) = self.equal_to(&table) {
            return Some(equal);
        }
        table.build_postings()?;
        let table = Arc::new(table);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.retain(|other| other.strong_count() > 0);
        tables.push(Arc::downgrade(&table));
        Some(table)
    }

    fn equal_to(&self, table: &SeriesTable) -> Option<Arc<SeriesTable>> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alive = tables.iter().filter_map(Weak::upgrade);
        alive.find(|other| other.has_the_series_of(table))
    }

    /// Keeps an index if there is room.
    pub(super) fn hold(self: &Arc<Self>, index: &Arc<BlockIndex>) -> Option<HeldIndex> {
        let mut account = index
            .series
            .account
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let series = match account.upgrade() {
            Some(held) => held,
            None => Arc::new(self.take(index.series.size_bytes())?),
        };
        let own = self.take(index.size_bytes())?;
        *account = Arc::downgrade(&series);
        Some(HeldIndex {
            index: Arc::clone(index),
            _accounts: (own, series),
        })
    }

    fn take(self: &Arc<Self>, bytes: usize) -> Option<HeldBytes> {
        if self.bytes().saturating_add(bytes) > self.bytes_max {
            self.refused.increment();
            return None;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Some(HeldBytes {
            bytes,
            memory: Arc::clone(self),
        })
    }
}

/// A part of the account; the bytes are free again when this is dropped.
pub(super) struct HeldBytes {
    bytes: usize,
    memory: Arc<IndexMemory>,
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.memory.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// An index that is kept.
pub(super) struct HeldIndex {
    index: Arc<BlockIndex>,
    /// For itself, and for its series together with all others that have them.
    _accounts: (HeldBytes, Arc<HeldBytes>),
}

impl HeldIndex {
    pub(super) fn index(&self) -> Arc<BlockIndex> {
        Arc::clone(&self.index)
    }
}
