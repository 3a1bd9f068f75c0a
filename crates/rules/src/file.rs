//! Rule files: what may stand in them, and every mistake at once with its place.
//!
//! Format and messages are those of Prometheus 3.14 (`rulefmt`). Duplicate rules are no mistake
//! there, only worth a remark: see [`duplicates`].

mod check;

use crate::template::AlertTemplates;
use check::{RuleNodes, check_rule};
use config::decode;
use config::{Fields, Node, NodeKind, Problems, yaml};
use model::Labels;
use promql::Expr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A rule file that was read and checked.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// The file as it was named to us.
    pub path: String,
    /// Its groups in order.
    pub groups: Vec<GroupSpec>,
}

/// Rules that are evaluated together, one after another.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupSpec {
    /// Unique within its file.
    pub name: String,
    /// Between two evaluations; the global evaluation interval where absent.
    pub interval_ms: Option<i64>,
    /// How far back its queries look from the moment of the evaluation.
    pub query_offset_ms: Option<i64>,
    /// Series or alerts that one rule may give; 0 for no limit.
    pub limit: usize,
    /// Its rules in order; labels of the group are merged into theirs.
    pub rules: Vec<Arc<RuleSpec>>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct RuleSpec {
    /// The recorded metric's or the alert's name.
    pub name: String,
    /// What is evaluated.
    pub expr: Arc<Expr>,
    /// The expression as Prometheus prints it.
    pub query: String,
    /// Labels to set, sorted by name; an empty value removes a label.
    pub labels: Vec<(String, String)>,
    /// What is made of the result.
    pub kind: RuleKind,
}

/// What is made of a rule's result.
#[derive(Clone, Debug)]
pub enum RuleKind {
    /// It is written under the rule's name.
    Recording,
    /// Each series is an alert.
    Alerting(AlertSpec),
}

/// What only alerting rules have.
#[derive(Clone, Debug)]
pub struct AlertSpec {
    /// How long a series must be there before its alert fires.
    pub for_ms: i64,
    /// How long an alert keeps firing after its series is gone.
    pub keep_firing_for_ms: i64,
    /// Texts for people, sorted by name.
    pub annotations: Vec<(String, String)>,
    /// The templates of labels and annotations, parsed.
    pub templates: AlertTemplates,
}

/// Two rules are equal where their texts are.
impl PartialEq for RuleSpec {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.kind, &other.kind) {
            (RuleKind::Recording, RuleKind::Recording) => true,
            (RuleKind::Alerting(a), RuleKind::Alerting(b)) => {
                (a.for_ms, a.keep_firing_for_ms) == (b.for_ms, b.keep_firing_for_ms)
                    && a.annotations == b.annotations
            }
            (RuleKind::Recording, RuleKind::Alerting(_))
            | (RuleKind::Alerting(_), RuleKind::Recording) => false,
        };
        same && self.name == other.name && self.query == other.query && self.labels == other.labels
    }
}

impl RuleSpec {
    /// The labels that the rule sets, those with a value.
    #[must_use]
    pub fn label_set(&self) -> Labels {
        Labels::from_pairs(self.labels.iter().map(|(name, value)| (name, value)))
    }

    /// What tells a rule from the others of its group across reloads: name and labels.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{}{}", self.name, self.label_set())
    }
}

/// How strictly a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are mistakes.
    #[default]
    Refuse,
    /// They are skipped.
    Ignore,
}

/// Reads a rule file's text; `path` is what it is called in messages.
pub fn parse(path: &str, text: &str, unknown: UnknownFields) -> Result<RuleFile, Problems> {
    let mut problems = Problems::new(path);
    let file = yaml::parse_single(text, &mut problems)
        .and_then(|node| read_file(path, &node, unknown, &mut problems));
    problems.into_result(file)
}

/// Whether a document looks like a rule file: a mapping with `groups` and nothing else.
#[must_use]
pub fn looks_like_rules(root: &Node) -> bool {
    matches!(&root.kind, NodeKind::Mapping(pairs) if pairs.iter().all(|(key, _)| key.text() == Some("groups")))
        && root.get("groups").is_some_and(|groups| {
            groups
                .elements()
                .iter()
                .all(|g| g.get("rules").is_some() || g.get("name").is_some())
        })
}

/// A rule that stands several times with the same name and labels: it may record inconsistently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The rule's name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

