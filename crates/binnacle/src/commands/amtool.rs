//! `binnacle amtool`: the tool's own subcommands, with its output and its exit codes.
//!
//! One file a group of subcommands. A mistake is printed to standard error as `amtool: error: …` and ends with 1, a
//! mistake on the command line too.

mod alert;
mod arguments;
mod check_config;
mod format;
mod matching;
mod routes;
mod server;
mod silence;
mod silence_import;
mod status;
mod template;

use crate::cli::amtool::{Alert, AmtoolCommand, Cluster, Config, Routes, Silence, Template};
use crate::cli::{Amtool, Cli, Command};
use crate::print;
use clap::{CommandFactory as _, Parser as _};
use std::process::ExitCode;

/// The version of Alertmanager whose tool this is.
const VERSION: &str = "0.34.0";

/// Runs the command line `PROGRAM amtool …`.
pub(crate) fn main(words: &[String]) -> ExitCode {
    let mut root = Cli::command();
    root.build();
    let words = match arguments::complete(&root, words) {
        Ok(words) => words,
        Err(error) => return failed(&error),
    };
    match Cli::try_parse_from(words).map(|cli| cli.command) {
        Ok(Command::Amtool(amtool)) => run(&amtool),
        // `words` names this command.
        Ok(_) => ExitCode::SUCCESS,
        Err(error) if error.use_stderr() => {
            failed(&anyhow::Error::msg(arguments::in_kingpins_words(&error)))
        }
        Err(help) => {
            print::part(&help.to_string());
            ExitCode::SUCCESS
        }
    }
}

/// Runs what was asked.
pub(crate) fn run(amtool: &Amtool) -> ExitCode {
    let done = match &amtool.command {
        _ if amtool.version => {
            let ours = env!("CARGO_PKG_VERSION");
            print::line(&format!(
                "amtool, version {VERSION} (branch: , revision: binnacle-{ours})"
            ));
            Ok(true)
        }
        Some(command) => run_command(amtool, command),
        None => {
            let mut root = Cli::command();
            root.build();
            if let Some(own) = root.find_subcommand_mut("amtool") {
                print::part(&own.render_help().to_string());
            }
            Ok(true)
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    print::note(&format!("amtool: error: {error:#}"));
    ExitCode::from(1)
}

/// Does it; answers whether what was tested is as expected.
fn run_command(amtool: &Amtool, command: &AmtoolCommand) -> anyhow::Result<bool> {
    match command {
        AmtoolCommand::Alert { command } => match command {
            Alert::Query(query) => alert::query(amtool, query),
            Alert::Add(add) => alert::add(amtool, add),
        },
        AmtoolCommand::Silence { command } => run_silence(amtool, command),
        AmtoolCommand::CheckConfig { files } => check_config::run(files),
        AmtoolCommand::Cluster {
            command: Cluster::Show,
        } => status::cluster(amtool),
        AmtoolCommand::Config {
            command: Config::Show,
        } => status::config(amtool),
        AmtoolCommand::Config {
            command:
                Config::Routes {
                    config_file,
                    command,
                },
        } => return run_routes(&routes::load(amtool, config_file.as_deref())?, command),
        AmtoolCommand::Template {
            command:
                Template::Render {
                    globs,
                    text,
                    kind,
                    data,
                },
        } => template::render(globs, text, (*kind, data.as_deref())),
    }
    .map(|()| true)
}

fn run_silence(amtool: &Amtool, command: &Silence) -> anyhow::Result<()> {
    match command {
        Silence::Add(add) => silence::add(amtool, add),
        Silence::Expire { ids } => silence::expire(amtool, ids),
        Silence::Import { force, file, .. } => silence_import::run(amtool, *force, file.as_deref()),
        Silence::Query(query) => silence::query(amtool, query),
        Silence::Update(update) => silence::update(amtool, update),
    }
}

fn run_routes(config: &dispatch::config::Config, command: &Routes) -> anyhow::Result<bool> {
    match command {
        Routes::Show => {
            routes::show(config);
            Ok(true)
        }
        Routes::Test {
            receivers,
            tree,
            labels,
        } => routes::test(config, labels, (receivers, *tree)),
    }
}
