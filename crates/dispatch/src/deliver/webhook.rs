//! The webhook: payload version 4, or what the configuration says instead.

use super::http::{PLAIN, converse};
use super::{Conversation, Failure, Kit, compose};
use crate::config::Webhook;
use crate::template::{Scope, go_json};

pub(super) fn prepare(kit: &mut Kit<'_>, webhook: &Webhook) -> Result<Conversation, Failure> {
    let scope = kit.scope(webhook.alerts_max);
    let source = kit.read("url_file", &webhook.url)?;
    let url = scope
        .text(&source)
        .map_err(|error| format!("failed to template webhook URL: {error}"))?;
    if url.is_empty() {
        return Err("webhook URL is empty after templating".to_owned().into());
    }
    kit.hide_url(&url);
    let body = body(kit, webhook, &scope);
    let request = kit.post(&webhook.http, url, body)?;
    Ok(converse(vec![request.within(webhook.timeout_ms)], PLAIN))
}

/// The payload. Where a template in a custom one fails, the standard one is sent.
fn body(kit: &Kit<'_>, webhook: &Webhook, scope: &Scope) -> String {
    let Some(payload) = &webhook.payload else {
        return scope.message.json();
    };
    match compose::any(payload, scope) {
        Ok(value) => go_json(&value),
        Err(error) => {
            tracing::warn!("webhook payload: {error}; the standard payload is sent instead");
            kit.job.note_template_error(&error);
            scope.message.json()
        }
    }
}
