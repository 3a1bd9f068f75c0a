//! Times such as "weekdays from nine to five, in Berlin": whether a moment lies within.
//!
//! Pure: the moment is an argument, time zones come from the compiled-in database.

use jiff::Zoned;
use jiff::tz::TimeZone;
use model::Timestamp;

const MINUTE_MS: i64 = 60_000;
/// How far ahead it is looked: two years, so that also the last day of a leap year's February is found soon enough.
const DAYS_AHEAD_MAX: usize = 2 * 366;

/// Two ends of a range. Inclusive, but for minutes of the day, whose end is excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first member.
    pub begin: i16,
    /// The last member, or the minute after it.
    pub end: i16,
}

impl Range {
    fn contains(self, member: i16) -> bool {
        (self.begin..=self.end).contains(&member)
    }
}

/// All fields must hold; a field holds if it is absent or one of its ranges does.
#[derive(Clone, Debug)]
pub struct TimeInterval {
    /// Minutes of the day, end excluded.
    pub minutes: Option<Vec<Range>>,
    /// Days of the week, 0 is Sunday.
    pub weekdays: Option<Vec<Range>>,
    /// Days of the month from 1; negative ones count from the end, -1 is the last.
    pub days_of_month: Option<Vec<Range>>,
    /// Months from 1.
    pub months: Option<Vec<Range>>,
    /// Years.
    pub years: Option<Vec<Range>>,
    /// The clock on whose wall this is read.
    pub location: TimeZone,
}

impl TimeInterval {
    /// Whether the interval contains a moment.
    #[must_use]
    pub fn contains(&self, moment: Timestamp) -> bool {
        let Ok(instant) = jiff::Timestamp::from_millisecond(moment.millis()) else {
            return false;
        };
        let local = instant.to_zoned(self.location.clone());
        let minute = i16::from(local.hour()) * 60 + i16::from(local.minute());
        holds(self.minutes.as_deref(), |range| {
            range.begin <= minute && minute < range.end
        }) && self.contains_date(&local)
    }

    fn contains_date(&self, local: &Zoned) -> bool {
        let day = i16::from(local.day());
        let days_in_month = i16::from(local.days_in_month());
        let weekday = i16::from(local.weekday().to_sunday_zero_offset());
        holds(self.days_of_month.as_deref(), |range| {
            contains_day(range, day, days_in_month)
        }) && holds(self.months.as_deref(), |range| {
            range.contains(i16::from(local.month()))
        }) && holds(self.weekdays.as_deref(), |range| range.contains(weekday))
            && holds(self.years.as_deref(), |range| range.contains(local.year()))
    }

    /// The first whole minute from `from` on that the interval contains, within `DAYS_AHEAD_MAX`.
    #[must_use]
    pub fn next(&self, from: Timestamp) -> Option<Timestamp> {
        if self.minutes.as_ref().is_some_and(Vec::is_empty) {
            return None;
        }
        let minute = from.millis().saturating_add(MINUTE_MS - 1);
        let mut millis = minute.div_euclid(MINUTE_MS).saturating_mul(MINUTE_MS);
        for _ in 0..DAYS_AHEAD_MAX {
            let instant = jiff::Timestamp::from_millisecond(millis).ok()?;
            let local = instant.to_zoned(self.location.clone());
            let tomorrow = local.tomorrow().ok()?.start_of_day().ok()?;
            let ends = tomorrow.timestamp().as_millisecond();
            if self.contains_date(&local) {
                let minutes = (0..).map(|count| millis + count * MINUTE_MS);
                let found = minutes
                    .take_while(|minute| *minute < ends)
                    .map(Timestamp::from_millis)
                    .find(|minute| self.contains(*minute));
                if found.is_some() {
                    return found;
                }
            }
            millis = ends;
        }
        None
    }
}

fn holds(ranges: Option<&[Range]>, contains: impl Fn(Range) -> bool) -> bool {
    ranges.is_none_or(|ranges| ranges.iter().any(|range| contains(*range)))
}

fn contains_day(range: Range, day: i16, days_in_month: i16) -> bool {
    let resolve = |day: i16| {
        if day < 0 {
            days_in_month + day + 1
        } else {
            day
        }
    };
    let (begin, end) = (resolve(range.begin), resolve(range.end));
    begin <= days_in_month && (begin..=end.min(days_in_month)).contains(&day)
}

#[cfg(test)]
mod tests;
