//! incident.io: the group as an alert event. Alert events API of HTTP alert sources.

use super::http::{Answer, Manners, converse, errors};
use super::{Conversation, Failure, Kit};
use crate::config::IncidentIo;
use serde_json::Value;

/// Bytes of an event; a larger one is sent with its first alert alone.
const EVENT_BYTES_MAX: usize = 512 * 1024;

pub(super) fn prepare(kit: &mut Kit<'_>, source: &IncidentIo) -> Result<Conversation, Failure> {
    let mut body = kit.scope(source.alerts_max).message.event_json();
    if body.len() > EVENT_BYTES_MAX {
        tracing::warn!(
            "{}: an event of {} bytes is too large; only its first alert is sent",
            kit.job.notice.target,
            body.len()
        );
        let mut message = kit.scope(source.alerts_max).message;
        message.keep_first_alert();
        body = message.event_json();
    }
    let url = kit.read("url_file", &source.url)?;
    let request = kit.post(&source.http, url, body)?;
    let manners = Manners {
        is_retried: |_| false,
        details,
    };
    Ok(converse(vec![request.within(source.timeout_ms)], manners))
}

/// What incident.io says is wrong.
fn details(answer: &Answer) -> String {
    let parsed: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let text = |name: &str| parsed.get(name).and_then(Value::as_str).unwrap_or_default();
    let errors = errors(&parsed, ", ");
    let parts = [text("message"), text("error"), &errors];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(": ")
}
