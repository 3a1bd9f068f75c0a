//! Answering under a path, as behind a proxy that hands `/prometheus/…` on: `--web.route-prefix`.

use crate::answer;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::LOCATION;
use http::uri::PathAndQuery;
use http::{HeaderValue, StatusCode, Uri};
use std::sync::Arc;

/// The path before every other, without the slash at its end; empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// Reads the flag, or the path of the external address.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let inner = path.trim_matches('/');
        Self(if inner.is_empty() {
            Arc::from("")
        } else {
            Arc::from(format!("/{inner}"))
        })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The prefix as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address without the prefix; `None` where it does not begin with it.
    fn strip(&self, uri: &Uri) -> Option<Uri> {
        let all = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let rest = all.strip_prefix(self.as_str())?;
        let rest = match rest.chars().next() {
            None => "/".to_owned(),
            Some('/') => rest.to_owned(),
            Some('?') => format!("/{rest}"),
            Some(_) => return None,
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(rest.parse().ok()?);
        Uri::from_parts(parts).ok()
    }
}

/// Takes the prefix off; leads `/` to it.
pub(crate) async fn layer(
    State(prefix): State<Prefix>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(uri) = prefix.strip(request.uri()) {
        *request.uri_mut() = uri;
        return next.run(request).await;
    }
    if request.uri().path() != "/" {
        return answer::line(StatusCode::NOT_FOUND, "404 page not found");
    }
    let mut response = answer::empty(StatusCode::FOUND);
    if let Ok(target) = HeaderValue::try_from(format!("{}/", prefix.as_str())) {
        response.headers_mut().insert(LOCATION, target);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::Prefix;
    use http::Uri;

    #[test]
    fn takes_itself_off() {
        let check = |prefix: &str, uri: &'static str, want: Option<&str>| {
            let found = Prefix::new(prefix).strip(&Uri::from_static(uri));
            assert_eq!(
                found.map(|uri| uri.to_string()).as_deref(),
                want,
                "{prefix} {uri}"
            );
        };
        check(
            "/prom/",
            "/prom/api/v1/query?query=up",
            Some("/api/v1/query?query=up"),
        );
        check("prom", "/prom", Some("/"));
        check("prom", "/prom?a=b", Some("/?a=b"));
        check("prom", "/prometheus", None);
        check("prom", "/", None);
        assert!(Prefix::new("/").is_empty());
    }
}
