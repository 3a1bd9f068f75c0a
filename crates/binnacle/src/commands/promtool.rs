//! `binnacle promtool`: the tool's own subcommands, with its output and its exit codes.
//!
//! One file a group of subcommands. A mistake is printed to standard error in upstream's words and ends with 1, as
//! pipelines know it.

mod tsdb;

use crate::cli::{Promtool, PromtoolCommand};
use crate::print;
use std::process::ExitCode;

/// Runs what was asked.
pub(crate) fn run(promtool: &Promtool) -> ExitCode {
    let done = match &promtool.command {
        PromtoolCommand::Tsdb { command } => tsdb::run(command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::note(&format!("{error:#}"));
            ExitCode::from(1)
        }
    }
}
