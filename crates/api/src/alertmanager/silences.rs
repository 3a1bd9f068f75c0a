//! `/api/v2/silences` and `/api/v2/silence/ID`.

use super::refusal::{Refusal, check_id, read_checked};
use super::{alerts, plain_failure};
use crate::answer::{self, Failure};
use crate::params::Params;
use crate::services::Services;
use crate::time::rfc3339;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use dispatch::{Silence, SilenceError};
use http::{HeaderMap, StatusCode};
use model::{MatchOperator, Matcher, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of a silence at most.
const BODY_BYTES_MAX: usize = 256 << 10;

/// Lists silences.
pub(crate) async fn list(State(services): State<Arc<Services>>, params: Params) -> Response {
    match alerts::matchers(&params, "filter") {
        Ok(filter) => {
            let now = services.clock.now();
            let found = services.dispatch.silences(&filter);
            answer::plain_json(
                &found
                    .iter()
                    .map(|silence| silence_json(silence, now))
                    .collect(),
            )
        }
        Err(failure) => plain_failure(&failure),
    }
}

/// Shows one.
pub(crate) async fn show(
    State(services): State<Arc<Services>>,
    Path(id): Path<String>,
) -> Response {
    if let Err(refusal) = check_id(&id) {
        return refusal.response();
    }
    match services.dispatch.silence(&id) {
        Some(silence) => answer::plain_json(&silence_json(&silence, services.clock.now())),
        None => answer::empty(StatusCode::NOT_FOUND),
    }
}

/// Makes or changes one and answers its id.
pub(crate) async fn put(
    State(services): State<Arc<Services>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let value = match read_checked(&headers, (body, BODY_BYTES_MAX), read).await {
        Ok(value) => value,
        Err(response) => return response,
    };
    let silence = match parse(&value, services.clock.now()) {
        Ok(silence) => silence,
        Err(message) => return plain_failure(&Failure::bad_data(message)),
    };
    let dispatch = Arc::clone(&services.dispatch);
    match tokio::task::spawn_blocking(move || dispatch.set_silence(silence)).await {
        Ok(Ok(id)) => answer::plain_json(&json!({ "silenceID": id })),
        Ok(Err(error)) => refused(&error),
        Err(error) => {
            tracing::error!(%error, "making a silence ended unexpectedly");
            plain_failure(&Failure::internal("making the silence ended unexpectedly"))
        }
    }
}

/// Ends one.
pub(crate) async fn expire(
    State(services): State<Arc<Services>>,
    Path(id): Path<String>,
) -> Response {
    if let Err(refusal) = check_id(&id) {
        return refusal.response();
    }
    let dispatch = Arc::clone(&services.dispatch);
    match tokio::task::spawn_blocking(move || dispatch.expire_silence(&id)).await {
        Ok(Ok(())) => answer::empty(StatusCode::OK),
        Ok(Err(error)) => refused(&error),
        Err(error) => {
            tracing::error!(%error, "ending a silence ended unexpectedly");
            plain_failure(&Failure::internal("ending the silence ended unexpectedly"))
        }
    }
}

fn refused(error: &dispatch::Error) -> Response {
    match error {
        dispatch::Error::Silence(SilenceError::NotFound) => answer::with_status(
            StatusCode::NOT_FOUND,
            answer::plain_json(&Value::from("silence not found")),
        ),
        dispatch::Error::Silence(SilenceError::Invalid(message)) => {
            plain_failure(&Failure::bad_data(message.clone()))
        }
        other => {
            tracing::error!(error = %other, "a silence could not be stored");
            plain_failure(&Failure::internal(
                "the silence could not be stored; the log says why",
            ))
        }
    }
}

fn read(bytes: &[u8]) -> Result<Value, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::required("silence"));
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Refusal::unreadable(format!("parsing silence body failed: {error}")))?;
    match missing_part(&value) {
        Some(refusal) => Err(refusal),
        None => Ok(value),
    }
}

/// What the body lacks.
pub(crate) fn missing_part(value: &Value) -> Option<Refusal> {
    const REQUIRED: [&str; 5] = ["comment", "createdBy", "endsAt", "matchers", "startsAt"];
    let lacks = |value: &Value, name: &str| value.get(name).is_none_or(Value::is_null);
    if let Some(name) = REQUIRED.iter().find(|name| lacks(value, name)) {
        return Some(Refusal::required(name));
    }
    let matchers = value.get("matchers").and_then(Value::as_array)?;
    if matchers.is_empty() {
        return Some(Refusal::too_few("matchers"));
    }
    matchers.iter().enumerate().find_map(|(index, matcher)| {
        let missing = ["isRegex", "name", "value"]
            .into_iter()
            .find(|name| lacks(matcher, name))?;
        Some(Refusal::required(&format!("matchers.{index}.{missing}")))
    })
}

/// Reads a silence out of the JSON of its body.
pub(crate) fn parse(value: &Value, now: Timestamp) -> Result<Silence, String> {
    let text = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let moment = |name: &str| -> Result<Timestamp, String> {
        let text = text(name);
        let parsed: jiff::Timestamp = text
            .parse()
            .map_err(|error| format!("{name} {text:?}: {error}"))?;
        Ok(Timestamp::from_millis(parsed.as_millisecond()))
    };
    let list = value
        .get("matchers")
        .and_then(Value::as_array)
        .ok_or("matchers in body is required")?;
    let annotations = value
        .get("annotations")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    Ok(Silence {
        id: text("id"),
        matchers: list.iter().map(parse_matcher).collect::<Result<_, _>>()?,
        starts_at: moment("startsAt")?,
        ends_at: moment("endsAt")?,
        updated_at: now,
        created_by: text("createdBy"),
        comment: text("comment"),
        annotations: annotations
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect::<BTreeMap<_, _>>(),
    })
}

/// Reads a matcher of a body.
pub(crate) fn parse_matcher(value: &Value) -> Result<Matcher, String> {
    let text = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("matchers.{name} in body is required"))
    };
    let flag = |name: &str, default| value.get(name).and_then(Value::as_bool).unwrap_or(default);
    let operator = match (flag("isEqual", true), flag("isRegex", false)) {
        (true, false) => MatchOperator::Equal,
        (false, false) => MatchOperator::NotEqual,
        (true, true) => MatchOperator::Regex,
        (false, true) => MatchOperator::NotRegex,
    };
    Matcher::new(text("name")?, operator, text("value")?)
}

/// A matcher as answers show it.
#[must_use]
pub fn matcher_json(matcher: &Matcher) -> Value {
    let operator = matcher.operator();
    json!({
        "isEqual": matches!(operator, MatchOperator::Equal | MatchOperator::Regex),
        "isRegex": matches!(operator, MatchOperator::Regex | MatchOperator::NotRegex),
        "name": matcher.name(),
        "value": matcher.value(),
    })
}

/// A silence as answers show it.
pub(crate) fn silence_json(silence: &Silence, now: Timestamp) -> Value {
    let mut value = json!({
        "id": silence.id,
        "status": {"state": silence.state(now).name()},
        "updatedAt": rfc3339(silence.updated_at),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": rfc3339(silence.ends_at),
        "matchers": silence.matchers.iter().map(matcher_json).collect::<Vec<_>>(),
        "startsAt": rfc3339(silence.starts_at),
    });
    if !silence.annotations.is_empty()
        && let Value::Object(fields) = &mut value
    {
        fields.insert("annotations".to_owned(), json!(silence.annotations));
    }
    value
}
