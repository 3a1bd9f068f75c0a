//! `/api/binnacle/v1/notifications`: what was sent lately, and which alerts reach nobody.

use super::alerts::attempt_json;
use crate::alertmanager::alerts::undelivered_json;
use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::services::Services;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// Attempts listed unless the request says otherwise.
const LIST_MAX: usize = 200;

/// Lists attempts, the newest first, and undelivered alerts.
pub(crate) async fn list(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let count = params.count("limit")?.unwrap_or(LIST_MAX);
    let dispatch = Arc::clone(&services.dispatch);
    let read = tokio::task::spawn_blocking(move || dispatch.attempts(count)).await;
    let attempts = match read {
        Ok(Ok(attempts)) => attempts,
        Ok(Err(error)) => return Err(Failure::internal(error.to_string())),
        Err(error) => {
            tracing::error!(%error, "reading attempts ended unexpectedly");
            return Err(Failure::internal("reading attempts ended unexpectedly"));
        }
    };
    Ok(answer::plain_json(&json!({
        "attempts": attempts.iter().map(attempt_json).collect::<Vec<Value>>(),
        "undelivered": undelivered_json(&services),
    })))
}
