//! `promtool check config | rules | web-config | healthy | ready`.
//!
//! What was looked at goes to standard output, mistakes go to standard error, as upstream does it.

use super::failure::Verdict;
use super::http::Server;
use crate::cli::promtool::check::{AskedServer, CheckConfig, CheckRules, Lint, LintCheck};
use crate::print;
use anyhow::{Context as _, bail};
use collect::prometheus_file::{self, PrometheusFile, Reading, ScrapeConfig};
use config::http_client::SecretSource;
use rules::file::UnknownFields;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes of a file that is checked.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Checks prometheus.yml files and, unless only their syntax is asked for, the files that they name.
pub(super) fn config(check: &CheckConfig) -> anyhow::Result<Verdict> {
    let lookback_ms = model::parse_duration(&check.lookback).map_err(anyhow::Error::msg)?;
    all_exist(&check.files)?;
    let mut verdict = Verdict::Good;
    for path in &check.files {
        print::line(&format!("Checking {}", path.display()));
        let (found, rule_files) = one_config(path, check, lookback_ms);
        verdict = verdict.and(found);
        print::line("");
        for file in rule_files {
            print::line(&format!("Checking {}", file.display()));
            verdict = verdict.and(one_rule_file(
                &file.display().to_string(),
                read(&file),
                (&check.lint, "     "),
            ));
            print::line("");
        }
    }
    Ok(verdict)
}

fn one_config(path: &Path, check: &CheckConfig, lookback_ms: i64) -> (Verdict, Vec<PathBuf>) {
    let failed = |error: String| {
        print::note(&format!("  FAILED: {error}"));
        (Verdict::Failed, Vec::new())
    };
    let name = path.display().to_string();
    let parsed = read(path).and_then(|text| {
        let reading = Reading {
            file: &name,
            directory: path.parent().unwrap_or(path),
            environment: &runtime::environment::var,
        };
        prometheus_file::read(&text, reading).map_err(|problems| problems.to_string())
    });
    let file = match parsed {
        Ok(file) => file,
        Err(error) => return failed(format!("parsing YAML file {name}: {error}")),
    };
    if check.agent
        && !(file.rule_files.is_empty() && file.alerting == prometheus_file::Alerting::default())
    {
        return failed("field rule_files or alerting is not allowed in agent mode".to_owned());
    }
    let mut rule_files = Vec::new();
    if !check.syntax_only {
        match named_files(path, &file) {
            Ok(files) => rule_files = files,
            Err(error) => return failed(error),
        }
        if !rule_files.is_empty() {
            print::line(&format!("  SUCCESS: {} rule files found", rule_files.len()));
        }
    }
    let mut verdict = Verdict::Good;
    if check.lint.applies(LintCheck::TooLongScrapeInterval) {
        let slow = file
            .scrape_configs
            .iter()
            .filter(|job| job.interval_ms >= lookback_ms);
        for job in slow {
            print::note(&format!(
                "  FAILED: lint error long scrape interval found. Data point will be marked as stale. Job: {}. Interval: {}",
                job.job_name,
                model::format_duration(job.interval_ms)
            ));
            verdict = verdict.and(lint_verdict(&check.lint));
        }
    }
    print::line(&format!(
        " SUCCESS: {name} is valid prometheus config file syntax"
    ));
    (verdict, rule_files)
}

/// The rule files that a config names. Fails where something it names is not there.
fn named_files(path: &Path, file: &PrometheusFile) -> Result<Vec<PathBuf>, String> {
    let directory = path.parent().unwrap_or(path);
    let mut rule_files = Vec::new();
    for pattern in &file.rule_files {
        rule_files.extend(expand(directory, pattern)?);
    }
    let mut jobs: Vec<ScrapeConfig> = file.scrape_configs.clone();
    for pattern in &file.scrape_config_files {
        for named in expand(directory, pattern)? {
            let (name, text) = (named.display().to_string(), read(&named)?);
            let reading = Reading {
                file: &name,
                directory: named.parent().unwrap_or(directory),
                environment: &runtime::environment::var,
            };
            let read = prometheus_file::read_scrape_configs(&text, &file.global, reading);
            jobs.extend(read.map_err(|problems| problems.to_string())?.0);
        }
    }
    for job in &jobs {
        for source in job.http.sources() {
            if let SecretSource::File(file) = source
                && !file.is_file()
            {
                return Err(format!(
                    "error checking file {:?}: no such file",
                    file.display().to_string()
                ));
            }
        }
    }
    Ok(rule_files)
}

fn expand(directory: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let path = directory.join(pattern);
    let files = config::glob::expand(&path);
    if files.is_empty() && !pattern.contains(['*', '?', '[']) {
        return Err(format!(
            "{:?} does not point to an existing file",
            path.display().to_string()
        ));
    }
    Ok(files)
}

