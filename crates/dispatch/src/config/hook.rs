//! `discord_configs`, `msteams_configs` and `msteamsv2_configs`: texts for the webhook of a channel.

use super::entry::{Entry, Texts};
use super::receiver::Settings;
use config::HttpClientConfig;
use config::http_client::SecretSource;

/// A channel with a webhook of its own.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Where to send.
    pub(crate) webhook_url: SecretSource,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
    /// All other fields; in Discord's the name and the picture are no templates.
    pub(crate) texts: Texts,
}

const DISCORD: [(&str, &str); 5] = [
    ("content", r#"{{ template "discord.default.content" . }}"#),
    ("title", r#"{{ template "discord.default.title" . }}"#),
    ("message", r#"{{ template "discord.default.message" . }}"#),
    ("username", ""),
    ("avatar_url", ""),
];
const MSTEAMS: [(&str, &str); 3] = [
    ("title", r#"{{ template "msteams.default.title" . }}"#),
    ("summary", r#"{{ template "msteams.default.summary" . }}"#),
    ("text", r#"{{ template "msteams.default.text" . }}"#),
];
const MSTEAMS_V2: [(&str, &str); 2] = [
    ("title", r#"{{ template "msteamsv2.default.title" . }}"#),
    ("text", r#"{{ template "msteamsv2.default.text" . }}"#),
];

fn hook(entry: &mut Entry<'_, '_, '_>, table: &[(&'static str, &str)]) -> Box<Hook> {
    Box::new(Hook {
        webhook_url: entry.required("webhook_url", Entry::secret_url),
        http: entry.http(),
        texts: entry.texts(table),
    })
}

pub(super) fn discord(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    Some(Settings::Discord(hook(entry, &DISCORD)))
}

pub(super) fn msteams(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    Some(Settings::MsTeams(hook(entry, &MSTEAMS)))
}

pub(super) fn msteams_v2(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    Some(Settings::MsTeamsV2(hook(entry, &MSTEAMS_V2)))
}
