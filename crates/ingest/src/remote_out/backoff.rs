//! What an answer means, and how long to wait before the next attempt.

use std::time::Duration;

/// A receiver cannot make us wait longer than this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Done,
    /// Try again, after so long where the receiver said so.
    Again(Option<Duration>),
    /// Never try again.
    Drop,
}

/// Judges the status of an answer. `retry_after`: the header, in seconds or as a date (which is not read);
/// `retries_429`: whether 429 means later or never.
#[must_use]
pub fn judge(status: u16, retry_after: Option<&str>, retries_429: bool) -> Verdict {
    match status {
        200..=299 => Verdict::Done,
        429 if !retries_429 => Verdict::Drop,
        429 | 500..=599 => {
            let seconds = retry_after.and_then(|text| text.trim().parse().ok());
            let wait = seconds.map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
            Verdict::Again(wait)
        }
        _ => Verdict::Drop,
    }
}

/// Doubles the wait from `min` to `max`.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// Begins with `min`.
    #[must_use]
    pub const fn new(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max,
            next: min,
        }
    }

    /// How long to wait now; `asked` is what the receiver asked for.
    pub fn wait(&mut self, asked: Option<Duration>) -> Duration {
        let wait = asked.unwrap_or(self.next);
        self.next = (self.next * 2).min(self.max).max(self.min);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Verdict, judge};
    use std::time::Duration;

    #[test]
    fn judges_answers() {
        let check = |status, header, retries, want| {
            assert_eq!(judge(status, header, retries), want, "{status}");
        };
        check(200, None, true, Verdict::Done);
        check(204, None, true, Verdict::Done);
        check(400, None, true, Verdict::Drop);
        check(404, Some("3"), true, Verdict::Drop);
        check(301, None, true, Verdict::Drop);
        check(429, None, true, Verdict::Again(None));
        check(429, None, false, Verdict::Drop);
        let seconds = |n| Verdict::Again(Some(Duration::from_secs(n)));
        check(503, Some("3"), true, seconds(3));
        check(503, Some("1e9"), true, Verdict::Again(None));
        check(500, Some("99999999"), true, seconds(600));
    }

    #[test]
    fn waits_longer_and_longer() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(30), ms(200));
        let waits: Vec<_> = (0..5).map(|_| backoff.wait(None)).collect();
        assert_eq!(waits, [ms(30), ms(60), ms(120), ms(200), ms(200)]);
        assert_eq!(backoff.wait(Some(ms(7))), ms(7));
    }
}
