//! A backtest's report for people.

use crate::commands::table;
use crate::print::line;
use model::{Labels, format_duration};
use serde_json::Value;
use std::path::Path;

/// Times that an alert fired which are listed at most; `--json` has more.
const EPISODES_SHOWN_MAX: usize = 50;

/// Whether every rule could be evaluated and no incident was missed.
pub(super) fn is_sound(report: &Value) -> bool {
    let missed = report.pointer("/incidents/missed").and_then(Value::as_u64);
    let failed = list(report, "rules")
        .iter()
        .any(|rule| count(rule, "failures") > 0);
    missed.unwrap_or(0) == 0 && !failed
}

/// Prints it.
pub(super) fn print(report: &Value, file: &Path) {
    line(&format!(
        "{}: {} to {}, {} evaluations in {:.1} s",
        file.display(),
        text(report, "start"),
        text(report, "end"),
        count(report, "evaluations"),
        float(report, "seconds"),
    ));
    for note in list(report, "notes") {
        line(&format!("note: {}", note.as_str().unwrap_or_default()));
    }
    rules(report);
    episodes(report);
    notifications(report);
    incidents(report);
}

fn rules(report: &Value) {
    let rules = list(report, "rules");
    for rule in rules.iter().filter(|rule| count(rule, "failures") > 0) {
        line(&format!(
            "failed: {} of {} evaluations of {}, at last: {}",
            count(rule, "failures"),
            count(rule, "evaluations"),
            text(rule, "name"),
            text(rule, "lastError"),
        ));
    }
    let alerts = rules.iter().filter(|rule| text(rule, "type") == "alerting");
    let row = |rule: &Value| {
        vec![
            text(rule, "name").to_owned(),
            count(rule, "fired").to_string(),
            count(rule, "series").to_string(),
            length(float(rule, "firingSeconds")),
            length(float(rule, "longestSeconds")),
            count(rule, "flaps").to_string(),
            count(rule, "pendingOnly").to_string(),
        ]
    };
    line("");
    table::print(
        &[
            "ALERT",
            "FIRED",
            "SERIES",
            "FIRING",
            "LONGEST",
            "FLAPS",
            "PENDING ONLY",
        ],
        &alerts.map(row).collect::<Vec<_>>(),
    );
}

fn episodes(report: &Value) {
    let mut all: Vec<(&Value, &Value)> = list(report, "rules")
        .iter()
        .flat_map(|rule| list(rule, "episodes").iter().map(move |one| (rule, one)))
        .collect();
    if all.is_empty() {
        return;
    }
    all.sort_by_key(|(_, episode)| text(episode, "firedAt"));
    let row = |(rule, episode): &(&Value, &Value)| {
        let goes_on = episode.get("resolvedAt").is_none_or(Value::is_null);
        let length = length(float(episode, "seconds"));
        vec![
            text(episode, "firedAt").to_owned(),
            if goes_on {
                format!("{length}+")
            } else {
                length
            },
            text(rule, "name").to_owned(),
            labels(episode),
        ]
    };
    let shown: Vec<Vec<String>> = all.iter().take(EPISODES_SHOWN_MAX).map(row).collect();
    line("");
    table::print(&["FIRED AT", "FOR", "ALERT", "LABELS"], &shown);
    let left = all.len().saturating_sub(EPISODES_SHOWN_MAX);
    if left > 0 {
        line(&format!("… and {left} more (--json lists them)"));
    }
}

fn notifications(report: &Value) {
    let Some(found) = report.get("notifications").filter(|found| !found.is_null()) else {
        line("");
        line("nobody would have been told: no alertmanager.yml (--alertmanager FILE)");
        return;
    };
    let row = |receiver: &Value| {
        let worst = receiver.get("worstHour").filter(|hour| !hour.is_null());
        let worst =
            worst.map(|hour| format!("{} at {}", count(hour, "count"), text(hour, "start")));
        vec![
            text(receiver, "receiver").to_owned(),
            count(receiver, "total").to_string(),
            format!("{:.2}", float(receiver, "perHour")),
            worst.unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = list(found, "receivers").iter().map(row).collect();
    line("");
    table::print(
        &["RECEIVER", "NOTIFICATIONS", "AN HOUR", "WORST HOUR"],
        &rows,
    );
}

fn incidents(report: &Value) {
    let Some(found) = report.get("incidents").filter(|found| !found.is_null()) else {
        return;
    };
    let row = |incident: &Value| {
        let delay = incident.get("delaySeconds").and_then(Value::as_f64);
        let said = match delay {
            None => "MISSED".to_owned(),
            Some(delay) if delay < 0.0 => format!("{} before", length(-delay)),
            Some(delay) => format!("after {}", length(delay)),
        };
        let by = match incident.get("alert").and_then(Value::as_str) {
            Some(alert) => format!("{alert} {}", labels(incident)),
            None => String::new(),
        };
        vec![
            text(incident, "name").to_owned(),
            text(incident, "start").to_owned(),
            said,
            by,
        ]
    };
    let rows: Vec<Vec<String>> = list(found, "list").iter().map(row).collect();
    line("");
    table::print(&["INCIDENT", "BEGAN", "DETECTED", "BY"], &rows);
    let median = found.get("medianDelaySeconds").and_then(Value::as_f64);
    let median = median.map_or(String::new(), |delay| {
        let sign = if delay < 0.0 { "-" } else { "" };
        format!(", median delay {sign}{}", length(delay.abs()))
    });
    line(&format!(
        "{} detected, {} missed{median}; {} of {} alerts were false alarms",
        count(found, "detected"),
        count(found, "missed"),
        count(found, "falseAlarms"),
        count(found, "fired"),
    ));
    for rule in list(found, "byRule") {
        if count(rule, "falseAlarms") > 0 {
            line(&format!(
                "  {}: {} of {}",
                text(rule, "name"),
                count(rule, "falseAlarms"),
                count(rule, "fired")
            ));
        }
    }
    if count(found, "outside") > 0 {
        line(&format!(
            "{} incidents of the list lie outside the span",
            count(found, "outside")
        ));
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    let found = value.get(name).and_then(Value::as_array);
    found.map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn count(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn float(value: &Value, name: &str) -> f64 {
    value.get(name).and_then(Value::as_f64).unwrap_or_default()
}

/// A duration in whole seconds.
fn length(seconds: f64) -> String {
    format_duration(model::number::float_to_i64(seconds.round()) * 1000)
}

fn labels(value: &Value) -> String {
    let found = value.get("labels").and_then(Value::as_object);
    let pairs = found
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    let labels: Labels = pairs.collect();
    labels.without(&["alertname"]).to_string()
}
