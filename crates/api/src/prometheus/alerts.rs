//! `/api/v1/rules` and `/api/v1/alerts`.

use crate::answer::{self, Answer, Failure};
use crate::number::push_float;
use crate::params::Params;
use crate::prometheus::series::labels_json;
use crate::services::Services;
use crate::time::rfc3339;
use axum::extract::State;
use model::{Labels, Matcher, Timestamp};
use rules::view::{AlertView, AlertingView, GroupView, RuleView};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Lists what is pending or fires.
pub(crate) async fn alerts(State(services): State<Arc<Services>>) -> Answer {
    let alerts: Vec<Value> = services.rules.alerts().iter().map(alert_json).collect();
    Ok(answer::success(&json!({ "alerts": alerts })))
}

/// What a request for rules leaves out.
struct Chosen {
    alerting: bool,
    recording: bool,
    rule_names: Vec<String>,
    group_names: Vec<String>,
    files: Vec<String>,
    matchers: Vec<Vec<Matcher>>,
    without_alerts: bool,
}

impl Chosen {
    fn of(params: &Params) -> Result<Self, Failure> {
        let kind = params.get("type").unwrap_or_default().to_lowercase();
        if !matches!(kind.as_str(), "" | "alert" | "record") {
            return Err(Failure::bad_data(format!(
                "invalid query parameter type='{kind}'"
            )));
        }
        let list = |name: &str| params.all(name).map(str::to_owned).collect();
        let matchers = params.all("match[]").map(|text| {
            promql::parse_metric_selector(text).map_err(|error| {
                Failure::bad_data(format!("invalid parameter \"match[]\": {error}"))
            })
        });
        Ok(Self {
            alerting: kind != "record",
            recording: kind != "alert",
            rule_names: list("rule_name[]"),
            group_names: list("rule_group[]"),
            files: list("file[]"),
            matchers: matchers.collect::<Result<_, _>>()?,
            without_alerts: params.flag("exclude_alerts")?.unwrap_or(false),
        })
    }

    fn has_group(&self, group: &GroupView) -> bool {
        let fits =
            |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
        fits(&self.group_names, &group.name) && fits(&self.files, &group.file)
    }

    fn has_rule(&self, rule: &RuleView) -> bool {
        let kind = if rule.alerting.is_some() {
            self.alerting
        } else {
            self.recording
        };
        let named = self.rule_names.is_empty() || self.rule_names.contains(&rule.name);
        let matched = self.matchers.is_empty()
            || self
                .matchers
                .iter()
                .any(|all| model::matcher::all_match(all, &rule.labels));
        kind && named && matched
    }

    /// Whether nothing is left out, so that groups without rules are shown too.
    fn is_everything(&self) -> bool {
        self.alerting && self.recording && self.rule_names.is_empty() && self.matchers.is_empty()
    }
}

/// Lists groups with their rules, by pages where `group_limit` asks for that.
pub(crate) async fn rules(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let chosen = Chosen::of(&params)?;
    let limit = params.count("group_limit")?.filter(|limit| *limit > 0);
    let from = params.get("group_next_token");
    if from.is_some() && limit.is_none() {
        let message = "group_limit needs to be specified along with group_next_token";
        return Err(Failure::bad_data(message));
    }
    let mut groups = Vec::new();
    let mut next = None;
    let all = services.rules.groups();
    let mut started = from.is_none();
    for group in all.iter().filter(|group| chosen.has_group(group)) {
        let token = page_token(group);
        started = started || from == Some(token.as_str());
        if !started {
            continue;
        }
        let rules: Vec<Value> = group
            .rules
            .iter()
            .filter(|rule| chosen.has_rule(rule))
            .map(|rule| rule_json(rule, &chosen))
            .collect();
        if rules.is_empty() && !chosen.is_everything() {
            continue;
        }
        if limit == Some(groups.len()) {
            next = Some(token);
            break;
        }
        groups.push(group_json(group, &rules));
    }
    if !started {
        let message = "invalid group_next_token: there is no such group any more";
        return Err(Failure::bad_data(message));
    }
    let mut data = Map::new();
    data.insert("groups".to_owned(), Value::from(groups));
    if let Some(token) = next {
        data.insert("groupNextToken".to_owned(), token.into());
    }
    Ok(answer::success(&Value::Object(data)))
}

