//! The Alertmanager that is talked to.

use super::{VERSION, format};
use crate::cli::Amtool;
use crate::commands::promtool::http::Server as Http;
use crate::print;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

/// Where Alertmanager is if nothing else is said.
const DEFAULT_URL: &str = "http://localhost:9093/";

/// A server and what is known of it.
pub(super) struct Server {
    http: Http,
    timeout: Duration,
}

/// What the API can be asked: its method, its path, and the name that messages use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    method: &'static str,
    path: &'static str,
    name: &'static str,
}

const fn operation(method: &'static str, path: &'static str, name: &'static str) -> Operation {
    Operation { method, path, name }
}

pub(super) const GET_STATUS: Operation = operation("GET", "/status", "getStatus");
pub(super) const GET_ALERTS: Operation = operation("GET", "/alerts", "getAlerts");
pub(super) const POST_ALERTS: Operation = operation("POST", "/alerts", "postAlerts");
pub(super) const GET_SILENCES: Operation = operation("GET", "/silences", "getSilences");
pub(super) const POST_SILENCES: Operation = operation("POST", "/silences", "postSilences");
pub(super) const GET_SILENCE: Operation = operation("GET", "/silence/{silenceID}", "getSilence");
pub(super) const DELETE_SILENCE: Operation =
    operation("DELETE", "/silence/{silenceID}", "deleteSilence");

impl Server {
    /// Makes a client, and says so where the server's version is another one, unless that is not wanted.
    pub(super) fn new(amtool: &Amtool) -> anyhow::Result<Self> {
        let url = amtool.url.as_deref().unwrap_or(DEFAULT_URL);
        let millis = format::parse_go_duration(&amtool.timeout)?;
        let server = Self {
            http: Http::new(url, amtool.http_config.as_deref(), &[])?,
            timeout: Duration::from_millis(u64::try_from(millis).unwrap_or(0)),
        };
        if !amtool.no_version_check
            && let Ok(status) = server.ask(GET_STATUS, "", &[], None)
        {
            let theirs = format::text(&status, "/versionInfo/version");
            if !theirs.is_empty() && major_minor(theirs) != major_minor(VERSION) {
                print::note(&format!(
                    "Warning: amtool version ({VERSION}) and alertmanager version ({theirs}) are different."
                ));
            }
        }
        Ok(server)
    }

    /// Asks and gives the answer; an empty one is `null`. `id` takes the place of the one in the path.
    pub(super) fn ask(
        &self,
        operation: Operation,
        id: &str,
        parameters: &[(&str, &str)],
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let Operation { method, path, name } = operation;
        let at = format!("/api/v2{}", path.replace("{silenceID}", id));
        let asked = (Method::from_bytes(method.as_bytes())?, at.as_str());
        let (status, text) = self.http.ask(asked, parameters, (body, self.timeout))?;
        let value = serde_json::from_str::<Value>(&text).ok();
        if status == 200 {
            return Ok(value.unwrap_or(Value::Null));
        }
        // What is wrong with a request stands in a text, or in the `message` of the validation.
        let message = value.as_ref().and_then(|value| {
            value
                .as_str()
                .or_else(|| value.get("message").and_then(Value::as_str))
        });
        let message = message.unwrap_or(text.trim());
        let kind = match status {
            400 => "BadRequest",
            404 => "NotFound",
            500 => "InternalServerError",
            _ => anyhow::bail!("[{method} {path}][{status}] {message}"),
        };
        anyhow::bail!(
            "{}",
            format!("[{method} {path}][{status}] {name}{kind}  {message}").trim_end()
        )
    }
}

fn major_minor(version: &str) -> Vec<&str> {
    version.split('.').take(2).collect()
}
