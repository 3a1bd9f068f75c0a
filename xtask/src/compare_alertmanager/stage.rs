//! A stage: scenarios that run at once on one pair of processes, ours and Alertmanager.

use super::bodies::{self, Sequences};
use super::scenario::{self, Action, Posted, Scenario, TURN_AT, Turn};
use crate::listener::Listener;
use crate::server::{self, Kind, Server};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long is waited after the last step: two looks at a group, and so that the end lies between two.
const AFTER_SECONDS: f64 = 8.0;
/// What links in notifications begin with.
const EXTERNAL_URL: &str = "http://alerts.test";

/// One of the two, and what its webhook was sent.
struct Side {
    kind: Kind,
    server: Server,
    listener: Listener,
    inbox: Arc<Mutex<Vec<String>>>,
    data: PathBuf,
    config: PathBuf,
    /// Ids of silences by the names of scenarios.
    silences: BTreeMap<String, String>,
}

/// Runs scenarios and gives the bodies that ours sent, and theirs.
pub(super) fn run(
    scenarios: &[Scenario],
    turn: Turn,
    folder: &Path,
) -> anyhow::Result<(Sequences, Sequences)> {
    let client = server::client();
    let mut sides = Vec::new();
    for kind in [Kind::Binnacle, Kind::Alertmanager] {
        sides.push(Side::start(kind, scenarios, folder)?);
    }
    for side in &sides {
        side.server.ready(&client)?;
    }
    play(&mut sides, scenarios, turn, &client)?;
    let mut sequences = sides.iter().map(|side| {
        side.listener.stop();
        bodies::sequences(&side.inbox.lock().unwrap_or_else(PoisonError::into_inner))
    });
    let mut next = || sequences.next().context("two sides")?;
    Ok((next()?, next()?))
}

/// The status that the first body of some scenarios is answered with.
fn refused_first(body: &str) -> Option<u16> {
    let known = [
        ("answers-500-first", 500),
        ("answers-429-first", 429),
        ("answers-400-first", 400),
    ];
    let found = known
        .iter()
        .find(|(name, _)| body.contains(&format!("\"scenario\":\"{name}\"")));
    found.map(|(_, status)| *status)
}

/// What happens at a moment.
enum Event {
    Action(Action),
    Turn,
}

