//! `promtool check service-discovery`: what a job's sources list, before and after relabelling.

use super::failure::Verdict;
use crate::print;
use anyhow::bail;
use collect::prometheus_file::{self, Reading, ScrapeConfig};
use collect::target;
use model::Labels;
use runtime::SystemClock;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Duration;

/// Asks the sources of a job and prints every target as JSON.
pub(super) fn run(file: &Path, job: &str, timeout: &str) -> anyhow::Result<Verdict> {
    let timeout_ms = model::parse_duration(timeout).map_err(anyhow::Error::msg)?;
    let text = std::fs::read_to_string(file)
        .map_err(|error| anyhow::anyhow!("Cannot load config: {}: {error}", file.display()))?;
    let reading = Reading {
        file: &file.display().to_string(),
        directory: file.parent().unwrap_or(file),
        environment: &runtime::environment::var,
    };
    let read = prometheus_file::read(&text, reading)
        .map_err(|problems| anyhow::anyhow!("Cannot load config: {problems}"))?;
    let Some(config) = read
        .scrape_configs
        .iter()
        .find(|config| config.job_name == job)
    else {
        let jobs: Vec<String> = read
            .scrape_configs
            .iter()
            .map(|c| format!("\t{}", c.job_name))
            .collect();
        bail!("Job {job} not found. Select one of:\n{}", jobs.join("\n"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let at_most = Duration::from_millis(timeout_ms.unsigned_abs());
    let groups = runtime.block_on(collect::find_targets(
        config,
        &SystemClock::shared(),
        at_most,
    ));
    let mut results: Vec<Value> = Vec::new();
    for group in &groups {
        for own in &group.targets {
            let result = judged(&group.labels.merged_with(own), config);
            if !results.contains(&result) {
                results.push(result);
            }
        }
    }
    print::json(&Value::Array(results));
    Ok(Verdict::Good)
}

fn judged(labels: &Labels, config: &ScrapeConfig) -> Value {
    let discovered = target::discovered(labels, config);
    let kept = model::relabel::apply(&config.relabel_configs, &discovered).unwrap_or_default();
    match target::populate(labels, config) {
        Ok(None) => json!({"discoveredLabels": object(&discovered), "labels": {}}),
        Ok(Some(target)) => {
            let kept = kept.merged_with(&target.labels);
            json!({"discoveredLabels": object(&discovered), "labels": object(&kept)})
        }
        Err(error) => {
            json!({"discoveredLabels": object(&discovered), "labels": {}, "error": error})
        }
    }
}

fn object(labels: &Labels) -> Map<String, Value> {
    let pairs = labels.iter();
    pairs
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}
