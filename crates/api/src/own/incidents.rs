//! `/api/binnacle/v1/incidents`: list, show, acknowledge, resolve, note.

use crate::answer::{self, Answer, Failure};
use crate::params::{Params, read_body};
use crate::prometheus::series::labels_json;
use crate::services::Services;
use crate::time::rfc3339;
use axum::body::Body;
use axum::extract::{Path, State};
use http::StatusCode;
use incidents::{Details, Error, Filter, Incident, Incidents, Refusal, Status};
use model::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinError;

/// Bytes of an action's body at most.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Incidents listed unless the request says otherwise.
const LIST_MAX: usize = 500;

/// Lists incidents, the newest first, each with its timeline unless `timeline=false`.
pub(crate) async fn list(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let status = match params.get("status") {
        None => None,
        Some(name) => Some(Status::from_name(name).ok_or_else(|| {
            let message = format!("status {name:?} is none of open, acknowledged, resolved");
            Failure::bad_data(message)
        })?),
    };
    let count_max = Some(params.count("limit")?.unwrap_or(LIST_MAX));
    let with_timeline = params.flag("timeline")?.unwrap_or(true);
    let incidents = Arc::clone(&services.incidents);
    let read = tokio::task::spawn_blocking(move || {
        let found = incidents.list(Filter { status, count_max });
        if !with_timeline {
            return Ok(found.iter().map(incident_json).collect::<Vec<Value>>());
        }
        let details = found.iter().map(|incident| incidents.get(incident.id));
        details
            .map(|details| Ok(details_json(&details?)))
            .collect::<Result<Vec<Value>, Error>>()
    });
    Ok(answer::plain_json(&Value::from(outcome(read.await)?)))
}

/// Shows one with its timeline and alerts.
pub(crate) async fn show(State(services): State<Arc<Services>>, Path(id): Path<String>) -> Answer {
    let id = parse_id(&id)?;
    blocking(services, move |incidents, _| incidents.get(id)).await
}

/// Says that somebody is on it.
pub(crate) async fn acknowledge(
    State(services): State<Arc<Services>>,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let (id, said) = (parse_id(&id)?, Said::read(body).await?);
    blocking(services, move |incidents, now| {
        incidents.acknowledge(now, id, &said.author)?;
        incidents.get(id)
    })
    .await
}

/// Closes it by hand.
pub(crate) async fn resolve(
    State(services): State<Arc<Services>>,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let (id, said) = (parse_id(&id)?, Said::read(body).await?);
    blocking(services, move |incidents, now| {
        incidents.resolve(now, id, &said.author)?;
        incidents.get(id)
    })
    .await
}

/// Adds a line to its timeline.
pub(crate) async fn note(
    State(services): State<Arc<Services>>,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let (id, said) = (parse_id(&id)?, Said::read(body).await?);
    if said.text.trim().is_empty() {
        return Err(Failure::bad_data("a note needs a text: {\"text\": \"…\"}"));
    }
    blocking(services, move |incidents, now| {
        incidents.add_note(now, id, &said.author, &said.text)?;
        incidents.get(id)
    })
    .await
}

/// What an action's body says; both parts may be missing.
struct Said {
    author: String,
    text: String,
}

impl Said {
    async fn read(body: Body) -> Result<Self, Failure> {
        let bytes = read_body(body, BODY_BYTES_MAX).await?;
        let value: Value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)
                .map_err(|error| Failure::bad_data(format!("the body is not JSON: {error}")))?
        };
        let text = |name: &str| {
            value
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let author = Some(text("author")).filter(|author| !author.is_empty());
        Ok(Self {
            author: author.unwrap_or_else(|| "someone".to_owned()),
            text: text("text"),
        })
    }
}

fn parse_id(text: &str) -> Result<u64, Failure> {
    text.parse()
        .map_err(|_not_a_number| Failure::not_found(format!("there is no incident {text:?}")))
}

/// Runs a change or a read, which may wait for the disk, on a blocking thread.
async fn blocking(
    services: Arc<Services>,
    work: impl FnOnce(&Incidents, Timestamp) -> Result<Details, Error> + Send + 'static,
) -> Answer {
    let now = services.clock.now();
    let done = tokio::task::spawn_blocking(move || work(&services.incidents, now)).await;
    Ok(answer::plain_json(&details_json(&outcome(done)?)))
}

/// What a blocking thread brought, or what the caller is told of its failure.
fn outcome<T>(done: Result<Result<T, Error>, JoinError>) -> Result<T, Failure> {
    match done {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Error::Refused(refusal))) => Err(refused(&refusal)),
        Ok(Err(Error::State(error))) => {
            tracing::error!(%error, "incidents could not be read or changed");
            Err(Failure::internal(
                "the state database failed; the log says why",
            ))
        }
        Err(error) => {
            tracing::error!(%error, "work on incidents ended unexpectedly");
            Err(Failure::internal("the work ended unexpectedly"))
        }
    }
}

fn refused(refusal: &Refusal) -> Failure {
    let message = refusal.to_string();
    match refusal {
        Refusal::NotFound(_) => Failure::not_found(message),
        Refusal::BadText { .. } => Failure::bad_data(message),
        Refusal::AlreadyResolved(_) | Refusal::TimelineFull(_) => {
            Failure::new(StatusCode::CONFLICT, "conflict", message)
        }
    }
}

fn incident_json(incident: &Incident) -> Value {
    let moment = |event: &Option<(Timestamp, String)>| event.as_ref().map(|(at, _)| rfc3339(*at));
    let person = |event: &Option<(Timestamp, String)>| event.as_ref().map(|(_, who)| who.clone());
    json!({
        "id": incident.id.to_string(),
        "status": incident.status.name(),
        "severity": incident.severity.name(),
        "title": incident.title,
        "labels": labels_json(&incident.labels),
        "openedAt": rfc3339(incident.opened_at),
        "acknowledgedAt": moment(&incident.acknowledged),
        "acknowledgedBy": person(&incident.acknowledged),
        "resolvedAt": moment(&incident.resolved),
        "resolvedBy": person(&incident.resolved),
    })
}

fn details_json(details: &Details) -> Value {
    let mut value = incident_json(&details.incident);
    let entry = |entry: &incidents::Entry| {
        json!({
            "at": rfc3339(entry.at), "kind": entry.kind.name(), "who": entry.who, "text": entry.text,
        })
    };
    let alert = |(labels, followed): &(model::Labels, incidents::Followed)| {
        json!({
            "fingerprint": format!("{:016x}", labels.fingerprint()),
            "labels": labels_json(labels),
            "startsAt": rfc3339(followed.starts_at),
        })
    };
    if let Value::Object(fields) = &mut value {
        fields.insert(
            "timeline".to_owned(),
            details.timeline.iter().map(entry).collect(),
        );
        fields.insert(
            "timelineOmitted".to_owned(),
            details.incident.timeline_omitted.into(),
        );
        fields.insert(
            "alerts".to_owned(),
            details.alerts.iter().map(alert).collect(),
        );
    }
    value
}
