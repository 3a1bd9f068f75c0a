//! The dispatcher's thread: it waits for the machine's next moment and for the outcomes of deliveries.

use super::Shared;
use crate::deliver::{Event, Report};
use crate::machine::{Input, Step};
use crate::notice::Outcome;
use model::Timestamp;
use runtime::Shutdown;
use runtime::queue::{Received, Receiver};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The thread looks up at least so often, so that a clock that was set forward is noticed.
const NAP_MAX: Duration = Duration::from_secs(1);
/// How long an orderly end waits for attempts under way, and how often it looks.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(5);
const SHUTDOWN_NAP: Duration = Duration::from_millis(100);
/// How often gauges are set.
const CENSUS_INTERVAL_MS: i64 = 1000;
/// Outcomes whose rows are stored in one transaction at most.
const REPORTS_BATCH: usize = 128;

impl Shared {
    /// The thread: outcomes and moments, until the process ends.
    pub(super) fn run(&self, events: &Receiver<Event>, shutdown: &Shutdown) {
        let mut next_census = Timestamp::MIN;
        let mut reports = Vec::new();
        while !shutdown.is_triggered() {
            self.goes_round();
            let now = self.parts.clock.now();
            let due = self.lock().machine.next_moment() <= now;
            if due && let Err(error) = self.change(|core, now| core.machine.step(now, Input::Tick))
            {
                tracing::error!("notifications cannot be stored: {error}");
                // Not at once again: the disk needs time.
                if shutdown.wait(NAP_MAX) {
                    break;
                }
            }
            if now >= next_census {
                self.metrics.census(&self.lock().machine, now);
                next_census = now.plus_millis(CENSUS_INTERVAL_MS);
            }
            match events.receive(self.nap()) {
                Received::Item(first) => self.take(first, events, &mut reports),
                Received::Nothing => {}
                Received::Closed => return,
            }
            if !self.report(&mut reports) && shutdown.wait(NAP_MAX) {
                break;
            }
        }
        self.finish(events, reports);
    }

    /// Takes what came, with all that came after it: outcomes are stored together. `reports` may hold some that
    /// could not be stored before.
    fn take(&self, first: Event, events: &Receiver<Event>, reports: &mut Vec<Report>) {
        let mut next = Some(first);
        while let Some(event) = next {
            match event {
                Event::Ended(report) => {
                    self.metrics.attempt(&report);
                    log(&report);
                    reports.push(report);
                }
                Event::Wake => self.woken.store(false, Ordering::SeqCst),
            }
            next = (reports.len() < REPORTS_BATCH)
                .then(|| events.try_receive())
                .flatten();
        }
    }

    /// Waits for the attempts under way, so that an orderly end leaves nothing to be repeated. What takes
    /// longer is attempted again after the next start.
    fn finish(&self, events: &Receiver<Event>, mut reports: Vec<Report>) {
        self.closing.store(true, Ordering::SeqCst);
        let until = self.parts.clock.monotonic() + SHUTDOWN_PATIENCE;
        while self.lock().machine.in_flight() > 0 && self.parts.clock.monotonic() < until {
            match events.receive(SHUTDOWN_NAP) {
                Received::Item(event) => self.take(event, events, &mut reports),
                Received::Nothing => {}
                Received::Closed => return,
            }
            self.report(&mut reports);
        }
    }

    /// Time until the next moment.
    fn nap(&self) -> Duration {
        let now = self.parts.clock.now();
        let core = self.lock();
        if core.is_full() {
            // What is due waits for the end of an attempt.
            return NAP_MAX;
        }
        let left_ms = core.machine.next_moment().millis_since(now);
        Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)).min(NAP_MAX)
    }

    /// Has the machine take note of outcomes, with the alerts of ours that they call for. Those that could not
    /// be stored stay, to be tried again; answers whether there are none.
    fn report(&self, reports: &mut Vec<Report>) -> bool {
        if reports.is_empty() {
            return true;
        }
        let done = self.change(|core, now| {
            let mut all = Step::default();
            for report in &*reports {
                let id = &report.id;
                if let Some(error) = report.template_error.clone() {
                    let input = Input::TemplateFailed(id.clone(), error);
                    all.absorb(core.machine.step(now, input));
                }
                let input = Input::Delivered(id.clone(), report.outcome.clone());
                all.absorb(core.machine.step(now, input));
            }
            all
        });
        match done {
            Ok(_) => reports.clear(),
            Err(error) => {
                tracing::error!("the outcomes of notifications cannot be stored: {error}");
            }
        }
        reports.is_empty()
    }
}

fn log(report: &Report) {
    match &report.outcome {
        Outcome::Delivered(_) => {}
        Outcome::Retry { error, .. } => {
            let target = &report.target;
            tracing::warn!("{target}: notification failed, will be retried: {error}");
        }
        Outcome::Failed { error, .. } => {
            tracing::error!("{}: notification failed: {error}", report.target);
        }
    }
}
