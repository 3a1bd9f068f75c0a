//! The shell: threads that evaluate groups when they are due, commit what must survive, and hand
//! alerts on.

mod retired;

use crate::config::{Config, Evaluator};
use crate::group::{Group, GroupKey};
use crate::metrics::{EngineMetrics, GroupMetrics};
use crate::rows;
use crate::schedule::{Due, Schedule};
use crate::template::Surroundings;
use crate::view::{AlertView, GroupView};
use model::{Alert, Labels, Sink, Source, Timestamp};
use promql::Engine;
use retired::Retired;
use runtime::queue::Sender;
use runtime::{Registry, SharedClock, Shutdown, thread};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use storage::{State, StateError};

/// A thread without work looks again after this long at the latest, for reloads and the end.
const IDLE_MS_MAX: i64 = 500;

/// Why the engine could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state database said no.
    #[error(transparent)]
    State(#[from] StateError),
    /// No thread could be started.
    #[error("cannot start a rule worker: {0}")]
    Thread(#[from] std::io::Error),
}

/// What the engine works with.
pub struct Parts {
    /// Evaluates expressions.
    pub engine: Engine,
    /// What rules read.
    pub source: Arc<dyn Source>,
    /// Where they write.
    pub sink: Arc<dyn Sink>,
    /// Keeps the state of alerts.
    pub state: State,
    /// Tells the time.
    pub clock: SharedClock,
    /// Keeps the engine's own numbers.
    pub registry: Registry,
    /// Takes alerts, a batch for each evaluation of a group. A batch that it has no room for is
    /// tried again with the next evaluation.
    pub alerts: Sender<Vec<Alert>>,
}

/// A group, when it is due, and what is seen of it.
struct Slot {
    group: Mutex<Group>,
    metrics: GroupMetrics,
    /// What others see; taken after each evaluation so that nobody waits for a slow one.
    view: RwLock<Arc<GroupView>>,
    timing: Mutex<Timing>,
    /// Whether another slot has taken the group's place. Set under the group's lock.
    is_gone: AtomicBool,
}

struct Timing {
    schedule: Schedule,
    /// Whether a thread evaluates the group now.
    is_running: bool,
}

/// Everything that a reload replaces.
#[derive(Default)]
struct Loaded {
    config: Arc<Config>,
    slots: BTreeMap<GroupKey, Arc<Slot>>,
    retired: Vec<Retired>,
    /// Whether a configuration was ever applied: the first one takes over what is stored.
    is_started: bool,
}

struct Shared {
    parts: Parts,
    metrics: EngineMetrics,
    loaded: Mutex<Loaded>,
}

/// Evaluates rule groups. Clones are the same engine.
#[derive(Clone)]
pub struct RuleEngine {
    shared: Arc<Shared>,
}

impl RuleEngine {
    /// Makes an engine without rules.
    pub fn new(parts: Parts) -> Result<Self, Error> {
        parts.state.migrate(rows::MIGRATION)?;
        let metrics = EngineMetrics::new(&parts.registry);
        Ok(Self {
            shared: Arc::new(Shared {
                parts,
                metrics,
                loaded: Mutex::new(Loaded::default()),
            }),
        })
    }

    /// Replaces the configuration. Groups that did not change go on undisturbed, those that did keep
    /// the state of rules with the same name and labels. The first configuration takes over what the
    /// database has.
    ///
    /// Waits for evaluations of changed groups to end. Fails where the database says no; then the old
    /// configuration stays.
    pub fn apply(&self, config: Config, now: Timestamp) -> Result<(), Error> {
        let shared = &self.shared;
        let mut loaded = lock(&shared.loaded);
        let mut stored = if loaded.is_started {
            BTreeMap::new()
        } else {
            shared.parts.state.read(rows::load)?
        };
        let config = Arc::new(config);
        let groups = new_groups(&config);
        let mut forgotten: BTreeSet<GroupKey> = loaded.slots.keys().cloned().collect();
        forgotten.extend(stored.keys().cloned());
        for key in groups.keys() {
            forgotten.remove(key);
        }
        shared.parts.state.transaction(|tx| {
            forgotten
                .iter()
                .try_for_each(|key| rows::forget_group(tx, key))
        })?;
        let mut old = std::mem::take(&mut loaded.slots);
        for (key, mut group) in groups {
            let slot = match old.remove(&key) {
                Some(slot) if lock(&slot.group).is_same(&group) => slot,
                Some(slot) => {
                    group.copy_state(slot.leave());
                    shared.slot(group, now)
                }
                None => {
                    if !loaded.is_started {
                        group.adopt(stored.remove(&key), config.restoring, now);
                    }
                    shared.slot(group, now)
                }
            };
            loaded.slots.insert(key, slot);
        }
        for (key, slot) in old {
            GroupMetrics::remove(&shared.parts.registry, &key);
            let evaluator = shared.evaluator(&config);
            loaded
                .retired
                .push(Retired::new(&slot.leave(), &evaluator, now));
        }
        loaded.config = config;
        loaded.is_started = true;
        Ok(())
    }

    /// Evaluates on this thread every group that is due at `now`. Answers how many were.
    pub fn run_due(&self, now: Timestamp) -> usize {
        let mut count = 0;
        while self.shared.run_one(now) {
            count += 1;
        }
        count
    }

    /// Starts threads that evaluate groups as they become due, until `shutdown`.
    pub fn start(&self, threads: usize, shutdown: &Shutdown) -> Result<Vec<JoinHandle<()>>, Error> {
        let mut handles = Vec::with_capacity(threads);
        for number in 0..threads.max(1) {
            let (engine, shutdown) = (self.clone(), shutdown.clone());
            let work = move || engine.work(&shutdown);
            handles.push(thread::spawn(&format!("rules-{number}"), work)?);
        }
        Ok(handles)
    }

    fn work(&self, shutdown: &Shutdown) {
        let clock = &self.shared.parts.clock;
        while !shutdown.is_triggered() {
            let now = clock.now();
            if self.shared.run_one(now) {
                continue;
            }
            let until_next = self
                .next_due()
                .map_or(IDLE_MS_MAX, |at| at.millis_since(now));
            let wait_ms = u64::try_from(until_next.clamp(1, IDLE_MS_MAX)).unwrap_or(1);
            if shutdown.wait(Duration::from_millis(wait_ms)) {
                return;
            }
        }
    }

    /// When the next group is due that no thread is at.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let loaded = lock(&self.shared.loaded);
        let idle = loaded.slots.values().filter_map(|slot| {
            let timing = lock(&slot.timing);
            (!timing.is_running).then(|| timing.schedule.next())
        });
        idle.min()
    }

    /// Whether every group is evaluated in time: none is late by more than its interval.
    #[must_use]
    pub fn is_on_time(&self, now: Timestamp) -> bool {
        let loaded = lock(&self.shared.loaded);
        loaded.slots.values().all(|slot| {
            let schedule = lock(&slot.timing).schedule;
            now.millis_since(schedule.next()) <= schedule.interval_ms()
        })
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&lock(&self.shared.loaded).config)
    }

    /// All groups, by file and name.
    #[must_use]
    pub fn groups(&self) -> Vec<Arc<GroupView>> {
        let loaded = lock(&self.shared.loaded);
        let view = |slot: &Arc<Slot>| {
            Arc::clone(&slot.view.read().unwrap_or_else(PoisonError::into_inner))
        };
        loaded.slots.values().map(view).collect()
    }

    /// The pending and firing alerts of all groups.
    #[must_use]
    pub fn alerts(&self) -> Vec<AlertView> {
        let groups = self.groups();
        groups.iter().flat_map(|g| g.alerts().cloned()).collect()
    }
}

