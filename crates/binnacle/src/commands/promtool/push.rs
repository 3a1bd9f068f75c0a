//! `promtool push metrics`: expositions sent to a remote write receiver.

use super::http::{Server, given_labels};
use crate::cli::promtool::query::PushMetrics;
use crate::print;
use anyhow::{Context as _, bail};
use ingest::exposition::{Entry, Format, Parser};
use model::{Labels, SeriesSamples, Timestamp};
use runtime::{Clock as _, SystemClock};
use std::io::Read as _;

/// Bytes of an exposition.
const BODY_BYTES_MAX: u64 = 256 << 20;

/// Reads the files, or standard input, and sends each.
pub(super) fn run(push: &PushMetrics) -> anyhow::Result<()> {
    let url = reqwest::Url::parse(&push.url).with_context(|| push.url.clone())?;
    let path = match url.path() {
        "/" | "" => push.path.clone(),
        given => given.to_owned(),
    };
    let host = url.origin().ascii_serialization();
    let server = Server::new(&host, push.http_config.as_deref(), &push.header)?;
    let labels = Labels::from_pairs(given_labels(&push.label)?);
    let now = SystemClock::new().now();
    if push.files.is_empty() {
        let mut body = Vec::new();
        std::io::stdin()
            .lock()
            .take(BODY_BYTES_MAX)
            .read_to_end(&mut body)?;
        send(
            (&server, &path),
            "standard input",
            &rows(&body, &labels, now)?,
        )?;
    }
    for file in &push.files {
        print::line(&format!("Parsing metrics from {}", file.display()));
        let body = std::fs::read(file).with_context(|| file.display().to_string())?;
        let rows = rows(&body, &labels, now).with_context(|| file.display().to_string())?;
        send((&server, &path), &file.display().to_string(), &rows)?;
    }
    Ok(())
}

fn rows(body: &[u8], more: &Labels, now: Timestamp) -> anyhow::Result<Vec<SeriesSamples>> {
    let wrong = |error: ingest::exposition::ParseError| {
        anyhow::anyhow!("FAILED: line {}: {}", error.line, error.message)
    };
    let mut parser = Parser::new(body, Format::Text);
    let mut rows = Vec::new();
    while let Some(entry) = parser.next_entry().map_err(wrong)? {
        if let Entry::Series(series) = entry {
            let labels = more.merged_with(&parser.labels().map_err(wrong)?);
            let at = series.timestamp.unwrap_or(now);
            rows.push(SeriesSamples::float(labels, at, series.value));
        }
    }
    Ok(rows)
}

fn send((server, path): (&Server, &str), from: &str, rows: &[SeriesSamples]) -> anyhow::Result<()> {
    let body = ingest::remote_out::encode_samples(rows);
    let headers = [
        ("Content-Type", "application/x-protobuf"),
        ("Content-Encoding", "snappy"),
        ("X-Prometheus-Remote-Write-Version", "0.1.0"),
    ];
    let (status, text) = server.post(path, &headers, body)?;
    if !(200..300).contains(&status) {
        bail!(
            "  FAILED to push metrics from {from}: server returned HTTP status {status}: {}",
            text.trim()
        );
    }
    print::line("  SUCCESS: metrics pushed to remote write.");
    Ok(())
}
