//! Waiting for something to become true, with a deadline.

use runtime::{Clock as _, SystemClock};
use std::time::Duration;

/// How long anything may take: far more than it does, since the machine may be busy.
const PATIENCE_MS: i64 = 30_000;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until it sees something; `Err` says what was seen instead. Panics with the last of those after the deadline.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let clock = SystemClock::new();
    let started = clock.now();
    loop {
        match look() {
            Ok(seen) => return seen,
            Err(instead) => {
                let waited_ms = clock.now().millis_since(started);
                assert!(
                    waited_ms < PATIENCE_MS,
                    "waited {waited_ms} ms for {what}; at last: {instead}"
                );
            }
        }
        std::thread::sleep(PAUSE);
    }
}

/// Looks until the condition holds.
pub(crate) fn until_true(what: &str, mut holds: impl FnMut() -> bool) {
    until(what, || {
        holds().then_some(()).ok_or_else(|| "not yet".to_owned())
    });
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemClock::new().now().millis()
}
