//! One request to an Alertmanager: the body of its interface v2, and what the answer means.

use crate::http_client::{RefreshedClient, cause};
use crate::prometheus_file::Alertmanagers;
use model::{Alert, Labels};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How the Alertmanagers of a set are reached.
pub(super) struct Requests {
    client: Arc<RefreshedClient>,
    timeout: Duration,
}

impl Requests {
    pub(super) fn new(settings: &Alertmanagers) -> Self {
        let timeout_ms = u64::try_from(settings.timeout_ms).unwrap_or_default();
        Self {
            client: Arc::new(RefreshedClient::new(settings.http.clone())),
            timeout: Duration::from_millis(timeout_ms),
        }
    }

    /// How long a request may take.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Posts alerts once. Fails unless the answer is 2xx within the time limit.
    pub(super) async fn post(&self, url: &str, alerts: &[Arc<Alert>]) -> Result<(), String> {
        // Outside of the time limit: a file that hangs must not hold a thread more for each batch.
        let ready = self.client.ready().await?;
        match tokio::time::timeout(self.timeout, attempt(ready, url, alerts)).await {
            Ok(done) => done,
            Err(_elapsed) => Err(format!("no answer within {} ms", self.timeout.as_millis())),
        }
    }
}

async fn attempt(
    (client, mut headers): (reqwest::Client, HeaderMap),
    url: &str,
    alerts: &[Arc<Alert>],
) -> Result<(), String> {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let answer = client
        .post(url)
        .headers(headers)
        .body(body(alerts))
        .send()
        .await
        .map_err(|error| cause(&error))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(format!("bad response status {status}"))
}

/// Alerts as `/api/v2/alerts` takes them.
pub(super) fn body(alerts: &[Arc<Alert>]) -> String {
    let all: Vec<Value> = alerts.iter().map(|alert| alert_json(alert)).collect();
    Value::Array(all).to_string()
}

fn alert_json(alert: &Alert) -> Value {
    json!({
        "annotations": object(&alert.annotations),
        "endsAt": alert.ends_at.to_string(),
        "startsAt": alert.starts_at.to_string(),
        "generatorURL": alert.generator_url,
        "labels": object(&alert.labels),
    })
}

fn object(labels: &Labels) -> Map<String, Value> {
    labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}
