//! Runs the fuzz targets of `fuzz/`, one after the other, each for so many seconds.
//!
//! cargo-fuzz asks the compiler for coverage instrumentation, which a stable compiler only gives when it is told
//! so (`RUSTC_BOOTSTRAP`). Sanitizers stay off: the targets are safe Rust. The corpus in the tree is the seed; what a run
//! finds beyond it stays in the target folder.

use crate::process;
use anyhow::{Context as _, bail};
use std::path::Path;

/// Seconds for each target where nothing else is said.
const SECONDS: u64 = 600;
/// Bytes of one input.
const INPUT_BYTES_MAX: usize = 16 << 10;
/// Megabytes a target may use.
const MEMORY_MIB_MAX: usize = 2048;

/// Runs all targets, or those that are named.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    if process::find("cargo-fuzz").is_none() {
        println!("skipped: fuzzing (cargo install cargo-fuzz --locked)");
        return Ok(());
    }
    let (seconds, named) = match words.split_first() {
        Some((first, rest)) if first.parse::<u64>().is_ok() => (first.parse()?, rest),
        _ => (SECONDS, words),
    };
    let folder = process::root().join("fuzz");
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(folder.join("fuzz_targets"))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        targets.extend(name.map(str::to_owned));
    }
    targets.sort();
    targets.retain(|target| named.is_empty() || named.contains(&target.as_str()));
    if targets.is_empty() {
        bail!("no such fuzz target: {}", named.join(" "));
    }
    for target in &targets {
        one(&folder, target, seconds)?;
    }
    println!(
        "fuzz-decoders: {} targets, {seconds} s each, no crash",
        targets.len()
    );
    Ok(())
}

fn one(folder: &Path, target: &str, seconds: u64) -> anyhow::Result<()> {
    let found = process::target_folder().join("fuzz-corpus").join(target);
    std::fs::create_dir_all(&found)?;
    let seeds = folder.join("corpus").join(target);
    std::fs::create_dir_all(&seeds)?;
    let (found, seeds) = (found.display().to_string(), seeds.display().to_string());
    let (time, length, memory) = (
        format!("-max_total_time={seconds}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
    );
    let arguments = [
        "fuzz",
        "run",
        "-s",
        "none",
        target,
        &found,
        &seeds,
        "--",
        &time,
        &length,
        &memory,
        "-timeout=20",
        "-verbosity=0",
        "-print_final_stats=1",
    ];
    let mut command = process::command("cargo", &arguments);
    command.current_dir(folder.parent().context("no root")?);
    process::run(command.env("RUSTC_BOOTSTRAP", "1"))
        .with_context(|| format!("fuzz target {target}"))
}
