//! How much memory the decoded indexes of all blocks take together.
//!
//! An index beyond the limit is decoded for one query and dropped: slower, but bounded. Those that nobody
//! asked for lately make room, see `Block::trim_memory`. Blocks with nearly the same series share what says which ones
//! these are, which is most of an index; it counts once.

use super::BlockIndex;
use super::index::{BlockSeries, SeriesTable};
use runtime::metrics::Counter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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

    /// The series of a table, by the table of another index if they differ in few. `None` for a table that no encoder
    /// wrote.
    pub(super) fn share(&self, mut table: SeriesTable) -> Option<BlockSeries> {
        if let Some(series) = over_one_of(&self.tables(), &table) {
            return Some(series);
        }
        table.build_postings()?;
        let mut tables = self.tables();
        // Another thread may have been as far meanwhile.
        if let Some(series) = over_one_of(&tables, &table) {
            return Some(series);
        }
        let table = Arc::new(table);
        tables.retain(|other| other.strong_count() > 0);
        tables.push(Arc::downgrade(&table));
        Some(BlockSeries::whole(table))
    }

    fn tables(&self) -> MutexGuard<'_, Vec<Weak<SeriesTable>>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an index if there is room.
    pub(super) fn hold(self: &Arc<Self>, index: &Arc<BlockIndex>) -> Option<HeldIndex> {
        let table = index.series.table();
        let mut account = table.account.lock().unwrap_or_else(PoisonError::into_inner);
        let series = match account.upgrade() {
            Some(held) => held,
            None => Arc::new(self.take(table.size_bytes())?),
        };
        let own = self.take(index.size_bytes())?;
        *account = Arc::downgrade(&series);
        Some(HeldIndex {
            index: Arc::clone(index),
            _accounts: (own, series),
        })
    }

    fn take(self: &Arc<Self>, bytes: usize) -> Option<HeldBytes> {
        let more = |held: usize| {
            let held = held.saturating_add(bytes);
            (held <= self.bytes_max).then_some(held)
        };
        if self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_err()
        {
            self.refused.increment();
            return None;
        }
        Some(HeldBytes {
            bytes,
            memory: Arc::clone(self),
        })
    }
}

fn over_one_of(tables: &[Weak<SeriesTable>], own: &SeriesTable) -> Option<BlockSeries> {
    let mut alive = tables.iter().filter_map(Weak::upgrade);
    alive.find_map(|table| BlockSeries::over(&table, own))
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
