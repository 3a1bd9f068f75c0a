//! What OTLP senders are answered: `ExportMetricsServiceResponse` and `google.rpc.Status`, in both encodings.

use serde_json::json;

/// What of a request was not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialSuccess {
    /// Points that were not taken.
    pub rejected: usize,
    /// Why; empty where everything was taken.
    pub message: String,
}

impl PartialSuccess {
    /// Whether everything was taken and there is nothing to say.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rejected == 0 && self.message.is_empty()
    }
}

/// The answer to a request that was taken, in protocol buffers.
#[must_use]
pub fn response_protobuf(partial: &PartialSuccess) -> Vec<u8> {
    let mut response = Vec::new();
    if !partial.is_empty() {
        let mut inner = Vec::new();
        if partial.rejected > 0 {
            inner.push(0x08);
            put_varint(&mut inner, partial.rejected);
        }
        put_text(&mut inner, 0x12, &partial.message);
        put_bytes(&mut response, 0x0a, &inner);
    }
    response
}

/// The same in JSON.
#[must_use]
pub fn response_json(partial: &PartialSuccess) -> String {
    if partial.is_empty() {
        return "{}".to_owned();
    }
    json!({"partialSuccess": {
        "rejectedDataPoints": partial.rejected.to_string(),
        "errorMessage": partial.message,
    }})
    .to_string()
}

/// Why a request was refused, in protocol buffers. `code`: of gRPC.
#[must_use]
pub fn status_protobuf(code: u8, message: &str) -> Vec<u8> {
    let mut status = vec![0x08, code];
    put_text(&mut status, 0x12, message);
    status
}

/// The same in JSON.
#[must_use]
pub fn status_json(code: u8, message: &str) -> String {
    json!({"code": code, "message": message}).to_string()
}

fn put_text(out: &mut Vec<u8>, tag: u8, text: &str) {
    if !text.is_empty() {
        put_bytes(out, tag, text.as_bytes());
    }
}

fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_varint(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::{PartialSuccess, response_json, response_protobuf, status_protobuf};

    #[test]
    fn answers() {
        let nothing = PartialSuccess::default();
        assert!(response_protobuf(&nothing).is_empty());
        assert_eq!(response_json(&nothing), "{}");
        let some = PartialSuccess {
            rejected: 300,
            message: "no".to_owned(),
        };
        let want = [0x0a, 7, 0x08, 0xac, 0x02, 0x12, 2, b'n', b'o'];
        assert_eq!(response_protobuf(&some), want);
        assert_eq!(
            response_json(&some),
            r#"{"partialSuccess":{"rejectedDataPoints":"300","errorMessage":"no"}}"#
        );
        assert_eq!(status_protobuf(3, "x"), [0x08, 3, 0x12, 1, b'x']);
    }
}
