//! `/api/v1/targets/relabel_steps`: what each relabelling rule of a job makes of a label set.

use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::prometheus::series::labels_json;
use crate::services::Services;
use axum::extract::State;
use model::{Labels, RelabelRule};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Answers every rule with the labels after it.
pub(crate) async fn steps(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let Some(pool) = params.get("scrapePool") else {
        return Err(Failure::bad_data("no scrapePool parameter provided"));
    };
    let Some(text) = params.get("labels") else {
        return Err(Failure::bad_data("no labels parameter provided"));
    };
    let labels: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|error| Failure::bad_data(format!("error parsing labels: {error}")))?;
    let setup = (services.setup)();
    let Some(rules) = setup.relabel_rules.get(pool) else {
        return Err(Failure::bad_data(format!(
            "error retrieving scrape config: scrape pool {pool:?} not found"
        )));
    };
    let steps = walk(rules, Labels::from_pairs(labels));
    Ok(answer::success(&json!({ "steps": steps })))
}

/// Once a rule drops the labels, those after it have nothing to look at.
fn walk(rules: &[RelabelRule], labels: Labels) -> Vec<Value> {
    let mut labels = Some(labels);
    let mut steps = Vec::with_capacity(rules.len());
    for rule in rules {
        labels = labels.and_then(|labels| rule.apply(labels));
        let output = labels.clone().unwrap_or_default();
        steps.push(json!({
            "rule": rule_json(rule),
            "output": labels_json(&output),
            "keep": labels.is_some(),
        }));
    }
    steps
}

/// A rule with its defaults; fields that are empty are left out, as upstream does.
fn rule_json(rule: &RelabelRule) -> Value {
    let mut fields = Map::new();
    if !rule.source_labels.is_empty() {
        fields.insert(
            "source_labels".to_owned(),
            rule.source_labels.clone().into(),
        );
    }
    if rule.modulus != 0 {
        fields.insert("modulus".to_owned(), rule.modulus.into());
    }
    for (name, value) in [
        ("separator", rule.separator.as_str()),
        ("regex", rule.regex.source()),
        ("target_label", &rule.target_label),
        ("replacement", &rule.replacement),
        ("action", rule.action.name()),
    ] {
        if !value.is_empty() {
            fields.insert(name.to_owned(), value.into());
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::walk;
    use model::regex::Regex;
    use model::relabel::RelabelAction;
    use model::{Labels, RelabelRule};
    use serde_json::json;

    fn rule(action: RelabelAction, source: &str, regex: &str) -> RelabelRule {
        RelabelRule {
            source_labels: vec![source.to_owned()],
            separator: ";".to_owned(),
            regex: Regex::new(regex).expect("pattern"),
            modulus: 0,
            target_label: "env".to_owned(),
            replacement: "$1".to_owned(),
            action,
        }
    }

    #[test]
    fn shows_each_step_and_the_end() {
        let rules = [
            rule(RelabelAction::Replace, "__meta_env", "(.*)"),
            rule(RelabelAction::Drop, "env", "test"),
            rule(RelabelAction::Replace, "env", "(.*)"),
        ];
        let steps = walk(&rules, Labels::from_pairs([("__meta_env", "test")]));
        assert_eq!(
            steps.first().map(|step| step["output"].clone()),
            Some(json!({"__meta_env": "test", "env": "test"}))
        );
        assert_eq!(
            steps.first().map(|step| step["rule"].clone()),
            Some(
                json!({"source_labels": ["__meta_env"], "separator": ";", "regex": "(.*)",
                "target_label": "env", "replacement": "$1", "action": "replace"})
            )
        );
        let kept: Vec<_> = steps.iter().map(|step| step["keep"].clone()).collect();
        assert_eq!(kept, [json!(true), json!(false), json!(false)]);
    }
}
