//! The arguments of `binnacle rules`.

use super::ServerAddress;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Rules {
    #[command(subcommand)]
    pub(crate) what: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Replay rules over stored data: when alerts would have fired, who would have been told, what was missed
    #[command(
        after_help = "Examples:\n  binnacle rules backtest alerts.yml --since 30d\n  \
        binnacle rules backtest alerts.yml --since 7d --incidents incidents.csv --json\n  \
        binnacle rules backtest alerts.yml --since 30d --data ./binnacle-data --alertmanager alertmanager.yml\n\n\
        Exit status: 0 it ran, 1 an incident of the list was missed or a rule could not be evaluated, 2 could not run."
    )]
    Backtest(Box<Backtest>),
}

#[derive(Debug, Args)]
pub(crate) struct Backtest {
    /// A file with rules
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How far back to begin
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    pub(crate) since: String,
    /// Where to end, RFC 3339 or seconds since 1970; now where absent
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// What really happened (docs/formats/incident-list.md): a YAML file, or CSV where the name ends so
    #[arg(long, value_name = "FILE")]
    pub(crate) incidents: Option<PathBuf>,
    /// Route alerts by this file and not by the server's configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) alertmanager: Option<PathBuf>,
    /// Read this data folder, which no server may have open, and ask no server
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// With --data: between two evaluations of a group that does not say
    #[arg(long, value_name = "DURATION", default_value = "1m", requires = "data")]
    pub(crate) interval: String,
    /// Print the whole report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
}
