//! The routing tree as written. `crate::route` builds what alerts walk through.

use crate::interval::TimeInterval;
use crate::matchers;
use config::yaml::{Node, NodeKind, Position};
use config::{Fields, Problems, decode};
use model::{MatchOperator, Matcher};
use std::collections::BTreeMap;

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub text: String,
    /// Its place in the file.
    pub position: Position,
}

/// What alerts are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// These labels.
    Labels(Vec<String>),
    /// All labels: every alert is a group of its own.
    All,
}

/// One node of the tree; what is absent is inherited.
#[derive(Clone, Debug)]
pub struct Route {
    /// Where it begins.
    pub position: Position,
    /// Who is told.
    pub receiver: Option<Named>,
    /// What alerts are grouped by.
    pub group_by: Option<GroupBy>,
    /// Wait before a new group's first notification.
    pub group_wait_ms: Option<i64>,
    /// Time between two looks at a group.
    pub group_interval_ms: Option<i64>,
    /// Time after which an unchanged group is told about again.
    pub repeat_interval_ms: Option<i64>,
    /// What an alert must fulfil, from `match`, `match_re` and `matchers`, sorted.
    pub matchers: Vec<Matcher>,
    /// Times in which nobody is told.
    pub mute_time_intervals: Vec<Named>,
    /// Times outside of which nobody is told.
    pub active_time_intervals: Vec<Named>,
    /// Whether routes beside this one are tried too.
    pub continues: bool,
    /// Labels attached to the route, values may be templates; inherited.
    pub labels: Vec<(String, String)>,
    /// Routes below.
    pub routes: Vec<Self>,
}

impl Route {
    /// The root of the built-in configuration.
    pub(super) fn built_in() -> Self {
        Self {
            position: Position::default(),
            receiver: Some(Named {
                text: "none".to_owned(),
                position: Position::default(),
            }),
            group_by: Some(GroupBy::Labels(vec!["alertname".to_owned()])),
            group_wait_ms: None,
            group_interval_ms: None,
            repeat_interval_ms: None,
            matchers: Vec::new(),
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
            continues: false,
            labels: Vec::new(),
            routes: Vec::new(),
        }
    }

    /// What only the root must and must not have.
    pub(super) fn check_root(&self, problems: &mut Problems) {
        let mistakes = [
            (
                self.receiver.is_none(),
                "root route must specify a default receiver",
            ),
            (
                !self.matchers.is_empty(),
                "root route must not have any matchers",
            ),
            (
                !self.mute_time_intervals.is_empty(),
                "root route must not have any mute time intervals",
            ),
            (
                !self.active_time_intervals.is_empty(),
                "root route must not have any active time intervals",
            ),
            (self.continues, "cannot have continue in root route"),
        ];
        for (wrong, message) in mistakes {
            if wrong {
                problems.add(self.position, message);
            }
        }
    }

    /// Receivers and time intervals that are used must be defined.
    pub(super) fn check_names(
        &self,
        receivers: &[&str],
        intervals: &BTreeMap<String, Vec<TimeInterval>>,
        problems: &mut Problems,
    ) {
        if let Some(receiver) = &self.receiver
            && !receivers.contains(&receiver.text.as_str())
        {
            let message = format!("undefined receiver {:?} used in route", receiver.text);
            problems.add(receiver.position, message);
        }
        let used = self
            .active_time_intervals
            .iter()
            .chain(&self.mute_time_intervals);
        for name in used {
            if !intervals.contains_key(&name.text) {
                let message = format!("undefined time interval {:?} used in route", name.text);
                problems.add(name.position, message);
            }
        }
        for route in &self.routes {
            route.check_names(receivers, intervals, problems);
        }
    }
}

/// Reads a node and all below it.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Route> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let mut matchers = fields.read("match", equals).unwrap_or_default();
    matchers.extend(fields.read("match_re", regexes).unwrap_or_default());
    matchers.extend(fields.read("matchers", matcher_list).unwrap_or_default());
    matchers::sort(&mut matchers);
    let route = Route {
        position: node.position,
        receiver: fields
            .read("receiver", named)
            .filter(|name| !name.text.is_empty()),
        group_by: fields.read("group_by", group_by),
        group_wait_ms: fields.read("group_wait", decode::duration_ms),
        group_interval_ms: fields.read("group_interval", |node, problems| {
            interval(node, "group_interval", problems)
        }),
        repeat_interval_ms: fields.read("repeat_interval", |node, problems| {
            interval(node, "repeat_interval", problems)
        }),
        matchers,
        mute_time_intervals: fields.read_list("mute_time_intervals", named),
        active_time_intervals: fields.read_list("active_time_intervals", named),
        continues: fields.read("continue", decode::boolean).unwrap_or_default(),
        labels: fields.read("labels", labels).unwrap_or_default(),
        routes: fields.read_list("routes", read),
    };
    fields.finish();
    Some(route)
}

