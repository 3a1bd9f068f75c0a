//! Load averages, from /proc/loadavg.

use super::{Family, Reading, SensorError};

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let file = reading.proc.read("loadavg")?;
    let row: Vec<&str> = file.text.split_ascii_whitespace().collect();
    let names = [
        ("node_load1", "1m load average."),
        ("node_load5", "5m load average."),
        ("node_load15", "15m load average."),
    ];
    let mut families = Vec::new();
    for (i, (name, help)) in names.into_iter().enumerate() {
        families.push(Family::gauge(name, help).of(file.parse_at(&row, i)?));
    }
    Ok(families)
}
