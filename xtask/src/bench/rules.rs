//! What it costs to evaluate ten thousand rules each minute, beside Debian's prometheus on the same files.
//!
//! 500 groups of 20 rules over 20,000 series of the fleet, which are written on in real time. First a minute without
//! rules is measured, then, after a reload and a round to warm up, two minutes with them: the difference is the rules'.

use super::workload::{DataSet, Workload};
use super::{SERIES, STEP_MS, now_ms, push, start_watch};
use crate::server::{self, Kind, Server};
use anyhow::Context as _;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

const GROUPS: usize = 500;
/// Rules of all groups.
const RULES: f64 = 10_000.0;
/// Hosts of the fleet: each has 100 series.
const HOSTS: usize = SERIES / 100;
/// Samples of each series from before.
const HISTORY: usize = 80;
/// Seconds without rules, to warm up, and with them.
const SECONDS: [u64; 3] = [60, 75, 120];
/// Between two evaluations.
const INTERVAL_SECONDS: u64 = 60;

struct Cost {
    kind: Kind,
    /// Share of one core without rules.
    without: f64,
    /// Seconds of processor time for one evaluation of all rules.
    evaluation_seconds: f64,
    resident_bytes: u64,
    evaluations: f64,
    failures: f64,
    missed: f64,
}

/// Runs it and prints a table.
pub(crate) fn rules(words: &[&str]) -> anyhow::Result<()> {
    crate::page::ensure_program()?;
    let mut costs = Vec::new();
    for kind in Kind::installed() {
        let named = words.is_empty() || words.contains(&kind.name());
        if kind != Kind::VictoriaMetrics && named {
            println!("{} …", kind.name());
            costs.push(measure(kind)?);
        }
    }
    println!("\n{}", table(&costs));
    Ok(())
}

fn measure(kind: Kind) -> anyhow::Result<Cost> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data)?;
    let (config, file) = (
        folder.path().join("prometheus.yml"),
        folder.path().join("rules.yml"),
    );
    let text =
        format!("global: {{evaluation_interval: {INTERVAL_SECONDS}s}}\nrule_files: [rules.yml]\n");
    write(&config, &text)?;
    write(&file, "groups: []\n")?;
    let client = server::client();
    let server = Server::start(kind, &data, Some(&config))?;
    server.ready(&client)?;
    let mut pushed = Pushed {
        workload: Workload::new(DataSet::Fleet, SERIES),
        next_ms: now_ms()? - i64::try_from(HISTORY)? * STEP_MS,
    };
    pushed.until(&server, &client, now_ms()?)?;
    let [without, warm, with] = SECONDS;
    let before = server.usage()?.cpu_seconds;
    pushed.for_seconds(&server, &client, without)?;
    let idle = (server.usage()?.cpu_seconds - before) / float(without);
    write(&file, &rule_file())?;
    server.hang_up()?;
    pushed.for_seconds(&server, &client, warm)?;
    let before = server.usage()?.cpu_seconds;
    let counted = evaluations(&server, &client)?;
    pushed.for_seconds(&server, &client, with)?;
    let after = server.usage()?;
    let spent = after.cpu_seconds - before - idle * float(with);
    let metrics = metrics(&server, &client)?;
    let evaluations = sum(&metrics, "prometheus_rule_evaluations_total") - counted;
    Ok(Cost {
        kind,
        without: idle,
        // On a busy machine fewer rules are evaluated than should be.
        evaluation_seconds: spent / evaluations.max(1.0) * RULES,
        resident_bytes: after.resident_bytes,
        evaluations,
        failures: sum(&metrics, "prometheus_rule_evaluation_failures_total"),
        missed: sum(&metrics, "prometheus_rule_group_iterations_missed_total"),
    })
}

/// The fleet, written up to the present.
struct Pushed {
    workload: Workload,
    next_ms: i64,
}

impl Pushed {
    fn until(&mut self, server: &Server, client: &ureq::Agent, to_ms: i64) -> anyhow::Result<()> {
        while self.next_ms <= to_ms {
            for body in self.workload.step(self.next_ms)? {
                push(server, client, &body)?;
            }
            self.next_ms += STEP_MS;
        }
        Ok(())
    }

