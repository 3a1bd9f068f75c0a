//! Stories on a simulated clock: what happens, and every notification that must leave, with its moment.

mod own;
mod remade;
mod simulation;
mod stories;
mod troubles;

use super::{Input, Machine, Step};
use crate::alert::PostedAlert;
use crate::config::Config;
use crate::matchers;
use crate::notice::{FailureReason, Notice, Outcome};
use crate::rows::{self, MIGRATION};
use crate::silence::Silence;
use model::{RoutedAlert, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use storage::State;

/// Friday, 2026-11-20, 00:00 UTC.
const START_MS: i64 = 1_795_132_800_000;

fn parse(text: &str) -> Arc<Config> {
    match Config::parse(text, "alertmanager.yml") {
        Ok(config) => Arc::new(config),
        Err(problems) => panic!("{problems}"),
    }
}

/// Machine, rows and receivers together.
struct World {
    start: Timestamp,
    now: Timestamp,
    config: Arc<Config>,
    machine: Machine,
    state: State,
    /// Receivers that do not answer.
    down: BTreeSet<String>,
    /// Receivers that take a request and never answer.
    hanging: BTreeSet<String>,
    /// Requests that they took, with when the attempt is given up.
    hung: Vec<(Timestamp, String)>,
    /// Receivers that refuse everything.
    refusing: BTreeSet<String>,
    /// Receivers with a template that fails.
    broken: BTreeSet<String>,
    /// Every notification that arrived: moment, receiver, what it said.
    arrived: Vec<String>,
    /// What was told about alerts' routed states.
    routed: Vec<String>,
    /// Silences by the name a story gives them.
    silences: BTreeMap<String, String>,
}

impl World {
    fn new(config: &Arc<Config>, start: Timestamp) -> Self {
        let state = State::in_memory().expect("database");
        state.migrate(MIGRATION).expect("tables");
        Self {
            start,
            now: start,
            config: Arc::clone(config),
            machine: Machine::new(Arc::clone(config)),
            state,
            down: BTreeSet::new(),
            hanging: BTreeSet::new(),
            hung: Vec::new(),
            refusing: BTreeSet::new(),
            broken: BTreeSet::new(),
            arrived: Vec::new(),
            routed: Vec::new(),
            silences: BTreeMap::new(),
        }
    }

    fn clock(&self) -> String {
        model::format_duration(self.now.millis_since(self.start))
    }

    /// Takes an input, stores what follows, and lets the receivers answer.
    fn input(&mut self, input: Input) -> Step {
        let step = self.machine.step(self.now, input);
        self.follow(&step);
        step
    }

    fn follow(&mut self, step: &Step) {
        rows::commit(&self.state, &step.rows).expect("commit");
        for routed in &step.routed {
            let text = format!("{} {}", self.clock(), describe(routed));
            self.routed.push(text);
        }
        for notice in self.machine.start_due(self.now) {
            if self.hanging.contains(&notice.target.receiver) {
                let end = notice.deadline.max(self.now.plus_millis(1000));
                self.hung.push((end, notice.id));
                continue;
            }
            if self.broken.contains(&notice.target.receiver) {
                let error = "no such field".to_owned();
                self.input(Input::TemplateFailed(notice.id.clone(), error));
            }
            let outcome = if self.down.contains(&notice.target.receiver) {
                Outcome::Retry {
                    error: "connection refused".to_owned(),
                    reason: FailureReason::Other,
                    after_ms: None,
                }
            } else if self.refusing.contains(&notice.target.receiver) {
                Outcome::Failed {
                    error: "unexpected status code 400".to_owned(),
                    reason: FailureReason::ClientError,
                }
            } else {
                self.arrived
                    .push(format!("{} {}", self.clock(), shown(&notice)));
                Outcome::Delivered(Vec::new())
            };
            self.input(Input::Delivered(notice.id, outcome));
        }
    }

    /// Lets time pass, stopping wherever the machine has something to do.
    fn advance_to(&mut self, moment: Timestamp) {
        loop {
            let hung = self.hung.iter().map(|(end, _)| *end);
            let next = hung.fold(self.machine.next_moment(), Timestamp::min);
            if next > moment {
                break;
            }
            self.now = self.now.max(next);
            self.input(Input::Tick);
            self.time_out();
        }
        self.now = moment;
    }

    /// Gives up the attempts whose time is over.
    fn time_out(&mut self) {
        let now = self.now;
        let late: Vec<String> = self
            .hung
            .extract_if(.., |(end, _)| *end <= now)
            .map(|(_, id)| id)
            .collect();
        for id in late {
            let outcome = Outcome::Retry {
                error: "no answer within 300 s".to_owned(),
                reason: FailureReason::DeadlineExceeded,
                after_ms: None,
            };
            self.input(Input::Delivered(id, outcome));
        }
    }

    /// The process dies and comes back: only rows are left.
    fn restart(&mut self) {
        self.hung.clear();
        let limits = self.config.own.flapping.as_ref().expect("the default");
        let since = self.now.plus_millis(-limits.memory_ms());
        let restored = rows::load(&self.state, since).expect("rows");
        let (machine, step) = Machine::restore(self.now, Arc::clone(&self.config), restored);
        self.machine = machine;
        self.follow(&step);
        self.input(Input::Tick);
    }

    /// The clock is set; the story goes on counting from its beginning.
    fn set_clock(&mut self, by_ms: i64) {
        self.now = self.now.plus_millis(by_ms);
        self.start = self.start.plus_millis(by_ms);
        for (end, _) in &mut self.hung {
            *end = end.plus_millis(by_ms);
        }
        self.input(Input::ClockSet(by_ms));
    }

    fn reload(&mut self, config: &Arc<Config>) {
        self.config = Arc::clone(config);
        let step = self.machine.apply(self.now, Arc::clone(config));
        self.follow(&step);
        self.input(Input::Tick);
    }
}

/// `receiver: reason: a b; resolved c`
fn shown(notice: &Notice) -> String {
    let names = |resolved: bool| {
        let alerts = notice.alerts.iter().filter(|a| a.resolved == resolved);
        let names: Vec<String> = alerts
            .map(|a| {
                let instance = a.alert.labels.value("instance");
                format!("{}{instance}", a.alert.name())
            })
            .collect();
        names.join(" ")
    };
    let (firing, resolved) = (names(false), names(true));
    let resolved = match resolved.as_str() {
        "" => String::new(),
        names if firing.is_empty() => format!("resolved {names}"),
        names => format!("; resolved {names}"),
    };
    let receiver = &notice.target.receiver;
    format!("{receiver}: {}: {firing}{resolved}", notice.reason.text())
}

fn describe(routed: &RoutedAlert) -> String {
    let state = match (&routed.suppressed_by, routed.resolved) {
        (_, true) => "resolved".to_owned(),
        (Some(reason), false) => {
            let first: Vec<&str> = reason.split(' ').take(2).collect();
            format!("suppressed ({})", first.join(" "))
        }
        (None, false) => "firing".to_owned(),
    };
    format!("{} {state}", routed.alert.name())
}

/// An alert from `NAME label=value …`.
fn alert(words: &[&str]) -> PostedAlert {
    let (name, labels) = words.split_first().expect("a name");
    let pair = |word: &&str| {
        let (name, value) = word.split_once('=').expect("label=value");
        (name.to_owned(), value.to_owned())
    };
    let mut pairs: Vec<(String, String)> = labels.iter().map(pair).collect();
    pairs.push(("alertname".to_owned(), (*name).to_owned()));
    PostedAlert {
        labels: pairs,
        ..PostedAlert::default()
    }
}

/// Plays a story. Lines: `TIME action …` in order of time, `TIME want …` for every notification that leaves,
/// `TIME told …` for routed states (checked only if there is one). The last line is `TIME end`.
fn play(config: &str, other_config: &str, start: Timestamp, script: &str) {
    play_with(&parse(config), other_config, start, script);
}

fn play_with(config: &Arc<Config>, other_config: &str, start: Timestamp, script: &str) {
    let mut world = World::new(config, start);
    let (mut wanted, mut told) = (Vec::new(), Vec::new());
    for line in script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [time, verb, rest @ ..] = words.as_slice() else {
            panic!("{line}");
        };
        match *verb {
            "want" => wanted.push(format!("{time} {}", rest.join(" "))),
            "told" => told.push(format!("{time} {}", rest.join(" "))),
            _ => {
                let at = model::parse_duration(time).expect(line);
                world.advance_to(world.start.plus_millis(at));
                act(&mut world, verb, rest, other_config);
            }
        }
    }
    assert_eq!(in_order(world.arrived), in_order(wanted), "{script}");
    if !told.is_empty() {
        assert_eq!(in_order(world.routed), in_order(told), "{script}");
    }
}

