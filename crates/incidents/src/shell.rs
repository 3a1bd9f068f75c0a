//! The state machine with its rows: what the rest of the program calls.

use crate::machine_input::{Announcement, Input, Notification, Output, Refusal};
use crate::{Details, Incident, Limits, Machine, Status, rows};
use model::{RoutedAlert, Timestamp};
use runtime::Registry;
use runtime::metrics::{Counter, Gauge};
use std::sync::{Mutex, MutexGuard, PoisonError};
use storage::{State, StateError};

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request does not fit the incident.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database said no; nothing was changed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Which incidents to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those that stand like this.
    pub status: Option<Status>,
    /// At most so many; all where absent.
    pub count_max: Option<usize>,
}

struct Inner {
    machine: Machine,
    /// Reports that could not be written yet, the last of each alert; tried again with the next.
    waiting: Vec<RoutedAlert>,
    /// Whether a transaction failed after the machine had moved on: it is rebuilt before its next step.
    is_ahead: bool,
}

/// All incidents. Shared by threads; every change is on disk when its call answers.
pub struct Incidents {
    state: State,
    limits: Limits,
    inner: Mutex<Inner>,
    open: Gauge,
    opened: Counter,
    refused: Counter,
    failed: Counter,
}

impl Incidents {
    /// Opens the incidents of a state database, as they were left.
    pub fn open(state: State, registry: &Registry, now: Timestamp) -> Result<Self, StateError> {
        Self::open_with(state, registry, now, Limits::default())
    }

    /// Opens the incidents with other limits.
    pub fn open_with(
        state: State,
        registry: &Registry,
        now: Timestamp,
        limits: Limits,
    ) -> Result<Self, StateError> {
        state.migrate(rows::MIGRATION)?;
        let machine = load(&state, limits, now)?;
        let metric = |name, help| registry.counter(name, help, &[]);
        let incidents = Self {
            limits,
            open: registry.gauge(
                "binnacle_incidents_open",
                "Incidents that are not resolved.",
                &[],
            ),
            opened: metric("binnacle_incidents_opened_total", "Incidents that opened."),
            refused: metric(
                "binnacle_incidents_alerts_refused_total",
                "Alerts that no incident took because a limit was reached.",
            ),
            failed: metric(
                "binnacle_incidents_transactions_failed_total",
                "Changes of incidents that the state database did not take.",
            ),
            inner: Mutex::new(Inner {
                machine,
                waiting: Vec::new(),
                is_ahead: false,
            }),
            state,
        };
        incidents
            .open
            .set_count(incidents.lock().machine.open_count());
        Ok(incidents)
    }

    /// Takes alerts in as routing reports them, in one transaction.
    ///
    /// Each change of an alert must be reported once, and every alert once after a start. Where this
    /// fails (a full disk), the reports are kept in memory and tried again with the next call of this
    /// or of `tick`.
    pub fn observe(&self, now: Timestamp, alerts: &[RoutedAlert]) -> Result<(), Error> {
        let mut inner = self.lock();
        for routed in alerts {
            let labels = &routed.alert.labels;
            inner
                .waiting
                .retain(|waiting| waiting.alert.labels != *labels);
            if inner.waiting.len() < self.limits.alerts_max {
                inner.waiting.push(routed.clone());
            } else {
                self.refused.increment();
            }
        }
        self.observe_waiting(&mut inner, now)
    }

