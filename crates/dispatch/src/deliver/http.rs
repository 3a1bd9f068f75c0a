//! One HTTP request and what its answer means.

use super::client;
use crate::notice::{FailureReason, Outcome};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use std::net::IpAddr;
use std::time::Duration;

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Characters of an answer that are shown.
const SHOWN_CHARS_MAX: usize = 500;
/// The longest wait that a server may ask for.
const RETRY_AFTER_MAX_MS: i64 = 3_600_000;

/// A request, ready to go.
pub(super) struct Request {
    pub(super) client: reqwest::Client,
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    pub(super) timeout: Option<Duration>,
}

/// What came back.
pub(super) enum Answer {
    /// An HTTP answer.
    Status {
        code: u16,
        is_json: bool,
        retry_after: Option<String>,
        body: String,
    },
    /// No answer: the reason, and whether it was time that ran out.
    Nothing { error: String, timed_out: bool },
    /// The request could not be made at all.
    Unusable(String),
}

/// Sends a request.
pub(super) async fn send(request: Request) -> Answer {
    let url = match reqwest::Url::parse(&request.url) {
        Ok(url) => url,
        Err(error) => return Answer::Unusable(format!("not a valid URL: {error}")),
    };
    let literal = url.host_str().map(|host| host.trim_matches(['[', ']']));
    let forbidden = literal
        .and_then(|host| host.parse::<IpAddr>().ok())
        .is_some_and(client::is_forbidden);
    if forbidden {
        return Answer::Unusable("link-local addresses are not reached".to_owned());
    }
    let mut builder = request
        .client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .headers(request.headers)
        .body(request.body);
    if let Some(timeout) = request.timeout {
        builder = builder.timeout(timeout);
    }
    match builder.send().await {
        Ok(response) => read(response).await,
        Err(error) => nothing(&error),
    }
}

fn nothing(error: &reqwest::Error) -> Answer {
    Answer::Nothing {
        error: client::cause(error),
        timed_out: error.is_timeout(),
    }
}

async fn read(mut response: reqwest::Response) -> Answer {
    let header = |name| {
        let value = response.headers().get(name)?;
        Some(value.to_str().ok()?.to_owned())
    };
    let code = response.status().as_u16();
    let is_json = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
    let retry_after = header(RETRY_AFTER);
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
            Err(error) => return nothing(&error),
        }
    }
    body.truncate(ANSWER_BYTES_MAX);
    Answer::Status {
        code,
        is_json,
        retry_after,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// What an answer means: 2xx arrived; 5xx, 429 and no answer are tried again; all else is final.
pub(super) fn judge(answer: Answer) -> Outcome {
    match answer {
        Answer::Status { code, .. } if (200..300).contains(&code) => Outcome::Delivered(Vec::new()),
        Answer::Status {
            code,
            retry_after,
            body,
            ..
        } => {
            let shown: String = body.trim().chars().take(SHOWN_CHARS_MAX).collect();
            let separator = if shown.is_empty() { "" } else { ": " };
            let error = format!("unexpected status code {code}{separator}{shown}");
            let reason = reason(code);
            if code >= 500 || code == 429 {
                let after_ms = retry_after.and_then(|text| seconds_ms(&text));
                Outcome::Retry {
                    error,
                    reason,
                    after_ms,
                }
            } else {
                Outcome::Failed { error, reason }
            }
        }
        Answer::Nothing { error, timed_out } => Outcome::Retry {
            error,
            reason: if timed_out {
                FailureReason::DeadlineExceeded
            } else {
                FailureReason::Other
            },
            after_ms: None,
        },
        Answer::Unusable(error) => Outcome::Failed {
            error,
            reason: FailureReason::Other,
        },
    }
}

const fn reason(code: u16) -> FailureReason {
    match code {
        401 | 403 => FailureReason::AuthError,
        429 => FailureReason::RateLimited,
        400..500 => FailureReason::ClientError,
        500..600 => FailureReason::ServerError,
        _ => FailureReason::Other,
    }
}

/// The wait in a Retry-After header that gives seconds. A date is not taken: our clocks may differ.
fn seconds_ms(text: &str) -> Option<i64> {
    let seconds: i64 = text.trim().parse().ok()?;
    let millis = seconds.checked_mul(1000)?;
    (millis >= 0).then(|| millis.min(RETRY_AFTER_MAX_MS))
}
