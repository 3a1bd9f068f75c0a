//! What is left of Alertmanager's first API, which newer versions only answer with "deprecated" but old clients use.

use super::{alerts, status};
use crate::answer::{self, Answer};
use crate::services::Services;
use crate::time::rfc3339;
use axum::body::Body;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// Takes alerts; the answer has version 1's envelope.
pub(crate) async fn put(State(services): State<Arc<Services>>, body: Body) -> Answer {
    alerts::put_v1(services, body).await?;
    Ok(answer::plain_json(&json!({"status": "success"})))
}

/// Configuration, version and uptime in version 1's envelope.
pub(crate) async fn status(State(services): State<Arc<Services>>) -> Answer {
    Ok(answer::success(&json!({
        "configYAML": services.dispatch.config().redacted,
        "configJSON": Value::Null,
        "versionInfo": status::version_info(&services),
        "uptime": rfc3339(services.about.started_at),
        "clusterStatus": Value::Null,
    })))
}
