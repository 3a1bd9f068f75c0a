//! `/api/v2/alerts` and `/api/v2/alerts/groups`.

use super::plain_failure;
use super::refusal::{Refusal, read_checked};
use crate::answer::{self, Failure};
use crate::params::{Params, read_body};
use crate::prometheus::series::labels_json;
use crate::services::Services;
use crate::time::rfc3339;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use dispatch::{AlertFilter, AlertView, GroupFilter, GroupView, PostedAlert};
use http::{HeaderMap, StatusCode};
use model::regex::Regex;
use model::{Matcher, Timestamp};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Bytes of posted alerts at most.
const BODY_BYTES_MAX: usize = 16 << 20;

/// Takes alerts.
pub(crate) async fn put(
    State(services): State<Arc<Services>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let posted = match read_checked(&headers, (body, BODY_BYTES_MAX), read).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    match take(services, posted).await {
        Ok(()) => answer::empty(StatusCode::OK),
        Err(failure) => plain_failure(&failure),
    }
}

/// Reads and hands on posted alerts as version 1 of the API does.
pub(super) async fn put_v1(services: Arc<Services>, body: Body) -> Result<(), Failure> {
    let posted = read(&read_body(body, BODY_BYTES_MAX).await?)?;
    take(services, posted).await
}

async fn take(services: Arc<Services>, posted: Vec<PostedAlert>) -> Result<(), Failure> {
    let taken = tokio::task::spawn_blocking(move || services.dispatch.put(posted)).await;
    match taken {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(not_taken(&error)),
        Err(error) => {
            tracing::error!(%error, "taking alerts ended unexpectedly");
            Err(Failure::internal("taking alerts ended unexpectedly"))
        }
    }
}

/// Alerts that are wrong are the sender's mistake; all else is ours, and sending again may help.
fn not_taken(error: &dispatch::Error) -> Failure {
    if let dispatch::Error::Alerts(_) = error {
        return Failure::bad_data(error.to_string());
    }
    tracing::error!(%error, "alerts could not be stored");
    Failure::internal("the alerts could not be stored; the log says why")
}

/// Reads a body of alerts.
pub(crate) fn read(body: &[u8]) -> Result<Vec<PostedAlert>, Refusal> {
    if body.is_empty() {
        return Err(Refusal::required("alerts"));
    }
    let unreadable =
        |reason: String| Refusal::unreadable(format!("parsing alerts body failed: {reason}"));
    let value: Value =
        serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
    let list = match &value {
        Value::Null => return Err(Refusal::required("alerts")),
        Value::Array(list) => list,
        _ => return Err(unreadable("alerts must be a list".to_owned())),
    };
    for (index, alert) in list.iter().enumerate() {
        if alert.get("labels").is_none_or(Value::is_null) {
            return Err(Refusal::required(&format!("{index}.labels")));
        }
        let url = alert.get("generatorURL").and_then(Value::as_str);
        if let Some(url) = url.filter(|url| !is_address(url)) {
            let place = format!("{index}.generatorURL in body");
            return Err(Refusal::not_a("uri", &place, url));
        }
    }
    list.iter()
        .map(|alert| posted(alert).map_err(unreadable))
        .collect()
}

/// Whether Go's `url.ParseRequestURI` would take a text: a path, or a scheme and what it is about; empty is none given.
/// Other readers of URLs are stricter, as with a host whose last part is a number.
fn is_address(text: &str) -> bool {
    if text.is_empty() || text.starts_with('/') {
        return true;
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let has_scheme =
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_plain);
    let place = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']));
    let place = place.and_then(|mut parts| parts.next()).unwrap_or_default();
    has_scheme && !text.contains(char::is_control) && is_place(place)
}

/// Whether a text is a host, maybe with a user before it and a port after it.
fn is_place(text: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let has_port = match host.rsplit_once(']') {
        Some((_, rest)) => rest.strip_prefix(':').map_or(rest.is_empty(), is_port),
        None => host.rsplit_once(':').is_none_or(|(_, port)| is_port(port)),
    };
    has_port && !text.contains(char::is_whitespace)
}

fn posted(value: &Value) -> Result<PostedAlert, String> {
    let pairs = |name: &str| -> Result<Vec<(String, String)>, String> {
        let Some(object) = value.get(name).filter(|value| !value.is_null()) else {
            return Ok(Vec::new());
        };
        let object = object
            .as_object()
            .ok_or_else(|| format!("{name} must be an object"))?;
        let text = |(key, value): (&String, &Value)| {
            let value = value
                .as_str()
                .ok_or_else(|| format!("{name}.{key} must be a text"))?;
            Ok((key.clone(), value.to_owned()))
        };
        object.iter().map(text).collect()
    };
    let moment = |name: &str| -> Result<Option<Timestamp>, String> {
        let Some(text) = value.get(name).and_then(Value::as_str) else {
            return Ok(None);
        };
        // Go's zero time says that nothing is said.
        if text.is_empty() || text.starts_with("0001-01-01") {
            return Ok(None);
        }
        let parsed: jiff::Timestamp = text
            .parse()
            .map_err(|error| format!("{name} {text:?}: {error}"))?;
        Ok(Some(Timestamp::from_millis(parsed.as_millisecond())))
    };
    Ok(PostedAlert {
        labels: pairs("labels")?,
        annotations: pairs("annotations")?,
        starts_at: moment("startsAt")?,
        ends_at: moment("endsAt")?,
        generator_url: value
            .get("generatorURL")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    })
}

