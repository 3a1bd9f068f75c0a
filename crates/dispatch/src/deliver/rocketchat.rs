//! Rocket.Chat: a message with one attachment. REST API, `chat.postMessage`.

use super::compose::{Renderer, compose, put};
use super::http::{PLAIN, check, join, send};
use super::{Conversation, Failure, Kit, Memory};
use crate::config::RocketChat;
use crate::notice::FailureReason;
use crate::template::go_json;
use serde_json::{Map, Value};

/// Characters of a title.
const TITLE_CHARS_MAX: usize = 1024;

pub(super) fn prepare(kit: &mut Kit<'_>, chat: &RocketChat) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let (channel, message) = compose(kit.job, &scope, |texts| {
        let channel = texts.needed("channel", chat.texts.get("channel"))?;
        let mut message = Map::new();
        put(&mut message, "channel", channel.clone());
        texts.put(&mut message, "emoji", &chat.texts);
        let avatar = texts.text(chat.texts.get("icon_url"));
        put(&mut message, "avatar", avatar);
        let attachment = attachment(chat, texts);
        message.insert("attachments".to_owned(), Value::from(vec![attachment]));
        Ok((channel, Value::from(message)))
    })?;
    let token = kit.read("token_file", &chat.token)?;
    let token_id = kit.read("token_id_file", &chat.token_id)?;
    let url = join(&chat.api_url, "api/v1/chat.postMessage")?;
    let request = kit
        .post(&chat.http, url, go_json(&message))?
        .with_header("x-auth-token", &token)?
        .with_header("x-user-id", &token_id)?;
    Ok(Box::pin(async move {
        let answer = send(request).await?;
        let judged = check(&answer, PLAIN).and_then(|()| judge(&answer.body));
        judged.map_err(|failure| failure.within(&format!("channel {channel:?}")))?;
        Ok(Memory::new())
    }))
}

fn attachment(chat: &RocketChat, texts: &mut Renderer<'_>) -> Value {
    let mut map = Map::new();
    let title = texts.short_title(chat.texts.get("title"), TITLE_CHARS_MAX);
    put(&mut map, "title", title);
    texts.put(&mut map, "title_link", &chat.texts);
    let body = texts.body(chat.texts.get("text"));
    put(&mut map, "text", body);
    for name in ["image_url", "thumb_url", "color"] {
        texts.put(&mut map, name, &chat.texts);
    }
    let mut fields = Vec::new();
    for field in &chat.fields {
        let mut entry = Map::new();
        let short = field.short.unwrap_or(chat.short_fields);
        entry.insert("short".to_owned(), Value::Bool(short));
        put(&mut entry, "title", texts.text(&field.title));
        put(&mut entry, "value", texts.text(&field.value));
        fields.push(Value::from(entry));
    }
    let mut actions = Vec::new();
    for action in &chat.actions {
        let mut button = Map::new();
        put(&mut button, "type", "button".to_owned());
        for (name, template) in ["text", "url", "msg"].into_iter().zip(action) {
            put(&mut button, name, texts.text(template));
        }
        actions.push(Value::from(button));
    }
    for (name, list) in [("fields", fields), ("actions", actions)] {
        if !list.is_empty() {
            map.insert(name.to_owned(), Value::from(list));
        }
    }
    Value::from(map)
}

/// What an answer with 200 means: it may refuse all the same.
fn judge(body: &str) -> Result<(), Failure> {
    let failure = |error, is_final| Failure {
        error,
        reason: FailureReason::ClientError,
        is_final,
        after_ms: None,
    };
    let parsed: Value = serde_json::from_str(body).map_err(|error| {
        let text = format!("could not unmarshal JSON response {body:?}: {error}");
        failure(text, false)
    })?;
    if parsed.get("success").and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    let error = parsed
        .get("error")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Err(failure(
        format!("error response from Rocketchat: {error}"),
        true,
    ))
}
