//! `opsgenie_configs`: an alert of Opsgenie, made, changed and closed.

use super::entry::{Entry, Texts};
use super::field;
use super::receiver::Settings;
use config::http_client::SecretSource;
use config::yaml::Node;
use config::{HttpClientConfig, Problems, decode};

/// A team's way into Opsgenie.
#[derive(Clone, Debug)]
pub struct OpsGenie {
    /// The root of the API.
    pub(crate) api_url: String,
    /// May be a template.
    pub(crate) api_key: SecretSource,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
    /// All templates that stand alone.
    pub(crate) texts: Texts,
    /// Further details, templates.
    pub(crate) details: Vec<(String, String)>,
    /// Who answers.
    pub(crate) responders: Vec<Responder>,
    /// Whether message and description of an alert that is there follow the group.
    pub(crate) update_alerts: bool,
}

/// Someone who answers; all fields are templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responder {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) username: String,
    pub(crate) kind: String,
}

const TEXTS: [(&str, &str); 8] = [
    ("message", r#"{{ template "opsgenie.default.message" . }}"#),
    (
        "description",
        r#"{{ template "opsgenie.default.description" . }}"#,
    ),
    ("source", r#"{{ template "opsgenie.default.source" . }}"#),
    ("entity", ""),
    ("actions", ""),
    ("tags", ""),
    ("note", ""),
    ("priority", ""),
];
const RESPONDERS: [&str; 5] = ["team", "teams", "user", "escalation", "schedule"];

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let global = &entry.global.opsgenie;
    let none = entry.lacks("api_key") && global.key.is_none();
    entry.wrong_if(
        none,
        "no global OpsGenie API Key set either inline or in a file",
    );
    let api_key = entry.secret("api_key").or_else(|| global.key.clone());
    Some(Settings::OpsGenie(Box::new(OpsGenie {
        api_url: entry.url("api_url").unwrap_or_else(|| global.url.clone()),
        api_key: api_key.unwrap_or_default(),
        http: entry.http(),
        texts: entry.texts(&TEXTS),
        details: entry
            .fields
            .read("details", decode::string_map)
            .unwrap_or_default(),
        responders: entry.fields.read_list("responders", responder),
        update_alerts: entry.flag("update_alerts"),
    })))
}

fn responder(node: &Node, problems: &mut Problems) -> Option<Responder> {
    let [id, name, username, kind] =
        field::record(node, ["id", "name", "username", "type"], problems)?;
    let shown = format!("{{{id} {name} {username} {kind}}}");
    if id.is_empty() && name.is_empty() && username.is_empty() {
        problems.add(node.position, format!("opsGenieConfig responder {shown} has to have at least one of id, username or name specified"));
    }
    let lower = kind.to_lowercase();
    if !lower.contains("{{") && !RESPONDERS.contains(&lower.as_str()) {
        problems.add(node.position, format!("opsGenieConfig responder {shown} type does not match valid options ^(team|teams|user|escalation|schedule)$"));
    }
    Some(Responder {
        id,
        name,
        username,
        // Upstream compares in lower case; a template stays as it is.
        kind: if lower.contains("{{") { kind } else { lower },
    })
}
