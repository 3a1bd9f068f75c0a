//! What a running server says of packs.

use crate::cli::ServerAddress;
use crate::commands::client::Client;
use anyhow::{Context as _, bail};
use reqwest::Method;
use runtime::{Clock as _, SystemClock};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A metric is there if it had a sample within this time: longer than any usual interval of scraping.
const PRESENT_SECONDS: f64 = 3600.0;

/// A server that answers.
pub(super) struct Server {
    client: Client,
    url: String,
    status: Value,
}

impl Server {
    /// Asks; `None` where nobody answers or somebody else does. Fails where the server wants proof.
    pub(super) fn find(address: &ServerAddress) -> anyhow::Result<Option<Self>> {
        let client = Client::new(address)?;
        let url = address.url.clone();
        let Ok((code, text)) = client.send(Method::GET, "/api/binnacle/v1/status", &[], None)
        else {
            return Ok(None);
        };
        if matches!(code, 401 | 403) {
            bail!("{url} answers {code}: give --token");
        }
        let status: Option<Value> = serde_json::from_str(&text).ok();
        let status = status.filter(|status| code == 200 && status.get("packFolder").is_some());
        Ok(status.map(|status| Self {
            client,
            url,
            status,
        }))
    }

    /// The folder that it reads packs from. Fails where the server is on another machine.
    pub(super) fn folder(&self) -> anyhow::Result<PathBuf> {
        let host = reqwest::Url::parse(&self.url).ok();
        let host = host.as_ref().and_then(reqwest::Url::host_str);
        let is_here = host
            .is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."));
        if !is_here {
            bail!(
                "the packs of {} lie on that machine: run this there, or name a folder with --config",
                self.url
            );
        }
        let folder = self.status.get("packFolder").and_then(Value::as_str);
        Ok(PathBuf::from(folder.unwrap_or_default()))
    }

    /// The file that it evaluates a pack from.
    pub(super) fn loaded(&self, name: &str) -> Option<&Path> {
        let packs = self.status.get("packs")?.as_array()?;
        let is_it = |pack: &&Value| pack.get("name").and_then(Value::as_str) == Some(name);
        let pack = packs.iter().find(is_it)?;
        pack.get("file").and_then(Value::as_str).map(Path::new)
    }

    /// Those of the metrics that had a sample within the last hour.
    pub(super) fn present(&self, metrics: &BTreeSet<String>) -> anyhow::Result<BTreeSet<String>> {
        let names: Vec<&str> = metrics.iter().map(String::as_str).collect();
        let selector = format!("{{__name__=~\"{}\"}}", names.join("|"));
        let start = SystemClock::new().now().seconds() - PRESENT_SECONDS;
        let answer = self.client.get(
            "/api/v1/label/__name__/values",
            &[("match[]", &selector), ("start", &start.to_string())],
        )?;
        let values = answer.get("data").and_then(Value::as_array);
        let values = values.context("the answer has no data")?;
        let names = values.iter().filter_map(Value::as_str);
        Ok(names.map(str::to_owned).collect())
    }

    /// Has it read its configuration again.
    pub(super) fn reload(&self) -> anyhow::Result<()> {
        let (code, text) = self.client.send(Method::POST, "/-/reload", &[], None)?;
        if code != 200 {
            bail!("{}/-/reload answers {code}: {}", self.url, text.trim());
        }
        Ok(())
    }
}
