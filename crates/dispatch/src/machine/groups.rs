//! The groups, found by their names and by when they are looked at next.

use super::Group;
use model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_id: BTreeMap<String, Group>,
    agenda: BTreeSet<(Timestamp, String)>,
}

impl Groups {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The group of this name.
    pub(super) fn get(&self, id: &str) -> Option<&Group> {
        self.by_id.get(id)
    }

    /// Whether there is a group of this name.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// All names and groups, in order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Group)> {
        self.by_id.iter()
    }

    /// All groups, in order of their names.
    pub(super) fn values(&self) -> impl Iterator<Item = &Group> {
        self.by_id.values()
    }

    /// Changes a group; answers whether it is there.
    pub(super) fn change(&mut self, id: &str, work: impl FnOnce(&mut Group)) -> bool {
        let Some(mut group) = self.remove(id) else {
            return false;
        };
        work(&mut group);
        self.insert(id.to_owned(), group);
        true
    }

    /// Puts a group in.
    pub(super) fn insert(&mut self, id: String, group: Group) {
        self.agenda.insert((group.next_flush, id.clone()));
        self.by_id.insert(id, group);
    }

    /// Takes a group out.
    pub(super) fn remove(&mut self, id: &str) -> Option<Group> {
        let (id, group) = self.by_id.remove_entry(id)?;
        self.agenda.remove(&(group.next_flush, id));
        Some(group)
    }

    /// When a group is looked at next.
    pub(super) fn next_moment(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(moment, _)| *moment)
    }

    /// The names of the groups whose moment has come, the oldest first.
    pub(super) fn due(&self, now: Timestamp) -> Vec<String> {
        let due = self.agenda.iter().take_while(|(moment, _)| *moment <= now);
        due.map(|(_, id)| id.clone()).collect()
    }
}
