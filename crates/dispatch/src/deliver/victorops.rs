//! Splunk On-Call, which was VictorOps: an incident that a group opens and closes. REST endpoint.

use super::compose::compose;
use super::http::{PLAIN, converse, join};
use super::{Conversation, Failure, Kit, truncate};
use crate::config::VictorOps;
use crate::template::go_json;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Characters of the message.
const MESSAGE_CHARS_MAX: usize = 20_480;
/// What a message that fires may be; else it is critical.
const KINDS: [&str; 3] = ["INFO", "WARNING", "CRITICAL"];

pub(super) fn prepare(kit: &mut Kit<'_>, victorops: &VictorOps) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let firing = scope.message.is_firing();
    let hash = kit.group_hash();
    let texts_of = &victorops.texts;
    let (route, message) = compose(kit.job, &scope, |texts| {
        let route = texts.needed("routing_key", texts_of.get("routing_key"))?;
        let kind = texts.text(texts_of.get("message_type"));
        let kind = match (firing, KINDS.contains(&kind.as_str())) {
            (true, true) => kind,
            (true, false) => "CRITICAL".to_owned(),
            (false, _) => "RECOVERY".to_owned(),
        };
        let body = texts.body(texts_of.get("state_message"));
        let name = texts.title(texts_of.get("entity_display_name"));
        let tool = texts.text(texts_of.get("monitoring_tool"));
        let mut message = BTreeMap::from([
            ("message_type", kind),
            ("entity_id", hash.clone()),
            ("entity_display_name", name),
            ("state_message", truncate::chars(body, MESSAGE_CHARS_MAX)),
            ("monitoring_tool", tool),
        ]);
        for (name, template) in &victorops.custom_fields {
            message.insert(name.as_str(), texts.text(template));
        }
        let pair = |(name, text): (&str, String)| (name.to_owned(), Value::from(text));
        Ok((
            route,
            Value::from(message.into_iter().map(pair).collect::<Map<_, _>>()),
        ))
    })?;
    let key = kit.read("api_key_file", &victorops.api_key)?;
    let url = join(&victorops.api_url, &format!("{key}/{route}"))?;
    let request = kit.post(&victorops.http, url, go_json(&message))?;
    Ok(converse(vec![request], PLAIN))
}
