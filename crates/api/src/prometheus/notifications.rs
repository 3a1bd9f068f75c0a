//! `/api/v1/notifications` and its live stream of server-sent events.

use crate::answer::{self, Answer};
use crate::notifications::Notification;
use crate::services::Services;
use crate::time::rfc3339;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;

/// Lists what holds now.
pub(crate) async fn list(State(services): State<Arc<Services>>) -> Answer {
    let list: Vec<Value> = services.notifications.list().iter().map(as_json).collect();
    Ok(answer::success(&Value::from(list)))
}

/// Streams what holds and every change; 204 where too many listen already, so that browsers do not try again.
pub(crate) async fn live(State(services): State<Arc<Services>>) -> Response {
    let Some(follower) = services.notifications.follow() else {
        return answer::empty(StatusCode::NO_CONTENT);
    };
    let events = futures_util::stream::unfold(follower, |mut follower| async move {
        let news = follower.recv().await?;
        let event = format!("data: {}\n\n", as_json(&news));
        Some((Ok::<Bytes, Infallible>(Bytes::from(event)), follower))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/event-stream");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn as_json(news: &Notification) -> Value {
    json!({"text": news.text, "date": rfc3339(news.at), "active": news.active})
}