/// Checks rule files, or standard input.
pub(super) fn rules(check: &CheckRules) -> anyhow::Result<Verdict> {
    all_exist(&check.files)?;
    let mut verdict = Verdict::Good;
    if check.files.is_empty() {
        print::line("Checking standard input");
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .take(FILE_BYTES_MAX)
            .read_to_string(&mut text)?;
        verdict = one_rule_file("standard input", Ok(text), (&check.lint, ""));
        print::line("");
    }
    for path in &check.files {
        print::line(&format!("Checking {}", path.display()));
        let found = one_rule_file(&path.display().to_string(), read(path), (&check.lint, ""));
        verdict = verdict.and(found);
        print::line("");
    }
    Ok(verdict)
}

fn one_rule_file(
    name: &str,
    text: Result<String, String>,
    (lint, indent): (&Lint, &str),
) -> Verdict {
    let failed = |lines: Vec<String>| {
        print::note("  FAILED:");
        for line in lines {
            print::note(&format!("{indent}{line}"));
        }
    };
    let unknown = if lint.ignore_unknown_fields {
        UnknownFields::Ignore
    } else {
        UnknownFields::Refuse
    };
    let file = match text.map(|text| rules::file::parse(name, &text, unknown)) {
        Ok(Ok(file)) => file,
        Ok(Err(problems)) => {
            let line = |problem: &config::Problem| {
                let config::Position { line, column } = problem.position;
                format!("{name}: {line}:{column}: {}", problem.message)
            };
            failed(problems.list().iter().map(line).collect());
            return Verdict::Failed;
        }
        Err(error) => {
            failed(vec![error]);
            return Verdict::Failed;
        }
    };
    let count: usize = file.groups.iter().map(|group| group.rules.len()).sum();
    let duplicates = rules::file::duplicates(std::slice::from_ref(&file));
    if !duplicates.is_empty() && lint.applies(LintCheck::DuplicateRules) {
        failed(vec![duplicates_text(&duplicates)]);
        return lint_verdict(lint);
    }
    print::line(&format!("  SUCCESS: {count} rules found"));
    Verdict::Good
}

fn duplicates_text(duplicates: &[rules::file::Duplicate]) -> String {
    let mut text = format!("lint error {} duplicate rule(s) found.\n", duplicates.len());
    for duplicate in duplicates {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "Metric: {}\nLabel(s):", duplicate.name);
        for (name, value) in &duplicate.labels {
            let _infallible = writeln!(text, "\t{name}: {value}");
        }
    }
    text.push_str("Might cause inconsistency while recording expressions");
    text
}

fn lint_verdict(lint: &Lint) -> Verdict {
    if lint.lint_fatal {
        Verdict::Lint
    } else {
        Verdict::Good
    }
}

/// Checks web configuration files.
pub(super) fn web_config(files: &[PathBuf]) -> anyhow::Result<Verdict> {
    all_exist(files)?;
    let mut verdict = Verdict::Good;
    for path in files {
        let sound = read(path).and_then(|text| {
            let config =
                config::web_config::parse(path, &text).map_err(|problems| problems.to_string())?;
            let files = config.tls.iter().flat_map(|tls| tls.files());
            for file in files {
                SecretSource::File(file.to_owned()).read()?;
            }
            Ok(())
        });
        match sound {
            Ok(()) => print::note(&format!("{} SUCCESS", path.display())),
            Err(error) => {
                print::note(&format!("{} FAILED: {error}", path.display()));
                verdict = Verdict::Failed;
            }
        }
    }
    Ok(verdict)
}

/// Asks a server whether it is healthy or ready.
pub(super) fn state(asked: &AskedServer, path: &str) -> anyhow::Result<Verdict> {
    let server = Server::new(&asked.url, asked.http_config.as_deref(), &[])?;
    let (status, text) = server.get(path, &[])?;
    if status != 200 {
        bail!(
            "check failed: URL={}{path}, status={status}",
            asked.url.trim_end_matches('/')
        );
    }
    print::note(&format!("  SUCCESS: {}", text.trim()));
    Ok(Verdict::Good)
}

fn all_exist(files: &[PathBuf]) -> anyhow::Result<()> {
    for file in files {
        if !file.is_file() {
            bail!(
                "promtool: error: path '{}' does not exist, try --help",
                file.display()
            );
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string());
    let mut text = String::new();
    file.and_then(|file| Ok(file.take(FILE_BYTES_MAX).read_to_string(&mut text)?))
        .map_err(|error| format!("{error:#}"))?;
    Ok(text)
}
