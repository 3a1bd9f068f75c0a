//! How long tasks waited for processor, memory and disks, from /proc/pressure.

use super::{Family, Reading, SensorError};
use std::io::ErrorKind;

/// File, line, name, help. The kernel's `full` line of `cpu` has no meaning for a whole system.
const LINES: [(&str, &str, &str, &str); 5] = [
    (
        "cpu",
        "some",
        "node_pressure_cpu_waiting_seconds_total",
        "Total time in seconds that processes have waited for CPU time",
    ),
    (
        "io",
        "some",
        "node_pressure_io_waiting_seconds_total",
        "Total time in seconds that processes have waited due to IO congestion",
    ),
    (
        "io",
        "full",
        "node_pressure_io_stalled_seconds_total",
        "Total time in seconds no process could make progress due to IO congestion",
    ),
    (
        "memory",
        "some",
        "node_pressure_memory_waiting_seconds_total",
        "Total time in seconds that processes have waited for memory",
    ),
    (
        "memory",
        "full",
        "node_pressure_memory_stalled_seconds_total",
        "Total time in seconds no process could make progress due to memory congestion",
    ),
];

/// A kernel without pressure information has no such folder, or refuses to read it; that is a failure of
/// this collector, as in node_exporter.
pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let mut families = Vec::new();
    for (resource, line, name, help) in LINES {
        let file = match reading.proc.read(&format!("pressure/{resource}")) {
            Ok(file) => file,
            Err(SensorError::Read { path, source }) if source.kind() == ErrorKind::Unsupported => {
                let text =
                    format!("{path}: pressure information is switched off (boot with psi=1)");
                return Err(SensorError::System(text));
            }
            Err(error) => return Err(error),
        };
        for row in file.rows().filter(|row| row.first() == Some(&line)) {
            let total = row.iter().find_map(|word| word.strip_prefix("total="));
            let micros = file.parse(total.unwrap_or_default())?;
            families.push(Family::counter(name, help).of(micros / 1e6));
        }
    }
    Ok(families)
}
