//! `/api/v1/write`: remote write 1.0 and 2.0.

use crate::answer::{self, Answer, Failure};
use crate::params::read_body;
use crate::services::Services;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use ingest::{Stored, WriteError};
use std::sync::Arc;

/// Compressed bytes of a request at most.
const BODY_BYTES_MAX: usize = 32 << 20;

/// Which message a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    First,
    Second,
}

/// Takes a batch; answers once it is in the write-ahead log.
pub(crate) async fn write(State(services): State<Arc<Services>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let version = match version(&parts.headers) {
        Ok(version) => version,
        Err(message) => {
            return Ok(answer::line(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message));
        }
    };
    let body = read_body(body, BODY_BYTES_MAX).await?;
    // Decoding and the log take a millisecond or more: not for the threads that serve sockets.
    let work = move || match version {
        Version::First => {
            let outcome = services.ingest.remote_write(&body);
            (None, outcome.map(|_appended| ()))
        }
        Version::Second => {
            let (stored, outcome) = services.ingest.remote_write_second(&body);
            (Some(stored), outcome)
        }
    };
    match tokio::task::spawn_blocking(work).await {
        Ok((stored, outcome)) => Ok(answer(stored, outcome)),
        Err(error) => {
            tracing::error!(%error, "a write ended unexpectedly");
            Err(Failure::internal("the write ended unexpectedly"))
        }
    }
}

fn answer(stored: Option<Stored>, outcome: Result<(), WriteError>) -> Response {
    let mut response = match outcome {
        Ok(()) => answer::empty(StatusCode::NO_CONTENT),
        Err(error) => {
            let status =
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            answer::line(status, &error.to_string())
        }
    };
    let Some(stored) = stored else {
        return response;
    };
    // What the specification demands of a 2.0 receiver, refused requests included.
    let counts = [
        ("x-prometheus-remote-write-samples-written", stored.samples),
        (
            "x-prometheus-remote-write-histograms-written",
            stored.histograms,
        ),
        (
            "x-prometheus-remote-write-exemplars-written",
            stored.exemplars,
        ),
    ];
    for (name, count) in counts {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from(count));
    }
    response
}

/// Which version is sent. Fails for what is no snappy body of either.
fn version(headers: &HeaderMap) -> Result<Version, String> {
    let header = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    };
    let encoding = header(CONTENT_ENCODING);
    // Senders of 1.0 need not say it.
    if !matches!(encoding, "" | "snappy") {
        return Err(format!("content encoding {encoding:?} is not snappy"));
    }
    version_of(header(CONTENT_TYPE))
}

fn version_of(content_type: &str) -> Result<Version, String> {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if !(media_type.is_empty() || media_type.eq_ignore_ascii_case("application/x-protobuf")) {
        return Err(format!(
            "content type {content_type:?} is not application/x-protobuf"
        ));
    }
    for part in parts {
        let Some((name, value)) = part.split_once('=') else {
            return Err(format!(
                "content type {content_type:?}: {part:?} is not of the form name=value"
            ));
        };
        if name.trim() == "proto" {
            return match value.trim() {
                "prometheus.WriteRequest" => Ok(Version::First),
                "io.prometheus.write.v2.Request" => Ok(Version::Second),
                other => Err(format!(
                    "{other:?} is neither prometheus.WriteRequest nor io.prometheus.write.v2.Request"
                )),
            };
        }
    }
    Ok(Version::First)
}

#[cfg(test)]
mod tests {
    use super::{Version, version_of};

    #[test]
    fn tells_versions() {
        let check = |content_type: &str, want: Option<Version>| {
            assert_eq!(version_of(content_type).ok(), want, "{content_type}");
        };
        check("", Some(Version::First));
        check("application/x-protobuf", Some(Version::First));
        check(
            "application/x-protobuf;proto=prometheus.WriteRequest",
            Some(Version::First),
        );
        check(
            "application/x-protobuf; proto=io.prometheus.write.v2.Request",
            Some(Version::Second),
        );
        check("application/x-protobuf;proto=io.prometheus.write.v3", None);
        check("application/x-protobuf;proto", None);
        check("application/json", None);
        check("text/plain", None);
    }
}
