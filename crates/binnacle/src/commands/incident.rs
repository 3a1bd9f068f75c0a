//! `binnacle incident`: list, show, acknowledge, resolve, note.

use super::client::Client;
use super::table;
use crate::cli::{Format, Incident, IncidentAction};
use crate::print;
use serde_json::{Value, json};
use std::process::ExitCode;

const PATH: &str = "/api/binnacle/v1/incidents";

/// Does what was asked.
pub(crate) fn run(incident: &Incident) -> anyhow::Result<ExitCode> {
    let client = Client::new(&incident.server)?;
    let format = incident.output.output;
    let who = runtime::environment::var("USER").unwrap_or_else(|| "binnacle".to_owned());
    let act = |id: &str, action: &str, body: Value| -> anyhow::Result<ExitCode> {
        let changed = client.post(&format!("{PATH}/{id}/{action}"), &body)?;
        show(&changed, format);
        Ok(ExitCode::SUCCESS)
    };
    match &incident.action {
        IncidentAction::List { open } => list(&client, *open, format),
        IncidentAction::Show { id } => {
            show(&client.get(&format!("{PATH}/{id}"), &[])?, format);
            Ok(ExitCode::SUCCESS)
        }
        IncidentAction::Ack { id } => act(id, "acknowledge", json!({"author": who})),
        IncidentAction::Resolve { id } => act(id, "resolve", json!({"author": who})),
        IncidentAction::Note { id, text } => act(id, "notes", json!({"author": who, "text": text})),
    }
}

fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or("–")
        .to_owned()
}

fn list(client: &Client, open: bool, format: Format) -> anyhow::Result<ExitCode> {
    let answer = client.get(PATH, &[("timeline", "false")])?;
    let all = answer.as_array().cloned().unwrap_or_default();
    let chosen: Vec<Value> = all
        .into_iter()
        .filter(|one| !open || text(one, "status") != "resolved")
        .collect();
    if format == Format::Json {
        print::json(&Value::from(chosen));
        return Ok(ExitCode::SUCCESS);
    }
    let names = ["id", "status", "severity", "openedAt", "title"];
    let rows: Vec<Vec<String>> = chosen
        .iter()
        .map(|one| names.iter().map(|name| text(one, name)).collect())
        .collect();
    table::print(&["id", "status", "severity", "opened", "title"], &rows);
    Ok(ExitCode::SUCCESS)
}

fn show(incident: &Value, format: Format) {
    if format == Format::Json {
        print::json(incident);
        return;
    }
    for name in [
        "id",
        "title",
        "status",
        "severity",
        "openedAt",
        "acknowledgedAt",
        "resolvedAt",
    ] {
        print::line(&format!("{name:<15} {}", text(incident, name)));
    }
    for entry in incident
        .get("timeline")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        print::line(&format!(
            "  {}  {:<14} {}",
            text(entry, "at"),
            text(entry, "kind"),
            text(entry, "text")
        ));
    }
}
