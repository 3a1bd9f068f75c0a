//! Start timestamps of a `load`: lines `metric@st` with an offset for each sample of the next line.
//!
//! An offset is what is added to a sample's own time: `-1m` has it count since a minute ago, `0` since its
//! own time, `_` leaves the start unknown. `-1mx3` stands for four equal offsets, `-30s-1mx3` for four that
//! move by a minute each, `_x3` for three unknown ones.

use crate::parser::parse_labels_prefix;
use model::{Labels, parse_duration};

/// Offsets one item may stand for.
const REPEAT_MAX: u64 = 1_000_000;

/// The series that start timestamps are for, and their offsets in milliseconds.
pub(super) struct Starts {
    pub(super) labels: Labels,
    pub(super) offsets: Vec<Option<i64>>,
}

/// Splits a line `metric@st offsets` at the mark; `None` for any other line.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let (word, offsets) = line.split_once([' ', '\t'])?;
    Some((word.strip_suffix("@st")?, offsets.trim()))
}

/// Reads both halves of such a line.
pub(super) fn parse((metric, offsets): (&str, &str)) -> Result<Starts, String> {
    let (labels, end) =
        parse_labels_prefix(metric).map_err(|error| super::read::series_error(metric, &error))?;
    if end < metric.len() {
        return Err(format!("invalid metric {metric:?} on @st line"));
    }
    let mut parsed = Vec::new();
    for item in offsets.split_ascii_whitespace() {
        parse_item(item, &mut parsed)
            .map_err(|message| format!("invalid @st offset {item:?}: {message}"))?;
    }
    Ok(Starts {
        labels,
        offsets: parsed,
    })
}

fn parse_item(item: &str, offsets: &mut Vec<Option<i64>>) -> Result<(), String> {
    let (values, count) = match item.split_once('x') {
        Some((values, count)) => (values, Some(repetition(count)?)),
        None => (item, None),
    };
    if values == "_" {
        let count = count.unwrap_or(1);
        offsets.extend((0..count).map(|_| None));
        return Ok(());
    }
    let (mut offset, rest) = signed_duration(values)?;
    let step = match (rest, count) {
        ("", _) => 0,
        (_, None) => return Err("a change needs a count".to_owned()),
        (rest, Some(_)) => match signed_duration(rest)? {
            (step, "") => step,
            (_, rest) => return Err(format!("unexpected {rest:?}")),
        },
    };
    for index in 0..=count.unwrap_or(0) {
        if index > 0 {
            offset = offset.checked_add(step).ok_or("out of range")?;
        }
        offsets.push(Some(offset));
    }
    Ok(())
}

fn repetition(digits: &str) -> Result<u64, String> {
    digits
        .parse()
        .ok()
        .filter(|count| *count <= REPEAT_MAX)
        .ok_or_else(|| format!("invalid repetition {digits:?}"))
}

/// The duration at the start of a text, with or without a sign, and what follows it.
fn signed_duration(text: &str) -> Result<(i64, &str), String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(['+', '-']).unwrap_or(unsigned.len());
    let (duration, rest) = unsigned.split_at(end);
    let millis = parse_duration(duration)?;
    let is_negative = text.starts_with('-');
    Ok((if is_negative { -millis } else { millis }, rest))
}

#[cfg(test)]
mod tests {
    use super::{parse, split};

    #[test]
    fn reads_offsets() {
        let check = |line: &str, want: &[Option<i64>]| {
            let halves = split(line).expect(line);
            assert_eq!(parse(halves).expect(line).offsets, want, "{line}");
        };
        check(
            "m@st _ -1m 0 +2s",
            &[None, Some(-60_000), Some(0), Some(2000)],
        );
        check("m{a=\"b\"}@st _x2 -1m", &[None, None, Some(-60_000)]);
        check("m@st -1msx1", &[Some(-1), Some(-1)]);
        check(
            "m@st -30s-1mx2",
            &[Some(-30_000), Some(-90_000), Some(-150_000)],
        );
        check("m@st -1m30s+1sx1", &[Some(-90_000), Some(-89_000)]);
    }

    #[test]
    fn refuses() {
        assert!(split("m 1 2 3").is_none());
        assert!(split("m@st").is_none());
        for line in [
            "m@st 5",
            "m@st -1m-1m",
            "m@st -1mx",
            "m@st -1m-1m-1mx2",
            "m@st x2",
            "m@st -",
            "m{@st -1m",
        ] {
            assert!(parse(split(line).expect(line)).is_err(), "{line}");
        }
    }
}
