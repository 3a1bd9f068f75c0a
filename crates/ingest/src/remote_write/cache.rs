//! Series that remote write has seen before, known by the hash of their labels as sent.
//!
//! A hit is confirmed by comparing every label with those of the series, so a hash that two series share costs
//! time and never mixes them up. Two generations: a series moves from the old into the young when it is seen
//! again, and now and then the old one is dropped with what was not.

use super::labels::LabelEncoder;
use super::{BatchRow, LabelLimits};
use crate::protobuf::{Message, ProtobufError};
use model::Labels;
use runtime::{HashMap, Seeded};
use std::hash::BuildHasher;
use tsdb::{Db, SeriesHandle};

/// Series a generation holds at most; some 30 bytes each.
const SERIES_MAX: usize = 2_000_000;

/// Generations change when so many series were asked for as this times what the young one holds.
const LOOKUPS_PER_SERIES: usize = 16;

/// Look-ups before which generations never change, so that a small set is not dropped all the time.
const LOOKUPS_MIN: usize = 100_000;

/// Handles of series in one store.
#[derive(Default)]
pub struct SeriesCache {
    hasher: Seeded,
    young: HashMap<u64, SeriesHandle>,
    old: HashMap<u64, SeriesHandle>,
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
        let hash = self.hasher.hash_one(row.labels.rest());
        let is_known = |series: &SeriesHandle| is_same(row.labels, series.labels());
        if !self.young.get(&hash).is_some_and(is_known) {
            let series = match self.old.remove(&hash).filter(is_known) {
                Some(series) => series,
                None => {
                    let encoded = self.encoder.encode(row.labels, limits)?;
                    let Some(series) = db.series_handle_encoded(encoded) else {
                        return Ok(None);
                    };
                    series
                }
            };
            self.young.insert(hash, series);
        }
        Ok(self.young.get(&hash))
    }

    fn change_generations(&mut self) {
        self.lookups += 1;
        let due = (self.young.len() * LOOKUPS_PER_SERIES).max(LOOKUPS_MIN);
        if self.lookups > due || self.young.len() >= SERIES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.lookups = 0;
        }
    }
}

/// Whether labels as sent are exactly those of a series, in the same order.
pub(super) fn is_same(sent: Message<'_>, labels: &Labels) -> bool {
    compare(sent, labels).unwrap_or(false)
}

fn compare(mut sent: Message<'_>, labels: &Labels) -> Result<bool, ProtobufError> {
    for (name, value) in labels {
        let Some((1, wire)) = sent.next_field()? else {
            return Ok(false);
        };
        let mut label = sent.message(wire)?;
        let is_next = |label: &mut Message<'_>, number, text: &str| {
            let Some((field, wire)) = label.next_field()? else {
                return Ok(false);
            };
            Ok::<bool, ProtobufError>(field == number && label.bytes(wire)? == text.as_bytes())
        };
        let is_equal = is_next(&mut label, 1, name)? && is_next(&mut label, 2, value)?;
        if !is_equal || label.remaining() > 0 {
            return Ok(false);
        }
    }
    Ok(sent.remaining() == 0)
}
