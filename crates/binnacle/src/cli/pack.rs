//! The command line of `binnacle pack`.

use super::{Output, ServerAddress};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Pack {
    #[command(subcommand)]
    pub(crate) action: PackAction,
    #[command(flatten)]
    pub(crate) place: PackPlace,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Where enabled packs lie. Without either, where the running server reads them, otherwise below `binnacle-data`.
#[derive(Debug, Args)]
pub(crate) struct PackPlace {
    /// The path that `binnacle up` is given: packs lie in the folder `packs` there (or beside the file)
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// The data folder: packs lie in `packs` there; for a server that is given no path
    #[arg(long, value_name = "DIR", global = true, conflicts_with = "config")]
    pub(crate) data: Option<PathBuf>,
}

impl PackPlace {
    /// Whether a flag says where packs lie, so that no server need be asked.
    pub(crate) const fn is_named(&self) -> bool {
        self.config.is_some() || self.data.is_some()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum PackAction {
    /// List packs: what they watch, whether they are enabled, whether their metrics are there
    List,
    /// Print the rules of a pack
    Show {
        /// Its name
        name: String,
        /// Its unit tests instead
        #[arg(long, conflicts_with = "runbook")]
        tests: bool,
        /// What it needs and what to do about its alerts instead
        #[arg(long)]
        runbook: bool,
    },
    /// Write packs into the configuration; a server evaluates them after a reload
    Enable {
        /// Their names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Put the pack in the place of a file that was edited; that one is kept as NAME.yml.edited
        #[arg(long)]
        force: bool,
        /// Have the running server read its configuration again
        #[arg(long)]
        reload: bool,
    },
    /// Take packs out of the configuration; an edited file is kept as NAME.yml.disabled
    Disable {
        /// Their names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Have the running server read its configuration again
        #[arg(long)]
        reload: bool,
    },
}
