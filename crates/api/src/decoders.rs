//! What reads the bytes of requests, apart from the handlers: these need a running program, fuzz targets and tests do not.
//!
//! Bodies that other crates read (remote write, OTLP, line protocols, imports, pushes, remote read) are read by their
//! public functions.

use crate::alertmanager::{alerts, silences};
use crate::params::Params;
use crate::{auth, doors, otlp, time};
use dispatch::{PostedAlert, Silence};
use model::Timestamp;

/// Reads a body of alerts, as `POST /api/v2/alerts` takes it.
pub fn alerts(body: &[u8]) -> Result<Vec<PostedAlert>, String> {
    alerts::read(body).map_err(|refusal| refusal.message)
}

/// Reads a silence, as `POST /api/v2/silences` takes it.
pub fn silence(body: &[u8], now: Timestamp) -> Result<Silence, String> {
    let value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    match silences::missing_part(&value) {
        Some(refusal) => Err(refusal.message),
        None => silences::parse(&value, now),
    }
}

/// Unpacks a body (`gzip`, `deflate`, `snappy`) of at most so many bytes.
pub fn unpack(encoding: &str, body: &[u8], bytes_max: usize) -> Result<Vec<u8>, String> {
    let unpacked = doors::body::unpack(encoding, body, bytes_max);
    unpacked.map_err(|failure| failure.message().to_owned())
}

/// The bytes of the message that a gRPC body carries, unpacked.
pub fn grpc_message_bytes(body: &[u8], bytes_max: usize) -> Result<usize, String> {
    otlp::grpc_message_bytes(body, bytes_max)
}

/// User and password of an `Authorization` header.
#[must_use]
pub fn user_and_password(header: &str) -> Option<(String, String)> {
    auth::basic(header)
}

/// Times, durations, counts and flags of a query string.
pub fn parameters(encoded: &str, now: Timestamp) -> Result<(Timestamp, Option<i64>), String> {
    let params = Params::parse(encoded);
    let read = || {
        params.limit()?;
        params.count("count")?;
        params.flag("flag")?;
        let at = time::time(&params, "time", now)?;
        Ok((at, time::duration_ms(&params, "step")?))
    };
    read().map_err(|failure: crate::answer::Failure| failure.message().to_owned())
}
