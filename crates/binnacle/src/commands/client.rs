//! Talking to a running server.

use crate::cli::ServerAddress;
use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::Value;
use std::io::Read;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(150);

/// How long an answer may take that is read as it comes.
const STREAM_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// A server and how to prove ourselves to it.
pub(crate) struct Client {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    pub(crate) fn new(address: &ServerAddress) -> anyhow::Result<Self> {
        let base = address.url.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") && !base.starts_with("https://") {
            bail!("{base:?} is not an address: it begins with neither http:// nor https://");
        }
        let token = address
            .token
            .clone()
            .or_else(|| runtime::environment::var("BINNACLE_TOKEN"))
            .filter(|token| !token.is_empty());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(crate::tls::client_config())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self {
            base,
            token,
            http,
            runtime,
        })
    }

    /// Sends a request and gives status and body.
    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        parameters: &[(&str, &str)],
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, String)> {
        let mut url = reqwest::Url::parse(&format!("{}{path}", self.base))
            .with_context(|| format!("{}{path} is not an address", self.base))?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body.to_string());
        }
        self.answer(request)
    }

    /// Posts bytes with these headers and gives status and body.
    pub(crate) fn send_bytes(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> anyhow::Result<(u16, String)> {
        let mut request = self.http.post(format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request)
    }

    fn answer(&self, mut request: reqwest::RequestBuilder) -> anyhow::Result<(u16, String)> {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        self.runtime.block_on(async {
            let answer = request
                .send()
                .await
                .with_context(|| format!("no answer from {}", self.base))?;
            let status = answer.status().as_u16();
            Ok((status, answer.text().await?))
        })
    }

    /// Gets a body that is read as it comes; an error status fails with what the server said.
    pub(crate) fn stream(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> anyhow::Result<Body<'_>> {
        let mut url = reqwest::Url::parse(&format!("{}{path}", self.base))
            .with_context(|| format!("{}{path} is not an address", self.base))?;
        url.query_pairs_mut().extend_pairs(parameters);
        let mut request = self.http.get(url).timeout(STREAM_TIMEOUT);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = self
            .runtime
            // The time-out begins where the request is sent: inside the runtime.
            .block_on(async { request.send().await })
            .with_context(|| format!("no answer from {}", self.base))?;
        let status = answer.status().as_u16();
        if !(200..300).contains(&status) {
            let text = self.runtime.block_on(answer.text())?;
            bail!("{}{path} answers {status}: {}", self.base, text.trim());
        }
        Ok(Body {
            client: self,
            answer,
            piece: Vec::new(),
            read: 0,
        })
    }

    /// Gets JSON; an answer that is none, or an error status, fails with what the server said.
    pub(crate) fn get(&self, path: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
        let (status, text) = self.send(Method::GET, path, parameters, None)?;
        read_json(&self.base, path, status, &text)
    }

    /// Posts JSON where the answer may take as long as it takes.
    pub(crate) fn post_patiently(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        let request = self
            .http
            .post(url)
            .timeout(STREAM_TIMEOUT)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        let (status, text) = self.answer(request)?;
        read_json(&self.base, path, status, &text)
    }

    /// Posts JSON; an empty answer is `null`.
    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, text) = self.send(Method::POST, path, &[], Some(body))?;
        read_json(&self.base, path, status, &text)
    }
}

fn read_json(base: &str, path: &str, status: u16, text: &str) -> anyhow::Result<Value> {
    let value: Option<Value> = if text.trim().is_empty() {
        Some(Value::Null)
    } else {
        serde_json::from_str(text).ok()
    };
    if (200..300).contains(&status) {
        return value.with_context(|| format!("{base}{path} answers something that is not JSON"));
    }
    let said = value
        .as_ref()
        .and_then(|value| value.get("error").and_then(Value::as_str));
    let plain = value.as_ref().and_then(Value::as_str);
    bail!(
        "{base}{path} answers {status}: {}",
        said.or(plain).unwrap_or(text.trim())
    )
}

/// A body that is read as it comes.
pub(crate) struct Body<'a> {
    client: &'a Client,
    answer: reqwest::Response,
    piece: Vec<u8>,
    read: usize,
}

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.read == self.piece.len() {
            let next = self.client.runtime.block_on(self.answer.chunk());
            match next.map_err(std::io::Error::other)? {
                Some(piece) => self.piece = piece.to_vec(),
                None => return Ok(0),
            }
            self.read = 0;
        }
        let rest = self.piece.get(self.read..).unwrap_or_default();
        let taken = rest.len().min(out.len());
        for (to, from) in out.iter_mut().zip(rest) {
            *to = *from;
        }
        self.read += taken;
        Ok(taken)
    }
}
