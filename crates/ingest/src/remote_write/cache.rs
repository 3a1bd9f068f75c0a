//! Series that remote write has seen before, known by their labels exactly as they were sent.
//!
//! Key decision: the bytes are kept and compared whole. Taking labels apart to compare them with those of the
//! series would spare some 200 bytes a series, but costs ten times as much for every sample. Two generations: a
//! series moves from the old into the young when it is seen again, and now and then the old one is dropped with
//! what was not.

use super::labels::LabelEncoder;
use super::{BatchRow, LabelLimits};
use runtime::{HashMap, Seeded};
use std::hash::BuildHasher;
use tsdb::{Db, SeriesHandle};

/// Bytes of labels that a generation holds at most: half a million series of usual size. With more of
/// them alive, some are looked up in the store each time.
const LABEL_BYTES_MAX: usize = 128 << 20;

/// Generations change when so many series were asked for as this times what the young one holds.
const LOOKUPS_PER_SERIES: usize = 16;

/// Look-ups before which generations never change, so that a small set is not dropped all the time.
const LOOKUPS_MIN: usize = 100_000;

struct Known {
    labels_as_sent: Box<[u8]>,
    series: SeriesHandle,
}

/// Handles of series in one store.
#[derive(Default)]
pub struct SeriesCache {
    hasher: Seeded,
    /// By the hash of the labels; of two series with one hash the later is kept.
    young: HashMap<u64, Known>,
    old: HashMap<u64, Known>,
    /// Bytes of labels in the young generation.
    label_bytes: usize,
    /// Look-ups since generations changed.
    lookups: usize,
    encoder: LabelEncoder,
}

impl SeriesCache {
    /// Makes an empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `use_series` with the series of a row, made in the store where it is new.
    ///
    /// Answers whether there is one: not beyond the store's limit of series. An error says why the labels are
    /// refused.
    pub(super) fn with_series(
        &mut self,
        row: &BatchRow<'_>,
        limits: &LabelLimits,
        db: &Db,
        use_series: impl FnOnce(&SeriesHandle),
    ) -> Result<bool, String> {
        let sent = row.labels.rest();
        let hash = self.hasher.hash_one(sent);
        let is_known = |known: &&Known| *known.labels_as_sent == *sent;
        self.lookups += 1;
        if let Some(known) = self.young.get(&hash).filter(is_known) {
            use_series(&known.series);
            return Ok(true);
        }
        self.change_generations();
        let known = match self.old.remove(&hash).filter(|known| is_known(&known)) {
            Some(known) => known,
            None => {
                let encoded = self.encoder.encode(row.labels, limits)?;
                let Some(series) = db.series_handle_encoded(encoded) else {
                    return Ok(false);
                };
                Known {
                    labels_as_sent: Box::from(sent),
                    series,
                }
            }
        };
        use_series(&known.series);
        if row.labels_alone {
            self.label_bytes += sent.len();
            self.young.insert(hash, known);
        }
        Ok(true)
    }

    fn change_generations(&mut self) {
        let due = (self.young.len() * LOOKUPS_PER_SERIES).max(LOOKUPS_MIN);
        if self.lookups > due || self.label_bytes > LABEL_BYTES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.lookups = 0;
            self.label_bytes = 0;
        }
    }
}
