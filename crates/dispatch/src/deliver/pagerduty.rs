//! PagerDuty: an event that triggers or resolves the incident of a group. Events API, versions 1 and 2.

use super::compose::{Renderer, compose, put};
use super::http::{Answer, Manners, converse, errors};
use super::{Conversation, Failure, Kit};
use crate::config::{EventsVersion, PagerDuty};
use crate::template::go_json;
use serde_json::{Map, Value, json};

/// Characters of a summary.
const SUMMARY_CHARS_MAX: usize = 1024;
/// Bytes of an event; a larger one leaves its details behind.
const EVENT_BYTES_MAX: usize = 512_000;
const TOO_LARGE: &str =
    "Custom details have been removed because the original event exceeds the maximum size of 512KB";
/// What an event is unless the file says otherwise.
const SEVERITY: &str = "error";

pub(super) fn prepare(kit: &mut Kit<'_>, pagerduty: &PagerDuty) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let firing = scope.message.is_firing();
    let (field, is_retried): (_, fn(u16) -> bool) = match pagerduty.version {
        // There 403 means too often.
        EventsVersion::V1 => ("service key", |code| code == 403),
        EventsVersion::V2 => ("routing key", |_| false),
    };
    let key = kit.read("key file", &pagerduty.key)?;
    let hash = kit.group_hash();
    let (key, mut message) = compose(kit.job, &scope, |texts| {
        let key = texts.needed(field, &key)?;
        if key.is_empty() {
            return Err(format!("{field} cannot be empty"));
        }
        let message = match pagerduty.version {
            EventsVersion::V1 => v1(pagerduty, texts, (&key, &hash), firing),
            EventsVersion::V2 => v2(pagerduty, texts, (&key, &hash), firing),
        };
        Ok((key, message))
    })?;
    kit.hide(&key);
    let mut body = go_json(&message);
    if body.len() > EVENT_BYTES_MAX {
        tracing::warn!("{}: {TOO_LARGE}", kit.job.notice.target);
        let details = match pagerduty.version {
            EventsVersion::V1 => "/details",
            EventsVersion::V2 => "/payload/custom_details",
        };
        if let Some(details) = message.pointer_mut(details) {
            *details = json!({"error": TOO_LARGE});
        }
        body = go_json(&message);
    }
    let request = kit.post(&pagerduty.http, pagerduty.url.as_str(), body)?;
    let manners = Manners {
        is_retried,
        details,
    };
    Ok(converse(
        vec![request.within(pagerduty.timeout_ms)],
        manners,
    ))
}

/// The event's name for what happens.
const fn action(firing: bool) -> &'static str {
    if firing { "trigger" } else { "resolve" }
}

fn event_details(pagerduty: &PagerDuty, texts: &mut Renderer<'_>) -> Value {
    let detail = |(name, node): &(String, _)| (name.clone(), texts.any(node));
    Value::from(pagerduty.details.iter().map(detail).collect::<Map<_, _>>())
}

fn v1(
    pagerduty: &PagerDuty,
    texts: &mut Renderer<'_>,
    (key, hash): (&str, &str),
    firing: bool,
) -> Value {
    let mut message = Map::new();
    put(&mut message, "service_key", key.to_owned());
    put(&mut message, "incident_key", hash.to_owned());
    put(&mut message, "event_type", action(firing).to_owned());
    let summary = texts.short_title(pagerduty.texts.get("description"), SUMMARY_CHARS_MAX);
    put(&mut message, "description", summary);
    // Version 2's fields, which version 1 does not look at.
    message.insert("event_action".to_owned(), Value::from(""));
    message.insert("payload".to_owned(), Value::Null);
    if firing {
        texts.put(&mut message, "client", &pagerduty.texts);
        texts.put(&mut message, "client_url", &pagerduty.texts);
    }
    message.insert("details".to_owned(), event_details(pagerduty, texts));
    Value::from(message)
}

fn v2(
    pagerduty: &PagerDuty,
    texts: &mut Renderer<'_>,
    (key, hash): (&str, &str),
    firing: bool,
) -> Value {
    let mut message = Map::new();
    put(&mut message, "routing_key", key.to_owned());
    put(&mut message, "dedup_key", hash.to_owned());
    put(&mut message, "event_action", action(firing).to_owned());
    message.insert("payload".to_owned(), payload(pagerduty, texts));
    texts.put(&mut message, "client", &pagerduty.texts);
    texts.put(&mut message, "client_url", &pagerduty.texts);
    let mut images = Vec::new();
    for image in &pagerduty.images {
        let [src, alt, href] = image.each_ref().map(|template| texts.text(template));
        if !src.is_empty() {
            images.push(json!({"src": src, "alt": alt, "href": href}));
        }
    }
    let mut links = Vec::new();
    for link in &pagerduty.links {
        let [href, text] = link.each_ref().map(|template| texts.text(template));
        if !href.is_empty() {
            links.push(json!({"href": href, "text": text}));
        }
    }
    for (name, list) in [("images", images), ("links", links)] {
        if !list.is_empty() {
            message.insert(name.to_owned(), Value::from(list));
        }
    }
    Value::from(message)
}

fn payload(pagerduty: &PagerDuty, texts: &mut Renderer<'_>) -> Value {
    let or = |name: &str, default: &str| match pagerduty.texts.get(name) {
        "" => default.to_owned(),
        given => given.to_owned(),
    };
    let summary = pagerduty.texts.get("description");
    let mut payload = Map::new();
    let texts_always = [
        ("summary", texts.short_title(summary, SUMMARY_CHARS_MAX)),
        (
            "source",
            texts.text(&or("source", pagerduty.texts.get("client"))),
        ),
        ("severity", texts.text(&or("severity", SEVERITY))),
    ];
    for (name, text) in texts_always {
        payload.insert(name.to_owned(), Value::from(text));
    }
    for name in ["class", "component", "group"] {
        texts.put(&mut payload, name, &pagerduty.texts);
    }
    let details = event_details(pagerduty, texts);
    payload.insert("custom_details".to_owned(), details);
    Value::from(payload)
}

/// What PagerDuty says is wrong with an event.
fn details(answer: &Answer) -> String {
    let parsed: Value = match serde_json::from_str(&answer.body) {
        Ok(parsed) if answer.code == 400 => parsed,
        _ => return String::new(),
    };
    let message = parsed.get("message").and_then(Value::as_str);
    let errors = errors(&parsed, ",");
    format!("{}: {errors}", message.unwrap_or_default())
}
