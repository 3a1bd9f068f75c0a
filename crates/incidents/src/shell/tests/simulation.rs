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
        ..LIMITS
    };
    Incidents::open_with(state.clone(), &Registry::new(), time(minute), limits).expect("rows")
}

/// What should be true, told without ids, rows or restarts.
#[derive(Default)]
struct Naive {
    /// For each alert that fires and is known: when it began, and its incident's id.
    firing: BTreeMap<&'static str, (i64, u64)>,
    status: BTreeMap<u64, (Status, &'static str)>,
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
        let id = match open {
            Some((id, _)) => *id,
            None => {
                let id = u64::try_from(self.status.len()).expect("small") + 1;
                self.status.insert(id, (Status::Open, group(alert)));
                id
            }
        };
        self.firing.insert(alert, (started, id));
    }

    fn ends(&mut self, alert: &'static str) {
        let Some((_, id)) = self.firing.remove(alert) else {
            return;
        };
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
        // Resolved ones beyond the limit are forgotten.
        let is_forgotten = *status == Status::Resolved && !got.contains_key(id);
        assert!(
            is_forgotten || got.get(id) == Some(status),
            "{context}: incident {id} is {:?}, not {status:?}",
            got.get(id)
        );
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
                set_disk_full(&state, false);
            }
            1 => incidents = open(&state, now),
            2 if id > 0 => {
                if incidents.acknowledge(time(now), id, "ann").is_ok() {
                    naive.set(id, Status::Acknowledged);
                }
            }
            3 if id > 0 => {
                if incidents.resolve(time(now), id, "ann").is_ok() {
                    naive.set(id, Status::Resolved);
                }
            }
            4 => listener.listen(&incidents, false),
            5 => listener.listen(&incidents, true),
            6..=8 => {
                if let Some(start) = started.remove(alert) {
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
    for (id, (status, _)) in &naive.status {
        let heard = listener
            .heard
            .get(id)
            .expect("every incident was announced");
        assert!(heard.contains("opened"));
        assert_eq!(
            heard.contains("resolved"),
            *status == Status::Resolved,
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
