//! Watching that alerts get through, and saying so to the outside.

use super::{Dispatch, Error, Shared};
use crate::config::Heartbeat;
use crate::heartbeat::{Beat, Stage, Watch};
use crate::machine::Input;
use model::Timestamp;
use runtime::{Shutdown, thread};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often stages are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often a probe is sent along the way of alerts; it writes a row.
const PROBE: Duration = Duration::from_secs(10);
/// The dispatcher's thread goes round at least once a second; longer than this is no going round.
const ROUND_MAX: Duration = Duration::from_secs(10);
/// A group may be looked at so much later than it should.
const FLUSH_LATE_MAX_MS: i64 = 10_000;
/// An attempt may take so much longer than its time.
const ATTEMPT_LATE_MAX_MS: i64 = 10_000;

/// What the dispatcher cannot know of itself.
pub struct Surroundings {
    /// Whether rules are evaluated in time.
    pub evaluates: Box<dyn Fn(Timestamp) -> bool + Send>,
    /// Sends a probe along the way that alerts take; it must end in [`Dispatch::probed`].
    pub probe: Box<dyn Fn() + Send>,
}

/// Signs of life, as monotonic milliseconds.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// When the last probe was in the database.
    probed_ms: AtomicU64,
    /// When the dispatcher's thread went round last.
    round_ms: AtomicU64,
    /// Whether a heartbeat is under way.
    beating: AtomicBool,
    watch: Mutex<Option<Watch>>,
}

#[cfg(test)]
impl Signs {
    /// When the dispatcher's thread went round last.
    pub(super) fn round_ms(&self) -> u64 {
        self.round_ms.load(Ordering::Relaxed)
    }

    /// Whether no heartbeat is under way.
    pub(super) fn is_quiet(&self) -> bool {
        !self.beating.load(Ordering::SeqCst)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Dispatch {
    /// Starts the thread that watches, until `shutdown`.
    pub fn watch(
        &self,
        surroundings: Surroundings,
        shutdown: Shutdown,
    ) -> std::io::Result<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        thread::spawn("heartbeat", move || {
            let mut next_probe = Duration::ZERO;
            while !shutdown.wait(LOOK) {
                let now = shared.parts.clock.monotonic();
                if now >= next_probe {
                    (surroundings.probe)();
                    next_probe = now + PROBE;
                }
                shared.look((surroundings.evaluates)(shared.parts.clock.now()));
            }
        })
    }

    /// A probe came along the way of alerts: it goes through the machine into the database, as they do.
    pub fn probed(&self) -> Result<(), Error> {
        self.shared
            .change(|core, now| core.machine.step(now, Input::Probe))?;
        let now = millis(self.shared.parts.clock.monotonic());
        self.shared.signs.probed_ms.store(now, Ordering::Relaxed);
        Ok(())
    }
}

impl Shared {
    /// The dispatcher's thread goes round.
    pub(super) fn goes_round(&self) {
        let now = millis(self.parts.clock.monotonic());
        self.signs.round_ms.store(now, Ordering::Relaxed);
    }

    /// Looks at every stage, and sends a heartbeat if one is due and nothing keeps it back.
    pub(super) fn look(self: &Arc<Self>, evaluates: bool) {
        let now = self.parts.clock.monotonic();
        let heartbeat = self.lock().machine.config().own.heartbeat.clone();
        let delivers = self.delivers();
        let routed_at = self.routed_at(now);
        let mut watch = self
            .signs
            .watch
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let watch = watch.get_or_insert_with(|| Watch::new(now));
        if evaluates {
            watch.alive(Stage::Evaluation, now);
        }
        watch.alive(Stage::Routing, routed_at);
        if delivers {
            watch.alive(Stage::Delivery, now);
        }
        self.metrics.stages(watch.silence(now));
        if let Some(heartbeat) = heartbeat {
            self.beat(watch, now, heartbeat);
        }
    }

    /// When routing was alive last.
    fn routed_at(&self, now: Duration) -> Duration {
        let probed = Duration::from_millis(self.signs.probed_ms.load(Ordering::Relaxed));
        let round = Duration::from_millis(self.signs.round_ms.load(Ordering::Relaxed));
        let late_ms = self.lock().machine.flush_late_ms(self.parts.clock.now());
        if now.saturating_sub(round) > ROUND_MAX || late_ms > FLUSH_LATE_MAX_MS {
            return Duration::ZERO;
        }
        probed
    }

    /// Whether notifications leave.
    fn delivers(&self) -> bool {
        let now = self.parts.clock.now();
        let core = self.lock();
        core.machine.attempt_late_ms(now) <= ATTEMPT_LATE_MAX_MS
            && core.machine.undelivered(now).is_empty()
    }

    fn beat(self: &Arc<Self>, watch: &mut Watch, now: Duration, heartbeat: Heartbeat) {
        let length = |ms: i64| Duration::from_millis(ms.unsigned_abs());
        let interval = length(heartbeat.interval_ms);
        match watch.beat(now, interval, length(heartbeat.stalled_after_ms)) {
            Beat::NotYet => {}
            Beat::Withhold(stages) => {
                self.metrics.heartbeat("withheld");
                let names: Vec<&str> = stages.iter().map(|stage| stage.name()).collect();
                tracing::error!("no heartbeat: {} makes no progress", names.join(", "));
            }
            Beat::Send if self.signs.beating.swap(true, Ordering::SeqCst) => {
                self.metrics.heartbeat("failed");
                tracing::warn!("the last heartbeat is still under way");
            }
            Beat::Send => {
                let shared = Arc::clone(self);
                let now = self.parts.clock.now();
                self.deliverer.beat(heartbeat, now, move |ended| {
                    shared.signs.beating.store(false, Ordering::SeqCst);
                    match ended {
                        Ok(()) => shared.metrics.heartbeat("sent"),
                        Err(error) => {
                            shared.metrics.heartbeat("failed");
                            tracing::warn!("heartbeat failed: {error}");
                        }
                    }
                });
            }
        }
    }
}
