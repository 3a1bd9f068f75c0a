//! `/api/v1/read`: remote read, in both forms. It answers from the local store alone, so two servers that read from each
//! other do not ask without end.

use crate::answer::{self, Answer, Failure};
use crate::params::read_body;
use crate::services::Services;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, HeaderValue};
use interchange::remote_read::{
    Answerer, REQUEST_BYTES_MAX, ReadError, SAMPLES_TYPE, STREAMED_TYPE, decode_request,
};
use model::{Labels, ReadBudget, SourceError};
use std::sync::Arc;
use std::time::Duration;

/// Samples of one answer at most; a stream holds one series at a time.
const SAMPLES_MAX: usize = 50_000_000;
/// How long a request waits for its turn among the queries.
const PATIENCE: Duration = Duration::from_secs(60);
/// Frames that wait for a slow reader.
const FRAMES_MAX: usize = 4;

type Frames = tokio::sync::mpsc::Sender<Result<Bytes, std::io::Error>>;

/// Answers a request.
pub(crate) async fn read(State(services): State<Arc<Services>>, request: Request) -> Answer {
    let body = read_body(request.into_body(), REQUEST_BYTES_MAX).await?;
    let request = match decode_request(&body) {
        Ok(request) => request,
        Err(error) => return Ok(answer::line(StatusCode::BAD_REQUEST, &error.to_string())),
    };
    let permit = services.queries.admit(PATIENCE).await?;
    let external = (services.setup)().external_labels;
    if !request.wants_frames {
        let work = move || {
            let _held = permit;
            samples(&services, &external, &request)
        };
        let done = tokio::task::spawn_blocking(work).await.map_err(|error| {
            tracing::error!(%error, "a remote read ended unexpectedly");
            Failure::internal("the remote read ended unexpectedly")
        })?;
        return Ok(done);
    }
    let (sender, receiver) = tokio::sync::mpsc::channel(FRAMES_MAX);
    // Ends by itself when the receiver is gone.
    let _reading = tokio::task::spawn_blocking(move || {
        let _held = permit;
        frames(&services, &external, (&request, &sender));
    });
    let chunks = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let frame: Result<Bytes, std::io::Error> = receiver.recv().await?;
        Some((frame, receiver))
    });
    Ok(answer::text(STREAMED_TYPE, Body::from_stream(chunks)))
}

fn samples(
    services: &Services,
    external: &Labels,
    request: &interchange::remote_read::Request,
) -> Response {
    let budget = ReadBudget::new(SAMPLES_MAX);
    let answerer = Answerer {
        source: services.db.as_ref(),
        external,
        budget: &budget,
    };
    match answerer.samples(request) {
        Ok(body) => {
            let mut response = answer::text(SAMPLES_TYPE, body);
            let snappy = HeaderValue::from_static("snappy");
            response.headers_mut().insert(CONTENT_ENCODING, snappy);
            response
        }
        Err(error) => {
            let status = match error {
                ReadError::Source(SourceError::TooManySamples) | ReadError::Wire(_) => {
                    StatusCode::BAD_REQUEST
                }
                ReadError::Source(_) => StatusCode::INTERNAL_SERVER_ERROR,
            };
            answer::line(status, &error.to_string())
        }
    }
}

fn frames(
    services: &Services,
    external: &Labels,
    (request, frames): (&interchange::remote_read::Request, &Frames),
) {
    let budget = ReadBudget::new(SAMPLES_MAX);
    let answerer = Answerer {
        source: services.db.as_ref(),
        external,
        budget: &budget,
    };
    let mut send = |frame: Vec<u8>| frames.blocking_send(Ok(frame.into())).is_ok();
    if let Err(error) = answerer.frames(request, &mut send) {
        // The status is sent already: the connection is cut, so that nobody takes a part for the whole.
        tracing::error!(%error, "a remote read broke off");
        let _unread = frames.blocking_send(Err(std::io::Error::other(error.to_string())));
    }
}
