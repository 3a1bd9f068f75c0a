//! `cargo xtask bench storm`: 50,000 alerts in 60 s in 5,000 groups, to receivers of which one is dead, one takes
//! requests and says nothing, and one is slow.
//!
//! Every group has one of six live receivers; a quarter of the groups each is also for the dead, the silent and
//! the slow one. What counts: how late each notification of a live receiver arrives after its group's moment,
//! memory, and that in the end, with everybody alive again, every alert has arrived everywhere.

mod receiver;

use super::start_watch;
use crate::server::{self, Kind, Server};
use anyhow::{bail, ensure};
use receiver::{Manner, Receiver};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const ALERTS: usize = 50_000;
const GROUPS: usize = 5_000;
const STORM: Duration = Duration::from_secs(60);
/// Alerts of one request.
const BATCH: usize = 100;
/// Requests under way at once.
const CLIENTS: usize = 4;
const LIVE: usize = 6;
/// Whom a quarter of the groups each is also for.
const ALSO: [&str; 4] = ["none", "dead", "silent", "slow"];
const GROUP_WAIT: Duration = Duration::from_secs(10);
const GROUP_INTERVAL: Duration = Duration::from_secs(60);
/// After the storm, until the second look at every group is over.
const AFTERMATH: Duration = Duration::from_secs(85);
/// How long those who were dead may take to hear everything.
const CATCH_UP: Duration = Duration::from_secs(300);
const NAP: Duration = Duration::from_secs(1);

/// When each group's first alert was sent, and all alerts of each receiver.
struct Plan {
    posted: Vec<Instant>,
    wanted: BTreeMap<String, BTreeSet<usize>>,
}

/// Which group an alert is in: neighbours are far apart, and all groups begin early.
const fn group_of(alert: usize) -> usize {
    alert * 7919 % GROUPS
}

fn live_name(group: usize) -> String {
    format!("live{}", group % LIVE)
}

fn also_name(group: usize) -> &'static str {
    ALSO.get(group / LIVE % ALSO.len())
        .copied()
        .unwrap_or("none")
}

/// Runs the storm and prints what came of it.
pub(crate) fn storm() -> anyhow::Result<()> {
    crate::page::ensure_program()?;
    let folder = tempfile::tempdir()?;
    let receivers = receivers()?;
    let file = folder.path().join("alertmanager.yml");
    std::fs::File::create(&file)?;
    write(&file, &configuration(&receivers))?;
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data)?;
    let server = Server::start(Kind::Binnacle, &data, Some(&file))?;
    let client = server::client();
    server.ready(&client)?;
    let before = server.usage()?;
    println!("{ALERTS} alerts in {} s …", STORM.as_secs());
    let plan = send(&server.address)?;
    let after_storm = server.usage()?;
    std::thread::sleep(AFTERMATH);
    let (late, duplicates) = lateness(&receivers, &plan)?;
    println!("everybody is alive again …");
    let revived = start_watch();
    for receiver in &receivers {
        receiver.revive()?;
    }
    let missing = catch_up(&receivers, &plan, revived);
    let caught_up = revived.elapsed();
    let end = server.usage()?;
    let refused = refused(&client, &server)?;
    let report = Report {
        late,
        duplicates,
        missing,
        refused,
        caught_up,
        arrivals: receivers
            .iter()
            .map(|r| (r.name.clone(), r.count()))
            .collect(),
        megabytes: [before, after_storm, end].map(|u| u.resident_bytes >> 20),
        peak_megabytes: end.resident_bytes_peak >> 20,
        cpu_seconds: [
            after_storm.cpu_seconds - before.cpu_seconds,
            end.cpu_seconds - before.cpu_seconds,
        ],
    };
    println!("\n{}", report.text());
    report.judge()
}

#[expect(clippy::disallowed_methods, reason = "a file of the benchmark's own")]
fn write(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    std::fs::write(file, text)
}

fn receivers() -> anyhow::Result<Vec<Receiver>> {
    let live = (0..LIVE).map(|number| (live_name(number), Manner::Live));
    let others = [
        ("dead", Manner::Dead),
        ("silent", Manner::Silent),
        ("slow", Manner::Slow),
    ];
    let others = others.map(|(name, manner)| (name.to_owned(), manner));
    live.chain(others)
        .map(|(name, manner)| Receiver::start(name, manner))
        .collect()
}

