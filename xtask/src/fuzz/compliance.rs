//! Upstream's compliance queries: 116 templates, 537 queries, asked as range queries of us and of prometheus over
//! data like that of the demo service they were written for.

use super::changes::{self, Difference};
use super::grammar::MOMENT_MS;
use super::judge::{self, Outcome, When};
use super::random::Random;
use super::{Pair, data};
use crate::remote_write::{Label, Sample, TimeSeries};
use anyhow::Context as _;
use std::path::Path;

/// Between two samples, as the queries ask for.
const INTERVAL_MS: i64 = 5_000;

/// How long the data lasts, in milliseconds.
const SPAN_MS: i64 = 100 * 60_000;

/// What stands for the words of the templates. Source: the tester of the compliance suite, promql/comparer.
const VARIANTS: [(&str, &[&str]); 14] = [
    ("range", &["1s", "15s", "1m", "5m", "15m", "1h"]),
    ("offset", &["1m", "5m", "10m"]),
    (
        "simpleAggrOp",
        &["sum", "avg", "max", "min", "count", "stddev", "stdvar"],
    ),
    (
        "simpleTimeAggrOp",
        &[
            "sum", "avg", "max", "min", "count", "stddev", "stdvar", "absent", "last", "present",
        ],
    ),
    ("topBottomOp", &["topk", "bottomk"]),
    (
        "quantile",
        &["-0.5", "0.1", "0.5", "0.75", "0.95", "0.99", "1", "1.5"],
    ),
    ("arithBinOp", &["+", "-", "*", "/", "%", "^"]),
    ("compBinOp", &["==", "!=", "<", ">", "<=", ">="]),
    (
        "binOp",
        &[
            "+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">=",
        ],
    ),
    (
        "simpleMathFunc",
        &[
            "abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "round",
        ],
    ),
    ("extrapolatedRateFunc", &["delta", "rate", "increase"]),
    ("clampFunc", &["clamp_min", "clamp_max"]),
    ("instantRateFunc", &["idelta", "irate"]),
    (
        "dateFunc",
        &[
            "day_of_month",
            "day_of_week",
            "days_in_month",
            "hour",
            "minute",
            "month",
            "year",
        ],
    ),
];

/// How many queries are answered alike or differ by a known change, and the differences.
pub(crate) fn run(file: &Path) -> anyhow::Result<(usize, Vec<String>)> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let queries: Vec<String> = templates(&text)
        .iter()
        .flat_map(|one| variants(one))
        .collect();
    let folder = tempfile::tempdir()?;
    let pair = Pair::start(folder.path())?;
    // In one request: prometheus refuses what is an hour older than what it has.
    pair.write(series())?;
    let end = data::BEGIN_MS + SPAN_MS - 60_000 + MOMENT_MS;
    let when = When::Range {
        start: end - 10 * 60_000,
        end,
        step: 10_000,
    };
    let (mut passed, mut failed) = (0, Vec::new());
    for query in &queries {
        let (ours, theirs) = pair.ask(query, when)?;
        match judged(query, &ours, &theirs) {
            Ok(None) => passed += 1,
            Ok(Some(change)) => {
                passed += 1;
                println!("  promql-compliance: {query}: {}", change.reason);
            }
            Err(found) => failed.push(format!("{query}: {found}")),
        }
    }
    Ok((passed, failed))
}

fn judged(
    query: &str,
    ours: &Outcome,
    theirs: &Outcome,
) -> Result<Option<&'static changes::Change>, String> {
    let Some(found) = judge::difference(ours, theirs, false) else {
        return Ok(None);
    };
    let difference = Difference {
        query,
        ours,
        theirs,
    };
    changes::explaining(&difference).map(Some).ok_or(found)
}

/// The queries of the file, before words are put in.
fn templates(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("query:"))
        .map(|query| {
            let query = query.trim();
            let unquoted = |quote| query.strip_prefix(quote)?.strip_suffix(quote);
            match (unquoted('\''), unquoted('"')) {
                (Some(text), _) => text.replace("''", "'"),
                (None, Some(text)) => text.to_owned(),
                (None, None) => query.to_owned(),
            }
        })
        .collect()
}

/// A template with every combination of words.
fn variants(template: &str) -> Vec<String> {
    for (name, words) in VARIANTS {
        let place = format!("{{{{.{name}}}}}");
        if template.contains(&place) {
            return words
                .iter()
                .flat_map(|word| variants(&template.replace(&place, word)))
                .collect();
        }
    }
    vec![template.to_owned()]
}

/// A series while it is made: labels besides instance and job, and how its values go on.
struct Made<'a> {
    labels: &'a [(&'a str, &'a str)],
    next: &'a mut dyn FnMut(&mut Random) -> f64,
}

fn series() -> Vec<TimeSeries> {
    let mut random = Random::new(1);
    let mut all = Vec::new();
    for instance in [
        "demo.promlabs.com:10000",
        "demo.promlabs.com:10001",
        "demo.promlabs.com:10002",
    ] {
        gauges(instance, &mut random, &mut all);
        counters(instance, &mut random, &mut all);
    }
    all
}

