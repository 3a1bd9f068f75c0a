//! `webex_configs`: a message in a Webex room.

use super::entry::{Entry, has_authorization};
use super::receiver::Settings;
use config::HttpClientConfig;

/// A room of Webex.
#[derive(Clone, Debug)]
pub struct Webex {
    /// Where to send.
    pub(crate) api_url: String,
    /// The template of the message.
    pub(crate) message: String,
    /// May be a template.
    pub(crate) room_id: String,
    /// How to reach it; holds the token.
    pub(crate) http: HttpClientConfig,
}

const MESSAGE: &str = r#"{{ template "webex.default.message" . }}"#;

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    entry.wrong_if(!entry.has("room_id"), "missing room_id on webex_config");
    let own = entry.has("http_config");
    let http = entry.http();
    entry.wrong_if(
        !own || !has_authorization(&http),
        "missing webex_configs.http_config.authorization",
    );
    let api_url = entry.url("api_url");
    Some(Settings::Webex(Box::new(Webex {
        api_url: api_url.unwrap_or_else(|| entry.global.webex_url.clone()),
        message: entry.text("message", MESSAGE),
        room_id: entry.text("room_id", ""),
        http,
    })))
}
