//! `/api/binnacle/v1/alerts/…`: what became of alerts, and why somebody was told of one or not.

use crate::alertmanager::alerts::matchers;
use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::prometheus::series::labels_json;
use crate::services::Services;
use crate::time::{rfc3339, time};
use axum::extract::{Path, State};
use dispatch::machine::explain::{Explanation, IntegrationExplanation, RouteExplanation};
use dispatch::{AlertEvent, Attempt, HistoryQuery};
use model::{Alert, Labels, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

/// Events listed unless the request says otherwise.
const EVENTS: usize = 500;
/// Events and attempts of one alert.
const OF_ONE: usize = 100;

/// Lists what became of alerts, the newest first.
pub(crate) async fn history(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let query = HistoryQuery {
        start: Some(time(&params, "start", Timestamp::MIN)?),
        end: Some(time(&params, "end", Timestamp::MAX)?),
        fingerprint: params.get("fingerprint").map(fingerprint).transpose()?,
        matchers: matchers(&params, "filter")?,
        limit: params.count("limit")?.unwrap_or(EVENTS),
    };
    let dispatch = Arc::clone(&services.dispatch);
    let events = blocking(move || dispatch.history(&query)).await?;
    let events: Vec<Value> = events.iter().map(event_json).collect();
    Ok(answer::plain_json(&Value::from(events)))
}

/// Says all that decides about one alert. Of one that is gone, what is left: events and attempts.
pub(crate) async fn explain(
    State(services): State<Arc<Services>>,
    Path(text): Path<String>,
) -> Answer {
    let fingerprint = fingerprint(&text)?;
    let dispatch = Arc::clone(&services.dispatch);
    let (explanation, events, attempts) = blocking(move || {
        let query = HistoryQuery {
            fingerprint: Some(fingerprint),
            limit: OF_ONE,
            ..HistoryQuery::default()
        };
        let events = dispatch.history(&query)?;
        let attempts = dispatch.attempts_of(fingerprint, OF_ONE)?;
        Ok((dispatch.explain(fingerprint), events, attempts))
    })
    .await?;
    let alert = explanation.as_ref().map(|explanation| &explanation.alert);
    let labels = alert
        .map(|alert| alert.labels.clone())
        .or_else(|| events.first().map(|event| event.labels.clone()));
    let rule = labels
        .as_ref()
        .map_or(Value::Null, |labels| rule_json(&services, labels));
    let now = services.clock.now();
    Ok(answer::plain_json(&json!({
        "fingerprint": format!("{fingerprint:016x}"),
        "labels": labels.as_ref().map(labels_json),
        "alert": alert.map(alert_json),
        "rule": rule,
        "state": explanation.as_ref().map_or("gone", |explanation| state(explanation)),
        "flapping": explanation.as_ref().is_some_and(|explanation| explanation.flapping),
        "inhibitedBy": explanation.as_ref().and_then(inhibited_json),
        "silencedBy": explanation.as_ref().map(|explanation| silences_json(explanation, now)).unwrap_or_default(),
        "routes": explanation.as_ref().map(routes_json).unwrap_or_default(),
        "attempts": attempts.iter().map(attempt_json).collect::<Vec<Value>>(),
        "history": events.iter().map(event_json).collect::<Vec<Value>>(),
    })))
}

fn fingerprint(text: &str) -> Result<u64, Failure> {
    u64::from_str_radix(text, 16).map_err(|_not_one| {
        Failure::bad_data(format!("fingerprint {text:?} is not a hexadecimal number"))
    })
}

/// Asks the dispatcher where blocking is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, dispatch::Error> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(dispatch::Error::Silence(error))) => match error {
            dispatch::SilenceError::NotFound => Err(Failure::not_found(error.to_string())),
            dispatch::SilenceError::Invalid(message) => Err(Failure::bad_data(message)),
        },
        Ok(Err(error)) => {
            tracing::error!(%error, "alerts' state could not be read or stored");
            Err(Failure::internal(
                "the state of alerts could not be read or stored; the log says why",
            ))
        }
        Err(error) => {
            tracing::error!(%error, "asking the dispatcher ended unexpectedly");
            Err(Failure::internal(
                "asking the dispatcher ended unexpectedly",
            ))
        }
    }
}

