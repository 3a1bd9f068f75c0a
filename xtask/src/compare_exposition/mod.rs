//! What our scraper accepts against what Debian's prometheus accepts: upstream's exposition files and mutations of
//! them, each a target that both scrape.
//!
//! `cargo xtask compare-exposition [N [SEED]]` (500 mutations, seed 1). For each body: whether the scrape succeeds, how
//! many samples it has, and every series with its value. Times of the exposition are ignored, so that a
//! body's age does not matter. Known differences of Prometheus 3.x from 2.42 are listed in `reason`.

mod cases;
mod serve;

use crate::process;
use crate::server::{self, Kind, Server};
use anyhow::{Context as _, bail};
use cases::Case;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long both may take for the first scrape of every target.
const PATIENCE: Duration = Duration::from_secs(120);
/// Differences that are shown.
const SHOWN_MAX: usize = 40;
/// Bytes of a body that are shown.
const BODY_SHOWN: usize = 300;

/// Runs the comparison; skips where prometheus or the files are missing.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    let count: usize = words.first().map_or(Ok(500), |word| word.parse())?;
    let seed: u64 = words.get(1).map_or(Ok(1), |word| word.parse())?;
    if process::find(Kind::Prometheus.name()).is_none() {
        println!("skipped: no prometheus on the PATH (on Debian: apt-get install prometheus)");
        return Ok(());
    }
    let folder = process::variable("CONFORMANCE").map(PathBuf::from);
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("skipped: upstream's test data (CONFORMANCE names no folder)");
        return Ok(());
    };
    crate::page::ensure_program()?;
    let mut cases = cases::of_files(&folder.join("openmetrics"))?;
    cases.extend(cases::of_files(&folder.join("textparse"))?);
    let files = cases.len();
    cases.extend(cases::mutations(&cases, count, seed));
    println!("{files} bodies and {count} mutations of them, seed {seed}");
    let place = tempfile::tempdir()?;
    compare(&cases, place.path())
}

/// What a server has of each case, by its number.
type Outcomes = BTreeMap<usize, Outcome>;

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    up: String,
    samples: String,
    /// Values by labels.
    series: BTreeMap<String, String>,
    /// Why a scrape failed; not compared.
    error: String,
}

fn compare(cases: &[Case], place: &Path) -> anyhow::Result<()> {
    // One target for both: its address is a label.
    let target = serve::Bodies::start(cases)?;
    let mut outcomes = Vec::new();
    for kind in [Kind::Binnacle, Kind::Prometheus] {
        outcomes.push(scraped(kind, (&target, cases.len()), place)?);
    }
    let [ours, theirs] = outcomes.as_slice() else {
        bail!("two servers were asked")
    };
    judge(cases, ours, theirs)
}

/// What `kind` has of each of so many cases after a scrape of each.
fn scraped(
    kind: Kind,
    (target, cases): (&serve::Bodies, usize),
    place: &Path,
) -> anyhow::Result<Outcomes> {
    let config = place.join("prometheus.yml");
    write_config(&config, &target.address, cases)?;
    let client = server::client();
    let data = place.join(kind.name());
    std::fs::create_dir_all(&data)?;
    let server = Server::start(kind, &data, Some(&config))?;
    server.ready(&client)?;
    wait(&server, &client, cases)?;
    read(&server, &client)
}

/// Scrapes each file of a folder in the format its name says (`*.om.txt` or text) with our scraper: the file's name,
/// and what went wrong where not every line that is neither empty nor a comment became a sample.
pub(crate) fn parsed_whole(folder: &Path) -> anyhow::Result<Vec<(String, Result<(), String>)>> {
    let mut cases = cases::of_files(folder)?;
    cases.retain(|case| case.name.contains(".om.") == (case.content_type == cases::OPENMETRICS));
    let place = tempfile::tempdir()?;
    let target = serve::Bodies::start(&cases)?;
    let outcomes = scraped(Kind::Binnacle, (&target, cases.len()), place.path())?;
    let judged = cases.iter().enumerate().map(|(number, case)| {
        let body = String::from_utf8_lossy(&case.body);
        let is_sample = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
        let lines = body.lines().filter(is_sample).count().to_string();
        let found = outcomes
            .get(&number)
            .map_or("nothing", |outcome| &outcome.samples);
        let error = outcomes
            .get(&number)
            .map_or("not scraped", |outcome| &outcome.error);
        let verdict = if found == lines && error.is_empty() {
            Ok(())
        } else {
            Err(format!("{found} samples of {lines}: {error}"))
        };
        (case.name.clone(), verdict)
    });
    Ok(judged.collect())
}

fn judge(cases: &[Case], ours: &Outcomes, theirs: &Outcomes) -> anyhow::Result<()> {
    let (mut equal, mut listed, mut differences) = (0, BTreeMap::<&str, usize>::new(), 0);
    for (number, case) in cases.iter().enumerate() {
        let nothing = Outcome::default();
        let a = ours.get(&number).unwrap_or(&nothing);
        let b = theirs.get(&number).unwrap_or(&nothing);
        // How far a scrape came that failed is nobody's concern.
        let is_equal =
            a.up == b.up && a.series == b.series && (a.up == "0" || a.samples == b.samples);
        if is_equal {
            equal += 1;
        } else if let Some(reason) = reason(case, a, b) {
            *listed.entry(reason).or_default() += 1;
        } else {
            differences += 1;
            if differences <= SHOWN_MAX {
                show(case, a, b);
            }
        }
    }
    for (reason, count) in &listed {
        println!("  {count} differ as 3.x does from 2.42: {reason}");
    }
    let total: usize = listed.values().sum();
    println!("compare-exposition: {equal} equal, {total} listed, {differences} different");
    if differences > 0 {
        bail!("the scrapers differ");
    }
    Ok(())
}

