//! A client that speaks TLS, for one request a connection.

use crate::http::{self, Message, Request};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{BufReader, Error, Result};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long anything may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A file of the folder with certificates.
pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/web")
        .join(name)
}

fn certificates(name: &str) -> Vec<CertificateDer<'static>> {
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_file_iter(file(name))
        .expect("a file")
        .collect();
    found.expect("certificates")
}

/// What a client trusts, shows and speaks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Client<'a> {
    /// Shows this certificate (`client`).
    pub(crate) identity: Option<&'a str>,
    /// Speaks TLS 1.2 and nothing newer.
    pub(crate) only_tls12: bool,
}

/// What was agreed on, and the answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) message: Message,
    /// The server's certificate, as it lies in its file.
    pub(crate) certificate: Vec<u8>,
    /// The protocol, as `TLSv1_3`.
    pub(crate) version: String,
}

/// The bytes of a certificate file's first certificate.
pub(crate) fn bytes_of(name: &str) -> Vec<u8> {
    certificates(name).first().expect("one").to_vec()
}

impl Client<'_> {
    fn config(self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        for certificate in certificates("ca.pem") {
            roots.add(certificate).expect("an authority");
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions: &[_] = if self.only_tls12 {
            &[&rustls::version::TLS12]
        } else {
            &[&rustls::version::TLS13, &rustls::version::TLS12]
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        match self.identity {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let key =
                    PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).expect("a key");
                let chain = certificates(&format!("{name}.pem"));
                builder.with_client_auth_cert(chain, key).expect("a pair")
            }
        }
    }

    /// Sends a request; fails where no TLS could be agreed on.
    pub(crate) fn send(self, address: &str, request: Request<'_>) -> Result<Answered> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let name = ServerName::try_from("localhost").map_err(Error::other)?;
        let connection = ClientConnection::new(Arc::new(self.config()), name);
        let mut stream = StreamOwned::new(connection.map_err(Error::other)?, stream);
        http::write_request(&mut stream, address, request)?;
        let message = http::read_message(&mut BufReader::new(&mut stream))?;
        let certificate = stream.conn.peer_certificates().and_then(<[_]>::first);
        let certificate = certificate.map(|one| one.to_vec()).unwrap_or_default();
        let version = stream.conn.protocol_version();
        Ok(Answered {
            message,
            certificate,
            version: version
                .map(|version| format!("{version:?}"))
                .unwrap_or_default(),
        })
    }
}
