//! Slack: a message with one attachment, through an incoming webhook or the API.

use super::http::{Answer, Request, judge as judge_http};
use super::webhook::{headers, timeout};
use super::{Clients, Job};
use crate::config::{Slack, SlackAction};
use crate::notice::{FailureReason, Notice, Outcome};
use crate::template::{Scope, go_json};
use serde_json::{Map, Value, json};

/// Characters of a title; Slack cuts longer ones.
const TITLE_CHARS_MAX: usize = 1024;
/// Where a message that was sent is changed.
const UPDATE_URL: &str = "https://slack.com/api/chat.update";
/// What is remembered of the message about a group.
const TIMESTAMP: &str = "threadTs";
const CHANNEL: &str = "channelId";

/// Makes the request.
pub(super) fn prepare(job: &Job, slack: &Slack, clients: &Clients) -> Result<Request, String> {
    let scope = job.templates.scope(&job.notice, 0, job.now);
    let mut url = slack.api_url.read()?.reveal().to_owned();
    let mut message = message(slack, &scope);
    let remembered = |name: &str| {
        let found = job.notice.memory.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    if slack.update_message
        && let (Some(timestamp), Some(channel)) = (remembered(TIMESTAMP), remembered(CHANNEL))
    {
        UPDATE_URL.clone_into(&mut url);
        message.insert("channel".to_owned(), Value::from(channel));
        message.insert("ts".to_owned(), Value::from(timestamp));
    }
    Ok(Request {
        client: clients.get(&job.notice.target, &slack.http)?,
        url,
        headers: headers(job, &slack.http)?,
        body: go_json(&Value::from(message)),
        timeout: timeout(slack.timeout_ms),
    })
}

/// Renders the templates of one message; the first failure is kept, and nothing is rendered after it.
struct Renderer<'a> {
    scope: &'a Scope,
    error: Option<String>,
}

impl Renderer<'_> {
    fn text(&mut self, template: &str) -> String {
        if self.error.is_some() {
            return String::new();
        }
        self.scope.text(template).unwrap_or_else(|error| {
            self.error = Some(error);
            String::new()
        })
    }
}

/// The message; where a template fails, a plain one that says so.
fn message(slack: &Slack, scope: &Scope) -> Map<String, Value> {
    let mut renderer = Renderer { scope, error: None };
    let attachment = attachment(slack, &mut renderer);
    let mut message = Map::new();
    let texts = [
        ("channel", "channel"),
        ("username", "username"),
        ("icon_emoji", "icon_emoji"),
        ("icon_url", "icon_url"),
    ];
    for (field, template) in texts {
        let text = renderer.text(slack.text(template));
        put(&mut message, field, text);
    }
    if slack.link_names {
        message.insert("link_names".to_owned(), Value::Bool(true));
    }
    let text = renderer.text(slack.text("message_text"));
    put(&mut message, "text", text);
    let attachment = match renderer.error {
        None => attachment,
        Some(error) => {
            tracing::warn!("slack: {error}; a plain message is sent instead");
            let title = scope.plain_title();
            let text = scope.plain(&error);
            // The channel may be what failed; then the webhook's own is used.
            json!({"title": title, "text": text, "fallback": title, "callback_id": "", "footer": ""})
        }
    };
    message.insert("attachments".to_owned(), Value::from(vec![attachment]));
    message
}

/// Adds a text unless it is empty.
fn put(map: &mut Map<String, Value>, name: &str, text: String) {
    if !text.is_empty() {
        map.insert(name.to_owned(), Value::from(text));
    }
}

