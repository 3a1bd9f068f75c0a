//! `/api/v1/targets`, `/targets/metadata`, `/metadata` and `/scrape_pools`.

use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::prometheus::series::labels_json;
use crate::services::Services;
use crate::time::rfc3339;
use axum::extract::State;
use collect::TargetView;
use collect::inside::SourceView;
use model::{Labels, MetricMetadata, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Go's zero time, for what has not happened yet.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Lists targets, those that relabelling dropped included.
pub(crate) async fn targets(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let state = params.get("state").unwrap_or("any").to_lowercase();
    let pool = params.get("scrapePool");
    let wanted = |name: &str| pool.is_none_or(|pool| pool == name);
    let mut active = Vec::new();
    if matches!(state.as_str(), "any" | "active") {
        let views = services.collector.targets();
        active.extend(
            views
                .iter()
                .filter(|view| wanted(&view.scrape_pool))
                .map(target_json),
        );
        let inside = services.inside.list();
        let job = |view: &&SourceView| wanted(view.labels.value("job"));
        active.extend(inside.iter().filter(job).map(inside_json));
    }
    let mut dropped = Vec::new();
    if matches!(state.as_str(), "any" | "dropped") {
        let targets = services.collector.dropped_targets();
        let one = |target: &collect::DroppedTarget| json!({"discoveredLabels": labels_json(&target.discovered), "scrapePool": target.scrape_pool});
        dropped.extend(
            targets
                .iter()
                .filter(|target| wanted(&target.scrape_pool))
                .map(one),
        );
    }
    Ok(answer::success(&json!({
        "activeTargets": active,
        "droppedTargets": dropped,
        "droppedTargetCounts": services.collector.dropped_target_counts(),
    })))
}

fn target_json(view: &TargetView) -> Value {
    let target = &view.target;
    let mut value = json!({
        "discoveredLabels": labels_json(&target.discovered),
        "labels": labels_json(&target.labels),
        "scrapePool": view.scrape_pool,
        "scrapeUrl": target.url,
        "globalUrl": view.global_url("localhost"),
        "lastError": view.last.error,
        "lastScrape": moment(view.last.at),
        "lastScrapeDuration": view.last.duration_seconds,
        "health": view.last.health.name(),
        "scrapeInterval": model::format_duration(target.interval_ms),
        "scrapeTimeout": model::format_duration(target.timeout_ms),
    });
    if let (Some(part), Value::Object(fields)) = (view.last.standing_in, &mut value) {
        fields.insert("standingIn".to_owned(), part.into());
    }
    value
}

/// A source inside this process, shown like a target.
fn inside_json(view: &SourceView) -> Value {
    let labels = labels_json(&view.labels);
    let health = match (view.at, view.error.is_empty()) {
        (None, _) => "unknown",
        (Some(_), true) => "up",
        (Some(_), false) => "down",
    };
    json!({
        "discoveredLabels": labels,
        "labels": labels,
        "scrapePool": view.labels.value("job"),
        "scrapeUrl": format!("inside:{}", view.labels.value("instance")),
        "globalUrl": "",
        "lastError": view.error,
        "lastScrape": moment(view.at),
        "lastScrapeDuration": view.duration_seconds,
        "health": health,
        "scrapeInterval": "5s",
        "scrapeTimeout": "5s",
    })
}

fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NEVER.to_owned(), rfc3339)
}

/// Lists the jobs.
pub(crate) async fn scrape_pools(State(services): State<Arc<Services>>) -> Answer {
    let mut pools: BTreeSet<String> = services.collector.scrape_pools().into_iter().collect();
    pools.extend(
        services
            .inside
            .list()
            .iter()
            .map(|view| view.labels.value("job").to_owned()),
    );
    Ok(answer::success(&json!({ "scrapePools": pools })))
}

/// What all targets and senders together say of each metric, each saying once.
pub(crate) async fn metadata(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let limit = params.count("limit")?.unwrap_or(usize::MAX);
    let per_metric = params
        .count("limit_per_metric")?
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let only = params.get("metric");
    let mut metrics: BTreeMap<&str, BTreeSet<&MetricMetadata>> = BTreeMap::new();
    let all = services.collector.metadata();
    let pushed = services.ingest.metadata();
    let said = all
        .iter()
        .flat_map(|(_, metadata)| metadata.iter())
        .chain(services.own_metadata.iter())
        .chain(pushed.iter());
    for (name, metadata) in said {
        let is_wanted = only.is_none_or(|only| only == name);
        if is_wanted && (metrics.len() < limit || metrics.contains_key(name.as_str())) {
            metrics.entry(name).or_default().insert(metadata);
        }
    }
    let mut data = Map::new();
    for (name, said) in metrics {
        let list = said
            .into_iter()
            .take(per_metric)
            .map(metadata_json)
            .collect::<Vec<Value>>();
        data.insert(name.to_owned(), list.into());
    }
    Ok(answer::success(&Value::Object(data)))
}

fn metadata_json(metadata: &MetricMetadata) -> Value {
    json!({"type": metadata.kind.name(), "unit": metadata.unit, "help": metadata.help})
}

/// What each target says of its metrics.
pub(crate) async fn target_metadata(
    State(services): State<Arc<Services>>,
    params: Params,
) -> Answer {
    let limit = params.count("limit")?.unwrap_or(usize::MAX);
    let metric = params.get("metric");
    let matchers = match params.get("match_target") {
        None => Vec::new(),
        Some(text) => promql::parse_metric_selector(text).map_err(|error| {
            Failure::bad_data(format!("invalid parameter \"match_target\": {error}"))
        })?,
    };
    let mut list = Vec::new();
    for (labels, metadata) in services.collector.metadata() {
        if !model::matcher::all_match(&matchers, &labels) {
            continue;
        }
        for (name, said) in metadata
            .iter()
            .filter(|(name, _)| metric.is_none_or(|m| m == *name))
        {
            if list.len() < limit {
                list.push(entry(&labels, metric.is_none().then_some(name), said));
            }
        }
    }
    Ok(answer::success(&Value::from(list)))
}

fn entry(target: &Labels, metric: Option<&String>, metadata: &MetricMetadata) -> Value {
    let mut value = metadata_json(metadata);
    if let Value::Object(fields) = &mut value {
        fields.insert("target".to_owned(), labels_json(target));
        if let Some(name) = metric {
            fields.insert("metric".to_owned(), name.clone().into());
        }
    }
    value
}
