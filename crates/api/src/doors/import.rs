//! `/api/v1/import`, `/api/v1/import/csv`, `/api/v1/import/prometheus` and `/api/v1/export`, as VictoriaMetrics has them.

use super::body::{header, unpacked};
use super::{LINES_BYTES_MAX, take_lines};
use crate::answer::{self, Answer, Failure};
use crate::params::Params;
use crate::services::Services;
use crate::time;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use ingest::exposition::Format;
use ingest::import::csv;
use ingest::lines::Lines;
use model::{Labels, Matcher, ReadBudget, TimeRange, Timestamp};
use std::sync::Arc;

/// Samples of a line at most where the request does not say.
const LINE_SAMPLES_MAX: usize = 10_000;
/// Bytes that an export hands over at a time.
const CHUNK_BYTES: usize = 256 << 10;
/// Chunks that wait for a slow reader.
const CHUNKS_MAX: usize = 4;

/// JSON lines.
pub(crate) async fn json_lines(State(services): State<Arc<Services>>, request: Request) -> Answer {
    let Opened { body, extra, .. } = open(request).await?;
    import(&services, move || {
        ingest::import::decode_json_lines(&body, &extra)
    })
    .await
}

/// CSV, described by the parameter `format`.
pub(crate) async fn csv(State(services): State<Arc<Services>>, request: Request) -> Answer {
    let now = services.clock.now();
    let opened = open(request).await?;
    let description = opened.params.get("format").ok_or_else(|| {
        Failure::bad_data(
            "the parameter format is missing, such as format=1:label:host,2:metric:load",
        )
    })?;
    let format = csv::Format::parse(description).map_err(Failure::bad_data)?;
    let Opened { body, extra, .. } = opened;
    import(&services, move || {
        csv::decode(&body, &format, (&extra, now))
    })
    .await
}

/// Exposition text; the parameter `timestamp` (ms) is the time of lines without one.
pub(crate) async fn exposition(State(services): State<Arc<Services>>, request: Request) -> Answer {
    let Opened {
        params,
        headers,
        body,
        extra,
    } = open(request).await?;
    let at = match params.get("timestamp") {
        None => services.clock.now(),
        Some(text) => Timestamp::from_millis(text.parse().map_err(|_no_number| {
            Failure::bad_data(format!("timestamp {text:?} is no number of milliseconds"))
        })?),
    };
    let format = Format::from_content_type(header(&headers, CONTENT_TYPE)).unwrap_or(Format::Text);
    import(&services, move || {
        ingest::import::exposition::decode(&body, format, (&extra, at))
    })
    .await
}

/// A request of any kind, read.
struct Opened {
    params: Params,
    headers: HeaderMap,
    body: Vec<u8>,
    /// Labels that every series gets: `extra_label=name=value`.
    extra: Labels,
}

async fn open(request: Request) -> Result<Opened, Failure> {
    let params = Params::parse(request.uri().query().unwrap_or_default());
    let mut pairs = Vec::new();
    for label in params.all("extra_label") {
        let pair = label
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| Failure::bad_data(format!("extra_label {label:?} is not name=value")))?;
        pairs.push(pair);
    }
    let extra = Labels::from_pairs(pairs);
    let (parts, body) = request.into_parts();
    let body = unpacked(&parts.headers, body, LINES_BYTES_MAX).await?;
    Ok(Opened {
        params,
        headers: parts.headers,
        body,
        extra,
    })
}

/// 204 where everything was stored; otherwise 400 with what was stored and each line that was not.
async fn import(
    services: &Arc<Services>,
    decode: impl FnOnce() -> Lines + Send + 'static,
) -> Answer {
    let taken = take_lines(services, "import", decode).await?;
    let Some(complaint) = taken.complaint else {
        return Ok(answer::empty(StatusCode::NO_CONTENT));
    };
    let message = format!(
        "{} samples were stored, {} lines were refused\n{complaint}",
        taken.appended.accepted, taken.refused
    );
    Ok(answer::line(StatusCode::BAD_REQUEST, &message))
}

/// Series as JSON lines, handed over while they are read.
pub(crate) async fn export(State(services): State<Arc<Services>>, params: Params) -> Answer {
    let start = time::time(&params, "start", Timestamp::MIN)?;
    let end = time::time(&params, "end", Timestamp::MAX)?;
    let samples_max = params
        .count("max_rows_per_line")?
        .unwrap_or(LINE_SAMPLES_MAX);
    let selectors = params
        .all("match[]")
        .chain(params.all("match"))
        .map(|text| {
            promql::parse_metric_selector(text).map_err(|error| {
                Failure::bad_data(format!("invalid parameter \"match[]\": {error}"))
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    if selectors.is_empty() {
        return Err(Failure::bad_data("no match[] parameter provided"));
    }
    let (sender, receiver) = tokio::sync::mpsc::channel(CHUNKS_MAX);
    let range = TimeRange { start, end };
    let reader = Arc::clone(&services);
    // Ends by itself when the receiver is gone: then nothing can be sent any more.
    let _reading = tokio::task::spawn_blocking(move || {
        write_series(&reader, &selectors, (range, samples_max), &sender);
    });
    let chunks = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let chunk: Result<Bytes, std::io::Error> = receiver.recv().await?;
        Some((chunk, receiver))
    });
    Ok(answer::text(
        "application/stream+json; charset=utf-8",
        Body::from_stream(chunks),
    ))
}

type Chunks = tokio::sync::mpsc::Sender<Result<Bytes, std::io::Error>>;

fn write_series(
    services: &Services,
    selectors: &[Vec<Matcher>],
    (range, samples_max): (TimeRange, usize),
    chunks: &Chunks,
) {
    let mut text = String::new();
    // One series at a time is in memory, so the budget is only for cancelling.
    let budget = ReadBudget::new(usize::MAX);
    for matchers in selectors {
        let scan = match services.source.scan(matchers, range) {
            Ok(scan) => scan,
            Err(error) => return break_off(chunks, &error),
        };
        for (index, labels) in scan.labels().iter().enumerate() {
            let columns = match scan.read(index, &budget) {
                Ok(columns) => columns,
                Err(error) => return break_off(chunks, &error),
            };
            budget.give_back(columns.len());
            ingest::import::encode_json_lines(&mut text, labels, &columns, samples_max);
            if text.len() >= CHUNK_BYTES
                && chunks
                    .blocking_send(Ok(std::mem::take(&mut text).into()))
                    .is_err()
            {
                return;
            }
        }
    }
    if !text.is_empty() {
        // The reader may have gone.
        let _unread = chunks.blocking_send(Ok(text.into()));
    }
}

/// The status is sent already: the connection is cut, so that nobody takes a part for the whole.
fn break_off(chunks: &Chunks, error: &model::SourceError) {
    tracing::error!(%error, "an export broke off");
    let error = std::io::Error::other(error.to_string());
    let _unread = chunks.blocking_send(Err(error));
}
