//! How to reach an HTTP server: credentials, TLS, proxy, redirects and headers, as Prometheus and
//! Alertmanager write them in their files.
//!
//! Plain data and what can be said without an HTTP library: which headers to send, which PEM texts to
//! load. The edges (`collect`, `dispatch`) build their clients from it. Files named here are read when
//! they are used, so that a rotated token needs no reload. Source: "HTTP client" in
//! `prometheus/common/config`.

mod read;
mod tls;

pub use read::{decode, inline, inline_proxy, proxy_url, tls};
pub use tls::client_config as tls_client_config;

use crate::secret::Secret;
use base64::Engine as _;
use std::path::{Path, PathBuf};

/// Bytes a token, header or certificate file may hold.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Everything that a file can say about reaching a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpClientConfig {
    /// Who we are.
    pub credentials: Option<Credentials>,
    /// Certificates.
    pub tls: TlsConfig,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// Whether HTTP/2 may be spoken.
    pub http2: bool,
    /// What stands between.
    pub proxy: ProxyConfig,
    /// Further request headers; names in canonical form (`X-Scope-Orgid`).
    pub headers: Vec<(String, SecretSource)>,
}

impl Default for HttpClientConfig {
    fn default() -> Self {
        Self {
            credentials: None,
            tls: TlsConfig::default(),
            follow_redirects: true,
            http2: true,
            proxy: ProxyConfig::None,
            headers: Vec::new(),
        }
    }
}

/// Who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// `basic_auth`.
    Basic {
        /// The name.
        username: SecretSource,
        /// The password.
        password: SecretSource,
    },
    /// `authorization`, and the older `bearer_token`.
    Token {
        /// `Bearer` unless said otherwise.
        scheme: String,
        /// What follows it.
        token: SecretSource,
    },
    /// `oauth2`: checked, not active yet.
    OAuth2,
}

/// A text given in the file, or where to find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The text itself.
    Text(Secret),
    /// A file that holds it; white space around it is cut off.
    File(PathBuf),
    /// A name in a secret store that nobody gave us.
    Reference(String),
}

impl Default for SecretSource {
    fn default() -> Self {
        Self::Text(Secret::default())
    }
}

impl SecretSource {
    /// The text, read now. Fails where the file cannot be read.
    pub fn read(&self) -> Result<Secret, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => Ok(Secret::new(read_file(path)?.trim())),
            Self::Reference(name) => {
                Err(format!("no secret store is configured to look up {name:?}"))
            }
        }
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    fn set_directory(&mut self, directory: &Path) {
        if let Self::File(path) = self {
            *path = directory.join(&*path);
        }
    }
}

/// A TLS version that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.0, which we do not speak: as a minimum it means 1.2.
    Tls10,
    /// 1.1, likewise.
    Tls11,
    /// 1.2.
    Tls12,
    /// 1.3.
    Tls13,
}

/// Certificates and how strictly they are checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Authorities to trust instead of the system's, PEM.
    pub ca: SecretSource,
    /// Our certificate, PEM.
    pub certificate: SecretSource,
    /// Its key, PEM.
    pub key: SecretSource,
    /// The name to expect in the server's certificate; empty for the host's.
    pub server_name: String,
    /// Whether the server's certificate is not checked at all.
    pub insecure_skip_verify: bool,
    /// The oldest version to speak.
    pub version_min: Option<TlsVersion>,
    /// The newest version to speak.
    pub version_max: Option<TlsVersion>,
}

/// What stands between us and the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyConfig {
    /// Nothing.
    #[default]
    None,
    /// What `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say.
    Environment {
        /// Headers of CONNECT requests.
        connect_headers: Vec<(String, Secret)>,
    },
    /// One proxy.
    Url {
        /// Its address, maybe with a password.
        url: Secret,
        /// Hosts to reach directly, separated by commas.
        no_proxy: String,
        /// Headers of CONNECT requests.
        connect_headers: Vec<(String, Secret)>,
    },
}

