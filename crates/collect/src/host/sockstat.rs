//! Sockets in use, from /proc/net/sockstat and sockstat6.

use super::{Family, Reading, SensorError};

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let mut families = Vec::new();
    for (part, may_be_missing) in [("net/sockstat", false), ("net/sockstat6", true)] {
        let file = match reading.proc.read(part) {
            Ok(file) => file,
            Err(_no_ipv6) if may_be_missing => continue,
            Err(error) => return Err(error),
        };
        for row in file.rows() {
            let Some(protocol) = row.first().and_then(|word| word.strip_suffix(':')) else {
                return Err(file.error(&row.join(" ")));
            };
            for pair in row.get(1..).unwrap_or_default().chunks(2) {
                let field = pair.first().copied().unwrap_or_default();
                let value = file.parse_at(pair, 1)?;
                families.push(statistic(protocol, field).of(value));
                if field == "mem" {
                    let bytes = value * page_size();
                    families.push(statistic(protocol, "mem_bytes").of(bytes));
                }
            }
        }
    }
    Ok(families)
}

fn statistic(protocol: &str, field: &str) -> Family {
    let help = if protocol == "sockets" {
        "Number of IPv4 sockets in use.".to_owned()
    } else {
        format!("Number of {protocol} sockets in state {field}.")
    };
    Family::gauge(format!("node_sockstat_{protocol}_{field}"), help)
}

fn page_size() -> f64 {
    model::number::usize_to_float(rustix::param::page_size())
}