fn new_groups(config: &Config) -> BTreeMap<GroupKey, Group> {
    let mut groups = BTreeMap::new();
    for file in &config.files {
        for spec in &file.groups {
            let group = Group::new(&file.path, spec, config);
            groups.insert(group.key.clone(), group);
        }
    }
    groups
}

impl Slot {
    /// The group's state, once no thread evaluates it any more.
    fn leave(&self) -> Group {
        let group = lock(&self.group);
        self.is_gone.store(true, Ordering::Release);
        group.clone()
    }
}

impl Shared {
    fn slot(&self, group: Group, now: Timestamp) -> Arc<Slot> {
        Arc::new(Slot {
            metrics: GroupMetrics::new(&self.parts.registry, &group),
            view: RwLock::new(Arc::new(GroupView::of(&group))),
            timing: Mutex::new(Timing {
                schedule: Schedule::new(&group.key, group.interval_ms, now),
                is_running: false,
            }),
            is_gone: AtomicBool::new(false),
            group: Mutex::new(group),
        })
    }

    fn evaluator(&self, config: &Config) -> Evaluator {
        Evaluator {
            surroundings: Surroundings {
                engine: self.parts.engine.clone(),
                source: Arc::clone(&self.parts.source),
                external_labels: config.external_labels.clone(),
                external_url: config.external_url.clone(),
            },
            sink: Arc::clone(&self.parts.sink),
            clock: Arc::clone(&self.parts.clock),
            query_offset_ms: config.query_offset_ms,
            restoring: config.restoring,
        }
    }

