//! Go's time.Time: an instant with a zone, and the methods that templates use.
//!
//! `Local` is UTC: a server's own zone has no place in its messages. Use `tz` or `In` for others.

use std::sync::Arc;

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::{Class, Method, Signature, Type, Value, time_format, time_parse};

/// `time.Time`
pub static TIME: Class = Class {
    name: "time.Time",
    underlying: "time.Time",
    element: Type::Any,
    methods: || METHODS,
};
static MONTH: Class = Class {
    name: "time.Month",
    underlying: "int",
    element: Type::Any,
    methods: || {
        &[Method {
            name: "String",
            signature: NOTHING,
            call: |it, _| Ok(Value::str(month_name(it))),
        }]
    },
};
static WEEKDAY: Class = Class {
    name: "time.Weekday",
    underlying: "int",
    element: Type::Any,
    methods: || {
        &[Method {
            name: "String",
            signature: NOTHING,
            call: |it, _| Ok(Value::str(weekday_name(it))),
        }]
    },
};
static LOCATION: Class = Class {
    name: "*time.Location",
    underlying: "string",
    element: Type::Any,
    methods: || {
        &[Method {
            name: "String",
            signature: NOTHING,
            call: |it, _| Ok(Value::str(it.as_str().unwrap_or(""))),
        }]
    },
};

const NOTHING: Signature = Signature::of(&[]);
const ONE_TIME: Signature = Signature {
    fixed: &[Type::Class(&TIME)],
    variadic: None,
};
const ONE_DURATION: Signature = Signature {
    fixed: &[Type::Class(&super::DURATION)],
    variadic: None,
};
const ONE_LOCATION: Signature = Signature {
    fixed: &[Type::Class(&LOCATION)],
    variadic: None,
};

static METHODS: &[Method] = &[
    Method {
        name: "String",
        signature: NOTHING,
        call: |it, _| Ok(time(it).text().into()),
    },
    Method {
        name: "Format",
        signature: Signature::of(&[Type::String]),
        call: |it, args| Ok(time(it).format(text(args)).into()),
    },
    Method {
        name: "UTC",
        signature: NOTHING,
        call: |it, _| Ok(time(it).in_zone(TimeZone::UTC).into()),
    },
    Method {
        name: "Local",
        signature: NOTHING,
        call: |it, _| Ok(time(it).in_zone(TimeZone::UTC).into()),
    },
    Method {
        name: "In",
        signature: ONE_LOCATION,
        call: |it, args| Ok(time(it).in_named_zone(text(args))?.into()),
    },
    Method {
        name: "Location",
        signature: NOTHING,
        call: |it, _| Ok(Value::NamedStr(&LOCATION, time(it).zone_name().into())),
    },
    Method {
        name: "Unix",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).timestamp().as_second())),
    },
    Method {
        name: "UnixMilli",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).timestamp().as_millisecond())),
    },
    Method {
        name: "UnixMicro",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).timestamp().as_microsecond())),
    },
    Method {
        name: "UnixNano",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(clamp(time(it).timestamp().as_nanosecond()))),
    },
    Method {
        name: "IsZero",
        signature: NOTHING,
        call: |it, _| {
            Ok(Value::Bool(
                time(it).timestamp() == Time::zero().timestamp(),
            ))
        },
    },
    Method {
        name: "Before",
        signature: ONE_TIME,
        call: |it, args| Ok(Value::Bool(time(it).timestamp() < other(args).timestamp())),
    },
    Method {
        name: "After",
        signature: ONE_TIME,
        call: |it, args| Ok(Value::Bool(time(it).timestamp() > other(args).timestamp())),
    },
    Method {
        name: "Equal",
        signature: ONE_TIME,
        call: |it, args| Ok(Value::Bool(time(it).timestamp() == other(args).timestamp())),
    },
    Method {
        name: "Compare",
        signature: ONE_TIME,
        call: |it, args| {
            Ok(Value::Int(
                time(it).timestamp().cmp(&other(args).timestamp()) as i64,
            ))
        },
    },
    Method {
        name: "Sub",
        signature: ONE_TIME,
        call: |it, args| Ok(Value::duration(time(it).since(&other(args)))),
    },
    Method {
        name: "Add",
        signature: ONE_DURATION,
        call: |it, args| Ok(time(it).plus(integer(args, 0)).into()),
    },
    Method {
        name: "AddDate",
        signature: Signature::of(&[Type::Int, Type::Int, Type::Int]),
        call: |it, args| Ok(time(it).plus_date(args)?.into()),
    },
    Method {
        name: "Truncate",
        signature: ONE_DURATION,
        call: |it, args| Ok(time(it).truncated(integer(args, 0)).into()),
    },
    Method {
        name: "Year",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).0.year().into())),
    },
    Method {
        name: "Month",
        signature: NOTHING,
        call: |it, _| Ok(Value::NamedInt(&MONTH, time(it).0.month().into())),
    },
    Method {
        name: "Day",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).0.day().into())),
    },
    Method {
        name: "YearDay",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).0.day_of_year().into())),
    },
    Method {
        name: "Weekday",
        signature: NOTHING,
        call: |it, _| {
            Ok(Value::NamedInt(
                &WEEKDAY,
                time(it).0.weekday().to_sunday_zero_offset().into(),
            ))
        },
    },
    Method {
        name: "Hour",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).0.hour().into())),
    },
    Method {
        name: "Minute",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).0.minute().into())),
    },
    Method {
        name: "Second",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).0.second().into())),
    },
    Method {
        name: "Nanosecond",
        signature: NOTHING,
        call: |it, _| Ok(Value::Int(time(it).0.subsec_nanosecond().into())),
    },
];

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// An instant with the zone in which it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time(pub(super) Arc<Zoned>);

