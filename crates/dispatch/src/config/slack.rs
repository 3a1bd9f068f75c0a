//! `slack_configs`: a message through an incoming webhook or with an app's token.

use super::attachment::{self, AttachmentField};
use super::entry::{Entry, Texts, has_authorization};
use super::global::{Global, SLACK_APP_URL};
use super::receiver::Settings;
use config::http_client::{self, Credentials, SecretSource};
use config::yaml::Node;
use config::{Fields, HttpClientConfig, Problems, Secret, decode};

/// A Slack channel. All texts but `mrkdwn_in` are templates.
#[derive(Clone, Debug)]
pub struct Slack {
    /// Where to send.
    pub api_url: SecretSource,
    /// Where a message that was sent is changed; no file can say otherwise.
    pub update_url: String,
    /// How to reach it; with an app token, that is the bearer token here.
    pub http: HttpClientConfig,
    /// Whether an app token is used, so that the answer's body says what went wrong.
    pub with_token: bool,
    /// Texts by field name (`channel`, `title`, …), defaults filled in.
    pub texts: Texts,
    /// Further fields of the attachment.
    pub fields: Vec<AttachmentField>,
    /// Whether fields are short unless they say otherwise.
    pub short_fields: bool,
    /// Whether names become links.
    pub link_names: bool,
    /// Attachment fields with markdown.
    pub mrkdwn_in: Vec<String>,
    /// Buttons.
    pub actions: Vec<SlackAction>,
    /// Whether the first message of a group is updated instead of sending more.
    pub update_message: bool,
    /// Time for one request, none without a limit of its own.
    pub timeout_ms: Option<i64>,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackAction {
    /// Its type, as `button`.
    pub kind: String,
    /// Its label.
    pub text: String,
    /// Where it leads; empty for a message action.
    pub url: String,
    /// Its look.
    pub style: String,
    /// The name of a message action.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Asked before a message action.
    pub confirm: Option<SlackConfirmation>,
}

/// What is asked before a message action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackConfirmation {
    /// The question.
    pub text: String,
    /// The title.
    pub title: String,
    /// The label of yes.
    pub ok_text: String,
    /// The label of no.
    pub dismiss_text: String,
}

