//! Exemplars: the newest few of all series together, in a ring.
//!
//! The semantics are upstream's ("Exemplars storage"): a fixed number in all, of which a new one takes the
//! place of the oldest; the newest of a series may come again without harm, an older one is refused. They
//! are found by the labels of their series, in no block, and outlive a restart as long as the log does.

use model::{Exemplar, Labels, Matcher, TimeRange, matcher};
use runtime::HashMap;
use std::cmp::Ordering;
use std::collections::VecDeque;

/// Characters that the labels of an exemplar may have together, as OpenMetrics says.
const LABEL_CHARACTERS_MAX: usize = 128;

/// What becomes of an exemplar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It belongs into the ring.
    Fresh,
    /// It is the newest of its series again.
    Same,
    /// It is older than the newest of its series.
    OutOfOrder,
    /// Its labels are too long.
    TooLong,
    /// No exemplars are kept.
    Disabled,
}

struct Slot {
    series: Labels,
    exemplar: Exemplar,
}

/// The ring.
pub(crate) struct Exemplars {
    slots: Vec<Slot>,
    slots_max: usize,
    /// The slot that is overwritten next, once there are enough.
    oldest: usize,
    /// The slots of each series, the oldest first.
    series: HashMap<Labels, VecDeque<usize>>,
}

impl Exemplars {
    pub(crate) fn new(slots_max: usize) -> Self {
        Self {
            slots: Vec::new(),
            slots_max,
            oldest: 0,
            series: HashMap::default(),
        }
    }

    /// What `insert` would do with an exemplar.
    pub(crate) fn judge(&self, series: &Labels, exemplar: &Exemplar) -> Verdict {
        if self.slots_max == 0 {
            return Verdict::Disabled;
        }
        let characters = |(name, value): (&str, &str)| name.chars().count() + value.chars().count();
        if exemplar.labels.iter().map(characters).sum::<usize>() > LABEL_CHARACTERS_MAX {
            return Verdict::TooLong;
        }
        let newest = self.series.get(series).and_then(VecDeque::back);
        let Some(newest) = newest.and_then(|slot| self.slots.get(*slot)) else {
            return Verdict::Fresh;
        };
        match order(exemplar, &newest.exemplar) {
            Ordering::Equal => Verdict::Same,
            Ordering::Less => Verdict::OutOfOrder,
            Ordering::Greater => Verdict::Fresh,
        }
    }

    /// Puts an exemplar into the ring if it belongs there.
    pub(crate) fn insert(&mut self, series: &Labels, exemplar: Exemplar) -> Verdict {
        let verdict = self.judge(series, &exemplar);
        if verdict != Verdict::Fresh {
            return verdict;
        }
        let slot = Slot {
            series: series.clone(),
            exemplar,
        };
        let place = if self.slots.len() < self.slots_max {
            self.slots.push(slot);
            self.slots.len() - 1
        } else {
            let place = self.oldest;
            self.oldest = (place + 1) % self.slots_max;
            let gone = std::mem::replace(&mut self.slots[place], slot);
            self.forget_oldest_of(&gone.series);
            place
        };
        match self.series.get_mut(series) {
            Some(slots) => slots.push_back(place),
            None => {
                self.series.insert(series.clone(), VecDeque::from([place]));
            }
        }
        Verdict::Fresh
    }

    /// The ring overwrites in the order of insertion, so the slot that goes is its series' first.
    fn forget_oldest_of(&mut self, series: &Labels) {
        if let Some(slots) = self.series.get_mut(series) {
            slots.pop_front();
            if slots.is_empty() {
                self.series.remove(series);
            }
        }
    }

    /// Changes how many are kept; the newest stay.
    pub(crate) fn resize(&mut self, slots_max: usize) {
        if slots_max == self.slots_max {
            return;
        }
        let surplus = self.slots.len().saturating_sub(slots_max);
        let mut resized = Self::new(slots_max);
        for (series, exemplar) in self.iter().skip(surplus) {
            resized.insert(series, exemplar.clone());
        }
        *self = resized;
    }

