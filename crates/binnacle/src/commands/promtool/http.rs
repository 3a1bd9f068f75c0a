//! A server that promtool's and amtool's subcommands ask, reached as its HTTP client configuration file says.

use anyhow::Context as _;
use config::http_client::{self, HttpClientConfig};
use config::{Problems, yaml};
use model::labels;
use reqwest::header::HeaderMap;
use std::path::Path;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(150);

/// A server.
pub(in crate::commands) struct Server {
    base: String,
    client: reqwest::Client,
    headers: HeaderMap,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    /// Reads the configuration file and makes a client; `headers` are further ones as `NAME=VALUE`.
    pub(in crate::commands) fn new(
        url: &str,
        http_config: Option<&Path>,
        headers: &[String],
    ) -> anyhow::Result<Self> {
        let base = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let http = match http_config {
            Some(file) => read(file)?,
            None => HttpClientConfig::default(),
        };
        let mut all = http.request_headers().map_err(anyhow::Error::msg)?;
        for header in headers {
            let (name, value) = header.split_once('=').context("a header is NAME=VALUE")?;
            all.push((name.to_owned(), config::Secret::new(value)));
        }
        let client = collect::http_client::build(&http).map_err(anyhow::Error::msg)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            client,
            headers: collect::http_client::header_map(&all).map_err(anyhow::Error::msg)?,
            runtime,
        })
    }

    /// Where the server is.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Gets a path with query parameters; gives status and body.
    pub(super) fn get(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> anyhow::Result<(u16, String)> {
        let mut url =
            reqwest::Url::parse(&format!("{}{path}", self.base)).context(self.base.clone())?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        self.send(self.client.get(url))
    }

    /// Posts a body to a path; gives status and body.
    pub(super) fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> anyhow::Result<(u16, String)> {
        let mut request = self.client.post(format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request)
    }

    /// Asks with any method, JSON where there is a body, and a time-out; gives status and body.
    pub(in crate::commands) fn ask(
        &self,
        (method, path): (reqwest::Method, &str),
        parameters: &[(&str, &str)],
        (body, timeout): (Option<&serde_json::Value>, Duration),
    ) -> anyhow::Result<(u16, String)> {
        let mut url =
            reqwest::Url::parse(&format!("{}{path}", self.base)).context(self.base.clone())?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let mut request = self.client.request(method, url).timeout(timeout);
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body.to_string());
        }
        self.answer(request)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<(u16, String)> {
        self.answer(request.timeout(TIMEOUT))
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<(u16, String)> {
        let request = request.headers(self.headers.clone());
        self.runtime.block_on(async {
            let answer = request.send().await;
            let answer = answer.map_err(|error| {
                anyhow::anyhow!("{}: {}", self.base, collect::http_client::cause(&error))
            })?;
            let status = answer.status().as_u16();
            Ok((status, answer.text().await?))
        })
    }
}

fn read(file: &Path) -> anyhow::Result<HttpClientConfig> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut problems = Problems::new(&file.display().to_string());
    let config = yaml::parse_single(&text, &mut problems)
        .and_then(|node| http_client::decode(&node, &mut problems));
    let mut config = problems
        .into_result(config)
        .map_err(|problems| anyhow::anyhow!("{problems}"))?;
    config.set_directory(file.parent().unwrap_or(file));
    Ok(config)
}

/// Labels given as `NAME=VALUE`.
pub(super) fn given_labels(pairs: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for pair in pairs {
        let (name, value) = pair
            .split_once('=')
            .with_context(|| format!("{pair:?} is not NAME=VALUE"))?;
        anyhow::ensure!(
            labels::is_legacy_label_name(name),
            "{name:?} is not a label name"
        );
        all.push((name.to_owned(), value.to_owned()));
    }
    Ok(all)
}
