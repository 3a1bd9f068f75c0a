//! `binnacle import`: other stores' data into ours.

mod destination;
mod text;
mod victoria;

pub(crate) use destination::open_store;

use super::progress::{Progress, grouped};
use super::selection::selection;
use crate::cli::{Destination, Format, Import, Imported};
use crate::print;
use anyhow::Context as _;
use destination::Open;
use interchange::influx::Influx;
use interchange::openmetrics::OpenMetrics;
use interchange::prometheus::{self, Report};
use model::Appended;
use runtime::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// Imports what was named.
pub(crate) fn run(import: &Import) -> anyhow::Result<ExitCode> {
    match &import.what {
        Imported::Prometheus { directory, to } => from_prometheus(directory, to),
        Imported::Victoriametrics { source, to } => victoria::run(source, to),
        Imported::Influx {
            file,
            precision,
            database,
            to,
        } => {
            let now = SystemClock::new().now();
            let mut influx = Influx::new(precision, database, now)
                .with_context(|| format!("--precision {precision:?} is no unit of time"))?;
            text::run(file, to, &mut influx)
        }
        Imported::Openmetrics { file, to } => text::run(file, to, &mut OpenMetrics::default()),
    }
}

fn from_prometheus(directory: &Path, to: &Destination) -> anyhow::Result<ExitCode> {
    let selection = selection(&to.selection)?;
    // Whoever gives a wrong directory shall not get a new data folder for it.
    prometheus::DataFolder::open(directory)?;
    let open = Open::new(to)?;
    let mut journal = destination::journal(to)?;
    let place = std::fs::canonicalize(directory).unwrap_or_else(|_gone| directory.to_owned());
    let flags = &to.selection;
    let name = format!(
        "{} to {} {:?} {:?} {:?}",
        place.display(),
        to.url.as_deref().unwrap_or("files"),
        flags.matches,
        flags.from,
        flags.to
    );
    let report = {
        let mut bar = Progress::new();
        let mut show = |progress: &prometheus::Progress| {
            let text = format!("{} samples, {}", grouped(progress.samples), progress.piece);
            bar.show((progress.bytes_done, progress.bytes), &text);
        };
        let mut destination = prometheus::Destination {
            sink: open.sink(),
            settle: &|| open.settle(),
            journal: &mut journal,
            name,
        };
        prometheus::import(directory, &selection, &mut destination, &mut show)?
    };
    let complaints = open.close()?;
    for damage in &report.damages {
        print::note(&format!("damaged, left out: {damage}"));
    }
    say_complaints(&complaints);
    if to.output.output == Format::Json {
        print::json(&as_json(&report));
    } else {
        print::line(&in_words(&report));
    }
    let appended = &report.appended;
    let is_whole = report.damages.is_empty() && complaints.is_empty() && refused(appended) == 0;
    Ok(ExitCode::from(u8::from(!is_whole)))
}

fn say_complaints(complaints: &[String]) {
    for complaint in complaints {
        print::note(&format!("the server refused samples: {complaint}"));
    }
}

/// Samples that a store did not take.
const fn refused(appended: &Appended) -> usize {
    appended.duplicates + appended.too_old + appended.too_new + appended.over_limit
}

fn in_words(report: &Report) -> String {
    let mut text = format!(
        "{} blocks and the head: {} samples taken",
        report.blocks,
        grouped(report.appended.accepted)
    );
    let mut add = |number: usize, what: &str| {
        if number > 0 {
            text.push_str(&format!(", {} {what}", grouped(number)));
        }
    };
    add(report.blocks_before, "blocks done before");
    add(report.exemplars, "exemplars");
    add(report.deleted, "deleted samples left out");
    add(report.head.nameless, "samples of unnamed series left out");
    add(
        report.head.unknown_records,
        "records of unknown kinds left out",
    );
    add(
        report.appended.duplicates,
        "refused: their time has another value",
    );
    add(report.appended.too_old, "refused: too old");
    add(report.appended.too_new, "refused: in the future");
    add(report.appended.over_limit, "refused: too many series");
    add(report.damages.len(), "damages");
    text
}

fn as_json(report: &Report) -> Value {
    let damages: Vec<String> = report.damages.iter().map(ToString::to_string).collect();
    json!({
        "blocks": report.blocks,
        "blocksDoneBefore": report.blocks_before,
        "samples": report.samples,
        "accepted": report.appended.accepted,
        "refused": refused(&report.appended),
        "exemplars": report.exemplars,
        "deleted": report.deleted,
        "nameless": report.head.nameless,
        "unknownRecords": report.head.unknown_records,
        "damages": damages,
    })
}
