//! `/api/v1/status/*` and what else describes the server.

use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::services::Services;
use crate::time::rfc3339;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tsdb::LabelCount;

/// The version of Prometheus whose API this is: clients look at it to know what they may ask.
const PROMETHEUS_VERSION: &str = "3.14.0";
/// Entries of each list of `status/tsdb` unless the request says otherwise, and at most.
const TOP: usize = 10;
const TOP_MAX: usize = 10_000;

/// The configuration in force, secrets hidden.
pub(crate) async fn config(State(services): State<Arc<Services>>) -> Answer {
    Ok(answer::success(
        &json!({ "yaml": (services.setup)().prometheus_config }),
    ))
}

/// The flags in force.
pub(crate) async fn flags(State(services): State<Arc<Services>>) -> Answer {
    let flags: Map<String, Value> = services
        .about
        .flags
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    Ok(answer::success(&Value::Object(flags)))
}

/// What was built.
pub(crate) async fn build_info(State(services): State<Arc<Services>>) -> Answer {
    Ok(answer::success(&json!({
        "version": PROMETHEUS_VERSION,
        "revision": format!("binnacle-{}", services.about.version),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    })))
}

/// How the process stands.
pub(crate) async fn runtime_info(State(services): State<Arc<Services>>) -> Answer {
    let setup = (services.setup)();
    let about = &services.about;
    let series = services.db.stats(0).series;
    Ok(answer::success(&json!({
        "startTime": rfc3339(about.started_at),
        "CWD": about.working_folder,
        "hostname": "",
        "serverTime": rfc3339(services.clock.now()),
        "reloadConfigSuccess": setup.reload_problem.is_none(),
        "lastConfigTime": setup.loaded_at.map(rfc3339),
        "corruptionCount": 0,
        "goroutineCount": 0,
        "GOMAXPROCS": std::thread::available_parallelism().map_or(1, usize::from),
        "GOMEMLIMIT": i64::MAX,
        "GOGC": "",
        "GODEBUG": "",
        "storageRetention": about.retention,
        "timeSeriesCount": series,
    })))
}

/// What the head holds and where its cardinality comes from.
pub(crate) async fn tsdb(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let top = params.count("limit")?.unwrap_or(TOP);
    if top == 0 || top > TOP_MAX {
        return Err(Failure::bad_data(format!(
            "limit must be between 1 and {TOP_MAX}, not {top}"
        )));
    }
    let db = Arc::clone(&services.db);
    // Counting walks over every series.
    let stats = tokio::task::spawn_blocking(move || db.stats(top))
        .await
        .map_err(|error| {
            tracing::error!(%error, "counting the head ended unexpectedly");
            Failure::internal("counting the head ended unexpectedly")
        })?;
    let list = |counts: &[LabelCount]| -> Vec<Value> {
        counts
            .iter()
            .map(|one| json!({"name": one.name, "value": one.count}))
            .collect()
    };
    Ok(answer::success(&json!({
        "headStats": {
            "numSeries": stats.series,
            "numLabelPairs": stats.label_pairs,
            "chunkCount": stats.chunks,
            "minTime": stats.start_ms.unwrap_or(i64::MAX),
            "maxTime": stats.end_ms.unwrap_or(i64::MIN),
        },
        "seriesCountByMetricName": list(&stats.series_by_metric_name),
        "labelValueCountByLabelName": list(&stats.values_by_label_name),
        "memoryInBytesByLabelName": list(&stats.memory_by_label_name),
        "seriesCountByLabelValuePair": list(&stats.series_by_label_pair),
    })))
}

/// Replay is over before anything is served.
pub(crate) async fn wal_replay() -> Answer {
    Ok(answer::success(&json!({"min": 0, "max": 0, "current": 0})))
}

/// Alerts are routed inside; sending them to other Alertmanagers is not active yet.
pub(crate) async fn alertmanagers() -> Answer {
    Ok(answer::success(
        &json!({"activeAlertmanagers": [], "droppedAlertmanagers": []}),
    ))
}

/// What upstream answers to a method that only old versions had.
pub(crate) async fn not_enabled() -> Answer {
    Err(Failure::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "not implemented",
    ))
}
