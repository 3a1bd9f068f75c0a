//! InfluxDB's line protocol: `measurement,tag=value field=1,other=2i 1465839830100400200`.
//!
//! Mapping, as VictoriaMetrics maps it: each field becomes a series `measurement_field`, tags become labels, the
//! database becomes the label `db` unless a tag is called so. Truth values become 1 and 0; texts are taken where they
//! are numbers and left out otherwise, which is no error. Names keep their dots and any other character. Source:
//! "Line protocol" in InfluxDB's documentation.

use crate::lines::{Lines, numbered, shown, text};
use model::number::{i64_to_float, u64_to_float};
use model::{Labels, METRIC_NAME, SeriesSamples, Timestamp};

/// The label that holds the database's or the bucket's name.
const DATABASE: &str = "db";

/// The unit of timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// `ns`, `n`
    #[default]
    Nanoseconds,
    /// `us`, `u`, `µ`
    Microseconds,
    /// `ms`
    Milliseconds,
    /// `s`
    Seconds,
    /// `m`
    Minutes,
    /// `h`
    Hours,
}

impl Precision {
    /// The unit of a `precision` parameter; `None` for anything else.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "" | "ns" | "n" => Some(Self::Nanoseconds),
            "us" | "u" | "µ" | "µs" => Some(Self::Microseconds),
            "ms" => Some(Self::Milliseconds),
            "s" => Some(Self::Seconds),
            "m" => Some(Self::Minutes),
            "h" => Some(Self::Hours),
            _ => None,
        }
    }

    /// A moment, saturated.
    fn moment(self, value: i64) -> Timestamp {
        Timestamp::from_millis(match self {
            Self::Nanoseconds => value.div_euclid(1_000_000),
            Self::Microseconds => value.div_euclid(1_000),
            Self::Milliseconds => value,
            Self::Seconds => value.saturating_mul(1_000),
            Self::Minutes => value.saturating_mul(60_000),
            Self::Hours => value.saturating_mul(3_600_000),
        })
    }
}

/// How to read a body.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The unit of timestamps.
    pub precision: Precision,
    /// The database or bucket; empty for none.
    pub database: &'a str,
    /// The time of lines that give none.
    pub now: Timestamp,
}

/// Reads a body.
#[must_use]
pub fn decode(body: &[u8], options: Options<'_>) -> Lines {
    let mut lines = Lines::default();
    for (number, line) in numbered(body) {
        if line.trim_ascii_start().starts_with(b"#") {
            continue;
        }
        let rows = text(line).and_then(|line| {
            point(line.trim(), options)
                .map_err(|message| format!("unable to parse {}: {message}", shown(line)))
        });
        match rows {
            Ok(rows) => lines.rows.extend(rows),
            Err(message) => lines.refuse(number, message),
        }
    }
    lines
}

fn point(line: &str, options: Options<'_>) -> Result<Vec<SeriesSamples>, String> {
    let (key, rest) = split_unescaped(line, b' ').ok_or("missing fields")?;
    let rest = rest.trim_start_matches(' ');
    let (fields, time) = match split_outside_quotes(rest, b' ')? {
        Some((fields, time)) => (fields, time.trim()),
        None => (rest, ""),
    };
    let at = match time {
        "" => options.now,
        time => options
            .precision
            .moment(time.parse().map_err(|_no_number| "bad timestamp")?),
    };
    let (measurement, tags) = match split_unescaped(key, b',') {
        Some((measurement, tags)) => (unescape(measurement), tags),
        None => (unescape(key), ""),
    };
    let mut labels = read_tags(tags)?;
    let has_database = labels.iter().any(|(name, _)| name == DATABASE);
    if !has_database && !options.database.is_empty() {
        labels.push((DATABASE.to_owned(), options.database.to_owned()));
    }
    let base = Labels::from_pairs(labels);
    let mut rows = Vec::new();
    let mut rest = Some(fields);
    while let Some(present) = rest {
        let (field, next) = match split_outside_quotes(present, b',')? {
            Some((field, next)) => (field, Some(next)),
            None => (present, None),
        };
        rest = next;
        let (name, value) = split_unescaped(field, b'=').ok_or("missing field value")?;
        let name = unescape(name);
        if name.is_empty() {
            return Err("missing field key".to_owned());
        }
        let Some(value) = field_value(value)? else {
            continue;
        };
        let name = match measurement.as_str() {
            "" => name,
            measurement => format!("{measurement}_{name}"),
        };
        let labels = base.with(METRIC_NAME, &name);
        rows.push(SeriesSamples::float(labels, at, value));
    }
    Ok(rows)
}

fn read_tags(tags: &str) -> Result<Vec<(String, String)>, String> {
    let mut labels: Vec<(String, String)> = Vec::new();
    let mut rest = (!tags.is_empty()).then_some(tags);
    while let Some(present) = rest {
        let (tag, next) = match split_unescaped(present, b',') {
            Some((tag, next)) => (tag, Some(next)),
            None => (present, None),
        };
        rest = next;
        let (name, value) = split_unescaped(tag, b'=').ok_or("missing tag value")?;
        let (name, value) = (unescape(name), unescape(value));
        if name.is_empty() {
            return Err("missing tag key".to_owned());
        }
        if name == METRIC_NAME {
            return Err(format!("a tag may not be called {METRIC_NAME}"));
        }
        if labels.iter().any(|(known, _)| *known == name) {
            return Err(format!("duplicate tag {name:?}"));
        }
        labels.push((name, value));
    }
    Ok(labels)
}

/// The number that a field holds; `None` for a text that is no number.
fn field_value(text: &str) -> Result<Option<f64>, String> {
    let invalid = || "invalid number".to_owned();
    match text {
        "" => return Err("missing field value".to_owned()),
        "t" | "T" | "true" | "True" | "TRUE" => return Ok(Some(1.0)),
        "f" | "F" | "false" | "False" | "FALSE" => return Ok(Some(0.0)),
        _ => {}
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let inner = quoted.strip_suffix('"').ok_or("unbalanced quotes")?;
        return Ok(inner.parse::<f64>().ok().filter(|value| value.is_finite()));
    }
    if let Some(digits) = text.strip_suffix('i') {
        let value: i64 = digits.parse().map_err(|_no_number| "invalid integer")?;
        return Ok(Some(i64_to_float(value)));
    }
    if let Some(digits) = text.strip_suffix('u') {
        let value: u64 = digits.parse().map_err(|_no_number| "invalid integer")?;
        return Ok(Some(u64_to_float(value)));
    }
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    let value: f64 = text.parse().map_err(|_no_number| invalid())?;
    if is_number && value.is_finite() {
        Ok(Some(value))
    } else {
        Err(invalid())
    }
}

/// Splits at the first separator that no backslash stands before.
fn split_unescaped(text: &str, separator: u8) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte == separator {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
    }
    None
}

/// Splits at the first separator outside of quoted field values. Fails where a quote is never closed.
fn split_outside_quotes(text: &str, separator: u8) -> Result<Option<(&str, &str)>, String> {
    let (mut escaped, mut quoted) = (false, false);
    let mut before = b' ';
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte == b'"' && (quoted || before == b'=') {
            quoted = !quoted;
        } else if byte == separator && !quoted {
            return Ok(text.get(..at).zip(text.get(at + 1..)));
        }
        before = byte;
    }
    if quoted {
        return Err("unbalanced quotes".to_owned());
    }
    Ok(None)
}

/// Takes the backslash from before a comma, a blank, an equals sign or another backslash; elsewhere it is itself.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '\\' && matches!(next, ',' | ' ' | '=' | '\\') => {
                plain.extend(chars.next());
            }
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
