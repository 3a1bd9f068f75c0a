//! `promtool tsdb create-blocks-from rules`: what recording rules would have recorded, as blocks.
//!
//! The expressions are evaluated by the server at `--url`, block by block. Moments are multiples of a group's interval;
//! upstream shifts them by a hash of the group's name, which nobody can see in the result.

use super::backfill::{Blocks, Window};
use crate::cli::{BlocksFromRules, ServerAddress};
use crate::commands::client::Client;
use crate::commands::selection::time;
use crate::print;
use anyhow::{Context as _, bail};
use model::{Labels, METRIC_NAME, Sample, Timestamp};
use rules::file::{GroupSpec, RuleFile, RuleKind, RuleSpec, UnknownFields};
use runtime::{Clock as _, SystemClock};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a range ends if nothing is said: younger samples may still come.
const END_AGO_MS: i64 = 3 * 3_600_000;

/// Evaluates all recording rules and writes the blocks.
pub(super) fn run(command: &BlocksFromRules) -> anyhow::Result<()> {
    let start = time(&command.start).context("new rule importer parse start time")?;
    let end = match &command.end {
        Some(end) => time(end).context("new rule importer parse end time")?,
        None => SystemClock::new().now().plus_millis(-END_AGO_MS),
    };
    if start >= end {
        bail!("start time is not before end time");
    }
    let interval_ms = model::parse_duration(&command.eval_interval)
        .map_err(anyhow::Error::msg)
        .context("--eval-interval")?;
    let client = Client::new(&ServerAddress {
        url: command.url.clone(),
        token: None,
    })?;
    let blocks = Blocks::new(
        &command.output_dir,
        &command.max_block_duration,
        command.shown,
    )?;
    let mut importer = Importer {
        client,
        range: (start.millis(), end.millis()),
        interval_ms,
        blocks,
    };
    note(&format!(
        "backfiller=\"new rule importer\" start=\"{start}\" end=\"{end}\""
    ));
    let mut windows: BTreeMap<i64, Window> = BTreeMap::new();
    for file in read_files(command)? {
        for group in &file.groups {
            let name = &group.name;
            note(&format!(
                "backfiller=\"processing group\" name={};{name}",
                file.path
            ));
            importer.group(group, &mut windows)?;
        }
    }
    for window in windows.values_mut() {
        importer.blocks.write(window)?;
    }
    Ok(())
}

/// A line about the progress, as upstream's log has it.
fn note(text: &str) {
    print::note(&format!("level=info {text}"));
}

fn read_files(command: &BlocksFromRules) -> anyhow::Result<Vec<RuleFile>> {
    let mut files = Vec::new();
    let mut is_sound = true;
    for path in &command.files {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| shown.clone())?;
        match rules::file::parse(&shown, &text, UnknownFields::Refuse) {
            Ok(file) => files.push(file),
            Err(problems) => {
                is_sound = false;
                print::note(&problems.to_string());
            }
        }
    }
    if !is_sound {
        bail!("error importing rules");
    }
    Ok(files)
}

struct Importer {
    client: Client,
    range: (i64, i64),
    interval_ms: i64,
    blocks: Blocks,
}

impl Importer {
    fn group(
        &mut self,
        group: &GroupSpec,
        windows: &mut BTreeMap<i64, Window>,
    ) -> anyhow::Result<()> {
        let step_ms = group.interval_ms.unwrap_or(self.interval_ms).max(1);
        for (id, rule) in group.rules.iter().enumerate() {
            let name = &rule.name;
            note(&format!(
                "backfiller=\"processing rule\" id={id} name={name}"
            ));
            if !matches!(rule.kind, RuleKind::Recording) {
                continue;
            }
            let (start, end) = self.range;
            let mut window = self.blocks.window_of(start);
            while window <= end {
                let last = window.saturating_add(self.blocks.block_ms - 1).min(end);
                let first = next_multiple(window.max(start), step_ms);
                if first < last {
                    let held = windows.entry(window).or_default();
                    self.rule(rule, (first, last, step_ms), held)
                        .context("rule importer error: query range")?;
                }
                window = window.saturating_add(self.blocks.block_ms);
            }
        }
        Ok(())
    }

    fn rule(
        &self,
        rule: &RuleSpec,
        (first, last, step): (i64, i64, i64),
        window: &mut Window,
    ) -> anyhow::Result<()> {
        let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
        let (first, last, step) = (seconds(first), seconds(last), seconds(step));
        let parameters = [
            ("query", rule.query.as_str()),
            ("start", &first),
            ("end", &last),
            ("step", &step),
        ];
        let answer = self.client.get("/api/v1/query_range", &parameters)?;
        let result = answer.pointer("/data/result").and_then(Value::as_array);
        for row in result.context("the answer holds no matrix")? {
            let labels = labels_of(rule, row);
            let samples = window.entry(labels).or_default();
            let values = row.get("values").and_then(Value::as_array);
            for value in values.into_iter().flatten() {
                let at = value.get(0).and_then(Value::as_f64);
                let text = value.get(1).and_then(Value::as_str);
                let number = text.and_then(model::number::parse_float);
                let (at, number) = at.zip(number).context("a value that makes no sense")?;
                samples.push(Sample::float(Timestamp::from_seconds(at), number));
            }
        }
        Ok(())
    }
}

/// The result's labels under the rule's name, with the rule's own labels.
fn labels_of(rule: &RuleSpec, row: &Value) -> Labels {
    let metric = row.get("metric").and_then(Value::as_object);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let given = metric.into_iter().flatten();
    let mut pairs: BTreeMap<String, String> = given
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    pairs.insert(METRIC_NAME.to_owned(), rule.name.clone());
    for (name, value) in &rule.labels {
        pairs.insert(name.clone(), value.clone());
    }
    Labels::from_pairs(pairs)
}

/// The first multiple of `step` that is not before `at`.
const fn next_multiple(at: i64, step: i64) -> i64 {
    let rest = at.rem_euclid(step);
    if rest == 0 { at } else { at - rest + step }
}
