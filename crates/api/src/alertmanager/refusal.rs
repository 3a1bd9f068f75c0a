//! Requests that are refused before anything looks at what they mean, answered as upstream's generated server does: an
//! object of a code and a message. 601 is a value of another type, 602 one that is missing, 612 too few.

use super::plain_failure;
use crate::answer::{self, Failure};
use crate::params::read_body;
use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde_json::json;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: u16,
    /// What is wrong.
    pub(crate) message: String,
}

impl Refusal {
    /// The body is not what it should be.
    pub(crate) fn unreadable(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 400, message)
    }

    /// A value is of another type than it must be; `place` as in `0.labels in body`.
    pub(crate) fn not_a(kind: &str, place: &str, value: &str) -> Self {
        let message = format!("{place} must be of type {kind}: {value:?}");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, 601, message)
    }

    /// A value is missing.
    pub(crate) fn required(place: &str) -> Self {
        let message = format!("{place} in body is required");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, 602, message)
    }

    /// A list is too short.
    pub(crate) fn too_few(place: &str) -> Self {
        let message = format!("{place} in body should have at least 1 items");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, 612, message)
    }

    fn new(status: StatusCode, code: u16, message: String) -> Self {
        Self {
            status,
            code,
            message,
        }
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response {
        let said = json!({"code": self.code, "message": self.message});
        answer::with_status(self.status, answer::plain_json(&said))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.status, "bad_data", refusal.message)
    }
}

/// Reads a body that must be JSON. Fails with the answer that says why not.
pub(super) async fn read_checked<T>(
    headers: &HeaderMap,
    (body, bytes_max): (Body, usize),
    read: impl FnOnce(&[u8]) -> Result<T, Refusal>,
) -> Result<T, Response> {
    let bytes = read_body(body, bytes_max)
        .await
        .map_err(|failure| plain_failure(&failure))?;
    check_kind(headers)
        .and_then(|()| read(&bytes))
        .map_err(|refusal| refusal.response())
}

/// A body must say that it is JSON, or nothing of its kind.
fn check_kind(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::to_str);
    let kind = kind.and_then(Result::ok).unwrap_or("application/json");
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("unsupported media type {kind:?}, only [application/json] are allowed");
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        415,
        message,
    ))
}

/// An id must look like a UUID.
pub(crate) fn check_id(id: &str) -> Result<(), Refusal> {
    let digits = id.bytes().filter(u8::is_ascii_hexdigit).count();
    let dashes = id.bytes().filter(|byte| *byte == b'-').count();
    if digits == 32 && digits + dashes == id.len() && dashes <= 4 {
        return Ok(());
    }
    Err(Refusal::not_a("uuid", "silenceID in path", id))
}

/// Answers a path that is not there.
pub(crate) async fn no_such_path(uri: Uri) -> Response {
    let message = format!("path {} was not found", uri.path());
    Refusal::new(StatusCode::NOT_FOUND, 404, message).response()
}

/// Answers a method other than `GET` where only that is there.
pub(crate) async fn only_get(method: Method) -> Response {
    only(&method, "GET")
}

/// Answers a method other than `GET` and `POST`.
pub(crate) async fn only_get_and_post(method: Method) -> Response {
    only(&method, "GET,POST")
}

/// Answers a method other than `DELETE` and `GET`.
pub(crate) async fn only_delete_and_get(method: Method) -> Response {
    only(&method, "DELETE,GET")
}

fn only(method: &Method, allowed: &'static str) -> Response {
    let message = format!("method {method} is not allowed, but [{allowed}] are");
    let mut response = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, 405, message).response();
    let allow = HeaderValue::from_static(allowed);
    response.headers_mut().insert(ALLOW, allow);
    response
}