fn attachment(slack: &Slack, renderer: &mut Renderer<'_>) -> Value {
    let mut map = Map::new();
    let title = renderer.text(slack.text("title"));
    put(&mut map, "title", truncate(title));
    let optional = |map: &mut Map<String, Value>, renderer: &mut Renderer<'_>, name: &str| {
        let text = renderer.text(slack.text(name));
        put(map, name, text);
    };
    optional(&mut map, renderer, "title_link");
    optional(&mut map, renderer, "pretext");
    for name in ["text", "fallback", "callback_id"] {
        let text = renderer.text(slack.text(name));
        map.insert(name.to_owned(), Value::from(text));
    }
    let fields: Vec<Value> = slack
        .fields
        .iter()
        .map(|field| {
            json!({
                "title": renderer.text(&field.title),
                "value": renderer.text(&field.value),
                "short": field.short.unwrap_or(slack.short_fields),
            })
        })
        .collect();
    if !fields.is_empty() {
        map.insert("fields".to_owned(), Value::from(fields));
    }
    let actions: Vec<Value> = slack.actions.iter().map(|a| action(a, renderer)).collect();
    if !actions.is_empty() {
        map.insert("actions".to_owned(), Value::from(actions));
    }
    optional(&mut map, renderer, "image_url");
    optional(&mut map, renderer, "thumb_url");
    let footer = renderer.text(slack.text("footer"));
    map.insert("footer".to_owned(), Value::from(footer));
    optional(&mut map, renderer, "color");
    let markdown = if slack.mrkdwn_in.is_empty() {
        json!(["fallback", "pretext", "text"])
    } else {
        json!(slack.mrkdwn_in)
    };
    map.insert("mrkdwn_in".to_owned(), markdown);
    Value::from(map)
}

fn action(action: &SlackAction, renderer: &mut Renderer<'_>) -> Value {
    let mut map = Map::new();
    let texts = [
        ("type", &action.kind),
        ("text", &action.text),
        ("url", &action.url),
        ("style", &action.style),
        ("name", &action.name),
        ("value", &action.value),
    ];
    for (name, template) in texts {
        let text = renderer.text(template);
        put(&mut map, name, text);
    }
    if let Some(confirm) = &action.confirm {
        let mut inner = Map::new();
        let texts = [
            ("text", &confirm.text),
            ("title", &confirm.title),
            ("ok_text", &confirm.ok_text),
            ("dismiss_text", &confirm.dismiss_text),
        ];
        for (name, template) in texts {
            let text = renderer.text(template);
            put(&mut inner, name, text);
        }
        map.insert("confirm".to_owned(), Value::from(inner));
    }
    Value::from(map)
}

/// Cuts a title that is too long, with an ellipsis as its last character.
fn truncate(title: String) -> String {
    if title.chars().count() <= TITLE_CHARS_MAX {
        return title;
    }
    let cut: String = title.chars().take(TITLE_CHARS_MAX - 1).collect();
    format!("{cut}…")
}

/// What Slack's answer means: it may say 200 and yet refuse.
pub(super) fn judge(notice: &Notice, answer: Answer) -> Outcome {
    let Answer::Status {
        code: 200..300,
        is_json,
        body,
        ..
    } = &answer
    else {
        return judge_http(answer);
    };
    let refused = |error: String| Outcome::Failed {
        error,
        reason: FailureReason::ClientError,
    };
    if !is_json {
        return if body == "ok" {
            Outcome::Delivered(Vec::new())
        } else {
            refused(format!("received an error response from Slack: {body}"))
        };
    }
    let parsed: Value = match serde_json::from_str(body) {
        Ok(parsed) => parsed,
        Err(error) => {
            return Outcome::Retry {
                error: format!("could not unmarshal JSON response {body:?}: {error}"),
                reason: FailureReason::ClientError,
                after_ms: None,
            };
        }
    };
    let text = |name: &str| parsed.get(name).and_then(Value::as_str).unwrap_or_default();
    if parsed.get("ok").and_then(Value::as_bool) != Some(true) {
        return refused(format!("error response from Slack: {}", text("error")));
    }
    let (timestamp, channel) = (text("ts"), text("channel"));
    if timestamp.is_empty() || channel.is_empty() {
        return Outcome::Delivered(notice.memory.clone());
    }
    Outcome::Delivered(vec![
        (TIMESTAMP.to_owned(), timestamp.to_owned()),
        (CHANNEL.to_owned(), channel.to_owned()),
    ])
}
