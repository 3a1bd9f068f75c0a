//! Answers in the envelope of Prometheus' API, and failures with their status.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// What a handler gives.
pub(crate) type Answer = Result<Response, Failure>;

/// Why a request failed: what the caller is told. What only we should know was logged before.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Failure {
    /// The request itself is wrong.
    pub(crate) fn bad_data(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_data", message)
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// The body is larger than it may be.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "bad_data", message)
    }

    /// Something of ours failed.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// Not now.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    /// Any status.
    pub(crate) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
        }
    }

    /// The message.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The status.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({"status": "error", "errorType": self.kind, "error": self.message});
        with_status(self.status, json_text(body.to_string()))
    }
}

impl From<promql::ParseError> for Failure {
    fn from(error: promql::ParseError) -> Self {
        Self::bad_data(format!("invalid parameter \"query\": {error}"))
    }
}

/// `{"status":"success","data":…}`
pub(crate) fn success(data: &Value) -> Response {
    json_text(format!("{{\"status\":\"success\",\"data\":{data}}}"))
}

/// A body that is JSON already.
pub(crate) fn json_text(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    response
}

/// JSON without the envelope, for Alertmanager's and our own API.
pub(crate) fn plain_json(value: &Value) -> Response {
    json_text(value.to_string())
}

/// A text of a content type.
pub(crate) fn text(kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

/// Plain text with a line's end, as Prometheus' management paths answer.
pub(crate) fn line(status: StatusCode, message: &str) -> Response {
    with_status(
        status,
        text("text/plain; charset=utf-8", format!("{message}\n")),
    )
}

/// Replaces the status of an answer.
pub(crate) fn with_status(status: StatusCode, mut response: Response) -> Response {
    *response.status_mut() = status;
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    with_status(status, Response::new(Body::empty()))
}
