//! The state machine: alerts in, notifications out.
//!
//! [`Machine::step`] takes one input at one moment and answers the rows to store and what to tell others. It
//! does no I/O. The shell ([`crate::Dispatch`]) stores the rows in one transaction before anything leaves;
//! after a crash [`Machine::restore`] makes the same machine from rows.
//!
//! A group is looked at (flushed) `group_wait` after it began and then every `group_interval`. What its
//! receivers must be told is decided then, from the log of what they were told last, and becomes a row of the
//! outbox together with the group's next moment. Alerts that ended leave their group when everybody knows.

mod alerts;
mod clock;
mod deliveries;
pub mod explain;
mod failing;
mod flapping;
mod flush;
mod groups;
mod outbox;
mod recurring;
mod restore;
mod review;
mod step;
mod template_failure;
mod view;

pub use failing::{Failing, NOT_DELIVERED};
pub use outbox::IN_FLIGHT_MAX;
pub use recurring::{REMIND_BEFORE, SILENCE_ENDS};
pub use restore::{Kept, Recent, Restored};
pub use step::{Before, Counts, Step, Told};
pub use template_failure::TEMPLATE_FAILED;
pub use view::{
    AlertFilter, AlertState, AlertView, GroupFilter, GroupView, ReceiverView, UndeliveredView,
};

use crate::alert::{self, PostedAlert};
use crate::config::{Config, Integration};
use crate::inhibit::Inhibitor;
use crate::interval::TimeInterval;
use crate::notice::{LogEntry, Outcome, Target};
use crate::recurrence::Recurrence;
use crate::route::{Node, Router};
use crate::rows::Row;
use crate::silence::{Silence, Silences};
use alerts::Alerts;
use flapping::Flaps;
use groups::Groups;
use model::{Alert, Labels, RoutedAlert, Timestamp};
use outbox::Outbox;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Alerts in memory at most; further ones are refused and counted.
pub const ALERTS_MAX: usize = 100_000;
/// Groups at most.
pub const GROUPS_MAX: usize = 50_000;
/// Resolved alerts stay listed for restarts this long after they left their groups.
const RESOLVED_KEPT_MS: i64 = 15 * 60_000;
/// How often old history is dropped.
const TRIM_INTERVAL_MS: i64 = 3_600_000;
/// How often what is old is looked for.
const CLEANING_INTERVAL_MS: i64 = 60_000;

/// What happens to the machine.
#[derive(Clone, Debug)]
pub enum Input {
    /// A source describes alerts.
    Put(Vec<PostedAlert>),
    /// Someone makes or changes a silence; the text is the id for a new one.
    SetSilence(Box<Silence>, String),
    /// Someone makes or changes a silence that comes again; the text is the id for a new one.
    SetRecurrence(Box<Recurrence>, String),
    /// Someone ends a silence that comes again.
    RemoveRecurrence(String),
    /// Someone ends a silence.
    ExpireSilence(String),
    /// A template failed for a notification that is being attempted, so that a plain text is sent.
    TemplateFailed(String, String),
    /// An attempt to deliver ended.
    Delivered(String, Outcome),
    /// The clock was set forward by so many milliseconds, or back where there are fewer than none.
    ClockSet(i64),
    /// Someone asks whether alerts would get through to the database.
    Probe,
    /// Time passed.
    Tick,
}

/// Alerts that are told together.
#[derive(Clone, Debug)]
struct Group {
    node: Arc<Node>,
    labels: Labels,
    key: String,
    /// Fingerprints of its alerts.
    members: BTreeSet<u64>,
    /// When it is looked at next.
    next_flush: Timestamp,
    /// What must arrive before ended alerts may leave it.
    round: Option<Round>,
    /// Names of the times that mute it, as of the last look.
    muted_by: Vec<String>,
}

/// The notifications of one look at a group that are still on their way.
#[derive(Clone, Debug, Default)]
struct Round {
    /// Their ids.
    waiting: BTreeSet<String>,
    /// Whether nobody may leave when it is over: a notification was given up, or an older one was still being
    /// attempted.
    failed: bool,
    /// Whether the group is looked at again as soon as it is over.
    again: bool,
    /// Alerts that had ended, with the time of their last update.
    resolved: BTreeMap<u64, Timestamp>,
}

/// What is known of a group from before: from rows, or from another configuration.
#[derive(Clone, Debug, Default)]
pub struct Membership {
    /// When it is looked at next.
    pub next_flush: Timestamp,
    /// Fingerprints of its alerts.
    pub members: BTreeSet<u64>,
}