fn configuration(receivers: &[Receiver]) -> String {
    let mut text = format!(
        "global: {{resolve_timeout: 1h}}\nroute:\n  receiver: live0\n  group_by: [group]\n  group_wait: {}s\n  group_interval: {}s\n  repeat_interval: 4h\n  routes:\n",
        GROUP_WAIT.as_secs(),
        GROUP_INTERVAL.as_secs(),
    );
    // Those that continue come first.
    for receiver in receivers.iter().rev() {
        let name = &receiver.name;
        let (label, more) = match receiver.manner {
            Manner::Live => ("team", ""),
            Manner::Slow | Manner::Dead | Manner::Silent => ("also", ", continue: true"),
        };
        let _infallible = writeln!(
            text,
            "  - {{receiver: {name}, matchers: ['{label}={name}']{more}}}"
        );
    }
    text.push_str("receivers:\n");
    for Receiver { name, port, .. } in receivers {
        let _infallible = writeln!(
            text,
            "- {{name: {name}, webhook_configs: [{{url: 'http://127.0.0.1:{port}/'}}]}}"
        );
    }
    text
}

/// Sends all alerts, evenly over the time of the storm.
fn send(address: &str) -> anyhow::Result<Plan> {
    let start = start_watch();
    let next = Arc::new(AtomicUsize::new(0));
    let url = format!("http://{address}/api/v2/alerts");
    let workers = (0..CLIENTS).map(|_| {
        let (next, url) = (Arc::clone(&next), url.clone());
        std::thread::Builder::new()
            .name("client".to_owned())
            .spawn(move || worker(start, &next, &url))
    });
    let workers = workers.collect::<std::io::Result<Vec<_>>>()?;
    let mut posted = vec![None; GROUPS];
    for worker in workers {
        let Ok(sent) = worker.join() else {
            bail!("a client broke off");
        };
        for (group, at) in sent? {
            let known: &mut Option<Instant> = &mut posted[group];
            *known = Some(known.map_or(at, |known| known.min(at)));
        }
    }
    let mut wanted: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for alert in 0..ALERTS {
        let group = group_of(alert);
        wanted.entry(live_name(group)).or_default().insert(alert);
        wanted
            .entry(also_name(group).to_owned())
            .or_default()
            .insert(alert);
    }
    wanted.remove("none");
    Ok(Plan {
        posted: posted.into_iter().map(|at| at.unwrap_or(start)).collect(),
        wanted,
    })
}

