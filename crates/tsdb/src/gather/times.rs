//! Timestamp columns that the series of one query share.
//!
//! The series of one scrape have the same times. Each gets the same column, so that what a query engine works out
//! for a column of times serves all of them. A column is found again by what it is made of.

use runtime::{HashMap, Seeded};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::Arc;

/// Times that are kept for comparison, in all columns together: 1 MB.
const HELD_MAX: usize = 1 << 17;

/// Where the times of some samples stand.
#[derive(Clone, Debug)]
pub(super) enum Times {
    /// In a part of a column that is shared already.
    Shared(Arc<[i64]>, Range<usize>),
    /// In a part of the times that were copied for this series.
    Copied(Range<usize>),
}

impl Times {
    /// The times themselves.
    pub(super) fn of<'a>(&'a self, copied: &'a [i64]) -> &'a [i64] {
        match self {
            Self::Shared(column, part) => column.get(part.clone()),
            Self::Copied(part) => copied.get(part.clone()),
        }
        .unwrap_or_default()
    }
}

/// Timestamp columns of one query.
#[derive(Default)]
pub(crate) struct SharedTimes {
    columns: HashMap<u64, Held>,
    hasher: Seeded,
    held: usize,
}

/// A column and what it was made of.
struct Held {
    parts: Vec<Times>,
    copied: Vec<i64>,
    column: Arc<[i64]>,
}

impl SharedTimes {
    /// The column that these times make, one behind the other.
    pub(super) fn share<'t>(
        &mut self,
        parts: impl Iterator<Item = &'t Times> + Clone,
        copied: &[i64],
    ) -> Arc<[i64]> {
        let mut all = parts.clone();
        if let (Some(Times::Shared(column, part)), None) = (all.next(), all.next())
            && part.len() == column.len()
        {
            return Arc::clone(column);
        }
        let hash = self.hash(parts.clone(), copied);
        if let Some(held) = self.columns.get(&hash)
            && held.is_made_of(parts.clone(), copied)
        {
            return Arc::clone(&held.column);
        }
        let slices: Vec<&[i64]> = parts.clone().map(|part| part.of(copied)).collect();
        let column: Arc<[i64]> = slices.concat().into();
        if self.held + column.len() > HELD_MAX {
            self.columns.clear();
            self.held = 0;
        }
        self.held += column.len();
        let held = Held {
            parts: parts.cloned().collect(),
            copied: copied.to_vec(),
            column: Arc::clone(&column),
        };
        self.columns.insert(hash, held);
        column
    }

    /// The column of these times.
    pub(super) fn share_slice(&mut self, times: &[i64]) -> Arc<[i64]> {
        self.share(std::iter::once(&Times::Copied(0..times.len())), times)
    }

    fn hash<'t>(&self, parts: impl Iterator<Item = &'t Times>, copied: &[i64]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for part in parts {
            match part {
                Times::Shared(column, part) => {
                    (Arc::as_ptr(column).addr(), part.start, part.end).hash(&mut hasher);
                }
                // Columns of one length that differ do so at one of these places, mostly.
                Times::Copied(part) => {
                    let times = copied.get(part.clone()).unwrap_or_default();
                    let middle = times.get(times.len() / 2);
                    (part.len(), times.first(), middle, times.last()).hash(&mut hasher);
                }
            }
        }
        hasher.finish()
    }
}

impl Held {
    fn is_made_of<'t>(&self, parts: impl Iterator<Item = &'t Times>, copied: &[i64]) -> bool {
        let same = |(a, b): (&Times, &Times)| match (a, b) {
            (Times::Shared(a, part), Times::Shared(b, other)) => Arc::ptr_eq(a, b) && part == other,
            (Times::Copied(part), Times::Copied(other)) => part == other,
            _ => false,
        };
        let mut count = 0;
        let all_same = self.parts.iter().zip(parts).all(|pair| {
            count += 1;
            same(pair)
        });
        all_same && count == self.parts.len() && self.copied == copied
    }
}
