//! Pages of other sites that may read our answers: `--web.cors.origin`.
//!
//! Without the flag none may: on loopback nobody is asked to log in, so any page that a user visits could read
//! everything. (Upstream lets every site in by default.)

use crate::answer;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN,
    VARY,
};
use http::{Method, StatusCode};
use model::regex::Regex;

/// Which sites may.
#[derive(Clone, Debug)]
pub struct Cors {
    /// `None`: all of them.
    origins: Option<Regex>,
}

const FIXED: [(HeaderName, &str); 3] = [
    (
        ACCESS_CONTROL_ALLOW_HEADERS,
        "Accept, Authorization, Content-Type, Origin",
    ),
    (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
    (ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
];

impl Cors {
    /// Reads the flag's pattern, which must match the whole origin.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        if pattern == ".*" {
            return Ok(Self { origins: None });
        }
        let origins = Regex::new(pattern).map_err(|error| error.to_string())?;
        Ok(Self {
            origins: Some(origins),
        })
    }

    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match &self.origins {
            None => Some(HeaderValue::from_static("*")),
            Some(origins) => {
                let text = origin.to_str().ok()?;
                origins.is_match(text).then(|| origin.clone())
            }
        }
    }
}

/// Adds the headers; answers what browsers ask before they ask.
pub(crate) async fn layer(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        return next.run(request).await;
    };
    let is_question = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let allowed = cors.allowed(&origin);
    let mut response = if is_question {
        answer::empty(StatusCode::NO_CONTENT)
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(allowed) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        for (name, value) in FIXED {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::Cors;
    use http::HeaderValue;

    #[test]
    fn lets_in_whom_the_pattern_names() {
        let check = |pattern: &str, origin: &'static str, want: Option<&str>| {
            let cors = Cors::parse(pattern).expect(pattern);
            let found = cors.allowed(&HeaderValue::from_static(origin));
            assert_eq!(
                found.as_ref().and_then(|value| value.to_str().ok()),
                want,
                "{pattern} {origin}"
            );
        };
        check(".*", "http://a.example", Some("*"));
        check(
            "https?://(a|b).example",
            "http://b.example",
            Some("http://b.example"),
        );
        check("https?://(a|b).example", "http://b.example.evil", None);
        assert!(Cors::parse("(").is_err());
    }
}