    fn observe_waiting(&self, inner: &mut Inner, now: Timestamp) -> Result<(), Error> {
        if inner.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut inner.waiting);
        let result = self.step(inner, now, waiting.iter().map(Input::Alert));
        if result.is_err() {
            inner.waiting = waiting;
        }
        result
    }

    /// Writes notifications into the timelines of the incidents that they were about.
    pub fn notified(&self, now: Timestamp, notifications: &[Notification]) -> Result<(), Error> {
        let inputs = notifications.iter().map(Input::Notification);
        self.step(&mut self.lock(), now, inputs)
    }

    /// Lets time pass: alerts of before the start that nobody has reported since end, and what could
    /// not be written is tried again. To be called every few seconds.
    pub fn tick(&self, now: Timestamp) -> Result<(), Error> {
        let mut inner = self.lock();
        self.observe_waiting(&mut inner, now)?;
        self.step(&mut inner, now, [Input::Tick])
    }

    /// Someone takes an incident. Doing so twice changes nothing.
    pub fn acknowledge(&self, now: Timestamp, id: u64, who: &str) -> Result<Incident, Error> {
        self.step(&mut self.lock(), now, [Input::Acknowledge { id, who }])?;
        self.incident(id)
    }

    /// Someone declares an incident over. Alerts that still fire open another one only when they
    /// start anew.
    pub fn resolve(&self, now: Timestamp, id: u64, who: &str) -> Result<Incident, Error> {
        self.step(&mut self.lock(), now, [Input::Resolve { id, who }])?;
        self.incident(id)
    }

    /// Someone writes a note; also when the incident is over.
    pub fn add_note(
        &self,
        now: Timestamp,
        id: u64,
        who: &str,
        text: &str,
    ) -> Result<Incident, Error> {
        self.step(&mut self.lock(), now, [Input::Note { id, who, text }])?;
        self.incident(id)
    }

    /// The incidents that a filter lets through, the newest first.
    #[must_use]
    pub fn list(&self, filter: Filter) -> Vec<Incident> {
        let inner = self.lock();
        let wanted =
            |incident: &&Incident| filter.status.is_none_or(|status| incident.status == status);
        inner
            .machine
            .incidents()
            .values()
            .rev()
            .filter(wanted)
            .take(filter.count_max.unwrap_or(usize::MAX))
            .cloned()
            .collect()
    }

    /// One incident with alerts and timeline.
    pub fn get(&self, id: u64) -> Result<Details, Error> {
        let inner = self.lock();
        let incident = find(&inner.machine, id)?;
        let timeline = self.state.read(|db| rows::timeline(db, id))?;
        Ok(Details {
            incident,
            alerts: inner.machine.alerts_of(id),
            timeline,
        })
    }

    /// The oldest announcements that nobody has confirmed, each with its number.
    pub fn announcements(&self, count_max: usize) -> Result<Vec<(u64, Announcement)>, Error> {
        Ok(self.state.read(|db| rows::outbox(db, count_max))?)
    }

    /// Confirms announcements up to a number; they do not leave again.
    pub fn confirm_announcements(&self, up_to: u64) -> Result<(), Error> {
        Ok(self.state.transaction(|tx| rows::confirm(tx, up_to))?)
    }

    fn incident(&self, id: u64) -> Result<Incident, Error> {
        Ok(find(&self.lock().machine, id)?)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Steps the machine through inputs and commits what changes in one transaction.
    fn step<'a>(
        &self,
        inner: &mut Inner,
        now: Timestamp,
        inputs: impl IntoIterator<Item = Input<'a>>,
    ) -> Result<(), Error> {
        if inner.is_ahead {
            self.rebuild(inner, now)?;
        }
        let mut all = Output::default();
        for input in inputs {
            // Only a person's request is refused, and that comes alone.
            let output = inner.machine.step(now, input)?;
            all.rows.extend(output.rows);
            all.announcements.extend(output.announcements);
            all.refused_alerts += output.refused_alerts;
        }
        if !all.rows.is_empty() {
            let written: Result<(), StateError> =
                self.state.transaction(|tx| rows::write(tx, &all));
            if let Err(error) = written {
                self.failed.increment();
                inner.is_ahead = true;
                // Nobody may see what was not written. Reading works on a full disk; where it
                // does not, the next step tries again.
                self.rebuild(inner, now).unwrap_or_default();
                return Err(error.into());
            }
        }
        self.count(&all, inner.machine.open_count());
        Ok(())
    }

    fn rebuild(&self, inner: &mut Inner, now: Timestamp) -> Result<(), StateError> {
        let machine = load(&self.state, self.limits, now)?;
        inner.machine = machine.continuing(&inner.machine);
        inner.is_ahead = false;
        Ok(())
    }

    fn count(&self, output: &Output, open: usize) {
        let opened = output
            .announcements
            .iter()
            .filter(|a| a.kind == crate::AnnouncementKind::Opened)
            .count();
        self.open.set_count(open);
        self.opened.add(u64::try_from(opened).unwrap_or_default());
        self.refused
            .add(u64::try_from(output.refused_alerts).unwrap_or_default());
    }
}

fn find(machine: &Machine, id: u64) -> Result<Incident, Refusal> {
    machine
        .incidents()
        .get(&id)
        .cloned()
        .ok_or(Refusal::NotFound(id))
}

fn load(state: &State, limits: Limits, now: Timestamp) -> Result<Machine, StateError> {
    state.read(|db| {
        Ok(Machine::new(
            limits,
            now,
            rows::incidents(db)?,
            rows::alerts(db)?,
        ))
    })
}

#[cfg(test)]
mod tests;
