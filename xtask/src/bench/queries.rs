//! A fixed list of dashboard queries: one hour at a step of 15 s.

use super::start_watch;
use super::workload::DataSet;
use crate::server::{self, Server};
use anyhow::{Context as _, bail};

/// What dashboards ask of a data set, from a single host to all.
pub(super) const fn of(set: DataSet) -> [&'static str; 12] {
    match set {
        DataSet::Fleet => FLEET,
        DataSet::Churn => CHURN,
        DataSet::Node => NODE,
    }
}

const NODE: [&str; 12] = [
    r#"node_load1{instance="host-7:9100"}"#,
    r#"rate(node_network_receive_bytes_total{instance="host-7:9100"}[5m])"#,
    r#"1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))"#,
    r#"sum by (mode) (rate(node_cpu_seconds_total[5m]))"#,
    r#"node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"#,
    r#"node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1"#,
    r#"topk(5, sum by (instance) (rate(node_network_transmit_bytes_total[5m])))"#,
    r#"max_over_time(node_load5[10m])"#,
    r#"predict_linear(node_filesystem_avail_bytes{mountpoint="/mnt/0"}[30m], 14400) < 0"#,
    r#"quantile(0.95, rate(node_disk_io_time_seconds_total[5m]))"#,
    r#"count({__name__=~"node_.*"})"#,
    r#"count by (state) (node_systemd_unit_state == 1)"#,
];

/// As for the fleet; a series and the one that replaced it are told apart by their pod.
const CHURN: [&str; 12] = {
    let mut queries = FLEET;
    queries[11] = r#"rate(requests_0_total[5m]) / on (instance, core, pod) requests_3_total"#;
    queries
};

const FLEET: [&str; 12] = [
    r#"load_1_ratio{instance="host-7:9100"}"#,
    r#"rate(requests_0_total{instance="host-7:9100"}[5m])"#,
    r#"sum(rate(requests_0_total[5m]))"#,
    r#"sum by (job) (rate(requests_3_total[5m]))"#,
    r#"sum by (instance) (rate(requests_3_total[5m]))"#,
    r#"topk(5, rate(requests_6_total[5m]))"#,
    r#"avg by (job) (temperature_1_celsius)"#,
    r#"max_over_time(temperature_4_celsius[10m])"#,
    r#"quantile by (job) (0.95, load_2_ratio)"#,
    r#"load_2_ratio > 99"#,
    r#"count({job="web"})"#,
    r#"rate(requests_0_total[5m]) / on (instance, core) requests_3_total"#,
];

const ROUNDS: usize = 5;

/// Median milliseconds and number of series for each query.
pub(super) fn measure(
    server: &Server,
    client: &ureq::Agent,
    (set, end_ms): (DataSet, i64),
) -> anyhow::Result<(Vec<f64>, Vec<usize>)> {
    let (mut times, mut counts) = (Vec::new(), Vec::new());
    for query in of(set) {
        let mut rounds = Vec::new();
        let mut series = 0;
        for _ in 0..ROUNDS {
            let (found, milliseconds) = ask(server, client, query, end_ms)?;
            series = found;
            rounds.push(milliseconds);
        }
        rounds.sort_by(f64::total_cmp);
        times.push(rounds.get(ROUNDS / 2).copied().unwrap_or(f64::NAN));
        counts.push(series);
    }
    Ok((times, counts))
}

/// Asks one query over an hour and gives the number of series in the answer, and the milliseconds until all of it
/// was read. Our own parsing of it, which takes longer than some answers, is not the server's.
pub(super) fn ask(
    server: &Server,
    client: &ureq::Agent,
    query: &str,
    end_ms: i64,
) -> anyhow::Result<(usize, f64)> {
    let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
    let (start, end) = (seconds(end_ms - 3_540_000), seconds(end_ms));
    let parameters = [
        ("query", query),
        ("start", &start),
        ("end", &end),
        ("step", "15"),
        ("nocache", "1"),
    ];
    let watch = start_watch();
    let (status, text) = server::get(client, &server.api_url("query_range"), &parameters)?;
    let milliseconds = watch.elapsed().as_secs_f64() * 1000.0;
    if status != 200 {
        bail!("{}: {query} answers {status}: {text}", server.kind.name());
    }
    let json: serde_json::Value = serde_json::from_str(&text)?;
    let result = json
        .pointer("/data/result")
        .and_then(|result| result.as_array())
        .context("no result")?;
    Ok((result.len(), milliseconds))
}
