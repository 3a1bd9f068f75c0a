//! CSV with a description of its columns, as VictoriaMetrics takes it: `format=2:metric:ask,1:label:ticker,4:time:unix_s`.
//!
//! Columns count from 1; those that are not described are left out. A line without a time column is of now; a metric
//! column that is empty gives no sample. Fields may stand in double quotes, a quote inside is doubled; a field does not
//! reach beyond its line.

use crate::lines::{Lines, numbered, shown, text};
use model::{Labels, METRIC_NAME, SeriesSamples, Timestamp};

/// Columns that a format describes at most.
const COLUMNS_MAX: usize = 1_000;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Metric(String),
    Label(String),
    Time(TimeFormat),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeFormat {
    UnixSeconds,
    UnixMillis,
    UnixNanos,
    Rfc3339,
}

/// The columns of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// By their place, counted from 0.
    columns: Vec<(usize, Kind)>,
}

impl Format {
    /// Reads a `format` parameter.
    pub fn parse(description: &str) -> Result<Self, String> {
        let mut columns: Vec<(usize, Kind)> = Vec::new();
        for column in description.split(',') {
            let wrong = |what: &str| format!("column {column:?} of the format: {what}");
            let mut parts = column.trim().splitn(3, ':');
            let place: usize = parts
                .next()
                .and_then(|place| place.parse().ok())
                .ok_or_else(|| wrong("does not begin with its number"))?;
            let place = place
                .checked_sub(1)
                .filter(|place| *place < COLUMNS_MAX)
                .ok_or_else(|| wrong("columns count from 1 to 1000"))?;
            let kind = parts.next().unwrap_or_default();
            let name = parts.next().unwrap_or_default();
            let kind = match kind {
                "metric" | "label" if name.is_empty() => return Err(wrong("the name is missing")),
                "metric" => Kind::Metric(name.to_owned()),
                "label" => Kind::Label(name.to_owned()),
                "time" => Kind::Time(time_format(name).ok_or_else(|| {
                    wrong("the time is none of unix_s, unix_ms, unix_ns, rfc3339")
                })?),
                _ => return Err(wrong("is none of metric, label, time")),
            };
            if columns.iter().any(|(known, _)| *known == place) {
                return Err(wrong("is described twice"));
            }
            columns.push((place, kind));
        }
        let times = columns
            .iter()
            .filter(|(_, kind)| matches!(kind, Kind::Time(_)));
        if times.count() > 1 {
            return Err("the format has more than one time column".to_owned());
        }
        if !columns
            .iter()
            .any(|(_, kind)| matches!(kind, Kind::Metric(_)))
        {
            return Err("the format has no metric column".to_owned());
        }
        Ok(Self { columns })
    }
}

fn time_format(name: &str) -> Option<TimeFormat> {
    match name {
        "unix_s" => Some(TimeFormat::UnixSeconds),
        "unix_ms" => Some(TimeFormat::UnixMillis),
        "unix_ns" => Some(TimeFormat::UnixNanos),
        "rfc3339" => Some(TimeFormat::Rfc3339),
        _ => None,
    }
}

/// Reads a body. `extra`: labels that every series gets, which win; `now`: the time of lines without one.
#[must_use]
pub fn decode(body: &[u8], format: &Format, (extra, now): (&Labels, Timestamp)) -> Lines {
    let mut lines = Lines::default();
    for (number, line) in numbered(body) {
        let rows = text(line).and_then(|line| {
            let fields = split(line).map_err(|what| format!("{}: {what}", shown(line)))?;
            rows(&fields, format, (extra, now)).map_err(|what| format!("{}: {what}", shown(line)))
        });
        match rows {
            Ok(rows) => lines.rows.extend(rows),
            Err(message) => lines.refuse(number, message),
        }
    }
    lines
}

fn rows(
    fields: &[String],
    format: &Format,
    (extra, now): (&Labels, Timestamp),
) -> Result<Vec<SeriesSamples>, String> {
    let (mut at, mut pairs, mut metrics) = (now, Vec::new(), Vec::new());
    for (place, kind) in &format.columns {
        let field = fields
            .get(*place)
            .ok_or_else(|| format!("there is no column {}", place + 1))?
            .trim();
        match kind {
            Kind::Label(name) => pairs.push((name.as_str(), field)),
            Kind::Time(format) => at = moment(*format, field)?,
            Kind::Metric(_) if field.is_empty() => {}
            Kind::Metric(name) => {
                let value = model::number::parse_float(field)
                    .ok_or_else(|| format!("{field:?} in column {} is no number", place + 1))?;
                metrics.push((name.as_str(), value));
            }
        }
    }
    let base = Labels::from_pairs(pairs).merged_with(extra);
    let row = |(name, value): (&str, f64)| {
        let value = if value.is_nan() {
            crate::exposition::NORMAL_NAN
        } else {
            value
        };
        SeriesSamples::float(base.with(METRIC_NAME, name), at, value)
    };
    Ok(metrics.into_iter().map(row).collect())
}

fn moment(format: TimeFormat, text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is no time of the column's format");
    let whole = || text.parse::<i64>().map_err(|_no_number| wrong());
    Ok(match format {
        TimeFormat::UnixSeconds => Timestamp::from_millis(whole()?.saturating_mul(1000)),
        TimeFormat::UnixMillis => Timestamp::from_millis(whole()?),
        TimeFormat::UnixNanos => Timestamp::from_millis(whole()?.div_euclid(1_000_000)),
        TimeFormat::Rfc3339 => rfc3339(text).ok_or_else(wrong)?,
    })
}

