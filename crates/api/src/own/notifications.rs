//! `/api/binnacle/v1/notifications`: what was sent lately, and which alerts reach nobody.

use crate::alertmanager::alerts::undelivered_json;
use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::services::Services;
use crate::time::rfc3339;
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
    let one = |attempt: &dispatch::Attempt| {
        json!({
            "at": rfc3339(attempt.at),
            "receiver": attempt.target.receiver,
            "integration": format!("{}[{}]", attempt.target.kind, attempt.target.index),
            "groupKey": attempt.group_key,
            "reason": attempt.reason,
            "attempt": attempt.attempt,
            "firing": attempt.firing,
            "resolved": attempt.resolved,
            "outcome": if attempt.error.is_none() { "delivered" } else { "failed" },
            "error": attempt.error,
        })
    };
    Ok(answer::plain_json(&json!({
        "attempts": attempts.iter().map(one).collect::<Vec<Value>>(),
        "undelivered": undelivered_json(&services),
    })))
}
