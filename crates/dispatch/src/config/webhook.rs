//! `webhook_configs`: an HTTP request with the notification as JSON.

use super::entry::Entry;
use super::field;
use super::receiver::Settings;
use config::http_client::SecretSource;
use config::yaml::Node;
use config::{HttpClientConfig, decode};

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

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let url = entry.source("url", field::template_url);
    entry.wrong_if(
        entry.node.get("url").is_none() && entry.lacks("url"),
        "one of url or url_file must be configured",
    );
    let alerts_max = entry.fields.read("max_alerts", decode::unsigned);
    Some(Settings::Webhook(Box::new(Webhook {
        url: url.unwrap_or_default(),
        http: entry.http(),
        alerts_max: alerts_max.unwrap_or(0),
        timeout_ms: entry.timeout_ms(),
        payload: entry.fields.take("payload").cloned(),
    })))
}
