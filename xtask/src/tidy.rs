//! House rules that a program can check: dependency arrows, a page at the head of each module, sizes.

use crate::process;
use anyhow::{Context as _, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Lines of a source file at most.
const FILE_LINES_MAX: usize = 600;

/// Checks the tree and lists every finding.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut findings = Vec::new();
    arrows(&mut findings)?;
    let mut sources = Vec::new();
    for folder in ["crates", "xtask", "ui"] {
        collect_sources(&process::root().join(folder), &mut sources);
    }
    for source in &sources {
        check_source(source, &mut findings)?;
    }
    check_page_rules(&mut findings);
    if findings.is_empty() {
        println!(
            "tidy: {} source files, nothing to complain about",
            sources.len()
        );
        return Ok(());
    }
    for finding in &findings {
        println!("tidy: {finding}");
    }
    bail!("tidy: {} findings", findings.len());
}

/// Reads the table in ARCHITECTURE.md: crate to the crates it may depend on.
fn allowed() -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let page = std::fs::read_to_string(process::root().join("ARCHITECTURE.md"))?;
    let mut table = BTreeMap::new();
    let marked = page
        .split("<!-- tidy reads this table")
        .nth(1)
        .context("ARCHITECTURE.md has no marked table")?;
    for line in marked.lines().skip_while(|line| !line.starts_with('|')) {
        if !line.starts_with('|') {
            break;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, _, depends, ..] = cells.as_slice() else {
            continue;
        };
        let Some(name) = name
            .strip_prefix('`')
            .and_then(|name| name.strip_suffix('`'))
        else {
            continue;
        };
        let depends = depends
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect();
        table.insert(name.to_owned(), depends);
    }
    Ok(table)
}

fn arrows(findings: &mut Vec<String>) -> anyhow::Result<()> {
    let allowed = allowed()?;
    let crates = process::root().join("crates");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(&crates)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        found.insert(name.clone());
        let Some(may) = allowed.get(&name) else {
            findings.push(format!("crate {name} is not in ARCHITECTURE.md's table"));
            continue;
        };
        let manifest = std::fs::read_to_string(crates.join(&name).join("Cargo.toml"))?;
        for dependency in normal_dependencies(&manifest) {
            if allowed.contains_key(&dependency) && !may.contains(&dependency) {
                findings.push(format!(
                    "{name} depends on {dependency}, which ARCHITECTURE.md forbids"
                ));
            }
        }
        if !manifest.contains("[lints]\nworkspace = true") {
            findings.push(format!(
                "crates/{name}/Cargo.toml does not take the workspace's lints"
            ));
        }
    }
    for name in allowed.keys().filter(|name| !found.contains(*name)) {
        findings.push(format!(
            "ARCHITECTURE.md lists {name}, which does not exist"
        ));
    }
    Ok(())
}

/// The names in a manifest's `[dependencies]`; those for tests do not count.
fn normal_dependencies(manifest: &str) -> Vec<String> {
    let section = manifest
        .split("\n[dependencies]\n")
        .nth(1)
        .unwrap_or_default();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let name = |line: &str| {
        let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))?;
        line.get(..end)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
    };
    lines.filter_map(name).collect()
}

fn collect_sources(folder: &Path, sources: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir()
            && !["target", "node_modules", "dist", "testdata"]
                .iter()
                .any(|skip| name == *skip)
        {
            collect_sources(&path, sources);
        } else if path
            .extension()
            .is_some_and(|e| e == "rs" || e == "ts" || e == "tsx")
        {
            sources.push(path);
        }
    }
}

fn check_source(path: &Path, findings: &mut Vec<String>) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let root = process::root();
    let shown = path.strip_prefix(&root).unwrap_or(path).display();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        findings.push(format!(
            "{shown} has {lines} lines, more than {FILE_LINES_MAX}"
        ));
    }
    let is_rust = path.extension().is_some_and(|e| e == "rs");
    let is_test = path
        .components()
        .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
    if is_rust && !is_test && !text.starts_with("//! ") {
        findings.push(format!("{shown} does not begin with a module page (//!)"));
    }
    // Built from parts so that this line does not find itself.
    for word in [["TO", "DO"].concat(), ["FIX", "ME"].concat()] {
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(&word))
        {
            if !line.contains('#') {
                findings.push(format!("{shown}:{}: {word} without an issue", number + 1));
            }
        }
    }
    if is_rust && text.contains(&["#[ig", "nore"].concat()) {
        findings.push(format!("{shown} ignores a test"));
    }
    Ok(())
}

/// Every file format has its page, and the map names no file that is gone.
fn check_page_rules(findings: &mut Vec<String>) {
    let root = process::root();
    for page in [
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "STYLE.md",
    ] {
        if !root.join(page).is_file() {
            findings.push(format!("{page} is missing"));
        }
    }
    let map = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    for word in map.split('`').skip(1).step_by(2) {
        let path = word.split_whitespace().next().unwrap_or_default();
        let in_crates = path.contains("/src/") && !path.contains('<');
        if in_crates && !is_there(&root.join("crates").join(path)) && !is_there(&root.join(path)) {
            findings.push(format!(
                "ARCHITECTURE.md names {path}, which does not exist"
            ));
        }
    }
}

/// Whether a path leads to something.
fn is_there(path: &Path) -> bool {
    std::fs::metadata(path).is_ok()
}
