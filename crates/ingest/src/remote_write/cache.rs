//! Series that remote write has seen before, known by their labels exactly as they were sent.
//!
//! Key decisions. The bytes are kept and compared whole: taking labels apart to compare them with those of the
//! series would spare some 100 bytes a series, but costs ten times as much for every sample. They lie one
//! behind the other in the order in which they came first. Senders repeat their series in one order, so the
//! one behind that of the row before is tried first; memory is then read front to back, and nothing is
//! hashed. Series that were not sent for a while are swept out.

use super::labels::LabelEncoder;
use super::{BatchRow, LabelLimits};
use runtime::{HashMap, Seeded};
use std::hash::BuildHasher;
use tsdb::{Db, SeriesHandle};

/// Bytes of labels that are held at most: a million series of usual size. With more of them alive, some
/// are looked up in the store each time.
const LABEL_BYTES_MAX: usize = 128 << 20;

/// A round is over when so many series were asked for as this times those that are known.
const LOOKUPS_PER_SERIES: usize = 16;

/// Look-ups in a round at least, so that a small set is not swept all the time.
const LOOKUPS_MIN: usize = 100_000;

/// The cache is swept when one in so many series was not asked for in a round.
const UNSEEN_SHARE: usize = 8;

struct Known {
    series: SeriesHandle,
    /// Where its labels begin; they end where those of the next begin.
    start: u32,
    /// The last bit of the round in which it was asked for.
    seen_in_odd: bool,
}

/// Handles of series in one store.
#[derive(Default)]
pub struct SeriesCache {
    hasher: Seeded,
    known: Vec<Known>,
    /// The labels of all, as sent.
    labels: Vec<u8>,
    /// Places in `known` by half the hash of the labels; of two series with one hash the later is found.
    places: HashMap<u32, u32>,
    /// The place behind that of the series before.
    next: usize,
    /// Look-ups in this round.
    lookups: usize,
    /// Series that were asked for in this round.
    seen: usize,
    round_is_odd: bool,
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
        self.lookups += 1;
        if let Some(place) = self.find(sent) {
            self.next = place + 1;
            let known = &mut self.known[place];
            if known.seen_in_odd != self.round_is_odd {
                known.seen_in_odd = self.round_is_odd;
                self.seen += 1;
            }
            use_series(&known.series);
            return Ok(true);
        }
        let encoded = self.encoder.encode(row.labels, limits)?;
        let Some(series) = db.series_handle_encoded(encoded) else {
            return Ok(false);
        };
        use_series(&series);
        if row.labels_alone {
            self.end_round();
            self.add(sent, series);
        }
        Ok(true)
    }

    /// The place of the series that was sent with these labels.
    fn find(&self, sent: &[u8]) -> Option<usize> {
        // The row that follows the last one is usually the first again.
        let expected = if self.next < self.known.len() {
            self.next
        } else {
            0
        };
        if self.labels_at(expected) == Some(sent) {
            return Some(expected);
        }
        let place = self.places.get(&self.hash(sent))?;
        let place = usize::try_from(*place).ok()?;
        (self.labels_at(place) == Some(sent)).then_some(place)
    }

    fn labels_at(&self, place: usize) -> Option<&[u8]> {
        let start = usize::try_from(self.known.get(place)?.start).ok()?;
        match self.known.get(place + 1) {
            Some(next) => self.labels.get(start..usize::try_from(next.start).ok()?),
            None => self.labels.get(start..),
        }
    }

    /// Half the hash: two in a million series share one, and only cost a look-up in the store.
    fn hash(&self, sent: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(sent);
        u32::try_from(hash >> 32).unwrap_or_default()
    }

    fn add(&mut self, sent: &[u8], series: SeriesHandle) {
        let place = u32::try_from(self.known.len());
        let (Ok(place), Ok(start)) = (place, u32::try_from(self.labels.len())) else {
            return;
        };
        self.places.insert(self.hash(sent), place);
        self.labels.extend_from_slice(sent);
        self.known.push(Known {
            series,
            start,
            seen_in_odd: self.round_is_odd,
        });
        self.seen += 1;
        self.next = self.known.len();
    }

    /// Sweeps series out that were not asked for lately, when a round is over or the memory full.
    fn end_round(&mut self) {
        let is_full = self.labels.len() > LABEL_BYTES_MAX;
        let due = (self.known.len() * LOOKUPS_PER_SERIES).max(LOOKUPS_MIN);
        if self.lookups <= due && !is_full {
            return;
        }
        let unseen = self.known.len() - self.seen.min(self.known.len());
        if is_full && unseen == 0 {
            *self = Self::new();
        } else if is_full || unseen > self.known.len() / UNSEEN_SHARE {
            self.sweep();
        }
        self.lookups = 0;
        self.seen = 0;
        self.round_is_odd = !self.round_is_odd;
    }

    fn sweep(&mut self) {
        let mut swept = Self {
            round_is_odd: self.round_is_odd,
            encoder: std::mem::take(&mut self.encoder),
            ..Self::default()
        };
        for (place, known) in self.known.iter().enumerate() {
            if known.seen_in_odd == self.round_is_odd
                && let Some(sent) = self.labels_at(place)
            {
                swept.add(sent, known.series.clone());
            }
        }
        *self = swept;
    }
}
