//! The newest samples, in memory, with their inverted index.
//!
//! Each series holds a short tail of plain samples and encoded chunks; the series of one scrape
//! share their timestamp columns. Lookup goes by the encoded labels over shards, so that writers
//! seldom meet; a query holds the lock of one series only while it decodes that one. Everything here is
//! rebuilt from the write-ahead log.

mod chunk;
mod data;
mod image;
mod index;
mod series;
mod starts;
mod tail;

pub(crate) use chunk::TimesPool;
pub(crate) use data::Inserted;
pub(crate) use image::TimesTable;
pub(crate) use series::HeadSeries;

use index::HeadIndex;
use model::{Labels, Matcher};
use runtime::{HashMap, Seeded};
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use storage::encoding::Decoder;

/// Series lie anywhere in memory: so many are fetched together, which takes as long as one.
pub(crate) const AHEAD: usize = 8;

/// Parts of the lookup table; more than threads, so that they seldom meet.
const SHARDS: usize = 32;

/// Series that are removed from the index while new ones wait.
const FORGOTTEN_AT_ONCE: usize = 50_000;

/// What series are looked up by: the encoded labels with their hash, which is computed once and serves
/// both the choice of the shard and the table inside it.
trait Key {
    fn hash(&self) -> u64;
    fn encoded(&self) -> &str;
}

/// The key of a series in the table.
struct Held {
    hash: u64,
    labels: Labels,
}

/// The key of a lookup.
struct Sought<'a> {
    hash: u64,
    encoded: &'a str,
}

impl Key for Held {
    fn hash(&self) -> u64 {
        self.hash
    }

    fn encoded(&self) -> &str {
        self.labels.encoded()
    }
}

impl Key for Sought<'_> {
    fn hash(&self) -> u64 {
        self.hash
    }

    fn encoded(&self) -> &str {
        self.encoded
    }
}

impl<'a> Borrow<dyn Key + 'a> for Held {
    fn borrow(&self) -> &(dyn Key + 'a) {
        self
    }
}

impl Hash for dyn Key + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Key::hash(self));
    }
}

impl PartialEq for dyn Key + '_ {
    fn eq(&self, other: &Self) -> bool {
        Key::hash(self) == Key::hash(other) && self.encoded() == other.encoded()
    }
}

impl Eq for dyn Key + '_ {}

impl Hash for Held {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.encoded() == other.encoded()
    }
}

impl Eq for Held {}

type Shard = RwLock<HashMap<Held, Arc<HeadSeries>>>;

/// All series with recent samples.
pub(crate) struct Head {
    shards: Vec<Shard>,
    hasher: Seeded,
    index: RwLock<HeadIndex>,
    next_id: AtomicU32,
    series_max: usize,
    pub(crate) counts: Counts,
}

/// What the head holds.
pub(crate) struct Counts {
    series: AtomicUsize,
    /// Series that were ever made, those read back at the opening included.
    pub(crate) created: AtomicUsize,
    /// Samples, those that are being cut included.
    pub(crate) samples: AtomicUsize,
    /// The newest time that was ever appended.
    pub(crate) newest: AtomicI64,
    /// Samples that came after their window was cut.
    pub(crate) late: AtomicUsize,
}

