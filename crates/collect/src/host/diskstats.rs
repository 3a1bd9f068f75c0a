//! Reads, writes, discards and flushes of each disk, from /proc/diskstats.

use super::files::Folder;
use super::{Family, Reading, SensorError};
use model::MetricKind;

/// Columns after the device's name: metric, help, type, and what one unit of the column is worth. The kernel
/// counts in sectors of 512 bytes and in milliseconds. Older kernels end earlier.
const COLUMNS: [(&str, &str, MetricKind, f64); 17] = [
    (
        "reads_completed_total",
        "The total number of reads completed successfully.",
        MetricKind::Counter,
        1.0,
    ),
    (
        "reads_merged_total",
        "The total number of reads merged.",
        MetricKind::Counter,
        1.0,
    ),
    (
        "read_bytes_total",
        "The total number of bytes read successfully.",
        MetricKind::Counter,
        512.0,
    ),
    (
        "read_time_seconds_total",
        "The total number of seconds spent by all reads.",
        MetricKind::Counter,
        0.001,
    ),
    (
        "writes_completed_total",
        "The total number of writes completed successfully.",
        MetricKind::Counter,
        1.0,
    ),
    (
        "writes_merged_total",
        "The number of writes merged.",
        MetricKind::Counter,
        1.0,
    ),
    (
        "written_bytes_total",
        "The total number of bytes written successfully.",
        MetricKind::Counter,
        512.0,
    ),
    (
        "write_time_seconds_total",
        "This is the total number of seconds spent by all writes.",
        MetricKind::Counter,
        0.001,
    ),
    (
        "io_now",
        "The number of I/Os currently in progress.",
        MetricKind::Gauge,
        1.0,
    ),
    (
        "io_time_seconds_total",
        "Total seconds spent doing I/Os.",
        MetricKind::Counter,
        0.001,
    ),
    (
        "io_time_weighted_seconds_total",
        "The weighted # of seconds spent doing I/Os.",
        MetricKind::Counter,
        0.001,
    ),
    (
        "discards_completed_total",
        "The total number of discards completed successfully.",
        MetricKind::Counter,
        1.0,
    ),
    (
        "discards_merged_total",
        "The total number of discards merged.",
        MetricKind::Counter,
        1.0,
    ),
    (
        "discarded_sectors_total",
        "The total number of sectors discarded successfully.",
        MetricKind::Counter,
        1.0,
    ),
    (
        "discard_time_seconds_total",
        "This is the total number of seconds spent by all discards.",
        MetricKind::Counter,
        0.001,
    ),
    (
        "flush_requests_total",
        "The total number of flush requests completed successfully",
        MetricKind::Counter,
        1.0,
    ),
    (
        "flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.",
        MetricKind::Counter,
        0.001,
    ),
];

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let file = reading.proc.read("diskstats")?;
    let mut families: Vec<Family> = COLUMNS
        .iter()
        .map(|(name, help, kind, _)| Family::new(*kind, format!("node_disk_{name}"), *help))
        .collect();
    let mut info = Family::gauge("node_disk_info", "Info of /sys/block/<block_device>.");
    let udev = Folder(&reading.options.roots.udev_data);
    for row in file.rows() {
        let [major, minor, device, numbers @ ..] = row.as_slice() else {
            return Err(file.error(&row.join(" ")));
        };
        if is_excluded_by_default(device) {
            continue;
        }
        for ((family, word), (_, _, _, unit)) in families.iter_mut().zip(numbers).zip(COLUMNS) {
            family.add([("device", device)], file.parse(word)? * unit);
        }
        add_info(&mut info, &udev, device, [major, minor]);
    }
    families.push(info);
    Ok(families)
}

/// What udev knows of a disk; all empty where there is no udev.
fn add_info(info: &mut Family, udev: &Folder<'_>, device: &str, [major, minor]: [&str; 2]) {
    let file = udev.read(&format!("b{major}:{minor}")).ok();
    let text = file.as_ref().map_or("", |file| file.text.as_str());
    let property = |key: &str| {
        text.lines()
            .find_map(|line| {
                line.strip_prefix("E:")?
                    .strip_prefix(key)?
                    .strip_prefix('=')
            })
            .unwrap_or_default()
    };
    // SCSI disks behind some controllers have the serial number only here.
    let serial = match property("SCSI_IDENT_SERIAL") {
        "" => property("ID_SERIAL_SHORT"),
        serial => serial,
    };
    info.add(
        [
            ("device", device),
            ("major", major),
            ("minor", minor),
            ("model", property("ID_MODEL")),
            ("path", property("ID_PATH")),
            ("revision", property("ID_REVISION")),
            ("serial", serial),
            ("wwn", property("ID_WWN")),
        ],
        1.0,
    );
}

/// Whether a device is a RAM disk, a loop device, a floppy or a partition of a whole disk: node_exporter's
/// `^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`.
#[must_use]
pub fn is_excluded_by_default(device: &str) -> bool {
    let digits = |c: char| c.is_ascii_digit();
    let stem = device.trim_end_matches(digits);
    if stem.len() == device.len() {
        return false;
    }
    let is_disk = |stem: &str| {
        let mut letters = stem.chars();
        let last = letters.next_back();
        matches!(letters.as_str(), "hd" | "sd" | "vd" | "xvd")
            && last.is_some_and(|letter| letter.is_ascii_lowercase())
    };
    let is_nvme_partition = || {
        let numbers = stem.strip_prefix("nvme")?.strip_suffix('p')?;
        let (controller, namespace) = numbers.split_once('n')?;
        let is_number = |text: &str| !text.is_empty() && text.chars().all(digits);
        Some(is_number(controller) && is_number(namespace))
    };
    matches!(stem, "ram" | "loop" | "fd")
        || is_disk(stem)
        || is_nvme_partition().unwrap_or_default()
}