    fn for_seconds(
        &mut self,
        server: &Server,
        client: &ureq::Agent,
        seconds: u64,
    ) -> anyhow::Result<()> {
        let watch = start_watch();
        while watch.elapsed() < Duration::from_secs(seconds) {
            self.until(server, client, now_ms()?)?;
            std::thread::sleep(Duration::from_millis(250));
        }
        Ok(())
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

/// 500 groups: recorded rates of a metric over all hosts and of one host, and alerts in pairs of warning and critical
/// that differ in their threshold only. One alert in twenty fires.
fn rule_file() -> String {
    let mut text = String::from("groups:\n");
    for group in 0..GROUPS {
        let (metric, host) = (group % 10, group % HOSTS);
        let (other, on) = ((metric + 3) % 10, format!("instance=\"host-{host}:9100\""));
        let all = format!("sum by (job) (rate(requests_{metric}_total[5m]))");
        let own = format!("rate(requests_{metric}_total{{{on}}}[5m])");
        let recorded = format!("bench{group}:requests:rate5m");
        let pairs = [
            all.clone(),
            format!("avg by (instance) (load_{metric}_ratio{{{on}}})"),
            format!("max_over_time(temperature_{metric}_celsius{{{on}}}[10m])"),
            format!("sum({own}) / sum(rate(requests_{other}_total{{{on}}}[5m]))"),
            format!("avg_over_time(load_{metric}_ratio{{{on}}}[5m])"),
            format!("temperature_{metric}_celsius{{{on}}}"),
            format!("quantile by (job) (0.9, load_{other}_ratio{{{on}}})"),
        ];
        let mut rules = vec![
            format!("{{record: '{recorded}', expr: '{all}'}}"),
            format!("{{record: 'bench{group}:own:rate5m', expr: '{own}'}}"),
            format!("{{record: 'bench{group}:own:sum', expr: 'sum by (instance) ({own})'}}"),
            format!(
                "{{alert: Bench{group}Fires, expr: '{recorded} >= 0', for: 1m, labels: {{severity: info}}, \
                 annotations: {{text: '{{{{ $labels.job }}}} has {{{{ $value | humanize }}}}'}}}}"
            ),
            format!("{{alert: Bench{group}High, expr: '{recorded} > 1e12', for: 5m}}"),
            format!("{{alert: Bench{group}Absent, expr: 'absent({recorded})', for: 5m}}"),
        ];
        for (number, expr) in pairs.iter().enumerate() {
            for (severity, limit) in [("warning", "1e12"), ("critical", "2e12")] {
                rules.push(format!(
                    "{{alert: Bench{group}Pair{number}, expr: '{expr} > {limit}', for: 5m, \
                     labels: {{severity: {severity}}}, annotations: {{text: '{{{{ $value }}}}'}}}}"
                ));
            }
        }
        // Writing to a String cannot fail.
        let _infallible = write!(text, "- name: bench{group}\n  rules:\n");
        for rule in rules {
            let _infallible = writeln!(text, "  - {rule}");
        }
    }
    text
}

fn metrics(server: &Server, client: &ureq::Agent) -> anyhow::Result<String> {
    let url = format!("http://{}/metrics", server.address);
    Ok(server::get(client, &url, &[])?.1)
}

fn evaluations(server: &Server, client: &ureq::Agent) -> anyhow::Result<f64> {
    let metrics = metrics(server, client)?;
    Ok(sum(&metrics, "prometheus_rule_evaluations_total"))
}

/// The sum of all series of a metric.
fn sum(metrics: &str, name: &str) -> f64 {
    let lines = metrics.lines().filter(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']))
    });
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

fn table(costs: &[Cost]) -> String {
    let mut text = String::from(
        "| program | CPU of one evaluation of all rules, s | share of a core | without rules | MiB | evaluations | failed | missed |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for cost in costs {
        let mebibytes = cost.resident_bytes / 1_048_576;
        // Writing to a String cannot fail.
        let _infallible = writeln!(
            text,
            "| {} | {:.2} | {:.3} | {:.3} | {mebibytes} | {} | {} | {} |",
            cost.kind.name(),
            cost.evaluation_seconds,
            cost.evaluation_seconds / float(INTERVAL_SECONDS),
            cost.without,
            cost.evaluations,
            cost.failures,
            cost.missed,
        );
    }
    text
}

/// Seconds here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "seconds far below 2^53")]
fn float(seconds: u64) -> f64 {
    seconds as f64
}

#[cfg(test)]
mod tests {
    use super::{rule_file, sum};

    #[test]
    fn there_are_ten_thousand() {
        let text = rule_file();
        let rules = text.lines().filter(|line| line.starts_with("  - {"));
        assert_eq!(rules.count(), 10_000);
    }

    #[test]
    fn sums_a_metric() {
        let metrics = "# TYPE a counter\na{x=\"1\"} 2\na{x=\"2\"} 3\na_b 7\n";
        assert!((sum(metrics, "a") - 5.0).abs() < 1e-9);
    }
}
