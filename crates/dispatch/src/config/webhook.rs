//! `webhook_configs`: an HTTP request with the notification as JSON.

use super::field;
use super::global::{Global, at_most_one, source};
use super::receiver::Settings;
use config::http_client::{self, SecretSource};
use config::yaml::Node;
use config::{Fields, HttpClientConfig, Problems, decode};

/// A webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where to send; may hold template actions.
    pub url: SecretSource,
    /// How to reach it.
    pub http: HttpClientConfig,
    /// Alerts in one request at most, 0 for all.
    pub alerts_max: u64,
    /// Time for one request, none without a limit of its own.
    pub timeout_ms: Option<i64>,
    /// What to send instead of the standard message: any YAML, its texts are templates.
    pub payload: Option<Node>,
}

/// Reads one entry: whether resolved alerts are told, and the settings.
pub(super) fn read(
    node: &Node,
    global: &Global,
    problems: &mut Problems,
) -> Option<(bool, Settings)> {
    let both = at_most_one(node, ("url", "url_file"), problems);
    let mut fields = Fields::of(node, "webhook.plain", problems)?;
    let send_resolved = fields
        .read("send_resolved", decode::boolean)
        .unwrap_or(true);
    let has_url = fields.has("url");
    let url = source(&mut fields, "url", field::template_url);
    let http = fields
        .read("http_config", http_client::decode)
        .unwrap_or_else(|| global.http.clone());
    let alerts_max = fields.read("max_alerts", decode::unsigned).unwrap_or(0);
    let timeout_ms = fields
        .read("timeout", field::go_duration_ms)
        .filter(|millis| *millis > 0);
    let payload = fields.take("payload").cloned();
    if url.is_none() && !both && !has_url {
        fields.wrong("one of url or url_file must be configured");
    }
    fields.finish();
    let webhook = Webhook {
        url: url?,
        http,
        alerts_max,
        timeout_ms,
        payload,
    };
    Some((send_resolved, Settings::Webhook(Box::new(webhook))))
}
