//! Silences that come again: a window of time as in alertmanager.yml, and what is muted in it.
//!
//! Each time the window opens an ordinary silence begins that ends with the window. Clients of Alertmanager
//! see, change and end it as any other; one that was ended early does not come back before the next window.

use crate::config;
use crate::interval::TimeInterval;
use model::{Matcher, Timestamp};

/// Recurring silences at most.
pub const RECURRENCES_MAX: usize = 1000;
/// A window that never closes is cut into silences of this length.
const WINDOW_MINUTES_MAX: i64 = 7 * 24 * 60;
const MINUTE_MS: i64 = 60_000;
/// The annotation of a silence that says which one it belongs to.
pub const ANNOTATION: &str = "binnacle_recurrence";

/// A silence that comes again.
#[derive(Clone, Debug)]
pub struct Recurrence {
    /// A UUID.
    pub id: String,
    /// What an alert must fulfil; all of them.
    pub matchers: Vec<Matcher>,
    /// When, as an entry of `time_intervals` in JSON or YAML.
    pub window_text: String,
    /// The same, read.
    pub window: TimeInterval,
    /// When it ends for good.
    pub until: Option<Timestamp>,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when silences were made; the next one begins no earlier.
    pub made_until: Timestamp,
}

impl PartialEq for Recurrence {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.matchers == other.matchers
            && self.window_text == other.window_text
            && self.until == other.until
            && self.made_until == other.made_until
    }
}

impl Recurrence {
    /// Reads a window. Fails with what is wrong with it.
    pub fn read_window(text: &str) -> Result<TimeInterval, String> {
        let window = config::read_window(text)?;
        let unrestricted = window.minutes.is_none()
            && window.weekdays.is_none()
            && window.days_of_month.is_none()
            && window.months.is_none()
            && window.years.is_none();
        if unrestricted {
            return Err(
                "the window needs at least one of times, weekdays, days_of_month, months, years"
                    .to_owned(),
            );
        }
        Ok(window)
    }

    /// Whether a silence is to begin at `now`.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        now >= self.made_until
            && self.until.is_none_or(|until| now < until)
            && self.window.contains(now)
    }

    /// When the window that is open at `now` closes.
    #[must_use]
    pub fn closes(&self, now: Timestamp) -> Timestamp {
        let first = now.millis().div_euclid(MINUTE_MS) + 1;
        let minute = |number: i64| Timestamp::from_millis((first + number) * MINUTE_MS);
        let closed = (0..WINDOW_MINUTES_MAX)
            .map(minute)
            .find(|moment| !self.window.contains(*moment));
        let closed = closed.unwrap_or_else(|| minute(WINDOW_MINUTES_MAX));
        self.until.map_or(closed, |until| closed.min(until))
    }

    /// When the window opens next, within two years.
    #[must_use]
    pub fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let first = now.millis().div_euclid(MINUTE_MS) + 1;
        let from = Timestamp::from_millis(first * MINUTE_MS).max(self.made_until);
        self.window
            .next(from)
            .filter(|moment| self.until.is_none_or(|until| *moment < until))
    }
}
