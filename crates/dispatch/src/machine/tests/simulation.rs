//! Random life with crashes at every point where something is written or sent.

use super::{START_MS, alert, parse, shown};
use crate::alert::PostedAlert;
use crate::machine::{Input, Machine};
use crate::notice::{FailureReason, Notice, Outcome};
use crate::rows::{self, MIGRATION};
use model::Timestamp;
use runtime::Random;
use std::collections::{BTreeMap, BTreeSet};
use storage::State;

const CONFIG: &str = "
global: {resolve_timeout: 1000h}
route:
  receiver: a
  group_by: [job]
  group_wait: 30s
  group_interval: 2m
  repeat_interval: 30m
  routes: [{receiver: b, matchers: ['to=b'], continue: true}, {receiver: a, matchers: ['to=b']}]
receivers:
  - {name: a, webhook_configs: [{url: 'http://a'}]}
  - {name: b, webhook_configs: [{url: 'http://b'}, {url: 'http://b2'}]}
";

/// What survives a crash, and what receivers saw.
struct Host {
    seed: u64,
    random: Random,
    state: State,
    now: Timestamp,
    machine: Machine,
    /// How often each notification arrived.
    arrivals: BTreeMap<String, (usize, String)>,
    /// Notifications that were sent while a crash kept us from noting it.
    unnoted: BTreeMap<String, usize>,
    /// Every notification that was ever stored and not given up.
    promised: BTreeSet<String>,
    crashes: usize,
}

impl Host {
    fn new(seed: u64) -> Self {
        let state = State::in_memory().expect("database");
        state.migrate(MIGRATION).expect("tables");
        Self {
            seed,
            random: Random::from_seed(seed),
            state,
            now: Timestamp::from_millis(START_MS),
            machine: Machine::new(parse(CONFIG)),
            arrivals: BTreeMap::new(),
            unnoted: BTreeMap::new(),
            promised: BTreeSet::new(),
            crashes: 0,
        }
    }

    fn chance(&mut self, one_in: u64) -> bool {
        self.random.below(one_in) == 0
    }

    /// One input with a possible crash before and after its rows are stored; answers whether it was stored.
    fn step(&mut self, input: Input) -> bool {
        let step = self.machine.step(self.now, input);
        if self.chance(12) {
            self.crash();
            return false;
        }
        rows::commit(&self.state, &step.rows).expect("commit");
        for row in &step.rows {
            match row {
                rows::Row::PutNotice(notice) => drop(self.promised.insert(notice.id.clone())),
                rows::Row::DeleteNotice(id) if !self.arrivals.contains_key(id) => {
                    // Given up or superseded: the group will be looked at again.
                    self.promised.remove(id);
                }
                _ => {}
            }
        }
        if self.chance(12) {
            self.crash();
        }
        true
    }

    fn crash(&mut self) {
        self.crashes += 1;
        let restored = rows::load(&self.state).expect("rows");
        let (machine, step) = Machine::restore(self.now, parse(CONFIG), restored);
        rows::commit(&self.state, &step.rows).expect("commit");
        self.machine = machine;
    }

    /// Makes the attempts that are due, with crashes around them.
    fn deliver(&mut self) {
        loop {
            let due: Vec<Notice> = self.machine.start_due(self.now);
            if due.is_empty() {
                return;
            }
            let crashes = self.crashes;
            for notice in due {
                if self.crashes != crashes {
                    break;
                }
                self.attempt(&notice);
            }
        }
    }

    fn attempt(&mut self, notice: &Notice) {
        if self.chance(10) {
            self.crash();
            return;
        }
        let id = notice.id.clone();
        if self.chance(4) {
            let outcome = Outcome::Retry {
                error: "reset".to_owned(),
                reason: FailureReason::Other,
                after_ms: None,
            };
            self.step(Input::Delivered(id, outcome));
            return;
        }
        let arrival = self.arrivals.entry(id.clone());
        arrival.or_insert_with(|| (0, shown(notice))).0 += 1;
        let noted = !self.chance(8)
            && self.step(Input::Delivered(id.clone(), Outcome::Delivered(Vec::new())));
        if !noted {
            *self.unnoted.entry(id).or_default() += 1;
            self.crash();
        }
    }

    fn run_until(&mut self, moment: Timestamp) {
        loop {
            self.deliver();
            let next = self.machine.next_moment();
            if next > moment {
                break;
            }
            self.now = self.now.max(next);
            self.step(Input::Tick);
        }
        self.now = moment;
    }
}

fn live(seed: u64) -> usize {
    let mut host = Host::new(seed);
    let mut firing: BTreeSet<(u64, u64)> = BTreeSet::new();
    for _ in 0..40 {
        let wait_ms = i64::try_from(host.random.below(240_000)).expect("small");
        host.run_until(host.now.plus_millis(wait_ms));
        let (job, instance) = (host.random.below(3), host.random.below(3));
        let (job_label, instance_label) = (format!("job=j{job}"), format!("instance={instance}"));
        let mut words = vec!["A", job_label.as_str(), instance_label.as_str()];
        if job == 2 {
            words.push("to=b");
        }
        let ends = firing.contains(&(job, instance));
        let posted = PostedAlert {
            ends_at: ends.then_some(host.now),
            ..alert(&words)
        };
        // As a source does: until it is acknowledged.
        while !host.step(Input::Put(vec![posted.clone()])) {}
        if ends {
            firing.remove(&(job, instance));
        } else {
            firing.insert((job, instance));
        }
    }
    host.run_until(host.now.plus_millis(1_200_000));
    check(&host, &firing)
}

fn check(host: &Host, firing: &BTreeSet<(u64, u64)>) -> usize {
    let seed = host.seed;
    for id in &host.promised {
        assert!(
            host.arrivals.contains_key(id),
            "seed {seed}: {id} never arrived"
        );
    }
    for (id, (count, text)) in &host.arrivals {
        let excused = host.unnoted.get(id).copied().unwrap_or(0);
        assert!(
            *count <= 1 + excused,
            "seed {seed}: {text} arrived {count} times with {excused} crashes"
        );
    }
    // What every receiver was told last is how things are.
    let restored = rows::load(&host.state).expect("rows");
    let mut known: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for (_, target, entry) in &restored.log {
        known
            .entry(target.to_string())
            .or_default()
            .extend(&entry.firing);
    }
    let fingerprint = |job: u64, instance: u64| {
        let mut words = vec![
            "A".to_owned(),
            format!("job=j{job}"),
            format!("instance={instance}"),
        ];
        words.extend((job == 2).then(|| "to=b".to_owned()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        model::Labels::from_pairs(alert(&words).labels).fingerprint()
    };
    let all: BTreeSet<u64> = firing.iter().map(|(j, i)| fingerprint(*j, *i)).collect();
    let of_b: BTreeSet<u64> = firing
        .iter()
        .filter(|(job, _)| *job == 2)
        .map(|(j, i)| fingerprint(*j, *i))
        .collect();
    let told = |target: &str| known.get(target).cloned().unwrap_or_default();
    assert_eq!(told("a/webhook[0]"), all, "seed {seed}");
    assert_eq!(told("b/webhook[0]"), of_b, "seed {seed}");
    assert_eq!(told("b/webhook[1]"), of_b, "seed {seed}");
    host.crashes
}

#[test]
fn every_notification_arrives_whatever_crashes() {
    let crashes: usize = (0..40).map(live).sum();
    assert!(crashes > 400, "only {crashes} crashes");
}
