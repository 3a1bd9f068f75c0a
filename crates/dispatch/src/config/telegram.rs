//! `telegram_configs`: a message of a bot.

use super::entry::Entry;
use super::receiver::Settings;
use config::http_client::SecretSource;
use config::{HttpClientConfig, Secret, decode};

/// A chat of Telegram.
#[derive(Clone, Debug)]
pub struct Telegram {
    /// The root of the API.
    pub(crate) api_url: String,
    /// Part of the address.
    pub(crate) bot_token: SecretSource,
    /// A number, given or in a file.
    pub(crate) chat_id: SecretSource,
    /// The topic of a group, 0 for none.
    pub(crate) message_thread_id: i64,
    /// The template.
    pub(crate) message: String,
    /// Whether the message comes without a sound.
    pub(crate) disable_notifications: bool,
    /// `HTML`, `Markdown`, `MarkdownV2`, or nothing.
    pub(crate) parse_mode: String,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
}

const MESSAGE: &str = r#"{{ template "telegram.default.message" . }}"#;
const PARSE_MODES: [&str; 4] = ["", "Markdown", "MarkdownV2", "HTML"];

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let global = &entry.global.telegram;
    let bot_token = entry.secret("bot_token").or_else(|| global.key.clone());
    let chat = entry.fields.read("chat_id", decode::integer);
    let chat = chat.filter(|id| *id != 0);
    let file = entry.text("chat_id_file", "");
    let has_chat =
        entry.has("chat_id") && entry.node.get("chat_id").and_then(|n| n.text()) != Some("0");
    entry.wrong_if(
        !has_chat && file.is_empty(),
        "missing chat_id or chat_id_file on telegram_config",
    );
    entry.wrong_if(
        has_chat && !file.is_empty(),
        "at most one of chat_id & chat_id_file must be configured",
    );
    let parse_mode = entry.text("parse_mode", "HTML");
    entry.wrong_if(
        !PARSE_MODES.contains(&parse_mode.as_str()),
        "unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string",
    );
    let none = entry.lacks("bot_token") && global.key.is_none();
    entry.wrong_if(
        none,
        "missing bot_token or bot_token_file on telegram_config",
    );
    Some(Settings::Telegram(Box::new(Telegram {
        api_url: entry.url("api_url").unwrap_or_else(|| global.url.clone()),
        bot_token: bot_token.unwrap_or_default(),
        chat_id: match chat {
            Some(id) => SecretSource::Text(Secret::new(id.to_string())),
            None => SecretSource::File(file.into()),
        },
        message_thread_id: entry
            .fields
            .read("message_thread_id", decode::integer)
            .unwrap_or(0),
        message: entry.text("message", MESSAGE),
        disable_notifications: entry.flag("disable_notifications"),
        parse_mode,
        http: entry.http(),
    })))
}