fn worker(start: Instant, next: &AtomicUsize, url: &str) -> anyhow::Result<Vec<(usize, Instant)>> {
    let client = server::client();
    let mut sent = Vec::new();
    loop {
        let batch = next.fetch_add(1, Ordering::SeqCst);
        if batch >= ALERTS / BATCH {
            return Ok(sent);
        }
        let due = start + STORM.mul_f64(ratio(batch, ALERTS / BATCH));
        std::thread::sleep(due.saturating_duration_since(start_watch()));
        let alerts: Vec<Value> = (batch * BATCH..(batch + 1) * BATCH).map(alert).collect();
        let body = Value::from(alerts).to_string();
        let at = start_watch();
        let mut answer = client
            .post(url)
            .header("Content-Type", "application/json")
            .send(body.as_str())?;
        let status = answer.status().as_u16();
        ensure!(
            status == 200,
            "{status}: {}",
            answer.body_mut().read_to_string()?
        );
        sent.extend((batch * BATCH..(batch + 1) * BATCH).map(|alert| (group_of(alert), at)));
    }
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn ratio(part: usize, all: usize) -> f64 {
    part as f64 / all as f64
}

fn alert(number: usize) -> Value {
    let group = group_of(number);
    serde_json::json!({
        "labels": {
            "alertname": "Storm", "severity": "critical", "instance": format!("host-{number}:9100"),
            "group": format!("g{group}"), "team": live_name(group), "also": also_name(group),
            "number": number.to_string(),
        },
        "annotations": {"summary": format!("alert {number} of the storm"), "runbook": "https://runbooks.example.org/storm"},
        "generatorURL": "http://prometheus.example.org/graph?g0.expr=up",
    })
}

/// How late first and second notifications of live receivers came, sorted, and how many came twice.
fn lateness(receivers: &[Receiver], plan: &Plan) -> anyhow::Result<([Vec<Duration>; 2], usize)> {
    let mut late = [Vec::new(), Vec::new()];
    let mut duplicates = 0;
    for receiver in receivers.iter().filter(|r| r.manner == Manner::Live) {
        let mut keys = BTreeSet::new();
        let mut seen = BTreeSet::new();
        receiver.arrivals(|arrivals| {
            for arrival in arrivals {
                if !keys.insert(arrival.key.clone()) {
                    duplicates += 1;
                    continue;
                }
                let body: Value = serde_json::from_slice(&arrival.body)?;
                // Our own alert about the dead receivers comes to a live one, without a group of the storm.
                let label = body.pointer("/groupLabels/group").and_then(Value::as_str);
                let Some(label) = label.filter(|label| !label.is_empty()) else {
                    continue;
                };
                let group: usize = label.trim_start_matches('g').parse()?;
                let round = usize::from(!seen.insert(group));
                let posted = plan.posted.get(group).copied();
                let wait = GROUP_WAIT + GROUP_INTERVAL * u32::try_from(round)?;
                if let (Some(posted), Some(list)) = (posted, late.get_mut(round)) {
                    list.push(arrival.at.saturating_duration_since(posted + wait));
                }
            }
            anyhow::Ok(())
        })?;
    }
    for list in &mut late {
        list.sort();
    }
    Ok((late, duplicates))
}

/// Waits until every receiver has every alert; answers how many are missing.
fn catch_up(receivers: &[Receiver], plan: &Plan, since: Instant) -> BTreeMap<String, usize> {
    loop {
        let mut missing = BTreeMap::new();
        for receiver in receivers {
            let empty = BTreeSet::new();
            let wanted = plan.wanted.get(&receiver.name).unwrap_or(&empty);
            let heard = heard(receiver);
            missing.insert(receiver.name.clone(), wanted.difference(&heard).count());
        }
        if missing.values().all(|count| *count == 0) || since.elapsed() > CATCH_UP {
            return missing;
        }
        std::thread::sleep(NAP * 5);
    }
}

/// Numbers of the alerts that a receiver was told of.
fn heard(receiver: &Receiver) -> BTreeSet<usize> {
    let mut heard = BTreeSet::new();
    receiver.arrivals(|arrivals| {
        for arrival in arrivals {
            let body: Value = serde_json::from_slice(&arrival.body).unwrap_or_default();
            let alerts = body.get("alerts").and_then(Value::as_array);
            let numbers = alerts.into_iter().flatten().filter_map(|alert| {
                let number = alert.pointer("/labels/number").and_then(Value::as_str);
                number?.parse::<usize>().ok()
            });
            heard.extend(numbers);
        }
    });
    heard
}

/// What any limit refused, by the server's own metrics.
fn refused(client: &ureq::Agent, server: &Server) -> anyhow::Result<Vec<String>> {
    let (_, text) = server::get(client, &format!("http://{}/metrics", server.address), &[])?;
    let counted = |line: &&str| {
        (line.starts_with("binnacle_dispatch_") || line.starts_with("binnacle_wiring_"))
            && line.contains("refused_total")
            && !line.ends_with(" 0")
    };
    Ok(text.lines().filter(counted).map(str::to_owned).collect())
}

struct Report {
    late: [Vec<Duration>; 2],
    duplicates: usize,
    missing: BTreeMap<String, usize>,
    refused: Vec<String>,
    caught_up: Duration,
    arrivals: Vec<(String, usize)>,
    megabytes: [u64; 3],
    peak_megabytes: u64,
    cpu_seconds: [f64; 2],
}

/// The value below which this share of a sorted list is.
fn share(sorted: &[Duration], per_mille: usize) -> Duration {
    let index = (sorted.len() * per_mille / 1000).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

impl Report {
    fn text(&self) -> String {
        let mut text = String::from(
            "| live receivers, after their moment | notifications | p50, ms | p99, ms | longest, ms |\n|---|---|---|---|---|\n",
        );
        for (what, late) in ["first (group_wait)", "second (group_interval)"]
            .iter()
            .zip(&self.late)
        {
            let [median, most, longest] =
                [500, 990, 1000].map(|part| share(late, part).as_millis());
            let count = late.len();
            let _infallible =
                writeln!(text, "| {what} | {count} | {median} | {most} | {longest} |");
        }
        let [before, storm, end] = self.megabytes;
        let peak = self.peak_megabytes;
        let [cpu_storm, cpu_all] = self.cpu_seconds;
        let arrivals: Vec<String> = self
            .arrivals
            .iter()
            .map(|(n, c)| format!("{n} {c}"))
            .collect();
        let missing: usize = self.missing.values().sum();
        let _infallible = write!(
            text,
            "\n| what | figure |\n|---|---|\n| memory before / after the storm / at the end / peak, MiB | {before} / {storm} / {end} / {peak} |\n| processor seconds, storm / all | {cpu_storm:.1} / {cpu_all:.1} |\n| notifications that arrived | {} |\n| twice at a live receiver | {} |\n| alerts that a receiver never heard of | {missing} |\n| seconds until the dead, the silent and the slow had heard everything | {} |\n| refused by a limit | {} |\n",
            arrivals.join(", "),
            self.duplicates,
            self.caught_up.as_secs(),
            self.refused.len(),
        );
        text
    }

    fn judge(&self) -> anyhow::Result<()> {
        let most = share(&self.late[0], 990).max(share(&self.late[1], 990));
        ensure!(
            self.late[0].len() == GROUPS,
            "{} first notifications",
            self.late[0].len()
        );
        ensure!(
            most <= Duration::from_secs(1),
            "p99 is {} ms",
            most.as_millis()
        );
        ensure!(self.duplicates == 0, "{} came twice", self.duplicates);
        ensure!(
            self.missing.values().all(|count| *count == 0),
            "missing: {:?}",
            self.missing
        );
        ensure!(self.refused.is_empty(), "refused: {:?}", self.refused);
        Ok(())
    }
}
