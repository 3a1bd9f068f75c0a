//! What every commit passes: formatting, lints, documentation, house rules.

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
    println!("ci: fmt, tidy, clippy and doc are clean");
    Ok(())
}
