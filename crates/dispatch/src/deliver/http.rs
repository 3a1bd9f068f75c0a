//! One HTTP request and what its answer means.

use super::client;
use super::{Conversation, Failure, Memory};
use crate::notice::FailureReason;
use model::Timestamp;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The longest wait that a server may ask for.
const RETRY_AFTER_MAX_MS: i64 = 3_600_000;

/// The header by which receivers can tell repeats.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

pub(super) const JSON: &str = "application/json";

/// A request, ready to go.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) client: reqwest::Client,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    /// What the body is; empty for a request without one.
    pub(super) content_type: &'static str,
    pub(super) body: String,
    pub(super) timeout: Option<Duration>,
    /// What counts as now where an answer does not say it.
    pub(super) now: Timestamp,
}

impl Request {
    /// The same way in, to another place. Its key is its own, and the same for every attempt: a server that
    /// knows keys must not take it for the first request.
    pub(super) fn to(&self, method: Method, url: impl Into<String>, body: String) -> Self {
        let url = url.into();
        let mut headers = self.headers.clone();
        if let Some(key) = headers.get(IDEMPOTENCY_KEY) {
            let place =
                reqwest::Url::parse(&url).map_or_else(|_| url.clone(), |u| u.path().to_owned());
            let parts = [key.as_bytes(), method.as_str().as_bytes(), place.as_bytes()];
            let digest = Sha256::digest(parts.join(&b'\n'));
            let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
            if let Ok(value) = HeaderValue::from_str(&hex) {
                headers.insert(IDEMPOTENCY_KEY, value);
            }
        }
        Self {
            method,
            url,
            headers,
            content_type: if body.is_empty() {
                ""
            } else {
                self.content_type
            },
            body,
            ..self.clone()
        }
    }

    /// Adds a header whose value may be a secret. Fails where it cannot stand in a header.
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Result<Self, String> {
        let mut value = HeaderValue::from_str(value)
            .map_err(|_invalid| format!("header {name:?} has a value that cannot be sent"))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }
}

/// What came back.
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) is_json: bool,
    pub(super) retry_after_ms: Option<i64>,
    pub(super) body: String,
}

/// Sends a request. Fails where nothing comes back.
pub(super) async fn send(request: Request) -> Result<Answer, Failure> {
    // The reason alone: an address may hold a secret.
    let url =
        reqwest::Url::parse(&request.url).map_err(|error| format!("not a valid URL: {error}"))?;
    if is_forbidden(&url) {
        return Err("link-local addresses are not reached".to_owned().into());
    }
    let mut builder = request.client.request(request.method, url);
    if !request.content_type.is_empty() {
        builder = builder.header(CONTENT_TYPE, request.content_type);
    }
    builder = builder.headers(request.headers).body(request.body);
    if let Some(timeout) = request.timeout {
        builder = builder.timeout(timeout);
    }
    match builder.send().await {
        Ok(response) => read(response, request.now).await,
        Err(error) => Err(nothing(&error)),
    }
}

/// Whether an address names, as a number, a machine that is not to be reached.
pub(super) fn is_forbidden(url: &reqwest::Url) -> bool {
    let literal = url.host_str().map(|host| host.trim_matches(['[', ']']));
    literal
        .and_then(|host| host.parse::<IpAddr>().ok())
        .is_some_and(client::is_forbidden)
}

fn nothing(error: &reqwest::Error) -> Failure {
    Failure {
        error: client::cause(error),
        reason: if error.is_timeout() {
            FailureReason::DeadlineExceeded
        } else {
            FailureReason::Other
        },
        is_final: false,
        after_ms: None,
    }
}