    /// The exemplars in a range of the series that fulfil all matchers of one of the sets, by series.
    pub(crate) fn select(
        &self,
        matcher_sets: &[Vec<Matcher>],
        range: TimeRange,
    ) -> Vec<(Labels, Vec<Exemplar>)> {
        let mut found = Vec::new();
        for (series, slots) in &self.series {
            if !matcher_sets
                .iter()
                .any(|set| matcher::all_match(set, series))
            {
                continue;
            }
            let exemplars = slots.iter().filter_map(|slot| self.slots.get(*slot));
            let exemplars: Vec<Exemplar> = exemplars
                .map(|slot| &slot.exemplar)
                .filter(|exemplar| range.contains(exemplar.timestamp.unwrap_or_default()))
                .cloned()
                .collect();
            if !exemplars.is_empty() {
                found.push((series.clone(), exemplars));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// Exemplars held, series that have any, and how many there may be.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        (self.slots.len(), self.series.len(), self.slots_max)
    }

    /// All exemplars with their series, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Labels, &Exemplar)> {
        let (newer, older) = self.slots.split_at(self.oldest.min(self.slots.len()));
        let all = older.iter().chain(newer);
        all.map(|slot| (&slot.series, &slot.exemplar))
    }
}

/// By time, then value, then labels.
fn order(a: &Exemplar, b: &Exemplar) -> Ordering {
    let by_value = || a.value.total_cmp(&b.value);
    let by_labels = || a.labels.cmp(&b.labels);
    a.timestamp
        .cmp(&b.timestamp)
        .then_with(by_value)
        .then_with(by_labels)
}

#[cfg(test)]
mod tests {
    use super::{Exemplars, Verdict};
    use model::{Exemplar, Labels, TimeRange, Timestamp};

    fn exemplar(trace: &str, at: i64, value: f64) -> Exemplar {
        Exemplar {
            labels: Labels::from_pairs([("trace_id", trace)]),
            value,
            timestamp: Some(Timestamp::from_millis(at)),
        }
    }

    fn series(name: &str) -> Labels {
        Labels::from_pairs([("__name__", name)])
    }

    /// What is held, as "series:time".
    fn held(ring: &Exemplars) -> Vec<String> {
        let all = ring.select(&[Vec::new()], TimeRange::ALL);
        let of = |(labels, exemplars): &(Labels, Vec<Exemplar>)| {
            let name = labels.metric_name().to_owned();
            let at = |e: &Exemplar| e.timestamp.unwrap_or_default().millis();
            let texts = exemplars.iter().map(move |e| format!("{name}:{}", at(e)));
            texts.collect::<Vec<_>>()
        };
        all.iter().flat_map(of).collect()
    }

    #[test]
    fn judges_as_upstream() {
        let mut ring = Exemplars::new(10);
        let mut check = |trace: &str, at, value, want| {
            let verdict = ring.insert(&series("a"), exemplar(trace, at, value));
            assert_eq!(verdict, want, "{trace} {at} {value}");
        };
        check("x", 10, 1.0, Verdict::Fresh);
        check("x", 10, 1.0, Verdict::Same);
        check("x", 9, 1.0, Verdict::OutOfOrder);
        check("x", 10, 0.5, Verdict::OutOfOrder);
        check("x", 10, 2.0, Verdict::Fresh);
        check("a", 10, 2.0, Verdict::OutOfOrder);
        check(&"ü".repeat(120), 11, 1.0, Verdict::Fresh);
        check(&"ü".repeat(121), 12, 1.0, Verdict::TooLong);
        let mut none = Exemplars::new(0);
        let verdict = none.insert(&series("a"), exemplar("x", 1, 1.0));
        assert_eq!(verdict, Verdict::Disabled);
    }

    #[test]
    fn overwrites_the_oldest() {
        let mut ring = Exemplars::new(3);
        for (name, at) in [("a", 1), ("b", 2), ("a", 3), ("a", 4), ("c", 5)] {
            ring.insert(&series(name), exemplar("x", at, 1.0));
        }
        assert_eq!(held(&ring), ["a:3", "a:4", "c:5"]);
        assert_eq!(ring.counts(), (3, 2, 3));
        ring.resize(2);
        assert_eq!(held(&ring), ["a:4", "c:5"]);
        ring.resize(4);
        ring.insert(&series("b"), exemplar("x", 6, 1.0));
        assert_eq!(held(&ring), ["a:4", "b:6", "c:5"]);
        let order: Vec<&str> = ring
            .iter()
            .map(|(labels, _)| labels.metric_name())
            .collect();
        assert_eq!(order, ["a", "c", "b"]);
    }
}
