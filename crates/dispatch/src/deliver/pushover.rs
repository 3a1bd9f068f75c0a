//! Pushover: a message to devices, all of it in the address. Message API.

use super::compose::compose;
use super::http::{PLAIN, converse};
use super::{Conversation, Failure, Kit, truncate};
use crate::config::{Pushover, PushoverStyle};

/// Limits of Pushover, in characters.
const TITLE_CHARS_MAX: usize = 250;
const MESSAGE_CHARS_MAX: usize = 1024;
const URL_CHARS_MAX: usize = 512;
/// Sent instead of an empty message, which is refused.
const NO_MESSAGE: &str = "(no details)";

pub(super) fn prepare(kit: &mut Kit<'_>, pushover: &Pushover) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let token = kit.read("token_file", &pushover.token)?;
    let user = kit.read("user_key_file", &pushover.user_key)?;
    let mut parameters = compose(kit.job, &scope, |texts| {
        let of = |name: &str| pushover.texts.get(name);
        let body = match pushover.style {
            PushoverStyle::Html => texts.html_body(of("message")),
            PushoverStyle::Plain | PushoverStyle::Monospace => texts.body(of("message")),
        };
        let body = truncate::chars(body, MESSAGE_CHARS_MAX);
        let body = match body.trim() {
            "" => NO_MESSAGE,
            body => body,
        };
        let link = truncate::chars(texts.text(of("url")), URL_CHARS_MAX);
        Ok(vec![
            ("device", texts.text(of("device"))),
            ("expire", (pushover.expire_ms / 1000).to_string()),
            ("message", body.to_owned()),
            ("priority", texts.text(of("priority"))),
            ("retry", (pushover.retry_ms / 1000).to_string()),
            ("sound", texts.text(of("sound"))),
            ("title", texts.short_title(of("title"), TITLE_CHARS_MAX)),
            ("token", texts.needed("token", &token)?),
            ("url", link),
            ("url_title", texts.text(of("url_title"))),
            ("user", texts.needed("user_key", &user)?),
        ])
    })?;
    match pushover.style {
        PushoverStyle::Html => parameters.push(("html", "1".to_owned())),
        PushoverStyle::Monospace => parameters.push(("monospace", "1".to_owned())),
        PushoverStyle::Plain => {}
    }
    if pushover.ttl_ms >= 1000 {
        parameters.push(("ttl", (pushover.ttl_ms / 1000).to_string()));
    }
    parameters.sort();
    let mut url = reqwest::Url::parse(&pushover.api_url)
        .map_err(|error| format!("not a valid URL: {error}"))?;
    url.query_pairs_mut().extend_pairs(parameters);
    let mut request = kit.post(&pushover.http, url, String::new())?;
    request.content_type = "text/plain";
    Ok(converse(vec![request], PLAIN))
}
