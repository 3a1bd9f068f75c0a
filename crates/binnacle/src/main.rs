//! Binnacle: watches systems, says when they break, gets the right person to act.
//!
//! The binary: commands, configuration and wiring. What the program does lives in the other crates.

mod accepted;
mod cli;
mod commands;
mod flags;
mod listen;
mod logging;
mod print;
mod setup;
mod state;
mod tls;
mod wiring;

use clap::Parser as _;
use cli::{Cli, Command};
use commands::credential::Sort;
use std::ffi::OsStr;
use std::process::ExitCode;

/// Could not run; a problem that was found is 1.
const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    runtime::memory::keep_few_heaps();
    tls::install_provider();
    let arguments = arguments();
    if arguments.get(1).is_some_and(|word| word == "amtool") {
        return commands::amtool::main(&arguments);
    }
    let (arguments, accepted) = accepted::take_off(arguments);
    for flag in accepted {
        print::note(&format!("{flag}: accepted, there is nothing to set here"));
    }
    match run(Cli::parse_from(arguments)) {
        Ok(code) => code,
        Err(error) => {
            print::note(&format!("binnacle: {error:#}"));
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// The command line; a link named `promtool` or `amtool` to this program is that tool.
fn arguments() -> Vec<String> {
    let mut arguments: Vec<String> = std::env::args().collect();
    let program = arguments.first().map(std::path::Path::new);
    let name = program
        .and_then(|path| path.file_stem())
        .map(OsStr::to_owned);
    let tool = ["promtool", "amtool"]
        .into_iter()
        .find(|tool| name.as_deref() == Some(OsStr::new(tool)));
    if let Some(tool) = tool {
        arguments.insert(1, tool.to_owned());
    }
    arguments
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Up(up) => commands::up::run(*up),
        Command::Check(check) => commands::check::run(&check),
        Command::Test(test) => commands::test::run(&test),
        Command::Query(query) => commands::query::run(&query),
        Command::Alert(alert) => commands::alert::run(&alert),
        Command::Silence(silence) => commands::silence::run(&silence),
        Command::Rules(rules) => commands::rules::run(&rules),
        Command::Incident(incident) => commands::incident::run(&incident),
        Command::Pack(pack) => commands::pack::run(&pack),
        Command::Doctor(doctor) => commands::doctor::run(&doctor),
        Command::Token(credential) => commands::credential::run(&credential, Sort::Token),
        Command::User(credential) => commands::credential::run(&credential, Sort::User),
        Command::Import(import) => commands::import::run(&import),
        Command::Export(export) => commands::export::run(&export),
        Command::Promtool(promtool) => Ok(commands::promtool::run(&promtool)),
        Command::Amtool(amtool) => Ok(commands::amtool::run(&amtool)),
        Command::Completions { shell } => commands::completions::run(shell),
    }
}
