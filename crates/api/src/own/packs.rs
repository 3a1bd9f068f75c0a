//! `/api/binnacle/v1/packs`: the rule packs that the program brings along, and which of them are evaluated.

use crate::answer::{self, Answer, Failure};
use crate::services::Services;
use axum::extract::State;
use rules::packs::{Contents, PACKS, Pack};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// Lists them in the order of the program, from the machine up to what runs on it.
pub(crate) async fn list(State(services): State<Arc<Services>>) -> Answer {
    let setup = (services.setup)();
    let groups = services.rules.groups();
    let one = |(pack, contents): (&Pack, &Contents)| {
        let in_force = setup.packs.iter().find(|(name, _)| name == pack.name);
        let file = in_force.map(|(_, file)| file);
        let evaluated = groups.iter().filter(|group| Some(&group.file) == file);
        json!({
            "name": pack.name,
            "watches": pack.watches,
            "alerts": contents.alerts,
            "recordings": contents.recordings,
            "metrics": contents.metrics,
            "runbook": format!("/runbooks/{}", pack.name),
            "file": file,
            "groups": evaluated.count(),
        })
    };
    let contents = tokio::task::spawn_blocking(contents).await;
    let contents = contents.map_err(|error| {
        tracing::error!(%error, "reading the packs ended unexpectedly");
        Failure::internal("reading the packs ended unexpectedly")
    })?;
    let list: Vec<Value> = PACKS.iter().zip(contents?).map(one).collect();
    Ok(answer::plain_json(&json!({
        "folder": setup.pack_folder,
        "packs": list,
    })))
}

/// What each pack comes to; the packs are part of the program, so they are read once.
fn contents() -> Result<&'static [Contents], Failure> {
    static CONTENTS: OnceLock<Result<Vec<Contents>, String>> = OnceLock::new();
    let read = || {
        let all = PACKS.iter().map(|pack| pack.contents());
        all.collect::<Result<_, _>>()
            .map_err(|problems| problems.to_string())
    };
    match CONTENTS.get_or_init(read) {
        Ok(contents) => Ok(contents),
        Err(problems) => Err(Failure::internal(problems.clone())),
    }
}
