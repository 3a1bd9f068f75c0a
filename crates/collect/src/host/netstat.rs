//! Counters of the network protocols, from /proc/net/netstat, snmp and snmp6.

use super::{Family, Reading, SensorError};
use model::MetricKind;

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let mut families = Vec::new();
    for part in ["net/netstat", "net/snmp"] {
        let file = reading.proc.read(part)?;
        let rows: Vec<Vec<&str>> = file.rows().collect();
        // A line of names, then a line of numbers, both beginning with the protocol.
        for pair in rows.chunks(2) {
            let [names, values] = pair else {
                return Err(file.error("a line of names without numbers"));
            };
            let protocol = names.first().copied().unwrap_or_default();
            if values.first() != Some(&protocol) || names.len() != values.len() {
                return Err(file.error(protocol));
            }
            let protocol = protocol.trim_end_matches(':');
            for (name, value) in names.iter().zip(values).skip(1) {
                if is_shown(protocol, name) {
                    families.push(statistic(protocol, name).of(file.parse(value)?));
                }
            }
        }
    }
    // Missing where IPv6 is switched off.
    if let Ok(file) = reading.proc.read("net/snmp6") {
        for row in file.rows() {
            let name = row.first().copied().unwrap_or_default();
            let Some((protocol, name)) = name.split_once('6') else {
                continue;
            };
            let protocol = format!("{protocol}6");
            if is_shown(&protocol, name) {
                families.push(statistic(&protocol, name).of(file.parse_at(&row, 1)?));
            }
        }
    }
    Ok(families)
}

fn statistic(protocol: &str, name: &str) -> Family {
    Family::new(
        MetricKind::Unknown,
        format!("node_netstat_{protocol}_{name}"),
        format!("Statistic {protocol}{name}."),
    )
}

/// The fields that node_exporter shows by default.
fn is_shown(protocol: &str, name: &str) -> bool {
    if matches!(name, "InErrors" | "InErrs") {
        return true;
    }
    match protocol {
        "Ip" => name == "Forwarding",
        "Ip6" | "IpExt" => matches!(name, "InOctets" | "OutOctets"),
        "Icmp" | "Icmp6" => matches!(name, "InMsgs" | "OutMsgs"),
        "TcpExt" => {
            name.starts_with("Listen")
                || name.starts_with("Syncookies")
                || matches!(name, "TCPSynRetrans" | "TCPTimeouts")
        }
        "Tcp" => matches!(
            name,
            "ActiveOpens"
                | "InSegs"
                | "OutSegs"
                | "OutRsts"
                | "PassiveOpens"
                | "RetransSegs"
                | "CurrEstab"
        ),
        "Udp" | "Udp6" => matches!(
            name,
            "InDatagrams" | "OutDatagrams" | "NoPorts" | "RcvbufErrors" | "SndbufErrors"
        ),
        _ => false,
    }
}
