//! Values that stand in one column as JSON, converted by hand: domain types know nothing of it.

use crate::notice::{Notice, NoticeAlert, Reason, Target};
use model::{Alert, Labels, MatchOperator, Matcher, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use storage::StateError;

fn corrupt(what: &str) -> StateError {
    StateError::Corrupt(format!("dispatch: {what} does not read back"))
}

fn parse(text: &str) -> Result<Value, StateError> {
    serde_json::from_str(text).map_err(|error| corrupt(&format!("JSON ({error})")))
}

/// Labels from their encoded form.
pub(super) fn to_labels(text: &str) -> Result<Labels, StateError> {
    Labels::from_encoded(text).ok_or_else(|| corrupt("a label set"))
}

/// Annotations from their encoded form.
pub(super) fn to_annotations(text: &str) -> Result<Labels, StateError> {
    Labels::annotations_from_encoded(text).ok_or_else(|| corrupt("annotations"))
}

/// `[["name", "=", "value"], …]`.
pub(super) fn from_matchers(matchers: &[Matcher]) -> String {
    let list: Vec<Value> = matchers
        .iter()
        .map(|m| json!([m.name(), m.operator().symbol(), m.value()]))
        .collect();
    Value::from(list).to_string()
}

/// The reverse.
pub(super) fn to_matchers(text: &str) -> Result<Vec<Matcher>, StateError> {
    let operators = [
        MatchOperator::Equal,
        MatchOperator::NotEqual,
        MatchOperator::Regex,
        MatchOperator::NotRegex,
    ];
    let value = parse(text)?;
    let read = |entry: &Value| {
        let part = |index: usize| entry.get(index).and_then(Value::as_str);
        let symbol = part(1)?;
        let operator = operators.into_iter().find(|o| o.symbol() == symbol)?;
        Matcher::new(part(0)?, operator, part(2)?).ok()
    };
    let list = value.as_array().map(|list| list.iter().map(read).collect());
    list.flatten().ok_or_else(|| corrupt("a matcher"))
}

/// A map of texts.
pub(super) fn from_map(map: &BTreeMap<String, String>) -> String {
    json!(map).to_string()
}

/// The reverse.
pub(super) fn to_map(text: &str) -> Result<BTreeMap<String, String>, StateError> {
    serde_json::from_str(text).map_err(|error| corrupt(&format!("a map ({error})")))
}

/// Pairs of texts in their order.
pub(super) fn from_pairs(pairs: &[(String, String)]) -> String {
    json!(pairs).to_string()
}

/// The reverse.
pub(super) fn to_pairs(text: &str) -> Result<Vec<(String, String)>, StateError> {
    serde_json::from_str(text).map_err(|error| corrupt(&format!("a list of pairs ({error})")))
}

/// Fingerprints.
pub(super) fn from_set(set: &BTreeSet<u64>) -> String {
    json!(set).to_string()
}

/// The reverse.
pub(super) fn to_set(text: &str) -> Result<BTreeSet<u64>, StateError> {
    serde_json::from_str(text).map_err(|error| corrupt(&format!("a set ({error})")))
}

/// A notification.
pub(super) fn from_notice(notice: &Notice) -> String {
    let alerts: Vec<Value> = notice.alerts.iter().map(from_alert).collect();
    json!({
        "id": notice.id,
        "group_id": notice.group_id,
        "group_key": notice.group_key,
        "group_labels": notice.group_labels.encoded(),
        "route_labels": notice.route_labels,
        "receiver": notice.target.receiver,
        "kind": notice.target.kind,
        "index": notice.target.index,
        "reason": notice.reason.text(),
        "alerts": alerts,
        "left_out": notice.left_out,
        "firing": notice.firing,
        "resolved": notice.resolved,
        "created_at": notice.created_at.millis(),
        "deadline": notice.deadline.millis(),
        "repeat_interval_ms": notice.repeat_interval_ms,
        "attempts": notice.attempts,
        "failed_before": notice.failed_before,
        "next_attempt": notice.next_attempt.millis(),
        "memory": notice.memory,
    })
    .to_string()
}

fn from_alert(alert: &NoticeAlert) -> Value {
    json!({
        "labels": alert.alert.labels.encoded(),
        "annotations": alert.alert.annotations.encoded(),
        "starts_at": alert.alert.starts_at.millis(),
        "ends_at": alert.alert.ends_at.millis(),
        "updated_at": alert.alert.updated_at.millis(),
        "ends_by_timeout": alert.alert.ends_by_timeout,
        "generator_url": alert.alert.generator_url,
        "resolved": alert.resolved,
    })
}

/// The reverse.
pub(super) fn to_notice(text: &str) -> Result<Notice, StateError> {
    let value = parse(text)?;
    read_notice(&value).ok_or_else(|| corrupt("a notification"))
}

fn read_notice(value: &Value) -> Option<Notice> {
    let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
    let number = |name: &str| value.get(name)?.as_i64();
    let moment = |name: &str| Some(Timestamp::from_millis(number(name)?));
    let pairs = |name: &str| serde_json::from_value(value.get(name)?.clone()).ok();
    let set = |name: &str| serde_json::from_value(value.get(name)?.clone()).ok();
    let alerts = value.get("alerts")?.as_array()?;
    Some(Notice {
        id: text("id")?,
        group_id: text("group_id")?,
        group_key: text("group_key")?,
        group_labels: Labels::from_encoded(&text("group_labels")?)?,
        route_labels: pairs("route_labels")?,
        target: Target {
            receiver: text("receiver")?,
            kind: text("kind")?,
            index: usize::try_from(number("index")?).ok()?,
        },
        reason: Reason::from_text(&text("reason")?)?,
        alerts: alerts.iter().map(read_alert).collect::<Option<_>>()?,
        left_out: usize::try_from(number("left_out")?).ok()?,
        firing: set("firing")?,
        resolved: set("resolved")?,
        created_at: moment("created_at")?,
        deadline: moment("deadline")?,
        repeat_interval_ms: number("repeat_interval_ms")?,
        attempts: u32::try_from(number("attempts")?).ok()?,
        // Older rows lack it.
        failed_before: u32::try_from(number("failed_before").unwrap_or(0)).ok()?,
        next_attempt: moment("next_attempt")?,
        memory: pairs("memory")?,
    })
}

fn read_alert(value: &Value) -> Option<NoticeAlert> {
    let text = |name: &str| value.get(name)?.as_str();
    let moment = |name: &str| Some(Timestamp::from_millis(value.get(name)?.as_i64()?));
    let flag = |name: &str| value.get(name)?.as_bool();
    Some(NoticeAlert {
        alert: Alert {
            labels: Labels::from_encoded(text("labels")?)?,
            annotations: Labels::annotations_from_encoded(text("annotations")?)?,
            starts_at: moment("starts_at")?,
            ends_at: moment("ends_at")?,
            updated_at: moment("updated_at")?,
            ends_by_timeout: flag("ends_by_timeout")?,
            generator_url: text("generator_url")?.to_owned(),
        },
        resolved: flag("resolved")?,
    })
}
