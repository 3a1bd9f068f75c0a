//! Reading a time by one of Go's layouts, with Go's error texts.

use jiff::Zoned;
use jiff::civil;
use jiff::tz::{Offset, TimeZone};

use super::time::{MONTHS, WEEKDAYS};
use super::time_format::{Part, next_part, parse_offset};

/// What has been read so far.
#[derive(Default)]
struct Parsed {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
    year_day: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    half: Option<bool>,
    offset: Option<Offset>,
}

/// Why a part was not read: its text does not fit, or the number is outside its range.
enum Bad {
    Text,
    Range(&'static str),
}

/// Reads `text` by `layout`; without a zone it is UTC.
pub(super) fn parse(layout: &str, text: &str) -> Result<Zoned, String> {
    let fail = |rest: &str, wanted: &str| {
        format!("parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {wanted:?}")
    };
    let outside = |what: &str| format!("parsing time {text:?}: {what} out of range");
    let mut parsed = Parsed::default();
    let (mut layout_rest, mut rest) = (layout, text);
    loop {
        let (before, part, after) = next_part(layout_rest);
        rest = skip(rest, before).ok_or_else(|| fail(rest, before))?;
        let Some((part, spelling)) = part else { break };
        let at = rest;
        match parsed.read(part, &mut rest) {
            Ok(()) => {}
            Err(Bad::Text) => return Err(fail(at, spelling)),
            Err(Bad::Range(what)) => return Err(outside(what)),
        }
        // A fraction may follow the seconds even where the layout has none.
        if matches!(part, Part::Second | Part::Second2)
            && !matches!(next_part(after), ("", Some((Part::Fraction { .. }, _)), _))
        {
            parsed.optional_fraction(&mut rest);
        }
        layout_rest = after;
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {text:?}: extra text: {rest:?}"));
    }
    parsed.finish().map_err(outside)
}

/// Skips the layout's literal text; a space in it matches any run of spaces.
fn skip<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    let mut rest = text;
    let mut literal = literal;
    while let Some(wanted) = literal.chars().next() {
        if wanted == ' ' {
            if !rest.is_empty() && !rest.starts_with(' ') {
                return None;
            }
            literal = literal.trim_start_matches(' ');
            rest = rest.trim_start_matches(' ');
            continue;
        }
        rest = rest.strip_prefix(wanted)?;
        literal = literal.strip_prefix(wanted)?;
    }
    Some(rest)
}

/// Takes a number of `least` to `most` digits.
fn number<T: std::str::FromStr>(rest: &mut &str, least: usize, most: usize) -> Result<T, Bad> {
    let count = rest
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if count < least {
        return Err(Bad::Text);
    }
    let (digits, after) = rest.split_at(count);
    *rest = after;
    digits.parse().ok().ok_or(Bad::Text)
}

/// Takes one of `names`, whole or its first three letters, in any case; returns its index.
fn name(rest: &mut &str, names: &[&str], short: bool) -> Result<usize, Bad> {
    for (index, name) in names.iter().enumerate() {
        let length = if short { 3 } else { name.len() };
        let Some(head) = rest.get(..length) else {
            continue;
        };
        if name
            .get(..length)
            .is_some_and(|name| name.eq_ignore_ascii_case(head))
        {
            *rest = rest.get(length..).unwrap_or("");
            return Ok(index);
        }
    }
    Err(Bad::Text)
}

fn within<T: PartialOrd + Copy>(value: T, low: T, high: T, what: &'static str) -> Result<T, Bad> {
    if value < low || value > high {
        Err(Bad::Range(what))
    } else {
        Ok(value)
    }
}

