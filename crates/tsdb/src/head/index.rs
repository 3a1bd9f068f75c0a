//! The head's inverted index.

use super::HeadSeries;
use crate::postings::{self, LabelIndex};
use model::Matcher;
use runtime::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

type Values = HashMap<Box<str>, Vec<u32>>;

/// Series by id, and their ids by label and value, ascending.
#[derive(Default)]
pub(crate) struct HeadIndex {
    by_id: HashMap<u32, Arc<HeadSeries>>,
    postings: BTreeMap<Box<str>, Values>,
}

impl HeadIndex {
    pub(super) fn insert(&mut self, series: &Arc<HeadSeries>) {
        self.by_id.insert(series.id, Arc::clone(series));
        for (name, value) in &series.labels {
            if !self.postings.contains_key(name) {
                self.postings.insert(name.into(), Values::default());
            }
            let Some(values) = self.postings.get_mut(name) else {
                continue;
            };
            match values.get_mut(value) {
                Some(ids) => insert_sorted(ids, series.id),
                None => {
                    values.insert(value.into(), vec![series.id]);
                }
            }
        }
    }

    pub(super) fn with_id(&self, id: u32) -> Option<&Arc<HeadSeries>> {
        self.by_id.get(&id)
    }

    pub(super) fn remove(&mut self, removed: &[Arc<HeadSeries>]) {
        let mut ids: Vec<u32> = removed.iter().map(|series| series.id).collect();
        ids.sort_unstable();
        for id in &ids {
            self.by_id.remove(id);
        }
        if self.by_id.len() < self.by_id.capacity() / 4 {
            self.by_id.shrink_to_fit();
        }
        for series in removed {
            for (name, value) in &series.labels {
                let Some(values) = self.postings.get_mut(name) else {
                    continue;
                };
                // Each list is cleaned once: afterwards it does not hold this id any more.
                let holds = |ids: &Vec<u32>| ids.binary_search(&series.id).is_ok();
                if let Some(list) = values.get_mut(value).filter(|ids| holds(ids)) {
                    remove_sorted(list, &ids);
                    if list.is_empty() {
                        values.remove(value);
                    }
                }
            }
        }
        self.postings.retain(|_, values| !values.is_empty());
    }

    pub(super) fn select(&self, matchers: &[Matcher]) -> Vec<Arc<HeadSeries>> {
        if matchers.is_empty() {
            return self.by_id.values().map(Arc::clone).collect();
        }
        let ids = postings::select(self, matchers);
        let series = ids.iter().filter_map(|id| self.by_id.get(id));
        series.map(Arc::clone).collect()
    }

    /// Each label with its values and the number of series that carry them.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&str, &Values)> {
        self.postings.iter().map(|(name, values)| (&**name, values))
    }
}

/// Ids mostly come in ascending order.
fn insert_sorted(ids: &mut Vec<u32>, id: u32) {
    if ids.last().is_none_or(|last| *last < id) {
        ids.push(id);
    } else if let Err(place) = ids.binary_search(&id) {
        ids.insert(place, id);
    }
}

/// Removes the numbers of one ascending list from another.
fn remove_sorted(list: &mut Vec<u32>, removed: &[u32]) {
    let mut removed = removed.iter().copied().peekable();
    list.retain(|id| {
        while removed.next_if(|other| other < id).is_some() {}
        removed.peek() != Some(id)
    });
    if list.len() < list.capacity() / 4 {
        list.shrink_to_fit();
    }
}

impl LabelIndex for HeadIndex {
    fn all(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.by_id.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    fn with_value(&self, name: &str, value: &str) -> &[u32] {
        let values = self.postings.get(name);
        let ids = values.and_then(|values| values.get(value));
        ids.map_or(&[], Vec::as_slice)
    }

    fn for_each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str, &'a [u32])) {
        for (value, ids) in self.postings.get(name).into_iter().flatten() {
            each(value, ids);
        }
    }
}
