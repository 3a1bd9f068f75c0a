//! `binnacle rules backtest`: rules over stored data, by a running server or over a data folder.

mod report;

use super::client::Client;
use super::import::open_store;
use crate::cli::{Backtest, Rules, RulesCommand};
use crate::print;
use anyhow::{Context as _, bail};
use api::backtest::{self, incidents};
use model::{TimeRange, Timestamp};
use promql::{Engine, EngineOptions};
use rules::backtest::Watch;
use rules::file::{self, RuleFile, UnknownFields};
use runtime::{SharedClock, SystemClock};
use serde_json::{Map, Value};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a file at most; the server takes no more.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Runs what was asked.
pub(crate) fn run(rules: &Rules) -> anyhow::Result<ExitCode> {
    match &rules.what {
        RulesCommand::Backtest(command) => backtest(command),
    }
}

fn backtest(command: &Backtest) -> anyhow::Result<ExitCode> {
    let rules = read(&command.file)?;
    let name = command.file.display().to_string();
    // Mistakes are told before anything is asked.
    let parsed = file::parse(&name, &rules, UnknownFields::Refuse)
        .map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let incidents = command
        .incidents
        .as_deref()
        .map(read_incidents)
        .transpose()?;
    let alertmanager = command.alertmanager.as_deref().map(read).transpose()?;
    let report = match &command.data {
        None => {
            let mut asked = Map::new();
            let mut say =
                |name: &str, text: String| drop(asked.insert(name.to_owned(), text.into()));
            say("rules", rules);
            say("file", name);
            say("since", command.since.clone());
            if let Some(until) = &command.until {
                say("end", until.clone());
            }
            if let Some((file, text)) = incidents {
                say("incidents", text);
                say("incidentsFile", file);
            }
            if let Some(text) = alertmanager {
                say("alertmanager", text);
            }
            let client = Client::new(&command.server)?;
            client.post_patiently("/api/binnacle/v1/rules/backtest", &Value::Object(asked))?
        }
        Some(data) => over_folder(command, data, parsed, (incidents, alertmanager))?,
    };
    if command.json {
        print::json(&report);
    } else {
        report::print(&report, &command.file);
    }
    Ok(if report::is_sound(&report) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn over_folder(
    command: &Backtest,
    data: &Path,
    rules: RuleFile,
    (incidents, alertmanager): (Option<(String, String)>, Option<String>),
) -> anyhow::Result<Value> {
    if !data.join("metrics").is_dir() {
        bail!("{}: no data folder of ours", data.display());
    }
    let duration = |flag: &str, text: &str| {
        model::parse_duration(text)
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("{flag} {text:?}"))
    };
    let clock: SharedClock = SystemClock::shared();
    let end = match &command.until {
        None => clock.now(),
        Some(text) => moment(text)?,
    };
    let start = end.plus_millis(-duration("--since", &command.since)?);
    let routing = alertmanager
        .map(|text| dispatch::config::Config::parse(&text, "alertmanager.yml"))
        .transpose()
        .map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let incidents = incidents
        .map(|(file, text)| incidents::read(&file, &text))
        .transpose()
        .map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let db = Arc::new(open_store(data)?);
    let report = backtest::run(backtest::Backtest {
        rules: rules::Config {
            files: vec![rules],
            interval_ms: duration("--interval", &command.interval)?.max(1),
            ..rules::Config::default()
        },
        routing: routing.map(Arc::new),
        incidents,
        engine: Engine::new(EngineOptions::new(Arc::clone(&clock))),
        source: Arc::clone(&db) as _,
        clock: Arc::clone(&clock),
        range: TimeRange { start, end },
        // Whoever waits for it ends it.
        watch: &Watch::new(clock, Duration::MAX, &|| false),
    })?;
    db.close()?;
    Ok(report)
}

/// RFC 3339, or seconds since 1970.
fn moment(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok(Timestamp::from_seconds(seconds));
    }
    let moment: jiff::Timestamp = text
        .parse()
        .with_context(|| format!("--until {text:?} is not a time"))?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
}

fn read_incidents(path: &Path) -> anyhow::Result<(String, String)> {
    let (file, text) = (path.display().to_string(), read(path)?);
    incidents::read(&file, &text).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Ok((file, text))
}

fn read(path: &Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(path)
        .with_context(|| path.display().to_string())?
        .len();
    if size > FILE_BYTES_MAX {
        bail!(
            "{}: {size} bytes, at most {FILE_BYTES_MAX} are read",
            path.display()
        );
    }
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}
