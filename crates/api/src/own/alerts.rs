//! `/api/binnacle/v1/alerts/…`: what became of alerts, which wait or flap, and why somebody was told of one or not.

use crate::alertmanager::alerts::matchers;
use crate::answer::{self, Answer, Failure};
use crate::number::push_float;
use crate::params::Params;
use crate::prometheus::series::labels_json;
use crate::services::Services;
use crate::time::{rfc3339, time};
use axum::extract::{Path, State};
use dispatch::machine::explain::{Explanation, IntegrationExplanation, RouteExplanation};
use dispatch::{AlertEvent, Attempt, HistoryQuery};
use model::{Alert, Labels, Timestamp};
use rules::AlertState;
use rules::view::{AlertView, AlertingView, GroupView, RuleView};
use serde_json::{Value, json};
use std::sync::Arc;

/// Events listed unless the request says otherwise.
const EVENTS: usize = 500;
/// Events and attempts of one alert.
const OF_ONE: usize = 100;
/// Alerts in a list that were not limited by the request.
const LIST_MAX: usize = 1_000;
/// Alerts that are named of each attempt; how many there were stands beside them.
const NAMED_MAX: usize = 20;

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

/// Lists alerts of rules whose condition holds, but not for long enough yet; those that fire soonest first.
pub(crate) async fn pending(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let limit = params.count("limit")?.unwrap_or(LIST_MAX);
    let list = blocking(move || {
        let config = services.rules.config();
        let groups = services.rules.groups();
        let mut found: Vec<Origin<'_>> = origins(&groups)
            .filter(|origin| origin.alert.state == AlertState::Pending)
            .collect();
        found.sort_by_key(|origin| origin.fires_at());
        let shown = found.iter().take(limit).filter_map(|origin| {
            let labels = config.sent_labels(&origin.alert.labels)?;
            Some(pending_json(origin, &labels))
        });
        Ok(json!({ "alerts": found.len(), "list": shown.collect::<Vec<Value>>() }))
    })
    .await?;
    Ok(answer::plain_json(&list))
}

fn pending_json(origin: &Origin<'_>, labels: &Labels) -> Value {
    json!({
        "fingerprint": format!("{:016x}", labels.fingerprint()),
        "labels": labels_json(labels),
        "annotations": labels_json(&origin.alert.annotations),
        "group": origin.group.name,
        "name": origin.rule.name,
        "value": number(origin.alert.value),
        "activeAt": rfc3339(origin.alert.active_at),
        "firesAt": rfc3339(origin.fires_at()),
    })
}

/// Lists the alerts that come and go so often that their ends are held back.
pub(crate) async fn flapping(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let limit = params.count("limit")?.unwrap_or(LIST_MAX);
    let flapping = services.dispatch.flapping();
    let one = |(fingerprint, labels): &(u64, Labels)| json!({ "fingerprint": format!("{fingerprint:016x}"), "labels": labels_json(labels) });
    Ok(answer::plain_json(&json!({
        "alerts": flapping.len(),
        "list": flapping.iter().take(limit).map(one).collect::<Vec<Value>>(),
    })))
}

/// Says all that decides about one alert. Of one that is gone, what is left: events and attempts.
pub(crate) async fn explain(
    State(services): State<Arc<Services>>,
    Path(text): Path<String>,
) -> Answer {
    let fingerprint = fingerprint(&text)?;
    let explained = blocking(move || explained(&services, fingerprint)).await?;
    Ok(answer::plain_json(&explained))
}

