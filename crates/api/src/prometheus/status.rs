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
        "hostname": about.host_name,
        "serverTime": rfc3339(services.clock.now()),
        "reloadConfigSuccess": setup.reload_problem.is_none(),
        "lastConfigTime": setup.loaded_at.map(rfc3339),
        "corruptionCount": 0,
        "goroutineCount": threads(),
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
    let top = match params.get("limit").map(str::parse::<usize>) {
        None => TOP,
        Some(Ok(top)) if (1..=TOP_MAX).contains(&top) => top,
        Some(Ok(top)) if top > TOP_MAX => {
            let message = format!("limit must not exceed {TOP_MAX}");
            return Err(Failure::bad_data(message));
        }
        Some(Ok(_) | Err(_)) => {
            return Err(Failure::bad_data("limit must be a positive number"));
        }
    };
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

/// Threads of this process; 0 where the kernel does not say.
fn threads() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Threads:"));
    line.and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

/// The blocks on disk, the oldest first.
pub(crate) async fn tsdb_blocks(State(services): State<Arc<Services>>) -> Answer {
    let blocks: Vec<Value> = services.db.block_infos().iter().map(block_json).collect();
    Ok(answer::success(&json!({ "blocks": blocks })))
}

fn block_json(block: &tsdb::BlockInfo) -> Value {
    let ulid = ulid(block.start_ms, block.id);
    json!({
        "ulid": ulid,
        // The last sample's time belongs to the block, upstream's end does not.
        "minTime": block.start_ms,
        "maxTime": block.end_ms.saturating_add(1),
        "stats": {
            "numSamples": block.samples,
            "numSeries": block.series,
            "numTombstones": block.series_with_deletions,
            "sizeBytes": block.bytes,
        },
        "compaction": {"level": block.level, "sources": [ulid]},
        "version": 1,
    })
}

/// A block's number in the form of upstream's names: 48 bits of the block's beginning and 80 of its number, five bits a
/// letter.
fn ulid(start_ms: i64, id: u64) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let start = u128::from(u64::try_from(start_ms).unwrap_or(0) & ((1 << 48) - 1));
    let bits = (start << 80) | u128::from(id);
    let letter = |place: u32| {
        let index = usize::try_from((bits >> (5 * place)) & 31).unwrap_or(0);
        LETTERS.get(index).copied().map_or('0', char::from)
    };
    (0..26).rev().map(letter).collect()
}

/// Replay is over once this is answered; while it goes on, `late` answers.
pub(crate) async fn wal_replay(State(services): State<Arc<Services>>) -> Answer {
    Ok(answer::success(&services.replay.as_json()))
}

/// Lists the Alertmanagers that `alerting` names. The routing inside needs none of them.
pub(crate) async fn alertmanagers(State(services): State<Arc<Services>>) -> Answer {
    let view = services.notifier.view();
    let list =
        |urls: &[String]| -> Value { urls.iter().map(|url| json!({ "url": url })).collect() };
    Ok(answer::success(&json!({
        "activeAlertmanagers": list(&view.active),
        "droppedAlertmanagers": list(&view.dropped),
    })))
}

/// What upstream answers to a method that only old versions had.
pub(crate) async fn not_enabled() -> Answer {
    Err(Failure::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "not implemented",
    ))
}

#[cfg(test)]
mod tests {
    use super::ulid;

    #[test]
    fn names_blocks_as_upstream_does() {
        assert_eq!(ulid(0, 0), "00000000000000000000000000");
        // The example of the specification: the time is the first ten letters.
        assert_eq!(ulid(1_469_918_176_385, 33), "01ARYZ6S410000000000000011");
        assert!(ulid(2, 1) > ulid(1, 2));
    }
}