fn play(
    sides: &mut [Side],
    scenarios: &[Scenario],
    turn: Turn,
    client: &ureq::Agent,
) -> anyhow::Result<()> {
    let mut events: Vec<(f64, Event)> = Vec::new();
    for scenario in scenarios {
        let steps = scenario::steps(scenario)?;
        events.extend(
            steps
                .into_iter()
                .map(|step| (step.at, Event::Action(step.action))),
        );
    }
    if turn != Turn::None {
        events.push((TURN_AT, Event::Turn));
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let begin_ms = crate::bench::now_ms()?;
    let mut firing = Firing::default();
    let mut last = 0.0;
    for (at, event) in events {
        wait_until(begin_ms, at)?;
        last = at;
        match event {
            Event::Action(action) => {
                firing.note(&action, at);
                for side in &mut *sides {
                    side.act(&action, client)?;
                }
            }
            Event::Turn => {
                for side in &mut *sides {
                    side.turn(turn, scenarios, client)?;
                    if turn == Turn::Restart {
                        firing.post_again(side, begin_ms, client)?;
                    }
                }
            }
        }
    }
    wait_until(begin_ms, last + AFTER_SECONDS)
}

/// What fires, and since which second: Prometheus posts it again and again.
#[derive(Default)]
struct Firing(Vec<(Posted, f64)>);

impl Firing {
    fn note(&mut self, action: &Action, at: f64) {
        if let Action::Post(alert) = action {
            let labels = alert.alert.get("labels");
            self.0
                .retain(|(known, _)| known.alert.get("labels") != labels);
            if alert.ends != Some(0.0) {
                self.0.push((alert.clone(), at));
            }
        }
    }

    fn post_again(&self, side: &Side, begin_ms: i64, client: &ureq::Agent) -> anyhow::Result<()> {
        for (alert, at) in &self.0 {
            let starts = Some(at + alert.starts.unwrap_or(0.0));
            let again = Posted {
                starts,
                ..alert.clone()
            };
            side.post("alerts", &again.body(begin_ms), client)?;
        }
        Ok(())
    }
}

fn wait_until(begin_ms: i64, seconds: f64) -> anyhow::Result<()> {
    let passed_ms = crate::bench::now_ms()? - begin_ms;
    let wanted = Duration::from_secs_f64(seconds);
    let passed = Duration::from_millis(u64::try_from(passed_ms).unwrap_or(0));
    std::thread::sleep(wanted.saturating_sub(passed));
    Ok(())
}

impl Side {
    fn start(kind: Kind, scenarios: &[Scenario], folder: &Path) -> anyhow::Result<Self> {
        let inbox: Arc<Mutex<Vec<String>>> = Arc::default();
        let received = Arc::clone(&inbox);
        let refused: Mutex<BTreeSet<u16>> = Mutex::default();
        let listener = Listener::start_replying(Arc::new(move |body: String| {
            let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(status) = refused_first(&body).filter(|status| refused.insert(*status)) {
                return (status, String::new());
            }
            let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
            received.push(body);
            (200, String::new())
        }))?;
        let place = folder.join(kind.name());
        let (data, config) = (place.join("data"), place.join("config/alertmanager.yml"));
        std::fs::create_dir_all(&data)?;
        std::fs::create_dir_all(place.join("config"))?;
        write(
            &config,
            &scenario::config(scenarios, &listener.address, false),
        )?;
        Ok(Self {
            server: launch(kind, &data, &config)?,
            kind,
            listener,
            inbox,
            data,
            config,
            silences: BTreeMap::new(),
        })
    }

    fn act(&mut self, action: &Action, client: &ureq::Agent) -> anyhow::Result<()> {
        let now_ms = crate::bench::now_ms()?;
        match action {
            Action::Post(alert) => {
                self.post("alerts", &alert.body(now_ms), client)?;
            }
            Action::Silence {
                key,
                matchers,
                starts,
                ends,
            } => {
                let body = json!({
                    "matchers": matchers,
                    "startsAt": scenario::rfc3339(now_ms, *starts),
                    "endsAt": scenario::rfc3339(now_ms, *ends),
                    "createdBy": "comparison",
                    "comment": key,
                });
                let answer = self.post("silences", &body, client)?;
                let answer: Value = serde_json::from_str(&answer)?;
                let id = answer
                    .get("silenceID")
                    .and_then(Value::as_str)
                    .context("an id")?;
                self.silences.insert(key.clone(), id.to_owned());
            }
            Action::Expire(key) => {
                let id = self.silences.get(key).context("a silence of this name")?;
                let url = format!("http://{}/api/v2/silence/{id}", self.server.address);
                let status = client.delete(&url).call()?.status().as_u16();
                anyhow::ensure!(
                    status == 200,
                    "{}: {url} answers {status}",
                    self.kind.name()
                );
            }
        }
        Ok(())
    }

    fn post(&self, what: &str, body: &Value, client: &ureq::Agent) -> anyhow::Result<String> {
        let url = format!("http://{}/api/v2/{what}", self.server.address);
        let request = client.post(&url).header("Content-Type", "application/json");
        let mut answer = request.send(body.to_string())?;
        let (status, text) = (
            answer.status().as_u16(),
            answer.body_mut().read_to_string()?,
        );
        if status != 200 {
            bail!("{}: {url} answers {status}: {text}", self.kind.name());
        }
        Ok(text)
    }

    fn turn(
        &mut self,
        turn: Turn,
        scenarios: &[Scenario],
        client: &ureq::Agent,
    ) -> anyhow::Result<()> {
        let text = match turn {
            Turn::BrokenReload => "route: {receiver: nobody-of-this-name}\n".to_owned(),
            _ => scenario::config(scenarios, &self.listener.address, true),
        };
        write(&self.config, &text)?;
        if turn == Turn::Restart {
            self.server.terminate()?;
            self.server = launch(self.kind, &self.data, &self.config)?;
            return self.server.ready(client);
        }
        let url = format!("http://{}/-/reload", self.server.address);
        let status = client.post(&url).send_empty()?.status().as_u16();
        let wanted = if turn == Turn::BrokenReload { 500 } else { 200 };
        anyhow::ensure!(
            status == wanted,
            "{}: {url} answers {status}",
            self.kind.name()
        );
        Ok(())
    }
}

fn launch(kind: Kind, data: &Path, config: &Path) -> anyhow::Result<Server> {
    let flag = match kind {
        Kind::Binnacle => format!("--external-url={EXTERNAL_URL}"),
        _ => format!("--web.external-url={EXTERNAL_URL}"),
    };
    Server::start_with(kind, data, Some(config), &[&flag])
}

#[expect(
    clippy::disallowed_methods,
    reason = "configuration for the programs under test"
)]
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| file.display().to_string())
}