/// Lines by their moment, then by their text: what happens in the same millisecond has no order.
fn in_order(mut lines: Vec<String>) -> String {
    lines.sort_by_key(|line| {
        let time = line.split(' ').next().expect("a moment");
        (model::parse_duration(time).expect("a moment"), line.clone())
    });
    lines.join("\n")
}

fn act(world: &mut World, verb: &str, words: &[&str], other_config: &str) {
    let now = world.now;
    match verb {
        "fire" => drop(world.input(Input::Put(vec![alert(words)]))),
        "fire-since" => {
            let (since, words) = words.split_first().expect("since");
            let millis = model::parse_duration(since).expect("duration");
            let alert = PostedAlert {
                starts_at: Some(now.plus_millis(-millis)),
                ..alert(words)
            };
            world.input(Input::Put(vec![alert]));
        }
        "resolve" => {
            let alert = PostedAlert {
                ends_at: Some(now),
                ..alert(words)
            };
            world.input(Input::Put(vec![alert]));
        }
        "silence" => silence(world, words),
        "expire" => {
            let id = world.silences.get(words[0]).expect("known").clone();
            world.input(Input::ExpireSilence(id));
        }
        "down" => drop(world.down.insert(words[0].to_owned())),
        "up" => {
            world.down.remove(words[0]);
        }
        "hang" => drop(world.hanging.insert(words[0].to_owned())),
        "answer" => {
            world.hanging.remove(words[0]);
        }
        "break" => drop(world.broken.insert(words[0].to_owned())),
        "refuse" => drop(world.refusing.insert(words[0].to_owned())),
        "accept" => {
            world.refusing.remove(words[0]);
        }
        "clock" => {
            // Like `clock -1h`.
            let (sign, text) = words[0].split_at(1);
            let millis = model::parse_duration(text).expect("duration");
            world.set_clock(if sign == "-" { -millis } else { millis });
        }
        "restart" => world.restart(),
        "reload" => world.reload(&parse(other_config)),
        "end" => {}
        other => panic!("{other}"),
    }
}

/// `silence NAME for DURATION matchers`
fn silence(world: &mut World, words: &[&str]) {
    let [name, "for", duration, matchers] = words else {
        panic!("{words:?}");
    };
    let millis = model::parse_duration(duration).expect("duration");
    let silence = Silence {
        id: String::new(),
        matchers: matchers::parse_matchers(matchers).expect("matchers"),
        starts_at: world.now,
        ends_at: world.now.plus_millis(millis),
        updated_at: world.now,
        created_by: "me".to_owned(),
        comment: "quiet".to_owned(),
        annotations: BTreeMap::new(),
    };
    let id = format!("id-{name}");
    let step = world.input(Input::SetSilence(Box::new(silence), id.clone()));
    assert_eq!(step.silence, Some(Ok(id.clone())));
    world.silences.insert((*name).to_owned(), id);
}
