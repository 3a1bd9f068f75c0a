//! `binnacle pack list`: every pack, whether it is enabled, and whether the metrics it needs are there.

use super::files::{Folder, State};
use super::server::Server;
use crate::cli::{Format, Pack as Flags};
use crate::commands::table;
use crate::print;
use rules::packs::{Contents, PACKS, Pack};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Names of missing metrics that a line shows at most.
const SHOWN_MAX: usize = 1;

/// What is known of a pack.
struct Line {
    pack: &'static Pack,
    contents: Contents,
    state: State,
    file: String,
    /// Whether the server evaluates it; `None` without a server.
    loaded: Option<bool>,
    /// Metrics that are not there; `None` without a server.
    missing: Option<Vec<String>>,
}

/// Prints the list.
pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let server = match Server::find(&flags.server) {
        // Files can be looked at without the server.
        Err(refused) if flags.place.is_named() => {
            print::note(&format!("{refused:#}"));
            None
        }
        found => found?,
    };
    let folder = Folder::of(&flags.place, server.as_ref())?;
    let lines = PACKS
        .iter()
        .map(|pack| line(pack, &folder, server.as_ref()));
    let lines: Vec<Line> = lines.collect::<anyhow::Result<_>>()?;
    if flags.output.output == Format::Json {
        print::json(&lines.iter().map(as_json).collect());
        return Ok(ExitCode::SUCCESS);
    }
    let row = |line: &Line| {
        vec![
            line.pack.name.to_owned(),
            line.contents.alerts.to_string(),
            enabled(line),
            metrics(line),
            line.pack.watches.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    table::print(&["name", "alerts", "enabled", "metrics", "watches"], &rows);
    if server.is_none() {
        print::note(&format!(
            "nobody answers at {}: whether the metrics are there is not known",
            flags.server.url
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(pack: &'static Pack, folder: &Folder, server: Option<&Server>) -> anyhow::Result<Line> {
    let contents = pack.contents().map_err(anyhow::Error::msg)?;
    let missing = |server: &Server| -> anyhow::Result<Vec<String>> {
        let present: BTreeSet<String> = server.present(&contents.metrics)?;
        Ok(contents.metrics.difference(&present).cloned().collect())
    };
    Ok(Line {
        pack,
        state: folder.state(pack)?,
        file: folder.file(pack).display().to_string(),
        loaded: server.map(|server| server.loaded(pack.name).is_some()),
        missing: server.map(missing).transpose()?,
        contents,
    })
}

fn is_enabled(state: State) -> bool {
    matches!(state, State::Current | State::Older | State::Edited)
}

fn enabled(line: &Line) -> String {
    let word = match line.state {
        State::Absent => "no",
        State::Current => "yes",
        State::Older => "yes, of another version",
        State::Edited => "yes, edited",
        State::Foreign => "no, another file has its name",
    };
    match (is_enabled(line.state), line.loaded) {
        (true, Some(false)) => format!("{word}, after a reload"),
        // Gone from the folder and not read again yet, or enabled in another folder of the server's.
        (false, Some(true)) => "by the server, not in this folder".to_owned(),
        _ => word.to_owned(),
    }
}

fn metrics(line: &Line) -> String {
    let needed = line.contents.metrics.len();
    match line.missing.as_deref() {
        None => format!("? of {needed}"),
        Some([]) => format!("all {needed}"),
        Some(missing) if missing.len() == needed => format!("none of {needed}"),
        Some(missing) => {
            let shown: Vec<&str> = missing.iter().take(SHOWN_MAX).map(String::as_str).collect();
            let more = if missing.len() > SHOWN_MAX {
                ", …"
            } else {
                ""
            };
            let there = needed - missing.len();
            format!("{there} of {needed}, no {}{more}", shown.join(", "))
        }
    }
}

fn as_json(line: &Line) -> Value {
    json!({
        "name": line.pack.name,
        "watches": line.pack.watches,
        "alerts": line.contents.alerts,
        "recordings": line.contents.recordings,
        "enabled": is_enabled(line.state),
        "edited": line.state == State::Edited,
        "outdated": line.state == State::Older,
        "file": line.file,
        "loaded": line.loaded,
        "metrics": line.contents.metrics,
        "missing": line.missing,
    })
}
