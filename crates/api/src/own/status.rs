//! `/api/binnacle/v1/status`: what the program says of itself, for the page and for `doctor`.

use crate::answer::{self, Answer};
use crate::services::Services;
use crate::time::rfc3339;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Answers version, notes on the configuration, and each problem that somebody must act on.
pub(crate) async fn status(State(services): State<Arc<Services>>) -> Answer {
    let setup = (services.setup)();
    let file = |(path, kind): &(String, String)| json!({ "path": path, "kind": kind });
    let pack = |(name, file): &(String, String)| json!({ "name": name, "file": file });
    Ok(answer::plain_json(&json!({
        "version": services.about.version,
        "startedAt": rfc3339(services.about.started_at),
        "ready": services.ready.load(Ordering::Relaxed),
        "notes": setup.notes,
        "files": setup.files.iter().map(file).collect::<Vec<Value>>(),
        "configLoadedAt": setup.loaded_at.map(rfc3339),
        "reloadProblem": setup.reload_problem,
        "storeProblem": services.db.read_only_reason(),
        "undelivered": services.dispatch.undelivered().len(),
        "packFolder": setup.pack_folder,
        "packs": setup.packs.iter().map(pack).collect::<Vec<Value>>(),
    })))
}
