//! Time of each processor, from /proc/stat.

use super::{Family, Reading, SensorError};

/// The columns after the processor's name.
const MODES: [&str; 8] = [
    "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal",
];

/// Columns 9 and 10: time given to guests, contained in `user` and `nice`.
const GUEST_MODES: [&str; 2] = ["user", "nice"];

/// The kernel counts in hundredths of a second, whatever its own tick is (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let file = reading.proc.read("stat")?;
    let mut seconds = Family::counter(
        "node_cpu_seconds_total",
        "Seconds the CPUs spent in each mode.",
    );
    let mut guest = Family::counter(
        "node_cpu_guest_seconds_total",
        "Seconds the CPUs spent in guests (VMs) for each mode.",
    );
    for row in file.rows() {
        let Some(cpu) = row.first().and_then(|word| word.strip_prefix("cpu")) else {
            continue;
        };
        if cpu.is_empty() {
            continue; // the sum of all
        }
        for (mode, word) in MODES.iter().zip(row.iter().skip(1)) {
            let ticks = file.parse(word)?;
            seconds.add([("cpu", cpu), ("mode", mode)], ticks / TICKS_PER_SECOND);
        }
        for (mode, word) in GUEST_MODES.iter().zip(row.iter().skip(1 + MODES.len())) {
            let ticks = file.parse(word)?;
            guest.add([("cpu", cpu), ("mode", mode)], ticks / TICKS_PER_SECOND);
        }
    }
    if seconds.points.is_empty() {
        return Err(file.error("no cpu lines"));
    }
    Ok(vec![guest, seconds])
}
