//! Parts of a date in UTC, as Go's `time` package computes them.

use crate::engine::{Column, Row, Steps, Value};
use model::number::i64_to_float;
use model::timestamp::civil_from_days;

const DAY_SECONDS: i64 = 86_400;

/// Seconds from the epoch back to where Go's calendar begins; earlier ones wrap around to its end.
const CALENDAR_BEGIN_SECONDS: i128 = -9_223_372_028_715_321_600;

/// A moment in UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Days since the epoch.
    days: i64,
    /// Seconds since midnight.
    second: i64,
}

impl Moment {
    fn from_seconds(seconds: i64) -> Self {
        let mut seconds = i128::from(seconds);
        if seconds < CALENDAR_BEGIN_SECONDS {
            seconds += 1 << 64;
        }
        let part = |value: i128| i64::try_from(value).unwrap_or(0);
        Self {
            days: part(seconds.div_euclid(i128::from(DAY_SECONDS))),
            second: part(seconds.rem_euclid(i128::from(DAY_SECONDS))),
        }
    }

    /// Takes the whole seconds of a float. What fits no 64-bit number, NaN too, is the least one, as processors
    /// of the amd64 kind have it.
    pub(crate) fn from_float(seconds: f64) -> Self {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        if (-LIMIT..LIMIT).contains(&seconds) {
            Self::from_seconds(model::number::float_to_i64(seconds))
        } else {
            Self::from_seconds(i64::MIN)
        }
    }

    fn date(self) -> (i64, i64, i64) {
        civil_from_days(self.days)
    }
}

/// A part of the moments of evaluation: what these functions give without an argument.
pub(crate) fn of_steps(steps: Steps, part: fn(Moment) -> f64) -> Value {
    let parts = (0..steps.count).map(|step| part(Moment::from_seconds(steps.at(step) / 1000)));
    Value::Vector(vec![Row {
        labels: model::Labels::default(),
        drops_name: false,
        column: Column::from_floats(0, parts.collect()),
    }])
}

/// `year`
pub(crate) fn year(moment: Moment) -> f64 {
    i64_to_float(moment.date().0)
}

/// `month`: 1 to 12.
pub(crate) fn month(moment: Moment) -> f64 {
    i64_to_float(moment.date().1)
}

/// `day_of_month`: 1 to 31.
pub(crate) fn day_of_month(moment: Moment) -> f64 {
    i64_to_float(moment.date().2)
}

/// `day_of_week`: 0 (Sunday) to 6.
pub(crate) fn day_of_week(moment: Moment) -> f64 {
    // The epoch was a Thursday.
    i64_to_float((moment.days + 4).rem_euclid(7))
}

/// `day_of_year`: 1 to 366.
pub(crate) fn day_of_year(moment: Moment) -> f64 {
    let (year, ..) = moment.date();
    // The first of January is at most 365 days back.
    let new_year = (0..366)
        .find(|back| civil_from_days(moment.days - back - 1).0 != year)
        .unwrap_or(0);
    i64_to_float(new_year + 1)
}

/// `days_in_month`: 28 to 31.
pub(crate) fn days_in_month(moment: Moment) -> f64 {
    let (year, month, _) = moment.date();
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30.0,
        2 if is_leap => 29.0,
        2 => 28.0,
        _ => 31.0,
    }
}

/// `hour`: 0 to 23.
pub(crate) fn hour(moment: Moment) -> f64 {
    i64_to_float(moment.second / 3600)
}

/// `minute`: 0 to 59.
pub(crate) fn minute(moment: Moment) -> f64 {
    i64_to_float(moment.second % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::{Moment, day_of_week, day_of_year, days_in_month, hour, minute, month, year};

    #[test]
    fn reads_dates_as_go_does() {
        let check = |seconds: f64, want: [f64; 7]| {
            let parts = [
                year,
                month,
                day_of_year,
                day_of_week,
                hour,
                minute,
                days_in_month,
            ];
            let found = parts.map(|part| part(Moment::from_float(seconds)));
            assert_eq!(found, want, "{seconds}");
        };
        check(0.0, [1970.0, 1.0, 1.0, 4.0, 0.0, 0.0, 31.0]);
        check(-0.5, [1970.0, 1.0, 1.0, 4.0, 0.0, 0.0, 31.0]);
        check(-1.0, [1969.0, 12.0, 365.0, 3.0, 23.0, 59.0, 31.0]);
        check(951_825_661.9, [2000.0, 2.0, 60.0, 2.0, 12.0, 1.0, 29.0]);
        // Beyond 64 bits: the year 292277026596, on a Sunday in December.
        let wrapped = [292_277_026_596.0, 12.0, 339.0, 0.0, 15.0, 30.0, 31.0];
        check(f64::NAN, wrapped);
        check(f64::INFINITY, wrapped);
        check(-1e300, wrapped);
    }
}
