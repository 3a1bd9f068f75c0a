//! When a backtest ends early.

use super::Error;
use runtime::SharedClock;
use std::time::Duration;

/// Watches the time a backtest takes, and whether anybody still waits for it.
pub struct Watch<'a> {
    clock: SharedClock,
    began: Duration,
    timeout: Duration,
    is_cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Watch<'a> {
    /// Begins now. `is_cancelled` answers whether the caller went away; it is asked often.
    pub fn new(
        clock: SharedClock,
        timeout: Duration,
        is_cancelled: &'a (dyn Fn() -> bool + Sync),
    ) -> Self {
        let began = clock.monotonic();
        Self {
            clock,
            began,
            timeout,
            is_cancelled,
        }
    }

    /// How long it has taken.
    pub(super) fn took(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.began)
    }

    /// Whether to go on.
    pub fn check(&self) -> Result<(), Error> {
        if (self.is_cancelled)() {
            return Err(Error::Cancelled);
        }
        if self.took() > self.timeout {
            return Err(Error::Timeout(self.timeout.as_secs()));
        }
        Ok(())
    }
}
