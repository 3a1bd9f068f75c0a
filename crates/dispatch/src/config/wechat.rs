//! `wechat_configs`: a message of an application of WeCom.

use super::entry::{Entry, Texts};
use super::receiver::Settings;
use config::HttpClientConfig;
use config::http_client::SecretSource;

/// An application of WeCom.
#[derive(Clone, Debug)]
pub struct WeChat {
    /// The root of the API.
    pub(crate) api_url: String,
    /// May be a template, as the company's name.
    pub(crate) api_secret: SecretSource,
    /// The company.
    pub(crate) corp_id: String,
    /// All other templates.
    pub(crate) texts: Texts,
    /// How the message is shown.
    pub(crate) is_markdown: bool,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
}

const TEXTS: [(&str, &str); 5] = [
    ("message", r#"{{ template "wechat.default.message" . }}"#),
    ("to_user", r#"{{ template "wechat.default.to_user" . }}"#),
    ("to_party", r#"{{ template "wechat.default.to_party" . }}"#),
    ("to_tag", r#"{{ template "wechat.default.to_tag" . }}"#),
    ("agent_id", r#"{{ template "wechat.default.agent_id" . }}"#),
];

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let global = &entry.global.wechat;
    let kind = entry.text("message_type", "");
    entry.wrong_if(
        !["", "text", "markdown"].contains(&kind.as_str()),
        &format!("weChat message type {kind:?} does not match valid options ^(text|markdown)$"),
    );
    let none = entry.lacks("api_secret") && global.key.is_none();
    entry.wrong_if(
        none,
        "no global Wechat Api Secret set either inline or in a file",
    );
    let api_secret = entry.secret("api_secret").or_else(|| global.key.clone());
    let corp_id = match entry.text("corp_id", "") {
        own if own.is_empty() => entry.global.wechat_corp_id.clone(),
        own => own,
    };
    entry.wrong_if(corp_id.is_empty(), "no global Wechat CorpID set");
    Some(Settings::WeChat(Box::new(WeChat {
        api_url: entry.url("api_url").unwrap_or_else(|| global.url.clone()),
        api_secret: api_secret.unwrap_or_default(),
        corp_id,
        texts: entry.texts(&TEXTS),
        is_markdown: kind == "markdown",
        http: entry.http(),
    })))
}
