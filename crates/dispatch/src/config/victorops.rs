//! `victorops_configs`: an incident of Splunk On-Call, which was VictorOps.

use super::entry::{Entry, Texts};
use super::receiver::Settings;
use config::http_client::SecretSource;
use config::{HttpClientConfig, decode};

/// A route of Splunk On-Call.
#[derive(Clone, Debug)]
pub struct VictorOps {
    /// What stands before the key.
    pub(crate) api_url: String,
    /// Part of the address.
    pub(crate) api_key: SecretSource,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
    /// All templates that stand alone.
    pub(crate) texts: Texts,
    /// Further fields of the message, templates.
    pub(crate) custom_fields: Vec<(String, String)>,
}

const TEXTS: [(&str, &str); 5] = [
    ("routing_key", ""),
    ("message_type", "CRITICAL"),
    (
        "state_message",
        r#"{{ template "victorops.default.state_message" . }}"#,
    ),
    (
        "entity_display_name",
        r#"{{ template "victorops.default.entity_display_name" . }}"#,
    ),
    (
        "monitoring_tool",
        r#"{{ template "victorops.default.monitoring_tool" . }}"#,
    ),
];
/// Fields of the message that are not free.
const RESERVED: [&str; 7] = [
    "routing_key",
    "message_type",
    "state_message",
    "entity_display_name",
    "monitoring_tool",
    "entity_id",
    "entity_state",
];

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    let global = &entry.global.victorops;
    entry.wrong_if(
        !entry.has("routing_key"),
        "missing Routing key in VictorOps config",
    );
    let none = entry.lacks("api_key") && global.key.is_none();
    entry.wrong_if(none, "no global VictorOps API Key set");
    let api_key = entry.secret("api_key").or_else(|| global.key.clone());
    let custom_fields = entry.fields.read("custom_fields", decode::string_map);
    let custom_fields = custom_fields.unwrap_or_default();
    for name in RESERVED {
        let used = custom_fields.iter().any(|(custom, _)| custom == name);
        entry.wrong_if(used, &format!("victorOps config contains custom field {name} which cannot be used as it conflicts with the fixed/static fields"));
    }
    Some(Settings::VictorOps(Box::new(VictorOps {
        api_url: entry.url("api_url").unwrap_or_else(|| global.url.clone()),
        api_key: api_key.unwrap_or_default(),
        http: entry.http(),
        texts: entry.texts(&TEXTS),
        custom_fields,
    })))
}
