//! `binnacle alert history`, `explain` and `test`.

use crate::cli::Format;
use crate::commands::client::Client;
use crate::commands::table;
use crate::print;
use anyhow::bail;
use runtime::Clock as _;
use serde_json::{Value, json};
use std::process::ExitCode;

fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn labels(value: &Value) -> String {
    let labels = value.as_object().into_iter().flatten();
    let labels: model::Labels = labels
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
        .collect();
    labels.to_string()
}

pub(super) fn history(
    client: &Client,
    (matchers, since, limit): (&[String], &str, usize),
    format: Format,
) -> anyhow::Result<ExitCode> {
    let back_ms = model::parse_duration(since).map_err(anyhow::Error::msg)?;
    let now = runtime::SystemClock::new().now();
    let (start, limit) = (now.plus_millis(-back_ms).to_string(), limit.to_string());
    let mut parameters = vec![("start", start.as_str()), ("limit", limit.as_str())];
    parameters.extend(matchers.iter().map(|text| ("filter", text.as_str())));
    let events = client.get("/api/binnacle/v1/alerts/history", &parameters)?;
    if format == Format::Json {
        print::json(&events);
        return Ok(ExitCode::SUCCESS);
    }
    let row = |event: &Value| {
        vec![
            text(event, "/at"),
            text(event, "/change"),
            text(event, "/fingerprint"),
            event.get("labels").map(labels).unwrap_or_default(),
            text(event, "/detail"),
        ]
    };
    let rows: Vec<Vec<String>> = events.as_array().into_iter().flatten().map(row).collect();
    table::print(&["at", "change", "fingerprint", "labels", "detail"], &rows);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn explain(
    client: &Client,
    words: &[String],
    format: Format,
) -> anyhow::Result<ExitCode> {
    let fingerprint = find(client, words)?;
    let path = format!("/api/binnacle/v1/alerts/{fingerprint}/explain");
    let answer = client.get(&path, &[])?;
    if format == Format::Json {
        print::json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    if text(&answer, "/state") == "gone" && answer.get("labels").is_none_or(Value::is_null) {
        bail!("nothing is known of an alert {fingerprint}");
    }
    for line in explanation(&answer) {
        print::line(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// The fingerprint that is meant: given itself, or by matchers that only one alert fulfils.
fn find(client: &Client, words: &[String]) -> anyhow::Result<String> {
    if let [word] = words
        && word.len() == 16
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Ok(word.clone());
    }
    let filters: Vec<(&str, &str)> = words.iter().map(|word| ("filter", word.as_str())).collect();
    let alerts = client.get("/api/v2/alerts", &filters)?;
    let found: Vec<String> = alerts
        .as_array()
        .into_iter()
        .flatten()
        .map(|alert| text(alert, "/fingerprint"))
        .collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!(
            "no alert fires that fulfils {}; one that is over is named by its fingerprint (binnacle alert history)",
            words.join(" ")
        ),
        many => bail!(
            "{} alerts fulfil {}: {}",
            many.len(),
            words.join(" "),
            many.join(", ")
        ),
    }
}

/// The lines that a person reads.
fn explanation(answer: &Value) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {} ({})",
        text(answer, "/fingerprint"),
        answer.get("labels").map(labels).unwrap_or_default(),
        text(answer, "/state"),
    )];
    if answer.get("alert").is_some_and(|alert| !alert.is_null()) {
        lines.push(format!(
            "  since {}, ends {}",
            text(answer, "/alert/startsAt"),
            text(answer, "/alert/endsAt")
        ));
    }
    match answer.get("rule") {
        Some(rule) if !rule.is_null() => lines.push(format!(
            "  rule {} of group {} in {}: {} (for {}), value {}",
            text(rule, "/name"),
            text(rule, "/group"),
            text(rule, "/file"),
            text(rule, "/query"),
            text(rule, "/for"),
            text(rule, "/value"),
        )),
        _ => lines.push("  from no rule that fires here".to_owned()),
    }
    lines.extend(pending_line(answer));
    if answer.get("flapping").and_then(Value::as_bool) == Some(true) {
        lines.push("  flapping: its ends are held back".to_owned());
    }
    if let Some(source) = answer.get("inhibitedBy").filter(|source| !source.is_null()) {
        lines.push(format!(
            "  inhibited by {} {}",
            text(source, "/fingerprint"),
            source.get("labels").map(labels).unwrap_or_default()
        ));
    }
    for silence in list(answer, "silencedBy") {
        lines.push(format!(
            "  silenced by {} until {}: {} ({})",
            text(silence, "/id"),
            text(silence, "/endsAt"),
            text(silence, "/comment"),
            text(silence, "/createdBy"),
        ));
    }
    for route in list(answer, "routes") {
        lines.extend(route_lines(route));
    }
    for (title, name, make) in [
        ("attempts", "attempts", attempt_line as fn(&Value) -> String),
        ("history", "history", event_line),
    ] {
        let made: Vec<String> = list(answer, name).take(20).map(make).collect();
        if !made.is_empty() {
            lines.push(format!("{title}, the newest first"));
            lines.extend(made);
        }
    }
    lines
}

