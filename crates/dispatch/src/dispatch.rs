//! The shell around the machine: clock, rows, delivery, metrics.
//!
//! One lock guards the machine. Whoever has an input takes the lock, lets the machine step, stores its rows
//! in one transaction, and only then lets go of what follows from them. A transaction that fails is an error
//! for the caller, and the machine is made anew from rows, with the attempts that are under way. One thread
//! waits for the machine's next moment and for the outcomes of deliveries.

mod about;
mod round;
mod trial;
mod watch;

pub use trial::Trial;
pub use watch::Surroundings;

use crate::alert::PostedAlert;
use crate::config::{Config, Flapping};
use crate::deliver::{Deliverer, Event, Job};
use crate::machine::{
    AlertFilter, AlertView, Before, GroupFilter, GroupView, IN_FLIGHT_MAX, Input, Kept, Machine,
    ReceiverView, Step, Told, UndeliveredView,
};
use crate::metrics::Metrics;
use crate::recurrence::Recurrence;
use crate::rows::{self, Attempt};
use crate::silence::{Silence, SilenceError};
use crate::template::Templates;
use crate::uuid;
use model::{Matcher, RoutedAlert, Timestamp};
use runtime::queue::{Sender, bounded};
use runtime::{Clock, Registry, SharedClock, Shutdown};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use storage::{State, StateError};

