//! Who gets in: names the request may come under, where it may come from, and proof where it is needed.
//!
//! On loopback nobody is asked to log in, so a page of another site must not reach us through the user's browser:
//! `Host` must be an address or a name that only this machine has, and a request that changes something must not come
//! from another `Origin`. Beyond loopback every request needs a user or a token, except the two health paths.

use crate::answer::{self, Failure};
use crate::auth::{Auth, AuthError, Role};
use crate::web::{LiveWebConfig, Loaded};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, HOST, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use model::Timestamp;
use runtime::metrics::Counter;
use runtime::{Registry, SharedClock};
use std::net::IpAddr;
use std::sync::Arc;

/// How requests are let in on one listener.
#[derive(Clone)]
pub struct Guard {
    /// What is asked of a request.
    pub admission: Admission,
    /// Names under which this server may be called besides addresses and `localhost`.
    pub host_names: Arc<[String]>,
    /// For checking headers.
    pub clock: SharedClock,
    /// Users of the web configuration, who may do everything.
    pub web: Option<Arc<LiveWebConfig>>,
}

/// What is asked of a request.
#[derive(Clone)]
pub enum Admission {
    /// Loopback: only the checks against other sites.
    Loopback,
    /// A user or a token.
    Proof(Arc<Auth>),
    /// Nothing; somebody asked for that.
    Open,
}

/// Lets a request through or answers it.
pub(crate) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if matches!(path, "/-/healthy" | "/-/ready") {
        return next.run(request).await;
    }
    if let Err(failure) = guard
        .admits_name(&request)
        .and_then(|()| admits_origin(&request))
    {
        return failure.into_response();
    }
    let Some(proof) = guard.proof() else {
        return next.run(request).await;
    };
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some(header) = header.map(str::to_owned) else {
        return ask_for_proof();
    };
    let now = guard.clock.now();
    let needed = needed_role(request.method(), path);
    let checked = tokio::task::spawn_blocking(move || proof.role(&header, now)).await;
    match checked {
        Ok(Ok(Some(role))) if role >= needed => next.run(request).await,
        Ok(Ok(Some(_))) => {
            let message = format!("this needs the role {needed:?}").to_lowercase();
            Failure::new(StatusCode::FORBIDDEN, "forbidden", message).into_response()
        }
        Ok(Ok(None)) => ask_for_proof(),
        Ok(Err(error)) => {
            tracing::error!(%error, "users and tokens could not be read");
            Failure::internal("users and tokens could not be read").into_response()
        }
        Err(error) => {
            tracing::error!(%error, "checking a request failed");
            Failure::internal("checking the request failed").into_response()
        }
    }
}

/// Counts requests that were refused because of who sent them.
#[derive(Clone)]
pub(crate) struct Refusals([(StatusCode, Counter); 3]);

impl Refusals {
    pub(crate) fn new(registry: &Registry) -> Self {
        let codes = [
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::MISDIRECTED_REQUEST,
        ];
        Self(codes.map(|code| {
            let counter = registry.counter(
                "binnacle_api_requests_refused_total",
                "Requests without proof (401), without the role or from another site (403), or under a foreign name (421).",
                &[("code", code.as_str())],
            );
            (code, counter)
        }))
    }
}

/// Counts the answer where it is a refusal.
pub(crate) async fn count(
    State(refusals): State<Refusals>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if let Some((_, counter)) = refusals.0.iter().find(|(code, _)| *code == status) {
        counter.increment();
    }
    response
}

/// Those who may prove themselves: users of the web configuration, or our own users and tokens.
struct Proof {
    web: Option<Arc<Loaded>>,
    auth: Option<Arc<Auth>>,
}

impl Proof {
    /// May take tens of milliseconds.
    fn role(&self, header: &str, now: Timestamp) -> Result<Option<Role>, AuthError> {
        if self.web.as_ref().is_some_and(|web| web.users.check(header)) {
            return Ok(Some(Role::Admin));
        }
        match &self.auth {
            Some(auth) => auth.check(header, now),
            None => Ok(None),
        }
    }
}

impl Guard {
    /// How a request must prove itself; `None` where it need not.
    fn proof(&self) -> Option<Proof> {
        let loaded = self.web.as_ref().map(|web| web.current());
        let web = loaded.filter(|loaded| !loaded.users.is_empty());
        let auth = match &self.admission {
            Admission::Proof(auth) => Some(Arc::clone(auth)),
            Admission::Loopback | Admission::Open => None,
        };
        (web.is_some() || auth.is_some()).then_some(Proof { web, auth })
    }

    /// Fails for a name that a foreign page may have made point here.
    fn admits_name(&self, request: &Request) -> Result<(), Failure> {
        if matches!(self.admission, Admission::Open | Admission::Proof(_)) {
            return Ok(());
        }
        let host = request
            .headers()
            .get(HOST)
            .and_then(|value| value.to_str().ok());
        // HTTP/2 carries the name in the address.
        let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
        let name = host_name(host.unwrap_or_default());
        let known = name == "localhost"
            || name.ends_with(".localhost")
            || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
            || self
                .host_names
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name));
        if known {
            return Ok(());
        }
        let message = format!(
            "the name {name:?} is not this server's; call it by its address, or set external_url to that name"
        );
        Err(Failure::new(
            StatusCode::MISDIRECTED_REQUEST,
            "forbidden",
            message,
        ))
    }
}

/// Fails for a request that changes something and comes from another site's page.
fn admits_origin(request: &Request) -> Result<(), Failure> {
    let headers = request.headers();
    let origin = headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    let (Some(origin), false) = (origin, is_reading(request.method())) else {
        return Ok(());
    };
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    if origin_host.is_some() && origin_host == host {
        return Ok(());
    }
    let message = format!("a page of {origin:?} may not change anything here");
    Err(Failure::new(StatusCode::FORBIDDEN, "forbidden", message))
}

fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Queries may be posted by those who only look.
fn needed_role(method: &Method, path: &str) -> Role {
    const QUERIES: [&str; 13] = [
        "/api/v1/query",
        "/api/v1/query_range",
        "/api/v1/series",
        "/api/v1/labels",
        "/api/v1/query_exemplars",
        "/api/v1/format_query",
        "/api/v1/parse_query",
        "/api/v1/search/metric_names",
        "/api/v1/search/label_names",
        "/api/v1/search/label_values",
        "/api/v1/read",
        "/api/v1/export",
        "/api/binnacle/v1/rules/backtest",
    ];
    if is_reading(method) || QUERIES.contains(&path) {
        return Role::Viewer;
    }
    let responses = [
        "/api/v2/silence",
        "/api/binnacle/v1/incidents",
        "/api/binnacle/v1/silences",
    ];
    if responses.iter().any(|start| path.starts_with(start)) {
        return Role::Responder;
    }
    if path.starts_with("/-/") || path.starts_with("/api/v1/admin") {
        return Role::Admin;
    }
    Role::Editor
}

fn ask_for_proof() -> Response {
    let failure = Failure::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "a user or a token is needed",
    );
    let mut response = failure.into_response();
    let challenge = HeaderValue::from_static("Basic realm=\"Binnacle\", charset=\"UTF-8\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    answer::with_status(StatusCode::UNAUTHORIZED, response)
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn takes_the_port_off() {
        let check = |host, want| assert_eq!(host_name(host), want);
        check("localhost:9090", "localhost");
        check("[::1]:9090", "[::1]");
        check("[::1]", "[::1]");
        check("evil.example", "evil.example");
    }
}