impl Time {
    /// Makes a time in UTC from milliseconds since 1970; beyond jiff's range it stays at the range's end.
    pub fn from_milliseconds(milliseconds: i64) -> Self {
        Self::from_nanoseconds(i128::from(milliseconds) * 1_000_000)
    }

    /// Makes a time in UTC from nanoseconds since 1970; beyond jiff's range it stays at the range's end.
    pub fn from_nanoseconds(nanoseconds: i128) -> Self {
        let end = if nanoseconds < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        Self::new(
            Timestamp::from_nanosecond(nanoseconds)
                .unwrap_or(end)
                .to_zoned(TimeZone::UTC),
        )
    }

    /// Makes a time from jiff's.
    pub fn new(zoned: Zoned) -> Self {
        Self(Arc::new(zoned))
    }

    /// Go's zero time, the start of the year 1.
    pub fn zero() -> Self {
        let midnight = civil::date(1, 1, 1).at(0, 0, 0, 0);
        Self::new(midnight.to_zoned(TimeZone::UTC).unwrap_or_default())
    }

    /// Returns the instant.
    pub fn timestamp(&self) -> Timestamp {
        self.0.timestamp()
    }

    /// Returns Go's text form of the time.
    pub fn text(&self) -> String {
        self.format("2006-01-02 15:04:05.999999999 -0700 MST")
    }

    /// Formats the time by one of Go's layouts.
    pub fn format(&self, layout: &str) -> String {
        time_format::format(&self.0, layout)
    }

    /// Reads `text` by one of Go's layouts; a text without zone is in UTC. The error is worded as Go's.
    pub fn parse(layout: &str, text: &str) -> Result<Self, String> {
        time_parse::parse(layout, text).map(Self::new)
    }

    /// Returns the same instant in another zone.
    pub fn in_zone(&self, zone: TimeZone) -> Self {
        Self::new(self.0.with_time_zone(zone))
    }

    /// Returns the same instant in a zone of the time zone database, `UTC`, `Local` or one written as an offset.
    pub fn in_named_zone(&self, name: &str) -> Result<Self, String> {
        if matches!(name, "" | "UTC" | "Local") {
            return Ok(self.in_zone(TimeZone::UTC));
        }
        if let Some(offset) = time_format::parse_offset(name) {
            return Ok(self.in_zone(TimeZone::fixed(offset)));
        }
        match TimeZone::get(name) {
            Ok(zone) => Ok(self.in_zone(zone)),
            Err(_) => Err(format!("unknown time zone {name}")),
        }
    }

