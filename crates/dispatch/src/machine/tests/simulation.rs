//! Random life with crashes, and writes that fail, at every point where something is written or sent.

mod year;

use super::{START_MS, alert, parse, shown};
use crate::alert::PostedAlert;
use crate::config::Config;
use crate::machine::{Input, Kept, Machine, Step};
use crate::notice::{FailureReason, Notice, Outcome};
use crate::rows::{self, MIGRATION};
use model::Timestamp;
use runtime::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
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

/// The machine is asked at least so often.
const IDLE_MS_MAX: i64 = 30 * 60_000;

/// How often things go wrong: one in so many.
#[derive(Clone, Copy)]
struct Odds {
    failed_write: u64,
    crash_at_write: u64,
    crash_before_attempt: u64,
    failed_attempt: u64,
    crash_after_attempt: u64,
}

/// Much goes wrong.
const ROUGH: Odds = Odds {
    failed_write: 6,
    crash_at_write: 12,
    crash_before_attempt: 10,
    failed_attempt: 4,
    crash_after_attempt: 8,
};

/// Nothing goes wrong.
const SMOOTH: Odds = Odds {
    failed_write: 0,
    crash_at_write: 0,
    crash_before_attempt: 0,
    failed_attempt: 0,
    crash_after_attempt: 0,
};

/// What survives a crash, and what receivers saw.
struct Host {
    seed: u64,
    config: Arc<Config>,
    odds: Odds,
    random: Random,
    state: State,
    now: Timestamp,
    machine: Machine,
    /// Attempts that are being made.
    under_way: BTreeMap<String, Timestamp>,
    /// What follows from a machine that was made anew.
    owed: Step,
    /// By how much the clock was set that the rows do not know of yet.
    set_by_ms: i64,
    /// How often each notification arrived.
    arrivals: BTreeMap<String, (usize, String)>,
    /// Notifications that were sent while a crash kept us from noting it.
    unnoted: BTreeMap<String, usize>,
    /// Every notification that was ever stored and not given up.
    promised: BTreeSet<String>,
    /// For whom and when notifications were made.
    made: Vec<(String, Timestamp)>,
    crashes: usize,
}

impl Host {
    fn new(seed: u64, config: &str) -> Self {
        let config = parse(config);
        let state = State::in_memory().expect("database");
        state.migrate(MIGRATION).expect("tables");
        Self {
            seed,
            random: Random::from_seed(seed),
            state,
            now: Timestamp::from_millis(START_MS),
            machine: Machine::new(Arc::clone(&config)),
            under_way: BTreeMap::new(),
            owed: Step::default(),
            set_by_ms: 0,
            config,
            odds: ROUGH,
            arrivals: BTreeMap::new(),
            unnoted: BTreeMap::new(),
            promised: BTreeSet::new(),
            made: Vec::new(),
            crashes: 0,
        }
    }

    fn chance(&mut self, one_in: u64) -> bool {
        one_in > 0 && self.random.below(one_in) == 0
    }

    /// One input, again as long as its rows are not taken, with a possible crash before and after they are
    /// stored; answers whether it was stored.
    fn step(&mut self, input: &Input) -> bool {
        let step = loop {
            let mut step = std::mem::take(&mut self.owed);
            step.absorb(self.machine.step(self.now, input.clone()));
            if !self.chance(self.odds.failed_write) {
                break step;
            }
            self.remake(step);
        };
        if self.chance(self.odds.crash_at_write) {
            self.crash();
            return false;
        }
        rows::commit(&self.state, &step.rows).expect("commit");
        for id in &step.ended {
            self.under_way.remove(id);
        }
        for row in &step.rows {
            match row {
                rows::Row::PutNotice(notice) if self.promised.insert(notice.id.clone()) => {
                    let receiver = notice.target.receiver.clone();
                    self.made.push((receiver, notice.created_at));
                }
                rows::Row::DeleteNotice(id) if !self.arrivals.contains_key(id) => {
                    // Given up or superseded: the group will be looked at again.
                    self.promised.remove(id);
                }
                _ => {}
            }
        }
        if self.chance(self.odds.crash_at_write) {
            self.crash();
        }
        true
    }

    /// The database did not take a step: the machine is made anew, attempts go on.
    fn remake(&mut self, lost: Step) {
        let now = self.now.plus_millis(-self.set_by_ms);
        let mut restored = rows::load(&self.state, Timestamp::MIN).expect("rows");
        restored.kept = Some(Kept {
            under_way: self.under_way.clone(),
            told: self.machine.take_told(lost.before),
        });
        (self.machine, self.owed) = Machine::restore(now, Arc::clone(&self.config), restored);
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.owed = Step::default();
        self.under_way.clear();
        let restored = rows::load(&self.state, Timestamp::MIN).expect("rows");
        let (machine, step) = Machine::restore(self.now, Arc::clone(&self.config), restored);
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
            let started = due.iter().map(|notice| (notice.id.clone(), self.now));
            self.under_way.extend(started);
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
        if self.chance(self.odds.crash_before_attempt) {
            self.crash();
            return;
        }
        let id = notice.id.clone();
        if self.chance(self.odds.failed_attempt) {
            let outcome = Outcome::Retry {
                error: "reset".to_owned(),
                reason: FailureReason::Other,
                after_ms: None,
            };
            self.step(&Input::Delivered(id, outcome));
            return;
        }
        let arrival = self.arrivals.entry(id.clone());
        arrival.or_insert_with(|| (0, shown(notice))).0 += 1;
        let noted = !self.chance(self.odds.crash_after_attempt)
            && self.step(&Input::Delivered(
                id.clone(),
                Outcome::Delivered(Vec::new()),
            ));
        if !noted {
            *self.unnoted.entry(id).or_default() += 1;
            self.crash();
        }
    }

    /// When something is to be done next. What is only tidied up can wait: a year has many minutes.
    fn next_moment(&self) -> Timestamp {
        let machine = &self.machine;
        let moments = [
            machine.groups.next_moment(),
            machine.outbox.next_moment(),
            machine.alerts.next_end(),
        ];
        let idle = self.now.plus_millis(IDLE_MS_MAX);
        moments
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(idle)
            .min(idle)
    }

    fn run_until(&mut self, moment: Timestamp) {
        loop {
            self.deliver();
            let next = self.next_moment();
            if next > moment {
                break;
            }
            self.now = self.now.max(next);
            self.step(&Input::Tick);
        }
        self.now = moment;
    }
}

fn live(seed: u64) -> usize {
    let mut host = Host::new(seed, CONFIG);
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
        while !host.step(&Input::Put(vec![posted.clone()])) {}
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
    // What every receiver was told last is how things are, but for ends that are held back.
    let restored = rows::load(&host.state, Timestamp::MIN).expect("rows");
    let mut known: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for (_, target, entry) in &restored.log {
        known.entry(target.to_string()).or_default().extend(
            entry
                .firing
                .iter()
                .filter(|one| !host.machine.is_held(**one)),
        );
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
    let firing = || {
        let steady = |(job, one): &&(u64, u64)| !host.machine.is_held(fingerprint(*job, *one));
        firing.iter().filter(steady)
    };
    let all: BTreeSet<u64> = firing().map(|(j, i)| fingerprint(*j, *i)).collect();
    let of_b = firing().filter(|(job, _)| *job == 2);
    let of_b: BTreeSet<u64> = of_b.map(|(j, i)| fingerprint(*j, *i)).collect();
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
