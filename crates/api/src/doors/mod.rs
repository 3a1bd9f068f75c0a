//! Doors for samples besides scrapes and Prometheus' remote write: each protocol's paths and answers.

pub(crate) mod body;
pub mod graphite;
pub(crate) mod import;
pub(crate) mod influx;
pub(crate) mod pushgateway;

use crate::answer::Failure;
use crate::services::Services;
use ingest::lines::Lines;
use model::Appended;
use std::sync::Arc;

/// Bytes of a body of lines at most, unpacked.
const LINES_BYTES_MAX: usize = 128 << 20;

/// What became of a body of lines.
struct Taken {
    /// Samples that the lines gave.
    samples: usize,
    appended: Appended,
    /// Lines that could not be read.
    refused: usize,
    /// Everything that is to be said against the body, a line each.
    complaint: Option<String>,
}

/// Reads a body with `decode` and stores what it gives, on a blocking thread.
async fn take_lines(
    services: &Arc<Services>,
    protocol: &'static str,
    decode: impl FnOnce() -> Lines + Send + 'static,
) -> Result<Taken, Failure> {
    let ingest = Arc::clone(&services.ingest);
    let work = move || {
        let lines = decode();
        let appended = ingest.append_from(protocol, &lines.rows)?;
        ingest.count_refused_lines(protocol, lines.refused);
        Ok::<_, model::SinkError>((lines, appended))
    };
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a write ended unexpectedly");
        Failure::internal("the write ended unexpectedly")
    })?;
    let (lines, appended) = done.map_err(|error| Failure::unavailable(error.to_string()))?;
    let mut complaints: Vec<String> = lines.complaint().into_iter().collect();
    let reasons = [
        (appended.too_old, "older than the store still takes"),
        (appended.too_new, "too far in the future"),
        (
            appended.duplicates,
            "of a time that has another value already",
        ),
        (appended.over_limit, "of series beyond a limit"),
    ];
    for (count, reason) in reasons {
        if count > 0 {
            complaints.push(format!("{count} samples were refused: {reason}"));
        }
    }
    Ok(Taken {
        samples: lines.sample_count(),
        appended,
        refused: lines.refused,
        complaint: (!complaints.is_empty()).then(|| complaints.join("\n")),
    })
}
