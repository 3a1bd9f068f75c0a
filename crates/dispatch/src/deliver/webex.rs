//! Webex: a message in a room. Messages API.

use super::compose::{compose, put};
use super::http::{PLAIN, converse};
use super::{Conversation, Failure, Kit, truncate};
use crate::config::Webex;
use crate::template::go_json;
use serde_json::{Map, Value};

/// Bytes of a message.
const MESSAGE_BYTES_MAX: usize = 7439;

pub(super) fn prepare(kit: &mut Kit<'_>, webex: &Webex) -> Result<Conversation, Failure> {
    let scope = kit.scope(0);
    let message = compose(kit.job, &scope, |texts| {
        let body = truncate::bytes(texts.body(&webex.message), MESSAGE_BYTES_MAX);
        let room = texts.needed("room_id", &webex.room_id)?;
        let mut message = Map::new();
        message.insert("markdown".to_owned(), Value::from(body));
        put(&mut message, "roomId", room);
        Ok(Value::from(message))
    })?;
    let request = kit.post(&webex.http, webex.api_url.as_str(), go_json(&message))?;
    Ok(converse(vec![request], PLAIN))
}
