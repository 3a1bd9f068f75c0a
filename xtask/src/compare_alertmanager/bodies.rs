//! What webhooks were sent, made comparable: moments made equal, alerts in one order, bodies by receiver and group.

use anyhow::Context as _;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The fields of a body that 0.25 has, beside its alerts.
const FIELDS: [&str; 9] = [
    "receiver",
    "status",
    "groupLabels",
    "commonLabels",
    "commonAnnotations",
    "externalURL",
    "version",
    "groupKey",
    "truncatedAlerts",
];

/// Bodies by scenario, then by receiver and group, each list in the order of arrival.
pub(super) type Sequences = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// Sorts bodies out. The scenario of a body is what its alerts say.
pub(super) fn sequences(bodies: &[String]) -> anyhow::Result<Sequences> {
    let mut sequences = Sequences::new();
    for body in bodies {
        let value: Value = serde_json::from_str(body).with_context(|| body.clone())?;
        let text = |pointer: &str| {
            let found = value.pointer(pointer).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        let scenario = text("/alerts/0/labels/scenario");
        let alerts = value.get("alerts").and_then(Value::as_array);
        let key = format!("{} {}", text("/receiver"), text("/groupKey"));
        let groups = sequences.entry(scenario).or_default();
        let comparable = comparable(&value, alerts.map_or(&[][..], Vec::as_slice));
        groups.entry(key).or_default().push(comparable);
    }
    Ok(sequences)
}

fn comparable(body: &Value, alerts: &[Value]) -> String {
    let mut fields: Map<String, Value> = Map::new();
    for name in FIELDS {
        if let Some(value) = body.get(name) {
            fields.insert(name.to_owned(), sorted(value));
        }
    }
    let mut list: Vec<Value> = alerts.iter().map(alert).collect();
    list.sort_by_key(Value::to_string);
    fields.insert("alerts".to_owned(), Value::from(list));
    Value::from(fields).to_string()
}

/// An alert whose moments only say whether there is one.
fn alert(alert: &Value) -> Value {
    let mut alert = sorted(alert);
    for name in ["startsAt", "endsAt"] {
        if let Some(moment) = alert.get_mut(name) {
            let none = moment
                .as_str()
                .is_some_and(|text| text.starts_with("0001-"));
            *moment = Value::from(if none { "none" } else { "some" });
        }
    }
    alert
}

/// Objects with their fields in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, &Value> = fields.iter().collect();
            let one = |(name, value): (&String, &Value)| (name.clone(), sorted(value));
            Value::from(fields.into_iter().map(one).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// How the sequences of one scenario differ, a line each; nothing where they are equal.
pub(super) fn differences(ours: &Sequences, theirs: &Sequences, scenario: &str) -> Vec<String> {
    let none = BTreeMap::new();
    let of = |all: &'_ Sequences| all.get(scenario).unwrap_or(&none).clone();
    let (ours, theirs) = (of(ours), of(theirs));
    let groups: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let mut lines = Vec::new();
    for group in groups {
        let list = |of: &BTreeMap<String, Vec<String>>| of.get(group).cloned().unwrap_or_default();
        let (ours, theirs) = (settled(list(&ours)), settled(list(&theirs)));
        if ours == theirs {
            continue;
        }
        lines.push(format!(
            "{group}: {} bodies of ours, {} of theirs",
            ours.len(),
            theirs.len()
        ));
        for index in 0..ours.len().max(theirs.len()) {
            let (a, b) = (ours.get(index), theirs.get(index));
            if a != b {
                let shown =
                    |body: Option<&String>| body.map_or("nothing", String::as_str).to_owned();
                lines.push(format!("  {}. ours   {}", index + 1, shown(a)));
                lines.push(format!("  {}. theirs {}", index + 1, shown(b)));
            }
        }
    }
    lines
}

/// Two webhooks of one receiver are told at once: which comes first is no difference.
fn settled(mut bodies: Vec<String>) -> Vec<String> {
    for index in 1..bodies.len() {
        let truncated = |body: &String| body.contains("\"truncatedAlerts\":0");
        let swapped = match (bodies.get(index - 1), bodies.get(index)) {
            (Some(a), Some(b)) => !truncated(a) && truncated(b),
            _ => false,
        };
        if swapped {
            bodies.swap(index - 1, index);
        }
    }
    bodies
}
