//! `/api/v2/status` and `/api/v2/receivers`.

use crate::answer;
use crate::services::Services;
use crate::time::rfc3339;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// The version of Alertmanager whose API this is.
const ALERTMANAGER_VERSION: &str = "0.34.0";

/// Configuration, version and uptime. There is no cluster: one process does it all.
pub(crate) async fn status(State(services): State<Arc<Services>>) -> Response {
    answer::plain_json(&json!({
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"original": services.dispatch.config().redacted},
        "uptime": rfc3339(services.about.started_at),
        "versionInfo": version_info(&services),
    }))
}

/// What was built, in Alertmanager's fields.
pub(super) fn version_info(services: &Services) -> Value {
    json!({
        "branch": "",
        "buildDate": "",
        "buildUser": "",
        "goVersion": "",
        "revision": format!("binnacle-{}", services.about.version),
        "version": ALERTMANAGER_VERSION,
    })
}

/// The receivers in the order of the file.
pub(crate) async fn receivers(State(services): State<Arc<Services>>) -> Response {
    let list = services.dispatch.receivers();
    answer::plain_json(
        &list
            .iter()
            .map(|receiver| json!({"name": receiver.name}))
            .collect(),
    )
}
