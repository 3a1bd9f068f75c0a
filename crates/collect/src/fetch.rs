//! Asks one target once: request, limits while the body streams in, and what format it is in.

use crate::features::Features;
use crate::http_client::{self, cause};
use crate::prometheus_file::{Protocol, ScrapeConfig};
use config::{HttpClientConfig, WebAddress};
use ingest::exposition::{Encoding, Format};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Bytes of a body where the job sets no limit: a target must not take the memory of the rest.
pub const BODY_BYTES_MAX: u64 = 128 << 20;

/// A body beyond this is big.
const BIG_BODY_BYTES: usize = 8 << 20;
/// Big bodies read at once in the whole process; further ones wait, at most as long as their scrape may
/// take. So many targets that send without end cannot take the memory together either.
pub const BIG_BODIES_MAX: usize = 2;

/// What a target answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The body, unpacked.
    pub body: Vec<u8>,
    /// Its `Content-Type`, empty where there is none.
    pub content_type: String,
}

/// Why a target could not be read. The texts are those that Prometheus shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The body is longer than the job allows.
    #[error("body size limit exceeded")]
    BodySize,
    /// It took longer than the job allows.
    #[error("Get {url:?}: context deadline exceeded")]
    Deadline {
        /// What was asked.
        url: String,
    },
    /// It could not be reached, or broke off.
    #[error("Get {url:?}: {reason}")]
    Connection {
        /// What was asked.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// It answered with something else than 200.
    #[error("server returned HTTP status {0}")]
    Status(String),
    /// We could not ask: a certificate, a credential or another setting.
    #[error("{0}")]
    Settings(String),
}

/// How to ask the targets of one job.
#[derive(Clone, Debug)]
pub struct Request {
    accept: String,
    compression: bool,
    body_bytes_max: u64,
    http: HttpClientConfig,
    big_bodies: Arc<Semaphore>,
}

impl Request {
    /// Prepares what all targets of a job have in common. `big_bodies`: shared by all jobs, with
    /// `BIG_BODIES_MAX` permits.
    #[must_use]
    pub fn new(config: &ScrapeConfig, features: Features, big_bodies: Arc<Semaphore>) -> Self {
        let is_default = config.protocols == Protocol::DEFAULT;
        let protocols = if is_default && features.wants_starts() {
            Protocol::PROTOBUF_FIRST.as_slice()
        } else {
            config.protocols.as_slice()
        };
        Self {
            big_bodies,
            accept: accept_header(protocols, &config.name_escaping),
            compression: config.compression,
            body_bytes_max: match config.limits.body_size_bytes {
                0 => BODY_BYTES_MAX,
                limit => limit,
            },
            http: config.http.clone(),
        }
    }

    /// Asks. The caller limits how long it may take.
    pub async fn send(
        &self,
        client: &reqwest::Client,
        url: &str,
        timeout_ms: i64,
    ) -> Result<Answer, FetchError> {
        let headers = http_client::request_headers(&self.http).await;
        let headers = headers.map_err(FetchError::Settings)?;
        let encoding = if self.compression { "gzip" } else { "identity" };
        let seconds = model::format_float(model::number::i64_to_float(timeout_ms) / 1000.0);
        let failed = |error: &reqwest::Error| FetchError::Connection {
            url: url.to_owned(),
            reason: reason(error, url),
        };
        let mut response = client
            .get(url)
            .header(ACCEPT, &self.accept)
            .header(ACCEPT_ENCODING, encoding)
            .header("X-Prometheus-Scrape-Timeout-Seconds", seconds)
            .headers(headers)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status().to_string()));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        if response.content_length() > Some(self.body_bytes_max) {
            return Err(FetchError::BodySize);
        }
        let mut body = Vec::new();
        let mut permit = None;
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            let length = body.len() + chunk.len();
            if u64::try_from(length).unwrap_or(u64::MAX) > self.body_bytes_max {
                return Err(FetchError::BodySize);
            }
            if length > BIG_BODY_BYTES && permit.is_none() {
                // The semaphore is never closed; without a permit nothing would be worse than going on.
                permit = self.big_bodies.acquire().await.ok();
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { body, content_type })
    }
}