/// Room for outcomes and one wake-up: of as many attempts as may be under way when further ones begin, and as
/// many as the machine begins at once.
const EVENTS_MAX: usize = 2 * IN_FLIGHT_MAX + 1;
/// Steps of the clock that matter; what is smaller is its ordinary correction.
const CLOCK_STEP_MIN_MS: i64 = 2000;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not take or give rows.
    #[error(transparent)]
    State(#[from] StateError),
    /// A silence was not taken.
    #[error(transparent)]
    Silence(#[from] SilenceError),
    /// Alerts were not valid; the valid ones of the same call were taken.
    #[error("{}", .0.join("\n"))]
    Alerts(Vec<String>),
    /// The operating system gave no threads or random bytes.
    #[error("dispatch cannot start: {0}")]
    System(String),
}

/// What follows the routed state of alerts; called in order, one at a time. It must not wait long, and not call
/// the dispatcher.
pub type Listener = Box<dyn Fn(RoutedAlert) + Send + Sync>;

/// What a dispatcher is made of.
pub struct Parts {
    /// The database.
    pub state: State,
    /// The clock.
    pub clock: SharedClock,
    /// Where numbers go.
    pub registry: Registry,
    /// Under which address users reach us; links in notifications begin with it.
    pub external_url: String,
    /// Who hears of alerts whose routed state changed.
    pub listener: Listener,
    /// Who hears of attempts to deliver that ended.
    pub told: Box<dyn Fn(Told) + Send + Sync>,
}

/// Alertmanager's half of the program. Clones share it.
#[derive(Clone)]
pub struct Dispatch {
    shared: Arc<Shared>,
}

struct Shared {
    parts: Parts,
    started_at: Timestamp,
    metrics: Metrics,
    core: Mutex<Core>,
    deliverer: Deliverer,
    events: Sender<Event>,
    /// Whether a wake-up waits in the queue.
    woken: AtomicBool,
    /// Whether the process is about to end, so that no attempt begins any more.
    closing: AtomicBool,
    /// Keeps the order of what listeners hear.
    telling: Mutex<()>,
    /// What shows that alerts get through.
    signs: watch::Signs,
}

struct Core {
    machine: Machine,
    templates: Arc<Templates>,
    /// What the wall clock showed beyond the monotonic one.
    clock_offset_ms: i64,
    /// Attempts that are being made, with their beginnings; until their ends are on disk.
    under_way: BTreeMap<String, Timestamp>,
    /// What follows from a machine that was made anew: stored and told with the next change.
    owed: Step,
    /// Where it could not be made anew: what had been told before the changes that did not become rows.
    unsettled: Option<Vec<Before>>,
}

impl Dispatch {
    /// Makes the tables, restores the machine from rows, and starts the thread, which ends with `shutdown`.
    ///
    /// Answers also what was wrong with template files; the rest is used.
    pub fn start(
        parts: Parts,
        config: &Arc<Config>,
        shutdown: Shutdown,
    ) -> Result<(Self, JoinHandle<()>, Vec<String>), Error> {
        parts.state.migrate(rows::MIGRATION)?;
        let now = parts.clock.now();
        let (machine, step) = Machine::restore(
            now,
            Arc::clone(config),
            rows::load(&parts.state, lately(config, now))?,
        );
        rows::commit(&parts.state, &step.rows)?;
        let (templates, problems) = Templates::load(config, &parts.external_url);
        let metrics = Metrics::new(&parts.registry);
        metrics.configured(config);
        let system = |error: std::io::Error| Error::System(error.to_string());
        let (events, queue) = bounded(EVENTS_MAX, metrics.reports_refused.clone());
        let shared = Arc::new(Shared {
            started_at: now,
            metrics,
            core: Mutex::new(Core {
                machine,
                templates: Arc::new(templates),
                clock_offset_ms: clock_offset_ms(&*parts.clock),
                under_way: BTreeMap::new(),
                owed: Step::default(),
                unsettled: None,
            }),
            deliverer: Deliverer::new().map_err(system)?,
            events,
            woken: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            telling: Mutex::new(()),
            signs: watch::Signs::default(),
            parts,
        });
        shared.tell(step.routed);
        let dispatch = Self {
            shared: Arc::clone(&shared),
        };
        let waker = Arc::clone(&shared);
        shutdown.on_trigger(move || waker.wake());
        let thread = runtime::thread::spawn("dispatch", move || {
            shared.run(&queue, &shutdown);
        })
        .map_err(system)?;
        Ok((dispatch, thread, problems))
    }

    /// Puts another configuration in force. Alerts, silences, the log and the moments of groups stay.
    ///
    /// Answers what was wrong with template files.
    pub fn apply(&self, config: Arc<Config>) -> Result<Vec<String>, Error> {
        let (templates, problems) = Templates::load(&config, &self.shared.parts.external_url);
        self.shared.metrics.configured(&config);
        self.shared.change(|core, now| {
            core.templates = Arc::new(templates);
            // Under the same lock as the configuration: what starts from now on has the new settings.
            self.shared.deliverer.forget_clients();
            core.machine.apply(now, config)
        })?;
        Ok(problems)
    }

    /// Takes alerts as `POST /api/v2/alerts` does: the valid ones are stored when this answers, whether with
    /// `Ok` or with [`Error::Alerts`], which tells what was wrong with others.
    pub fn put(&self, alerts: Vec<PostedAlert>) -> Result<(), Error> {
        let clock = &self.shared.parts.clock;
        let begin = clock.monotonic();
        let step = self.shared.step(Input::Put(alerts))?;
        let took = clock.monotonic().saturating_sub(begin);
        self.shared.metrics.processed(took);
        if step.refused.is_empty() {
            Ok(())
        } else {
            Err(Error::Alerts(step.refused))
        }
    }

    /// Makes a silence, or changes the one whose id it carries; answers the id.
    pub fn set_silence(&self, silence: Silence) -> Result<String, Error> {
        let id = uuid::random().map_err(Error::System)?;
        let step = self.shared.step(Input::SetSilence(Box::new(silence), id))?;
        Ok(step.silence.unwrap_or(Err(SilenceError::NotFound))?)
    }

    /// The silences that come again.
    #[must_use]
    pub fn recurrences(&self) -> Vec<Recurrence> {
        self.shared.lock().machine.recurrences().cloned().collect()
    }

    /// Makes a silence that comes again, or changes the one whose id it carries; answers the id.
    pub fn set_recurrence(&self, new: Recurrence) -> Result<String, Error> {
        let id = uuid::random().map_err(Error::System)?;
        let step = self.shared.step(Input::SetRecurrence(Box::new(new), id))?;
        Ok(step.silence.unwrap_or(Err(SilenceError::NotFound))?)
    }

    /// Ends a silence that comes again, with what it made.
    pub fn remove_recurrence(&self, id: &str) -> Result<(), Error> {
        let step = self.shared.step(Input::RemoveRecurrence(id.to_owned()))?;
        step.silence.unwrap_or(Err(SilenceError::NotFound))?;
        Ok(())
    }

    /// Ends a silence.
    pub fn expire_silence(&self, id: &str) -> Result<(), Error> {
        let step = self.shared.step(Input::ExpireSilence(id.to_owned()))?;
        step.silence.unwrap_or(Err(SilenceError::NotFound))?;
        Ok(())
    }

    /// The alerts that have not ended.
    #[must_use]
    pub fn alerts(&self, filter: &AlertFilter) -> Vec<AlertView> {
        let now = self.now();
        self.shared.lock().machine.alerts(filter, now)
    }

    /// The groups with the alerts that have not ended.
    #[must_use]
    pub fn groups(&self, filter: &GroupFilter) -> Vec<GroupView> {
        let now = self.now();
        self.shared.lock().machine.groups(filter, now)
    }

    /// The silences that have every matcher of the filter.
    #[must_use]
    pub fn silences(&self, filter: &[Matcher]) -> Vec<Silence> {
        let now = self.now();
        self.shared.lock().machine.silences(filter, now)
    }

    /// The silence of this id.
    #[must_use]
    pub fn silence(&self, id: &str) -> Option<Silence> {
        self.shared.lock().machine.silence(id).cloned()
    }

    /// The receivers in the order of the file.
    #[must_use]
    pub fn receivers(&self) -> Vec<ReceiverView> {
        self.shared.lock().machine.receivers()
    }

    /// Alerts that fire and reach only receivers to which nothing sends yet.
    #[must_use]
    pub fn undelivered(&self) -> Vec<UndeliveredView> {
        let now = self.now();
        self.shared.lock().machine.undelivered(now)
    }

    /// The last attempts to deliver, newest first.
    pub fn attempts(&self, count: usize) -> Result<Vec<Attempt>, Error> {
        Ok(rows::attempts(&self.shared.parts.state, count)?)
    }

    /// The last attempts with one alert, newest first.
    pub fn attempts_of(&self, fingerprint: u64, count: usize) -> Result<Vec<Attempt>, Error> {
        let state = &self.shared.parts.state;
        Ok(rows::attempts_of(state, fingerprint, count)?)
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(self.shared.lock().machine.config())
    }

    /// When this process's dispatcher began: what the status page counts from.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        self.shared.started_at
    }

    /// The clock's moment: what states of silences are judged by.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.parts.clock.now()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the machine take an input, and wakes the thread, whose next moment may be another now.
    fn step(&self, input: Input) -> Result<Step, Error> {
        let step = self.change(|core, now| core.machine.step(now, input))?;
        self.wake();
        Ok(step)
    }

    /// Has the thread look up. One wake-up at a time, so that outcomes always find room.
    fn wake(&self) {
        if !self.woken.swap(true, Ordering::SeqCst) && self.events.try_send(Event::Wake).is_err() {
            self.woken.store(false, Ordering::SeqCst);
            tracing::debug!("the thread of notifications has ended");
        }
    }

    /// Changes the machine and stores what follows, or neither.
    fn change(&self, work: impl FnOnce(&mut Core, Timestamp) -> Step) -> Result<Step, Error> {
        let telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.parts.clock.now();
        let mut core = self.lock();
        if let Some(before) = core.unsettled.take() {
            self.recover(&mut core, before)?;
        }
        let clock_offset_ms = core.clock_offset_ms;
        let mut step = std::mem::take(&mut core.owed);
        step.absorb(self.notice_clock(&mut core, now));
        step.absorb(work(&mut core, now));
        let started = self.parts.clock.monotonic();
        let done = rows::commit(&self.parts.state, &step.rows);
        let took = self.parts.clock.monotonic().saturating_sub(started);
        self.metrics.commit(took, step.rows.len());
        if let Err(error) = done {
            self.metrics.commits_failed.increment();
            core.clock_offset_ms = clock_offset_ms;
            if let Err(error) = self.recover(&mut core, step.before) {
                tracing::error!("state of notifications cannot be read: {error}");
            }
            return Err(error.into());
        }
        for id in &step.ended {
            core.under_way.remove(id);
        }
        self.metrics.count(&step.counts);
        for trouble in &step.trouble {
            tracing::warn!("{trouble}");
        }
        self.send_due(&mut core, now);
        drop(core);
        self.tell(std::mem::take(&mut step.routed));
        for told in std::mem::take(&mut step.told) {
            (self.parts.told)(told);
        }
        drop(telling);
        Ok(step)
    }

    /// Has the machine follow a clock that was set since the last change.
    fn notice_clock(&self, core: &mut Core, now: Timestamp) -> Step {
        let offset_ms = clock_offset_ms(&*self.parts.clock);
        let by_ms = offset_ms - core.clock_offset_ms;
        core.clock_offset_ms = offset_ms;
        if by_ms.abs() < CLOCK_STEP_MIN_MS {
            return Step::default();
        }
        tracing::warn!("the clock was set by {by_ms} ms; what waits moves along");
        core.machine.step(now, Input::ClockSet(by_ms))
    }

    /// Makes the machine anew from rows after they could not be changed. Where that fails too, nothing is
    /// changed before it was done. `before`: what had been told before the changes that did not become rows.
    fn recover(&self, core: &mut Core, before: Vec<Before>) -> Result<(), Error> {
        // By the clock that the rows know: where it was set meanwhile, the next change says so.
        let now = by_offset(&*self.parts.clock, core.clock_offset_ms);
        let config = Arc::clone(core.machine.config());
        match rows::load(&self.parts.state, lately(&config, now)) {
            Ok(mut restored) => {
                restored.kept = Some(Kept {
                    under_way: core.under_way.clone(),
                    told: core.machine.take_told(before),
                });
                (core.machine, core.owed) = Machine::restore(now, config, restored);
                Ok(())
            }
            Err(error) => {
                core.unsettled = Some(before);
                Err(error.into())
            }
        }
    }

    /// Starts the attempts that are due.
    fn send_due(&self, core: &mut Core, now: Timestamp) {
        if self.closing.load(Ordering::SeqCst) || core.is_full() {
            return;
        }
        let config = Arc::clone(core.machine.config());
        for notice in core.machine.start_due(now) {
            let integration = config
                .receiver(&notice.target.receiver)
                .and_then(|receiver| {
                    let mut integrations = receiver.integrations.iter();
                    integrations.find(|one| one.is(&notice.target)).cloned()
                });
            let Some(integration) = integration else {
                continue;
            };
            core.under_way.insert(notice.id.clone(), now);
            let job = Job {
                integration,
                templates: Arc::clone(&core.templates),
                now,
                notice,
                template_error: Arc::default(),
            };
            self.deliverer.start(job, self.events.clone());
        }
    }

    fn tell(&self, routed: Vec<RoutedAlert>) {
        for alert in routed {
            (self.parts.listener)(alert);
        }
    }
}

impl Core {
    /// Whether no further attempt may begin. The machine has a limit too, but what a reload gives up counts no
    /// more there, and its attempt goes on.
    fn is_full(&self) -> bool {
        self.under_way.len() >= IN_FLIGHT_MAX
    }
}

/// Since when it matters how often alerts began.
fn lately(config: &Config, now: Timestamp) -> Timestamp {
    let limits = config.own.flapping.as_ref();
    now.plus_millis(-limits.map_or(0, Flapping::memory_ms))
}

/// How far the wall clock is ahead of the monotonic one; changes only where it is set.
fn clock_offset_ms(clock: &dyn Clock) -> i64 {
    clock.now().millis().saturating_sub(monotonic_ms(clock))
}

/// What the wall clock would show with this offset.
fn by_offset(clock: &dyn Clock, offset_ms: i64) -> Timestamp {
    Timestamp::from_millis(monotonic_ms(clock).saturating_add(offset_ms))
}

fn monotonic_ms(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.monotonic().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
