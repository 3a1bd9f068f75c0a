//! The report of a backtest as JSON.

use super::incidents::{EARLY_MS, Finding, Findings};
use super::routing::{Routing, Told};
use crate::prometheus::series::labels_json;
use crate::time::rfc3339;
use model::number::{i64_to_float, u64_to_float};
use model::{Labels, TimeRange, Timestamp};
use rules::backtest::{Episode, Outcome, RuleOutcome};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An alert flaps where it fires again within this time after it ended.
const FLAP_MS: i64 = 30 * 60_000;
/// Episodes that are listed at most, of all rules together; the numbers count all.
const EPISODES_LISTED_MAX: usize = 20_000;

pub(super) fn json(
    outcome: &Outcome,
    range: TimeRange,
    routing: Option<&Routing>,
    findings: Option<&Findings>,
) -> Value {
    let mut left = EPISODES_LISTED_MAX;
    let rules = outcome.rules.iter();
    let rules: Vec<Value> = rules
        .map(|rule| rule_json(rule, range, &mut left))
        .collect();
    json!({
        "start": rfc3339(range.start),
        "end": rfc3339(range.end),
        "seconds": outcome.seconds,
        "evaluations": outcome.evaluations,
        "notes": outcome.notes,
        "rules": rules,
        "notifications": routing.map(|routing| notifications_json(routing, range)),
        "incidents": findings.map(|findings| incidents_json(findings, outcome)),
    })
}

fn seconds(millis: i64) -> f64 {
    i64_to_float(millis) / 1000.0
}

fn length_ms(episode: &Episode, range: TimeRange) -> i64 {
    let end = episode.resolved_at.unwrap_or(range.end);
    end.millis_since(episode.fired_at)
}

/// How often an alert fired again soon after it had ended.
fn flaps(episodes: &[Episode]) -> usize {
    let mut last_end: BTreeMap<&Labels, Timestamp> = BTreeMap::new();
    let mut count = 0;
    for episode in episodes {
        let before = last_end.get(&episode.labels);
        count +=
            usize::from(before.is_some_and(|end| episode.fired_at.millis_since(*end) <= FLAP_MS));
        last_end.extend(episode.resolved_at.map(|end| (&episode.labels, end)));
    }
    count
}

fn rule_json(rule: &RuleOutcome, range: TimeRange, left: &mut usize) -> Value {
    let listed = rule.episodes.len().min(*left);
    *left -= listed;
    let lengths = rule.episodes.iter().map(|one| length_ms(one, range));
    let series: std::collections::BTreeSet<&Labels> =
        rule.episodes.iter().map(|one| &one.labels).collect();
    let episodes = rule.episodes.iter().take(listed);
    json!({
        "file": rule.file,
        "group": rule.group,
        "name": rule.name,
        "type": if rule.is_alert { "alerting" } else { "recording" },
        "evaluations": rule.evaluations,
        "failures": rule.failures,
        "lastError": rule.last_error,
        "fired": rule.episodes.len(),
        "series": series.len(),
        "firingSeconds": seconds(lengths.clone().sum()),
        "longestSeconds": seconds(lengths.max().unwrap_or(0)),
        "flaps": flaps(&rule.episodes),
        "pendingOnly": rule.pending_only,
        "episodes": episodes.map(|one| episode_json(one, range)).collect::<Vec<Value>>(),
        "episodesLeftOut": rule.episodes.len() - listed,
    })
}

fn episode_json(episode: &Episode, range: TimeRange) -> Value {
    json!({
        "labels": labels_json(&episode.labels),
        "annotations": labels_json(&episode.annotations),
        "value": model::format_float(episode.value),
        "activeAt": rfc3339(episode.active_at),
        "firedAt": rfc3339(episode.fired_at),
        "resolvedAt": episode.resolved_at.map(rfc3339),
        "seconds": seconds(length_ms(episode, range)),
    })
}

fn notifications_json(routing: &Routing, range: TimeRange) -> Value {
    let hours = seconds(range.end.millis_since(range.start)) / 3600.0;
    let mut receivers: BTreeMap<&str, Told> = BTreeMap::new();
    for ((receiver, _), told) in &routing.told {
        let all = receivers.entry(receiver).or_default();
        all.total += told.total;
        for (hour, count) in &told.by_hour {
            *all.by_hour.entry(*hour).or_default() += count;
        }
    }
    let one = |(receiver, told): (&&str, &Told)| {
        let worst = told.by_hour.iter().max_by_key(|(_, count)| **count);
        let hour =
            |(start, count): (&Timestamp, &u64)| json!({"start": rfc3339(*start), "count": count});
        json!({
            "receiver": receiver,
            "total": told.total,
            "perHour": if hours > 0.0 { u64_to_float(told.total) / hours } else { 0.0 },
            "worstHour": worst.map(hour),
            "hours": told.by_hour.iter().map(hour).collect::<Vec<Value>>(),
        })
    };
    let total: u64 = receivers.values().map(|told| told.total).sum();
    json!({
        "total": total,
        "receivers": receivers.iter().map(one).collect::<Vec<Value>>(),
    })
}

fn incidents_json(findings: &Findings, outcome: &Outcome) -> Value {
    let list = &findings.incidents;
    let mut delays: Vec<i64> = list.iter().filter_map(delay_ms).collect();
    delays.sort_unstable();
    let median = delays.get(delays.len() / 2).map(|millis| seconds(*millis));
    let vain: u64 = findings.in_vain.values().map(|(_, vain)| vain).sum();
    let fired: u64 = findings.in_vain.values().map(|(fired, _)| fired).sum();
    let by_rule = findings
        .in_vain
        .iter()
        .filter_map(|(index, (fired, vain))| {
            let rule = outcome.rules.get(*index)?;
            Some(json!({
                "file": rule.file,
                "group": rule.group,
                "name": rule.name,
                "fired": fired,
                "falseAlarms": vain,
            }))
        });
    json!({
        "detected": delays.len(),
        "missed": list.len() - delays.len(),
        "outside": findings.outside,
        "medianDelaySeconds": median,
        "earlySeconds": seconds(EARLY_MS),
        "fired": fired,
        "falseAlarms": vain,
        "byRule": by_rule.collect::<Vec<Value>>(),
        "list": list.iter().map(finding_json).collect::<Vec<Value>>(),
    })
}

fn delay_ms(finding: &Finding) -> Option<i64> {
    let (_, first) = finding.first.as_ref()?;
    Some(first.fired_at.millis_since(finding.incident.start))
}

fn finding_json(finding: &Finding) -> Value {
    let first = finding.first.as_ref();
    json!({
        "name": finding.incident.name,
        "start": rfc3339(finding.incident.start),
        "end": finding.incident.end.map(rfc3339),
        "detectedAt": first.map(|(_, episode)| rfc3339(episode.fired_at)),
        "delaySeconds": delay_ms(finding).map(seconds),
        "alert": first.map(|(name, _)| name),
        "labels": first.map(|(_, episode)| labels_json(&episode.labels)),
        "alerts": finding.alerts,
    })
}
