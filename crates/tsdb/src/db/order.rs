//! The head's series in the order of their labels, without sorting them for every query.
//!
//! A snapshot of the head's order gives each series a rank; a query sorts numbers. Series that came since
//! are sorted by their labels and merged in; when they become many, a new snapshot is made, in which only
//! they are sorted. Series that left the head keep their rank, which harms nobody.

use super::Db;
use crate::head::HeadSeries;
use model::Matcher;
use std::sync::{Arc, PoisonError};

/// So many series without a rank are sorted in a query at most …
const UNRANKED_MAX: usize = 512;

/// … or this part of all.
const UNRANKED_SHARE: usize = 64;

/// Ranks by id, ascending by id.
#[derive(Default)]
pub(super) struct HeadOrder {
    ranks: Vec<(u32, u32)>,
}

impl HeadOrder {
    /// Splits series into those with a rank, in its order, and those without one.
    fn sort(
        &self,
        mut series: Vec<Arc<HeadSeries>>,
    ) -> (Vec<Arc<HeadSeries>>, Vec<Arc<HeadSeries>>) {
        if !series.is_sorted_by_key(|series| series.id) {
            series.sort_unstable_by_key(|series| series.id);
        }
        let mut ranked: Vec<(u32, Arc<HeadSeries>)> = Vec::with_capacity(series.len());
        let mut unranked = Vec::new();
        let mut rest = self.ranks.as_slice();
        for series in series {
            let skipped = first_from(rest, series.id);
            rest = rest.get(skipped..).unwrap_or_default();
            match rest.first() {
                Some((id, rank)) if *id == series.id => ranked.push((*rank, series)),
                _ => unranked.push(series),
            }
        }
        if !ranked.is_sorted_by_key(|(rank, _)| *rank) {
            ranked.sort_unstable_by_key(|(rank, _)| *rank);
        }
        unranked.sort_by(|a, b| a.labels.cmp(&b.labels));
        (
            ranked.into_iter().map(|(_, series)| series).collect(),
            unranked,
        )
    }
}

/// How many entries lie below `id`: steps that double, then halves.
fn first_from(ranks: &[(u32, u32)], id: u32) -> usize {
    let mut step = 1;
    while ranks.get(step).is_some_and(|(other, _)| *other < id) {
        step *= 2;
    }
    let window = ranks.get(..=step).unwrap_or(ranks);
    window.partition_point(|(other, _)| *other < id)
}

/// Merges two lists that are sorted by labels.
fn merged(a: Vec<Arc<HeadSeries>>, b: Vec<Arc<HeadSeries>>) -> Vec<Arc<HeadSeries>> {
    if b.is_empty() {
        return a;
    }
    let mut all = Vec::with_capacity(a.len() + b.len());
    let mut a = a.into_iter().peekable();
    for young in b {
        while let Some(old) = a.next_if(|old| old.labels < young.labels) {
            all.push(old);
        }
        all.push(young);
    }
    all.extend(a);
    all
}

impl Db {
    /// The head's series that fulfil all matchers, sorted by labels.
    pub(super) fn sorted_head(&self, matchers: &[Matcher]) -> Vec<Arc<HeadSeries>> {
        let found = self.head.select(matchers);
        if found.len() <= 1 {
            return found;
        }
        let order = self.order();
        let all = found.len();
        let (ranked, unranked) = order.sort(found);
        let many = UNRANKED_MAX.max(all / UNRANKED_SHARE);
        if unranked.len() > many {
            let order = self.renew_order();
            let (ranked, unranked) = order.sort(merged(ranked, unranked));
            return merged(ranked, unranked);
        }
        merged(ranked, unranked)
    }

    fn order(&self) -> Arc<HeadOrder> {
        let order = self.head_order.lock();
        Arc::clone(&order.unwrap_or_else(PoisonError::into_inner))
    }

    /// Ranks all series of the head. Several at once are wasteful but right.
    fn renew_order(&self) -> Arc<HeadOrder> {
        let (ranked, unranked) = self.order().sort(self.head.all());
        let all = merged(ranked, unranked);
        let mut ranks: Vec<(u32, u32)> = all.iter().map(|s| s.id).zip(0..).collect();
        ranks.sort_unstable();
        let order = Arc::new(HeadOrder { ranks });
        *self
            .head_order
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Arc::clone(&order);
        order
    }

    /// Makes a new snapshot where the head has changed much, so that no query has to.
    pub(super) fn refresh_order(&self) {
        let ranked = self.order().ranks.len();
        let all = self.head.series_count();
        // A head that shrank far has a snapshot of series that are gone.
        if ranked > 0 && (all > ranked + ranked / UNRANKED_SHARE || ranked > 2 * all) {
            self.renew_order();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::first_from;

    #[test]
    fn gallops() {
        let ranks: Vec<(u32, u32)> = (0..50).map(|i| (i * 2, i)).collect();
        for id in 0..110 {
            let want = ranks.iter().filter(|(other, _)| *other < id).count();
            assert_eq!(first_from(&ranks, id), want, "{id}");
        }
        assert_eq!(first_from(&[], 3), 0);
    }
}
