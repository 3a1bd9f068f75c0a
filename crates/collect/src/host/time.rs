//! The clock, its zone, and what the kernel takes the time from.

use super::{Family, Reading, SensorError};

const CLOCK_SOURCES: &str = "devices/system/clocksource";

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let seconds = Family::gauge(
        "node_time_seconds",
        "System time in seconds since epoch (1970).",
    );
    let mut zone = Family::gauge(
        "node_time_zone_offset_seconds",
        "System time zone offset in seconds.",
    );
    let (name, offset) = zone_at(reading.now);
    zone.add([("time_zone", &name)], offset);
    let mut families = vec![seconds.of(reading.now.seconds()), zone];
    families.extend(clock_sources(reading)?);
    Ok(families)
}

/// The local zone's abbreviation and its offset from UTC in seconds.
fn zone_at(now: model::Timestamp) -> (String, f64) {
    let zone = jiff::tz::TimeZone::system();
    let at = jiff::Timestamp::from_millisecond(now.millis()).unwrap_or_default();
    let info = zone.to_offset_info(at);
    let offset = f64::from(info.offset().seconds());
    (info.abbreviation().to_owned(), offset)
}

fn clock_sources(reading: &Reading<'_>) -> Result<[Family; 2], SensorError> {
    let mut available = Family::gauge(
        "node_time_clocksource_available_info",
        "Available clocksources read from '/sys/devices/system/clocksource'.",
    );
    let mut current = Family::gauge(
        "node_time_clocksource_current_info",
        "Current clocksource read from '/sys/devices/system/clocksource'.",
    );
    for name in reading.sys.names(CLOCK_SOURCES)? {
        let Some(device) = name.strip_prefix("clocksource") else {
            continue;
        };
        let folder = format!("{CLOCK_SOURCES}/{name}");
        let file = reading
            .sys
            .read(&format!("{folder}/available_clocksource"))?;
        for source in file.text.split_ascii_whitespace() {
            available.add([("clocksource", source), ("device", device)], 1.0);
        }
        let file = reading.sys.read(&format!("{folder}/current_clocksource"))?;
        current.add([("clocksource", file.text.trim()), ("device", device)], 1.0);
    }
    Ok([available, current])
}
