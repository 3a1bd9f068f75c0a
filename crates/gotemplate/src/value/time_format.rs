//! Go's time layouts, in which the reference time Mon Jan 2 15:04:05 MST 2006 stands for its parts.

use jiff::Zoned;
use jiff::tz::Offset;

use super::time::{MONTHS, WEEKDAYS};

/// A part of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Year4,
    Year2,
    MonthName,
    MonthShort,
    Month,
    Month2,
    WeekdayName,
    WeekdayShort,
    Day,
    DayPadded,
    Day2,
    YearDayPadded,
    YearDay3,
    Hour24,
    Hour12,
    Hour12Two,
    Minute,
    Minute2,
    Second,
    Second2,
    UpperPm,
    LowerPm,
    ZoneName,
    /// An offset: `z` writes UTC as `Z`.
    Offset {
        z: bool,
        colon: bool,
        minutes: bool,
        seconds: bool,
    },
    /// A fraction of a second: its separator, digits, and whether zeros at the end are dropped.
    Fraction {
        separator: char,
        digits: usize,
        trim: bool,
    },
}

/// Parts by their spelling; where one is the beginning of another the longer comes first.
static PARTS: &[(&str, Part)] = &[
    ("January", Part::MonthName),
    ("Jan", Part::MonthShort),
    ("Monday", Part::WeekdayName),
    ("Mon", Part::WeekdayShort),
    ("MST", Part::ZoneName),
    ("01", Part::Month2),
    ("02", Part::Day2),
    ("03", Part::Hour12Two),
    ("04", Part::Minute2),
    ("05", Part::Second2),
    ("06", Part::Year2),
    ("002", Part::YearDay3),
    ("15", Part::Hour24),
    ("1", Part::Month),
    ("2006", Part::Year4),
    ("2", Part::Day),
    ("_2", Part::DayPadded),
    ("__2", Part::YearDayPadded),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
    ("PM", Part::UpperPm),
    ("pm", Part::LowerPm),
    (
        "-070000",
        Part::Offset {
            z: false,
            colon: false,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "-07:00:00",
        Part::Offset {
            z: false,
            colon: true,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "-0700",
        Part::Offset {
            z: false,
            colon: false,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "-07:00",
        Part::Offset {
            z: false,
            colon: true,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "-07",
        Part::Offset {
            z: false,
            colon: false,
            minutes: false,
            seconds: false,
        },
    ),
    (
        "Z070000",
        Part::Offset {
            z: true,
            colon: false,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "Z07:00:00",
        Part::Offset {
            z: true,
            colon: true,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "Z0700",
        Part::Offset {
            z: true,
            colon: false,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "Z07:00",
        Part::Offset {
            z: true,
            colon: true,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "Z07",
        Part::Offset {
            z: true,
            colon: false,
            minutes: false,
            seconds: false,
        },
    ),
];

/// Splits a layout at its first part: text before it, the part with its spelling, the rest.
pub(super) fn next_part(layout: &str) -> (&str, Option<(Part, &str)>, &str) {
    for (position, _) in layout.char_indices() {
        let (before, rest) = layout.split_at(position);
        // `_2006` is an underscore and a year.
        if rest.starts_with("_2006") {
            continue;
        }
        if let Some((part, length)) = part_at(rest) {
            let (spelling, after) = rest.split_at(length);
            return (before, Some((part, spelling)), after);
        }
    }
    (layout, None, "")
}

fn part_at(text: &str) -> Option<(Part, usize)> {
    for (spelling, part) in PARTS {
        let Some(rest) = text.strip_prefix(spelling) else {
            continue;
        };
        let word_goes_on = rest.starts_with(|c: char| c.is_ascii_lowercase());
        if matches!(part, Part::MonthShort | Part::WeekdayShort) && word_goes_on {
            continue;
        }
        return Some((*part, spelling.len()));
    }
    let separator = text.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let digits = text.get(1..)?;
    let digit = digits.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let rest = digits.trim_start_matches(digit);
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let count = digits.len() - rest.len();
    Some((
        Part::Fraction {
            separator,
            digits: count,
            trim: digit == '9',
        },
        count + 1,
    ))
}

/// Formats a time by a layout.
pub(super) fn format(time: &Zoned, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while !rest.is_empty() {
        let (before, part, after) = next_part(rest);
        out.push_str(before);
        if let Some((part, _)) = part {
            out.push_str(&part_text(time, part));
        }
        rest = after;
    }
    out
}

fn part_text(time: &Zoned, part: Part) -> String {
    let hour12 = (time.hour() + 11) % 12 + 1;
    let half = if time.hour() < 12 { "AM" } else { "PM" };
    match part {
        Part::Year4 => match time.year() {
            year if year < 0 => format!("-{:04}", year.unsigned_abs()),
            year => format!("{year:04}"),
        },
        Part::Year2 => format!("{:02}", time.year().rem_euclid(100)),
        Part::MonthName => month(time).into(),
        Part::MonthShort => month(time).chars().take(3).collect(),
        Part::Month => time.month().to_string(),
        Part::Month2 => format!("{:02}", time.month()),
        Part::WeekdayName => weekday(time).into(),
        Part::WeekdayShort => weekday(time).chars().take(3).collect(),
        Part::Day => time.day().to_string(),
        Part::DayPadded => format!("{:2}", time.day()),
        Part::Day2 => format!("{:02}", time.day()),
        Part::YearDayPadded => format!("{:3}", time.day_of_year()),
        Part::YearDay3 => format!("{:03}", time.day_of_year()),
        Part::Hour24 => format!("{:02}", time.hour()),
        Part::Hour12 => hour12.to_string(),
        Part::Hour12Two => format!("{hour12:02}"),
        Part::Minute => time.minute().to_string(),
        Part::Minute2 => format!("{:02}", time.minute()),
        Part::Second => time.second().to_string(),
        Part::Second2 => format!("{:02}", time.second()),
        Part::UpperPm => half.into(),
        Part::LowerPm => half.to_lowercase(),
        Part::ZoneName => zone_name(time),
        Part::Offset { z: true, .. } if time.offset() == Offset::UTC => "Z".into(),
        Part::Offset {
            colon,
            minutes,
            seconds,
            ..
        } => offset_text(time.offset(), colon, minutes, seconds),
        Part::Fraction {
            separator,
            digits,
            trim,
        } => fraction_text(time, separator, digits, trim),
    }
}

fn month(time: &Zoned) -> &'static str {
    usize::try_from(time.month() - 1)
        .ok()
        .and_then(|index| MONTHS.get(index))
        .copied()
        .unwrap_or("")
}

fn weekday(time: &Zoned) -> &'static str {
    let day = time.weekday().to_sunday_zero_offset();
    usize::try_from(day)
        .ok()
        .and_then(|index| WEEKDAYS.get(index))
        .copied()
        .unwrap_or("")
}

/// The zone's abbreviation; a bare offset, which has none, is written as a number.
fn zone_name(time: &Zoned) -> String {
    if time.time_zone().iana_name().is_none() && time.offset() != Offset::UTC {
        return offset_text(time.offset(), false, true, false);
    }
    time.time_zone()
        .to_offset_info(time.timestamp())
        .abbreviation()
        .to_owned()
}

fn offset_text(offset: Offset, colon: bool, minutes: bool, seconds: bool) -> String {
    let total = offset.seconds();
    let sign = if total < 0 { '-' } else { '+' };
    let total = total.unsigned_abs();
    let between = if colon { ":" } else { "" };
    let mut out = format!("{sign}{:02}", total / 3600);
    if minutes {
        out.push_str(&format!("{between}{:02}", total / 60 % 60));
    }
    if seconds {
        out.push_str(&format!("{between}{:02}", total % 60));
    }
    out
}

fn fraction_text(time: &Zoned, separator: char, digits: usize, trim: bool) -> String {
    let nine = format!("{:09}", time.subsec_nanosecond());
    let mut fraction: String = nine.chars().take(digits).collect();
    if trim {
        fraction.truncate(fraction.trim_end_matches('0').len());
        if fraction.is_empty() {
            return fraction;
        }
    }
    format!("{separator}{fraction}")
}

/// Reads `+02:00`, `-0330` or `+02`.
pub(super) fn parse_offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let digits = digits.replace(':', "");
    if !matches!(digits.len(), 2 | 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let two = |from: usize| {
        digits
            .get(from..from + 2)
            .map_or(Some(0), |pair| pair.parse::<i32>().ok())
    };
    let (hours, minutes, seconds) = (two(0)?, two(2)?, two(4)?);
    if hours > 24 || minutes > 59 || seconds > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60 + seconds)).ok()
}