/// Names a group so that a later page can begin with it.
fn page_token(group: &GroupView) -> String {
    let labels = Labels::from_pairs([("file", &group.file), ("group", &group.name)]);
    format!("{:016x}", labels.fingerprint())
}

fn group_json(group: &GroupView, rules: &[Value]) -> Value {
    json!({
        "name": group.name,
        "file": group.file,
        "rules": rules,
        "interval": seconds(group.interval_ms),
        "limit": group.limit,
        "evaluationTime": group.evaluation_seconds,
        "lastEvaluation": moment(group.last_evaluation),
    })
}

fn rule_json(rule: &RuleView, chosen: &Chosen) -> Value {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    if let Some(alerting) = &rule.alerting {
        set(
            "state",
            alerting
                .state
                .map_or("unknown", |state| state.name())
                .into(),
        );
    }
    set("name", rule.name.clone().into());
    set("query", rule.query.clone().into());
    if let Some(alerting) = &rule.alerting {
        set("duration", seconds(alerting.for_ms));
        set("keepFiringFor", seconds(alerting.keep_firing_for_ms));
    }
    set("labels", labels_json(&rule.labels));
    if let Some(alerting) = &rule.alerting {
        set("annotations", labels_json(&alerting.annotations));
        set("alerts", alerts_of(alerting, chosen));
    }
    set("health", rule.health.name().into());
    if let Some(error) = &rule.last_error {
        set("lastError", error.clone().into());
    }
    set("evaluationTime", rule.evaluation_seconds.into());
    set("lastEvaluation", moment(rule.last_evaluation));
    set(
        "type",
        if rule.alerting.is_some() {
            "alerting"
        } else {
            "recording"
        }
        .into(),
    );
    Value::Object(fields)
}

fn alerts_of(alerting: &AlertingView, chosen: &Chosen) -> Value {
    if chosen.without_alerts {
        return Value::Array(Vec::new());
    }
    alerting.alerts.iter().map(alert_json).collect()
}

fn alert_json(alert: &AlertView) -> Value {
    let mut value = String::new();
    push_float_exponent(&mut value, alert.value);
    let mut fields = Map::new();
    fields.insert("labels".to_owned(), labels_json(&alert.labels));
    fields.insert("annotations".to_owned(), labels_json(&alert.annotations));
    fields.insert("state".to_owned(), alert.state.name().into());
    fields.insert("activeAt".to_owned(), rfc3339(alert.active_at).into());
    if let Some(since) = alert.keep_firing_since {
        fields.insert("keepFiringSince".to_owned(), rfc3339(since).into());
    }
    fields.insert("value".to_owned(), value.into());
    Value::Object(fields)
}

/// Appends a float with an exponent, as upstream writes the values of alerts: `1e+00`.
fn push_float_exponent(out: &mut String, value: f64) {
    if !value.is_finite() {
        return push_float(out, value);
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, size) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |size| ('-', size));
    out.push_str(&format!("{digits}e{sign}{size:0>2}"));
}

fn seconds(millis: i64) -> Value {
    if millis % 1000 == 0 {
        Value::from(millis / 1000)
    } else {
        Value::from(model::number::i64_to_float(millis) / 1000.0)
    }
}

/// Go's zero time where something has not happened yet.
fn moment(at: Option<Timestamp>) -> Value {
    at.map_or_else(|| "0001-01-01T00:00:00Z".into(), |at| rfc3339(at).into())
}

#[cfg(test)]
mod tests {
    use super::push_float_exponent;

    #[test]
    fn writes_alert_values_as_upstream() {
        let check = |value: f64, want: &str| {
            let mut out = String::new();
            push_float_exponent(&mut out, value);
            assert_eq!(out, want);
        };
        check(1.0, "1e+00");
        check(0.5, "5e-01");
        check(1234.5, "1.2345e+03");
        check(1e100, "1e+100");
        check(f64::INFINITY, "+Inf");
    }
}
