use super::{ClientAuth, WebConfig, parse};
use crate::http_client::{SecretSource, TlsVersion};
use std::path::{Path, PathBuf};

const HASH: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

fn good(text: &str) -> WebConfig {
    match parse(Path::new("/etc/p/web.yml"), text) {
        Ok(config) => config,
        Err(problems) => panic!("{problems}\n{text}"),
    }
}

#[test]
fn reads_what_is_said() {
    let text = format!(
        "tls_server_config:\n  cert_file: server.crt\n  key_file: /keys/server.key\n  \
         client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  client_allowed_sans: [a, b]\n  \
         min_version: TLS13\nhttp_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n\
         basic_auth_users:\n  alice: {HASH}\nrate_limit:\n  interval: 100ms\n  burst: 20\n"
    );
    let config = good(&text);
    let tls = config.tls.expect("tls");
    assert_eq!(
        tls.certificate,
        SecretSource::File(PathBuf::from("/etc/p/server.crt"))
    );
    assert_eq!(tls.files().len(), 3);
    assert_eq!(tls.client_auth, ClientAuth::Require);
    assert_eq!(
        (tls.version_min, tls.client_names.len()),
        (TlsVersion::Tls13, 2)
    );
    assert!(!config.http2);
    assert_eq!(config.headers, [("X-Frame-Options", "deny".to_owned())]);
    assert_eq!(
        config.users.first().map(|(name, _)| name.as_str()),
        Some("alice")
    );
    assert_eq!(config.rate_limit.map(|limit| limit.interval_ms), Some(100));
    for empty in ["", "tls_server_config: {}\n", "basic_auth_users:\n"] {
        let config = good(empty);
        assert!(
            config.tls.is_none() && config.users.is_empty() && config.http2,
            "{empty}"
        );
    }
}

#[test]
fn old_names_are_noted() {
    let config = good(
        "tls_server_config:\n  cert_file: a\n  key_file: b\n  min_version: TLS10\n  cipher_suites:\n  \
         - TLS_AES_128_GCM_SHA256\n  - TLS_RSA_WITH_AES_128_CBC_SHA\n  curve_preferences: [CurveP521, X25519]\n",
    );
    let tls = config.tls.expect("tls");
    assert_eq!(tls.version_min, TlsVersion::Tls12);
    assert_eq!(tls.cipher_suites, ["TLS_AES_128_GCM_SHA256"]);
    assert_eq!(tls.curves, ["X25519"]);
    assert_eq!(
        config.notes,
        [
            "/etc/p/web.yml:4:16: TLS before 1.2 is not spoken; 1.2 is the oldest",
            "/etc/p/web.yml:7:5: cipher TLS_RSA_WITH_AES_128_CBC_SHA is not spoken here",
            "/etc/p/web.yml:8:23: curve CurveP521 is not spoken here",
        ]
    );
}

#[test]
fn mistakes_say_where() {
    let check = |text: &str, want: &str| {
        let found = parse(Path::new("w.yml"), text).expect_err(text).to_string();
        assert_eq!(found, want, "{text}");
    };
    check(
        "tls_server_cfg: {}\n",
        "w.yml:1:1: field \"tls_server_cfg\" not found in web.Config",
    );
    check(
        "tls_server_config:\n  cert_file: a\n",
        "w.yml:2:3: missing one of key or key_file",
    );
    check(
        "tls_server_config:\n  key_file: a\n  cert: b\n  cert_file: c\n",
        "w.yml:2:3: cannot specify both cert and cert_file\nw.yml:2:3: missing one of cert or cert_file",
    );
    check(
        "tls_server_config:\n  cert_file: a\n  key_file: b\n  client_auth_type: Never\n",
        "w.yml:4:21: Invalid ClientAuth: Never",
    );
    check(
        "tls_server_config:\n  cert_file: a\n  key_file: b\n  client_ca_file: c\n",
        "w.yml:2:3: client CA's have been configured without a Client Auth Policy",
    );
    check(
        "tls_server_config:\n  cert_file: a\n  key_file: b\n  min_version: TLS1\n",
        "w.yml:4:16: unknown TLS version: TLS1",
    );
    check(
        "tls_server_config:\n  cert_file: a\n  key_file: b\n  cipher_suites: [X]\n",
        "w.yml:4:19: unknown cipher: X",
    );
    check(
        "tls_server_config:\n  cert_file: a\n  key_file: b\n  max_version: TLS11\n  min_version: TLS10\n",
        "w.yml:4:16: max_version \"TLS11\" leaves nothing to speak: TLS before 1.2 is not spoken\n\
         w.yml:2:3: min_version is newer than max_version",
    );
    check(
        "http_server_config:\n  headers:\n    X-Frame-Options: maybe\n    Server: me\n",
        "w.yml:3:22: invalid value for X-Frame-Options: \"maybe\". Expected one of: deny, sameorigin\n\
         w.yml:4:5: HTTP header \"Server\" can not be configured",
    );
    check(
        "basic_auth_users:\n  bob: secret\n",
        "w.yml:2:8: the password of user \"bob\" is no bcrypt hash: it begins with none of $2a$, $2b$, $2y$",
    );
    check(
        "basic_auth_users:\n  bob: $2y$99$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n",
        "w.yml:2:8: the password of user \"bob\" is no bcrypt hash: its cost lies outside 4 to 31",
    );
}