async fn read(mut response: reqwest::Response, now: Timestamp) -> Result<Answer, Failure> {
    let header = |name| {
        let value = response.headers().get(name)?;
        Some(value.to_str().ok()?.to_owned())
    };
    let code = response.status().as_u16();
    let is_json = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with(JSON));
    // A server that gives a date means its own clock.
    let now = header(DATE)
        .and_then(|date| date_ms(&date))
        .unwrap_or(now.millis());
    let retry_after_ms = header(RETRY_AFTER).and_then(|text| wait_ms(&text, now));
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            // What matters was in the status.
            Err(error) if code >= 300 => {
                tracing::debug!("answer cut short: {}", client::cause(&error));
                break;
            }
            Err(error) => return Err(nothing(&error)),
        }
    }
    body.truncate(ANSWER_BYTES_MAX);
    Ok(Answer {
        code,
        is_json,
        retry_after_ms,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// The wait in a Retry-After header, which gives seconds or a moment: RFC 9110, section 10.2.3.
fn wait_ms(text: &str, now_ms: i64) -> Option<i64> {
    let millis = match text.trim().parse::<i64>() {
        Ok(seconds) => seconds.checked_mul(1000)?,
        Err(_not_a_number) => date_ms(text)?.checked_sub(now_ms)?.max(0),
    };
    (millis >= 0).then(|| millis.min(RETRY_AFTER_MAX_MS))
}

fn date_ms(text: &str) -> Option<i64> {
    let moment = httpdate::parse_http_date(text.trim()).ok()?;
    let since = moment.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

/// How the answers of a service are read.
#[derive(Clone, Copy)]
pub(super) struct Manners {
    /// Whether a status is tried again, beside 429 and all from 500 on.
    pub(super) is_retried: fn(u16) -> bool,
    /// What is shown of an answer that refuses.
    pub(super) details: fn(&Answer) -> String,
}

/// Those of most: the body is shown, nothing more is tried again.
pub(super) const PLAIN: Manners = Manners {
    is_retried: |_| false,
    details: shown,
};

/// An answer's body. It is cut once it holds no secrets any more.
pub(super) fn shown(answer: &Answer) -> String {
    answer.body.trim().to_owned()
}

/// The texts in the list `errors` of an answer.
pub(super) fn errors(parsed: &Value, separator: &str) -> String {
    let errors = parsed.get("errors").and_then(Value::as_array);
    let texts = errors.into_iter().flatten().filter_map(Value::as_str);
    texts.collect::<Vec<&str>>().join(separator)
}

/// What an answer means: 2xx arrived; 5xx, 429 and what a service adds are tried again; all else is final.
pub(super) fn check(answer: &Answer, manners: Manners) -> Result<(), Failure> {
    let code = answer.code;
    if (200..300).contains(&code) {
        return Ok(());
    }
    let details = (manners.details)(answer);
    let separator = if details.is_empty() { "" } else { ": " };
    Err(Failure {
        error: format!("unexpected status code {code}{separator}{details}"),
        reason: reason(code),
        is_final: code < 500 && code != 429 && !(manners.is_retried)(code),
        after_ms: answer.retry_after_ms,
    })
}

/// The conversation of most: one request after another, the next only where the one before arrived.
pub(super) fn converse(requests: Vec<Request>, manners: Manners) -> Conversation {
    Box::pin(async move {
        for request in requests {
            let answer = send(request).await?;
            check(&answer, manners)?;
        }
        Ok(Memory::new())
    })
}

pub(super) const fn reason(code: u16) -> FailureReason {
    match code {
        401 | 403 => FailureReason::AuthError,
        429 => FailureReason::RateLimited,
        400..500 => FailureReason::ClientError,
        500..600 => FailureReason::ServerError,
        _ => FailureReason::Other,
    }
}

/// An address with something added to its path. Fails where the base is no address.
pub(super) fn join(base: &str, more: &str) -> Result<reqwest::Url, String> {
    let mut url = reqwest::Url::parse(base).map_err(|error| format!("not a valid URL: {error}"))?;
    let path = format!("{}/{more}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::{join, wait_ms};

    #[test]
    fn waits_as_long_as_the_server_wants() {
        let now = 784_111_777_000;
        let check = |text: &str, want: Option<i64>| assert_eq!(wait_ms(text, now), want, "{text}");
        check("7", Some(7_000));
        check(" 0 ", Some(0));
        check("-1", None);
        check("9999999", Some(3_600_000));
        check("Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000));
        check("Sunday, 06-Nov-94 08:50:37 GMT", Some(60_000));
        check("Sun Nov  6 08:50:37 1994", Some(60_000));
        check("Sun, 06 Nov 1994 08:00:00 GMT", Some(0));
        check("soon", None);
    }

    #[test]
    fn adds_to_paths() {
        let check = |base: &str, more: &str, want: &str| {
            assert_eq!(join(base, more).map(String::from), Ok(want.to_owned()));
        };
        check("https://a/b", "v2/alerts", "https://a/b/v2/alerts");
        check("https://a/b/?c=d", "e", "https://a/b/e?c=d");
        check("https://a", "key?/route", "https://a/key%3F/route");
    }
}
