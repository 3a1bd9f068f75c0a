//! Random days with crashes and full disks, held against a naive model.

use super::{LIMITS, MINUTE, routed, set_disk_full, time};
use crate::shell::{Filter, Incidents};
use crate::{AnnouncementKind, Limits, Status};
use runtime::{Random, Registry};
use std::collections::{BTreeMap, BTreeSet};
use storage::State;

const SEEDS: u64 = 30;
const STEPS: usize = 500;
/// Two hosts and two names: few enough to stay below the stories' limits.
const ALERTS: [&str; 4] = ["A host=a", "A host=a disk=1", "A host=b", "B host=a"];

fn open(state: &State, minute: i64) -> Incidents {
    let limits = Limits {
        open_max: 10,
        resolved_max: 1000,
        ..LIMITS
    };
    Incidents::open_with(state.clone(), &Registry::new(), time(minute), limits).expect("rows")
}

/// What should be true, told without ids, rows or restarts.
#[derive(Default)]
struct Naive {
    /// For each alert that fires and is known: when it began, and its incident's id.
    firing: BTreeMap<&'static str, (i64, u64)>,
    /// The same of those that ended.
    ended: BTreeMap<&'static str, (i64, u64)>,
    status: BTreeMap<u64, (Status, &'static str)>,
    /// Incidents that were resolved by hand.
    by_hand: BTreeSet<u64>,
    acknowledged: BTreeSet<u64>,
}

/// The part of an alert that its incident is found by.
fn group(alert: &'static str) -> &'static str {
    alert.split(" disk").next().expect("a first part")
}

impl Naive {
    fn fires(&mut self, alert: &'static str, started: i64) {
        if let Some((known, id)) = self.firing.get(alert).copied()
            && (self.status[&id].0 != Status::Resolved || started <= known)
        {
            self.firing.insert(alert, (started, id));
            return;
        }
        let open = self
            .status
            .iter()
            .find(|(_, (status, of))| *status != Status::Resolved && *of == group(alert));
        let fires_on = self
            .ended
            .remove(alert)
            .filter(|(known, _)| *known == started);
        let id = match (open, fires_on) {
            (_, Some((_, id))) if self.by_hand.contains(&id) => id,
            (Some((id, _)), _) => *id,
            (None, Some((_, id))) => {
                let is_acknowledged = self.acknowledged.contains(&id);
                let status = if is_acknowledged {
                    Status::Acknowledged
                } else {
                    Status::Open
                };
                self.status.insert(id, (status, group(alert)));
                id
            }
            (None, None) => {
                let id = u64::try_from(self.status.len()).expect("small") + 1;
                self.status.insert(id, (Status::Open, group(alert)));
                id
            }
        };
        self.firing.insert(alert, (started, id));
    }

    fn ends(&mut self, alert: &'static str) {
        let Some((started, id)) = self.firing.remove(alert) else {
            return;
        };
        self.ended.insert(alert, (started, id));
        if !self.firing.values().any(|(_, other)| *other == id) {
            self.set(id, Status::Resolved);
        }
    }

    fn set(&mut self, id: u64, status: Status) {
        if let Some(known) = self.status.get_mut(&id)
            && known.0 != Status::Resolved
        {
            known.0 = status;
        }
    }
}

/// Whoever fetches announcements: remembers each, confirms some.
#[derive(Default)]
struct Listener {
    heard: BTreeMap<u64, BTreeSet<&'static str>>,
}

impl Listener {
    fn listen(&mut self, incidents: &Incidents, confirms: bool) {
        let waiting = incidents.announcements(1000).expect("outbox");
        for (_, announcement) in &waiting {
            let heard = self.heard.entry(announcement.incident).or_default();
            assert!(
                announcement.kind == AnnouncementKind::Opened || heard.contains("opened"),
                "incident {} was heard of before it opened",
                announcement.incident
            );
            heard.insert(announcement.kind.name());
        }
        if let Some((last, _)) = waiting.last().filter(|_| confirms) {
            incidents.confirm_announcements(*last).expect("confirmed");
        }
    }
}

fn compare(incidents: &Incidents, naive: &Naive, context: &str) {
    let got: BTreeMap<u64, Status> = incidents
        .list(Filter::default())
        .iter()
        .map(|incident| (incident.id, incident.status))
        .collect();
    for (id, (status, _)) in &naive.status {
        let found = got.get(id);
        assert_eq!(found, Some(status), "{context}: incident {id}");
    }
    assert!(
        got.keys().all(|id| naive.status.contains_key(id)),
        "{context}"
    );
}

fn run(seed: u64) {
    let mut random = Random::from_seed(seed);
    let state = State::in_memory().expect("in memory");
    let mut incidents = open(&state, 0);
    let (mut naive, mut listener) = (Naive::default(), Listener::default());
    let mut started: BTreeMap<&str, i64> = BTreeMap::new();
    for step in 0..STEPS {
        let now = i64::try_from(step).expect("small");
        let context = format!("seed {seed} step {step}");
        let pick = usize::try_from(random.below(4)).expect("small");
        let (alert, id) = (ALERTS[pick], naive.status.len() as u64);
        match random.below(12) {
            // A full disk: the step is answered with an error and changes nothing.
            0 => {
                set_disk_full(&state, true);
                let alerts = [routed("Z host=z", now, now, false)];
                assert!(incidents.observe(time(now), &alerts).is_err(), "{context}");
                compare(&incidents, &naive, &context);
                set_disk_full(&state, false);
                incidents = open(&state, now);
            }
            1 => incidents = open(&state, now),
            2 if id > 0 => {
                if incidents.acknowledge(time(now), id, "ann").is_ok() {
                    naive.set(id, Status::Acknowledged);
                    naive.acknowledged.insert(id);
                }
            }
            3 if id > 0 => {
                if incidents.resolve(time(now), id, "ann").is_ok() {
                    naive.set(id, Status::Resolved);
                    naive.by_hand.insert(id);
                }
            }
            4 => listener.listen(&incidents, false),
            5 => listener.listen(&incidents, true),
            6..=8 => {
                // Half of the ends are reported wrongly: the alert fires on.
                let is_wrong = random.below(2) == 0;
                if let Some(start) = started.get(alert).copied() {
                    if !is_wrong {
                        started.remove(alert);
                    }
                    let end = [routed(alert, start, now, true)];
                    incidents.observe(time(now), &end).expect(&context);
                    naive.ends(alert);
                }
            }
            _ => {
                let start = *started.entry(alert).or_insert(now);
                let report = [routed(alert, start, now, false)];
                incidents.observe(time(now), &report).expect(&context);
                naive.fires(alert, start);
            }
        }
        compare(&incidents, &naive, &context);
    }
    let end = i64::try_from(STEPS).expect("small") + 10 * 24 * 3_600_000 / MINUTE;
    let incidents = open(&state, end);
    listener.listen(&incidents, true);
    all_was_heard(seed, &naive, &listener);
}

/// Every change of an incident was announced at least once.
fn all_was_heard(seed: u64, naive: &Naive, listener: &Listener) {
    for (id, (status, _)) in &naive.status {
        let heard = listener
            .heard
            .get(id)
            .expect("every incident was announced");
        assert!(heard.contains("opened"));
        let is_resolved = *status == Status::Resolved;
        assert!(
            heard.contains("resolved") || !is_resolved,
            "seed {seed} #{id}"
        );
        let was_resolved = heard.contains("resolved") && !is_resolved;
        assert!(
            heard.contains("reopened") || !was_resolved,
            "seed {seed} #{id}"
        );
    }
}

#[test]
fn agrees_with_a_naive_model_through_crashes_and_full_disks() {
    for seed in 0..SEEDS {
        run(seed);
    }
}
