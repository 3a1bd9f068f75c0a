//! The page: built by `make build`, compressed when it was built, carried in the program.

use crate::answer;
use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderMap, HeaderValue};
use http::{StatusCode, Uri};
use include_dir::{Dir, include_dir};
use std::io::Read as _;

static PAGE: Dir<'_> = include_dir!("$OUT_DIR/page");

/// What is shown where the program was built without the page.
const PLAIN_PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Binnacle</title>\
<body style=\"font:16px system-ui;max-width:40em;margin:4em auto\"><h1>Binnacle is running</h1>\
<p>This program was built without its page. Run <code>make build</code> (Node 20 or newer) and start it again.</p>\
<p>The API answers all the same: <a href=/api/v1/targets>targets</a>, <a href=/api/v1/rules>rules</a>, \
<a href=/api/v1/alerts>alerts</a>, <a href=/metrics>metrics</a>.</p>";

/// Nothing from elsewhere runs in the page. Inline styles are needed by its component library.
const CONTENT_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Serves a file of the page; a path without an extension is one of the page's own addresses.
pub(crate) async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_file = last.contains('.');
    if path.starts_with("api/") {
        return answer::line(StatusCode::NOT_FOUND, "404 page not found");
    }
    let name = if is_file { path } else { "index.html" };
    let Some(file) = PAGE.get_file(format!("{name}.gz")) else {
        return if is_file {
            answer::line(StatusCode::NOT_FOUND, "404 page not found")
        } else {
            guarded(answer::text("text/html; charset=utf-8", PLAIN_PAGE))
        };
    };
    let mut response = answer::text(content_type(name), Body::empty());
    if accepts_gzip(&headers) {
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        *response.body_mut() = Body::from(file.contents());
    } else {
        let mut plain = Vec::new();
        match flate2::read::GzDecoder::new(file.contents()).read_to_end(&mut plain) {
            Ok(_) => *response.body_mut() = Body::from(plain),
            Err(error) => {
                return answer::line(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string());
            }
        }
    }
    // Names under assets/ carry a hash of what they hold.
    let lasting = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(lasting));
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    guarded(response)
}

/// Adds the headers that keep anything from elsewhere out of a page.
pub(crate) fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_POLICY),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// Whether the client takes gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|list| {
        list.split(',').any(|part| {
            let mut words = part.split(';').map(str::trim);
            words.next() == Some("gzip") && words.next() != Some("q=0")
        })
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        _ => "application/octet-stream",
    }
}
