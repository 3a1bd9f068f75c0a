//! How many requests there were and how long they took, under upstream's names.

use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use runtime::{Registry, SharedClock};

/// Bounds of durations, in seconds: upstream's.
const SECONDS: [f64; 9] = [0.1, 0.2, 0.4, 1.0, 3.0, 8.0, 20.0, 60.0, 120.0];
/// Bounds of answers' sizes, in bytes: upstream's.
const BYTES: [f64; 8] = [100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// The same of Alertmanager.
const ALERTMANAGER_SECONDS: [f64; 8] = [0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 5.0];
const ALERTMANAGER_BYTES: [f64; 7] = [100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

/// Where requests are counted.
#[derive(Clone)]
pub struct Requests {
    registry: Registry,
    clock: SharedClock,
}

impl Requests {
    /// Counts in this registry.
    #[must_use]
    pub fn new(registry: Registry, clock: SharedClock) -> Self {
        Self { registry, clock }
    }
}

/// Counts a request by the path of our table that it matched.
pub(crate) async fn measure(
    State(requests): State<Requests>,
    request: Request,
    next: Next,
) -> Response {
    let handler = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "/".to_owned(), |path| shown(path.as_str()));
    // A request may name any method; those that nothing answers are not worth a series each.
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "DELETE") => known.to_ascii_lowercase(),
        _ => "other".to_owned(),
    };
    let begin = requests.clock.monotonic();
    let response = next.run(request).await;
    let took = requests.clock.monotonic().saturating_sub(begin);
    let code = response.status().as_str().to_owned();
    let registry = &requests.registry;
    registry
        .counter(
            "prometheus_http_requests_total",
            "Counter of HTTP requests.",
            &[("code", &code), ("handler", &handler)],
        )
        .increment();
    let labels = [("handler", handler.as_str())];
    registry
        .histogram_in(
            (
                "prometheus_http_request_duration_seconds",
                "Histogram of latencies for HTTP requests.",
            ),
            &labels,
            &SECONDS,
        )
        .observe(took.as_secs_f64());
    let bytes = response.body().size_hint().exact();
    let bytes = bytes.map(model::number::u64_to_float);
    if let Some(bytes) = bytes {
        registry
            .histogram_in(
                (
                    "prometheus_http_response_size_bytes",
                    "Histogram of response size for HTTP requests.",
                ),
                &labels,
                &BYTES,
            )
            .observe(bytes);
    }
    if handler.starts_with("/api/v2/") {
        let labels = [("handler", handler.as_str()), ("method", &method)];
        as_alertmanager(registry, &labels, (took.as_secs_f64(), bytes));
    }
    response
}

/// The same under Alertmanager's names.
fn as_alertmanager(
    registry: &Registry,
    labels: &[(&str, &str)],
    (seconds, bytes): (f64, Option<f64>),
) {
    let name = "alertmanager_http_request_duration_seconds";
    let help = "Histogram of latencies for HTTP requests.";
    registry
        .histogram_in((name, help), labels, &ALERTMANAGER_SECONDS)
        .observe(seconds);
    let name = "alertmanager_http_response_size_bytes";
    let help = "Histogram of response size for HTTP requests.";
    if let Some(bytes) = bytes {
        registry
            .histogram_in((name, help), labels, &ALERTMANAGER_BYTES)
            .observe(bytes);
    }
}

/// `/label/{name}/values` as upstream writes it: `/label/:name/values`.
fn shown(path: &str) -> String {
    path.replace("{*", "*").replace('{', ":").replace('}', "")
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn names_handlers_as_upstream() {
        assert_eq!(
            shown("/api/v1/label/{name}/values"),
            "/api/v1/label/:name/values"
        );
        assert_eq!(shown("/metrics/job/{*rest}"), "/metrics/job/*rest");
    }
}
