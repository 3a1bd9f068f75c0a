//! Slack: a message with one attachment, through an incoming webhook or the API.

use super::compose::{Renderer, compose, put};
use super::http::{Answer, PLAIN, check, send};
use super::{Conversation, Failure, Kit, Memory};
use crate::config::{Slack, SlackAction};
use crate::notice::FailureReason;
use crate::template::go_json;
use serde_json::{Map, Value, json};

/// Characters of a title; Slack cuts longer ones.
const TITLE_CHARS_MAX: usize = 1024;
/// What is remembered of the message about a group.
const TIMESTAMP: &str = "threadTs";
const CHANNEL: &str = "channelId";

pub(super) fn prepare(kit: &mut Kit<'_>, slack: &Slack) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let mut url = kit.read("api_url_file", &slack.api_url)?;
    let mut message = compose(kit.job, &scope, |texts| Ok(message(slack, texts)))?;
    let memory = kit.job.notice.memory.clone();
    let remembered = |name: &str| {
        let found = memory.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    if slack.update_message
        && let (Some(timestamp), Some(channel)) = (remembered(TIMESTAMP), remembered(CHANNEL))
    {
        url.clone_from(&slack.update_url);
        message.insert("channel".to_owned(), Value::from(channel));
        message.shift_insert(1, "ts".to_owned(), Value::from(timestamp));
    }
    let channel = message.get("channel").and_then(Value::as_str);
    let channel = format!("channel {:?}", channel.unwrap_or_default());
    let request = kit.post(&slack.http, url, go_json(&Value::from(message)))?;
    let request = request.within(slack.timeout_ms);
    Ok(Box::pin(async move {
        let answer = send(request).await?;
        let judged = check(&answer, PLAIN).and_then(|()| judge(&answer, memory));
        judged.map_err(|failure| failure.within(&channel))
    }))
}

fn message(slack: &Slack, texts: &mut Renderer<'_>) -> Map<String, Value> {
    let mut message = Map::new();
    for name in ["channel", "username", "icon_emoji", "icon_url"] {
        texts.put(&mut message, name, &slack.texts);
    }
    if slack.link_names {
        message.insert("link_names".to_owned(), Value::Bool(true));
    }
    let text = texts.text(slack.texts.get("message_text"));
    put(&mut message, "text", text);
    let attachment = attachment(slack, texts);
    message.insert("attachments".to_owned(), Value::from(vec![attachment]));
    message
}

fn attachment(slack: &Slack, texts: &mut Renderer<'_>) -> Value {
    let mut map = Map::new();
    let title = texts.short_title(slack.texts.get("title"), TITLE_CHARS_MAX);
    put(&mut map, "title", title);
    texts.put(&mut map, "title_link", &slack.texts);
    texts.put(&mut map, "pretext", &slack.texts);
    let always = [
        ("text", texts.body(slack.texts.get("text"))),
        ("fallback", texts.title(slack.texts.get("fallback"))),
        ("callback_id", texts.text(slack.texts.get("callback_id"))),
    ];
    for (name, text) in always {
        map.insert(name.to_owned(), Value::from(text));
    }
    let fields = texts.fields(&slack.fields, slack.short_fields);
    let actions: Vec<Value> = slack.actions.iter().map(|a| action(a, texts)).collect();
    for (name, list) in [("fields", fields), ("actions", actions)] {
        if !list.is_empty() {
            map.insert(name.to_owned(), Value::from(list));
        }
    }
    texts.put(&mut map, "image_url", &slack.texts);
    texts.put(&mut map, "thumb_url", &slack.texts);
    let footer = texts.text(slack.texts.get("footer"));
    map.insert("footer".to_owned(), Value::from(footer));
    texts.put(&mut map, "color", &slack.texts);
    let markdown = if slack.mrkdwn_in.is_empty() {
        json!(["fallback", "pretext", "text"])
    } else {
        json!(slack.mrkdwn_in)
    };
    map.insert("mrkdwn_in".to_owned(), markdown);
    Value::from(map)
}

fn action(action: &SlackAction, texts: &mut Renderer<'_>) -> Value {
    let mut map = Map::new();
    let fields = [
        ("type", &action.kind),
        ("text", &action.text),
        ("url", &action.url),
        ("style", &action.style),
        ("name", &action.name),
        ("value", &action.value),
    ];
    for (name, template) in fields {
        put(&mut map, name, texts.text(template));
    }
    if let Some(confirm) = &action.confirm {
        let mut inner = Map::new();
        let fields = [
            ("text", &confirm.text),
            ("title", &confirm.title),
            ("ok_text", &confirm.ok_text),
            ("dismiss_text", &confirm.dismiss_text),
        ];
        for (name, template) in fields {
            put(&mut inner, name, texts.text(template));
        }
        map.insert("confirm".to_owned(), Value::from(inner));
    }
    Value::from(map)
}

/// What Slack's answer means: it may say 200 and yet refuse. Answers what to remember.
fn judge(answer: &Answer, memory: Memory) -> Result<Memory, Failure> {
    let failure = |error, is_final| Failure {
        error,
        reason: FailureReason::ClientError,
        is_final,
        after_ms: answer.retry_after_ms,
    };
    let body = &answer.body;
    if !answer.is_json {
        return if body == "ok" {
            Ok(Memory::new())
        } else {
            let error = format!("received an error response from Slack: {body}");
            Err(failure(error, true))
        };
    }
    let parsed: Value = serde_json::from_str(body).map_err(|error| {
        let text = format!("could not unmarshal JSON response {body:?}: {error}");
        failure(text, false)
    })?;
    let text = |name: &str| parsed.get(name).and_then(Value::as_str).unwrap_or_default();
    if parsed.get("ok").and_then(Value::as_bool) != Some(true) {
        let error = format!("error response from Slack: {}", text("error"));
        return Err(failure(error, true));
    }
    let (timestamp, channel) = (text("ts"), text("channel"));
    if timestamp.is_empty() || channel.is_empty() {
        return Ok(memory);
    }
    Ok(vec![
        (TIMESTAMP.to_owned(), timestamp.to_owned()),
        (CHANNEL.to_owned(), channel.to_owned()),
    ])
}
