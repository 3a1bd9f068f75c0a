//! Open files of the whole system, from /proc/sys/fs/file-nr.

use super::{Family, Reading, SensorError};

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let file = reading.proc.read("sys/fs/file-nr")?;
    // Allocated, free (always 0 since Linux 2.6), maximum.
    let row: Vec<&str> = file.text.split_ascii_whitespace().collect();
    let statistic = |name: &'static str, help: &'static str, index| {
        let value = file.parse_at(&row, index)?;
        Ok(Family::gauge(name, help).of(value))
    };
    Ok(vec![
        statistic(
            "node_filefd_allocated",
            "File descriptor statistics: allocated.",
            0,
        )?,
        statistic(
            "node_filefd_maximum",
            "File descriptor statistics: maximum.",
            2,
        )?,
    ])
}
