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
    /// The answer for a series that is not kept.
    passing: Option<SeriesHandle>,
}

impl SeriesCache {
    /// Makes an empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The series of a row, made in the store where it is new. `None` beyond the store's limit of series;
    /// an error says why the labels are refused.
    pub(super) fn series(
        &mut self,
        row: &BatchRow<'_>,
        limits: &LabelLimits,
        db: &Db,
    ) -> Result<Option<&SeriesHandle>, String> {
        if !row.labels_alone {
            let encoded = self.encoder.encode(row.labels, limits)?;
            self.passing = db.series_handle_encoded(encoded);
            return Ok(self.passing.as_ref());
        }
        self.change_generations();
        let sent = row.labels.rest();
        let hash = self.hasher.hash_one(sent);
        let is_known = |known: &Known| *known.labels_as_sent == *sent;
        if !self.young.get(&hash).is_some_and(is_known) {
            let known = match self.old.remove(&hash).filter(is_known) {
                Some(known) => known,
                None => {
                    let encoded = self.encoder.encode(row.labels, limits)?;
                    let Some(series) = db.series_handle_encoded(encoded) else {
                        return Ok(None);
                    };
                    Known {
                        labels_as_sent: Box::from(sent),
                        series,
                    }
                }
            };
            self.label_bytes += sent.len();
            self.young.insert(hash, known);
        }
        Ok(self.young.get(&hash).map(|known| &known.series))
    }

    fn change_generations(&mut self) {
        self.lookups += 1;
        let due = (self.young.len() * LOOKUPS_PER_SERIES).max(LOOKUPS_MIN);
        if self.lookups > due || self.label_bytes > LABEL_BYTES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.lookups = 0;
            self.label_bytes = 0;
        }
    }
}
