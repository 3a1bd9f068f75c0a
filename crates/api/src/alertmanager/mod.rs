//! Alertmanager's API, version 2, and what is left of version 1.

pub(crate) mod alerts;
pub(crate) mod refusal;
pub(crate) mod silences;
pub(crate) mod status;
pub(crate) mod v1;

use crate::answer::{self, Failure};
use axum::response::Response;
use serde_json::Value;

/// A failure as version 2 answers it: the message alone, as a JSON text.
fn plain_failure(failure: &Failure) -> Response {
    answer::with_status(
        failure.status(),
        answer::plain_json(&Value::from(failure.message())),
    )
}
