//! Discord and Microsoft Teams: one request to the webhook of a channel.

use super::compose::{Renderer, compose, put};
use super::http::{PLAIN, converse};
use super::{Conversation, Failure, Kit, truncate};
use crate::config::Hook;
use crate::template::go_json;
use serde_json::{Map, Value, json};

/// Discord's limits, "Embed limits" and "Execute webhook" of its documentation.
const TITLE_CHARS_MAX: usize = 256;
const DESCRIPTION_CHARS_MAX: usize = 4096;
const CONTENT_CHARS_MAX: usize = 2000;
const RED: u32 = 0x99_2d_22;
const GREEN: u32 = 0x2e_cc_71;

/// Sends a message; `make` is also told whether it fires.
fn send(
    kit: &mut Kit<'_>,
    hook: &Hook,
    make: impl Fn(&mut Renderer<'_>, bool) -> Value,
) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let firing = scope.message.is_firing();
    let message = compose(kit.job, &scope, |texts| Ok(make(texts, firing)))?;
    let url = kit.read("webhook_url_file", &hook.webhook_url)?;
    let request = kit.post(&hook.http, url, go_json(&message))?;
    Ok(converse(vec![request], PLAIN))
}

pub(super) fn discord(kit: &mut Kit<'_>, hook: &Hook) -> Result<Conversation, Failure> {
    send(kit, hook, |texts, firing| {
        let content = texts.text(hook.texts.get("content"));
        let body = texts.body(hook.texts.get("message"));
        let embed = json!({
            "title": texts.short_title(hook.texts.get("title"), TITLE_CHARS_MAX),
            "description": truncate::chars(body, DESCRIPTION_CHARS_MAX),
            "color": if firing { RED } else { GREEN },
        });
        let mut message = Map::new();
        let content = truncate::chars(content, CONTENT_CHARS_MAX);
        message.insert("content".to_owned(), Value::from(content));
        message.insert("embeds".to_owned(), Value::from(vec![embed]));
        // Neither is a template.
        for name in ["username", "avatar_url"] {
            put(&mut message, name, hook.texts.get(name).to_owned());
        }
        Value::from(message)
    })
}

pub(super) fn msteams(kit: &mut Kit<'_>, hook: &Hook) -> Result<Conversation, Failure> {
    send(kit, hook, |texts, firing| {
        json!({
            "@context": "http://schema.org/extensions",
            "type": "MessageCard",
            "title": texts.title(hook.texts.get("title")),
            "summary": texts.title(hook.texts.get("summary")),
            "text": texts.body(hook.texts.get("text")),
            "themeColor": if firing { "8C1A1A" } else { "2DC72D" },
        })
    })
}

pub(super) fn msteams_v2(kit: &mut Kit<'_>, hook: &Hook) -> Result<Conversation, Failure> {
    send(kit, hook, |texts, firing| {
        let heading = json!({
            "type": "TextBlock",
            "text": texts.title(hook.texts.get("title")),
            "weight": "Bolder",
            "size": "Medium",
            "wrap": true,
            "style": "heading",
            "color": if firing { "Attention" } else { "Good" },
        });
        let text = texts.body(hook.texts.get("text"));
        json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.2",
                    "body": [heading, {"type": "TextBlock", "text": text, "wrap": true}],
                    "msteams": {"width": "full"},
                },
            }],
        })
    })
}
