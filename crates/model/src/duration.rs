//! Durations as Prometheus writes them: `1h30m`, `5m`, `200ms`.

/// Units from the largest to the smallest, in milliseconds. Years and days ignore leap days and
/// daylight saving, as Prometheus does.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads a duration in milliseconds: whole numbers with units, each unit at most once and from the
/// largest to the smallest (`1y2w3d4h5m6s7ms`); `0` needs no unit.
///
/// Fails with upstream's message for an empty, malformed or overflowing text.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    match text {
        "" => return Err("empty duration string".to_owned()),
        "0" => return Ok(0),
        _ => {}
    }
    let malformed = || format!("not a valid duration string: {text:?}");
    let mut rest = text;
    let mut units = UNITS.as_slice();
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits_end = rest
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(malformed)?;
        let (digits, tail) = rest.split_at(digits_end);
        let unit_end = tail
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        let position = units
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or_else(malformed)?;
        if digits.is_empty() {
            return Err(malformed());
        }
        total = digits
            .parse::<i64>()
            .ok()
            .and_then(|count| count.checked_mul(units.get(position)?.1))
            .and_then(|millis| total.checked_add(millis))
            // Upstream counts in nanoseconds of an i64.
            .filter(|millis| millis.checked_mul(1_000_000).is_some())
            .ok_or_else(|| "duration out of range".to_owned())?;
        units = units.get(position + 1..).unwrap_or_default();
        rest = next;
    }
    Ok(total)
}

/// Prints milliseconds as Prometheus does: the largest units first, years, weeks and days only
/// where they divide the whole (`90m` is `1h30m`, eight days are `8d`). Zero is `0s`.
#[must_use]
pub fn format_duration(millis: i64) -> String {
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    if millis < 0 {
        text.push('-');
    }
    let mut rest = millis.unsigned_abs();
    for (name, unit) in UNITS {
        let unit = unit.unsigned_abs();
        let exact_only = matches!(name, "y" | "w" | "d");
        if exact_only && !rest.is_multiple_of(unit) {
            continue;
        }
        let count = rest / unit;
        if count > 0 {
            text.push_str(&format!("{count}{name}"));
            rest %= unit;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{format_duration, parse_duration};

    #[test]
    fn reads_and_prints() {
        let check = |text: &str, millis: i64, printed: &str| {
            assert_eq!(parse_duration(text), Ok(millis), "{text}");
            assert_eq!(format_duration(millis), printed);
        };
        check("0", 0, "0s");
        check("0s", 0, "0s");
        check("324ms", 324, "324ms");
        check("3s", 3000, "3s");
        check("5m", 300_000, "5m");
        check("1h30m", 5_400_000, "1h30m");
        check("4d", 4 * 86_400_000, "4d");
        check("4d1h", 97 * 3_600_000, "97h");
        check("14d", 14 * 86_400_000, "2w");
        check("3w2d1h", 553 * 3_600_000, "553h");
        check("10y", 10 * 365 * 86_400_000, "10y");
    }

    #[test]
    fn refuses() {
        for text in [
            "",
            "1",
            "1y1m1d",
            "-1w",
            "1.5d",
            "d",
            "294y",
            "200ms1s",
            "10000000000000y",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