const UPDATE_URL: &str = "https://slack.com/api/chat.update";
/// Template fields and their defaults.
const TEXTS: [(&str, &str); 15] = [
    ("channel", ""),
    ("username", r#"{{ template "slack.default.username" . }}"#),
    (
        "color",
        r#"{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}"#,
    ),
    ("title", r#"{{ template "slack.default.title" . }}"#),
    (
        "title_link",
        r#"{{ template "slack.default.titlelink" . }}"#,
    ),
    ("pretext", r#"{{ template "slack.default.pretext" . }}"#),
    ("text", r#"{{ template "slack.default.text" . }}"#),
    ("message_text", ""),
    ("footer", r#"{{ template "slack.default.footer" . }}"#),
    ("fallback", r#"{{ template "slack.default.fallback" . }}"#),
    (
        "callback_id",
        r#"{{ template "slack.default.callbackid" . }}"#,
    ),
    (
        "icon_emoji",
        r#"{{ template "slack.default.iconemoji" . }}"#,
    ),
    ("icon_url", r#"{{ template "slack.default.iconurl" . }}"#),
    ("image_url", ""),
    ("thumb_url", ""),
];

/// Where and with what a message is sent.
struct Way {
    api_url: Option<SecretSource>,
    token: Option<SecretSource>,
    app_url: String,
    http: Option<HttpClientConfig>,
}

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let before = entry.fields.problems().list().len();
    let bad_url = entry.has("api_url");
    let api_url = entry.secret_url("api_url");
    let token = entry.secret("app_token");
    let complete =
        entry.fields.problems().list().len() == before && (api_url.is_some() || !bad_url);
    let app_url = entry.url("app_url");
    let way = Way {
        api_url,
        token,
        app_url: app_url.unwrap_or_else(|| entry.global.slack.app_url.clone()),
        http: entry.fields.read("http_config", http_client::decode),
    };
    let update_message = entry.flag("update_message");
    let settings = Slack {
        texts: entry.texts(&TEXTS),
        fields: entry.fields.read_list("fields", |node, problems| {
            attachment::full_field("Slack", node, problems)
        }),
        short_fields: entry.flag("short_fields"),
        link_names: entry.flag("link_names"),
        mrkdwn_in: entry.fields.read_list("mrkdwn_in", decode::string),
        actions: entry.fields.read_list("actions", slack_action),
        update_message,
        timeout_ms: entry.timeout_ms(),
        api_url: SecretSource::default(),
        update_url: UPDATE_URL.to_owned(),
        http: HttpClientConfig::default(),
        with_token: false,
    };
    if !complete {
        return None;
    }
    let (api_url, http, with_token) =
        resolve(way, entry.global, update_message, &mut entry.fields)?;
    Some(Settings::Slack(Box::new(Slack {
        api_url,
        http,
        with_token,
        ..settings
    })))
}

/// Combines what the entry says with the global section.
fn resolve(
    mut way: Way,
    global: &Global,
    update_message: bool,
    fields: &mut Fields<'_, '_>,
) -> Option<(SecretSource, HttpClientConfig, bool)> {
    if way.api_url.is_some() && way.token.is_some() {
        fields.wrong(
            "at most one of api_url/api_url_file & app_token/app_token_file must be configured",
        );
        return None;
    }
    let own_authorization = way.http.as_ref().is_some_and(has_authorization);
    let own_url_text = matches!(way.api_url, Some(SecretSource::Text(_)));
    if way.token.is_none() && !own_authorization && !own_url_text {
        way.token.clone_from(&global.slack.app_token);
    }
    let api_url = way.api_url.or_else(|| global.slack.api_url.clone());
    let mut http = way.http.unwrap_or_else(|| global.http.clone());
    let (api_url, with_token) = match (api_url, way.token) {
        (_, Some(token)) => {
            if has_authorization(&http) {
                fields.wrong("http authorization can't be set when using Slack App tokens");
                return None;
            }
            http.credentials = Some(Credentials::Token {
                scheme: "Bearer".to_owned(),
                token,
            });
            (SecretSource::Text(Secret::new(way.app_url)), true)
        }
        (Some(api_url), None) => (api_url, false),
        (None, None) => {
            fields.wrong("no Slack API URL nor App token set either inline or in a file");
            return None;
        }
    };
    let is_app_url = matches!(&api_url, SecretSource::Text(url) if url.reveal() == SLACK_APP_URL);
    if update_message && !is_app_url {
        fields.wrong(format!("update_message can only be used with bot tokens. api_url must be set to {SLACK_APP_URL}"));
        return None;
    }
    let with_token = with_token || is_app_url;
    Some((api_url, http, with_token))
}

/// Takes a text out; the empty text counts as absent.
fn text(fields: &mut Fields<'_, '_>, name: &str) -> String {
    fields.read(name, decode::string).unwrap_or_default()
}

fn slack_action(node: &Node, problems: &mut Problems) -> Option<SlackAction> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let mut action = SlackAction {
        kind: text(&mut fields, "type"),
        text: text(&mut fields, "text"),
        url: text(&mut fields, "url"),
        style: text(&mut fields, "style"),
        name: text(&mut fields, "name"),
        value: text(&mut fields, "value"),
        confirm: fields.read("confirm", confirmation),
    };
    if action.kind.is_empty() {
        fields.wrong("missing type in Slack action configuration");
    }
    if action.text.is_empty() {
        fields.wrong("missing text in Slack action configuration");
    }
    if action.url.is_empty() && action.name.is_empty() {
        fields.wrong("missing name or url in Slack action configuration");
    }
    if !action.url.is_empty() {
        // A link has nothing of a message action.
        action.name.clear();
        action.value.clear();
        action.confirm = None;
    }
    fields.finish();
    Some(action)
}

fn confirmation(node: &Node, problems: &mut Problems) -> Option<SlackConfirmation> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let confirmation = SlackConfirmation {
        text: text(&mut fields, "text"),
        title: text(&mut fields, "title"),
        ok_text: text(&mut fields, "ok_text"),
        dismiss_text: text(&mut fields, "dismiss_text"),
    };
    if confirmation.text.is_empty() {
        fields.wrong("missing text in Slack confirmation configuration");
    }
    fields.finish();
    Some(confirmation)
}
