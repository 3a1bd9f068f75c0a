//! OTLP metrics: `/v1/metrics` and Prometheus' `/api/v1/otlp/v1/metrics` over HTTP, `MetricsService/Export` over gRPC.
//!
//! Decision: gRPC is answered by hand (`grpc`). One unary method is a frame of five bytes more than HTTP/2, which the
//! server speaks anyway; `tonic` would bring ten packages for it.

mod grpc;

pub(crate) use grpc::export;

use crate::params::read_body;
use crate::services::Services;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use flate2::read::GzDecoder;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use ingest::otlp::{self, PartialSuccess};
use std::io::Read as _;
use std::sync::Arc;

/// Bytes of a request in JSON, unpacked: its values take many times that while they are read.
const JSON_BYTES_MAX: usize = 16 << 20;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

/// Why a request is refused.
#[derive(Debug)]
struct Refusal {
    /// Of HTTP.
    status: StatusCode,
    /// Of gRPC.
    code: u8,
    message: String,
}

impl Refusal {
    fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: grpc::INVALID_ARGUMENT,
            message: message.into(),
        }
    }

    fn too_large(bytes_max: usize) -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: grpc::RESOURCE_EXHAUSTED,
            message: format!("the request is larger than the limit of {bytes_max} bytes"),
        }
    }
}

/// Takes a request over HTTP; answers once it is in the write-ahead log.
pub(crate) async fn metrics(State(services): State<Arc<Services>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let encoding = match encoding_of(&parts.headers) {
        Ok(encoding) => encoding,
        Err(content_type) => {
            let refusal = Refusal {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                code: grpc::INVALID_ARGUMENT,
                message: format!(
                    "content type {content_type:?} is neither application/x-protobuf nor application/json"
                ),
            };
            return answer(Encoding::Json, &Err(refusal));
        }
    };
    let is_packed = match parts
        .headers
        .get(CONTENT_ENCODING)
        .map(HeaderValue::as_bytes)
    {
        None | Some(b"" | b"identity") => false,
        Some(b"gzip") => true,
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            let refusal = Refusal {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ..Refusal::invalid(format!("content encoding {other:?} is not gzip"))
            };
            return answer(encoding, &Err(refusal));
        }
    };
    let body = match read_body(body, otlp::BODY_BYTES_MAX).await {
        Ok(body) => body,
        Err(_failure) => return answer(encoding, &Err(Refusal::too_large(otlp::BODY_BYTES_MAX))),
    };
    let work = move || take(&services, &body, (encoding, is_packed));
    answer(encoding, &blocking(work).await)
}

/// Decoding and the log take a millisecond or more: not for the threads that serve sockets.
async fn blocking(
    work: impl FnOnce() -> Result<PartialSuccess, Refusal> + Send + 'static,
) -> Result<PartialSuccess, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "taking in metrics ended unexpectedly");
            Err(Refusal {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: grpc::INTERNAL,
                message: "taking in metrics ended unexpectedly".to_owned(),
            })
        })
}

fn take(
    services: &Services,
    body: &[u8],
    (encoding, is_packed): (Encoding, bool),
) -> Result<PartialSuccess, Refusal> {
    let unpacked;
    let bytes_max = match encoding {
        Encoding::Protobuf => otlp::BODY_BYTES_MAX,
        Encoding::Json => JSON_BYTES_MAX,
    };
    let body = if is_packed {
        unpacked = unpack(body, bytes_max)?;
        unpacked.as_slice()
    } else {
        body
    };
    if body.len() > bytes_max {
        return Err(Refusal::too_large(bytes_max));
    }
    let invalid = |error: otlp::DecodeError| Refusal::invalid(error.to_string());
    let document: serde_json::Value;
    let request = match encoding {
        Encoding::Protobuf => otlp::decode_protobuf(body).map_err(invalid)?,
        Encoding::Json => {
            document = serde_json::from_slice(body)
                .map_err(|error| Refusal::invalid(format!("json: {error}")))?;
            otlp::decode_json(&document).map_err(invalid)?
        }
    };
    services.ingest.otlp(&request).map_err(|error| Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: grpc::UNAVAILABLE,
        message: error.to_string(),
    })
}

/// The size of the message of a gRPC body, unpacked where it is packed; fails with what is wrong with it.
pub(crate) fn grpc_message_bytes(body: &[u8], bytes_max: usize) -> Result<usize, String> {
    let told = |refusal: Refusal| refusal.message;
    let (message, is_packed) = grpc::frame(body).map_err(told)?;
    if is_packed {
        return unpack(message, bytes_max)
            .map(|bytes| bytes.len())
            .map_err(told);
    }
    Ok(message.len())
}

/// Unpacks gzip, up to a limit.
fn unpack(packed: &[u8], bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    let mut unpacked = Vec::new();
    let limit = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    GzDecoder::new(packed)
        .take(limit)
        .read_to_end(&mut unpacked)
        .map_err(|error| Refusal::invalid(format!("gzip: {error}")))?;
    if unpacked.len() > bytes_max {
        return Err(Refusal::too_large(bytes_max));
    }
    Ok(unpacked)
}

/// The encoding that a request names. Fails with what it names instead.
fn encoding_of(headers: &HeaderMap) -> Result<Encoding, String> {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    match media_type.to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        _ => Err(value.to_owned()),
    }
}

/// The answer in the encoding of the request.
fn answer(encoding: Encoding, outcome: &Result<PartialSuccess, Refusal>) -> Response {
    let (status, content_type, body) = match (encoding, outcome) {
        (Encoding::Protobuf, Ok(partial)) => (
            StatusCode::OK,
            "application/x-protobuf",
            otlp::response_protobuf(partial),
        ),
        (Encoding::Json, Ok(partial)) => (
            StatusCode::OK,
            "application/json",
            otlp::response_json(partial).into_bytes(),
        ),
        (Encoding::Protobuf, Err(refusal)) => (
            refusal.status,
            "application/x-protobuf",
            otlp::status_protobuf(refusal.code, &refusal.message),
        ),
        (Encoding::Json, Err(refusal)) => (
            refusal.status,
            "application/json",
            otlp::status_json(refusal.code, &refusal.message).into_bytes(),
        ),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
