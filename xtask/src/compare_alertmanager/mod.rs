//! The live reference for notifications: we and Debian's prometheus-alertmanager get the same alertmanager.yml and the same
//! alerts, silences, reloads and restarts, and the bodies that their webhooks are sent must be the same sequences.
//!
//! `cargo xtask compare-alertmanager [SCENARIO…]`. In real time, all scenarios of a kind at once, about a minute. Equal
//! means: the fields that 0.25 has, moments only as there or not, alerts of a body in any order. What differs runs once
//! more, since a busy machine may be late; what differs then must stand in docs/guide/alertmanager-differences.md.

mod bodies;
mod scenario;
mod scenarios;
mod stage;

use crate::process;
use crate::server::Kind;
use anyhow::{Context as _, bail};
use scenario::{Scenario, Turn};
use scenarios::SCENARIOS;
use std::collections::BTreeMap;

/// Where differences that are meant are listed.
const LISTED: &str = "docs/guide/alertmanager-differences.md";

/// How scenarios differ, by name.
type Found = BTreeMap<&'static str, Vec<String>>;

/// Runs the named scenarios, or all.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    if process::find(Kind::Alertmanager.name()).is_none() {
        println!(
            "skipped: no prometheus-alertmanager on the PATH (on Debian: apt-get install prometheus-alertmanager)"
        );
        return Ok(());
    }
    if let Some(unknown) = words
        .iter()
        .find(|word| !SCENARIOS.iter().any(|s| s.name == **word))
    {
        bail!("no scenario {unknown:?}");
    }
    crate::page::ensure_program()?;
    let asked: Vec<Scenario> = SCENARIOS
        .iter()
        .filter(|scenario| words.is_empty() || words.contains(&scenario.name))
        .copied()
        .collect();
    let first = compare(&asked)?;
    let again: Vec<Scenario> = asked
        .iter()
        .filter(|scenario| first.contains_key(scenario.name))
        .copied()
        .collect();
    if !again.is_empty() {
        let names: Vec<&str> = again.iter().map(|scenario| scenario.name).collect();
        println!("once more: {}", names.join(", "));
    }
    let found = if again.is_empty() {
        first
    } else {
        compare(&again)?
    };
    judge(&found, asked.len())
}

fn judge(found: &Found, count: usize) -> anyhow::Result<()> {
    let listed = listed()?;
    let mut unlisted = 0;
    for (name, lines) in found {
        let reason = listed.get(*name);
        println!("{name}: {}", reason.map_or("DIFFERENT", String::as_str));
        if reason.is_none() {
            unlisted += 1;
            for line in lines {
                println!("  {line}");
            }
        }
    }
    println!(
        "compare-alertmanager: {count} scenarios, {} equal, {} differ as listed, {unlisted} differ",
        count - found.len(),
        found.len() - unlisted
    );
    if unlisted > 0 {
        bail!("notifications differ");
    }
    Ok(())
}

/// The scenarios that may differ, with the reason: rows `| scenario | reason |` of the page.
fn listed() -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(process::root().join(LISTED)).context(LISTED)?;
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.trim_end_matches('`').to_owned();
        let reason = cells.next()?.trim_end_matches(" |").to_owned();
        Some((name, reason))
    };
    Ok(text.lines().filter_map(row).collect())
}

/// Runs each kind of scenarios on a pair of processes of its own, all kinds at once.
fn compare(scenarios: &[Scenario]) -> anyhow::Result<Found> {
    let folder = tempfile::tempdir()?;
    let turns = [Turn::None, Turn::Reload, Turn::BrokenReload, Turn::Restart];
    std::thread::scope(|scope| {
        let mut stages = Vec::new();
        for turn in turns {
            let own: Vec<Scenario> = scenarios
                .iter()
                .filter(|scenario| scenario.turn == turn)
                .copied()
                .collect();
            if own.is_empty() {
                continue;
            }
            let place = folder.path().join(format!("{turn:?}"));
            stages.push(scope.spawn(move || -> anyhow::Result<Found> {
                let (ours, theirs) = stage::run(&own, turn, &place)?;
                let mut found = Found::new();
                for scenario in &own {
                    let lines = bodies::differences(&ours, &theirs, scenario.name);
                    if !lines.is_empty() {
                        found.insert(scenario.name, lines);
                    }
                }
                println!(
                    "{turn:?}: {} scenarios, {} bodies of theirs",
                    own.len(),
                    count(&theirs)
                );
                Ok(found)
            }));
        }
        let mut all = Found::new();
        for stage in stages {
            let Ok(found) = stage.join() else {
                bail!("a stage broke off");
            };
            all.extend(found?);
        }
        Ok(all)
    })
}

fn count(sequences: &bodies::Sequences) -> usize {
    let groups = sequences.values().flat_map(BTreeMap::values);
    groups.map(Vec::len).sum()
}
