//! Every path that is answered, in one table.

use crate::alertmanager::refusal;
use crate::doors::{import, influx, pushgateway};
use crate::prometheus::{
    admin, alerts, exemplars, features, federate, management, notifications, parse_query, query,
    read, relabel_steps, search, series, status, targets, write,
};
use crate::services::Services;
use crate::{alertmanager, compress, openapi, otlp, own, page};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, delete, get, post, put};
use std::sync::Arc;

/// The main address: every protocol under its own paths, the page for the rest.
pub fn main(services: Arc<Services>) -> Router {
    Router::new()
        .merge(prometheus())
        .merge(opentelemetry())
        .merge(alertmanager_v2())
        .merge(own_api())
        .merge(management_paths())
        .merge(pushes())
        .merge(lines())
        .fallback(page::serve)
        .layer(from_fn(compress::layer))
        .layer(from_fn_with_state(
            services.requests.clone(),
            crate::web::measure,
        ))
        .with_state(services)
}

fn prometheus() -> Router<Arc<Services>> {
    Router::new()
        .merge(prometheus_queries())
        .merge(prometheus_status())
        .route(
            "/api/v1/admin/tsdb/delete_series",
            post(admin::delete_series).put(admin::delete_series),
        )
        .route(
            "/api/v1/admin/tsdb/snapshot",
            post(admin::snapshot).put(admin::snapshot),
        )
        .route(
            "/api/v1/admin/tsdb/clean_tombstones",
            post(admin::clean_tombstones).put(admin::clean_tombstones),
        )
        .route("/api/v1/write", post(write::write))
        .route("/api/v1/read", post(read::read))
        .route("/federate", get(federate::federate))
}