fn filter_of(params: &Params) -> Result<AlertFilter, Failure> {
    let receiver = params
        .get("receiver")
        .map(Regex::new)
        .transpose()
        .map_err(|error| Failure::bad_data(format!("failed to parse receiver param: {error}")))?;
    Ok(AlertFilter {
        active: flag(params, "active"),
        silenced: flag(params, "silenced"),
        inhibited: flag(params, "inhibited"),
        unprocessed: flag(params, "unprocessed"),
        receiver,
        receiver_matchers: matchers(params, "receiver_matchers")?,
        matchers: matchers(params, "filter")?,
    })
}

/// A choice that is made unless it is denied; as upstream, any other word than those for yes denies it.
fn flag(params: &Params, name: &str) -> bool {
    const YES: [&str; 11] = [
        "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled", "",
    ];
    let given = params.get(name).unwrap_or_default();
    YES.contains(&given.to_ascii_lowercase().as_str())
}

/// Matchers given one a parameter.
pub(crate) fn matchers(params: &Params, name: &str) -> Result<Vec<Matcher>, Failure> {
    params
        .all(name)
        .filter(|text| !text.is_empty())
        .map(|text| {
            dispatch::matchers::parse_matcher(text)
                .map_err(|error| Failure::bad_data(format!("bad matcher format: {error}")))
        })
        .collect()
}

/// Lists alerts.
pub(crate) async fn list(State(services): State<Arc<Services>>, params: Params) -> Response {
    match filter_of(&params) {
        Ok(filter) => {
            let list: Vec<Value> = services
                .dispatch
                .alerts(&filter)
                .iter()
                .map(alert_json)
                .collect();
            answer::plain_json(&Value::from(list))
        }
        Err(failure) => plain_failure(&failure),
    }
}

/// Lists groups.
pub(crate) async fn groups(State(services): State<Arc<Services>>, params: Params) -> Response {
    let filter = || -> Result<GroupFilter, Failure> {
        Ok(GroupFilter {
            alerts: filter_of(&params)?,
            muted: flag(&params, "muted"),
        })
    };
    match filter() {
        Ok(filter) => {
            let list: Vec<Value> = services
                .dispatch
                .groups(&filter)
                .iter()
                .map(group_json)
                .collect();
            answer::plain_json(&Value::from(list))
        }
        Err(failure) => plain_failure(&failure),
    }
}

fn group_json(group: &GroupView) -> Value {
    json!({
        "alerts": group.alerts.iter().map(alert_json).collect::<Vec<_>>(),
        "labels": labels_json(&group.labels),
        "receiver": {"name": group.receiver},
    })
}

fn alert_json(view: &AlertView) -> Value {
    let alert = &view.alert;
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    set("annotations", labels_json(&alert.annotations));
    set("endsAt", rfc3339(alert.ends_at).into());
    set("fingerprint", view.fingerprint.clone().into());
    set(
        "receivers",
        view.receivers
            .iter()
            .map(|name| json!({ "name": name }))
            .collect(),
    );
    set("startsAt", rfc3339(alert.starts_at).into());
    set(
        "status",
        json!({
            "inhibitedBy": view.inhibited_by,
            "mutedBy": view.muted_by,
            "silencedBy": view.silenced_by,
            "state": view.state.name(),
        }),
    );
    set("updatedAt", rfc3339(alert.updated_at).into());
    if !alert.generator_url.is_empty() {
        set("generatorURL", alert.generator_url.clone().into());
    }
    set("labels", labels_json(&alert.labels));
    Value::Object(fields)
}

/// Lists attempts and what reaches nobody: for the page.
pub(crate) fn undelivered_json(services: &Services) -> Vec<Value> {
    let views = services.dispatch.undelivered();
    let one = |view: &dispatch::UndeliveredView| {
        json!({
            "fingerprint": format!("{:016x}", view.alert.labels.fingerprint()),
            "labels": labels_json(&view.alert.labels),
            "receivers": view.receivers,
            "kinds": view.kinds,
            "since": rfc3339(view.alert.starts_at),
        })
    };
    views.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{is_address, not_taken};
    use dispatch::Error;

    #[test]
    fn only_wrong_alerts_are_the_senders_mistake() {
        let check = |error: Error, want: u16| {
            assert_eq!(not_taken(&error).status().as_u16(), want, "{error}");
        };
        check(Error::Alerts(vec!["no labels".to_owned()]), 400);
        check(Error::System("disk full".to_owned()), 500);
    }

    #[test]
    fn addresses_are_those_of_gos_parser() {
        let check = |text: &str, want: bool| assert_eq!(is_address(text), want, "{text:?}");
        for text in [
            "",
            "/graph",
            "http://b/graph?g0.expr=a b&g0.tab=1",
            "http://rack3.42:9090/graph",
            "http://[fe80::1%25eth0]:9090/graph",
            "http://[::1]",
            "http://host:/graph",
            "http://ann:secret@host",
            "http://ann:secret@host:9090",
            "https://host?q=a:b",
            "mailto:team@example.org",
            "http:",
            "grafana+x-1.0://host",
        ] {
            check(text, true);
        }
        for text in [
            "::bad",
            "bad",
            "graph?a=b",
            "1http://host",
            "ht tp://host",
            "http://ho st/graph",
            "http://host:port/graph",
            "http://[::1]x",
            "http://host/\u{7f}",
        ] {
            check(text, false);
        }
    }
}
