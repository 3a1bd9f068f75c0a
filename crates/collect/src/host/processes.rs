//! Processes and threads by state, from the folders of /proc.
//!
//! The costliest collector: one small file for each process, and one for each thread of those that have
//! several. A process that ends meanwhile is left out.

use super::files::Folder;
use super::{Family, Reading, SensorError};
use model::number::usize_to_float;
use std::collections::BTreeMap;

#[derive(Default)]
struct Counts {
    processes: usize,
    threads: f64,
    process_states: BTreeMap<String, usize>,
    thread_states: BTreeMap<String, usize>,
}

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let counts = count(&reading.proc)?;
    let threads_max = reading.proc.read("sys/kernel/threads-max")?.number()?;
    let processes_max = reading.proc.read("sys/kernel/pid_max")?.number()?;
    let mut states = Family::gauge("node_processes_state", "Number of processes in each state.");
    for (state, count) in &counts.process_states {
        states.add([("state", state)], usize_to_float(*count));
    }
    let mut thread_states = Family::gauge(
        "node_processes_threads_state",
        "Number of threads in each state.",
    );
    for (state, count) in &counts.thread_states {
        thread_states.add([("thread_state", state)], usize_to_float(*count));
    }
    let gauge = |name: &'static str, help: &'static str, value| Family::gauge(name, help).of(value);
    Ok(vec![
        gauge(
            "node_processes_max_processes",
            "Number of max PIDs limit",
            processes_max,
        ),
        gauge(
            "node_processes_max_threads",
            "Limit of threads in the system",
            threads_max,
        ),
        gauge(
            "node_processes_pids",
            "Number of PIDs",
            usize_to_float(counts.processes),
        ),
        states,
        gauge(
            "node_processes_threads",
            "Allocated threads in system",
            counts.threads,
        ),
        thread_states,
    ])
}

fn count(proc: &Folder<'_>) -> Result<Counts, SensorError> {
    let mut counts = Counts::default();
    for process in proc.names("")? {
        if !process.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let Some((state, threads)) = read_stat(proc, &format!("{process}/stat")) else {
            continue; // ended meanwhile
        };
        counts.processes += 1;
        counts.threads += threads;
        if threads > 1.0 {
            let tasks = proc.names(&format!("{process}/task")).unwrap_or_default();
            for task in tasks {
                let stat = format!("{process}/task/{task}/stat");
                if let Some((state, _)) = read_stat(proc, &stat) {
                    *counts.thread_states.entry(state).or_default() += 1;
                }
            }
        } else {
            *counts.thread_states.entry(state.clone()).or_default() += 1;
        }
        *counts.process_states.entry(state).or_default() += 1;
    }
    Ok(counts)
}

/// State and number of threads of a process or thread.
fn read_stat(proc: &Folder<'_>, part: &str) -> Option<(String, f64)> {
    let file = proc.read(part).ok()?;
    // The name stands in parentheses and may hold blanks and parentheses itself.
    let (_, rest) = file.text.rsplit_once(')')?;
    let mut words = rest.split_ascii_whitespace();
    let state = words.next()?.to_owned();
    let threads = words.nth(16)?.parse().ok()?;
    Some((state, threads))
}
