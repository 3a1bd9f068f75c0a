//! What the HTTP edge is given beside the parts: its options, its counters.

use super::Ground;
use api::{Lifecycle, Notifications, Queries, QueryLog, Requests};
use std::sync::Arc;

/// The kinds of service discovery that are active.
const DISCOVERIES: [&str; 9] = [
    "consul",
    "dns",
    "docker",
    "dockerswarm",
    "ec2",
    "file",
    "http",
    "kubernetes",
    "static",
];

pub(super) struct Web {
    pub(super) options: api::Web,
    pub(super) requests: Requests,
    pub(super) notifications: Arc<Notifications>,
    pub(super) queries: Arc<Queries>,
}

impl Web {
    pub(super) fn new(ground: &Ground, query_log: QueryLog) -> Self {
        let flags = &ground.flags;
        let (registry, clock) = (&ground.registry, &ground.clock);
        let queries = Queries::new(
            flags.query_concurrency,
            query_log,
            (registry, Arc::clone(clock)),
        );
        let shutdown = ground.shutdown.clone();
        let lifecycle = match (flags.web.lifecycle, flags.web.no_lifecycle) {
            (true, _) => Lifecycle::ReloadAndQuit,
            (false, true) => Lifecycle::Nothing,
            (false, false) => Lifecycle::Reload,
        };
        Self {
            options: api::Web {
                admin_api: flags.web.admin_api,
                lifecycle,
                search_limit_max: flags.web.search_limit_max,
                discoveries: DISCOVERIES.to_vec(),
                quit: Arc::new(move || shutdown.trigger()),
            },
            requests: Requests::new(registry.clone(), Arc::clone(clock)),
            notifications: Arc::new(Notifications::new(registry, flags.web.subscribers_max)),
            queries: Arc::new(queries),
        }
    }
}
