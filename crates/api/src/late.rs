//! Answering before everything is there: the sockets are open while the write-ahead log is still being read back.

use crate::answer;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use tower::ServiceExt as _;
use tsdb::ReplayProgress;

/// How far the write-ahead log has been read back.
#[derive(Clone, Debug, Default)]
pub struct Replay(pub Arc<ReplayProgress>);

impl Replay {
    /// As upstream's API shows it: numbers of segments.
    pub(crate) fn as_json(&self) -> Value {
        let (first, last, current) = self.0.segments();
        json!({"min": first, "max": last, "current": current})
    }
}

/// The place of a router that comes later.
#[derive(Clone, Default)]
pub struct LateRouter {
    slot: Arc<OnceLock<Router>>,
    replay: Replay,
}

impl LateRouter {
    /// Makes an empty place.
    #[must_use]
    pub fn new(replay: Replay) -> Self {
        Self {
            slot: Arc::default(),
            replay,
        }
    }

    /// Puts the router in its place; a second one is ignored.
    pub fn set(&self, router: Router) {
        let _already = self.slot.set(router);
    }

    /// A router that hands every request on. Until the place is filled only `/-/healthy` and how far replay has come
    /// are answered, everything else with 503.
    pub fn router(&self) -> Router {
        Router::new().fallback(hand_on).with_state(self.clone())
    }
}

async fn hand_on(State(late): State<LateRouter>, request: Request) -> Response {
    if let Some(router) = late.slot.get() {
        return match router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
    }
    match request.uri().path() {
        "/-/healthy" => answer::line(StatusCode::OK, "Binnacle is Healthy."),
        "/api/v1/status/walreplay" => answer::success(&late.replay.as_json()),
        _ => answer::line(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}
