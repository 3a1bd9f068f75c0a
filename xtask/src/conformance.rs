//! Upstream's test data, run through the program as a user would: a count for each folder, and a floor for
//! each that only rises (`xtask/conformance-floors.txt`).

mod promtool;

use crate::{compare_exposition, page, process};
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Characters of a failure that are shown.
const LINE_CHARACTERS_MAX: usize = 160;

#[derive(Default)]
struct Count {
    passed: usize,
    failed: Vec<String>,
}

/// Runs every folder that the program can judge.
pub(crate) fn run() -> anyhow::Result<()> {
    let Some(folder) = process::variable("CONFORMANCE")
        .map(PathBuf::from)
        .filter(|f| f.is_dir())
    else {
        println!("skipped: upstream's test data (CONFORMANCE names no folder)");
        return Ok(());
    };
    page::ensure_program()?;
    let mut counts = vec![
        ("promqltest", promql_scripts(&folder.join("promqltest"))?),
        (
            "prometheus-config",
            configs(&folder.join("prometheus-config"), Kind::Prometheus)?,
        ),
        ("rulefmt", configs(&folder.join("rulefmt"), Kind::Rules)?),
        (
            "rule-files",
            configs(&folder.join("rule-files"), Kind::Rules)?,
        ),
        (
            "alertmanager-config",
            configs(&folder.join("alertmanager-config"), Kind::Alertmanager)?,
        ),
        (
            "amtool",
            configs(&folder.join("amtool"), Kind::Alertmanager)?,
        ),
        ("promtool", promtool::run(&folder.join("promtool"))?),
        ("openmetrics", openmetrics(&folder.join("openmetrics"))?),
        ("textparse", textparse(&folder.join("textparse"))?),
    ];
    counts.extend(compliance(&folder)?.map(|count| ("promql-compliance", count)));
    judge(&counts)
}

fn judge(counts: &[(&str, Count)]) -> anyhow::Result<()> {
    let floors = floors()?;
    let mut below = Vec::new();
    for (name, count) in counts {
        for failure in count.failed.iter().take(12) {
            let short: String = failure.chars().take(LINE_CHARACTERS_MAX).collect();
            println!("  {name}: {short}");
        }
        println!(
            "{name}: {} passed, {} failed",
            count.passed,
            count.failed.len()
        );
        let floor = floors.get(*name).copied().unwrap_or(0);
        if count.passed < floor {
            below.push(format!(
                "{name} passes {}, its floor is {floor}",
                count.passed
            ));
        }
    }
    if !below.is_empty() {
        bail!("{}", below.join("; "));
    }
    Ok(())
}

fn floors() -> anyhow::Result<BTreeMap<String, usize>> {
    let text = std::fs::read_to_string(process::root().join("xtask/conformance-floors.txt"))?;
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let (name, floor) = line.split_once(' ').context("a floor is `folder number`")?;
            Ok((name.to_owned(), floor.trim().parse()?))
        })
        .collect()
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    Ok(files)
}

/// `binnacle test promql` over all scripts: its closing line is the count.
fn promql_scripts(folder: &Path) -> anyhow::Result<Count> {
    let scripts: Vec<PathBuf> = files(folder)?
        .into_iter()
        .filter(|f| f.extension().is_some_and(|e| e == "test"))
        .collect();
    let mut command = process::command(process::release_program(), &["test", "promql"]);
    let (_, text) = process::output(command.args(&scripts))?;
    let closing = text
        .lines()
        .rev()
        .find(|line| line.contains(" passed, "))
        .context("no closing line")?;
    let numbers: Vec<usize> = closing
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let (Some(&passed), Some(&failed)) = (numbers.first(), numbers.get(1)) else {
        bail!("closing line {closing:?}")
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(".test:"))
        .collect();
    let name = |index: usize| lines.get(index).copied().unwrap_or("not named").to_owned();
    Ok(Count {
        passed,
        failed: (0..failed).map(name).collect(),
    })
}

