//! The webhook: payload version 4, or what the configuration says instead.

use super::http::Request;
use super::{Clients, Job, client};
use crate::config::Webhook;
use crate::template::{Scope, go_json};
use config::yaml::{Node, NodeKind};
use serde_json::{Map, Value};
use std::time::Duration;

/// The header by which receivers can tell repeats.
pub(super) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Makes the request.
pub(super) fn prepare(job: &Job, webhook: &Webhook, clients: &Clients) -> Result<Request, String> {
    let scope = job
        .templates
        .scope(&job.notice, webhook.alerts_max, job.now);
    let source = webhook
        .url
        .read()
        .map_err(|error| format!("read url_file: {error}"))?;
    let url = scope
        .text(source.reveal())
        .map_err(|error| format!("failed to template webhook URL: {error}"))?;
    if url.is_empty() {
        return Err("webhook URL is empty after templating".to_owned());
    }
    Ok(Request {
        client: clients.get(&job.notice.target, &webhook.http)?,
        url,
        headers: headers(job, &webhook.http)?,
        body: body(webhook, &scope),
        timeout: timeout(webhook.timeout_ms),
    })
}

/// The configured headers and the key of the notification.
pub(super) fn headers(
    job: &Job,
    http: &config::HttpClientConfig,
) -> Result<reqwest::header::HeaderMap, String> {
    let mut headers = http.request_headers()?;
    let key = config::Secret::new(job.notice.id.as_str());
    headers.push((IDEMPOTENCY_KEY.to_owned(), key));
    client::header_map(&headers)
}

/// The configured limit.
pub(super) fn timeout(millis: Option<i64>) -> Option<Duration> {
    let millis = u64::try_from(millis?).ok()?;
    Some(Duration::from_millis(millis))
}

/// The payload. Where a template in a custom one fails, the standard one is sent.
fn body(webhook: &Webhook, scope: &Scope) -> String {
    let Some(payload) = &webhook.payload else {
        return scope.message.json();
    };
    match render(payload, scope) {
        Ok(value) => go_json(&value),
        Err(error) => {
            tracing::warn!("webhook payload: {error}; the standard payload is sent instead");
            scope.message.json()
        }
    }
}

/// Renders every text of a custom payload. A text that renders to YAML of another kind (a list, a number)
/// becomes that.
fn render(node: &Node, scope: &Scope) -> Result<Value, String> {
    match &node.kind {
        NodeKind::Scalar { text, quoted } => {
            if !text.contains("{{") && !quoted {
                return Ok(plain(node));
            }
            let rendered = scope.text(text)?;
            let mut problems = config::Problems::new("payload");
            let parsed = config::yaml::parse_single(&rendered, &mut problems);
            Ok(match parsed.filter(|_| problems.is_empty()) {
                Some(inner) if !matches!(inner.kind, NodeKind::Null) => match plain(&inner) {
                    Value::String(_) => Value::from(rendered),
                    other => other,
                },
                _ => Value::from(rendered),
            })
        }
        NodeKind::Null => Ok(Value::Null),
        NodeKind::Sequence(elements) => {
            let list: Result<Vec<Value>, String> = elements
                .iter()
                .map(|element| render(element, scope))
                .collect();
            list.map(Value::from)
        }
        NodeKind::Mapping(pairs) => {
            let mut map = Map::new();
            for (key, value) in pairs {
                let key = scope.text(key.text().unwrap_or_default())?;
                map.insert(key, render(value, scope)?);
            }
            Ok(Value::from(map))
        }
    }
}

/// YAML as JSON: booleans and numbers where they are written as such.
fn plain(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Scalar { text, quoted: true } => Value::from(text.as_str()),
        NodeKind::Scalar {
            text,
            quoted: false,
        } => match text.as_str() {
            "true" | "yes" | "on" => Value::Bool(true),
            "false" | "no" | "off" => Value::Bool(false),
            text => text
                .parse::<i64>()
                .map(Value::from)
                .or_else(|_| text.parse::<f64>().map(Value::from))
                .unwrap_or_else(|_| Value::from(text)),
        },
        NodeKind::Sequence(elements) => elements.iter().map(plain).collect(),
        NodeKind::Mapping(pairs) => {
            let entry = |(key, value): &(Node, Node)| {
                (key.text().unwrap_or_default().to_owned(), plain(value))
            };
            Value::from(pairs.iter().map(entry).collect::<Map<_, _>>())
        }
    }
}
