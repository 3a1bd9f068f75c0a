//! `binnacle completions`: shell completions and the man page, from the same source as the command line.

use crate::cli::{Cli, Shell};
use clap::CommandFactory as _;
use std::io::Write as _;
use std::process::ExitCode;

/// Prints them.
pub(crate) fn run(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut command = Cli::command();
    let mut out = Vec::new();
    let known = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Elvish => clap_complete::Shell::Elvish,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Powershell => clap_complete::Shell::PowerShell,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Man => {
            clap_mangen::Man::new(command).render(&mut out)?;
            std::io::stdout().write_all(&out)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    clap_complete::generate(known, &mut command, "binnacle", &mut out);
    std::io::stdout().write_all(&out)?;
    Ok(ExitCode::SUCCESS)
}
