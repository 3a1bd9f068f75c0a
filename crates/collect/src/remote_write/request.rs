//! One request to an endpoint, and what its answer means.

use crate::http_client::{RefreshedClient, cause};
use crate::prometheus_file::RemoteWrite;
use ingest::remote_out::{Verdict, judge};
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of an answer that a message shows.
const SHOWN_BYTES_MAX: usize = 512;

/// How to reach an endpoint.
pub(super) struct Requests {
    settings: RemoteWrite,
    client: Arc<RefreshedClient>,
}

/// What came of an attempt; a text says what went wrong.
pub(super) struct Attempt {
    pub(super) verdict: Verdict,
    pub(super) problem: String,
}

impl Requests {
    pub(super) fn new(settings: &RemoteWrite) -> Self {
        Self {
            client: Arc::new(RefreshedClient::new(settings.http.clone())),
            settings: settings.clone(),
        }
    }

    /// Sends a packed body once.
    pub(super) async fn send(&self, body: Vec<u8>) -> Attempt {
        let timeout = u64::try_from(self.settings.timeout_ms).unwrap_or(30_000);
        let again = |problem| Attempt {
            verdict: Verdict::Again(None),
            problem,
        };
        // Outside of the time limit: a file that hangs must not hold a thread more for each attempt.
        let (client, headers) = match self.client.ready().await {
            Ok(ready) => ready,
            Err(problem) => return again(problem),
        };
        let attempt = self.attempt(&client, headers, body);
        match tokio::time::timeout(Duration::from_millis(timeout), attempt).await {
            Ok(Ok(attempt)) => attempt,
            Ok(Err(problem)) => again(problem),
            Err(_elapsed) => again(format!("no answer within {timeout} ms")),
        }
    }

    async fn attempt(
        &self,
        client: &reqwest::Client,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Attempt, String> {
        self.add_own(&mut headers)?;
        let mut response = client
            .post(&self.settings.url)
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(|error| cause(&error))?;
        let status = response.status();
        let later = response.headers().get(RETRY_AFTER);
        let later = later.and_then(|value| value.to_str().ok());
        let verdict = judge(status.as_u16(), later, self.settings.queue.retries_429);
        if verdict == Verdict::Done {
            return Ok(Attempt {
                verdict,
                problem: String::new(),
            });
        }
        let mut text = Vec::new();
        while text.len() < SHOWN_BYTES_MAX
            && let Ok(Some(chunk)) = response.chunk().await
        {
            text.extend_from_slice(&chunk);
        }
        text.truncate(SHOWN_BYTES_MAX);
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().next().unwrap_or_default();
        Ok(Attempt {
            verdict,
            problem: format!("server returned HTTP status {status}: {line}"),
        })
    }

    /// Headers of the file and of the protocol.
    fn add_own(&self, headers: &mut HeaderMap) -> Result<(), String> {
        for (name, value) in &self.settings.headers {
            let wrong = || format!("header {name:?} cannot be sent");
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_invalid| wrong())?;
            let value = HeaderValue::from_str(value).map_err(|_invalid| wrong())?;
            headers.insert(header, value);
        }
        let message = self.settings.message;
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(message.content_type()),
        );
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
        headers.insert(
            "X-Prometheus-Remote-Write-Version",
            HeaderValue::from_static(message.version()),
        );
        Ok(())
    }
}
