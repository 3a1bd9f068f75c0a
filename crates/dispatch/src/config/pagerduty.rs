//! `pagerduty_configs`: an event for PagerDuty's Events API, version 2, or 1 with a service key.

use super::entry::{Entry, Texts};
use super::field;
use super::receiver::Settings;
use config::HttpClientConfig;
use config::http_client::SecretSource;
use config::yaml::{Node, NodeKind};

/// A service of PagerDuty.
#[derive(Clone, Debug)]
pub struct PagerDuty {
    /// Which of the two interfaces is spoken.
    pub(crate) version: EventsVersion,
    /// Where to send.
    pub(crate) url: String,
    /// The routing key of version 2, the service key of version 1; may be a template.
    pub(crate) key: SecretSource,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
    /// All templates that stand alone.
    pub(crate) texts: Texts,
    /// Details by name: any YAML, its texts are templates. Sorted by name.
    pub(crate) details: Vec<(String, Node)>,
    /// Pictures: `src`, `alt`, `href`.
    pub(crate) images: Vec<[String; 3]>,
    /// Links: `href`, `text`.
    pub(crate) links: Vec<[String; 2]>,
    /// Time for one request, none without a limit of its own.
    pub(crate) timeout_ms: Option<i64>,
}

/// A version of the Events API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventsVersion {
    /// With a service key, as long as PagerDuty keeps it.
    V1,
    /// With a routing key.
    V2,
}

/// Where version 1 is spoken; no file can say otherwise.
const V1_URL: &str = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";
const TEXTS: [(&str, &str); 8] = [
    ("client", r#"{{ template "pagerduty.default.client" . }}"#),
    (
        "client_url",
        r#"{{ template "pagerduty.default.clientURL" . }}"#,
    ),
    (
        "description",
        r#"{{ template "pagerduty.default.description" .}}"#,
    ),
    ("source", ""),
    ("severity", ""),
    ("class", ""),
    ("component", ""),
    ("group", ""),
];
const DETAILS: [(&str, &str); 4] = [
    ("firing", "{{ .Alerts.Firing | toJson }}"),
    ("num_firing", "{{ .Alerts.Firing | len }}"),
    ("num_resolved", "{{ .Alerts.Resolved | len }}"),
    ("resolved", "{{ .Alerts.Resolved | toJson }}"),
];

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    entry.wrong_if(
        entry.lacks("service_key") && entry.lacks("routing_key"),
        "missing service or routing key in PagerDuty config",
    );
    let routing_key = entry.secret("routing_key");
    let service_key = entry.secret("service_key");
    let given_url = entry.url("url");
    let (version, url, key) = match service_key {
        Some(key) => (EventsVersion::V1, V1_URL.to_owned(), key),
        None => (
            EventsVersion::V2,
            given_url.unwrap_or_else(|| entry.global.pagerduty_url.clone()),
            routing_key.unwrap_or_default(),
        ),
    };
    let mut details = entry
        .fields
        .read("details", field::any_map)
        .unwrap_or_default();
    for (name, template) in DETAILS {
        if !details.iter().any(|(given, _)| given == name) {
            let kind = NodeKind::Scalar {
                text: template.to_owned(),
                quoted: true,
            };
            let position = entry.fields.position();
            details.push((name.to_owned(), Node { kind, position }));
        }
    }
    details.sort_by(|(a, _), (b, _)| a.cmp(b));
    Some(Settings::PagerDuty(Box::new(PagerDuty {
        version,
        url,
        key,
        http: entry.http(),
        texts: entry.texts(&TEXTS),
        details,
        images: entry.fields.read_list("images", |node, problems| {
            field::record(node, ["src", "alt", "href"], problems)
        }),
        links: entry.fields.read_list("links", |node, problems| {
            field::record(node, ["href", "text"], problems)
        }),
        timeout_ms: entry.timeout_ms(),
    })))
}
