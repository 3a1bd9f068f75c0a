//! `time_intervals`: named times such as office hours.

use crate::interval::{Range, TimeInterval};
use config::yaml::{self, Node, Position};
use config::{Fields, Problems, decode};
use jiff::tz::TimeZone;

const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

type Reading = Result<Range, String>;

/// Reads one named entry; `what` names it in messages.
pub(super) fn read(
    node: &Node,
    what: &str,
    problems: &mut Problems,
) -> Option<(String, Position, Vec<TimeInterval>)> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let name = fields.read("name", decode::string).unwrap_or_default();
    let intervals = fields.read_list("time_intervals", read_interval);
    if name.is_empty() {
        fields.wrong(format!("missing name in {what}"));
    }
    let position = fields.position();
    fields.finish();
    Some((name, position, intervals))
}

/// Reads one interval, in YAML or JSON. Fails with everything that is wrong with it.
pub fn read_window(text: &str) -> Result<TimeInterval, String> {
    let mut problems = Problems::new("window");
    let interval = yaml::parse_single(text, &mut problems)
        .and_then(|root| read_interval(&root, &mut problems));
    problems
        .into_result(interval)
        .map_err(|problems| problems.to_string())
}

fn read_interval(node: &Node, problems: &mut Problems) -> Option<TimeInterval> {
    let mut fields = Fields::of(node, "timeinterval.TimeInterval", problems)?;
    let interval = TimeInterval {
        minutes: list(&mut fields, "times", time_range),
        weekdays: list(&mut fields, "weekdays", |node, p| range(node, weekdays, p)),
        days_of_month: list(&mut fields, "days_of_month", |node, p| {
            range(node, days_of_month, p)
        }),
        months: list(&mut fields, "months", |node, p| range(node, months, p)),
        years: list(&mut fields, "years", |node, p| range(node, years, p)),
        location: fields.read("location", location).unwrap_or(TimeZone::UTC),
    };
    fields.finish();
    Some(interval)
}

/// `None` where the field is absent: then it does not restrict. An empty list matches nothing.
fn list(
    fields: &mut Fields<'_, '_>,
    name: &str,
    read: impl FnMut(&Node, &mut Problems) -> Option<Range>,
) -> Option<Vec<Range>> {
    let node = fields.take(name)?;
    decode::list(node, fields.problems(), read)
}

fn location(node: &Node, problems: &mut Problems) -> Option<TimeZone> {
    let name = decode::string(node, problems)?;
    let zone = match name.as_str() {
        "" | "UTC" => Some(TimeZone::UTC),
        "Local" => Some(TimeZone::system()),
        name => TimeZone::get(name).ok(),
    };
    if zone.is_none() {
        problems.add(node.position, format!("unknown time zone {name}"));
    }
    zone
}

fn time_range(node: &Node, problems: &mut Problems) -> Option<Range> {
    let mut fields = Fields::of(node, "timeinterval.yamlTimeRange", problems)?;
    let start = fields
        .read("start_time", decode::string)
        .unwrap_or_default();
    let end = fields.read("end_time", decode::string).unwrap_or_default();
    let checked = if start.is_empty() || end.is_empty() {
        Err("both start and end times must be provided".to_owned())
    } else {
        minute_range(&start, &end)
    };
    let range = match checked {
        Ok(range) => Some(range),
        Err(message) => {
            fields.wrong(message);
            None
        }
    };
    fields.finish();
    range
}

fn minute_range(start: &str, end: &str) -> Reading {
    let (begin, end) = (minute(start)?, minute(end)?);
    if begin >= end {
        return Err("start time cannot be equal or greater than end time".to_owned());
    }
    Ok(Range { begin, end })
}

/// Minutes since midnight of `HH:MM`; `24:00` is the end of the day.
fn minute(text: &str) -> Result<i16, String> {
    let malformed = || format!("couldn't parse timestamp {text}, invalid format");
    let (hours, minutes) = text.split_once(':').ok_or_else(malformed)?;
    let number = |part: &str| {
        let two_digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i16>().ok().filter(|_| two_digits)
    };
    let total = number(hours).zip(number(minutes));
    total
        .filter(|(hours, minutes)| *hours < 24 && *minutes < 60 || (*hours, *minutes) == (24, 0))
        .map(|(hours, minutes)| hours * 60 + minutes)
        .ok_or_else(malformed)
}

fn range(node: &Node, read: fn(&str) -> Reading, problems: &mut Problems) -> Option<Range> {
    let text = decode::string(node, problems)?.to_lowercase();
    match read(&text) {
        Ok(range) => Some(range),
        Err(message) => {
            problems.add(node.position, message);
            None
        }
    }
}

/// Splits `from:to`, or takes one member for both ends.
fn members(text: &str, member: impl Fn(&str) -> Result<i16, String>) -> Reading {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        [only] => member(only).map(|n| Range { begin: n, end: n }),
        [begin, end] => Ok(Range {
            begin: member(begin)?,
            end: member(end)?,
        }),
        _ => Err(format!("couldn't parse range {text}, invalid format")),
    }
}

fn whole_number(text: &str) -> Result<i16, String> {
    text.parse()
        .ok()
        .ok_or_else(|| format!("parsing {text:?}: invalid syntax"))
}

fn index_in(names: &[&str], text: &str) -> Option<i16> {
    let index = names.iter().position(|name| *name == text)?;
    i16::try_from(index).ok()
}

fn weekdays(text: &str) -> Reading {
    let range = members(text, |day| {
        index_in(&WEEKDAYS, day).ok_or_else(|| format!("{day} is not a valid weekday"))
    })?;
    if range.begin > range.end {
        return Err("start day cannot be before end day".to_owned());
    }
    Ok(range)
}

fn months(text: &str) -> Reading {
    let range = members(text, |month| {
        index_in(&MONTHS, month)
            .map(|index| index + 1)
            .or_else(|| month.parse().ok())
            .ok_or_else(|| format!("{month} is not a valid month"))
    })?;
    if range.begin > range.end {
        let name = |month: i16| {
            let index = usize::try_from(month - 1).unwrap_or(usize::MAX);
            MONTHS.get(index).copied().unwrap_or_default()
        };
        let (begin, end) = (name(range.begin), name(range.end));
        return Err(format!("end month {end} is before start month {begin}"));
    }
    Ok(range)
}

fn years(text: &str) -> Reading {
    let range = members(text, whole_number)?;
    let Range { begin, end } = range;
    if begin > end {
        return Err(format!("end year {end} is before start year {begin}"));
    }
    Ok(range)
}

/// Days may count from the month's end: -1 is the last.
fn days_of_month(text: &str) -> Reading {
    let range = members(text, whole_number)?;
    let Range { begin, end } = range;
    for day in [begin, end] {
        if day == 0 || !(-31..=31).contains(&day) {
            return Err(format!(
                "{day} is not a valid day of the month: out of range"
            ));
        }
    }
    if begin < 0 && end > 0 {
        return Err("end day must be negative if start day is negative".to_owned());
    }
    // The shortest month tells what can never be.
    let in_shortest = |day: i16| if day < 0 { 28 + day } else { day };
    if in_shortest(begin) > in_shortest(end) {
        return Err(format!("end day {end} is always before start day {begin}"));
    }
    Ok(range)
}