/// Why a request failed, as Go says it: what failed to connect names the address.
fn reason(error: &reqwest::Error, url: &str) -> String {
    let cause = cause(error);
    if !error.is_connect() {
        return cause;
    }
    let address = WebAddress::parse(url).unwrap_or_default();
    if cause.starts_with("failed to lookup address") {
        return format!("dial tcp: lookup {}: no such host", address.host_name());
    }
    // The operating system refused, not TLS.
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let system = inner.downcast_ref::<std::io::Error>();
        if system.is_some_and(|error| error.raw_os_error().is_some()) {
            return format!("dial tcp {}: connect: {cause}", address.host);
        }
        source = inner.source();
    }
    cause
}

/// Writes what we want, most wanted first with the highest weight.
fn accept_header(protocols: &[Protocol], escaping: &str) -> String {
    // Upstream counts from the number of protocols there are, plus one.
    let mut weight = 6;
    let mut header = String::new();
    for protocol in protocols {
        let named = match protocol {
            Protocol::PrometheusText100 | Protocol::OpenMetrics100 => {
                format!(";escaping={escaping}")
            }
            Protocol::PrometheusProto | Protocol::PrometheusText004 | Protocol::OpenMetrics001 => {
                String::new()
            }
        };
        // Writing to a String cannot fail.
        let _infallible = write!(header, "{}{named};q=0.{weight},", protocol.media_type());
        weight -= 1;
    }
    let _infallible = write!(header, "*/*;q=0.{weight}");
    header
}

/// Decides which format a body is in.
///
/// Fails, with upstream's words, where the target does not say and the job has no fallback.
pub fn encoding_of(content_type: &str, fallback: Option<Protocol>) -> Result<Encoding, String> {
    if let Some(encoding) = Encoding::from_content_type(content_type) {
        return Ok(encoding);
    }
    match fallback {
        Some(Protocol::PrometheusText004 | Protocol::PrometheusText100) => {
            Ok(Encoding::Text(Format::Text))
        }
        Some(Protocol::OpenMetrics001 | Protocol::OpenMetrics100) => {
            Ok(Encoding::Text(Format::OpenMetrics))
        }
        Some(Protocol::PrometheusProto) => Ok(Encoding::Protobuf),
        None if content_type.is_empty() => Err(
            "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target"
                .to_owned(),
        ),
        None => Err(format!(
            "received unsupported Content-Type {content_type:?} and no fallback_scrape_protocol specified for target"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{accept_header, encoding_of};
    use crate::prometheus_file::Protocol;
    use ingest::exposition::{Encoding, Format};

    #[test]
    fn asks_as_upstream_does() {
        assert_eq!(
            accept_header(&Protocol::DEFAULT, "allow-utf-8"),
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        );
        assert_eq!(
            accept_header(
                &[Protocol::PrometheusProto, Protocol::PrometheusText004],
                "dots"
            ),
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.4"
        );
    }

    #[test]
    fn knows_formats() {
        let check = |content_type, fallback, want: Result<Format, &str>| {
            assert_eq!(
                encoding_of(content_type, fallback),
                want.map(Encoding::Text).map_err(str::to_owned)
            );
        };
        let protobuf = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
        assert_eq!(encoding_of(protobuf, None), Ok(Encoding::Protobuf));
        assert_eq!(
            encoding_of("text/html", Some(Protocol::PrometheusProto)),
            Ok(Encoding::Protobuf)
        );
        check("text/plain; version=0.0.4", None, Ok(Format::Text));
        check(
            "application/openmetrics-text; charset=utf-8",
            None,
            Ok(Format::OpenMetrics),
        );
        check(
            "text/html",
            Some(Protocol::OpenMetrics100),
            Ok(Format::OpenMetrics),
        );
        check("", Some(Protocol::PrometheusText004), Ok(Format::Text));
        check(
            "",
            None,
            Err(
                "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target",
            ),
        );
        check(
            "text/html",
            None,
            Err(
                "received unsupported Content-Type \"text/html\" and no fallback_scrape_protocol specified for target",
            ),
        );
    }
}
