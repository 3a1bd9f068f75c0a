//! The routing tree that alerts walk through: which routes take an alert, and what they inherited.
//!
//! Built once for each configuration; pure.

use crate::config::{Config, GroupBy, Route};
use crate::matchers;
use model::{Labels, Matcher};

const GROUP_WAIT_MS: i64 = 30_000;
const GROUP_INTERVAL_MS: i64 = 5 * 60_000;
const REPEAT_INTERVAL_MS: i64 = 4 * 3_600_000;

/// A route with everything it inherited.
#[derive(Clone, Debug)]
pub struct Node {
    /// Unique in the tree: the matchers and places of all routes down to this one.
    pub id: String,
    /// The matchers of all routes down to this one: the first part of group keys. Not unique.
    pub key: String,
    /// Who is told.
    pub receiver: String,
    /// What alerts are grouped by.
    pub group_by: GroupBy,
    /// Wait before a new group's first notification.
    pub group_wait_ms: i64,
    /// Time between two looks at a group.
    pub group_interval_ms: i64,
    /// Time after which an unchanged group is told about again.
    pub repeat_interval_ms: i64,
    /// Names of times in which nobody is told.
    pub mute_time_intervals: Vec<String>,
    /// Names of times outside of which nobody is told.
    pub active_time_intervals: Vec<String>,
    /// Labels of the route; values may be templates.
    pub labels: Vec<(String, String)>,
    matchers: Vec<Matcher>,
    continues: bool,
    children: Vec<usize>,
}

/// All routes; the first is the root.
#[derive(Clone, Debug)]
pub struct Router {
    nodes: Vec<Node>,
}

impl Router {
    /// Builds the tree of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut router = Self { nodes: Vec::new() };
        router.add(&config.route, None);
        router
    }

    /// All routes, a parent before its children.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The routes that take an alert, depth first: where no child takes it, the parent does.
    #[must_use]
    pub fn matching(&self, labels: &Labels) -> Vec<&Node> {
        let mut found = Vec::new();
        self.collect(0, labels, &mut found);
        found
    }

    fn collect<'a>(&'a self, index: usize, labels: &Labels, found: &mut Vec<&'a Node>) -> bool {
        let Some(node) = self.nodes.get(index) else {
            return false;
        };
        if !model::matcher::all_match(&node.matchers, labels) {
            return false;
        }
        let mut taken = false;
        for child in &node.children {
            let child_took = self.collect(*child, labels, found);
            taken |= child_took;
            let stops = self.nodes.get(*child).is_some_and(|node| !node.continues);
            if child_took && stops {
                break;
            }
        }
        if !taken {
            found.push(node);
        }
        true
    }

    /// Adds a route and all below it; `place` is the parent and the index among its children.
    fn add(&mut self, route: &Route, place: Option<(usize, usize)>) -> usize {
        let parent = place.and_then(|(parent, index)| Some((self.nodes.get(parent)?, index)));
        let node = inherit(route, parent);
        let index = self.nodes.len();
        self.nodes.push(node);
        let children = route
            .routes
            .iter()
            .enumerate()
            .map(|(i, child)| self.add(child, Some((index, i))))
            .collect();
        if let Some(node) = self.nodes.get_mut(index) {
            node.children = children;
        }
        index
    }
}

fn inherit(route: &Route, parent: Option<(&Node, usize)>) -> Node {
    let own = matchers::print_matchers(&route.matchers);
    let names = |list: &[crate::config::Named]| list.iter().map(|n| n.text.clone()).collect();
    let up = parent.map(|(node, _)| node);
    let mut labels = up.map(|node| node.labels.clone()).unwrap_or_default();
    for (name, value) in &route.labels {
        labels.retain(|(present, _)| present != name);
        labels.push((name.clone(), value.clone()));
    }
    Node {
        id: parent.map_or_else(
            || own.clone(),
            |(node, index)| format!("{}/{own}/{index}", node.id),
        ),
        key: up.map_or_else(|| own.clone(), |node| format!("{}/{own}", node.key)),
        receiver: match &route.receiver {
            Some(name) => name.text.clone(),
            None => up.map(|node| node.receiver.clone()).unwrap_or_default(),
        },
        group_by: route
            .group_by
            .clone()
            .or_else(|| up.map(|node| node.group_by.clone()))
            .unwrap_or(GroupBy::Labels(Vec::new())),
        group_wait_ms: route
            .group_wait_ms
            .or(up.map(|node| node.group_wait_ms))
            .unwrap_or(GROUP_WAIT_MS),
        group_interval_ms: route
            .group_interval_ms
            .or(up.map(|node| node.group_interval_ms))
            .unwrap_or(GROUP_INTERVAL_MS),
        repeat_interval_ms: route
            .repeat_interval_ms
            .or(up.map(|node| node.repeat_interval_ms))
            .unwrap_or(REPEAT_INTERVAL_MS),
        // Times are not inherited.
        mute_time_intervals: names(&route.mute_time_intervals),
        active_time_intervals: names(&route.active_time_intervals),
        labels,
        matchers: route.matchers.clone(),
        continues: route.continues,
        children: Vec::new(),
    }
}

impl Node {
    /// The route of a receiver that stands in for others; the timing is the root's, without a first wait.
    #[must_use]
    pub fn stand_in(receiver: &str, root: &Self) -> Self {
        Self {
            id: Self::stand_in_id(receiver),
            key: format!("{}/stand-in", root.key),
            receiver: receiver.to_owned(),
            group_by: GroupBy::Labels(vec!["alertname".to_owned()]),
            group_wait_ms: 0,
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
            matchers: Vec::new(),
            continues: false,
            children: Vec::new(),
            ..root.clone()
        }
    }

    /// The name of that route; no route of the tree has it.
    #[must_use]
    pub fn stand_in_id(receiver: &str) -> String {
        format!("stand-in/{receiver}")
    }

    /// The labels that the group of an alert has in common.
    #[must_use]
    pub fn group_labels(&self, labels: &Labels) -> Labels {
        match &self.group_by {
            GroupBy::All => labels.clone(),
            GroupBy::Labels(names) => labels.only(names),
        }
    }

    /// The key of a group, as notifications carry it.
    #[must_use]
    pub fn group_key(&self, group_labels: &Labels) -> String {
        format!("{}:{}", self.key, matchers::print_labels(group_labels))
    }

    /// A name of a group that is unique among all groups of the tree.
    #[must_use]
    pub fn group_id(&self, group_labels: &Labels) -> String {
        format!("{}:{}", self.id, matchers::print_labels(group_labels))
    }
}

#[cfg(test)]
mod tests;
