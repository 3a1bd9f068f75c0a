//! What every commit passes: formatting, lints, documentation, house rules, and the audit of dependencies where
//! its tool is installed.

use crate::{process, tidy};

/// Runs the checks in the order of their cost.
pub(crate) fn run() -> anyhow::Result<()> {
    process::run(&mut process::command("cargo", &["fmt", "--all", "--check"]))?;
    tidy::run()?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    process::run(&mut process::command("cargo", &clippy))?;
    let doc = [
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--locked",
        "--quiet",
    ];
    process::run(process::command("cargo", &doc).env("RUSTDOCFLAGS", "-D warnings"))?;
    audit()?;
    println!("ci: fmt, tidy, clippy and doc are clean");
    Ok(())
}

/// Licences, bans and sources of the dependencies, by `deny.toml`.
fn audit() -> anyhow::Result<()> {
    if process::find("cargo-deny").is_none() {
        println!("skipped: the audit of dependencies (cargo install cargo-deny --locked)");
        return Ok(());
    }
    let check = ["deny", "check", "licenses", "bans", "sources"];
    process::run(&mut process::command("cargo", &check))
}
