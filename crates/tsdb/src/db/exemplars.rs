//! Exemplars, on their way out.

use super::Db;
use crate::exemplars::Exemplars;
use model::{Exemplar, Labels, Matcher, TimeRange};
use std::sync::{MutexGuard, PoisonError};

impl Db {
    pub(super) fn exemplar_ring(&self) -> MutexGuard<'_, Exemplars> {
        self.exemplars
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The exemplars in `range` of every series that fulfils all matchers of at least one of the sets: sorted
    /// by the labels of their series, each series' own in the order of time.
    #[must_use]
    pub fn exemplars(
        &self,
        matchers: &[Vec<Matcher>],
        range: TimeRange,
    ) -> Vec<(Labels, Vec<Exemplar>)> {
        self.exemplar_ring().select(matchers, range)
    }

    /// Changes how many exemplars are kept, 0 for none; the newest stay.
    pub fn set_exemplars_max(&self, exemplars_max: usize) {
        self.exemplar_ring().resize(exemplars_max);
    }
}
