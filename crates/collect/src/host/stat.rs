//! What the kernel counted since it started, from /proc/stat.

use super::{Family, Reading, SensorError};

/// The names of soft interrupts, in the order of the `softirq` line after its sum.
const SOFT_INTERRUPTS: [&str; 10] = [
    "hi",
    "timer",
    "net_tx",
    "net_rx",
    "block",
    "block_iopoll",
    "tasklet",
    "sched",
    "hrtimer",
    "rcu",
];

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let file = reading.proc.read("stat")?;
    let mut families = Vec::new();
    for line in file.text.lines() {
        let mut words = line.split_ascii_whitespace();
        let family = match words.next() {
            Some("intr") => {
                Family::counter("node_intr_total", "Total number of interrupts serviced.")
            }
            Some("ctxt") => Family::counter(
                "node_context_switches_total",
                "Total number of context switches.",
            ),
            Some("processes") => Family::counter("node_forks_total", "Total number of forks."),
            Some("btime") => {
                Family::gauge("node_boot_time_seconds", "Node boot time, in unixtime.")
            }
            Some("procs_running") => Family::gauge(
                "node_procs_running",
                "Number of processes in runnable state.",
            ),
            Some("procs_blocked") => Family::gauge(
                "node_procs_blocked",
                "Number of processes blocked waiting for I/O to complete.",
            ),
            Some("softirq") => {
                let mut family = Family::counter("node_softirqs_total", "Number of softirq calls.");
                for (vector, word) in SOFT_INTERRUPTS.iter().zip(words.skip(1)) {
                    family.add([("vector", vector)], file.parse(word)?);
                }
                families.push(family);
                continue;
            }
            _ => continue,
        };
        // The first number is the sum; the `intr` line goes on for thousands.
        families.push(family.of(file.parse(words.next().unwrap_or_default())?));
    }
    if families.is_empty() {
        return Err(file.error("no known lines"));
    }
    Ok(families)
}
