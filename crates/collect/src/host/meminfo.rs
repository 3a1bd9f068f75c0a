//! Every field of /proc/meminfo.

use super::{Family, Reading, SensorError};

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let file = reading.proc.read("meminfo")?;
    let mut families = Vec::new();
    for row in file.rows() {
        let Some(field) = row.first().and_then(|word| word.strip_suffix(':')) else {
            return Err(file.error(&row.join(" ")));
        };
        let value = file.parse_at(&row, 1)?;
        // Active(anon) becomes Active_anon.
        let field = field.replace('(', "_").replace(')', "");
        let (field, value) = match row.get(2) {
            None => (field, value),
            Some(&"kB") => (format!("{field}_bytes"), value * 1024.0),
            Some(_) => return Err(file.error(&row.join(" "))),
        };
        let help = format!("Memory information field {field}.");
        families.push(Family::gauge(format!("node_memory_{field}"), help).of(value));
    }
    if families.is_empty() {
        return Err(file.error("nothing"));
    }
    Ok(families)
}
