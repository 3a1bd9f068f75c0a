//! Answering before everything is there: the sockets are open while the write-ahead log is still being read back.

use crate::answer;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::{Arc, OnceLock};
use tower::ServiceExt as _;

/// The place of a router that comes later.
#[derive(Clone, Default)]
pub struct LateRouter {
    slot: Arc<OnceLock<Router>>,
}

impl LateRouter {
    /// Makes an empty place.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the router in its place; a second one is ignored.
    pub fn set(&self, router: Router) {
        let _already = self.slot.set(router);
    }

    /// A router that hands every request on. Until the place is filled only `/-/healthy` is answered, everything
    /// else with 503.
    pub fn router(&self) -> Router {
        Router::new().fallback(hand_on).with_state(self.clone())
    }
}

async fn hand_on(State(late): State<LateRouter>, request: Request) -> Response {
    match late.slot.get() {
        Some(router) => match router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        None if request.uri().path() == "/-/healthy" => {
            answer::line(StatusCode::OK, "Binnacle is Healthy.")
        }
        None => answer::line(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}
