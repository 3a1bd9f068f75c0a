//! Targets and proxies behind TLS and other settings of the HTTP client.

use super::server::{Reply, Server};
use super::{bench, error_of, job, jobs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// A handshake takes its time on a busy machine.
const SLOW: &str = "scrape_interval: 500ms, scrape_timeout: 500ms";

/// A server with a certificate for `secure.test`.
async fn secure_server() -> Server {
    let certificates =
        CertificateDer::pem_slice_iter(include_bytes!("../../../testdata/tls/server.pem"));
    let certificates: Result<Vec<_>, _> = certificates.collect();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../../testdata/tls/server.key"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(certificates.expect("certificates"), key.expect("key"))
        .expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::start_with(Some(acceptor), |_, _| Reply::text("a 1\n")).await
}

#[tokio::test]
async fn checks_certificates() {
    let server = secure_server().await;
    let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/tls/ca.pem");
    for settings in [
        format!("ca_file: {ca}, server_name: secure.test"),
        format!("ca_file: {ca}, server_name: secure.test, max_version: TLS12"),
        "insecure_skip_verify: true".to_owned(),
    ] {
        let bench = bench();
        let more = format!(", {SLOW}, scheme: https, tls_config: {{{settings}}}");
        bench.collector.apply(job(&server, &more)).await;
        bench.sink.wait_for("a{job=\"j\"} 1").await;
        bench.collector.shut_down().await;
    }
    let check = async |settings: &str, want: &str| {
        let more = format!(", {SLOW}, scheme: https, tls_config: {{{settings}}}");
        error_of(&server, &more, want).await;
    };
    check("server_name: secure.test", "UnknownIssuer").await;
    check(&format!("ca_file: {ca}"), "not valid for name").await;
    check(
        &format!("ca_file: {ca}, server_name: other.test"),
        "not valid for name",
    )
    .await;
}

#[tokio::test]
async fn asks_through_a_proxy() {
    let proxy = Server::start(|_, _| Reply::text("proxied 1\n")).await;
    let bench = bench();
    let job = format!(
        "- {{job_name: j, proxy_url: 'http://{}', static_configs: [{{targets: ['nowhere.test:1']}}]}}\n",
        proxy.address
    );
    bench.collector.apply(jobs(&job)).await;
    bench.sink.wait_for("proxied{job=\"j\"} 1").await;
    assert!(
        proxy
            .last_request()
            .starts_with("GET http://nowhere.test:1/metrics HTTP/1.1\r\n")
    );
}

#[tokio::test]
async fn follows_redirects_unless_told_not_to() {
    let redirecting = |request: &str, _: usize| {
        if request.starts_with("GET /metrics ") {
            Reply::Whole(
                b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n".to_vec(),
            )
        } else {
            Reply::text("redirected 1\n")
        }
    };
    let server = Server::start(redirecting).await;
    let bench = bench();
    bench.collector.apply(job(&server, "")).await;
    bench.sink.wait_for("redirected{job=\"j\"} 1").await;
    bench.collector.shut_down().await;
    let error = error_of(&server, ", follow_redirects: false", "302").await;
    assert_eq!(error, "server returned HTTP status 302 Found");
}
