//! Paging, swapping and the out-of-memory killer, from /proc/vmstat.

use super::{Family, Reading, SensorError};
use model::MetricKind;

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let file = reading.proc.read("vmstat")?;
    let mut families = Vec::new();
    for row in file.rows() {
        let field = row.first().copied().unwrap_or_default();
        if !is_shown(field) {
            continue;
        }
        let value = file.parse_at(&row, 1)?;
        let family = Family::new(
            MetricKind::Unknown,
            format!("node_vmstat_{field}"),
            format!("/proc/vmstat information field {field}."),
        );
        families.push(family.of(value));
    }
    Ok(families)
}

/// node_exporter's default: `^(oom_kill|pgpg|pswp|pg.*fault).*`.
fn is_shown(field: &str) -> bool {
    let faults = field
        .strip_prefix("pg")
        .is_some_and(|rest| rest.contains("fault"));
    faults
        || ["oom_kill", "pgpg", "pswp"]
            .iter()
            .any(|prefix| field.starts_with(prefix))
}
