//! Asking a query and telling two answers apart.

use crate::server::{self, Server};
use anyhow::Context as _;
use serde_json::Value;
use std::collections::BTreeMap;

/// Answers may differ by this share of their size.
const TOLERANCE: f64 = 1e-9;

/// A query at a moment.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) query: &'static str,
    pub(super) at_ms: i64,
}

impl Asked {
    /// Whether values are compared, or only label sets: each server measures its own scrapes.
    pub(super) fn values_count(self) -> bool {
        !self.query.contains("scrape_")
    }
}

/// Label set (as JSON, sorted) to value.
pub(super) type Answer = BTreeMap<String, String>;

/// Asks one server.
pub(super) fn ask(server: &Server, client: &ureq::Agent, asked: Asked) -> anyhow::Result<Answer> {
    let time = format!("{}.{:03}", asked.at_ms / 1000, asked.at_ms % 1000);
    let parameters = [("query", asked.query), ("time", time.as_str())];
    let (_, text) = server::get(client, &server.api_url("query"), &parameters)?;
    let json: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
    let result = json
        .pointer("/data/result")
        .and_then(Value::as_array)
        .with_context(|| text.clone())?;
    let mut answer = Answer::new();
    for row in result {
        let labels: BTreeMap<String, Value> = row
            .get("metric")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        // The job of what the program scrapes of itself exists on one side only.
        if labels.get("job").and_then(Value::as_str) == Some("binnacle") {
            continue;
        }
        let value = row
            .pointer("/value/1")
            .and_then(Value::as_str)
            .unwrap_or_default();
        answer.insert(serde_json::to_string(&labels)?, value.to_owned());
    }
    Ok(answer)
}

/// The first difference, if there is one.
pub(super) fn difference(ours: &Answer, theirs: &Answer, values_count: bool) -> Option<String> {
    if let Some((labels, _)) = ours
        .iter()
        .find(|(labels, _)| !theirs.contains_key(*labels))
    {
        return Some(format!("only we have {labels}"));
    }
    for (labels, theirs) in theirs {
        let Some(ours) = ours.get(labels) else {
            return Some(format!("only they have {labels}"));
        };
        if values_count && !equal(ours, theirs) {
            return Some(format!("{labels} is {ours} here and {theirs} there"));
        }
    }
    None
}

fn equal(a: &str, b: &str) -> bool {
    let (Ok(x), Ok(y)) = (a.parse::<f64>(), b.parse::<f64>()) else {
        return a == b;
    };
    a == b || (x - y).abs() <= TOLERANCE * x.abs().max(y.abs())
}