    /// Nanoseconds from `earlier` to this time, at most what 64 bits hold.
    pub fn since(&self, earlier: &Self) -> i64 {
        clamp(self.timestamp().as_nanosecond() - earlier.timestamp().as_nanosecond())
    }

    fn zone_name(&self) -> String {
        match self.0.time_zone().iana_name() {
            Some(name) => name.into(),
            None if self.0.offset() == Offset::UTC => "UTC".into(),
            None => self.format("-07:00"),
        }
    }

    fn plus(&self, nanoseconds: i64) -> Self {
        let zone = self.0.time_zone().clone();
        Self::from_nanoseconds(self.timestamp().as_nanosecond() + i128::from(nanoseconds))
            .in_zone(zone)
    }

    fn truncated(&self, unit: i64) -> Self {
        if unit <= 0 {
            return self.clone();
        }
        let since_zero =
            self.timestamp().as_nanosecond() - Self::zero().timestamp().as_nanosecond();
        let rest = since_zero.rem_euclid(i128::from(unit));
        Self::from_nanoseconds(self.timestamp().as_nanosecond() - rest)
            .in_zone(self.0.time_zone().clone())
    }

    /// Adds years, months and days; a day past the month's end runs into the next, as in Go.
    fn plus_date(&self, arguments: &[Value]) -> Result<Self, String> {
        let outside = || "time outside the years -9999 to 9999".to_owned();
        let months = i64::from(self.0.year())
            .checked_add(integer(arguments, 0))
            .and_then(|years| years.checked_mul(12))
            .and_then(|months| months.checked_add(i64::from(self.0.month()) - 1))
            .and_then(|months| months.checked_add(integer(arguments, 1)))
            .ok_or_else(outside)?;
        let year = i16::try_from(months.div_euclid(12))
            .ok()
            .ok_or_else(outside)?;
        let month = i8::try_from(months.rem_euclid(12) + 1)
            .ok()
            .ok_or_else(outside)?;
        let days = integer(arguments, 2).saturating_add(i64::from(self.0.day()) - 1);
        let first = civil::Date::new(year, month, 1).ok().ok_or_else(outside)?;
        let span = jiff::Span::new().try_days(days).ok().ok_or_else(outside)?;
        let date = first.checked_add(span).ok().ok_or_else(outside)?;
        let zoned = date
            .to_datetime(self.0.time())
            .to_zoned(self.0.time_zone().clone())
            .ok()
            .ok_or_else(outside)?;
        Ok(Self::new(zoned))
    }
}

fn clamp(nanoseconds: i128) -> i64 {
    i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
}

fn time(value: &Value) -> Time {
    match value {
        Value::Time(time) => time.clone(),
        _ => Time::zero(),
    }
}

fn other(arguments: &[Value]) -> Time {
    arguments.first().map_or_else(Time::zero, time)
}

fn text(arguments: &[Value]) -> &str {
    arguments.first().and_then(Value::as_str).unwrap_or("")
}

fn integer(arguments: &[Value], index: usize) -> i64 {
    match arguments.get(index) {
        Some(Value::Int(value) | Value::NamedInt(_, value)) => *value,
        _ => 0,
    }
}

fn month_name(value: &Value) -> &'static str {
    let Value::NamedInt(_, month) = value else {
        return "";
    };
    usize::try_from(month - 1)
        .ok()
        .and_then(|index| MONTHS.get(index))
        .copied()
        .unwrap_or("")
}

fn weekday_name(value: &Value) -> &'static str {
    let Value::NamedInt(_, day) = value else {
        return "";
    };
    usize::try_from(*day)
        .ok()
        .and_then(|index| WEEKDAYS.get(index))
        .copied()
        .unwrap_or("")
}
