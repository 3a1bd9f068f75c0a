//! `amtool check-config`: whether alertmanager.yml and the templates that it names can be read.

use crate::print;
use anyhow::{Context as _, bail};
use dispatch::config::Config;
use dispatch::template::Templates;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

/// Bytes of a file at most.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// What standard input is called.
const STDIN: &str = "/dev/stdin";

/// Checks each file, or standard input.
pub(super) fn run(files: &[PathBuf]) -> anyhow::Result<()> {
    if let Some(missing) = files.iter().find(|file| !file.is_file()) {
        bail!("path '{}' does not exist", missing.display());
    }
    let mut failed = 0;
    if files.is_empty() {
        if std::io::stdin().is_terminal() {
            bail!("no file is named and standard input is a terminal");
        }
        failed += check(Path::new(STDIN));
    }
    for file in files {
        failed += check(file);
    }
    if failed > 0 {
        bail!("failed to validate {failed} file(s)");
    }
    Ok(())
}

/// Checks one file and answers how often it failed.
fn check(path: &Path) -> usize {
    print::part(&format!("Checking '{}'", path.display()));
    let config = match load(path) {
        Ok(config) => config,
        Err(error) => {
            print::line(&format!("  FAILED: {error:#}\n"));
            return 1;
        }
    };
    print::line("  SUCCESS\nFound:\n - global config\n - route");
    print::line(&format!(" - {} inhibit rules", config.inhibit_rules.len()));
    print::line(&format!(" - {} receivers", config.receivers.len()));
    print::line(&format!(" - {} templates", config.templates.len()));
    let mut failed = 0;
    if !config.templates.is_empty() {
        let (_, problems) = Templates::load(&config, "");
        match problems.first() {
            None => print::line("  SUCCESS"),
            Some(problem) => {
                print::line(&format!("  FAILED: {problem}"));
                failed = 1;
            }
        }
    }
    print::line("");
    failed
}

/// Reads a file.
pub(super) fn load(path: &Path) -> anyhow::Result<Config> {
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    let config = Config::parse(&text, &path.display().to_string());
    config.map_err(|problems| anyhow::anyhow!("{problems}"))
}