fn prometheus_queries() -> Router<Arc<Services>> {
    Router::new()
        .route("/api/v1/query", get(query::instant).post(query::instant))
        .route("/api/v1/query_range", get(query::range).post(query::range))
        .route(
            "/api/v1/query_exemplars",
            get(exemplars::query).post(exemplars::query),
        )
        .route(
            "/api/v1/format_query",
            get(query::format).post(query::format),
        )
        .route(
            "/api/v1/parse_query",
            get(parse_query::parse).post(parse_query::parse),
        )
        .route(
            "/api/v1/search/metric_names",
            get(search::metric_names).post(search::metric_names),
        )
        .route(
            "/api/v1/search/label_names",
            get(search::label_names).post(search::label_names),
        )
        .route(
            "/api/v1/search/label_values",
            get(search::label_values).post(search::label_values),
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
}

fn prometheus_status() -> Router<Arc<Services>> {
    Router::new()
        .route("/api/v1/targets", get(targets::targets))
        .route("/api/v1/targets/relabel_steps", get(relabel_steps::steps))
        .route("/api/v1/openapi.yaml", get(openapi::yaml))
        .route("/api/v1/openapi.json", get(openapi::as_json))
        .route("/api/v1/features", get(features::features))
        .route("/api/v1/notifications", get(notifications::list))
        .route("/api/v1/notifications/live", get(notifications::live))
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
        .route("/api/v1/status/tsdb/blocks", get(status::tsdb_blocks))
        .route("/api/v1/status/walreplay", get(status::wal_replay))
}

/// OTLP over HTTP and over gRPC.
fn opentelemetry() -> Router<Arc<Services>> {
    Router::new()
        .route("/v1/metrics", post(otlp::metrics))
        .route("/api/v1/otlp/v1/metrics", post(otlp::metrics))
        .route(
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            post(otlp::export),
        )
}

/// What an OpenTelemetry collector answers on its ports.
pub fn opentelemetry_port(services: Arc<Services>) -> Router {
    opentelemetry().with_state(services)
}

fn alertmanager_v2() -> Router<Arc<Services>> {
    Router::new()
        .route(
            "/api/v2/alerts",
            get(alertmanager::alerts::list)
                .post(alertmanager::alerts::put)
                .fallback(refusal::only_get_and_post),
        )
        .route(
            "/api/v2/alerts/groups",
            get(alertmanager::alerts::groups).fallback(refusal::only_get),
        )
        .route(
            "/api/v2/silences",
            get(alertmanager::silences::list)
                .post(alertmanager::silences::put)
                .fallback(refusal::only_get_and_post),
        )
        .route(
            "/api/v2/silence/{id}",
            get(alertmanager::silences::show)
                .delete(alertmanager::silences::expire)
                .fallback(refusal::only_delete_and_get),
        )
        .route(
            "/api/v2/status",
            get(alertmanager::status::status).fallback(refusal::only_get),
        )
        .route(
            "/api/v2/receivers",
            get(alertmanager::status::receivers).fallback(refusal::only_get),
        )
        .route("/api/v2/{*other}", any(refusal::no_such_path))
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
        .route("/api/binnacle/v1/rules/backtest", post(own::backtest::run))
        .route("/api/binnacle/v1/packs", get(own::packs::list))
        .route("/api/binnacle/v1/alerts/history", get(own::alerts::history))
        .route("/api/binnacle/v1/alerts/pending", get(own::alerts::pending))
        .route(
            "/api/binnacle/v1/alerts/flapping",
            get(own::alerts::flapping),
        )
        .route(
            "/api/binnacle/v1/alerts/{fingerprint}/explain",
            get(own::alerts::explain),
        )
        .route(
            "/api/binnacle/v1/silences/would-mute",
            get(own::silences::would_mute),
        )
        .route(
            "/api/binnacle/v1/silences/recurring",
            get(own::silences::recurring).post(own::silences::set_recurring),
        )
        .route(
            "/api/binnacle/v1/silences/recurring/{id}",
            delete(own::silences::remove_recurring),
        )
        .route(
            "/api/binnacle/v1/receivers/{name}/test",
            post(own::silences::try_receiver),
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
        .route("/runbooks", get(own::runbooks::list))
        .route("/runbooks/{name}", get(own::runbooks::show))
}

fn management_paths() -> Router<Arc<Services>> {
    Router::new()
        .route("/-/healthy", get(management::healthy))
        .route("/-/ready", get(management::ready))
        .route(
            "/-/reload",
            post(management::reload)
                .put(management::reload)
                .fallback(management::only_post_or_put),
        )
        .route(
            "/-/quit",
            put(management::quit)
                .post(management::quit)
                .fallback(management::only_post_or_put),
        )
        .route("/metrics", get(management::metrics))
}

/// What Alertmanager answers on its port: its API, its health, its old API; and the page with what it asks for.
pub fn alertmanager_port(services: Arc<Services>) -> Router {
    Router::new()
        .merge(alertmanager_v2())
        .merge(prometheus_queries())
        .merge(prometheus_status())
        .merge(own_api())
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

/// Pushgateway's pushes. `job` may be written `job@base64`, so the whole path is read by the handler.
fn pushes() -> Router<Arc<Services>> {
    let group = put(pushgateway::group)
        .post(pushgateway::group)
        .delete(pushgateway::group);
    Router::new().route("/metrics/{*grouping}", group)
}

/// Formats of one record a line: InfluxDB's and VictoriaMetrics'.
fn lines() -> Router<Arc<Services>> {
    Router::new()
        .route("/write", post(influx::write_v1))
        .route("/api/v2/write", post(influx::write_v2))
        .route("/ping", get(influx::ping))
        .route("/health", get(influx::health))
        .route("/query", get(influx::query).post(influx::query))
        .route("/api/v1/import", post(import::json_lines))
        .route("/api/v1/import/csv", post(import::csv))
        .route("/api/v1/import/prometheus", post(import::exposition))
        .route("/api/v1/export", get(import::export).post(import::export))
}

/// What Pushgateway answers on its port: pushes, what was pushed, its API, health.
pub fn pushgateway_port(services: Arc<Services>) -> Router {
    Router::new()
        .merge(pushes())
        .route("/metrics", get(pushgateway::exposition))
        .route("/api/v1/metrics", get(pushgateway::metrics))
        .route("/api/v1/status", get(pushgateway::status))
        .route("/api/v1/admin/wipe", put(pushgateway::wipe))
        .route("/-/healthy", get(management::healthy))
        .route("/-/ready", get(management::ready))
        .layer(from_fn(compress::layer))
        .with_state(services)
}
