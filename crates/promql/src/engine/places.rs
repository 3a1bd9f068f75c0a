//! Where the samples of each step lie among the times of a series.
//!
//! They are found once for each column of times and kept: the series of one scrape have one column, and those of many
//! targets take turns.

use crate::functions::Stretch;
use runtime::HashMap;
use std::cell::OnceCell;
use std::sync::Arc;

/// Steps that are kept, of all columns together: 4 MB.
const HELD_MAX: usize = 1 << 16;

/// The places of the samples of each step.
#[derive(Default)]
pub(super) struct Places {
    times: Arc<[i64]>,
    /// Of the latest sample: its place, `usize::MAX` for none. Of a window: the first place and the one past
    /// the last.
    pub(super) bounds: Vec<(usize, usize)>,
    /// Samples in all windows.
    pub(super) samples: usize,
    /// What `rate` and its like make of the times of each window.
    pub(super) stretches: OnceCell<Vec<Stretch>>,
}

/// The places for columns of times that were seen before, for one way to find them.
#[derive(Default)]
pub(super) struct KnownPlaces {
    /// By where the times lie in memory; each is held, so no other one can lie there.
    known: HashMap<usize, Places>,
    held: usize,
}

impl KnownPlaces {
    /// The places for these times; `find` finds those that are new.
    pub(super) fn of(
        &mut self,
        times: &Arc<[i64]>,
        find: impl FnOnce(&[i64], &mut Vec<(usize, usize)>),
    ) -> &Places {
        let address = Arc::as_ptr(times).addr();
        let is_known = self
            .known
            .get(&address)
            .is_some_and(|places| Arc::ptr_eq(&places.times, times));
        if !is_known {
            let mut places = Places {
                times: Arc::clone(times),
                ..Places::default()
            };
            find(times, &mut places.bounds);
            let samples = places.bounds.iter().map(|(first, past)| past - first);
            places.samples = samples.sum();
            self.held += places.bounds.len();
            if self.held > HELD_MAX {
                self.known.clear();
                self.held = places.bounds.len();
            }
            self.known.insert(address, places);
        }
        self.known.entry(address).or_default()
    }
}
