//! `/api/v1/admin/tsdb/*`: deleting and copying stored samples, where `--web.enable-admin-api` allows it.

use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::prometheus::series::selectors;
use crate::services::Services;
use crate::time;
use axum::extract::State;
use http::StatusCode;
use model::{TimeRange, Timestamp};
use serde_json::json;
use std::sync::Arc;
use tsdb::SnapshotHead;

/// Fails unless the flag was given.
fn allowed(services: &Services) -> Result<(), Failure> {
    if services.web.admin_api {
        return Ok(());
    }
    Err(Failure::unavailable("admin APIs disabled"))
}

/// Runs work on the store on a blocking thread.
async fn on_store<T: Send + 'static>(
    services: &Arc<Services>,
    work: impl FnOnce(&tsdb::Db) -> Result<T, tsdb::Error> + Send + 'static,
) -> Result<T, Failure> {
    let db = Arc::clone(&services.db);
    match tokio::task::spawn_blocking(move || work(&db)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Failure::internal(error.to_string())),
        Err(error) => {
            tracing::error!(%error, "work on the store ended unexpectedly");
            Err(Failure::internal("work on the store ended unexpectedly"))
        }
    }
}

/// Deletes the samples of series in a span of time; disk space comes back with the next merge.
pub(crate) async fn delete_series(State(services): State<Arc<Services>>, params: Params) -> Answer {
    allowed(&services)?;
    let selectors = selectors(&params)?;
    if selectors.is_empty() {
        return Err(Failure::bad_data("no match[] parameter provided"));
    }
    let range = TimeRange {
        start: time::time(&params, "start", Timestamp::MIN)?,
        end: time::time(&params, "end", Timestamp::MAX)?,
    };
    on_store(&services, move |db| {
        selectors
            .iter()
            .try_for_each(|matchers| db.delete(matchers, range))
    })
    .await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// Makes a snapshot under the store's folder; costs no bytes, since it shares the files.
pub(crate) async fn snapshot(State(services): State<Arc<Services>>, params: Params) -> Answer {
    allowed(&services)?;
    let skip = match params.get("skip_head") {
        None | Some("false" | "0" | "f" | "F" | "FALSE" | "False") => SnapshotHead::Include,
        Some("true" | "1" | "t" | "T" | "TRUE" | "True") => SnapshotHead::Skip,
        Some(other) => {
            let message = format!(
                "invalid parameter \"skip_head\": unable to parse boolean \"skip_head\" argument {other:?}"
            );
            return Err(Failure::bad_data(message));
        }
    };
    let name = on_store(&services, move |db| db.snapshot(skip)).await?;
    Ok(answer::success(&json!({ "name": name })))
}

/// Writes blocks anew without what was deleted in them.
pub(crate) async fn clean_tombstones(State(services): State<Arc<Services>>) -> Answer {
    allowed(&services)?;
    on_store(&services, tsdb::Db::clean_tombstones).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