/// When a pending alert fires, and who is told then.
fn pending_line(answer: &Value) -> Option<String> {
    if text(answer, "/state") != "pending" {
        return None;
    }
    let receivers: Vec<&str> = list(answer, "receivers")
        .filter_map(Value::as_str)
        .collect();
    let who = if receivers.is_empty() {
        "nobody".to_owned()
    } else {
        receivers.join(", ")
    };
    let at = text(answer, "/rule/firesAt");
    Some(format!(
        "  fires at {at} if its condition goes on to hold; then {who} will be told"
    ))
}

fn route_lines(route: &Value) -> Vec<String> {
    let mut lines = vec![
        format!(
            "route {} to {}",
            text(route, "/route"),
            text(route, "/receiver")
        ),
        format!(
            "  group {} (group_wait {}, group_interval {}, repeat_interval {})",
            text(route, "/groupKey"),
            text(route, "/groupWait"),
            text(route, "/groupInterval"),
            text(route, "/repeatInterval"),
        ),
    ];
    for name in list(route, "mutedBy") {
        lines.push(format!(
            "  muted by time interval {}",
            name.as_str().unwrap_or_default()
        ));
    }
    let before = lines.len();
    for one in list(route, "integrations") {
        lines.push(format!(
            "  {}: {}",
            text(one, "/name"),
            text(one, "/verdict")
        ));
    }
    if lines.len() == before {
        lines.push("  this receiver has no integration: nobody is told".to_owned());
    }
    lines
}

fn attempt_line(attempt: &Value) -> String {
    let outcome = match text(attempt, "/error") {
        error if error.is_empty() => "delivered".to_owned(),
        error => format!("failed: {error}"),
    };
    format!(
        "  {} {}/{} {}, attempt {}: {outcome}",
        text(attempt, "/at"),
        text(attempt, "/receiver"),
        text(attempt, "/integration"),
        text(attempt, "/reason"),
        text(attempt, "/attempt"),
    )
}

fn event_line(event: &Value) -> String {
    let line = format!(
        "  {} {} {}",
        text(event, "/at"),
        text(event, "/change"),
        text(event, "/detail")
    );
    line.trim_end().to_owned()
}

pub(super) fn test(
    client: &Client,
    (receiver, resolve): (&str, bool),
    format: Format,
) -> anyhow::Result<ExitCode> {
    let encoded = config::percent::encoded(receiver);
    let query = if resolve { "?resolve=true" } else { "" };
    let path = format!("/api/binnacle/v1/receivers/{encoded}/test{query}");
    let trials = client.post(&path, &json!({}))?;
    let all: Vec<&Value> = trials.as_array().into_iter().flatten().collect();
    let works = !all.is_empty()
        && all
            .iter()
            .all(|trial| trial.get("delivered").and_then(Value::as_bool) == Some(true));
    if format == Format::Json {
        print::json(&trials);
    } else if all.is_empty() {
        print::note(&format!("{receiver} has no integration: nobody is told"));
    } else {
        let row = |trial: &&Value| {
            let ended = trial.get("resolved").and_then(Value::as_bool) == Some(true);
            let said = match (text(trial, "/error"), text(trial, "/templateError")) {
                (error, _) if !error.is_empty() => format!("failed: {error}"),
                (_, error) if !error.is_empty() => format!("delivered as plain text: {error}"),
                _ => "delivered".to_owned(),
            };
            let state = if ended { "resolved" } else { "firing" };
            vec![text(trial, "/integration"), state.to_owned(), said]
        };
        let rows: Vec<Vec<String>> = all.iter().map(row).collect();
        table::print(&["integration", "sent", "outcome"], &rows);
    }
    Ok(if works {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
