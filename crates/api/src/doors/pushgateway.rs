//! Pushgateway's paths: pushes on the main address and on its own port, its API and its exposition on the port.

use super::body::{header, unpacked};
use crate::answer::{self, Answer, Failure};
use crate::services::Services;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use ingest::pushgateway::{BODY_BYTES_MAX, BodyFormat, Grouping, PushMode};
use serde_json::json;
use std::sync::Arc;

/// The content type of delimited protobuf families.
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// `PUT`, `POST` and `DELETE` of `/metrics/job/JOB{/LABEL/VALUE}`.
pub(crate) async fn group(
    State(services): State<Arc<Services>>,
    Path(path): Path<String>,
    request: Request,
) -> Answer {
    let grouping = match Grouping::from_path(&path) {
        Ok(grouping) => grouping,
        Err(error) => return Ok(answer::line(StatusCode::BAD_REQUEST, &error.to_string())),
    };
    let (parts, body) = request.into_parts();
    let gateway = Arc::clone(&services.pushgateway);
    if parts.method == Method::DELETE {
        let deleted = blocking(move || gateway.delete(&grouping)).await?;
        return match deleted {
            Ok(()) => Ok(answer::empty(StatusCode::ACCEPTED)),
            Err(error) => Err(Failure::internal(error.to_string())),
        };
    }
    let mode = match parts.method {
        Method::PUT => PushMode::Replace,
        _ => PushMode::Add,
    };
    let format = BodyFormat::from_content_type(header(&parts.headers, CONTENT_TYPE));
    let body = match unpacked(&parts.headers, body, BODY_BYTES_MAX).await {
        Ok(body) => body,
        Err(failure) => return Ok(answer::line(failure.status(), failure.message())),
    };
    let pushed = blocking(move || gateway.push(&grouping, mode, (format, &body))).await?;
    Ok(match pushed {
        Ok(()) => answer::empty(StatusCode::OK),
        Err(error) => {
            let status = StatusCode::from_u16(error.status());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            answer::line(status, &error.to_string())
        }
    })
}

/// Runs what waits for the disk on a blocking thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a push ended unexpectedly");
        Failure::internal("the push ended unexpectedly")
    })
}

/// `GET /metrics` on Pushgateway's port: our own metrics and everything that was pushed.
pub(crate) async fn exposition(
    State(services): State<Arc<Services>>,
    headers: HeaderMap,
) -> Answer {
    let own = services.registry.render();
    let gateway = Arc::clone(&services.pushgateway);
    let wants_protobuf = header(&headers, ACCEPT)
        .split(',')
        .next()
        .is_some_and(|first| first.trim().starts_with("application/vnd.google.protobuf"));
    blocking(move || {
        if wants_protobuf {
            return answer::text(PROTOBUF, gateway.exposition_protobuf(&own));
        }
        answer::text(
            "text/plain; version=0.0.4; charset=utf-8",
            gateway.exposition(&own),
        )
    })
    .await
}

/// `GET /api/v1/metrics` on Pushgateway's port.
pub(crate) async fn metrics(State(services): State<Arc<Services>>) -> Answer {
    let gateway = Arc::clone(&services.pushgateway);
    let json = blocking(move || gateway.json()).await?;
    Ok(answer::success(&json))
}

/// `GET /api/v1/status` on Pushgateway's port.
pub(crate) async fn status(State(services): State<Arc<Services>>) -> Response {
    let about = &services.about;
    let flags: serde_json::Map<String, serde_json::Value> = about
        .flags
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    answer::success(&json!({
        "build_information": {"version": about.version, "program": "binnacle"},
        "flags": flags,
        "start_time": about.started_at.to_string(),
    }))
}

/// `PUT /api/v1/admin/wipe` on Pushgateway's port, where `--web.enable-admin-api` allows it.
pub(crate) async fn wipe(State(services): State<Arc<Services>>) -> Answer {
    let allowed = services
        .about
        .flags
        .iter()
        .any(|(name, value)| name == "web.enable-admin-api" && value == "true");
    if !allowed {
        let message = "the admin API is not enabled; start with --web.enable-admin-api";
        return Err(Failure::not_found(message));
    }
    let gateway = Arc::clone(&services.pushgateway);
    match blocking(move || gateway.wipe()).await? {
        Ok(()) => Ok(answer::empty(StatusCode::ACCEPTED)),
        Err(error) => Err(Failure::internal(error.to_string())),
    }
}