    /// Evaluates the group that has been due the longest, if one is. Answers whether one was.
    fn run_one(&self, now: Timestamp) -> bool {
        let Some((slot, due, config)) = self.take_due(now) else {
            self.end_retired(now);
            return false;
        };
        self.evaluate(&slot, due, &config);
        lock(&slot.timing).is_running = false;
        true
    }

    fn take_due(&self, now: Timestamp) -> Option<(Arc<Slot>, Due, Arc<Config>)> {
        let loaded = lock(&self.loaded);
        let mut first: Option<(Timestamp, &Arc<Slot>)> = None;
        for slot in loaded.slots.values() {
            let timing = lock(&slot.timing);
            let next = timing.schedule.next();
            if !timing.is_running && first.is_none_or(|(earliest, _)| next < earliest) {
                first = Some((next, slot));
            }
        }
        let (_, slot) = first?;
        let mut timing = lock(&slot.timing);
        let due = timing.schedule.take_due(now)?;
        timing.is_running = true;
        Some((Arc::clone(slot), due, Arc::clone(&loaded.config)))
    }

    /// One evaluation: step, commit, hand on, in this order.
    fn evaluate(&self, slot: &Slot, due: Due, config: &Config) {
        let mut group = lock(&slot.group);
        if slot.is_gone.load(Ordering::Acquire) {
            return;
        }
        let report = group.step(due.at, &self.evaluator(config));
        self.commit(&mut group, due.at);
        self.hand_on(&mut group, due.at, config);
        self.metrics.shared_reused.add(report.reused);
        self.metrics.shared_refused.add(report.refused);
        slot.metrics.note(&group, report, due.at, due.missed);
        self.metrics.group_seconds.observe(group.evaluation_seconds);
        for rule in &group.rules {
            self.metrics.rule_seconds.observe(rule.evaluation_seconds);
        }
        let view = Arc::new(GroupView::of(&group));
        *slot.view.write().unwrap_or_else(PoisonError::into_inner) = view;
    }

    /// Writes down what must survive. Where that fails (a full disk) alerts still leave: that is when
    /// they are needed most, and the next evaluation tries again.
    fn commit(&self, group: &mut Group, at: Timestamp) {
        let rows = group.rows(at);
        if rows.is_empty() {
            return;
        }
        let state = &self.parts.state;
        match state.transaction(|tx| rows::write(tx, &group.key, &rows)) {
            Ok(()) => group.committed(at),
            Err(error) => {
                let error: StateError = error;
                self.metrics.commit_failures.increment();
                tracing::error!(group = group.key.label(), %error, "alert state is not written down");
            }
        }
    }

    fn hand_on(&self, group: &mut Group, at: Timestamp, config: &Config) {
        let alerts = group.outgoing(at, config);
        if alerts.is_empty() {
            return;
        }
        let count = u64::try_from(alerts.len()).unwrap_or_default();
        match self.parts.alerts.try_send(alerts) {
            Ok(()) => self.metrics.alerts_sent.add(count),
            Err(_) => {
                self.metrics.alerts_refused.add(count);
                group.take_back(at);
            }
        }
    }

    /// Ends the series of groups that are gone, once their time has come.
    fn end_retired(&self, now: Timestamp) {
        let mut loaded = lock(&self.loaded);
        if loaded.retired.iter().all(|retired| retired.is_waiting(now)) {
            return;
        }
        let evaluator = self.evaluator(&loaded.config);
        let mut written: BTreeSet<Labels> = BTreeSet::new();
        for slot in loaded.slots.values() {
            written.extend(lock(&slot.group).series().cloned());
        }
        loaded
            .retired
            .retain(|retired| retired.is_waiting(now) || !retired.end(&written, &evaluator));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
