//! Health, readiness, reload and our own metrics; and what other programs answer for health on their ports.

use crate::answer::{self, Answer, Failure};
use crate::services::Services;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The process answers.
pub(crate) async fn healthy() -> Response {
    answer::line(StatusCode::OK, "Binnacle is Healthy.")
}

/// Everything that was stored is served.
pub(crate) async fn ready(State(services): State<Arc<Services>>) -> Response {
    if services.ready.load(Ordering::Relaxed) {
        answer::line(StatusCode::OK, "Binnacle is Ready.")
    } else {
        answer::line(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
    }
}

/// As Loki says it.
pub(crate) async fn loki_ready(State(services): State<Arc<Services>>) -> Response {
    if services.ready.load(Ordering::Relaxed) {
        answer::line(StatusCode::OK, "ready")
    } else {
        answer::line(StatusCode::SERVICE_UNAVAILABLE, "not ready")
    }
}

/// As Grafana says it.
pub(crate) async fn grafana_health(State(services): State<Arc<Services>>) -> Response {
    answer::plain_json(&json!({
        "database": "ok", "version": services.about.version, "commit": "",
    }))
}

/// What upstream says where its flag is missing.
fn not_enabled() -> Response {
    answer::line(StatusCode::FORBIDDEN, "Lifecycle API is not enabled.")
}

/// What upstream says to other methods.
pub(crate) async fn only_post_or_put() -> Response {
    answer::line(
        StatusCode::METHOD_NOT_ALLOWED,
        "Only POST or PUT requests allowed.",
    )
}

/// Ends the process in good order.
pub(crate) async fn quit(State(services): State<Arc<Services>>) -> Response {
    if !services.web.may_quit() {
        return not_enabled();
    }
    (services.web.quit)();
    answer::line(StatusCode::OK, "Requesting termination... Goodbye!")
}

/// Reads the configuration again; the old one stays in force where the new one is wrong.
pub(crate) async fn reload(State(services): State<Arc<Services>>) -> Answer {
    if !services.web.may_reload() {
        return Ok(not_enabled());
    }
    let reload = Arc::clone(&services.reload);
    match tokio::task::spawn_blocking(move || reload()).await {
        Ok(Ok(())) => Ok(answer::empty(StatusCode::OK)),
        Ok(Err(problem)) => {
            let message = format!("failed to reload config: {problem}");
            Ok(answer::line(StatusCode::INTERNAL_SERVER_ERROR, &message))
        }
        Err(error) => {
            tracing::error!(%error, "the reload ended unexpectedly");
            Err(Failure::internal("the reload ended unexpectedly"))
        }
    }
}

/// The program's own metrics.
pub(crate) async fn metrics(State(services): State<Arc<Services>>) -> Response {
    answer::text(
        "text/plain; version=0.0.4; charset=utf-8",
        services.registry.render(),
    )
}