/// Why 2.42 differs from 3.x, where it does.
fn reason(case: &Case, ours: &Outcome, theirs: &Outcome) -> Option<&'static str> {
    if theirs.up != "0" {
        return None;
    }
    if theirs.error.ends_with("does not support exemplars") {
        return Some("exemplars are allowed on every sample");
    }
    if case.body.is_empty() && ours.up == "1" {
        return Some("an empty body is an exposition of nothing");
    }
    if theirs.error.contains("{__name__=\" ") {
        return Some("blanks before a name are not part of it");
    }
    let has_quotes = case.body.contains(&b'"');
    if has_quotes && ours.up == "1" && theirs.error.contains("got \"\\\"\"") {
        return Some("names may stand in quotes");
    }
    None
}

fn show(case: &Case, ours: &Outcome, theirs: &Outcome) {
    println!("  {} ({})", case.name, case.content_type);
    println!(
        "    ours:   up {} samples {} {}",
        ours.up, ours.samples, ours.error
    );
    println!(
        "    theirs: up {} samples {} {}",
        theirs.up, theirs.samples, theirs.error
    );
    for (labels, value) in &ours.series {
        if theirs.series.get(labels) != Some(value) {
            println!("    ours:   {labels} {value}");
        }
    }
    for (labels, value) in &theirs.series {
        if ours.series.get(labels) != Some(value) {
            println!("    theirs: {labels} {value}");
        }
    }
    let shown = case.body.get(..BODY_SHOWN).unwrap_or(&case.body);
    println!("    body: {:?}", String::from_utf8_lossy(shown));
}

#[expect(
    clippy::disallowed_methods,
    reason = "configuration for the programs under test"
)]
fn write_config(file: &Path, address: &str, cases: usize) -> anyhow::Result<()> {
    let mut text = "global: {scrape_interval: 10s, scrape_timeout: 9s}\n\
        scrape_configs:\n\
        - job_name: bodies\n\
        \x20 honor_timestamps: false\n\
        \x20 static_configs:\n"
        .to_owned();
    for number in 0..cases {
        writeln!(
            text,
            "  - {{targets: ['{address}'], labels: {{__metrics_path__: /{number}, case: '{number}'}}}}"
        )?;
    }
    std::fs::write(file, text)?;
    Ok(())
}

fn query(server: &Server, client: &ureq::Agent, expression: &str) -> anyhow::Result<Vec<Value>> {
    let url = server.api_url("query");
    let (status, text) = server::get(client, &url, &[("query", expression)])?;
    if status != 200 {
        bail!("{expression}: {status} {text}");
    }
    let answer: Value = serde_json::from_str(&text)?;
    let result = answer.pointer("/data/result").and_then(Value::as_array);
    Ok(result.cloned().unwrap_or_default())
}

/// Waits for the first scrape of every target.
fn wait(server: &Server, client: &ureq::Agent, cases: usize) -> anyhow::Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "xtask does not depend on runtime"
    )]
    let started = Instant::now();
    loop {
        let scraped = query(server, client, "count(up{case!=\"\"})")?;
        let count = scraped.first().and_then(|one| one.pointer("/value/1"));
        if count.and_then(Value::as_str) == Some(&cases.to_string()) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            bail!(
                "{} has not scraped {cases} targets: {count:?}",
                server.kind.name()
            );
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn read(server: &Server, client: &ureq::Agent) -> anyhow::Result<Outcomes> {
    let mut outcomes = Outcomes::new();
    for one in query(server, client, "{case!=\"\"}")? {
        let labels = one
            .get("metric")
            .and_then(Value::as_object)
            .context("labels")?;
        let number = labels.get("case").and_then(Value::as_str).context("case")?;
        let outcome = outcomes.entry(number.parse()?).or_default();
        let value = one.pointer("/value/1").and_then(Value::as_str);
        let value = value.unwrap_or_default().to_owned();
        let name = labels
            .get("__name__")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match name {
            "up" => outcome.up = value,
            "scrape_samples_scraped" => outcome.samples = value,
            _ if name.starts_with("scrape_") => {}
            _ => drop(outcome.series.insert(shown(labels), value)),
        }
    }
    let url = server.api_url("targets");
    let (_, text) = server::get(client, &url, &[("state", "active")])?;
    let answer: Value = serde_json::from_str(&text)?;
    let targets = answer
        .pointer("/data/activeTargets")
        .and_then(Value::as_array);
    for target in targets.into_iter().flatten() {
        let text = |path: &str| {
            target
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        if let Ok(number) = text("/labels/case").parse::<usize>() {
            outcomes.entry(number).or_default().error = text("/lastError").to_owned();
        }
    }
    Ok(outcomes)
}

/// Labels as text; bounds and quantiles as numbers, since 3.0 writes them all one way.
fn shown(labels: &serde_json::Map<String, Value>) -> String {
    let mut text = String::new();
    let sorted: BTreeMap<&String, &Value> = labels.iter().collect();
    for (name, value) in sorted {
        let value = value.as_str().unwrap_or_default();
        let number = value.parse::<f64>().ok();
        let is_number = matches!(name.as_str(), "le" | "quantile");
        let value = match number.filter(|_| is_number) {
            Some(number) => number.to_string(),
            None => value.to_owned(),
        };
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{name}={value:?} ");
    }
    text
}