/// Finds rules of all groups that stand more than once, each named once.
#[must_use]
pub fn duplicates(files: &[RuleFile]) -> Vec<Duplicate> {
    let mut counts: BTreeMap<(String, Labels), usize> = BTreeMap::new();
    let rules = files
        .iter()
        .flat_map(|file| &file.groups)
        .flat_map(|group| &group.rules);
    for rule in rules {
        *counts
            .entry((rule.name.clone(), rule.label_set()))
            .or_default() += 1;
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|((name, labels), _)| Duplicate { name, labels })
        .collect()
}

fn read_file(
    path: &str,
    node: &Node,
    unknown: UnknownFields,
    problems: &mut Problems,
) -> Option<RuleFile> {
    let mut fields = Fields::of(node, "rule file", problems)?;
    let mut names = BTreeSet::new();
    let groups = fields.read_list("groups", |node, problems| {
        read_group(node, &mut names, unknown, problems)
    });
    finish(fields, unknown);
    Some(RuleFile {
        path: path.to_owned(),
        groups,
    })
}

fn finish(fields: Fields<'_, '_>, unknown: UnknownFields) {
    match unknown {
        UnknownFields::Refuse => fields.finish(),
        UnknownFields::Ignore => {}
    }
}

fn read_group(
    node: &Node,
    names: &mut BTreeSet<String>,
    unknown: UnknownFields,
    problems: &mut Problems,
) -> Option<GroupSpec> {
    let mut fields = Fields::of(node, "rule group", problems)?;
    let name = fields.read("name", decode::string).unwrap_or_default();
    if name.is_empty() {
        fields.wrong("Groupname must not be empty");
    } else if !names.insert(name.clone()) {
        fields.wrong(format!(
            "groupname: \"{name}\" is repeated in the same file"
        ));
    }
    let interval_ms = fields.read("interval", decode::duration_ms);
    let query_offset_ms = fields.read("query_offset", decode::duration_ms);
    let limit = fields.read("limit", decode::integer).unwrap_or(0);
    let labels_node = fields.take("labels");
    let labels = labels_node.map(|node| check::labels(node, "", fields.problems()));
    let labels = labels.unwrap_or_default();
    let mut number = 0;
    let rules = fields.read_list("rules", |node, problems| {
        number += 1;
        read_rule(node, (&name, number), &labels, unknown, problems)
    });
    finish(fields, unknown);
    Some(GroupSpec {
        name,
        interval_ms: interval_ms.filter(|interval| *interval > 0),
        query_offset_ms,
        limit: usize::try_from(limit).unwrap_or(0),
        rules,
    })
}

fn read_rule(
    node: &Node,
    (group, number): (&str, usize),
    group_labels: &[(String, String)],
    unknown: UnknownFields,
    problems: &mut Problems,
) -> Option<Arc<RuleSpec>> {
    let mut fields = Fields::of(node, "rule", problems)?;
    let position = fields.position();
    let nodes = RuleNodes {
        record: fields.take("record"),
        alert: fields.take("alert"),
        expr: fields.take("expr"),
        for_ms: fields.read("for", decode::duration_ms).unwrap_or(0),
        keep_firing_for_ms: fields
            .read("keep_firing_for", decode::duration_ms)
            .unwrap_or(0),
        labels: fields.take("labels"),
        annotations: fields.take("annotations"),
    };
    let name = nodes.name();
    let whose = format!("group {group:?}, rule {number}, {name:?}: ");
    let checked = check_rule(&nodes, position, &whose, fields.problems());
    finish(fields, unknown);
    let checked = checked?;
    let mut labels: BTreeMap<String, String> = group_labels.iter().cloned().collect();
    labels.extend(checked.labels);
    let labels: Vec<(String, String)> = labels.into_iter().collect();
    let kind = if checked.is_alert {
        let templates = AlertTemplates::parse(&name, &labels, &checked.annotations);
        RuleKind::Alerting(AlertSpec {
            for_ms: nodes.for_ms,
            keep_firing_for_ms: nodes.keep_firing_for_ms,
            annotations: checked.annotations,
            templates,
        })
    } else {
        RuleKind::Recording
    };
    Some(Arc::new(RuleSpec {
        name,
        query: checked.expr.to_string(),
        expr: Arc::new(checked.expr),
        labels,
        kind,
    }))
}

#[cfg(test)]
mod tests;