impl HttpClientConfig {
    /// Takes relative file names as relative to `directory`, that of the file they stand in.
    pub fn set_directory(&mut self, directory: &Path) {
        match &mut self.credentials {
            Some(Credentials::Basic { username, password }) => {
                username.set_directory(directory);
                password.set_directory(directory);
            }
            Some(Credentials::Token { token, .. }) => token.set_directory(directory),
            Some(Credentials::OAuth2) | None => {}
        }
        for (_, source) in &mut self.headers {
            source.set_directory(directory);
        }
        self.tls.set_directory(directory);
    }

    /// Everything that may have to be read from a file: credentials, headers, certificates.
    #[must_use]
    pub fn sources(&self) -> Vec<&SecretSource> {
        let mut sources = vec![&self.tls.ca, &self.tls.certificate, &self.tls.key];
        match &self.credentials {
            Some(Credentials::Basic { username, password }) => sources.extend([username, password]),
            Some(Credentials::Token { token, .. }) => sources.push(token),
            Some(Credentials::OAuth2) | None => {}
        }
        sources.extend(self.headers.iter().map(|(_, source)| source));
        sources
    }

    /// Whether anything is in a file, which may change under us and takes its time to be read.
    #[must_use]
    pub fn names_files(&self) -> bool {
        let is_file = |source: &&SecretSource| matches!(source, SecretSource::File(_));
        self.sources().iter().any(is_file)
    }

    /// The headers that every request carries, credentials included, files read now.
    ///
    /// Fails where a file cannot be read or the credentials are of a kind that is not active yet.
    pub fn request_headers(&self) -> Result<Vec<(String, Secret)>, String> {
        let mut headers = Vec::new();
        if let Some(credentials) = &self.credentials {
            headers.extend(
                credentials
                    .header_value()?
                    .map(|value| ("Authorization".to_owned(), value)),
            );
        }
        for (name, source) in &self.headers {
            headers.push((name.clone(), source.read()?));
        }
        Ok(headers)
    }
}

impl Credentials {
    /// The value of the Authorization header; none where there is nothing to send.
    fn header_value(&self) -> Result<Option<Secret>, String> {
        match self {
            Self::Basic { username, password } => {
                let (username, password) = (username.read()?, password.read()?);
                let pair = format!("{}:{}", username.reveal(), password.reveal());
                let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
                Ok(Some(Secret::new(format!("Basic {encoded}"))))
            }
            Self::Token { scheme, token } if token.is_empty() => {
                Ok(Some(Secret::new(format!("{scheme} "))))
            }
            Self::Token { scheme, token } => Ok(Some(Secret::new(format!(
                "{scheme} {}",
                token.read()?.reveal()
            )))),
            Self::OAuth2 => Err("oauth2 is not active yet".to_owned()),
        }
    }
}

/// The PEM texts of a TLS configuration, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsTexts {
    /// Authorities.
    pub ca: Option<Secret>,
    /// Our certificate and key, one after the other.
    pub identity: Option<Secret>,
}

impl TlsConfig {
    /// Takes relative file names as relative to `directory`.
    pub fn set_directory(&mut self, directory: &Path) {
        self.ca.set_directory(directory);
        self.certificate.set_directory(directory);
        self.key.set_directory(directory);
    }

    /// Whether certificates or key are in files, which may change under us.
    #[must_use]
    pub const fn names_files(&self) -> bool {
        matches!(self.ca, SecretSource::File(_))
            || matches!(self.certificate, SecretSource::File(_))
            || matches!(self.key, SecretSource::File(_))
    }

    /// Reads certificates and key. Fails where a file cannot be read.
    pub fn load(&self) -> Result<TlsTexts, String> {
        let ca = if self.ca.is_empty() {
            None
        } else {
            Some(self.ca.read()?)
        };
        let identity = if self.certificate.is_empty() {
            None
        } else {
            let (certificate, key) = (self.certificate.read()?, self.key.read()?);
            Some(Secret::new(format!(
                "{}\n{}\n",
                certificate.reveal(),
                key.reveal()
            )))
        };
        Ok(TlsTexts { ca, identity })
    }
}

/// Reads a small text file.
fn read_file(path: &Path) -> Result<String, String> {
    use std::io::Read as _;
    let failed = |error: std::io::Error| format!("unable to read file {}: {error}", path.display());
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
