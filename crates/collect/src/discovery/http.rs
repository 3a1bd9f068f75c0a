//! `http_sd_configs`: an address that lists targets as JSON.

use super::Provider;
use crate::http_client;
use crate::prometheus_file::{HttpDiscovery, TargetGroup, read_target_groups};
use model::Labels;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use std::time::Duration;

/// Bytes of a list.
const BODY_BYTES_MAX: usize = 64 << 20;
const URL: &str = "__meta_url";

/// Asks one address.
pub(crate) struct HttpWatcher {
    discovery: HttpDiscovery,
    /// Made with the first question, and again while it cannot be made.
    client: Option<reqwest::Client>,
}

impl HttpWatcher {
    pub(crate) const fn new(discovery: HttpDiscovery) -> Self {
        Self {
            discovery,
            client: None,
        }
    }

    fn url(&self) -> &str {
        &self.discovery.url
    }
}

impl Provider for HttpWatcher {
    const NAME: &'static str = "http";

    fn interval(&self) -> Duration {
        Duration::from_millis(self.discovery.refresh_ms.max(1).unsigned_abs())
    }

    /// Asks once. An answer takes at most one interval.
    async fn ask(&mut self) -> Result<Vec<TargetGroup>, String> {
        let client = match &self.client {
            Some(client) => client.clone(),
            None => {
                let config = self.discovery.http.clone();
                http_client::blocking(move || http_client::build(&config)).await?
            }
        };
        self.client = Some(client.clone());
        match tokio::time::timeout(self.interval(), self.request(&client)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(format!("Get {:?}: context deadline exceeded", self.url())),
        }
    }
}

impl HttpWatcher {
    async fn request(&self, client: &reqwest::Client) -> Result<Vec<TargetGroup>, String> {
        let url = self.url();
        let failed = |error: reqwest::Error| format!("Get {url:?}: {}", http_client::cause(&error));
        let headers = http_client::request_headers(&self.discovery.http).await?;
        let seconds = model::format_float(self.interval().as_secs_f64());
        let request = client
            .get(url)
            .header(ACCEPT, "application/json")
            .header("X-Prometheus-Refresh-Interval-Seconds", seconds)
            .headers(headers);
        let mut response = request.send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("server returned HTTP status {}", response.status()));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default();
        if !is_json(content_type) {
            return Err(format!("unsupported content type {content_type:?}"));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > BODY_BYTES_MAX {
                return Err(format!("the list is longer than {BODY_BYTES_MAX} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        read_list(&body, url)
    }
}

/// `application/json`, maybe with `charset=utf-8` and nothing else.
fn is_json(content_type: &str) -> bool {
    let lower = content_type.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("application/json") else {
        return false;
    };
    let charset = rest.strip_prefix(';').map(str::trim_start);
    rest.is_empty() || matches!(charset, Some("charset=utf-8" | "charset=\"utf-8\""))
}

pub(super) fn read_list(body: &[u8], url: &str) -> Result<Vec<TargetGroup>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    // YAML takes more than JSON; what is no JSON must not pass.
    serde_json::from_str::<serde_json::Value>(text).map_err(|error| error.to_string())?;
    let mut groups = read_target_groups(text, url).map_err(|problems| problems.to_string())?;
    for group in &mut groups {
        group.labels = group.labels.merged_with(&Labels::from_pairs([(URL, url)]));
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::{is_json, read_list};

    #[test]
    fn checks_content_types() {
        let check = |content_type, want| assert_eq!(is_json(content_type), want, "{content_type}");
        check("application/json", true);
        check("application/json; charset=utf-8", true);
        check("APPLICATION/JSON;charset=\"UTF-8\"", true);
        check("application/json; charset=latin1", false);
        check("application/jsonlines", false);
        check("text/plain", false);
        check("", false);
    }

    #[test]
    fn reads_lists() {
        let check = |text: &str, want: Result<&str, &str>| {
            let groups = read_list(text.as_bytes(), "u").map(|groups| {
                let shown = groups
                    .iter()
                    .map(|group| format!("{} {:?}", group.labels, group.targets));
                shown.collect::<Vec<_>>().join(";")
            });
            assert_eq!(groups.as_deref().map_err(String::as_str), want);
        };
        check("[]", Ok(""));
        check(
            r#"[{"targets": ["a:1"], "labels": {"b": "c"}}]"#,
            Ok(r#"{__meta_url="u", b="c"} [{__address__="a:1"}]"#),
        );
        check("- targets: [a]", Err("invalid number at line 1 column 2"));
        check(
            r#"[{"targats": []}]"#,
            Err("u:1:3: field \"targats\" not found in targetgroup.Group"),
        );
    }
}
