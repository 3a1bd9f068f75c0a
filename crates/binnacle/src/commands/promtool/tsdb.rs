//! `promtool tsdb`: on Prometheus' data directories and on our own.
//!
//! Unlike upstream's, `dump` prints every native histogram of a series; 2.x and 3.x lose the first one or two.

mod analyze;
mod backfill;
mod bench;
mod dump;
mod list;
mod rules;

use crate::cli::{Bench, CreateBlocksFrom, Tsdb};
use anyhow::bail;
use model::Matcher;
use std::path::Path;

/// Runs a subcommand.
pub(super) fn run(command: &Tsdb) -> anyhow::Result<()> {
    match command {
        Tsdb::Bench {
            command:
                Bench::Write {
                    file,
                    out,
                    metrics,
                    scrapes,
                },
        } => bench::write(file, out, (*metrics, *scrapes)),
        Tsdb::Analyze {
            path,
            block,
            limit,
            extended,
            matches,
        } => {
            let what = analyze::What {
                limit: *limit,
                extended: *extended,
                matches: matches.as_deref(),
            };
            analyze::run(path, block.as_deref(), &what)
        }
        Tsdb::List {
            path,
            human_readable,
        } => list::run(path, *human_readable),
        Tsdb::Dump { dump, format } => dump::run(dump, (*format).into()),
        Tsdb::DumpOpenmetrics { dump } => dump::run(dump, dump::Format::OpenMetrics),
        Tsdb::CreateBlocksFrom {
            command: CreateBlocksFrom::Rules(command),
        } => rules::run(command),
        Tsdb::CreateBlocksFrom {
            command:
                CreateBlocksFrom::Openmetrics {
                    file,
                    output,
                    label,
                    max_block_duration,
                    shown,
                },
        } => {
            let blocks = backfill::Blocks::new(output, max_block_duration, *shown)?;
            backfill::run(file, label, blocks)
        }
    }
}

/// Whose data a path holds.
enum Kind {
    Prometheus,
    Ours,
}

/// Looks at a path; fails in upstream's words where there is none.
fn kind_of(path: &Path) -> anyhow::Result<Kind> {
    if let Err(error) = std::fs::metadata(path) {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            _ => error.to_string(),
        };
        bail!("opening the db dir: stat {}: {why}", path.display());
    }
    let is_ours = path.join("metrics").join("blocks").is_dir();
    Ok(if is_ours {
        Kind::Ours
    } else {
        Kind::Prometheus
    })
}

/// Reads a selector.
fn selector(text: &str) -> anyhow::Result<Vec<Matcher>> {
    promql::parse_metric_selector(text).map_err(|error| anyhow::anyhow!("{error}"))
}

/// A span of time as Go prints one: `1h59m0.001s`.
fn go_duration(millis: i64) -> String {
    if millis == 0 {
        return "0s".to_owned();
    }
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    if millis < 1000 {
        return format!("{sign}{millis}ms");
    }
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let seconds = model::format_float(model::number::u64_to_float(millis % 60_000) / 1000.0);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_as_go_prints_them() {
        let check = |millis, want| assert_eq!(super::go_duration(millis), want);
        check(0, "0s");
        check(1, "1ms");
        check(60_001, "1m0.001s");
        check(7_140_001, "1h59m0.001s");
        check(7_200_000, "2h0m0s");
        check(1500, "1.5s");
        check(-2000, "-2s");
    }
}
