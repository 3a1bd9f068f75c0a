//! Where the samples of each step lie among the times of a series.
//!
//! They are found once for each column of times and kept: the series of one scrape have one column, and those of many
//! targets take turns.

use crate::functions::Stretch;
use runtime::HashMap;
use std::cell::OnceCell;
use std::sync::Arc;

/// Steps and times that are kept, of all columns together: 4 MB at most.
const HELD_MAX: usize = 1 << 17;

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
            // The times are another's as well, but only as long as that one reads them.
            let size = places.bounds.len() + times.len();
            self.held += size;
            if self.held > HELD_MAX {
                self.known.clear();
                self.held = size;
            }
            self.known.insert(address, places);
        }
        self.known.entry(address).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{HELD_MAX, KnownPlaces};
    use std::sync::Arc;

    /// Columns of so many times, for so many steps: how many are kept at most, and whether the last one is.
    #[test]
    fn what_is_kept_is_bounded() {
        let check = |times: usize, steps: usize, want: usize| {
            let mut places = KnownPlaces::default();
            let mut most = 0;
            for _ in 0..1000 {
                let column: Arc<[i64]> = vec![0; times].into();
                let find =
                    |_: &[i64], bounds: &mut Vec<(usize, usize)>| bounds.resize(steps, (0, 0));
                assert_eq!(places.of(&column, find).bounds.len(), steps);
                most = most.max(places.known.len());
            }
            assert_eq!(most, want, "{times} times, {steps} steps");
        };
        check(1, 1, 1000);
        check(240, 240, HELD_MAX / 480);
        check(40_000, 1, 3);
        check(HELD_MAX, 10, 1);
    }
}
