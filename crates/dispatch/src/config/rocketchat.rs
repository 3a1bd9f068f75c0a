//! `rocketchat_configs`: a message through Rocket.Chat's API.

use super::attachment::{self, AttachmentField};
use super::entry::{Entry, Texts};
use super::receiver::Settings;
use config::HttpClientConfig;
use config::http_client::SecretSource;
use config::yaml::Node;
use config::{Fields, Problems, decode};

/// A channel of Rocket.Chat.
#[derive(Clone, Debug)]
pub struct RocketChat {
    /// The root of the server.
    pub(crate) api_url: String,
    /// Who sends.
    pub(crate) token_id: SecretSource,
    /// With what.
    pub(crate) token: SecretSource,
    /// All templates that stand alone.
    pub(crate) texts: Texts,
    /// Further fields of the attachment.
    pub(crate) fields: Vec<AttachmentField>,
    /// Whether fields are short unless they say otherwise.
    pub(crate) short_fields: bool,
    /// Buttons: `text`, `url`, `msg`.
    pub(crate) actions: Vec<[String; 3]>,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
}

const TEXTS: [(&str, &str); 9] = [
    ("channel", ""),
    (
        "color",
        r#"{{ if eq .Status "firing" }}red{{ else }}green{{ end }}"#,
    ),
    ("title", r#"{{ template "rocketchat.default.title" . }}"#),
    (
        "title_link",
        r#"{{ template "rocketchat.default.titlelink" . }}"#,
    ),
    ("text", r#"{{ template "rocketchat.default.text" . }}"#),
    ("emoji", r#"{{ template "rocketchat.default.emoji" . }}"#),
    (
        "icon_url",
        r#"{{ template "rocketchat.default.iconurl" . }}"#,
    ),
    ("image_url", ""),
    ("thumb_url", ""),
];

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let (global, global_id) = (&entry.global.rocketchat, &entry.global.rocketchat_token_id);
    let none = entry.lacks("token_id") && global_id.is_none();
    entry.wrong_if(
        none,
        "no global Rocketchat TokenID set either inline or in a file",
    );
    let none = entry.lacks("token") && global.key.is_none();
    entry.wrong_if(
        none,
        "no global Rocketchat Token set either inline or in a file",
    );
    let token = entry.secret("token").or_else(|| global.key.clone());
    let token_id = entry.secret("token_id").or_else(|| global_id.clone());
    // Accepted, and without effect upstream too.
    entry.flag("link_names");
    Some(Settings::RocketChat(Box::new(RocketChat {
        api_url: entry.url("api_url").unwrap_or_else(|| global.url.clone()),
        token_id: token_id.unwrap_or_default(),
        token: token.unwrap_or_default(),
        texts: entry.texts(&TEXTS),
        fields: entry.fields.read_list("fields", attachment::field),
        short_fields: entry.flag("short_fields"),
        actions: entry.fields.read_list("actions", action),
        http: entry.http(),
    })))
}

/// Reads a button. Upstream sends three of its fields; the names are run together there.
fn action(node: &Node, problems: &mut Problems) -> Option<[String; 3]> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    for name in ["iswebview", "msginchatwindow"] {
        fields.read(name, decode::boolean);
    }
    let [text, url, msg] =
        ["text", "url", "msg"].map(|name| fields.read(name, decode::string).unwrap_or_default());
    for name in [
        "type",
        "imageurl",
        "webviewheightratio",
        "msgprocessingtype",
    ] {
        fields.read(name, decode::string);
    }
    fields.finish();
    Some([text, url, msg])
}
