//! rustls' configuration from `tls_server_config`.

use config::http_client::{SecretSource, TlsVersion};
use config::web_config::{ClientAuth, ServerTls};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
    SupportedProtocolVersion,
};
use std::sync::Arc;

/// Builds it. Fails with what cannot be read or does not fit together, and the file's name.
pub(super) fn server_config(tls: &ServerTls, http2: bool) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(provider(tls));
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(tls))
        .map_err(|error| format!("tls_server_config: {error}"))?;
    let clients = clients(tls, &provider)?;
    let chain = certificates(&read(&tls.certificate, "cert_file")?, &tls.certificate)?;
    let key = read(&tls.key, "key_file")?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| format!("{}: no private key: {error}", shown(&tls.key, "key")))?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(clients),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        format!(
            "{}: not usable with {}: {error}",
            shown(&tls.certificate, "cert"),
            shown(&tls.key, "key")
        )
    })?;
    config.alpn_protocols = if http2 {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    } else {
        vec![b"http/1.1".to_vec()]
    };
    Ok(Arc::new(config))
}

fn shown(source: &SecretSource, what: &str) -> String {
    match source {
        SecretSource::File(path) => path.display().to_string(),
        SecretSource::Text(_) | SecretSource::Reference(_) => format!("tls_server_config.{what}"),
    }
}

fn read(source: &SecretSource, what: &str) -> Result<Vec<u8>, String> {
    let text = source
        .read()
        .map_err(|reason| format!("{what}: {reason}"))?;
    Ok(text.reveal().as_bytes().to_vec())
}

fn certificates(pem: &[u8], source: &SecretSource) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err(format!("{}: no certificate in it", shown(source, "cert"))),
        Err(error) => Err(format!("{}: {error}", shown(source, "cert"))),
    }
}

fn versions(tls: &ServerTls) -> Vec<&'static SupportedProtocolVersion> {
    let both = [
        (TlsVersion::Tls13, &rustls::version::TLS13),
        (TlsVersion::Tls12, &rustls::version::TLS12),
    ];
    both.into_iter()
        .filter(|(version, _)| tls.version_min <= *version && *version <= tls.version_max)
        .map(|(_, version)| version)
        .collect()
}

/// The suites and groups that the file names; as upstream, naming suites of 1.2 leaves those of 1.3 alone.
fn provider(tls: &ServerTls) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !tls.cipher_suites.is_empty() {
        provider.cipher_suites.retain(|suite| {
            let name = format!("{:?}", suite.suite());
            let is_13 = suite.tls13().is_some();
            is_13
                || tls
                    .cipher_suites
                    .iter()
                    .any(|wanted| same_suite(wanted, &name))
        });
    }
    if !tls.curves.is_empty() {
        let all: Vec<&'static dyn SupportedKxGroup> = provider.kx_groups.clone();
        let wanted = tls.curves.iter().filter_map(|curve| {
            let name = match *curve {
                "CurveP256" => "secp256r1",
                "CurveP384" => "secp384r1",
                other => other,
            };
            all.iter()
                .find(|group| format!("{:?}", group.name()).eq_ignore_ascii_case(name))
        });
        provider.kx_groups = wanted.copied().collect();
    }
    provider
}

/// `TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305` is the same suite as with `_SHA256`.
fn same_suite(wanted: &str, name: &str) -> bool {
    wanted == name || name.strip_suffix("_SHA256") == Some(wanted)
}

fn clients(
    tls: &ServerTls,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let any = |mandatory| -> Arc<dyn ClientCertVerifier> {
        Arc::new(AnyCertificate {
            provider: Arc::clone(provider),
            mandatory,
        })
    };
    Ok(match tls.client_auth {
        ClientAuth::None => None,
        ClientAuth::Request => Some(any(false)),
        ClientAuth::RequireAny => Some(any(true)),
        ClientAuth::VerifyIfGiven | ClientAuth::Require => {
            let mut roots = RootCertStore::empty();
            let pem = read(&tls.client_ca, "client_ca_file")?;
            for certificate in certificates(&pem, &tls.client_ca)? {
                let added = roots.add(certificate);
                added
                    .map_err(|error| format!("{}: {error}", shown(&tls.client_ca, "client_ca")))?;
            }
            let builder =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            let builder = if tls.client_auth == ClientAuth::Require {
                builder
            } else {
                builder.allow_unauthenticated()
            };
            let inner = builder
                .build()
                .map_err(|error| format!("{}: {error}", shown(&tls.client_ca, "client_ca")))?;
            Some(if tls.client_names.is_empty() {
                inner
            } else {
                Arc::new(NamedCertificate {
                    inner,
                    names: tls.client_names.clone(),
                })
            })
        }
    })
}

/// Takes any certificate whose key the client has.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
    mandatory: bool,
}

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// Takes certificates of our authorities that carry one of these names.
#[derive(Debug)]
struct NamedCertificate {
    inner: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl NamedCertificate {
    fn carries_a_name(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else {
            return false;
        };
        let carries = |name: &String| {
            let is_address = name.parse::<std::net::IpAddr>().is_ok();
            let as_address = || {
                let address = ServerName::try_from(name.as_str());
                address
                    .is_ok_and(|address| parsed.verify_is_valid_for_subject_name(&address).is_ok())
            };
            let mut texts = parsed.valid_dns_names().chain(parsed.valid_uri_names());
            if is_address {
                as_address()
            } else {
                texts.any(|text| text == name)
            }
        };
        self.names.iter().any(carries)
    }
}

impl ClientCertVerifier for NamedCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .inner
            .verify_client_cert(end_entity, intermediates, now)?;
        if self.carries_a_name(end_entity) {
            return Ok(verified);
        }
        Err(Error::General(
            "the client's certificate carries none of client_allowed_sans".to_owned(),
        ))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