fn named(node: &Node, problems: &mut Problems) -> Option<Named> {
    Some(Named {
        text: decode::string(node, problems)?,
        position: node.position,
    })
}

fn interval(node: &Node, name: &str, problems: &mut Problems) -> Option<i64> {
    let millis = decode::duration_ms(node, problems)?;
    if millis == 0 {
        problems.add(node.position, format!("{name} cannot be zero"));
        return None;
    }
    Some(millis)
}

fn group_by(node: &Node, problems: &mut Problems) -> Option<GroupBy> {
    let mut names: Vec<String> = Vec::new();
    let mut all = false;
    decode::list(node, problems, |element, problems| {
        let name = decode::string(element, problems)?;
        if name == "..." {
            all = true;
        } else if !matchers::is_label_name(&name) {
            let message = format!("invalid label name {name:?} in group_by list");
            problems.add(element.position, message);
        } else if names.contains(&name) {
            let message = format!("duplicated label {name:?} in group_by");
            problems.add(element.position, message);
        } else {
            names.push(name);
        }
        Some(())
    })?;
    if all && !names.is_empty() {
        let message = "cannot have wildcard group_by (`...`) and other labels at the same time";
        problems.add(node.position, message);
    }
    // As upstream, an empty list says nothing: what the route above says counts.
    match (all, names.is_empty()) {
        (true, _) => Some(GroupBy::All),
        (false, true) => None,
        (false, false) => Some(GroupBy::Labels(names)),
    }
}

fn labels(node: &Node, problems: &mut Problems) -> Option<Vec<(String, String)>> {
    let pairs = decode::string_map(node, problems)?;
    for (name, _) in &pairs {
        if !matchers::is_label_name(name) {
            let message = format!("invalid label name {name:?} in route labels");
            problems.add(node.position, message);
        }
    }
    Some(pairs)
}

/// Reads `matchers`: a list of texts, each with one or more matchers. A single text counts as a list of one,
/// as YAML readers for Go take it.
pub(super) fn matcher_list(node: &Node, problems: &mut Problems) -> Option<Vec<Matcher>> {
    let parse = |element: &Node, problems: &mut Problems| {
        let text = decode::string(element, problems)?;
        matchers::parse_matchers(&text)
            .map_err(|message| problems.add(element.position, message))
            .ok()
    };
    let mut list = match &node.kind {
        NodeKind::Scalar { .. } => parse(node, problems)?,
        NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            decode::list(node, problems, parse)?.concat()
        }
    };
    matchers::sort(&mut list);
    Some(list)
}

/// Reads `match`: label names and the values they must have.
pub(super) fn equals(node: &Node, problems: &mut Problems) -> Option<Vec<Matcher>> {
    let pairs = decode::string_map(node, problems)?;
    check_legacy_names(node, problems);
    let matcher = |(name, value): (String, String)| Matcher::equal(name, value);
    Some(pairs.into_iter().map(matcher).collect())
}

/// Reads `match_re`: label names and expressions for their values.
pub(super) fn regexes(node: &Node, problems: &mut Problems) -> Option<Vec<Matcher>> {
    check_legacy_names(node, problems);
    let NodeKind::Mapping(pairs) = &node.kind else {
        decode::expected(node, "a mapping", problems);
        return None;
    };
    let mut list = Vec::new();
    for (key, value) in pairs {
        let name = key.text().unwrap_or_default();
        if value.is_null() {
            let message = format!("invalid regexp value for {name:?}");
            problems.add(key.position, message);
            continue;
        }
        let Some(text) = decode::string(value, problems) else {
            continue;
        };
        // Anchored once more, as upstream does it: group keys show it so.
        match Matcher::new(name, MatchOperator::Regex, format!("^(?:{text})$")) {
            Ok(matcher) => list.push(matcher),
            Err(message) => problems.add(value.position, message),
        }
    }
    Some(list)
}

fn check_legacy_names(node: &Node, problems: &mut Problems) {
    if let NodeKind::Mapping(pairs) = &node.kind {
        for (key, _) in pairs {
            let name = key.text().unwrap_or_default();
            if !model::labels::is_legacy_label_name(name) {
                problems.add(key.position, format!("invalid label name {name:?}"));
            }
        }
    }
}