/// The machine. See the module's page.
pub struct Machine {
    config: Arc<Config>,
    nodes: BTreeMap<String, Arc<Node>>,
    router: Router,
    intervals: BTreeMap<String, Vec<TimeInterval>>,
    inhibitor: Inhibitor,
    silences: Silences,
    /// Silences that come again, and when their windows are looked at next.
    recurrences: BTreeMap<String, Recurrence>,
    next_recurrence: Timestamp,
    alerts: Alerts,
    groups: Groups,
    log: BTreeMap<(String, Target), LogEntry>,
    outbox: Outbox,
    /// How many notifications there were; makes their ids unique even where the clock was set back.
    sequence: u64,
    /// Integrations that cannot be told anything.
    failing: BTreeMap<Target, Failing>,
    /// When each integration took a notification last.
    arrived_at: BTreeMap<Target, Timestamp>,
    /// Alerts whose notification was given up, and nobody was told of them since.
    unheard: BTreeMap<u64, BTreeSet<Target>>,
    /// Whether the machine is being made from rows: then nothing is news.
    restoring: bool,
    /// Alerts that come and go.
    flaps: Flaps,
    /// What was last told about each alert's routed state.
    told: BTreeMap<u64, RoutedAlert>,
    /// Alerts whose routed state may be another now.
    stale: BTreeSet<u64>,
    /// When all alerts' routed states are looked at again.
    next_review: Timestamp,
    /// The named times that were on when they were looked at last.
    times_on: BTreeSet<String>,
    next_cleaning: Timestamp,
    next_trim: Timestamp,
}

