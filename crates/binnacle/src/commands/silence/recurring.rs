//! `binnacle silence recur` and `preview`: silences that come again, and what a silence would mute.

use super::{matchers_text, parse_matcher, text};
use crate::cli::Format;
use crate::commands::client::Client;
use crate::commands::table;
use crate::print;
use anyhow::bail;
use reqwest::Method;
use serde_json::{Value, json};
use std::process::ExitCode;

const PATH: &str = "/api/binnacle/v1/silences/recurring";

pub(super) fn add(
    client: &Client,
    matchers: &[String],
    (window, until): (&str, Option<&str>),
    (comment, author): (&str, &str),
) -> anyhow::Result<ExitCode> {
    let matchers: Vec<Value> = matchers
        .iter()
        .map(|text| parse_matcher(text))
        .collect::<anyhow::Result<_>>()?;
    let body = json!({
        "matchers": matchers,
        "window": window,
        "until": until,
        "createdBy": author,
        "comment": comment,
    });
    let answer = client.post(PATH, &body)?;
    print::line(&text(&answer, "/id"));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn list(client: &Client, format: Format) -> anyhow::Result<ExitCode> {
    let list = client.get(PATH, &[])?;
    if format == Format::Json {
        print::json(&list);
        return Ok(ExitCode::SUCCESS);
    }
    let row = |one: &Value| {
        vec![
            text(one, "/id"),
            matchers_text(one),
            one.get("window").map(Value::to_string).unwrap_or_default(),
            text(one, "/next"),
            text(one, "/until"),
            text(one, "/createdBy"),
            text(one, "/comment"),
        ]
    };
    let rows: Vec<Vec<String>> = list.as_array().into_iter().flatten().map(row).collect();
    table::print(
        &["id", "matchers", "window", "next", "until", "by", "comment"],
        &rows,
    );
    Ok(ExitCode::SUCCESS)
}

pub(super) fn remove(client: &Client, id: &str) -> anyhow::Result<ExitCode> {
    let (status, said) = client.send(Method::DELETE, &format!("{PATH}/{id}"), &[], None)?;
    if status != 200 {
        bail!("{id}: {}", said.trim());
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn preview(
    client: &Client,
    (matchers, since): (&[String], &str),
    format: Format,
) -> anyhow::Result<ExitCode> {
    let mut parameters = vec![("since", since)];
    parameters.extend(matchers.iter().map(|text| ("filter", text.as_str())));
    let answer = client.get("/api/binnacle/v1/silences/would-mute", &parameters)?;
    if format == Format::Json {
        print::json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
    print::line(&format!(
        "mutes {} now; {} since {}",
        number(&answer, "firing"),
        number(&answer, "alerts"),
        text(&answer, "/since"),
    ));
    let row = |one: &Value| {
        let labels = one
            .get("labels")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let labels: model::Labels = labels
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
            .collect();
        let fires = one.get("firing").and_then(Value::as_bool) == Some(true);
        vec![
            if fires { "yes" } else { "no" }.to_owned(),
            number(one, "fired").to_string(),
            text(one, "/last"),
            labels.to_string(),
        ]
    };
    let list = answer.get("list").and_then(Value::as_array);
    let rows: Vec<Vec<String>> = list.into_iter().flatten().map(row).collect();
    table::print(&["fires now", "began", "last", "labels"], &rows);
    Ok(ExitCode::SUCCESS)
}
