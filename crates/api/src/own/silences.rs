//! `/api/binnacle/v1/silences/…`: silences that come again, and what a silence would mute; and
//! `/api/binnacle/v1/receivers/NAME/test`.

use super::alerts::blocking;
use crate::alertmanager::alerts::matchers;
use crate::alertmanager::silences::{matcher_json, parse_matcher};
use crate::answer::{self, Answer, Failure};
use crate::params::{Params, read_body};
use crate::prometheus::series::labels_json;
use crate::services::Services;
use crate::time::{duration_ms, rfc3339};
use axum::body::Body;
use axum::extract::{Path, State};
use dispatch::recurrence::Recurrence;
use dispatch::{Muted, Trial};
use http::StatusCode;
use model::{Matcher, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

/// Bytes of a body at most.
const BODY_BYTES_MAX: usize = 64 << 10;
/// How far back it is looked for what a silence would have muted.
const SINCE_MS: i64 = 30 * 24 * 3_600_000;
/// Alerts listed of what a silence would mute.
const MUTED_MAX: usize = 500;

/// Lists the alerts that a silence with these matchers would mute now, or would have muted since.
pub(crate) async fn would_mute(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let wanted = matchers(&params, "filter")?;
    if wanted.is_empty() {
        return Err(Failure::bad_data("no matchers: filter=name=value"));
    }
    let since_ms = duration_ms(&params, "since")?.unwrap_or(SINCE_MS);
    let since = services.clock.now().plus_millis(-since_ms);
    let dispatch = Arc::clone(&services.dispatch);
    let muted = blocking(move || dispatch.would_mute(&wanted, since)).await?;
    let firing = muted.iter().filter(|one| one.firing).count();
    let one = |one: &Muted| {
        json!({
            "labels": labels_json(&one.labels),
            "fingerprint": format!("{:016x}", one.labels.fingerprint()),
            "firing": one.firing,
            "fired": one.fired,
            "last": rfc3339(one.last),
        })
    };
    Ok(answer::plain_json(&json!({
        "since": rfc3339(since),
        "firing": firing,
        "alerts": muted.len(),
        "list": muted.iter().take(MUTED_MAX).map(one).collect::<Vec<Value>>(),
    })))
}

/// Lists silences that come again.
pub(crate) async fn recurring(State(services): State<Arc<Services>>) -> Answer {
    let now = services.clock.now();
    let dispatch = Arc::clone(&services.dispatch);
    // Finding the next window looks at every minute of a week.
    let list = blocking(move || {
        let list = dispatch.recurrences();
        Ok(list.iter().map(|one| recurrence_json(one, now)).collect())
    });
    Ok(answer::plain_json(&Value::Array(list.await?)))
}

/// Makes one, or replaces the one whose id it carries and ends what that made; answers its id.
pub(crate) async fn set_recurring(State(services): State<Arc<Services>>, body: Body) -> Answer {
    let bytes = read_body(body, BODY_BYTES_MAX).await?;
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::bad_data(format!("the body is not JSON: {error}")))?;
    let recurrence = read(&value, services.clock.now()).map_err(Failure::bad_data)?;
    let dispatch = Arc::clone(&services.dispatch);
    let id = blocking(move || dispatch.set_recurrence(recurrence)).await?;
    Ok(answer::plain_json(&json!({ "id": id })))
}

/// Ends one, with the silence that it made.
pub(crate) async fn remove_recurring(
    State(services): State<Arc<Services>>,
    Path(id): Path<String>,
) -> Answer {
    let dispatch = Arc::clone(&services.dispatch);
    blocking(move || dispatch.remove_recurrence(&id)).await?;
    Ok(answer::empty(StatusCode::OK))
}

/// Sends a marked test to a receiver and answers how each of its integrations took it.
pub(crate) async fn try_receiver(
    State(services): State<Arc<Services>>,
    Path(name): Path<String>,
    params: Params,
) -> Answer {
    let resolves = params.flag("resolve")?.unwrap_or(false);
    let dispatch = Arc::clone(&services.dispatch);
    let asked = name.clone();
    let trials = blocking(move || dispatch.try_receiver(&asked, resolves)).await?;
    let Some(trials) = trials else {
        return Err(Failure::not_found(format!("there is no receiver {name:?}")));
    };
    let one = |trial: &Trial| {
        json!({
            "integration": trial.integration,
            "resolved": trial.resolved,
            "delivered": trial.error.is_none(),
            "error": trial.error,
            "templateError": trial.template_error,
            "seconds": trial.took.as_secs_f64(),
        })
    };
    let trials: Vec<Value> = trials.iter().map(one).collect();
    Ok(answer::plain_json(&Value::from(trials)))
}

fn recurrence_json(recurrence: &Recurrence, now: Timestamp) -> Value {
    let window: Value = serde_json::from_str(&recurrence.window_text)
        .unwrap_or_else(|_yaml| Value::from(recurrence.window_text.as_str()));
    json!({
        "id": recurrence.id,
        "matchers": recurrence.matchers.iter().map(matcher_json).collect::<Vec<Value>>(),
        "window": window,
        "until": recurrence.until.map(rfc3339),
        "createdBy": recurrence.created_by,
        "comment": recurrence.comment,
        "createdAt": rfc3339(recurrence.created_at),
        "next": recurrence.opens(now).map(rfc3339),
    })
}

fn read(value: &Value, now: Timestamp) -> Result<Recurrence, String> {
    let text = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    for name in ["createdBy", "comment"] {
        if text(name).trim().is_empty() {
            return Err(format!("{name} is required"));
        }
    }
    let list = value.get("matchers").and_then(Value::as_array);
    let matchers: Vec<Matcher> = list
        .ok_or("matchers is required")?
        .iter()
        .map(parse_matcher)
        .collect::<Result<_, _>>()?;
    if matchers.iter().all(Matcher::matches_empty) {
        return Err("at least one matcher must not match the empty string".to_owned());
    }
    let window = value.get("window").ok_or("window is required")?;
    let window_text = window
        .as_str()
        .map_or_else(|| window.to_string(), str::to_owned);
    let until = match value.get("until").and_then(Value::as_str) {
        None | Some("") => None,
        Some(text) => {
            let parsed: jiff::Timestamp = text
                .parse()
                .map_err(|error| format!("until {text:?}: {error}"))?;
            Some(Timestamp::from_millis(parsed.as_millisecond()))
        }
    };
    Ok(Recurrence {
        id: text("id"),
        matchers,
        window: Recurrence::read_window(&window_text)?,
        window_text,
        until,
        created_by: text("createdBy"),
        comment: text("comment"),
        created_at: now,
        made_until: Timestamp::MIN,
    })
}