fn gauges(instance: &str, random: &mut Random, all: &mut Vec<TimeSeries>) {
    for kind in ["buffers", "cached", "free", "used"] {
        let labels = [("__name__", "demo_memory_usage_bytes"), ("type", kind)];
        let mut next = |random: &mut Random| (1e9 + random.unit() * 1e8).floor();
        add(
            instance,
            &mut Made {
                labels: &labels,
                next: &mut next,
            },
            random,
            all,
        );
    }
    let mut disk = 1e9;
    let mut run = 1.75e9;
    let mut next = |_: &mut Random| 4.0;
    let name = |name| [("__name__", name)];
    add(
        instance,
        &mut Made {
            labels: &name("demo_num_cpus"),
            next: &mut next,
        },
        random,
        all,
    );
    let mut next = |random: &mut Random| {
        disk += random.unit() * 1e6;
        disk
    };
    add(
        instance,
        &mut Made {
            labels: &name("demo_disk_usage_bytes"),
            next: &mut next,
        },
        random,
        all,
    );
    let mut next = |random: &mut Random| {
        run += if random.chance(10) { 60.0 } else { 0.0 };
        run
    };
    let labels = name("demo_batch_last_success_timestamp_seconds");
    add(
        instance,
        &mut Made {
            labels: &labels,
            next: &mut next,
        },
        random,
        all,
    );
    let mut next = |_: &mut Random| 1.0;
    add(
        instance,
        &mut Made {
            labels: &name("demo_intermittent_metric"),
            next: &mut next,
        },
        random,
        all,
    );
}

fn counters(instance: &str, random: &mut Random, all: &mut Vec<TimeSeries>) {
    for mode in ["idle", "system", "user"] {
        let labels = [("__name__", "demo_cpu_usage_seconds_total"), ("mode", mode)];
        let mut value = 1e5;
        let mut next = |random: &mut Random| {
            value = if random.below(1000) == 0 {
                5e4
            } else {
                value + random.unit() * 5.0
            };
            value
        };
        add(
            instance,
            &mut Made {
                labels: &labels,
                next: &mut next,
            },
            random,
            all,
        );
    }
    for (method, path) in [("GET", "/api/foo"), ("POST", "/api/bar")] {
        for status in ["200", "500"] {
            let (mut total, mut share) = (1e4, 1.0);
            for bound in ["0.001", "0.01", "0.1", "1", "+Inf"] {
                share += 1.0;
                let labels = [
                    ("__name__", "demo_api_request_duration_seconds_bucket"),
                    ("le", bound),
                    ("method", method),
                    ("path", path),
                    ("status", status),
                ];
                total += 1e3;
                let mut value = total;
                let mut next = |_: &mut Random| {
                    value += share;
                    value
                };
                add(
                    instance,
                    &mut Made {
                        labels: &labels,
                        next: &mut next,
                    },
                    random,
                    all,
                );
            }
            let labels = [
                ("__name__", "demo_api_request_duration_seconds_count"),
                ("method", method),
                ("path", path),
                ("status", status),
            ];
            let mut next = |_: &mut Random| {
                total += share;
                total
            };
            add(
                instance,
                &mut Made {
                    labels: &labels,
                    next: &mut next,
                },
                random,
                all,
            );
        }
    }
}

fn add(instance: &str, made: &mut Made<'_>, random: &mut Random, all: &mut Vec<TimeSeries>) {
    let mut labels: Vec<(&str, &str)> = made.labels.to_vec();
    labels.extend([("instance", instance), ("job", "demo")]);
    labels.sort_unstable();
    let comes_and_goes = labels.contains(&("__name__", "demo_intermittent_metric"));
    let mut samples = Vec::new();
    let mut at = data::BEGIN_MS;
    while at < data::BEGIN_MS + SPAN_MS {
        let value = (made.next)(random);
        let is_there = !comes_and_goes || at / 60_000 % 2 == 0;
        if is_there {
            let timestamp = at + random.between(300, 699);
            samples.push(Sample { value, timestamp });
        }
        at += INTERVAL_MS;
    }
    let labels = labels
        .into_iter()
        .map(|(name, value)| Label {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .collect();
    all.push(TimeSeries { labels, samples });
}

#[cfg(test)]
mod tests {
    use super::{templates, variants};

    #[test]
    fn reads_templates() {
        let text = "test_cases:\n  - query: 'a{b=\"c\"}'\n  - query: \"d\"\n  - # e\n    query: f(-1)\n  - query: -1 ^ 2\n";
        assert_eq!(templates(text), ["a{b=\"c\"}", "d", "f(-1)", "-1 ^ 2"]);
    }

    #[test]
    fn puts_words_in() {
        let made = variants("{{.instantRateFunc}}(x[{{.offset}}])");
        assert_eq!(made.len(), 6);
        assert!(made.contains(&"irate(x[10m])".to_owned()));
    }
}
