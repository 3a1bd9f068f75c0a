//! `incidentio_configs`: an alert event for incident.io.

use super::entry::{Entry, has_authorization};
use super::field;
use super::receiver::Settings;
use config::http_client::{Credentials, SecretSource};
use config::{HttpClientConfig, Secret, decode};

/// An alert source of incident.io.
#[derive(Clone, Debug)]
pub struct IncidentIo {
    /// Where to send.
    pub(crate) url: SecretSource,
    /// How to reach it; holds the token.
    pub(crate) http: HttpClientConfig,
    /// Alerts in one request at most, 0 for all.
    pub(crate) alerts_max: u64,
    /// Time for one request, none without a limit of its own.
    pub(crate) timeout_ms: Option<i64>,
}

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let url = entry.required("url", |entry, name| {
        let public = |node: &_, problems: &mut _| field::url(node, problems).map(Secret::new);
        entry.source(name, public)
    });
    let token = entry.secret("alert_source_token");
    let own = entry.has("http_config");
    let mut http = entry.http();
    let authorization = own && has_authorization(&http);
    entry.wrong_if(
        token.is_some() && authorization,
        "cannot specify alert_source_token or alert_source_token_file when using http_config.authorization",
    );
    entry.wrong_if(
        own && !authorization && token.is_none(),
        "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured",
    );
    if let Some(token) = token {
        http.credentials = Some(Credentials::Token {
            scheme: "Bearer".to_owned(),
            token,
        });
    }
    Some(Settings::IncidentIo(Box::new(IncidentIo {
        url,
        http,
        alerts_max: entry
            .fields
            .read("max_alerts", decode::unsigned)
            .unwrap_or(0),
        timeout_ms: entry.timeout_ms(),
    })))
}