impl Parsed {
    fn read(&mut self, part: Part, rest: &mut &str) -> Result<(), Bad> {
        match part {
            Part::Year4 => self.year = number(rest, 4, 4)?,
            Part::Year2 => {
                let year: i16 = number(rest, 2, 2)?;
                self.year = if year >= 69 { 1900 + year } else { 2000 + year };
            }
            Part::MonthName => self.month = i8::try_from(name(rest, &MONTHS, false)? + 1).ok(),
            Part::MonthShort => self.month = i8::try_from(name(rest, &MONTHS, true)? + 1).ok(),
            Part::Month => self.month = Some(within(number(rest, 1, 2)?, 1, 12, "month")?),
            Part::Month2 => self.month = Some(within(number(rest, 2, 2)?, 1, 12, "month")?),
            Part::WeekdayName => drop(name(rest, &WEEKDAYS, false)?),
            Part::WeekdayShort => drop(name(rest, &WEEKDAYS, true)?),
            Part::Day => self.day = Some(number(rest, 1, 2)?),
            Part::DayPadded => {
                *rest = rest.strip_prefix(' ').unwrap_or(rest);
                self.day = Some(number(rest, 1, 2)?);
            }
            Part::Day2 => self.day = Some(number(rest, 2, 2)?),
            Part::YearDayPadded | Part::YearDay3 => {
                *rest = rest.trim_start_matches(' ');
                self.year_day = Some(number(rest, 1, 3)?);
            }
            Part::Hour24 => self.hour = within(number(rest, 1, 2)?, 0, 23, "hour")?,
            Part::Hour12 => self.hour = within(number(rest, 1, 2)?, 0, 12, "hour")?,
            Part::Hour12Two => self.hour = within(number(rest, 2, 2)?, 0, 12, "hour")?,
            Part::Minute => self.minute = within(number(rest, 1, 2)?, 0, 59, "minute")?,
            Part::Minute2 => self.minute = within(number(rest, 2, 2)?, 0, 59, "minute")?,
            Part::Second => self.second = within(number(rest, 1, 2)?, 0, 59, "second")?,
            Part::Second2 => self.second = within(number(rest, 2, 2)?, 0, 59, "second")?,
            Part::UpperPm => self.half = Some(name(rest, &["AM", "PM"], false)? == 1),
            Part::LowerPm => self.half = Some(name(rest, &["am", "pm"], false)? == 1),
            Part::ZoneName => return self.zone_name(rest),
            Part::Offset { .. } => return self.read_offset(part, rest),
            Part::Fraction { digits, trim, .. } => return self.fraction(rest, digits, trim),
        }
        Ok(())
    }

    fn zone_name(&mut self, rest: &mut &str) -> Result<(), Bad> {
        let count = rest.bytes().take_while(u8::is_ascii_uppercase).count();
        if !(3..=5).contains(&count) {
            return Err(Bad::Text);
        }
        // As in Go an abbreviation that the zone does not know counts as UTC.
        *rest = rest.get(count..).unwrap_or("");
        self.offset.get_or_insert(Offset::UTC);
        Ok(())
    }

    fn read_offset(&mut self, part: Part, rest: &mut &str) -> Result<(), Bad> {
        let Part::Offset {
            z,
            colon,
            minutes,
            seconds,
        } = part
        else {
            return Err(Bad::Text);
        };
        if z && let Some(after) = rest.strip_prefix('Z') {
            *rest = after;
            self.offset = Some(Offset::UTC);
            return Ok(());
        }
        let groups = 1 + usize::from(minutes) + usize::from(seconds);
        let length = 1 + groups * 2 + if colon { groups - 1 } else { 0 };
        let head = rest
            .get(..length)
            .filter(|head| head.contains(':') == colon)
            .ok_or(Bad::Text)?;
        self.offset = Some(parse_offset(head).ok_or(Bad::Text)?);
        *rest = rest.get(length..).unwrap_or("");
        Ok(())
    }

    fn fraction(&mut self, rest: &mut &str, digits: usize, trim: bool) -> Result<(), Bad> {
        if trim {
            self.optional_fraction(rest);
            return Ok(());
        }
        let after = rest.strip_prefix(['.', ',']).ok_or(Bad::Text)?;
        let fraction = after
            .get(..digits)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or(Bad::Text)?;
        self.nanosecond = nanoseconds(fraction);
        *rest = after.get(digits..).unwrap_or("");
        Ok(())
    }

    fn optional_fraction(&mut self, rest: &mut &str) {
        let Some(after) = rest.strip_prefix(['.', ',']) else {
            return;
        };
        let count = after.bytes().take_while(u8::is_ascii_digit).count();
        if count > 0 {
            let (digits, after) = after.split_at(count);
            self.nanosecond = nanoseconds(digits);
            *rest = after;
        }
    }

    fn finish(self) -> Result<Zoned, &'static str> {
        let hour = match self.half {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date = match self.year_day {
            Some(day) => civil::Date::new(self.year, 1, 1)
                .and_then(|first| first.with().day_of_year(day).build())
                .ok()
                .ok_or("day-of-year")?,
            None => civil::Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1))
                .ok()
                .ok_or("day")?,
        };
        let zone = match self.offset {
            Some(offset) if offset != Offset::UTC => TimeZone::fixed(offset),
            _ => TimeZone::UTC,
        };
        date.at(hour, self.minute, self.second, self.nanosecond)
            .to_zoned(zone)
            .ok()
            .ok_or("year")
    }
}

fn nanoseconds(digits: &str) -> i32 {
    let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().unwrap_or(0)
}
