//! Traffic and errors of each network device, from /proc/net/dev.

use super::{Family, Reading, SensorError};

/// The columns after the device's name, in two halves.
const RECEIVED: [&str; 8] = [
    "bytes",
    "packets",
    "errs",
    "drop",
    "fifo",
    "frame",
    "compressed",
    "multicast",
];
const SENT: [&str; 8] = [
    "bytes",
    "packets",
    "errs",
    "drop",
    "fifo",
    "colls",
    "carrier",
    "compressed",
];

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let file = reading.proc.read("net/dev")?;
    let statistic = |name: String| {
        let help = format!("Network device statistic {name}.");
        Family::counter(format!("node_network_{name}_total"), help)
    };
    let received = RECEIVED.iter().map(|column| format!("receive_{column}"));
    let sent = SENT.iter().map(|column| format!("transmit_{column}"));
    let mut families: Vec<Family> = received.chain(sent).map(statistic).collect();
    let mut no_handler = statistic("receive_nohandler".to_owned());
    // Two lines of heading.
    for line in file.text.lines().skip(2) {
        let Some((device, numbers)) = line.rsplit_once(':') else {
            return Err(file.error(line));
        };
        let device = device.trim();
        if reading
            .options
            .net_devices_excluded
            .iter()
            .any(|name| name == device)
        {
            continue;
        }
        let words: Vec<&str> = numbers.split_ascii_whitespace().collect();
        for (i, family) in families.iter_mut().enumerate() {
            family.add([("device", device)], file.parse_at(&words, i)?);
        }
        // Only /sys knows this one; kernels before 4.6 do not.
        let path = format!("class/net/{device}/statistics/rx_nohandler");
        if let Ok(file) = reading.sys.read(&path) {
            no_handler.add([("device", device)], file.number()?);
        }
    }
    families.push(no_handler);
    Ok(families)
}
