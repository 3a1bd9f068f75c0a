//! `binnacle promtool`: the tool's own subcommands, with its output and its exit codes.
//!
//! One file a group of subcommands. A mistake is printed to standard error in upstream's words and ends with 1, as
//! pipelines know it; lint that is fatal ends with 3.

mod analyze;
mod check;
mod debug;
mod discover;
mod failure;
pub(super) mod http;
mod lint;
mod promql;
mod push;
mod query;
mod test;
mod tsdb;

use crate::cli::promtool::check::{Check, Tests};
use crate::cli::promtool::query::Push;
use crate::cli::{Promtool, PromtoolCommand};
use crate::print;
use failure::Verdict;
use std::process::ExitCode;

/// Runs what was asked.
pub(crate) fn run(promtool: &Promtool) -> ExitCode {
    let good = |done: anyhow::Result<()>| done.map(|()| Verdict::Good);
    let done = match &promtool.command {
        PromtoolCommand::Check { command } => run_check(command),
        PromtoolCommand::Query(asking) => good(query::run(asking)),
        PromtoolCommand::Debug { command } => good(debug::run(command)),
        PromtoolCommand::Push {
            command: Push::Metrics(push),
        } => good(push::run(push)),
        PromtoolCommand::Test {
            junit,
            command: Tests::Rules(rules),
        } => test::run(rules, junit.as_deref()),
        PromtoolCommand::Promql { command } => good(promql::run(command)),
        PromtoolCommand::Tsdb { command } => good(tsdb::run(command)),
    };
    match done {
        Ok(verdict) => verdict.exit_code(),
        Err(error) => {
            print::note(&format!("{error:#}"));
            ExitCode::from(1)
        }
    }
}

fn run_check(command: &Check) -> anyhow::Result<Verdict> {
    match command {
        Check::ServiceDiscovery { file, job, timeout } => discover::run(file, job, timeout),
        Check::Config(config) => check::config(config),
        Check::WebConfig { files } => check::web_config(files),
        Check::Healthy(server) => check::state(server, "/-/healthy"),
        Check::Ready(server) => check::state(server, "/-/ready"),
        Check::Rules(rules) => check::rules(rules),
        Check::Metrics { extended, lint } => lint::run(*extended, *lint),
    }
}
