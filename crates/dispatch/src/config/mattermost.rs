//! `mattermost_configs`: a message through an incoming webhook of Mattermost.

use super::attachment::{self, AttachmentField};
use super::entry::{Entry, Texts};
use super::receiver::Settings;
use config::http_client::SecretSource;
use config::yaml::Node;
use config::{Fields, HttpClientConfig, Problems, decode};

/// A channel of Mattermost.
#[derive(Clone, Debug)]
pub struct Mattermost {
    /// Where to send.
    pub(crate) webhook_url: SecretSource,
    /// The templates of the message itself.
    pub(crate) texts: Texts,
    /// What hangs below it.
    pub(crate) attachments: Vec<Attachment>,
    /// The template of the card beside it, empty for none.
    pub(crate) card: String,
    /// How urgent it is.
    pub(crate) priority: Option<Priority>,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
}

/// An attachment: templates by name in the order in which they are sent, and fields.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub(crate) texts: Vec<(&'static str, String)>,
    pub(crate) fields: Vec<AttachmentField>,
}

/// How urgent a message is.
#[derive(Clone, Debug)]
pub struct Priority {
    /// `urgent`, `important` or `standard`; a template.
    pub(crate) level: String,
    /// Whether somebody must confirm it.
    pub(crate) requested_ack: bool,
    /// Whether it rings until then.
    pub(crate) persistent_notifications: bool,
}

const TEXTS: [(&str, &str); 6] = [
    ("text", r#"{{ template "mattermost.default.text" . }}"#),
    ("channel", ""),
    (
        "username",
        r#"{{ template "mattermost.default.username" . }}"#,
    ),
    ("icon_url", ""),
    ("icon_emoji", ""),
    ("type", ""),
];
/// Texts of an attachment; before the fields, and behind them. At the top they are accepted without effect, as
/// upstream does.
pub(crate) const ATTACHMENT: [&str; 13] = [
    "fallback",
    "color",
    "pretext",
    "text",
    "author_name",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "thumb_url",
    "footer",
    "footer_icon",
    "image_url",
];

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let global = &entry.global.mattermost_url;
    let none = entry.lacks("webhook_url") && global.is_none();
    entry.wrong_if(
        none,
        "missing webhook_url or webhook_url_file on mattermost_config",
    );
    let own = entry.secret_url("webhook_url");
    let texts = entry.texts(&TEXTS);
    for name in ATTACHMENT {
        entry.text(name, "");
    }
    entry.fields.read_list("fields", full_field);
    Some(Settings::Mattermost(Box::new(Mattermost {
        webhook_url: own.or_else(|| global.clone()).unwrap_or_default(),
        texts,
        attachments: entry.fields.read_list("attachments", attachment),
        card: entry.fields.read("props", card).unwrap_or_default(),
        priority: entry.fields.read("priority", priority),
        http: entry.http(),
    })))
}

fn full_field(node: &Node, problems: &mut Problems) -> Option<AttachmentField> {
    attachment::full_field("Mattermost", node, problems)
}

fn attachment(node: &Node, problems: &mut Problems) -> Option<Attachment> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let texts = ATTACHMENT
        .iter()
        .map(|name| {
            let given = fields.read(name, decode::string);
            (*name, given.unwrap_or_default())
        })
        .collect();
    let attachment = Attachment {
        texts,
        fields: fields.read_list("fields", full_field),
    };
    fields.finish();
    Some(attachment)
}

fn card(node: &Node, problems: &mut Problems) -> Option<String> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let card = fields.read("card", decode::string);
    fields.finish();
    card
}

fn priority(node: &Node, problems: &mut Problems) -> Option<Priority> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let level = fields.read("priority", decode::string).unwrap_or_default();
    let mut flag = |name| fields.read(name, decode::boolean).unwrap_or(false);
    let priority = Priority {
        requested_ack: flag("requested_ack"),
        persistent_notifications: flag("persistent_notifications"),
        level,
    };
    fields.finish();
    (!priority.level.is_empty()).then_some(priority)
}
