//! OTLP metrics over sockets: HTTP in both encodings, packed and plain, and gRPC.

use crate::http::Request;
use crate::place::Place;
use crate::program::{Program, Start};
use crate::waiting::now_ms;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::io::Write as _;

/// A gauge and a sum of delta temporality, which is refused by default.
fn request(at_ms: i64) -> Value {
    let nanos = format!("{at_ms}000000");
    let point = |value: f64| {
        json!([{"timeUnixNano": nanos, "asDouble": value,
            "attributes": [{"key": "zone.id", "value": {"intValue": "7"}}]}])
    };
    json!({"resourceMetrics": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "cart"}},
            {"key": "host.name", "value": {"stringValue": "h1"}}]},
        "scopeMetrics": [{"metrics": [
            {"name": "queue.length", "unit": "By", "description": "Waiting.", "gauge": {"dataPoints": point(4.5)}},
            {"name": "refused", "sum": {"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": point(1.0)}}]}]}]})
}

/// The gauge alone, in protocol buffers.
fn protobuf(name: &str, at_ms: i64) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).expect("short");
        [&[number << 3 | 2, length], bytes].concat()
    };
    let nanos = at_ms.cast_unsigned() * 1_000_000;
    let point = [
        &[3 << 3 | 1][..],
        &nanos.to_le_bytes(),
        &[4 << 3 | 1],
        &2.5_f64.to_le_bytes(),
    ]
    .concat();
    let metric = [field(1, name.as_bytes()), field(5, &field(1, &point))].concat();
    field(1, &field(2, &field(2, &metric)))
}

#[test]
fn metrics_come_in_over_http() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let now = now_ms();
    let answer = program.post_json("/v1/metrics", &request(now));
    let partial = answer.json()["partialSuccess"].clone();
    assert_eq!(
        (answer.status(), &partial["rejectedDataPoints"]),
        (200, &json!("1"))
    );
    let reason = partial["errorMessage"].as_str().unwrap_or_default();
    assert!(reason.contains("invalid temporality"), "{reason}");
    let gauge = program.query("queue_length_bytes{zone_id=\"7\", job=\"cart\"}");
    assert_eq!(gauge[0].1, "4.5");
    let info = program.query("target_info{job=\"cart\", host_name=\"h1\"}");
    assert_eq!(info[0].1, "1");

    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&protobuf("packed", now)).expect("memory");
    let packed = packed.finish().expect("memory");
    let send = |headers: &[(&str, &str)], body: &[u8]| {
        program.send(Request {
            method: "POST",
            path: "/api/v1/otlp/v1/metrics",
            headers,
            body,
        })
    };
    let kind = ("Content-Type", "application/x-protobuf");
    let answer = send(&[kind, ("Content-Encoding", "gzip")], &packed);
    assert_eq!((answer.status(), answer.text().as_str()), (200, ""));
    assert_eq!(program.query("packed")[0].1, "2.5");

    let check = |headers: &[(&str, &str)], body: &[u8], want: u16| {
        assert_eq!(send(headers, body).status(), want, "{headers:?}");
    };
    check(&[kind], b"\x0a\x50", 400);
    check(&[("Content-Type", "application/json")], b"{", 400);
    check(&[("Content-Type", "text/plain")], b"", 415);
    check(&[kind, ("Content-Encoding", "br")], b"", 415);
    check(&[kind, ("Content-Encoding", "gzip")], b"no", 400);
}

/// A message over HTTP/2 without TLS, as collectors send it; answers status and reason.
async fn call(program: &Program, headers: &[(&str, &str)], body: Vec<u8>) -> (String, String) {
    // No TLS here, but a client cannot be made without a provider for it; another test may have named it.
    let _named = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .expect("a client");
    let path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    let mut request = client
        .post(format!("{}{path}", program.url()))
        .header("content-type", "application/grpc+proto")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.body(body).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    let head = response.headers().clone();
    let response: http::Response<reqwest::Body> = response.into();
    let body = response.into_body().collect().await.expect("a body");
    let trailers = body.trailers().cloned().unwrap_or(head);
    let said = |name: &str| {
        let value = trailers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    (said("grpc-status"), said("grpc-message"))
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short");
    [&[flag], &length.to_be_bytes()[..], message].concat()
}

#[test]
fn metrics_come_in_over_grpc() {
    let place = Place::new();
    let program = Program::start_as(&place, &Start::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let message = protobuf("called", now_ms());
        let check = async |headers: &[(&str, &str)], body: Vec<u8>, want: (&str, &str)| {
            let (status, message) = call(&program, headers, body).await;
            assert_eq!((status.as_str(), message.as_str()), want);
        };
        check(&[], framed(0, &message), ("0", "")).await;
        check(
            &[],
            framed(0, b"\x0a\x50"),
            ("3", "proto: unexpected end of message"),
        )
        .await;
        let broken = ("3", "the message is not complete");
        check(&[], vec![0, 0], broken).await;
        let unknown = ("12", "grpc-encoding \"zstd\" is not gzip");
        check(&[("grpc-encoding", "zstd")], framed(1, &message), unknown).await;
    });
    assert_eq!(program.query("called")[0].1, "2.5");
}
