//! `opentelemetry.proto.collector.metrics.v1.MetricsService/Export` over gRPC: one message in, one message out.
//!
//! A message is a frame: one byte that says whether it is packed, four bytes of length, the message. Status and reason
//! follow in trailers. Source: grpc, doc/PROTOCOL-HTTP2.md.

use super::{Encoding, Refusal, blocking, take};
use crate::params::read_body;
use crate::services::Services;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use ingest::otlp::{self, PartialSuccess};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

pub(super) const INVALID_ARGUMENT: u8 = 3;
pub(super) const RESOURCE_EXHAUSTED: u8 = 8;
const UNIMPLEMENTED: u8 = 12;
pub(super) const INTERNAL: u8 = 13;
pub(super) const UNAVAILABLE: u8 = 14;

/// Bytes before a message.
const PREFIX: usize = 5;

/// Takes a request over gRPC.
pub(crate) async fn export(State(services): State<Arc<Services>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        let value = parts.headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    if !header("content-type").starts_with("application/grpc") {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return response;
    }
    let packing = header("grpc-encoding");
    let body = match read_body(body, otlp::BODY_BYTES_MAX + PREFIX).await {
        Ok(body) => body,
        Err(_failure) => return answer(&Err(Refusal::too_large(otlp::BODY_BYTES_MAX))),
    };
    let work = move || {
        let (message, is_packed) = frame(&body)?;
        if is_packed && packing != "gzip" {
            return Err(Refusal {
                code: UNIMPLEMENTED,
                ..Refusal::invalid(format!("grpc-encoding {packing:?} is not gzip"))
            });
        }
        take(&services, message, (Encoding::Protobuf, is_packed))
    };
    answer(&blocking(work).await)
}

/// The one message of a request, and whether it is packed.
pub(super) fn frame(body: &[u8]) -> Result<(&[u8], bool), Refusal> {
    let incomplete = || Refusal::invalid("the message is not complete");
    let ([flag, length @ ..], message) =
        body.split_first_chunk::<PREFIX>().ok_or_else(incomplete)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if message.len() != length {
        return Err(incomplete());
    }
    match flag {
        0 => Ok((message, false)),
        1 => Ok((message, true)),
        other => Err(Refusal::invalid(format!(
            "unknown flag {other} of a message"
        ))),
    }
}

fn answer(outcome: &Result<PartialSuccess, Refusal>) -> Response {
    let mut trailers = HeaderMap::new();
    let (body, code) = match outcome {
        Ok(partial) => (framed(&otlp::response_protobuf(partial)), 0),
        Err(refusal) => (Bytes::new(), refusal.code),
    };
    trailers.insert(
        HeaderName::from_static("grpc-status"),
        HeaderValue::from(u16::from(code)),
    );
    if let Err(refusal) = outcome
        && let Ok(message) = HeaderValue::from_str(&percent_encoded(&refusal.message))
    {
        trailers.insert(HeaderName::from_static("grpc-message"), message);
    }
    let body = if outcome.is_ok() {
        let trailers = std::mem::take(&mut trailers);
        let body = Full::new(body);
        Body::new(body.with_trailers(async move { Some(Ok::<_, Infallible>(trailers)) }))
    } else {
        // Without a message the trailers are headers.
        Body::empty()
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(
        HeaderName::from_static("grpc-accept-encoding"),
        HeaderValue::from_static("identity,gzip"),
    );
    headers.extend(trailers);
    response
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = vec![0];
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    Bytes::from(frame)
}

/// A text as a header can hold it.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{frame, percent_encoded};

    #[test]
    fn reads_frames() {
        let check = |body: &[u8], want: Option<(&[u8], bool)>| {
            assert_eq!(frame(body).ok(), want, "{body:?}");
        };
        check(&[0, 0, 0, 0, 0], Some((&[], false)));
        check(&[1, 0, 0, 0, 2, 7, 8], Some((&[7, 8], true)));
        check(&[0, 0, 0, 0, 2, 7], None);
        check(&[0, 0, 0, 0, 0, 1], None);
        check(&[2, 0, 0, 0, 0], None);
        check(&[0, 0xff, 0xff, 0xff, 0xff, 1], None);
        check(&[], None);
    }

    #[test]
    fn encodes_messages() {
        assert_eq!(percent_encoded("a b%é\n"), "a b%25%C3%A9%0A");
    }
}
