//! Which group a series belongs to.
//!
//! A group is found by its labels in their encoded form, which is written without making a label set for each
//! series.

use crate::ast::Aggregate;
use crate::engine::value::METADATA_LABELS;
use model::{Labels, METRIC_NAME};
use runtime::HashMap;

/// `by (…)` or `without (…)`.
pub(crate) struct Grouping {
    names: Vec<String>,
    without: bool,
}

impl Grouping {
    pub(super) fn new(aggregate: &Aggregate) -> Self {
        Self {
            names: aggregate.grouping.clone(),
            without: aggregate.without,
        }
    }

    /// Appends the encoded labels of the group that a series belongs to. `strips`: name, type and unit of
    /// the series count as removed.
    pub(crate) fn push_key(&self, key: &mut String, labels: &Labels, strips: bool) {
        if !self.without && self.names.is_empty() {
            return;
        }
        for (name, value) in labels.iter() {
            let is_named = self.names.iter().any(|one| one == name);
            let is_kept = if self.without {
                !is_named && name != METRIC_NAME
            } else {
                is_named
            };
            if is_kept && !(strips && METADATA_LABELS.contains(&name)) {
                Labels::encode_label(key, name, value);
            }
        }
    }

    /// The labels of the group that a series belongs to.
    pub(super) fn labels(&self, labels: &Labels) -> Labels {
        let mut key = String::new();
        self.push_key(&mut key, labels, false);
        decoded(&key)
    }
}

fn decoded(key: &str) -> Labels {
    Labels::from_encoded(key).unwrap_or_default()
}

/// The groups seen so far, in the order in which they first appeared.
#[derive(Default)]
pub(super) struct Groups {
    places: HashMap<String, usize>,
    labels: Vec<Labels>,
    last: usize,
}

impl Groups {
    /// The place of a group; new ones come last.
    pub(super) fn place(&mut self, key: &str) -> usize {
        if self
            .labels
            .get(self.last)
            .is_some_and(|labels| labels.encoded() == key)
        {
            return self.last;
        }
        self.last = match self.places.get(key) {
            Some(place) => *place,
            None => {
                self.places.insert(key.to_owned(), self.labels.len());
                self.labels.push(decoded(key));
                self.labels.len() - 1
            }
        };
        self.last
    }

    /// The labels of all groups.
    pub(super) fn into_labels(self) -> Vec<Labels> {
        self.labels
    }
}
