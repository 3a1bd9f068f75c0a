//! One heartbeat: a request by the same threads that deliver notifications, so that it stops with them.

use super::http::{Request, check, send};
use super::kit::Secrets;
use super::{Deliverer, Failure, client};
use crate::config::Heartbeat;
use config::Secret;
use model::Timestamp;
use reqwest::Method;
use std::time::Duration;

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Deliverer {
    /// Sends a heartbeat; how it ended goes to `done`.
    pub(crate) fn beat(
        &self,
        heartbeat: Heartbeat,
        now: Timestamp,
        done: impl FnOnce(Result<(), String>) + Send + 'static,
    ) {
        self.spawn(async move {
            let prepared = tokio::task::spawn_blocking(move || prepare(&heartbeat, now)).await;
            let ended = match prepared {
                Ok(Ok((request, secrets))) => tokio::time::timeout(TIMEOUT, ask(request))
                    .await
                    .unwrap_or_else(|_| Err(Failure::passing("no answer in time".to_owned())))
                    .map_err(|failure| failure.shown(&secrets)),
                Ok(Err(error)) => Err(error),
                Err(error) => Err(error.to_string()),
            };
            done(ended);
        });
    }
}

async fn ask(request: Request) -> Result<(), Failure> {
    let answer = send(request).await?;
    check(&answer, super::http::PLAIN)
}

fn prepare(heartbeat: &Heartbeat, now: Timestamp) -> Result<(Request, Secrets), String> {
    let url = heartbeat.url.read()?;
    let mut headers: Vec<(String, Secret)> = heartbeat.http.request_headers()?;
    headers.retain(|(name, _)| !name.is_empty());
    let mut secrets = Secrets::default();
    secrets.hide_url(url.reveal());
    for (_, value) in &headers {
        secrets.hide(value.reveal().rsplit(' ').next().unwrap_or_default());
    }
    let request = Request {
        client: client::build(&heartbeat.http)?,
        method: if heartbeat.posts {
            Method::POST
        } else {
            Method::GET
        },
        url: url.reveal().to_owned(),
        headers: client::header_map(&headers)?,
        content_type: "",
        body: String::new(),
        timeout: None,
        now,
    };
    Ok((request, secrets))
}