impl Machine {
    /// Makes a machine that knows nothing.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        let router = Router::new(&config);
        Self {
            nodes: shared_nodes(&router, &config),
            router,
            intervals: config.time_intervals.clone(),
            inhibitor: Inhibitor::new(config.inhibit_rules.clone()),
            config,
            silences: Silences::default(),
            recurrences: BTreeMap::new(),
            next_recurrence: Timestamp::MIN,
            alerts: Alerts::default(),
            groups: Groups::default(),
            log: BTreeMap::new(),
            outbox: Outbox::default(),
            sequence: 0,
            failing: BTreeMap::new(),
            arrived_at: BTreeMap::new(),
            unheard: BTreeMap::new(),
            restoring: false,
            flaps: Flaps::default(),
            told: BTreeMap::new(),
            stale: BTreeSet::new(),
            next_review: Timestamp::MIN,
            times_on: BTreeSet::new(),
            next_cleaning: Timestamp::MIN,
            next_trim: Timestamp::MIN,
        }
    }

    /// The configuration in force.
    #[must_use]
    pub const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Takes one input at one moment.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        let mut step = Step::default();
        let is_answered = matches!(input, Input::Put(_));
        match input {
            Input::Put(alerts) => self.put(now, alerts, &mut step),
            Input::SetSilence(silence, id) => {
                let set = self.silences.set(*silence, id, now);
                step.silence = Some(set.map(|(id, changed)| {
                    step.rows.extend(changed.into_iter().map(Row::PutSilence));
                    id
                }));
                self.next_review = Timestamp::MIN;
            }
            Input::ExpireSilence(id) => {
                let expired = self.silences.expire(&id, now);
                step.silence = Some(expired.map(|changed| {
                    step.rows.extend(changed.map(Row::PutSilence));
                    id
                }));
                self.next_review = Timestamp::MIN;
            }
            Input::SetRecurrence(new, id) => {
                step.silence = Some(self.set_recurrence(now, (*new, id), &mut step));
            }
            Input::RemoveRecurrence(id) => {
                step.silence = Some(self.remove_recurrence(now, &id, &mut step));
            }
            Input::TemplateFailed(id, error) => {
                self.template_failed(now, &id, &error, &mut step);
            }
            Input::Delivered(id, outcome) => self.delivered(now, &id, outcome, &mut step),
            Input::ClockSet(by_ms) => self.clock_set(now, by_ms, &mut step),
            Input::Probe => step.rows.push(Row::PutProbe(now)),
            Input::Tick => {}
        }
        // Only who sent alerts hears what was wrong, and only with those.
        let refused = std::mem::take(&mut step.refused);
        self.look_around(now, &mut step);
        step.trouble.append(&mut step.refused);
        if is_answered {
            step.refused = refused;
        } else {
            step.trouble.extend(refused);
        }
        step
    }

    /// Does what is due at a moment.
    fn look_around(&mut self, now: Timestamp, step: &mut Step) {
        self.recur_due(now, step);
        self.flush_due(now, step);
        self.review_due(now, step);
        if now >= self.next_cleaning {
            self.clean(now, step);
        }
    }

    /// Puts another configuration in force. Alerts, silences, log and the moments of groups that go on stay.
    pub fn apply(&mut self, now: Timestamp, config: Arc<Config>) -> Step {
        let mut step = Step::default();
        self.router = Router::new(&config);
        self.nodes = shared_nodes(&self.router, &config);
        self.intervals.clone_from(&config.time_intervals);
        self.inhibitor = Inhibitor::new(config.inhibit_rules.clone());
        self.config = config;
        for (fingerprint, alert) in self.alerts.map() {
            self.inhibitor.add(*fingerprint, &alert.labels);
        }
        let before = std::mem::take(&mut self.groups);
        let known = before.iter().map(|(id, group)| {
            let members = group.members.clone();
            (
                id.clone(),
                Membership {
                    next_flush: group.next_flush,
                    members,
                },
            )
        });
        self.regroup(now, known.collect(), &mut step);
        for (id, group) in before.iter() {
            let round = group.round.clone();
            self.groups.change(id, |same| same.round = round);
        }
        self.drop_orphans(now, &mut step);
        self.clean_failing(now, &mut step);
        self.clean_unheard(now, &mut step);
        self.review_all(now, &mut step);
        step
    }

    /// The next moment at which something is to be done.
    #[must_use]
    pub fn next_moment(&self) -> Timestamp {
        [
            self.groups.next_moment(),
            self.outbox.next_moment(),
            self.alerts.next_end(),
            self.next_recurrence(),
            Some(self.next_review),
            Some(self.next_cleaning),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(Timestamp::MAX)
    }

    /// How late the group is that should have been looked at first.
    #[must_use]
    pub fn flush_late_ms(&self, now: Timestamp) -> i64 {
        self.groups
            .next_moment()
            .map_or(0, |moment| now.millis_since(moment).max(0))
    }

    fn put(&mut self, now: Timestamp, posted: Vec<PostedAlert>, step: &mut Step) {
        for alert in posted {
            match alert.complete(now, self.config.global.resolve_timeout_ms) {
                Ok(alert) => {
                    if alert.is_resolved_at(now) {
                        step.counts.received_resolved += 1;
                    } else {
                        step.counts.received_firing += 1;
                    }
                    self.store(now, alert, step);
                }
                Err(message) => {
                    step.counts.invalid += 1;
                    step.refused.push(message);
                }
            }
        }
    }

    /// Stores an alert and puts it into its groups.
    fn store(&mut self, now: Timestamp, new: Alert, step: &mut Step) {
        let fingerprint = new.labels.fingerprint();
        let known = self.alerts.get(fingerprint);
        if known.is_none() && self.alerts.len() >= ALERTS_MAX {
            step.counts.limited += 1;
            step.refused.push(format!(
                "more than {ALERTS_MAX} alerts, {} is not stored",
                new.name()
            ));
            return;
        }
        let was_firing = known.is_some_and(|known| !known.is_resolved_at(now));
        let alert = match known {
            Some(known) => alert::merge(known, new, now),
            None => new,
        };
        if was_firing == alert.is_resolved_at(now) && self.inhibitor.is_source(&alert.labels) {
            // Others may be inhibited from now on, or no longer.
            self.stale.extend(self.inhibitor.affected(&alert.labels));
        }
        self.inhibitor.add(fingerprint, &alert.labels);
        step.rows.push(Row::PutAlert(alert.clone()));
        self.alerts.insert(fingerprint, alert);
        self.group(now, fingerprint, step);
        self.review(now, fingerprint, step);
    }

    /// Puts an alert into the groups of all routes that take it.
    fn group(&mut self, now: Timestamp, fingerprint: u64, step: &mut Step) {
        let Some(alert) = self.alerts.get(fingerprint) else {
            return;
        };
        for node in self.routes_of(&alert.labels) {
            let labels = node.group_labels(&alert.labels);
            let id = node.group_id(&labels);
            let mut is_new = false;
            let join = |group: &mut Group| is_new = group.members.insert(fingerprint);
            if self.groups.change(&id, join) {
                if is_new {
                    step.rows.push(Row::PutMember(id, fingerprint));
                }
                continue;
            }
            if self.groups.len() >= GROUPS_MAX {
                step.counts.limited += 1;
                step.refused
                    .push(format!("more than {GROUPS_MAX} groups, {id} is not made"));
                continue;
            }
            let waited = alert.starts_at.plus_millis(node.group_wait_ms);
            let next_flush = if waited < now {
                now
            } else {
                now.plus_millis(node.group_wait_ms)
            };
            step.rows.push(Row::PutGroup(id.clone(), next_flush));
            step.rows.push(Row::PutMember(id.clone(), fingerprint));
            let group = Group {
                key: node.group_key(&labels),
                node,
                labels,
                members: BTreeSet::from([fingerprint]),
                next_flush,
                round: None,
                muted_by: Vec::new(),
            };
            self.groups.insert(id, group);
        }
    }

    /// Makes the groups anew from what was known of them. An alert that had ended and left its group does not
    /// come back.
    fn regroup(&mut self, now: Timestamp, known: BTreeMap<String, Membership>, step: &mut Step) {
        let was_member: BTreeSet<u64> = known
            .values()
            .flat_map(|group| group.members.iter().copied())
            .collect();
        let ended = |alerts: &Alerts, fingerprint: &u64| {
            alerts
                .get(*fingerprint)
                .is_none_or(|alert| alert.is_resolved_at(now))
        };
        let mut made = Step::default();
        let fingerprints: Vec<u64> = self.alerts.map().keys().copied().collect();
        for fingerprint in fingerprints {
            if was_member.contains(&fingerprint) || !ended(&self.alerts, &fingerprint) {
                self.group(now, fingerprint, &mut made);
            }
        }
        let mut groups = Groups::default();
        for (id, group) in self.groups.iter() {
            let mut group = group.clone();
            let none = BTreeSet::new();
            let before = known.get(id);
            if let Some(before) = before {
                // Not later than a group waits at all: the clock may have been set back meanwhile.
                let wait_ms = group.node.group_wait_ms.max(group.node.group_interval_ms);
                group.next_flush = before.next_flush.min(now.plus_millis(wait_ms));
                let stays = |f: &u64| before.members.contains(f) || !ended(&self.alerts, f);
                group.members.retain(stays);
            }
            step.rows.push(Row::PutGroup(id.clone(), group.next_flush));
            let members = before.map_or(&none, |before| &before.members);
            let came = group.members.difference(members);
            step.rows
                .extend(came.map(|f| Row::PutMember(id.clone(), *f)));
            let left = members.difference(&group.members);
            step.rows
                .extend(left.map(|f| Row::DeleteMember(id.clone(), *f)));
            groups.insert(id.clone(), group);
        }
        self.groups = groups;
        let gone = known.into_keys().filter(|id| !self.groups.contains(id));
        step.rows.extend(gone.map(Row::DeleteGroup));
    }

    /// The integrations of a receiver.
    fn integrations(&self, receiver: &str) -> &[Integration] {
        self.config
            .receiver(receiver)
            .map_or(&[][..], |receiver| receiver.integrations.as_slice())
    }

    /// Whether an integration is in the configuration.
    fn is_configured(&self, target: &Target) -> bool {
        let mut integrations = self.integrations(&target.receiver).iter();
        integrations.any(|one| one.is(target))
    }

    /// Forgets what is over: alerts that ended and left their groups, old silences and log entries.
    fn clean(&mut self, now: Timestamp, step: &mut Step) {
        self.next_cleaning = now.plus_millis(CLEANING_INTERVAL_MS);
        self.calm(now, step);
        if now >= self.next_trim {
            self.next_trim = now.plus_millis(TRIM_INTERVAL_MS);
            let kept_ms = self.config.own.history_retention_ms;
            step.rows.push(Row::TrimHistory(now.plus_millis(-kept_ms)));
        }
        let grouped: BTreeSet<u64> = self
            .groups
            .values()
            .flat_map(|group| group.members.iter().copied())
            .collect();
        let old = |(fingerprint, alert): (&u64, &Alert)| {
            let over = now.millis_since(alert.ends_at) > RESOLVED_KEPT_MS;
            (over && !grouped.contains(fingerprint)).then_some(*fingerprint)
        };
        let gone: Vec<u64> = self.alerts.map().iter().filter_map(old).collect();
        self.heard(gone.iter().copied(), step);
        for fingerprint in gone {
            if let Some(alert) = self.alerts.remove(fingerprint) {
                self.inhibitor.remove(fingerprint, &alert.labels);
                self.told.remove(&fingerprint);
                step.rows.push(Row::DeleteAlert(fingerprint));
            }
        }
        let silences = self.silences.forget_old(now);
        step.rows
            .extend(silences.into_iter().map(Row::DeleteSilence));
        let expired: Vec<_> = self
            .log
            .iter()
            .filter(|(_, entry)| entry.expires_at < now)
            .map(|(key, _)| key.clone())
            .collect();
        for key in expired {
            self.log.remove(&key);
            step.rows.push(Row::DeleteLog(key.0, key.1));
        }
        self.clean_failing(now, step);
    }
}

/// The routes of the tree, and one for each receiver that may stand in for others.
fn shared_nodes(router: &Router, config: &Config) -> BTreeMap<String, Arc<Node>> {
    let root = router.nodes().first();
    let names = config.receivers.iter().map(|receiver| &receiver.name);
    let stand_ins = names.filter_map(|name| Some(Node::stand_in(name, root?)));
    let nodes = router.nodes().iter().cloned().chain(stand_ins);
    nodes
        .map(|node| (node.id.clone(), Arc::new(node)))
        .collect()
}

#[cfg(test)]
mod tests;
