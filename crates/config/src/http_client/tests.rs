use super::{Credentials, HttpClientConfig, ProxyConfig, SecretSource, decode};
use crate::{Problems, Secret, yaml};
use std::path::Path;

fn read(text: &str) -> (Option<HttpClientConfig>, String) {
    let mut problems = Problems::new("f");
    let node = yaml::parse_single(text, &mut problems).expect("yaml");
    let config = decode(&node, &mut problems);
    let messages = problems.list().iter().map(|p| p.message.clone());
    (config, messages.collect::<Vec<_>>().join("; "))
}

#[test]
fn reads_every_field() {
    let (config, messages) = read(
        "authorization: {type: Token, credentials_file: t/token}\n\
         tls_config: {ca: PEM, cert_file: c.pem, key_file: /k.pem, server_name: s, min_version: TLS12, insecure_skip_verify: yes}\n\
         proxy_url: http://u:p@proxy:3128\n\
         no_proxy: localhost\n\
         proxy_connect_header: {X-A: [one, two]}\n\
         follow_redirects: false\n\
         enable_http2: false\n\
         http_headers: {x-scope-orgid: {values: [team], secrets: [s], files: [h]}}\n",
    );
    assert_eq!(messages, "");
    let mut config = config.expect("valid");
    config.set_directory(Path::new("/etc/p"));
    let file = |path: &str| SecretSource::File(path.into());
    assert_eq!(
        config.credentials,
        Some(Credentials::Token {
            scheme: "Token".to_owned(),
            token: file("/etc/p/t/token")
        })
    );
    assert_eq!(config.tls.certificate, file("/etc/p/c.pem"));
    assert_eq!(config.tls.key, file("/k.pem"));
    assert!(config.tls.insecure_skip_verify && !config.follow_redirects && !config.http2);
    assert!(
        matches!(config.proxy, ProxyConfig::Url { ref connect_headers, .. } if connect_headers.len() == 2)
    );
    assert_eq!(config.headers.len(), 3);
    assert_eq!(
        config.headers.first().map(|(name, _)| name.as_str()),
        Some("X-Scope-Orgid")
    );
    assert!(
        !format!("{config:?}").contains("u:p"),
        "secrets are not printed"
    );
}

#[test]
fn refuses_what_excludes_each_other() {
    let check = |text, want: &str| assert_eq!(read(text).1, want, "{text}");
    check("{}", "");
    check(
        "bearer_token: a\nbearer_token_file: b",
        "at most one of bearer_token & bearer_token_file must be configured",
    );
    check(
        "basic_auth: {username: a}\nbearer_token: b",
        "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
    );
    check(
        "basic_auth: {username: a, username_file: b}",
        "at most one of basic_auth username, username_file & username_ref must be configured",
    );
    check(
        "basic_auth: {password: a, password_file: b}",
        "at most one of basic_auth password, password_file & password_ref must be configured",
    );
    check(
        "authorization: {type: Basic}",
        "authorization type cannot be set to \"basic\", use \"basic_auth\" instead",
    );
    check(
        "authorization: {credentials: a}\nbearer_token: b",
        "authorization is not compatible with bearer_token & bearer_token_file",
    );
    check(
        "oauth2: {client_id: a}",
        "oauth2 token_url must be configured",
    );
    check(
        "oauth2: {client_id: a, token_url: b}\nbasic_auth: {username: c}",
        "at most one of basic_auth, oauth2 & authorization must be configured",
    );
    check(
        "tls_config: {ca: a, ca_file: b}",
        "at most one of ca and ca_file must be configured",
    );
    check(
        "tls_config: {cert: a}",
        "exactly one of key or key_file must be configured when a client certificate is configured",
    );
    check(
        "tls_config: {min_version: SSL3}",
        "expected one of TLS10, TLS11, TLS12, TLS13, found \"SSL3\"",
    );
    check(
        "no_proxy: a",
        "if no_proxy is configured, proxy_url must also be configured",
    );
    check(
        "proxy_from_environment: true\nproxy_url: http://a",
        "if proxy_from_environment is configured, proxy_url must not be configured",
    );
    check(
        "proxy_connect_header: {a: [b]}",
        "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
    );
    check(
        "http_headers: {content-type: {values: [a]}}",
        "setting header \"Content-Type\" is not allowed",
    );
    check("proxy_url: 'http://user:secret@a b'", "not a valid URL");
    check(
        "nonsense: 1",
        "field \"nonsense\" not found in config.HTTPClientConfig",
    );
}

#[test]
fn makes_request_headers() {
    let (config, _) = read(
        "basic_auth: {username: Aladdin, password: open sesame}\nhttp_headers: {a: {values: [b]}}",
    );
    let headers = config.expect("valid").request_headers().expect("no files");
    // The pair of RFC 7617, section 2.
    let want = [
        (
            "Authorization".to_owned(),
            Secret::new("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ),
        ("A".to_owned(), Secret::new("b")),
    ];
    assert_eq!(headers, want);
    let (config, _) = read("bearer_token_file: /nowhere/token");
    let error = config
        .expect("valid")
        .request_headers()
        .expect_err("no such file");
    assert!(
        error.starts_with("unable to read file /nowhere/token"),
        "{error}"
    );
}
