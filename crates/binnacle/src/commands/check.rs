//! `binnacle check`: what each file was taken for, and every mistake.

use crate::cli::{Check, CheckedKind, Format};
use crate::print;
use crate::setup::{self, Kind, Options};
use anyhow::Context as _;
use ingest::exposition;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Checks and prints; exit status 1 where a mistake was found. Notes leave it at 0.
pub(crate) fn run(check: &Check) -> anyhow::Result<ExitCode> {
    if let Some((first, files)) = check.paths.split_first()
        && first.as_os_str() == "metrics"
        && !files.is_empty()
    {
        return metrics(files, check.openmetrics);
    }
    let kind = check.kind.map(|kind| match kind {
        CheckedKind::Prometheus => Kind::Prometheus,
        CheckedKind::Rules => Kind::Rules,
        CheckedKind::Alertmanager => Kind::Alertmanager,
    });
    let options = Options {
        kind,
        syntax_only: check.syntax_only,
        data: None,
    };
    let (mut setup, mistakes) = setup::read(&check.paths, options);
    setup.notes.extend(crate::wiring::stand_ins::notes(&setup));
    match check.output.output {
        Format::Json => print_json(&setup, &mistakes),
        Format::Table => print_lines(&setup, &mistakes),
    }
    Ok(if mistakes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn print_lines(setup: &setup::Setup, mistakes: &[String]) {
    for (path, kind, status) in &setup.listing {
        print::line(&format!("{}: {}: {status}", path.display(), kind.name()));
    }
    for note in &setup.notes {
        print::line(&format!("note: {note}"));
    }
    for mistake in mistakes {
        print::line(mistake);
    }
    let rules: usize = setup
        .rule_files
        .iter()
        .flat_map(|file| &file.groups)
        .map(|g| g.rules.len())
        .sum();
    let targets = setup
        .prometheus
        .as_ref()
        .map_or(0, |prometheus| prometheus.file.scrape_configs.len());
    let counts = format!("{targets} scrape configs, {rules} rules");
    let lines: usize = mistakes.iter().map(|text| text.lines().count()).sum();
    match lines {
        0 => print::line(&format!("ok: {counts}")),
        1 => print::line("1 mistake"),
        many => print::line(&format!("{many} mistakes")),
    }
}

fn print_json(setup: &setup::Setup, mistakes: &[String]) {
    let file = |(path, kind, status): &(PathBuf, Kind, String)| json!({"path": path.display().to_string(), "kind": kind.name(), "status": status});
    let lines: Vec<&str> = mistakes.iter().flat_map(|text| text.lines()).collect();
    let files: Vec<Value> = setup.listing.iter().map(file).collect();
    print::json(&json!({"files": files, "notes": setup.notes, "mistakes": lines}));
}

/// Judges exposition text strictly by its specification.
fn metrics(files: &[PathBuf], openmetrics: bool) -> anyhow::Result<ExitCode> {
    let format = if openmetrics {
        exposition::Format::OpenMetrics
    } else {
        exposition::Format::Text
    };
    let mut sound = true;
    for file in files {
        let bytes = read(file)?;
        let shown = if file.as_os_str() == "-" {
            "standard input".into()
        } else {
            file.to_string_lossy()
        };
        if let Err(error) = exposition::check(&bytes, format) {
            print::line(&format!("{shown}:{}: {}", error.line, error.message));
            sound = false;
        }
    }
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| file.display().to_string())
}
