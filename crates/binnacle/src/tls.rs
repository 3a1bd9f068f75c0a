//! TLS for the requests that commands make.

/// Trusts the public certificate authorities.
pub(crate) fn client_config() -> rustls::ClientConfig {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Makes ring the process's cryptography; must run before anything uses TLS.
pub(crate) fn install_provider() {
    // A second call finds the provider installed.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}
