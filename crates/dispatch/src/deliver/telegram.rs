//! Telegram: a message of a bot. Bot API, `sendMessage`.

use super::compose::{Renderer, compose, escape};
use super::http::{Answer, join, reason, send};
use super::{Conversation, Failure, Kit, Memory, truncate};
use crate::config::Telegram;
use crate::template::{Scope, go_json};
use serde_json::{Map, Value};

/// Characters of a message after its markup is taken away.
const MESSAGE_CHARS_MAX: usize = 4096;
/// Bytes of a message with markup.
const MARKUP_BYTES_MAX: usize = 1 << 15;
/// Stands above the plain text that is sent instead of markup that is too long: cut anywhere it would be refused.
const TOO_LONG: &str = "The message is longer than Telegram takes; check the template. In short:\n";

pub(super) fn prepare(kit: &mut Kit<'_>, telegram: &Telegram) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let (text, parse_mode) = compose(kit.job, &scope, |texts| Ok(text(telegram, texts, &scope)))?;
    // Upstream tries on when a file cannot be read.
    let token = kit
        .read("bot_token_file", &telegram.bot_token)
        .map_err(Failure::passing)?;
    let chat = kit
        .read("chat_id_file", &telegram.chat_id)
        .map_err(Failure::passing)?;
    let chat: i64 = chat
        .parse()
        .map_err(|error| Failure::passing(format!("could not parse chat_id: {error}")))?;
    let mut message = Map::new();
    let mut put = |name: &str, text: String| message.insert(name.to_owned(), Value::from(text));
    put("chat_id", chat.to_string());
    if telegram.disable_notifications {
        put("disable_notification", "true".to_owned());
    }
    put("disable_web_page_preview", "true".to_owned());
    if telegram.message_thread_id != 0 {
        put("message_thread_id", telegram.message_thread_id.to_string());
    }
    if !parse_mode.is_empty() {
        put("parse_mode", parse_mode.to_owned());
    }
    put("text", text);
    let url = join(&telegram.api_url, &format!("bot{token}/sendMessage"))?;
    let request = kit.post(&telegram.http, url, go_json(&Value::from(message)))?;
    Ok(Box::pin(async move {
        judge(&send(request).await?)?;
        Ok(Memory::new())
    }))
}

/// The text and how Telegram is to read it. A plain text goes without Markdown, whose marks it does not escape:
/// a name with an underscore would be refused.
fn text<'a>(telegram: &'a Telegram, texts: &mut Renderer<'_>, scope: &Scope) -> (String, &'a str) {
    let mode = telegram.parse_mode.as_str();
    let short = |text| truncate::chars(text, MESSAGE_CHARS_MAX);
    let too_long = || short(format!("{TOO_LONG}{}", scope.plain_list()));
    if mode == "HTML" {
        let html = texts.html_body(&telegram.message);
        if html.len() <= MARKUP_BYTES_MAX && visible_chars(&html) <= MESSAGE_CHARS_MAX {
            return (html, mode);
        }
        return (escape(&too_long()), mode);
    }
    let text = texts.body(&telegram.message);
    if texts.is_plain() || mode.is_empty() {
        return (short(text), "");
    }
    if text.chars().count() > MESSAGE_CHARS_MAX {
        return (too_long(), "");
    }
    (text, mode)
}

/// What Telegram's answer means. As upstream, every refusal is tried again.
fn judge(answer: &Answer) -> Result<(), Failure> {
    let parsed: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if parsed.get("ok").and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    let description = parsed.get("description").and_then(Value::as_str);
    let code = parsed.get("error_code").and_then(Value::as_u64);
    let code = code
        .and_then(|code| u16::try_from(code).ok())
        .unwrap_or(answer.code);
    let seconds = parsed
        .pointer("/parameters/retry_after")
        .and_then(Value::as_i64);
    Err(Failure {
        error: format!(
            "telegram: {} ({code})",
            description.unwrap_or("unexpected answer")
        ),
        reason: reason(code),
        is_final: false,
        after_ms: seconds
            .map(|seconds| seconds.saturating_mul(1000))
            .or(answer.retry_after_ms),
    })
}

/// How many characters of some HTML are seen: tags do not count, an entity counts as one.
fn visible_chars(html: &str) -> usize {
    let (mut count, mut rest) = (0, html);
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '<' => rest.find('>').map(|end| (end + 1, 0)),
            '&' => rest
                .find(';')
                .filter(|end| (2..10).contains(end))
                .map(|end| (end + 1, 1)),
            _ => None,
        };
        let (bytes, chars) = skipped.unwrap_or((c.len_utf8(), 1));
        count += chars;
        rest = rest.get(bytes..).unwrap_or_default();
    }
    count
}

#[cfg(test)]
mod tests {
    use super::visible_chars;

    #[test]
    fn counts_what_is_seen() {
        let check = |html: &str, want: usize| assert_eq!(visible_chars(html), want, "{html}");
        check("", 0);
        check("<b>ü</b> &lt; &#x27;", 5);
        check("a < b & c", 9);
        check("<a href=\"x\">y</a>&", 2);
    }
}
