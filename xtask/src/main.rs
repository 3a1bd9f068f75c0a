//! The repository's chores: `cargo xtask COMMAND`.
//!
//! Chores drive the built program as a user would and depend on no crate of ours.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command for people at a terminal"
)]

mod bench;
mod ci;
mod compare;
mod compare_alertmanager;
mod compare_exposition;
mod conformance;
mod crash;
mod fuzz;
mod fuzz_decoders;
mod listener;
mod page;
mod process;
mod remote_write;
mod server;
mod tests_run;
mod tidy;

use anyhow::bail;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  build          the complete release program, page included
  test           every test; the browser part is skipped where no Chromium is found
  ci             fmt, clippy with warnings denied, doc, tidy
  tidy           dependency arrows, module pages, file sizes
  conformance    upstream's test data, from the folder that CONFORMANCE names
  compare        the same target scraped by us and by prometheus: equal answers
  compare-alertmanager [SCENARIO…]
                 the same alerts sent to us and to prometheus-alertmanager: equal sequences of webhook bodies
  fuzz [N] [--seed S] [--rounds R]  N random queries (1000) over random data, asked of us and of prometheus
  compare-exposition [N [SEED]]
                 upstream's exposition files and N mutations (500) scraped by us and by prometheus: equal outcomes
  crash [N]      N rounds (20) of kill -9 under remote write: nothing acknowledged lost
  fuzz-decoders [SECONDS [TARGET…]]  every decoder of outside bytes under cargo-fuzz (600 s each)
  bench metrics [SET…]  ingest, memory, disk and queries, side by side with the peers on the PATH, on the
                 data sets fleet, node and churn
  bench scale [MINUTES [SERIES…]]  cost against the number of series at 15 s (10k, 100k, 1M), with a plot
  bench rules [PROGRAM…]  ten thousand rules each minute over 20,000 series, beside prometheus on the PATH
  bench storm    50,000 alerts in 60 s in 5,000 groups; receivers dead, silent, slow and live
  bench idle     memory and CPU of a server that watches this host and nothing else
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> anyhow::Result<()> {
    match words {
        ["build"] => page::build_program(),
        ["test"] => tests_run::run(),
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["conformance"] => conformance::run(),
        ["compare-alertmanager", rest @ ..] => compare_alertmanager::run(rest),
        ["compare-exposition", rest @ ..] => compare_exposition::run(rest),
        ["compare", rest @ ..] => compare::run(rest),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["crash", rest @ ..] => crash::run(rest),
        ["fuzz-decoders", rest @ ..] => fuzz_decoders::run(rest),
        ["bench", "metrics", sets @ ..] => bench::metrics(sets),
        ["bench", "scale", rest @ ..] => bench::scale(rest),
        ["bench", "rules", programs @ ..] => bench::rules(programs),
        ["bench", "storm"] => bench::storm(),
        ["bench", "idle"] => bench::idle(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("unknown command {:?}\n\n{HELP}", other.join(" ")),
    }
}
