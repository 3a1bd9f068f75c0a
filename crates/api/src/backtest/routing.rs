//! Who would have been told how often: alerts through the routing's state machine, each notification delivered at once.

use dispatch::PostedAlert;
use dispatch::config::Config;
use dispatch::machine::{Input, Machine};
use dispatch::notice::Outcome;
use model::{Alert, Timestamp};
use rules::backtest::{Error, Watch};
use std::collections::BTreeMap;
use std::sync::Arc;

const HOUR_MS: i64 = 3_600_000;

/// Notifications of one integration of a receiver.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// All.
    pub(super) total: u64,
    /// Those of each hour that had any, by the hour's beginning.
    pub(super) by_hour: BTreeMap<Timestamp, u64>,
}

/// See the module's page.
pub(super) struct Routing {
    machine: Machine,
    now: Timestamp,
    /// By receiver and integration, as `oncall` and `slack[0]`.
    pub(super) told: BTreeMap<(String, String), Told>,
}

impl Routing {
    pub(super) fn new(config: Arc<Config>, start: Timestamp) -> Self {
        let mut told = BTreeMap::new();
        for receiver in &config.receivers {
            // A receiver that nobody reaches is shown with nothing.
            told.insert((receiver.name.clone(), String::new()), Told::default());
        }
        Self {
            machine: Machine::new(config),
            now: start,
            told,
        }
    }

    /// Takes alerts that leave the rules at a moment, after all that was due before it.
    pub(super) fn put(
        &mut self,
        at: Timestamp,
        alerts: Vec<Alert>,
        watch: &Watch<'_>,
    ) -> Result<(), Error> {
        self.advance(at, watch)?;
        let posted = alerts.into_iter().map(PostedAlert::from).collect();
        self.machine.step(at, Input::Put(posted));
        self.deliver(at);
        Ok(())
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, to: Timestamp, watch: &Watch<'_>) -> Result<(), Error> {
        loop {
            watch.check()?;
            let next = self.machine.next_moment();
            if next > to {
                break;
            }
            // A moment that has passed is looked at now, and the next one later.
            self.now = next.max(self.now.plus_millis(1));
            if self.now > to {
                break;
            }
            self.machine.step(self.now, Input::Tick);
            self.deliver(self.now);
        }
        self.now = self.now.max(to);
        Ok(())
    }

    fn deliver(&mut self, at: Timestamp) {
        loop {
            let due = self.machine.start_due(at);
            if due.is_empty() {
                return;
            }
            for notice in due {
                let target = &notice.target;
                let key = (target.receiver.clone(), target.integration());
                let told = self.told.entry(key).or_default();
                told.total += 1;
                let since_hour = at.millis().rem_euclid(HOUR_MS);
                let hour = at.plus_millis(-since_hour);
                *told.by_hour.entry(hour).or_default() += 1;
                let delivered = Outcome::Delivered(Vec::new());
                self.machine
                    .step(at, Input::Delivered(notice.id.clone(), delivered));
            }
        }
    }
}
