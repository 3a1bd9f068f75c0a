//! HTTP clients for scraping and discovery, built from checked settings.
//!
//! TLS is rustls with ring. Without a `ca` the authorities are the system's (the bundle that
//! `SSL_CERT_FILE` or the distribution names) and the web's. Certificates are read when a client is
//! built, and again when they have changed; credentials are added to each request by `HttpClientConfig::request_headers`.
//! Whatever stands in files is read on threads that may block, never on one that serves sockets.

use config::Secret;
use config::http_client::{HttpClientConfig, ProxyConfig, TlsTexts, tls_client_config};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Redirects that are followed, as Go's client does.
const REDIRECTS_MAX: usize = 10;

/// What we call ourselves.
pub const USER_AGENT: &str = concat!("Binnacle/", env!("CARGO_PKG_VERSION"));

/// Builds a client. Fails where a certificate cannot be read or used, or a proxy's address is wrong.
pub fn build(config: &HttpClientConfig) -> Result<reqwest::Client, String> {
    builder(config)?.build().map_err(|error| cause(&error))
}

/// What `build` builds from, for callers with something to add.
pub(crate) fn builder(config: &HttpClientConfig) -> Result<reqwest::ClientBuilder, String> {
    let redirects = if config.follow_redirects {
        reqwest::redirect::Policy::limited(REDIRECTS_MAX)
    } else {
        reqwest::redirect::Policy::none()
    };
    let tls = tls_client_config(&config.tls, &config.tls.load()?, config.http2)?;
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirects)
        .referer(false)
        .tls_backend_preconfigured(tls);
    if !config.http2 {
        builder = builder.http1_only();
    }
    Ok(match &config.proxy {
        ProxyConfig::None => builder.no_proxy(),
        ProxyConfig::Environment { .. } => builder,
        ProxyConfig::Url {
            url,
            no_proxy,
            connect_headers,
        } => {
            let unusable = |_with_password: reqwest::Error| "proxy_url is not usable".to_owned();
            let proxy = reqwest::Proxy::all(url.reveal()).map_err(unusable)?;
            let proxy = proxy.no_proxy(reqwest::NoProxy::from_string(no_proxy));
            builder.proxy(proxy.headers(header_map(connect_headers)?))
        }
    })
}

/// A client that is built anew when its certificate files change.
#[derive(Debug)]
pub struct RefreshedClient {
    config: HttpClientConfig,
    present: Mutex<Present>,
}

#[derive(Debug)]
struct Present {
    texts: Result<TlsTexts, String>,
    client: Result<reqwest::Client, String>,
}

impl RefreshedClient {
    /// Builds the client. Why it could not be built is told when it is asked for.
    #[must_use]
    pub fn new(config: HttpClientConfig) -> Self {
        let present = Present {
            texts: config.tls.load(),
            client: build(&config),
        };
        Self {
            config,
            present: Mutex::new(present),
        }
    }

    /// The client, or why there is none.
    pub fn client(&self) -> Result<reqwest::Client, String> {
        self.lock().client.clone()
    }

    /// Looks whether the files have changed, and builds the client anew if so. Reads files.
    pub fn refresh(&self) {
        if !self.config.tls.names_files() {
            return;
        }
        let texts = self.config.tls.load();
        if self.lock().texts == texts {
            return;
        }
        let client = build(&self.config);
        *self.lock() = Present { texts, client };
    }

    /// The client and the headers of a request, from what stands in the files now. Reads files.
    pub fn read(&self) -> Result<(reqwest::Client, HeaderMap), String> {
        self.refresh();
        Ok((self.client()?, header_map(&self.config.request_headers()?)?))
    }

    /// The same for code that must not block.
    pub(crate) async fn ready(self: &Arc<Self>) -> Result<(reqwest::Client, HeaderMap), String> {
        if !self.config.names_files() {
            return self.read();
        }
        let this = Arc::clone(self);
        blocking(move || this.read()).await
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The headers of a request, credentials included, for code that must not block.
pub(crate) async fn request_headers(config: &HttpClientConfig) -> Result<HeaderMap, String> {
    if !config.names_files() {
        return header_map(&config.request_headers()?);
    }
    let config = config.clone();
    blocking(move || header_map(&config.request_headers()?)).await
}

/// Does work on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| format!("preparing a request broke off: {error}"))?
}

/// Turns checked headers into the library's. Fails where a value cannot stand in a header.
pub fn header_map(headers: &[(String, Secret)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let unusable = || format!("header {name:?} has a name or value that cannot be sent");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_invalid| unusable())?;
        let mut value = HeaderValue::from_str(value.reveal()).map_err(|_invalid| unusable())?;
        value.set_sensitive(true);
        map.append(header, value);
    }
    Ok(map)
}

/// The innermost reason of an error, without the operating system's number.
#[must_use]
pub fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::request_headers;
    use config::Secret;
    use config::http_client::{Credentials, HttpClientConfig, SecretSource};
    use std::io::Write as _;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn files_are_not_read_on_the_thread_of_sockets() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("token");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
            .expect("a pipe");
        // Who reads the pipe waits for this thread, which waits for the one that sockets are on.
        let written = pipe.clone();
        let (others_run, seen) = mpsc::sync_channel(1);
        let thread = runtime::thread::spawn("writer", move || {
            let in_time = seen.recv_timeout(Duration::from_secs(30)).is_ok();
            // Opening waits for the reader.
            let mut writer = std::fs::File::options().write(true).open(&written);
            let token: &[u8] = if in_time { b"in time" } else { b"late" };
            let writer = writer.as_mut().expect("a pipe");
            writer.write_all(token).expect("a pipe");
        });
        let config = HttpClientConfig {
            credentials: Some(Credentials::Token {
                scheme: "Bearer".to_owned(),
                token: SecretSource::File(pipe),
            }),
            headers: vec![("X-Scope".to_owned(), SecretSource::Text(Secret::new("a")))],
            ..HttpClientConfig::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let headers = runtime.block_on(async {
            let other = async { others_run.send(()) };
            let (headers, _sent) = tokio::join!(biased; request_headers(&config), other);
            headers.expect("read")
        });
        assert_eq!(headers["authorization"], "Bearer in time");
        assert_eq!(headers["x-scope"], "a");
        thread.expect("a thread").join().expect("no panic");
    }
}
