//! The live reference: one target that serves samples with explicit timestamps is scraped by us and by Debian's
//! prometheus; then both answer the same queries at fixed times off the sample grid.
//!
//! `cargo xtask compare [MINUTES]` (10 unless told otherwise). Answers must be equal to 1e-9;
//! `up` and `scrape_*` are compared by label set, since each server measures its own scrapes.

mod answers;
mod queries;
mod target;

use crate::process;
use crate::server::{self, Kind, Server};
use anyhow::bail;
use std::path::Path;
use std::time::Duration;

/// Off the grid of 5 s on which the target's samples lie, so that 3.x's left-open ranges cannot matter.
const OFF_GRID_MS: i64 = 1_713;

/// Scrapes for the given minutes and compares.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    let minutes: u64 = words.first().map_or(Ok(10), |word| word.parse())?;
    if process::find(Kind::Prometheus.name()).is_none() {
        println!("skipped: no prometheus on the PATH (on Debian: apt-get install prometheus)");
        return Ok(());
    }
    crate::page::ensure_program()?;
    let client = server::client();
    let folder = tempfile::tempdir()?;
    compare(minutes, folder.path(), &client)
}

fn compare(minutes: u64, folder: &Path, client: &ureq::Agent) -> anyhow::Result<()> {
    let target = target::Target::start()?;
    let config = folder.join("prometheus.yml");
    write_config(&config, &target.address)?;
    let mut servers = Vec::new();
    for kind in [Kind::Binnacle, Kind::Prometheus] {
        let data = folder.join(kind.name());
        std::fs::create_dir_all(&data)?;
        let server = Server::start(kind, &data, Some(&config))?;
        server.ready(client)?;
        servers.push(server);
    }
    println!("both scrape {} for {minutes} minutes …", target.address);
    std::thread::sleep(Duration::from_secs(minutes * 60));
    target.stop();
    // The last scrapes are under way.
    std::thread::sleep(Duration::from_secs(3));
    let [ours, theirs] = servers.as_slice() else {
        bail!("two servers were started")
    };
    let end_ms = crate::bench::now_ms()? / 5000 * 5000 - 10_000 + OFF_GRID_MS;
    let mut differences = Vec::new();
    for query in queries::QUERIES {
        for back_ms in [0, 60_000, 150_000] {
            let at = end_ms - back_ms;
            let asked = answers::Asked { query, at_ms: at };
            let (a, b) = (
                answers::ask(ours, client, asked)?,
                answers::ask(theirs, client, asked)?,
            );
            if let Some(difference) = answers::difference(&a, &b, asked.values_count()) {
                differences.push(format!("{query} at {at}: {difference}"));
            }
        }
    }
    for difference in &differences {
        println!("  {difference}");
    }
    println!(
        "compare: {} queries at 3 times, {} differences",
        queries::QUERIES.len(),
        differences.len()
    );
    if differences.is_empty() {
        Ok(())
    } else {
        bail!("answers differ")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "configuration for the programs under test"
)]
fn write_config(file: &Path, target: &str) -> anyhow::Result<()> {
    let text = format!(
        "global: {{scrape_interval: 5s, scrape_timeout: 4s}}\n\
         scrape_configs:\n\
         \x20 - job_name: reference\n\
         \x20   static_configs: [{{targets: ['{target}'], labels: {{site: here}}}}]\n\
         \x20   metric_relabel_configs:\n\
         \x20     - {{source_labels: [__name__], regex: dropped_.*, action: drop}}\n\
         \x20     - {{source_labels: [code], regex: '(.)..', target_label: class, replacement: '${{1}}xx'}}\n"
    );
    std::fs::write(file, text)?;
    Ok(())
}
