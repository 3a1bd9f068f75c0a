//! The rule packs that the program brings along: alerts and recording rules for what most teams run.
//!
//! A pack is a folder under `packs/` at the root of the repository: `rules.yml`, `tests.yml` in promtool's format,
//! and `README.md`, which says what the pack needs and is the runbook of its alerts. The texts are part of the program, so
//! that it needs nothing beside itself.
//!
//! This module knows the packs and the form in which one lies in a team's configuration; which are enabled is
//! the business of who reads configurations.

mod mark;

pub use mark::{Mark, marked, with_mark};

use crate::file::{self, RuleFile, RuleKind, UnknownFields};
use config::Problems;
use std::collections::BTreeSet;

/// A pack.
#[derive(Debug)]
pub struct Pack {
    /// Its name, which is also the name of its folder.
    pub name: &'static str,
    /// What it watches, in a few words.
    pub watches: &'static str,
    /// Its rules, in Prometheus' format.
    pub rules: &'static str,
    /// Their unit tests, in promtool's format.
    pub tests: &'static str,
    /// What it needs, and what to do about each of its alerts; Markdown.
    pub runbook: &'static str,
}

/// What a pack's rules come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Alerting rules.
    pub alerts: usize,
    /// Recording rules.
    pub recordings: usize,
    /// Names of metrics that the rules read and do not record themselves.
    pub metrics: BTreeSet<String>,
}

/// A pack from its folder: only a macro can hand a name on to `include_str!`.
macro_rules! pack {
    ($name:literal, $watches:literal) => {
        Pack {
            name: $name,
            watches: $watches,
            rules: include_str!(concat!("../../../packs/", $name, "/rules.yml")),
            tests: include_str!(concat!("../../../packs/", $name, "/tests.yml")),
            runbook: include_str!(concat!("../../../packs/", $name, "/README.md")),
        }
    };
}

/// All packs, from the machine up to what runs on it.
pub static PACKS: &[Pack] = &[
    pack!(
        "host",
        "disks, inodes, memory and processors of hosts; hosts that fall silent"
    ),
    pack!(
        "container",
        "containers against their limits, restarts, processes killed for memory"
    ),
    pack!(
        "http",
        "latency and errors of HTTP services; traffic that stops"
    ),
    pack!(
        "availability",
        "error budget against 99.9 %; services and instances that are down"
    ),
    pack!(
        "database",
        "queries: latency, errors; connections that run out"
    ),
    pack!("cache", "hit rate and memory of Redis and Memcached"),
    pack!(
        "queue",
        "queues that grow, queues without consumers, dead letters"
    ),
    pack!("certificates", "TLS certificates that expire"),
    pack!("access", "failed logins, unauthorised requests"),
    pack!(
        "rate-limits",
        "requests that end with 429, ours and others'"
    ),
    pack!(
        "ingestion",
        "failures of ingestion and embeddings; a flow that stops"
    ),
    pack!("llm", "tokens, cost and errors of language models"),
    pack!("websocket", "WebSocket connections: too many, lost ones"),
    pack!("binnacle", "Binnacle itself: store, rules, delivery"),
];

/// The pack of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.name == name)
}

impl Pack {
    /// Reads the rules. Fails only where the program was built from a folder with mistakes.
    pub fn rule_file(&self) -> Result<RuleFile, Problems> {
        let name = format!("packs/{}/rules.yml", self.name);
        file::parse(&name, self.rules, UnknownFields::Refuse)
    }

    /// Counts the rules and lists the metrics that they need.
    pub fn contents(&self) -> Result<Contents, Problems> {
        let file = self.rule_file()?;
        let rules = || file.groups.iter().flat_map(|group| &group.rules);
        let is_alert = |kind: &RuleKind| matches!(kind, RuleKind::Alerting(_));
        let alerts = rules().filter(|rule| is_alert(&rule.kind)).count();
        let recorded: BTreeSet<&str> = rules()
            .filter(|rule| !is_alert(&rule.kind))
            .map(|rule| rule.name.as_str())
            .collect();
        let matchers = rules()
            .flat_map(|rule| rule.expr.selectors())
            .flat_map(|selector| &selector.matchers);
        let metrics = matchers
            .filter(|matcher| matcher.name() == model::METRIC_NAME)
            .map(|matcher| matcher.value())
            .filter(|name| !recorded.contains(name))
            .map(str::to_owned)
            .collect();
        Ok(Contents {
            alerts,
            recordings: rules().count() - alerts,
            metrics,
        })
    }
}

#[cfg(test)]
mod tests;
