//! `/api/v1/write`: remote write 1.0.

use crate::answer::{self, Answer, Failure};
use crate::params::read_body;
use crate::services::Services;
use axum::extract::{Request, State};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;

/// Compressed bytes of a request at most.
const BODY_BYTES_MAX: usize = 32 << 20;

/// Takes a batch; answers once it is in the write-ahead log.
pub(crate) async fn write(State(services): State<Arc<Services>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    if let Err(message) = check_headers(&parts.headers) {
        return Ok(answer::line(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message));
    }
    let body = read_body(body, BODY_BYTES_MAX).await?;
    // Decoding and the log take a millisecond or more: not for the threads that serve sockets.
    let done = tokio::task::spawn_blocking(move || services.ingest.remote_write(&body)).await;
    match done {
        Ok(Ok(_appended)) => Ok(answer::empty(StatusCode::NO_CONTENT)),
        Ok(Err(error)) => {
            let status =
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Ok(answer::line(status, &error.to_string()))
        }
        Err(error) => {
            tracing::error!(%error, "a write ended unexpectedly");
            Err(Failure::internal("the write ended unexpectedly"))
        }
    }
}

/// Refuses what is not a snappy body of remote write 1.0.
fn check_headers(headers: &HeaderMap) -> Result<(), String> {
    let header = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    };
    let encoding = header(CONTENT_ENCODING);
    if !matches!(encoding, "" | "snappy") {
        return Err(format!("content encoding {encoding:?} is not snappy"));
    }
    if header(CONTENT_TYPE).contains("io.prometheus.write.v2") {
        return Err("remote write 2.0 is not active yet; send prometheus.WriteRequest".to_owned());
    }
    Ok(())
}
