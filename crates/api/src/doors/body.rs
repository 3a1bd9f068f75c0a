//! Bodies of requests, read and unpacked within a limit.

use crate::answer::Failure;
use crate::params::read_body;
use axum::body::Body;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use std::io::Read;

/// A header's text, empty where it is missing.
pub(super) fn header(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Reads a body and unpacks what `Content-Encoding` says: gzip, deflate, snappy (framed) or nothing.
pub(super) async fn unpacked(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Vec<u8>, Failure> {
    let encoding = header(headers, CONTENT_ENCODING).trim().to_owned();
    let sent = read_body(body, bytes_max).await?;
    if matches!(encoding.as_str(), "" | "identity") {
        return Ok(sent.into());
    }
    let unpacked = tokio::task::spawn_blocking(move || unpack(&encoding, &sent, bytes_max)).await;
    unpacked.unwrap_or_else(|error| {
        tracing::error!(%error, "unpacking a body ended unexpectedly");
        Err(Failure::internal("unpacking the body ended unexpectedly"))
    })
}

/// Unpacks a body of at most so many bytes.
pub(crate) fn unpack(encoding: &str, sent: &[u8], bytes_max: usize) -> Result<Vec<u8>, Failure> {
    match encoding {
        "gzip" | "x-gzip" => read_all(flate2::read::MultiGzDecoder::new(sent), bytes_max),
        "deflate" => read_all(flate2::read::ZlibDecoder::new(sent), bytes_max),
        "snappy" => read_all(snap::read::FrameDecoder::new(sent), bytes_max),
        other => Err(Failure::new(
            http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "bad_data",
            format!("content encoding {other:?} is not known here"),
        )),
    }
}

fn read_all(from: impl Read, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let mut unpacked = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    from.take(limit.saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(|error| Failure::bad_data(format!("the body does not unpack: {error}")))?;
    if unpacked.len() > bytes_max {
        let message = format!("the unpacked body is larger than {bytes_max} bytes");
        return Err(Failure::too_large(message));
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::unpack;
    use std::io::Write as _;

    #[test]
    fn unpacks_within_the_limit() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&[b'x'; 10_000]).expect("memory");
        let packed = gzip.finish().expect("memory");
        assert_eq!(unpack("gzip", &packed, 10_000).expect("fits").len(), 10_000);
        let refused = |encoding, limit| {
            let failure = unpack(encoding, &packed, limit).expect_err("refused");
            failure.status().as_u16()
        };
        assert_eq!(refused("gzip", 9_999), 413);
        assert_eq!(refused("snappy", 10_000), 400);
        assert_eq!(refused("br", 10_000), 415);
    }
}
