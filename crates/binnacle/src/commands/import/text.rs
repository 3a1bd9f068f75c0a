//! Imports of files of lines: bad lines are named, good ones kept.

use super::destination::Open;
use super::{refused, say_complaints};
use crate::cli::{Destination, Format};
use crate::commands::progress::{Progress, grouped};
use crate::commands::selection::selection;
use crate::print;
use anyhow::Context as _;
use interchange::text::{Taker, TextReport};
use interchange::{Delivery, text};
use model::SeriesSamples;
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;

/// Reads a file (`-` for standard input) with a reader of its format.
pub(super) fn run(
    file: &Path,
    to: &Destination,
    taker: &mut dyn Taker,
) -> anyhow::Result<ExitCode> {
    if file == Path::new("-") {
        let mut input = BufReader::new(std::io::stdin());
        return read((file, &mut input, 0), to, taker);
    }
    let opened = File::open(file).with_context(|| file.display().to_string())?;
    let bytes = opened.metadata()?.len();
    let mut input = BufReader::with_capacity(1 << 20, opened);
    read((file, &mut input, bytes), to, taker)
}

/// Reads an input of a name and a length, which is 0 where nobody knows it.
pub(super) fn read(
    (file, mut input, bytes): (&Path, &mut dyn BufRead, u64),
    to: &Destination,
    taker: &mut dyn Taker,
) -> anyhow::Result<ExitCode> {
    let selection = selection(&to.selection)?;
    let open = Open::new(to)?;
    let mut delivery = Delivery::new(open.sink());
    let report = {
        let mut bar = Progress::new();
        let mut give = |rows: Vec<SeriesSamples>, report: &TextReport| {
            for row in rows {
                delivery.push(row)?;
            }
            let text = format!("{} samples", grouped(report.samples));
            bar.show((report.bytes, bytes.max(report.bytes)), &text);
            Ok(())
        };
        text::read((file, &mut input), taker, &selection, &mut give)?
    };
    delivery.flush()?;
    let appended = delivery.appended;
    drop(delivery);
    open.settle()?;
    let complaints = open.close()?;
    for (line, mistake) in &report.mistakes {
        print::note(&format!("{}:{line}: {mistake}", file.display()));
    }
    let unlisted = report.bad_lines - report.mistakes.len();
    if unlisted > 0 {
        print::note(&format!("and {unlisted} more lines like these"));
    }
    say_complaints(&complaints);
    let lost = refused(&appended);
    if to.output.output == Format::Json {
        print::json(&json!({
            "lines": report.lines,
            "badLines": report.bad_lines,
            "samples": report.samples,
            "accepted": appended.accepted,
            "refused": lost,
        }));
    } else {
        let (taken, lines) = (grouped(appended.accepted), grouped(report.lines));
        let bad = grouped(report.bad_lines);
        print::line(&format!(
            "{lines} lines, {bad} of them with mistakes: {taken} samples taken, {} refused",
            grouped(lost)
        ));
    }
    let is_whole = report.bad_lines == 0 && lost == 0 && complaints.is_empty();
    Ok(ExitCode::from(u8::from(!is_whole)))
}