/// `2026-01-02T03:04:05.678+01:00`; the fraction may be missing, the zone not.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-');
    let mut number = |digits: usize| {
        let part = date.next().filter(|part| part.len() == digits)?;
        part.parse::<i64>().ok()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut clock = clock.splitn(3, ':');
    let mut number = || {
        clock
            .next()
            .filter(|part| part.len() == 2)?
            .parse::<i64>()
            .ok()
    };
    let (hour, minute, second) = (number()?, number()?, number()?);
    let offset_minutes = match zone {
        "Z" | "z" => 0,
        _ => {
            let (sign, zone) = zone.split_at_checked(1)?;
            let (hours, minutes) = zone.split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if sign == "-" { -minutes } else { minutes }
        }
    };
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && offset_minutes.abs() < 24 * 60;
    if !in_range || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let days = days_from_civil(year, month, day);
    if model::timestamp::civil_from_days(days) != (year, month, day) {
        return None;
    }
    let seconds = days * 86_400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
    Some(Timestamp::from_millis(seconds * 1000 + millis))
}

/// Days since 1970-01-01. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Splits a line at its commas.
fn split(line: &str) -> Result<Vec<String>, String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let is_first = fields.last().is_some_and(String::is_empty);
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => push(&mut fields, '"'),
            '"' if quoted => quoted = false,
            '"' if is_first => quoted = true,
            ',' if !quoted => fields.push(String::new()),
            _ => push(&mut fields, c),
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    Ok(fields)
}

fn push(fields: &mut [String], c: char) {
    if let Some(last) = fields.last_mut() {
        last.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, decode};
    use expect_test::{Expect, expect};
    use model::{Labels, Timestamp, Value};
    use proptest::prelude::*;

    fn shown(format: &str, body: &str) -> String {
        let format = match Format::parse(format) {
            Ok(format) => format,
            Err(message) => return message,
        };
        let extra = Labels::from_pairs([("from", "file")]);
        let lines = decode(
            body.as_bytes(),
            &format,
            (&extra, Timestamp::from_millis(7)),
        );
        let rows = lines.rows.iter().map(|row| {
            let sample = &row.samples[0];
            let Value::Float(value) = sample.value else {
                panic!("no float");
            };
            format!("{} {value} @{}\n", row.labels, sample.timestamp.millis())
        });
        rows.collect::<String>() + &lines.complaint().unwrap_or_default()
    }

    #[test]
    fn reads_columns() {
        let check = |format, body, want: Expect| want.assert_eq(&shown(format, body));
        check(
            "2:metric:ask,3:metric:bid,1:label:ticker,4:label:market",
            "GOOG,1.23,4.56,\"NYSE, \"\"big\"\"\"\nMSFT,,3.21,NASDAQ\n",
            expect![[r#"
                {__name__="ask", from="file", market="NYSE, \"big\"", ticker="GOOG"} 1.23 @7
                {__name__="bid", from="file", market="NYSE, \"big\"", ticker="GOOG"} 4.56 @7
                {__name__="bid", from="file", market="NASDAQ", ticker="MSFT"} 3.21 @7
            "#]],
        );
        check(
            "1:time:rfc3339,2:metric:m",
            "2026-01-02T03:04:05.678+01:00,1\n1970-01-01T00:00:00Z,2\n2026-02-30T00:00:00Z,3\n",
            expect![[r#"
                {__name__="m", from="file"} 1 @1767319445678
                {__name__="m", from="file"} 2 @0
                line 3: '2026-02-30T00:00:00Z,3': "2026-02-30T00:00:00Z" is no time of the column's format"#]],
        );
        check(
            "2:time:unix_s,1:metric:m",
            "time,value\n5,10\n6\n\"7,12\n8,9,more\n",
            expect![[r#"
                {__name__="m", from="file"} 5 @10000
                {__name__="m", from="file"} 8 @9000
                line 1: 'time,value': "value" is no time of the column's format
                line 3: '6': there is no column 2
                line 4: '"7,12': a quote is not closed"#]],
        );
    }

    #[test]
    fn refuses_formats() {
        let check = |format, want: Expect| want.assert_eq(&shown(format, ""));
        check(
            "",
            expect![[r#"column "" of the format: does not begin with its number"#]],
        );
        check(
            "0:metric:a",
            expect![[r#"column "0:metric:a" of the format: columns count from 1 to 1000"#]],
        );
        check(
            "1:metric",
            expect![[r#"column "1:metric" of the format: the name is missing"#]],
        );
        check(
            "1:what:x",
            expect![[r#"column "1:what:x" of the format: is none of metric, label, time"#]],
        );
        check(
            "1:time:x",
            expect![[
                r#"column "1:time:x" of the format: the time is none of unix_s, unix_ms, unix_ns, rfc3339"#
            ]],
        );
        check("1:label:x", expect!["the format has no metric column"]);
        check(
            "1:metric:x,1:label:y",
            expect![[r#"column "1:label:y" of the format: is described twice"#]],
        );
    }

    proptest! {
        #[test]
        fn garbage_is_refused_in_peace(bytes: Vec<u8>, text in "[a-z,\"0-9T:Z\n.-]{0,60}", format in "[0-9a-z:,_]{0,30}") {
            let all = "1:time:rfc3339,2:metric:m,3:label:l";
            for format in [all, &format] {
                if let Ok(format) = Format::parse(format) {
                    let _unread = decode(&bytes, &format, (&Labels::default(), Timestamp::MAX));
                    let _unread = decode(text.as_bytes(), &format, (&Labels::default(), Timestamp::MIN));
                }
            }
        }

        #[test]
        fn moments_read_as_they_are_printed(millis in -62_000_000_000_000_i64..250_000_000_000_000) {
            let at = Timestamp::from_millis(millis);
            prop_assert_eq!(super::rfc3339(&at.to_string()), Some(at));
        }
    }
}
