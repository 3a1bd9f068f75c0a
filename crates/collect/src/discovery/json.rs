//! Asking services for JSON, and reading fields of what they answer.

use crate::http_client;
use config::Secret;
use config::http_client::HttpClientConfig;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// Bytes of an answer.
const BODY_BYTES_MAX: usize = 256 << 20;
/// Characters of a refusal that are repeated.
const REFUSAL_CHARS_MAX: usize = 200;

/// A service that answers in JSON.
pub(super) struct JsonClient {
    http: HttpClientConfig,
    /// The socket to connect to, whatever the URL says.
    socket: Option<PathBuf>,
    /// Further headers of each request.
    headers: Vec<(String, Secret)>,
    /// Made with the first question, and again while it cannot be made.
    client: Option<reqwest::Client>,
    timeout: Duration,
}

impl JsonClient {
    /// Makes a client whose answers may take so long.
    pub(super) const fn new(http: HttpClientConfig, timeout: Duration) -> Self {
        Self {
            http,
            socket: None,
            headers: Vec::new(),
            client: None,
            timeout,
        }
    }

    /// Connects to a Unix socket.
    pub(super) fn through_socket(mut self, socket: Option<PathBuf>) -> Self {
        self.socket = socket;
        self
    }

    /// Adds a header to each request.
    pub(super) fn with_header(mut self, name: &str, value: Secret) -> Self {
        self.headers.push((name.to_owned(), value));
        self
    }

    /// The client and the headers that each request carries, credentials included.
    pub(super) async fn connect(&mut self) -> Result<(reqwest::Client, HeaderMap), String> {
        let client = match &self.client {
            Some(client) => client.clone(),
            None => {
                let (http, socket) = (self.http.clone(), self.socket.clone());
                http_client::blocking(move || build(&http, socket)).await?
            }
        };
        self.client = Some(client.clone());
        let mut headers = http_client::request_headers(&self.http).await?;
        headers.extend(http_client::header_map(&self.headers)?);
        Ok((client, headers))
    }

    /// Asks `url` with query parameters.
    pub(super) async fn get(
        &mut self,
        url: &str,
        parameters: &[(&str, String)],
    ) -> Result<Value, String> {
        let (client, headers) = self.connect().await?;
        let wrong = |error| format!("{url:?}: {error}");
        let mut parsed = reqwest::Url::parse(url).map_err(wrong)?;
        if !parameters.is_empty() {
            parsed.query_pairs_mut().extend_pairs(parameters);
        }
        let asked = async {
            let request = client.get(parsed).headers(headers);
            let response = request
                .send()
                .await
                .map_err(|error| http_client::cause(&error))?;
            let status = response.status();
            let body = read_body(response).await?;
            if !status.is_success() {
                return Err(refusal(status, &body));
            }
            serde_json::from_slice(&body).map_err(|error| error.to_string())
        };
        match tokio::time::timeout(self.timeout, asked).await {
            Ok(answer) => answer.map_err(|error| format!("Get {url:?}: {error}")),
            Err(_elapsed) => Err(format!("Get {url:?}: context deadline exceeded")),
        }
    }
}

/// Builds a client that connects to `socket`, where there is one.
fn build(http: &HttpClientConfig, socket: Option<PathBuf>) -> Result<reqwest::Client, String> {
    let mut builder = http_client::builder(http)?;
    if let Some(socket) = socket {
        builder = builder.unix_socket(socket);
    }
    builder.build().map_err(|error| http_client::cause(&error))
}

/// What a service said instead of an answer.
pub(super) fn refusal(status: reqwest::StatusCode, body: &[u8]) -> String {
    let said = String::from_utf8_lossy(body);
    let said: String = said.trim().chars().take(REFUSAL_CHARS_MAX).collect();
    format!("server returned HTTP status {status}: {said}")
}

/// Reads a whole body, within its limit.
pub(super) async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| http_client::cause(&error))?
    {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(format!("the answer is longer than {BODY_BYTES_MAX} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The text at a path such as `/Spec/Name`; numbers and flags as they are written, else empty.
pub(super) fn text(value: &Value, path: &str) -> String {
    match value.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(other @ (Value::Number(_) | Value::Bool(_))) => other.to_string(),
        _ => String::new(),
    }
}

/// The number at a path, 0 where there is none.
pub(super) fn number(value: &Value, path: &str) -> i64 {
    value.pointer(path).and_then(Value::as_i64).unwrap_or(0)
}

/// The elements of the list at a path.
pub(super) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    let list = value.pointer(path).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// Names and values of the mapping at a path.
pub(super) fn entries<'a>(
    value: &'a Value,
    path: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let map = value.pointer(path).and_then(Value::as_object);
    map.into_iter().flatten()
}
