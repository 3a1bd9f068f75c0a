//! Every path that is answered, in one table.

use crate::prometheus::{alerts, management, query, series, status, targets, write};
use crate::services::Services;
use crate::{alertmanager, compress, own, page};
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{delete, get, post};
use std::sync::Arc;

/// The main address: every protocol under its own paths, the page for the rest.
pub fn main(services: Arc<Services>) -> Router {
    Router::new()
        .merge(prometheus())
        .merge(alertmanager_v2())
        .merge(own_api())
        .merge(management_paths())
        .fallback(page::serve)
        .layer(from_fn(compress::layer))
        .with_state(services)
}

fn prometheus() -> Router<Arc<Services>> {
    Router::new()
        .route("/api/v1/query", get(query::instant).post(query::instant))
        .route("/api/v1/query_range", get(query::range).post(query::range))
        .route(
            "/api/v1/format_query",
            get(query::format).post(query::format),
        )
        .route(
            "/api/v1/series",
            get(series::series)
                .post(series::series)
                .delete(status::not_enabled),
        )
        .route(
            "/api/v1/labels",
            get(series::label_names).post(series::label_names),
        )
        .route("/api/v1/label/{name}/values", get(series::label_values))
        .route("/api/v1/metadata", get(targets::metadata))
        .route("/api/v1/targets", get(targets::targets))
        .route("/api/v1/targets/metadata", get(targets::target_metadata))
        .route("/api/v1/scrape_pools", get(targets::scrape_pools))
        .route("/api/v1/rules", get(alerts::rules))
        .route("/api/v1/alerts", get(alerts::alerts))
        .route("/api/v1/alertmanagers", get(status::alertmanagers))
        .route("/api/v1/status/config", get(status::config))
        .route("/api/v1/status/flags", get(status::flags))
        .route("/api/v1/status/buildinfo", get(status::build_info))
        .route("/api/v1/status/runtimeinfo", get(status::runtime_info))
        .route("/api/v1/status/tsdb", get(status::tsdb))
        .route("/api/v1/status/walreplay", get(status::wal_replay))
        .route("/api/v1/write", post(write::write))
}

fn alertmanager_v2() -> Router<Arc<Services>> {
    Router::new()
        .route(
            "/api/v2/alerts",
            get(alertmanager::alerts::list).post(alertmanager::alerts::put),
        )
        .route("/api/v2/alerts/groups", get(alertmanager::alerts::groups))
        .route(
            "/api/v2/silences",
            get(alertmanager::silences::list).post(alertmanager::silences::put),
        )
        .route("/api/v2/silence/{id}", get(alertmanager::silences::show))
        .route(
            "/api/v2/silence/{id}",
            delete(alertmanager::silences::expire),
        )
        .route("/api/v2/status", get(alertmanager::status::status))
        .route("/api/v2/receivers", get(alertmanager::status::receivers))
        // The old API, which is posted to by clients of Alertmanager before 0.16. `GET /api/v1/status` of
        // that API exists on the port of Alertmanager only.
        .route("/api/v1/alerts", post(alertmanager::v1::put))
}

fn own_api() -> Router<Arc<Services>> {
    Router::new()
        .route("/api/binnacle/v1/status", get(own::status::status))
        .route(
            "/api/binnacle/v1/notifications",
            get(own::notifications::list),
        )
        .route("/api/binnacle/v1/incidents", get(own::incidents::list))
        .route("/api/binnacle/v1/incidents/{id}", get(own::incidents::show))
        .route(
            "/api/binnacle/v1/incidents/{id}/acknowledge",
            post(own::incidents::acknowledge),
        )
        .route(
            "/api/binnacle/v1/incidents/{id}/resolve",
            post(own::incidents::resolve),
        )
        .route(
            "/api/binnacle/v1/incidents/{id}/notes",
            post(own::incidents::note),
        )
}

fn management_paths() -> Router<Arc<Services>> {
    Router::new()
        .route("/-/healthy", get(management::healthy))
        .route("/-/ready", get(management::ready))
        .route(
            "/-/reload",
            post(management::reload).put(management::reload),
        )
        .route("/metrics", get(management::metrics))
}

/// What Alertmanager answers on its port: its API, its health, its old API.
pub fn alertmanager_port(services: Arc<Services>) -> Router {
    Router::new()
        .merge(alertmanager_v2())
        .merge(management_paths())
        .route("/api/v1/status", get(alertmanager::v1::status))
        .fallback(page::serve)
        .layer(from_fn(compress::layer))
        .with_state(services)
}

/// What Loki answers on its port while log streams are not here yet: whether it is ready.
pub fn loki_port(services: Arc<Services>) -> Router {
    Router::new()
        .route("/ready", get(management::loki_ready))
        .with_state(services)
}

/// What Grafana answers on its port while dashboards are not here yet: its health.
pub fn grafana_port(services: Arc<Services>) -> Router {
    Router::new()
        .route("/api/health", get(management::grafana_health))
        .with_state(services)
}

/// What Pushgateway answers on its port while pushes are not here yet: metrics and health.
pub fn pushgateway_port(services: Arc<Services>) -> Router {
    Router::new()
        .route("/metrics", get(management::metrics))
        .route("/-/healthy", get(management::healthy))
        .route("/-/ready", get(management::ready))
        .with_state(services)
}
