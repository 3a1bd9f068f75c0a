//! `binnacle alert`: what fires, and sending an alert by hand.

mod about;

use super::client::Client;
use super::table;
use crate::cli::{Alert, AlertAction, Format};
use crate::print;
use anyhow::Context as _;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Does what was asked.
pub(crate) fn run(alert: &Alert) -> anyhow::Result<ExitCode> {
    let client = Client::new(&alert.server)?;
    match &alert.action {
        AlertAction::List { matchers } => list(&client, matchers, alert.output.output),
        AlertAction::History {
            matchers,
            since,
            limit,
        } => about::history(&client, (matchers, since, *limit), alert.output.output),
        AlertAction::Explain { alert: words } => {
            about::explain(&client, words, alert.output.output)
        }
        AlertAction::Test { receiver, resolve } => {
            about::test(&client, (receiver, *resolve), alert.output.output)
        }
        AlertAction::Add { labels, annotation } => {
            let body = json!([{"labels": pairs(labels)?, "annotations": pairs(annotation)?}]);
            client.post("/api/v2/alerts", &body)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn pairs(words: &[String]) -> anyhow::Result<Value> {
    let mut object = Map::new();
    for word in words {
        let (name, value) = word
            .split_once('=')
            .with_context(|| format!("{word:?} is not like name=value"))?;
        object.insert(name.to_owned(), Value::from(value.trim_matches('"')));
    }
    Ok(Value::Object(object))
}

fn list(client: &Client, matchers: &[String], format: Format) -> anyhow::Result<ExitCode> {
    let filters: Vec<(&str, &str)> = matchers
        .iter()
        .map(|text| ("filter", text.as_str()))
        .collect();
    let alerts = client.get("/api/v2/alerts", &filters)?;
    if format == Format::Json {
        print::json(&alerts);
        return Ok(ExitCode::SUCCESS);
    }
    let text = |value: &Value, pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let row = |alert: &Value| {
        let labels = alert
            .get("labels")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let labels: model::Labels = labels
            .filter(|(name, _)| *name != "alertname")
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
            .collect();
        let about = [
            text(alert, "/annotations/summary"),
            text(alert, "/annotations/description"),
        ];
        vec![
            text(alert, "/labels/alertname"),
            text(alert, "/status/state"),
            text(alert, "/startsAt"),
            labels.to_string(),
            about
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = alerts.as_array().into_iter().flatten().map(row).collect();
    table::print(&["alert", "state", "since", "labels", "about"], &rows);
    Ok(ExitCode::SUCCESS)
}