impl Head {
    pub(crate) fn new(series_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            hasher: Seeded::default(),
            index: RwLock::default(),
            next_id: AtomicU32::new(1),
            series_max,
            counts: Counts {
                series: AtomicUsize::new(0),
                created: AtomicUsize::new(0),
                samples: AtomicUsize::new(0),
                newest: AtomicI64::new(i64::MIN),
                late: AtomicUsize::new(0),
            },
        }
    }

    /// The key of a lookup and the part of the table where it belongs.
    fn sought<'a>(&self, encoded: &'a str) -> (Sought<'a>, &Shard) {
        let hash = self.hasher.hash_one(encoded);
        // The top bits: the table inside the shard uses the others.
        let shard = usize::try_from(hash >> 59).unwrap_or_default() % SHARDS;
        (Sought { hash, encoded }, &self.shards[shard])
    }

    /// The series with these labels, if it is in the head.
    pub(crate) fn find(&self, encoded: &str) -> Option<Arc<HeadSeries>> {
        let (key, shard) = self.sought(encoded);
        let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&key as &dyn Key).map(Arc::clone)
    }

    /// The series with these labels; made if there is room for another one.
    pub(crate) fn find_or_create(&self, labels: &Labels) -> Option<Arc<HeadSeries>> {
        if let Some(series) = self.find(labels.encoded()) {
            return Some(series);
        }
        (self.series_count() < self.series_max).then(|| self.restore_series(labels))
    }

    /// The series with these labels; made if it is not there, whatever the limit.
    pub(crate) fn restore_series(&self, labels: &Labels) -> Arc<HeadSeries> {
        match self.find(labels.encoded()) {
            Some(series) => series,
            None => self.create(self.next_id.fetch_add(1, Ordering::Relaxed), labels),
        }
    }

    /// The series with these labels; made under this id, as the log says, if it is not there.
    pub(crate) fn restore(&self, id: u32, labels: &Labels) -> Arc<HeadSeries> {
        self.next_id
            .fetch_max(id.saturating_add(1), Ordering::Relaxed);
        match self.find(labels.encoded()) {
            Some(series) => series,
            // Another process may have given the id to other labels, in a part of the log that is gone.
            None if self.with_id(id).is_some() => self.restore_series(labels),
            None => self.create(id, labels),
        }
    }

    /// The id of the next series that is made.
    pub(crate) fn next_id(&self) -> u32 {
        self.next_id.load(Ordering::Relaxed)
    }

    /// Makes ids from here on.
    pub(crate) fn skip_ids(&self, next_id: u32) {
        self.next_id.fetch_max(next_id, Ordering::Relaxed);
    }

    /// Reads series as `HeadSeries::encode` wrote them and takes them into the table; `None` for bytes that it did
    /// not write. The caller hands them to `index_series`.
    pub(crate) fn restore_encoded(
        &self,
        decoder: &mut Decoder<'_>,
    ) -> Option<Vec<Arc<HeadSeries>>> {
        let mut times = TimesTable::decode(decoder)?;
        let mut restored = Vec::new();
        let mut samples = 0;
        let mut last_id = 0;
        for _ in 0..decoder.count()? {
            let series = Arc::new(HeadSeries::decode(decoder, &mut times)?);
            last_id = series.id.max(last_id);
            let (key, shard) = self.sought(series.labels.encoded());
            let held = Held {
                hash: key.hash,
                labels: series.labels.clone(),
            };
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            if shard.insert(held, Arc::clone(&series)).is_some() {
                return None;
            }
            samples += series.sample_count();
            restored.push(series);
        }
        self.next_id
            .fetch_max(last_id.saturating_add(1), Ordering::Relaxed);
        self.counts
            .series
            .fetch_add(restored.len(), Ordering::Relaxed);
        self.counts.samples.fetch_add(samples, Ordering::Relaxed);
        Some(restored)
    }

    /// Puts series that are in the table into the index.
    pub(crate) fn index_series(&self, all: &[Arc<HeadSeries>]) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        for series in all {
            index.insert(series);
        }
    }

    /// The series with an id.
    pub(crate) fn with_id(&self, id: u32) -> Option<Arc<HeadSeries>> {
        self.index().with_id(id).map(Arc::clone)
    }

    /// Whether the series with an id has these labels.
    pub(crate) fn is_named(&self, id: u32, encoded: &str) -> bool {
        let index = self.index();
        let series = index.with_id(id);
        series.is_some_and(|series| series.labels.encoded() == encoded)
    }

    fn create(&self, id: u32, labels: &Labels) -> Arc<HeadSeries> {
        let (key, shard) = self.sought(labels.encoded());
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = shard.get(&key as &dyn Key) {
            return Arc::clone(series);
        }
        let series = Arc::new(HeadSeries::new(id, labels.clone()));
        let held = Held {
            hash: key.hash,
            labels: labels.clone(),
        };
        shard.insert(held, Arc::clone(&series));
        self.index
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(&series);
        self.counts.series.fetch_add(1, Ordering::Relaxed);
        self.counts.created.fetch_add(1, Ordering::Relaxed);
        series
    }

    /// In how many parts `retire_idle` goes.
    pub(crate) fn part_count(&self) -> usize {
        self.shards.len()
    }

    /// Takes series without samples whose newest one is older than `before` out of one part of the table. The
    /// caller keeps writers out meanwhile and calls `forget` at the end.
    pub(crate) fn retire_idle(&self, part: usize, before: i64, removed: &mut Vec<Arc<HeadSeries>>) {
        let Some(shard) = self.shards.get(part) else {
            return;
        };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        let held = shard.len();
        shard.retain(|_, series| {
            let idle = series.retire_if_idle(before);
            if idle {
                removed.push(Arc::clone(series));
            }
            !idle
        });
        self.counts
            .series
            .fetch_sub(held - shard.len(), Ordering::Relaxed);
        if shard.len() < shard.capacity() / 4 {
            shard.shrink_to_fit();
        }
    }

    /// Removes series that were taken out of the table from the index.
    pub(crate) fn forget(&self, removed: &[Arc<HeadSeries>]) {
        for group in removed.chunks(FORGOTTEN_AT_ONCE) {
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            index.remove(group);
        }
    }

    pub(crate) fn series_count(&self) -> usize {
        self.counts.series.load(Ordering::Relaxed)
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, HeadIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The series that fulfil all matchers, in no particular order, each label set once.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<Arc<HeadSeries>> {
        let mut found = self.index().select(matchers);
        // Until `forget`, one that left the table stands in the index beside the one that came in its place. What
        // it had is in blocks.
        found.retain(|series| !series.is_retired());
        found
    }

    /// Every series, in no particular order. No lock is held for long.
    pub(crate) fn all(&self) -> Vec<Arc<HeadSeries>> {
        let mut all = Vec::with_capacity(self.series_count());
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            all.extend(shard.values().map(Arc::clone));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::Head;
    use model::Labels;
    use std::sync::Arc;

    #[test]
    fn a_series_that_comes_back_is_found_once() {
        let head = Head::new(10);
        let labels = Labels::from_pairs([("__name__", "m")]);
        let create = || head.find_or_create(&labels).expect("room");
        create();
        let mut removed = Vec::new();
        for part in 0..head.part_count() {
            head.retire_idle(part, i64::MAX, &mut removed);
        }
        let second = create();
        let check = || {
            let found = head.select(&[]);
            assert!(matches!(&*found, [one] if Arc::ptr_eq(one, &second)));
        };
        check();
        head.forget(&removed);
        check();
    }
}
