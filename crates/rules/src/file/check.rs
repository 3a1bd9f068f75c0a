//! What is checked of one rule.

use crate::template;
use config::decode;
use config::{Node, NodeKind, Position, Problems};
use model::METRIC_NAME;
use promql::Expr;

/// The fields of a rule as they stand in the file.
pub(super) struct RuleNodes<'n> {
    pub(super) record: Option<&'n Node>,
    pub(super) alert: Option<&'n Node>,
    pub(super) expr: Option<&'n Node>,
    pub(super) for_ms: i64,
    pub(super) keep_firing_for_ms: i64,
    pub(super) labels: Option<&'n Node>,
    pub(super) annotations: Option<&'n Node>,
}

impl RuleNodes<'_> {
    /// The alert's name, or the recorded metric's.
    pub(super) fn name(&self) -> String {
        let text = |node: Option<&Node>| node.and_then(Node::text).unwrap_or_default().to_owned();
        let alert = text(self.alert);
        if alert.is_empty() {
            text(self.record)
        } else {
            alert
        }
    }
}

/// What a rule says, once it is in order.
pub(super) struct Checked {
    pub(super) is_alert: bool,
    pub(super) expr: Expr,
    pub(super) labels: Vec<(String, String)>,
    pub(super) annotations: Vec<(String, String)>,
}

/// Where mistakes of one rule go, with what names it.
struct Report<'a> {
    whose: &'a str,
    problems: &'a mut Problems,
}

impl Report<'_> {
    fn add(&mut self, at: Position, message: impl std::fmt::Display) {
        self.problems.add(at, format!("{}{message}", self.whose));
    }
}

/// Checks a rule; `position` is where it begins. `None` where it cannot be used.
pub(super) fn check_rule(
    nodes: &RuleNodes<'_>,
    position: Position,
    whose: &str,
    problems: &mut Problems,
) -> Option<Checked> {
    let record = filled(nodes.record, problems);
    let alert = filled(nodes.alert, problems);
    let labels = nodes
        .labels
        .map(|node| labels(node, whose, problems))
        .unwrap_or_default();
    let annotations = nodes
        .annotations
        .map(|node| named_texts(node, whose, "annotation", problems))
        .unwrap_or_default();
    let mut report = Report { whose, problems };
    match (record, alert) {
        (Some((_, at)), Some(_)) => {
            report.add(at, "only one of 'record' and 'alert' must be set");
        }
        (None, None) => report.add(position, "one of 'record' or 'alert' must be set"),
        (Some(_), None) | (None, Some(_)) => {}
    }
    let expr = check_expr(nodes.expr, position, &mut report);
    if let Some(record) = record {
        check_recording(nodes, record, &mut report);
    }
    if let Some((name, _)) = alert {
        let texts = [("label", nodes.labels), ("annotation", nodes.annotations)];
        for (what, node) in texts {
            check_templates(name, what, node, &mut report);
        }
    }
    Some(Checked {
        is_alert: alert.is_some(),
        expr: expr?,
        labels,
        annotations,
    })
}

/// The text of a field that is set and not empty, and its place.
fn filled<'n>(node: Option<&'n Node>, problems: &mut Problems) -> Option<(&'n str, Position)> {
    let node = node?;
    match node.text() {
        Some("") => None,
        Some(text) => Some((text, node.position)),
        None => {
            decode::expected(node, "a text", problems);
            None
        }
    }
}

fn check_expr(node: Option<&Node>, position: Position, report: &mut Report<'_>) -> Option<Expr> {
    let Some(node) = node else {
        report.add(position, "field 'expr' must be set in rule");
        return None;
    };
    let Some(text) = node.text() else {
        decode::expected(node, "a PromQL expression", report.problems);
        return None;
    };
    if text.is_empty() {
        report.add(node.position, "field 'expr' must be set in rule");
        return None;
    }
    match promql::parse(text) {
        Ok(expr) => Some(expr),
        Err(error) => {
            report.add(
                node.position,
                format!("could not parse expression: {error}"),
            );
            None
        }
    }
}

fn check_recording(nodes: &RuleNodes<'_>, (name, at): (&str, Position), report: &mut Report<'_>) {
    let has_annotations = nodes
        .annotations
        .is_some_and(|node| matches!(&node.kind, NodeKind::Mapping(pairs) if !pairs.is_empty()));
    let not_allowed = [
        ("annotations", has_annotations),
        ("for", nodes.for_ms != 0),
        ("keep_firing_for", nodes.keep_firing_for_ms != 0),
    ];
    for (field, is_set) in not_allowed {
        if is_set {
            report.add(at, format!("invalid field '{field}' in recording rule"));
        }
    }
    // Any UTF-8 is a metric name, but braces are a query in the wrong field.
    if name.contains(['{', '}']) {
        report.add(
            at,
            format!("braces present in the recording rule name; should it be in expr?: {name}"),
        );
    }
}

/// Reads labels to be set: names may be any text but the metric's name.
pub(super) fn labels(node: &Node, whose: &str, problems: &mut Problems) -> Vec<(String, String)> {
    let pairs = named_texts(node, whose, "label", problems);
    if let NodeKind::Mapping(nodes) = &node.kind {
        for (key, _) in nodes {
            if key.text() == Some(METRIC_NAME) {
                let message = format!("{whose}invalid label name: {METRIC_NAME}");
                problems.add(key.position, message);
            }
        }
    }
    pairs
}

/// Reads names and texts, sorted by name; `what` is a label or an annotation.
fn named_texts(
    node: &Node,
    whose: &str,
    what: &str,
    problems: &mut Problems,
) -> Vec<(String, String)> {
    let mut pairs = decode::string_map(node, problems).unwrap_or_default();
    if let NodeKind::Mapping(nodes) = &node.kind {
        for (key, _) in nodes {
            if key.text() == Some("") {
                problems.add(key.position, format!("{whose}invalid {what} name: "));
            }
        }
    }
    pairs.sort();
    pairs
}

fn check_templates(alert: &str, what: &str, node: Option<&Node>, report: &mut Report<'_>) {
    let Some(NodeKind::Mapping(pairs)) = node.map(|node| &node.kind) else {
        return;
    };
    for (key, value) in pairs {
        let (Some(name), Some(text)) = (key.text(), value.text()) else {
            continue;
        };
        if let Err(error) = template::check(alert, text) {
            report.add(value.position, format!("{what} {name:?}: {error}"));
        }
    }
}
