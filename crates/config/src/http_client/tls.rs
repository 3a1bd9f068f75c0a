//! The TLS half of a client: whom to trust, what to show, which versions.

use super::{TlsConfig, TlsTexts, TlsVersion};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use std::sync::{Arc, OnceLock};

/// Where distributions keep the authorities they trust.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

static SYSTEM_ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();

/// Builds rustls' configuration.
pub fn client_config(
    config: &TlsConfig,
    texts: &TlsTexts,
    http2: bool,
) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = match &texts.ca {
        Some(pem) => Arc::new(roots_from_pem(pem.reveal())?),
        None => Arc::clone(SYSTEM_ROOTS.get_or_init(|| Arc::new(system_roots()))),
    };
    let verifier = verifier(config, roots, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(config))
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut client = match &texts.identity {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let pem = pem.reveal().as_bytes();
            let chain = certificates(pem, "cert")?;
            let key = PrivateKeyDer::from_pem_slice(pem)
                .map_err(|error| format!("unable to use specified client key: {error}"))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("unable to use specified client cert and key: {error}"))?
        }
    };
    client.alpn_protocols = if http2 {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    } else {
        vec![b"http/1.1".to_vec()]
    };
    Ok(client)
}

fn versions(config: &TlsConfig) -> Vec<&'static SupportedProtocolVersion> {
    let min = config.version_min.unwrap_or(TlsVersion::Tls12);
    let max = config.version_max.unwrap_or(TlsVersion::Tls13);
    let both = [
        (TlsVersion::Tls12, &rustls::version::TLS12),
        (TlsVersion::Tls13, &rustls::version::TLS13),
    ];
    let wanted = both
        .into_iter()
        .filter(|(version, _)| min <= *version && *version <= max);
    wanted.map(|(_, version)| version).collect()
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err(format!(
            "unable to use specified {what}: no certificate in it"
        )),
        Err(error) => Err(format!("unable to use specified {what}: {error}")),
    }
}

fn roots_from_pem(pem: &str) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem.as_bytes(), "CA cert")? {
        store
            .add(certificate)
            .map_err(|error| format!("unable to use specified CA cert: {error}"))?;
    }
    Ok(store)
}

/// The authorities of the web and of this system. Certificates that cannot be used are left out, as
/// bundles hold some.
fn system_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let named = runtime::environment::var("SSL_CERT_FILE");
    let candidates = named.iter().map(String::as_str).chain(SYSTEM_BUNDLES);
    let bundle = candidates
        .filter_map(|path| std::fs::read(path).ok())
        .next();
    if let Some(bundle) = bundle {
        let certificates = CertificateDer::pem_slice_iter(&bundle).filter_map(Result::ok);
        store.add_parsable_certificates(certificates);
    }
    store
}

fn verifier(
    config: &TlsConfig,
    roots: Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let inner = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
        .build()
        .map_err(|error| format!("unable to use specified CA cert: {error}"))?;
    let name = match config.server_name.as_str() {
        "" => None,
        name => Some(
            ServerName::try_from(name.to_owned())
                .map_err(|error| format!("server_name {name:?}: {error}"))?,
        ),
    };
    if config.insecure_skip_verify {
        return Ok(Arc::new(Verifier {
            inner,
            check: Check::Nothing,
        }));
    }
    let check = name.map_or(Check::Host, Check::Name);
    Ok(Arc::new(Verifier { inner, check }))
}

/// What a server's certificate is checked for. Its signatures are always checked.
#[derive(Debug)]
enum Check {
    /// That it is for the host we asked.
    Host,
    /// That it is for this name.
    Name(ServerName<'static>),
    /// Nothing: `insecure_skip_verify`.
    Nothing,
}

#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    check: Check,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let name = match &self.check {
            Check::Host => server_name,
            Check::Name(name) => name,
            Check::Nothing => return Ok(ServerCertVerified::assertion()),
        };
        self.inner
            .verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
