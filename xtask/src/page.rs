//! Building the page and, with it, the complete program.

use crate::process;
use anyhow::Context as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// Builds the page where its sources changed, then the release program.
pub(crate) fn build_program() -> anyhow::Result<()> {
    build_page()?;
    let arguments = ["build", "--release", "--locked", "--package", "binnacle"];
    process::run(&mut process::command("cargo", &arguments))
}

/// Makes sure that there is a program to drive: builds it unless one was given.
pub(crate) fn ensure_program() -> anyhow::Result<()> {
    if process::given_program().is_some() {
        Ok(())
    } else {
        build_program()
    }
}

/// Builds `ui/dist` unless it was made from exactly these sources.
pub(crate) fn build_page() -> anyhow::Result<()> {
    let folder = process::root().join("ui");
    let sources = fingerprint(&folder)?;
    let stamp = folder.join("dist/.sources");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == sources) {
        return Ok(());
    }
    install_packages()?;
    process::run(npm(&["run", "build"]).current_dir(&folder))?;
    write(&stamp, &sources)
}

/// Installs the page's packages unless they are those of the lock file.
pub(crate) fn install_packages() -> anyhow::Result<()> {
    let folder = process::root().join("ui");
    let lock = std::fs::read_to_string(folder.join("package-lock.json"))
        .context("ui/package-lock.json")?;
    let stamp = folder.join("node_modules/.lock-installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    process::run(npm(&["ci", "--no-audit", "--no-fund", "--prefer-offline"]).current_dir(&folder))?;
    write(&stamp, &lock)
}

/// npm, told not to fetch browsers.
pub(crate) fn npm(arguments: &[&str]) -> std::process::Command {
    let mut command = process::command("npm", arguments);
    command.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "a stamp beside build output, not data of the program"
)]
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| file.display().to_string())
}

/// A number that changes with any source of the page.
fn fingerprint(folder: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    list(folder, &mut files);
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(folder).unwrap_or(&file).hash(&mut hasher);
        std::fs::read(&file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let skipped = ["node_modules", "dist", "e2e", "test-results"]
            .iter()
            .any(|skip| name == *skip);
        if path.is_dir() && !skipped {
            list(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}
