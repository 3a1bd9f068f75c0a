//! `/api/v1/features`: what this server can do, by category, so that clients need not go by its version.

use crate::answer::{self, Answer};
use crate::services::Services;
use axum::extract::State;
use gotemplate::functions::prometheus;
use promql::ast::AggregateOperator;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Answers `{category: {feature: whether it is there}}`.
pub(crate) async fn features(State(services): State<Arc<Services>>) -> Answer {
    Ok(answer::success(&table(&services)))
}

fn table(services: &Services) -> Value {
    let web = &services.web;
    let delayed = services.engine.options().delayed_name_removal;
    json!({
        "api": {
            "admin": web.admin_api,
            "exclude_alerts": true,
            "label_values_match": true,
            "lifecycle": web.may_quit(),
            "openapi_3.1": true,
            "openapi_3.2": false,
            "otlp_write_receiver": true,
            "query_stats": true,
            "query_warnings": true,
            "remote_write_receiver": true,
            "search": true,
            "search_fuzz_alg_jarowinkler": true,
            "search_fuzz_alg_subsequence": true,
            "time_range_labels": true,
            "time_range_series": true,
        },
        "prometheus": {
            "agent_mode": false,
            "auto_reload_config": false,
            "server_mode": true,
            "stringlabels": false,
        },
        "promql": promql_syntax(delayed),
        "promql_functions": functions(),
        "promql_operators": operators(),
        "rules": {"concurrent_rule_eval": false, "keep_firing_for": true, "query_offset": true},
        "scrape": {"extra_scrape_metrics": true},
        "service_discovery_providers": names(&web.discoveries),
        "templating_functions": names(templates()),
        "tsdb": {
            "delayed_compaction": false,
            "exemplar_storage": true,
            "isolation": true,
            "native_histograms": true,
        },
        "ui": {"ui_v2": false, "ui_v3": false},
    })
}

fn promql_syntax(delayed_name_removal: bool) -> Value {
    let mut fields = Map::new();
    for name in [
        "anchored",
        "at_modifier",
        "bool",
        "by",
        "duration_expr",
        "fill",
        "fill_left",
        "fill_right",
        "group_left",
        "group_right",
        "ignoring",
        "negative_offset",
        "offset",
        "on",
        "per_query_lookback_delta",
        "smoothed",
        "subqueries",
        "without",
    ] {
        fields.insert(name.to_owned(), true.into());
    }
    fields.insert(
        "delayed_name_removal".to_owned(),
        delayed_name_removal.into(),
    );
    Value::Object(fields)
}

/// Every function can be called, experimental ones included.
fn functions() -> Value {
    let table = promql::signatures::SIGNATURES;
    table
        .iter()
        .map(|signature| (signature.name.to_owned(), Value::from(true)))
        .collect()
}

/// What stands between two sides, after a selector, or in its braces.
const SYMBOLS: [&str; 21] = [
    "!=", "!~", "%", "*", "+", "-", "/", "<", "</", "<=", "==", "=~", ">", ">/", ">=", "@", "^",
    "and", "atan2", "or", "unless",
];

fn operators() -> Value {
    let aggregate = AggregateOperator::ALL.iter().map(|one| one.name());
    names(SYMBOLS.into_iter().chain(aggregate))
}

/// The functions of templates, and the templates that every template may call.
fn templates() -> Vec<&'static str> {
    let table = prometheus::functions(&prometheus::Context::default(), |_| Ok(Vec::new()));
    table.names().collect()
}

fn names(names: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    let present = |name: &str| (name.to_owned(), Value::from(true));
    names
        .into_iter()
        .map(|name| present(name.as_ref()))
        .collect()
}
