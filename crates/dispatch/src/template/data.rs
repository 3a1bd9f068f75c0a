//! What templates and payloads see of a notification.

use crate::notice::{Notice, NoticeAlert};
use gotemplate::Time;
use gotemplate::functions::alertmanager::data::{Alert, Data};
use model::{Labels, Timestamp};
use serde_json::{Map, Value, json};

/// A notification as payloads show it.
#[derive(Clone, Debug)]
pub struct Message {
    /// What templates see too.
    pub data: Data,
    /// The group's key.
    pub group_key: String,
    /// Alerts that were left out.
    pub truncated: u64,
    /// Beginning and end of each alert; an end only where it ended.
    times: Vec<(Timestamp, Option<Timestamp>)>,
}

/// Takes a notification apart. `alerts_max`: alerts at most, 0 for all.
#[must_use]
pub fn data(notice: &Notice, external_url: &str, alerts_max: u64) -> Message {
    let limit = match usize::try_from(alerts_max) {
        Ok(0) | Err(_) => notice.alerts.len(),
        Ok(limit) => limit.min(notice.alerts.len()),
    };
    let alerts = notice.alerts.get(..limit).unwrap_or_default();
    let truncated = notice.alerts.len() - alerts.len() + notice.left_out;
    let firing = alerts.iter().any(|alert| !alert.resolved);
    let end = |alert: &NoticeAlert| alert.resolved.then_some(alert.alert.ends_at);
    Message {
        times: alerts
            .iter()
            .map(|alert| (alert.alert.starts_at, end(alert)))
            .collect(),
        group_key: notice.group_key.clone(),
        truncated: u64::try_from(truncated).unwrap_or(u64::MAX),
        data: Data {
            receiver: quote_meta(&notice.target.receiver),
            status: status(!firing).to_owned(),
            alerts: alerts.iter().map(alert).collect(),
            notification_reason: notice.reason.text().to_owned(),
            group_labels: pairs(&notice.group_labels),
            common_labels: common(alerts, |alert| &alert.alert.labels),
            common_annotations: common(alerts, |alert| &alert.alert.annotations),
            route_labels: Vec::new(),
            external_url: external_url.to_owned(),
        },
    }
}

const fn status(resolved: bool) -> &'static str {
    if resolved { "resolved" } else { "firing" }
}

fn pairs(labels: &Labels) -> Vec<(String, String)> {
    labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn alert(alert: &NoticeAlert) -> Alert {
    Alert {
        status: status(alert.resolved).to_owned(),
        labels: pairs(&alert.alert.labels),
        annotations: pairs(&alert.alert.annotations),
        starts_at: Time::from_milliseconds(alert.alert.starts_at.millis()),
        ends_at: if alert.resolved {
            Time::from_milliseconds(alert.alert.ends_at.millis())
        } else {
            Time::zero()
        },
        generator_url: alert.alert.generator_url.clone(),
        fingerprint: format!("{:016x}", alert.alert.labels.fingerprint()),
    }
}

/// What all alerts have in common.
fn common(
    alerts: &[NoticeAlert],
    of: impl for<'a> Fn(&'a NoticeAlert) -> &'a Labels,
) -> Vec<(String, String)> {
    let Some((first, rest)) = alerts.split_first() else {
        return Vec::new();
    };
    let shared =
        |(name, value): &(&str, &str)| rest.iter().all(|alert| of(alert).get(name) == Some(value));
    let labels = of(first).iter().filter(shared);
    labels
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Escapes what has a meaning in regular expressions, as Go's `regexp.QuoteMeta`.
#[must_use]
pub fn quote_meta(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

impl Message {
    /// Whether anything in it fires.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.data.status == status(false)
    }

    /// Leaves out all alerts but the first; they do not count as left out.
    pub fn keep_first_alert(&mut self) {
        self.data.alerts.truncate(1);
    }

    /// The webhook's payload, version 4, byte for byte as upstream writes it, with its newline.
    #[must_use]
    pub fn json(&self) -> String {
        self.versioned_json("4")
    }

    /// The same as an event for incident.io, whose versions are others.
    #[must_use]
    pub fn event_json(&self) -> String {
        self.versioned_json("1")
    }

    fn versioned_json(&self, version: &str) -> String {
        let data = &self.data;
        let alerts: Vec<Value> = data
            .alerts
            .iter()
            .zip(&self.times)
            .map(|(alert, (starts_at, ends_at))| {
                json!({
                    "status": alert.status,
                    "labels": object(&alert.labels),
                    "annotations": object(&alert.annotations),
                    "startsAt": go_time(Some(*starts_at)),
                    "endsAt": go_time(*ends_at),
                    "generatorURL": alert.generator_url,
                    "fingerprint": alert.fingerprint,
                })
            })
            .collect();
        let value = json!({
            "receiver": data.receiver,
            "status": data.status,
            "alerts": alerts,
            "notification_reason": data.notification_reason,
            "groupLabels": object(&data.group_labels),
            "commonLabels": object(&data.common_labels),
            "commonAnnotations": object(&data.common_annotations),
            "routeLabels": object(&data.route_labels),
            "externalURL": data.external_url,
            "version": version,
            "groupKey": self.group_key,
            "truncatedAlerts": self.truncated,
        });
        go_json(&value)
    }
}

/// Writes JSON as Go does: `<`, `>`, `&` and the line separators escaped, a newline at the end.
#[must_use]
pub fn go_json(value: &Value) -> String {
    let mut text = value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    text.push('\n');
    text
}

fn object(pairs: &[(String, String)]) -> Value {
    let sorted: std::collections::BTreeMap<_, _> = pairs.iter().cloned().collect();
    let entries = sorted
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)));
    Value::from(entries.collect::<Map<_, _>>())
}

/// A moment as Go writes it in JSON: no zeros at the end of the fraction; Go's zero time for none.
fn go_time(moment: Option<Timestamp>) -> String {
    let Some(moment) = moment else {
        return "0001-01-01T00:00:00Z".to_owned();
    };
    let text = moment.to_string();
    let trimmed = text.trim_end_matches('Z').trim_end_matches('0');
    format!("{}Z", trimmed.trim_end_matches('.'))
}
