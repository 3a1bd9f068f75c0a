//! `pushover_configs`: a message to somebody's devices.

use super::entry::{Entry, Texts};
use super::field;
use super::receiver::Settings;
use config::HttpClientConfig;
use config::http_client::SecretSource;

/// A user or a group of Pushover.
#[derive(Clone, Debug)]
pub struct Pushover {
    /// Where to send; no file can say otherwise.
    pub(crate) api_url: String,
    /// May be a template, as the token.
    pub(crate) user_key: SecretSource,
    /// The application's.
    pub(crate) token: SecretSource,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
    /// All templates.
    pub(crate) texts: Texts,
    /// How often an emergency is repeated.
    pub(crate) retry_ms: i64,
    /// For how long it is.
    pub(crate) expire_ms: i64,
    /// After which time a message goes away, 0 for never.
    pub(crate) ttl_ms: i64,
    /// How the message is shown.
    pub(crate) style: PushoverStyle,
}

/// How a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushoverStyle {
    /// As it is.
    Plain,
    /// As HTML; what templates print is escaped.
    Html,
    /// In letters of one width.
    Monospace,
}

const API_URL: &str = "https://api.pushover.net/1/messages.json";
const RETRY_MS: i64 = 60_000;
const EXPIRE_MS: i64 = 3_600_000;
const TEXTS: [(&str, &str); 7] = [
    ("title", r#"{{ template "pushover.default.title" . }}"#),
    ("message", r#"{{ template "pushover.default.message" . }}"#),
    ("url", r#"{{ template "pushover.default.url" . }}"#),
    ("url_title", ""),
    ("device", ""),
    ("sound", ""),
    (
        "priority",
        r#"{{ if eq .Status "firing" }}2{{ else }}0{{ end }}"#,
    ),
];

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let user_key = entry.required("user_key", Entry::secret);
    let token = entry.required("token", Entry::secret);
    let (html, monospace) = (entry.flag("html"), entry.flag("monospace"));
    entry.wrong_if(
        html && monospace,
        "at most one of monospace & html must be configured",
    );
    let mut duration = |name, default| {
        let given = entry.fields.read(name, field::go_duration_ms);
        given.unwrap_or(default)
    };
    let (retry_ms, expire_ms) = (duration("retry", RETRY_MS), duration("expire", EXPIRE_MS));
    let ttl_ms = duration("ttl", 0);
    Some(Settings::Pushover(Box::new(Pushover {
        api_url: API_URL.to_owned(),
        user_key,
        token,
        http: entry.http(),
        texts: entry.texts(&TEXTS),
        retry_ms,
        expire_ms,
        ttl_ms,
        style: match (html, monospace) {
            (true, _) => PushoverStyle::Html,
            (false, true) => PushoverStyle::Monospace,
            (false, false) => PushoverStyle::Plain,
        },
    })))
}
