//! Numbers written for people, as Prometheus writes them.

use crate::format;
use crate::value::{Time, Value};

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const LARGE_1024: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

/// Takes a number, a duration (as seconds) or a text that is a number.
#[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
pub(super) fn to_float(value: Option<&Value>) -> Result<f64, String> {
    match value {
        Some(Value::Float(float)) => Ok(*float),
        Some(Value::Int(int)) => Ok(*int as f64),
        Some(Value::Str(text)) => parse_float(text),
        Some(Value::NamedInt(class, nanoseconds)) if class.name == "time.Duration" => {
            Ok((nanoseconds / 1_000_000_000) as f64 + (nanoseconds % 1_000_000_000) as f64 / 1e9)
        }
        other => Err(format!(
            "can't convert {} to float",
            other.map_or("<nil>", Value::type_name)
        )),
    }
}

fn parse_float(text: &str) -> Result<f64, String> {
    let parsed: Option<f64> = text.parse().ok();
    let fail = |why: &str| format!("strconv.ParseFloat: parsing {}: {why}", format::quote(text));
    match parsed {
        Some(float) if float.is_infinite() && !text.to_ascii_lowercase().contains("inf") => {
            Err(fail("value out of range"))
        }
        Some(float) => Ok(float),
        None => Err(fail("invalid syntax")),
    }
}

/// `%.4g` with a unit behind it.
fn four_digits(value: f64, unit: &str) -> Result<Value, String> {
    let text = format::printf("%.4g", &[Value::Float(value)])?;
    Ok(Value::from(text + unit))
}

fn is_plain(value: f64) -> bool {
    value.is_nan() || value.is_infinite()
}

/// Divides by `base` as long as the number is large, and returns the prefix for it.
fn shrink(mut value: f64, base: f64, prefixes: [&'static str; 8]) -> (f64, &'static str) {
    let mut prefix = "";
    for next in prefixes {
        if value.abs() < base {
            break;
        }
        prefix = next;
        value /= base;
    }
    (value, prefix)
}

fn grow(mut value: f64) -> (f64, &'static str) {
    let mut prefix = "";
    for next in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = next;
        value *= 1000.0;
    }
    (value, prefix)
}

pub(super) fn humanize(arguments: &[Value]) -> Result<Value, String> {
    let value = to_float(arguments.first())?;
    if value == 0.0 || is_plain(value) {
        return four_digits(value, "");
    }
    let (value, prefix) = if value.abs() >= 1.0 {
        shrink(value, 1000.0, LARGE)
    } else {
        grow(value)
    };
    four_digits(value, prefix)
}

pub(super) fn humanize_1024(arguments: &[Value]) -> Result<Value, String> {
    let value = to_float(arguments.first())?;
    if value.abs() <= 1.0 || is_plain(value) {
        return four_digits(value, "");
    }
    let (value, prefix) = shrink(value, 1024.0, LARGE_1024);
    four_digits(value, prefix)
}

pub(super) fn humanize_percentage(arguments: &[Value]) -> Result<Value, String> {
    four_digits(to_float(arguments.first())? * 100.0, "%")
}

pub(super) fn humanize_duration(arguments: &[Value]) -> Result<Value, String> {
    let value = to_float(arguments.first())?;
    if is_plain(value) {
        return four_digits(value, "");
    }
    if value == 0.0 {
        return four_digits(value, "s");
    }
    if value.abs() < 1.0 {
        let (value, prefix) = grow(value);
        return four_digits(value, &format!("{prefix}s"));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let total = whole(value.abs());
    let (days, hours, minutes, seconds) = (
        total / 86_400,
        total / 3_600 % 24,
        total / 60 % 60,
        total % 60,
    );
    let text = match (days, hours, minutes) {
        (0, 0, 0) => {
            let seconds = format::printf("%.4g", &[Value::Float(value.abs())])?;
            format!("{sign}{seconds}s")
        }
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    };
    Ok(text.into())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Rust's cast stops at the ends of the range"
)]
fn whole(value: f64) -> i64 {
    value as i64
}

pub(super) fn humanize_timestamp(arguments: &[Value]) -> Result<Value, String> {
    let value = to_float(arguments.first())?;
    if is_plain(value) {
        return four_digits(value, "");
    }
    Ok(float_to_time(value)?.text().into())
}

pub(super) fn to_time(arguments: &[Value]) -> Result<Value, String> {
    float_to_time(to_float(arguments.first())?).map(Value::Time)
}

pub(super) fn to_duration(arguments: &[Value]) -> Result<Value, String> {
    Ok(Value::duration(whole(to_float(arguments.first())? * 1e9)))
}

/// Prometheus keeps milliseconds.
fn float_to_time(seconds: f64) -> Result<Time, String> {
    if is_plain(seconds) {
        return Err("value is NaN or Inf".into());
    }
    let nanoseconds = seconds * 1e9;
    if nanoseconds.abs() > 2.0_f64.powi(63) {
        let shown = format::print(&[Value::Float(seconds)])?;
        return Err(format!(
            "{shown} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ));
    }
    Ok(Time::from_milliseconds(whole(nanoseconds) / 1_000_000))
}

/// Units of Prometheus' durations from the largest, which is also their order in a text.
const UNITS: [(&str, u64); 7] = [
    ("y", 31_536_000_000_000_000),
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
];

/// Reads a Prometheus duration such as `1d12h` and returns seconds.
pub(super) fn parse_duration(arguments: &[Value]) -> Result<Value, String> {
    let text = super::string(arguments, 0);
    let (sign, size) = match text.strip_prefix('-') {
        Some(size) => (-1.0, size),
        None => (1.0, text),
    };
    let nanoseconds = duration_nanoseconds(size)?;
    to_float(Some(&Value::duration(nanoseconds))).map(|seconds| Value::Float(sign * seconds))
}

fn duration_nanoseconds(text: &str) -> Result<i64, String> {
    let invalid = || format!("not a valid duration string: {}", format::quote(text));
    match text {
        "0" => return Ok(0),
        "" => return Err("empty duration string".into()),
        _ => {}
    }
    let (mut rest, mut total, mut next_unit) = (text, 0_u64, 0);
    while !rest.is_empty() {
        let (digits, after) = split_at_char(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split_at_char(after, |c| c.is_ascii_digit());
        let amount: u64 = digits.parse().ok().ok_or_else(invalid)?;
        if unit.is_empty() {
            return Err(invalid());
        }
        let Some(index) = UNITS.iter().position(|(name, _)| *name == unit) else {
            return Err(format!(
                "unknown unit {} in duration {}",
                format::quote(unit),
                format::quote(text)
            ));
        };
        if index < next_unit {
            return Err(invalid());
        }
        next_unit = index + 1;
        let factor = UNITS.get(index).map_or(0, |(_, factor)| *factor);
        total = amount
            .checked_mul(factor)
            .and_then(|part| total.checked_add(part))
            .ok_or("duration out of range")?;
        rest = after;
    }
    i64::try_from(total)
        .ok()
        .ok_or_else(|| "duration out of range".into())
}

fn split_at_char(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}
