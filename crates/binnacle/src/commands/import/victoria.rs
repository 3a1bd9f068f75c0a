//! Imports from VictoriaMetrics: a file of JSON lines, or a running server's `/api/v1/export`.

use super::text;
use crate::cli::{Destination, ServerAddress};
use crate::commands::client::Client;
use crate::commands::selection::selection;
use interchange::victoriametrics::VictoriaMetrics;
use model::TimeRange;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

/// Every series has a name.
const ALL: &str = "{__name__!=\"\"}";

/// Imports from a file or an address.
pub(super) fn run(source: &str, to: &Destination) -> anyhow::Result<ExitCode> {
    let mut taker = VictoriaMetrics;
    if !source.starts_with("http://") && !source.starts_with("https://") {
        return text::run(Path::new(source), to, &mut taker);
    }
    // The token is for where samples go; this server has none, or one in its address.
    let client = Client::new(&ServerAddress {
        url: source.to_owned(),
        token: Some(String::new()),
    })?;
    let range = selection(&to.selection)?.range;
    let seconds = |millis: i64| format!("{}.{:03}", millis / 1000, millis % 1000);
    let (start, end) = (seconds(range.start.millis()), seconds(range.end.millis()));
    let matches = to.selection.matches.as_deref().unwrap_or(ALL);
    // With this the server sends long series in several lines instead of holding them.
    let mut parameters = vec![("match[]", matches), ("reduce_mem_usage", "1")];
    if range.start != TimeRange::ALL.start {
        parameters.push(("start", &start));
    }
    if range.end != TimeRange::ALL.end {
        parameters.push(("end", &end));
    }
    let body = client.stream("/api/v1/export", &parameters)?;
    let mut input = BufReader::with_capacity(1 << 20, body);
    text::read((Path::new(source), &mut input, 0), to, &mut taker)
}