fn explained(services: &Services, fingerprint: u64) -> Result<Value, dispatch::Error> {
    let dispatch = &services.dispatch;
    let query = HistoryQuery {
        fingerprint: Some(fingerprint),
        limit: OF_ONE,
        ..HistoryQuery::default()
    };
    let events = dispatch.history(&query)?;
    let attempts = dispatch.attempts_of(fingerprint, OF_ONE)?;
    let explanation = dispatch.explain(fingerprint);
    let alert = explanation.as_ref().map(|explanation| &explanation.alert);
    let groups = services.rules.groups();
    let config = services.rules.config();
    let sent = |origin: &Origin<'_>| config.sent_labels(&origin.alert.labels);
    let origin = origins(&groups)
        .find(|origin| sent(origin).is_some_and(|labels| labels.fingerprint() == fingerprint));
    let labels = alert
        .map(|alert| alert.labels.clone())
        .or_else(|| origin.as_ref().and_then(sent))
        .or_else(|| events.first().map(|event| event.labels.clone()));
    let pending = origin
        .as_ref()
        .filter(|origin| origin.alert.state == AlertState::Pending);
    let now = services.clock.now();
    Ok(json!({
        "fingerprint": format!("{fingerprint:016x}"),
        "labels": labels.as_ref().map(labels_json),
        "alert": alert.map(alert_json),
        "rule": origin.as_ref().map(rule_json),
        "state": match (&explanation, pending) {
            (Some(explanation), _) if !explanation.resolved => state(explanation),
            (_, Some(_)) => "pending",
            (Some(_), None) => "resolved",
            (None, None) => "gone",
        },
        "receivers": labels.as_ref().map(|labels| dispatch.receivers_of(labels)).unwrap_or_default(),
        "flapping": explanation.as_ref().is_some_and(|explanation| explanation.flapping),
        "inhibitedBy": explanation.as_ref().and_then(inhibited_json),
        "silencedBy": explanation.as_ref().map(|explanation| silences_json(explanation, now)).unwrap_or_default(),
        "routes": explanation.as_ref().map(routes_json).unwrap_or_default(),
        "attempts": attempts.iter().map(attempt_json).collect::<Vec<Value>>(),
        "history": events.iter().map(event_json).collect::<Vec<Value>>(),
    }))
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

/// Whether an alert that fires is told.
fn state(explanation: &Explanation) -> &'static str {
    let muted = explanation
        .routes
        .iter()
        .all(|route| !route.muted_by.is_empty());
    let suppressed = explanation.inhibited_by.is_some()
        || !explanation.silences.is_empty()
        || (muted && !explanation.routes.is_empty());
    if suppressed { "suppressed" } else { "active" }
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

/// An alert with the rule that it comes from.
struct Origin<'a> {
    group: &'a GroupView,
    rule: &'a RuleView,
    alerting: &'a AlertingView,
    alert: &'a AlertView,
}

impl Origin<'_> {
    /// When it fires if its condition goes on to hold.
    fn fires_at(&self) -> Timestamp {
        self.alert.active_at.plus_millis(self.alerting.for_ms)
    }
}

/// The alerts of all rules.
fn origins(groups: &[Arc<GroupView>]) -> impl Iterator<Item = Origin<'_>> {
    groups.iter().flat_map(|group| {
        let rules = group.rules.iter();
        let alerting = rules.filter_map(|rule| Some((rule, rule.alerting.as_ref()?)));
        alerting.flat_map(move |(rule, alerting)| {
            let origin = move |alert| Origin {
                group,
                rule,
                alerting,
                alert,
            };
            alerting.alerts.iter().map(origin)
        })
    })
}

fn number(value: f64) -> String {
    let mut text = String::new();
    push_float(&mut text, value);
    text
}

fn rule_json(origin: &Origin<'_>) -> Value {
    let Origin {
        group,
        rule,
        alerting,
        alert,
    } = origin;
    let waits = alert.state == AlertState::Pending;
    json!({
        "file": group.file,
        "group": group.name,
        "name": rule.name,
        "query": rule.query,
        "for": model::format_duration(alerting.for_ms),
        "keepFiringFor": model::format_duration(alerting.keep_firing_for_ms),
        "health": rule.health.name(),
        "lastError": rule.last_error,
        "annotations": labels_json(&alert.annotations),
        "activeAt": rfc3339(alert.active_at),
        "firesAt": waits.then(|| rfc3339(origin.fires_at())),
        "keepFiringSince": alert.keep_firing_since.map(rfc3339),
        "value": number(alert.value),
    })
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
    let named = |fingerprint: &u64| format!("{fingerprint:016x}");
    json!({
        "at": rfc3339(attempt.at),
        "receiver": attempt.target.receiver,
        "integration": format!("{}[{}]", attempt.target.kind, attempt.target.index),
        "groupKey": attempt.group_key,
        "reason": attempt.reason,
        "attempt": attempt.attempt,
        "alerts": attempt.alerts.iter().take(NAMED_MAX).map(named).collect::<Vec<String>>(),
        "firing": attempt.firing,
        "resolved": attempt.resolved,
        "outcome": if attempt.error.is_none() { "delivered" } else { "failed" },
        "error": attempt.error,
    })
}
