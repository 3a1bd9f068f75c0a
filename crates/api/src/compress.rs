//! Answers in gzip where the client takes it and it is worth it.

use crate::page::accepts_gzip;
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, VARY};
use std::io::Write as _;

/// Below this an answer fits into a packet or two anyway.
const BYTES_MIN: u64 = 1400;
/// Larger answers are compressed on a blocking thread.
const INLINE_BYTES_MAX: usize = 32 << 10;

/// Compresses text answers whose length is known.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let wanted = accepts_gzip(request.headers());
    let response = next.run(request).await;
    if !wanted || !is_worth_it(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
        // Bodies of known length are in memory already and cannot fail to be read.
        return Response::from_parts(parts, Body::empty());
    };
    let compressed = if bytes.len() <= INLINE_BYTES_MAX {
        gzip(&bytes)
    } else {
        let plain = bytes.clone();
        tokio::task::spawn_blocking(move || gzip(&plain))
            .await
            .ok()
            .flatten()
    };
    let Some(compressed) = compressed else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.remove(CONTENT_LENGTH);
    parts
        .headers
        .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts
        .headers
        .insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    Response::from_parts(parts, Body::from(compressed))
}

fn is_worth_it(response: &Response) -> bool {
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let is_text = kind.starts_with(b"application/json") || kind.starts_with(b"text/plain");
    let is_long = response
        .body()
        .size_hint()
        .exact()
        .is_some_and(|length| length >= BYTES_MIN);
    is_text && is_long && !response.headers().contains_key(CONTENT_ENCODING)
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}