fn state(explanation: &Explanation) -> &'static str {
    let muted = explanation
        .routes
        .iter()
        .all(|route| !route.muted_by.is_empty());
    let suppressed = explanation.inhibited_by.is_some()
        || !explanation.silences.is_empty()
        || (muted && !explanation.routes.is_empty());
    match (explanation.resolved, suppressed) {
        (true, _) => "resolved",
        (false, true) => "suppressed",
        (false, false) => "active",
    }
}

fn event_json(event: &AlertEvent) -> Value {
    json!({
        "at": rfc3339(event.at),
        "fingerprint": format!("{:016x}", event.labels.fingerprint()),
        "labels": labels_json(&event.labels),
        "change": event.change.name(),
        "detail": event.detail,
    })
}

fn alert_json(alert: &Alert) -> Value {
    json!({
        "annotations": labels_json(&alert.annotations),
        "startsAt": rfc3339(alert.starts_at),
        "endsAt": rfc3339(alert.ends_at),
        "updatedAt": rfc3339(alert.updated_at),
        "generatorURL": alert.generator_url,
    })
}

/// The rule of ours that an alert comes from, with its value; null where it comes from elsewhere.
fn rule_json(services: &Services, labels: &Labels) -> Value {
    for group in services.rules.groups() {
        for rule in &group.rules {
            let Some(alerting) = &rule.alerting else {
                continue;
            };
            // External labels are added on the way.
            let comes_from = |one: &&rules::view::AlertView| {
                let mut own = one.labels.iter();
                own.all(|(name, value)| labels.value(name) == value)
            };
            if let Some(one) = alerting.alerts.iter().find(comes_from) {
                return json!({
                    "file": group.file,
                    "group": group.name,
                    "name": rule.name,
                    "query": rule.query,
                    "for": model::format_duration(alerting.for_ms),
                    "activeAt": rfc3339(one.active_at),
                    "value": one.value.to_string(),
                });
            }
        }
    }
    Value::Null
}

fn inhibited_json(explanation: &Explanation) -> Option<Value> {
    let (fingerprint, labels) = explanation.inhibited_by.as_ref()?;
    Some(json!({
        "fingerprint": format!("{fingerprint:016x}"),
        "labels": labels_json(labels),
    }))
}

fn silences_json(explanation: &Explanation, now: Timestamp) -> Vec<Value> {
    let silences = explanation.silences.iter();
    silences
        .map(|silence| crate::alertmanager::silences::silence_json(silence, now))
        .collect()
}

fn routes_json(explanation: &Explanation) -> Vec<Value> {
    explanation.routes.iter().map(route_json).collect()
}

fn route_json(route: &RouteExplanation) -> Value {
    let [wait, interval, repeat] = route.timing_ms.map(model::format_duration);
    json!({
        "route": route.route,
        "receiver": route.receiver,
        "groupKey": route.group_key,
        "groupLabels": labels_json(&route.group_labels),
        "nextFlush": route.next_flush.map(rfc3339),
        "mutedBy": route.muted_by,
        "groupWait": wait,
        "groupInterval": interval,
        "repeatInterval": repeat,
        "integrations": route.integrations.iter().map(integration_json).collect::<Vec<Value>>(),
    })
}

fn integration_json(integration: &IntegrationExplanation) -> Value {
    let told_at = integration.last.map(|(at, ..)| rfc3339(at));
    json!({
        "name": integration.name,
        "verdict": integration.verdict,
        "groupToldAt": told_at,
        "toldFiring": integration.last.is_some_and(|(_, firing, _)| firing),
        "toldResolved": integration.last.is_some_and(|(.., resolved)| resolved),
        "pendingAttempts": integration.pending.map(|(attempts, _)| attempts),
        "nextAttempt": integration.pending.map(|(_, at)| rfc3339(at)),
        "failingSince": integration.failing.as_ref().map(|(since, _)| rfc3339(*since)),
        "error": integration.failing.as_ref().map(|(_, error)| error),
    })
}

/// An attempt as lists show it.
pub(super) fn attempt_json(attempt: &Attempt) -> Value {
    json!({
        "at": rfc3339(attempt.at),
        "receiver": attempt.target.receiver,
        "integration": format!("{}[{}]", attempt.target.kind, attempt.target.index),
        "groupKey": attempt.group_key,
        "reason": attempt.reason,
        "attempt": attempt.attempt,
        "firing": attempt.firing,
        "resolved": attempt.resolved,
        "outcome": if attempt.error.is_none() { "delivered" } else { "failed" },
        "error": attempt.error,
    })
}
