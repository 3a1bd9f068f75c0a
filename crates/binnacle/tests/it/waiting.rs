//! Waiting for something to become true, with a deadline.

use runtime::{Clock as _, SystemClock};
use std::time::Duration;

/// How long anything may take: far more than it does, since the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until it sees something; `Err` says what was seen instead. Panics with the last of those after the deadline.
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Result<T, String>) -> T {
    until_within(PATIENCE, what, look)
}

/// The same for what may take longer than anything else.
pub(crate) fn until_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<T, String>,
) -> T {
    let clock = SystemClock::new();
    loop {
        match look() {
            Ok(seen) => return seen,
            Err(instead) => {
                let waited = clock.monotonic();
                assert!(
                    waited < patience,
                    "waited {waited:?} for {what}; at last: {instead}"
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
