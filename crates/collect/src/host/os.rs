//! The distribution, from os-release.

use super::{Family, Reading, SensorError};

/// Label and key of each entry that is shown.
const ENTRIES: [(&str, &str); 12] = [
    ("build_id", "BUILD_ID"),
    ("id", "ID"),
    ("id_like", "ID_LIKE"),
    ("image_id", "IMAGE_ID"),
    ("image_version", "IMAGE_VERSION"),
    ("name", "NAME"),
    ("pretty_name", "PRETTY_NAME"),
    ("variant", "VARIANT"),
    ("variant_id", "VARIANT_ID"),
    ("version", "VERSION"),
    ("version_codename", "VERSION_CODENAME"),
    ("version_id", "VERSION_ID"),
];

pub(super) fn collect(reading: &mut Reading<'_>) -> Result<Vec<Family>, SensorError> {
    let file = match reading.root.read("etc/os-release") {
        Ok(file) => file,
        Err(_missing) => reading.root.read("usr/lib/os-release")?,
    };
    let value = |key: &str| {
        let entry = file
            .text
            .lines()
            .find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
        entry.map(unquote).unwrap_or_default()
    };
    let mut info = Family::gauge(
        "node_os_info",
        "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, image_version, \
         name, pretty_name, variant, variant_id, version, version_codename, version_id.",
    );
    info.add(ENTRIES.map(|(label, _)| (label, "")), 1.0);
    for point in &mut info.points {
        for ((_, text), (_, key)) in point.labels.iter_mut().zip(ENTRIES) {
            *text = value(key);
        }
    }
    let mut families = vec![info];
    if let Some(version) = major_minor(&value("VERSION_ID")) {
        let mut family = Family::gauge(
            "node_os_version",
            "Metric containing the major.minor part of the OS version.",
        );
        let (id, id_like, name) = (value("ID"), value("ID_LIKE"), value("NAME"));
        family.add(
            [("id", &id), ("id_like", &id_like), ("name", &name)],
            version,
        );
        families.push(family);
    }
    Ok(families)
}

/// Takes shell quotes off.
fn unquote(text: &str) -> String {
    let text = text.trim();
    let inner = ['"', '\''].iter().find_map(|quote| {
        let inner = text.strip_prefix(*quote)?;
        inner.strip_suffix(*quote)
    });
    inner
        .unwrap_or(text)
        .replace("\\\"", "\"")
        .replace("\\$", "$")
}

/// The leading `12` or `22.04` of a version.
fn major_minor(version: &str) -> Option<f64> {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut parts = version.split('.');
    let major = parts.next()?;
    let digits_of_minor = parts.next().map(|minor| {
        let end = minor.find(|c| !is_digit(c)).unwrap_or(minor.len());
        minor.split_at(end).0
    });
    match digits_of_minor.filter(|digits| !digits.is_empty()) {
        Some(minor) => format!("{major}.{minor}").parse().ok(),
        None => major.parse().ok(),
    }
}
