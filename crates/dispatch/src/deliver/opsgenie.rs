//! Opsgenie: an alert whose alias is the group's, made and closed. Alert API, version 2.

use super::compose::{Renderer, compose, put};
use super::http::{PLAIN, Request, converse, join};
use super::{Conversation, Failure, Kit};
use crate::config::OpsGenie;
use crate::template::go_json;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Characters of a message.
const MESSAGE_CHARS_MAX: usize = 130;

pub(super) fn prepare(kit: &mut Kit<'_>, opsgenie: &OpsGenie) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let alias = kit.group_hash();
    let key = kit.read("api_key_file", &opsgenie.api_key)?;
    let labels = scope.message.data.common_labels.clone();
    let (key, message) = compose(kit.job, &scope, |texts| {
        let key = texts.needed("api_key", &key)?;
        let message = if scope.message.is_firing() {
            alert(opsgenie, texts, &alias, &labels)
        } else {
            json!({"source": texts.text(opsgenie.texts.get("source"))})
        };
        Ok((key, message))
    })?;
    kit.hide(&key);
    let change = |what: &str| {
        let mut url = join(&opsgenie.api_url, &format!("v2/alerts/{alias}/{what}"))?;
        url.query_pairs_mut().append_pair("identifierType", "alias");
        Ok::<String, String>(url.into())
    };
    let request = kit
        .post(&opsgenie.http, change("close")?, go_json(&message))?
        .with_header("authorization", &format!("GenieKey {key}"))?;
    if !scope.message.is_firing() {
        return Ok(converse(vec![request], PLAIN));
    }
    let create = join(&opsgenie.api_url, "v2/alerts")?;
    let mut requests: Vec<Request> = vec![request.to(Method::POST, create, request.body.clone())];
    if opsgenie.update_alerts {
        for field in ["message", "description"] {
            let mut part = Map::new();
            let text = message.get(field).and_then(Value::as_str);
            put(&mut part, field, text.unwrap_or_default().to_owned());
            let body = go_json(&Value::from(part));
            requests.push(request.to(Method::PUT, change(field)?, body));
        }
    }
    Ok(converse(requests, PLAIN))
}

fn alert(
    opsgenie: &OpsGenie,
    texts: &mut Renderer<'_>,
    alias: &str,
    labels: &[(String, String)],
) -> Value {
    let mut details: std::collections::BTreeMap<String, Value> = labels
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    for (name, template) in &opsgenie.details {
        details.insert(name.clone(), Value::from(texts.text(template)));
    }
    let mut message = Map::new();
    let title = texts.short_title(opsgenie.texts.get("message"), MESSAGE_CHARS_MAX);
    message.insert("alias".to_owned(), Value::from(alias));
    message.insert("message".to_owned(), Value::from(title));
    let description = texts.body(opsgenie.texts.get("description"));
    put(&mut message, "description", description);
    let details: Map<String, Value> = details.into_iter().collect();
    message.insert("details".to_owned(), Value::from(details));
    let source = texts.text(opsgenie.texts.get("source"));
    message.insert("source".to_owned(), Value::from(source));
    let responders = responders(opsgenie, texts);
    if !responders.is_empty() {
        message.insert("responders".to_owned(), Value::from(responders));
    }
    put_list(&mut message, "tags", opsgenie, texts);
    for name in ["note", "priority", "entity"] {
        texts.put(&mut message, name, &opsgenie.texts);
    }
    put_list(&mut message, "actions", opsgenie, texts);
    Value::from(message)
}

/// Adds a text that lists things between commas.
fn put_list(
    message: &mut Map<String, Value>,
    name: &str,
    opsgenie: &OpsGenie,
    texts: &mut Renderer<'_>,
) {
    let list = split(&texts.text(opsgenie.texts.get(name)));
    if !list.is_empty() {
        message.insert(name.to_owned(), Value::from(list));
    }
}

fn split(text: &str) -> Vec<String> {
    let parts = text.trim().split(',').filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Who answers. Those whose templates come out empty are left out; a list of teams becomes one each.
fn responders(opsgenie: &OpsGenie, texts: &mut Renderer<'_>) -> Vec<Value> {
    let mut list = Vec::new();
    for responder in &opsgenie.responders {
        let fields = [
            ("id", texts.text(&responder.id)),
            ("name", texts.text(&responder.name)),
            ("username", texts.text(&responder.username)),
        ];
        let kind = texts.text(&responder.kind);
        if kind == "teams" {
            let teams = split(&fields[1].1);
            list.extend(
                teams
                    .iter()
                    .map(|team| json!({"name": team, "type": "team"})),
            );
        } else if !kind.is_empty() || fields.iter().any(|(_, text)| !text.is_empty()) {
            let mut map = Map::new();
            for (name, text) in fields {
                put(&mut map, name, text);
            }
            map.insert("type".to_owned(), Value::from(kind));
            list.push(Value::from(map));
        }
    }
    list
}
