//! Mattermost: a message through an incoming webhook.

use super::compose::{Renderer, compose, put};
use super::http::{PLAIN, check, send};
use super::{Conversation, Failure, Kit, Memory, truncate};
use crate::config::{AttachmentField, Mattermost, Priority};
use crate::template::go_json;
use serde_json::{Map, Value, json};

/// Characters of a text.
const TEXT_CHARS_MAX: usize = 16_383;

pub(super) fn prepare(kit: &mut Kit<'_>, chat: &Mattermost) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let url = kit.read("webhook_url_file", &chat.webhook_url)?;
    if url.is_empty() {
        return Err("webhook url missing".to_owned().into());
    }
    let (channel, message) = compose(kit.job, &scope, |texts| {
        let channel = texts.needed("channel", chat.texts.get("channel"))?;
        Ok((channel.clone(), message(chat, texts, channel)))
    })?;
    let request = kit.post(&chat.http, url, go_json(&message))?;
    Ok(Box::pin(async move {
        let answer = send(request).await?;
        check(&answer, PLAIN).map_err(|failure| failure.within(&format!("channel {channel:?}")))?;
        Ok(Memory::new())
    }))
}

fn message(chat: &Mattermost, texts: &mut Renderer<'_>, channel: String) -> Value {
    let mut message = Map::new();
    let body = texts.body(chat.texts.get("text"));
    put(&mut message, "text", truncate::chars(body, TEXT_CHARS_MAX));
    put(&mut message, "channel", channel);
    for name in ["username", "icon_url", "icon_emoji"] {
        texts.put(&mut message, name, &chat.texts);
    }
    let mut attachments = Vec::new();
    for attachment in &chat.attachments {
        let mut map = Map::new();
        for (name, template) in &attachment.texts {
            put(&mut map, name, texts.text(template));
            if *name == "title_link" && !attachment.fields.is_empty() {
                let fields: Vec<Value> =
                    attachment.fields.iter().map(|f| field(f, texts)).collect();
                map.insert("fields".to_owned(), Value::from(fields));
            }
        }
        attachments.push(Value::from(map));
    }
    if !attachments.is_empty() {
        message.insert("attachments".to_owned(), Value::from(attachments));
    }
    texts.put(&mut message, "type", &chat.texts);
    if !chat.card.is_empty() {
        let card = texts.text(&chat.card);
        message.insert("props".to_owned(), json!({"card": card}));
    }
    if let Some(priority) = &chat.priority {
        message.insert("priority".to_owned(), urgency(priority, texts));
    }
    Value::from(message)
}

fn field(field: &AttachmentField, texts: &mut Renderer<'_>) -> Value {
    let mut map = Map::new();
    put(&mut map, "title", texts.text(&field.title));
    put(&mut map, "value", texts.text(&field.value));
    if let Some(short) = field.short {
        map.insert("short".to_owned(), Value::Bool(short));
    }
    Value::from(map)
}

/// How urgent a message is. What Mattermost would refuse is left out: only what is urgent may ring on, only
/// what is above standard may ask for a confirmation.
fn urgency(priority: &Priority, texts: &mut Renderer<'_>) -> Value {
    let level = texts.text(&priority.level).to_lowercase();
    let level = match level.as_str() {
        "urgent" | "important" => level,
        _ => "standard".to_owned(),
    };
    let mut map = Map::new();
    if priority.requested_ack && level != "standard" {
        map.insert("requested_ack".to_owned(), Value::Bool(true));
    }
    if priority.persistent_notifications && level == "urgent" {
        map.insert("persistent_notifications".to_owned(), Value::Bool(true));
    }
    map.shift_insert(0, "priority".to_owned(), Value::from(level));
    Value::from(map)
}