/// The compliance queries, where there is a prometheus to ask them too.
fn compliance(folder: &Path) -> anyhow::Result<Option<Count>> {
    if process::find("prometheus").is_none() {
        println!("skipped: promql-compliance (no prometheus on the PATH)");
        return Ok(None);
    }
    let file = folder.join("promql-compliance/promql-test-queries.yml");
    let (passed, failed) = crate::fuzz::compliance::run(&file)?;
    Ok(Some(Count { passed, failed }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prometheus,
    Rules,
    Alertmanager,
}

impl Kind {
    /// Whether upstream refuses the file, by its name; `None` where the file does not count alone.
    fn is_bad(self, name: &str) -> Option<bool> {
        if name.starts_with("scrape_config_files") {
            return None;
        }
        match self {
            // The last four are refused by upstream's own tests although their names do not say `bad`.
            Self::Prometheus | Self::Rules => Some(
                name.contains(".bad.")
                    || name.contains(".incompatible.")
                    || name.contains("deprecated_am_api")
                    || name == "invalid_rules.yaml"
                    || name == "rules_multi_doc.yaml",
            ),
            Self::Alertmanager => Some(
                name.contains(".bad.")
                    || name.contains("-both-")
                    // A server that wants no login is a fine one.
                    || name.contains("-no-") && !name.contains("smtp-no-username")
                    || name.contains("-invalid")
                    || name.contains("nil-")
                    || name.contains("update-message-and-webhook"),
            ),
        }
    }
}

/// `binnacle check --as KIND --syntax-only FILE` for each file.
fn configs(folder: &Path, kind: Kind) -> anyhow::Result<Count> {
    let word = match kind {
        Kind::Prometheus => "prometheus",
        Kind::Rules => "rules",
        Kind::Alertmanager => "alertmanager",
    };
    let mut count = Count::default();
    for file in files(folder)? {
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        let Some(is_bad) = kind.is_bad(&name).filter(|_| is_yaml && file.is_file()) else {
            continue;
        };
        let mut command = process::command(
            process::release_program(),
            &["check", "--syntax-only", "--as", word],
        );
        let (accepted, text) = process::output(command.arg(&file))?;
        if accepted == is_bad {
            count.failed.push(format!(
                "{name}: {}",
                text.lines().last().unwrap_or("accepted")
            ));
        } else {
            count.passed += 1;
        }
    }
    Ok(count)
}

/// Each file is scraped, and every line of it is there.
fn textparse(folder: &Path) -> anyhow::Result<Count> {
    let mut count = Count::default();
    for (name, verdict) in compare_exposition::parsed_whole(folder)? {
        match verdict {
            Ok(()) => count.passed += 1,
            Err(reason) => count.failed.push(format!("{name}: {reason}")),
        }
    }
    Ok(count)
}

/// `binnacle check metrics --openmetrics` on each case, judged by its `test.json`.
fn openmetrics(folder: &Path) -> anyhow::Result<Count> {
    let mut cases = Vec::new();
    find_cases(folder, &mut cases);
    cases.sort();
    let mut count = Count::default();
    for case in cases {
        let expectation = std::fs::read_to_string(case.join("test.json"))?;
        let compact: String = expectation.split_whitespace().collect();
        let should_parse = compact.contains("\"shouldParse\":true");
        let mut command = process::command(
            process::release_program(),
            &["check", "metrics", "--openmetrics"],
        );
        let (accepted, text) = process::output(command.arg(case.join("metrics")))?;
        if accepted == should_parse {
            count.passed += 1;
        } else {
            count.failed.push(format!(
                "{}: {}",
                case.display(),
                text.lines().last().unwrap_or("accepted")
            ));
        }
    }
    Ok(count)
}

fn find_cases(folder: &Path, cases: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.join("test.json").is_file() {
            cases.push(path);
        } else if path.is_dir() {
            find_cases(&path, cases);
        }
    }
}
