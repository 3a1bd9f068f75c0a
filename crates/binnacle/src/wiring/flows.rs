//! The queues between detection and response, each read by a thread of its own.

use super::Ground;
use crate::setup::Setup;
use anyhow::Context as _;
use collect::alertmanagers::Notifier;
use dispatch::{Dispatch, Parts, PostedAlert, Surroundings, Told};
use incidents::{Incidents, Notification};
use model::{Alert, Labels, RoutedAlert, Timestamp};
use rules::RuleEngine;
use runtime::Shutdown;
use runtime::queue::{Received, Receiver, Sender, bounded};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Batches of alerts that wait at most: rules try a batch again that finds no room.
const ALERT_BATCHES_MAX: usize = 1000;
/// News that wait at most: dispatch waits for room, since an incident must not be missed.
const NEWS_MAX: usize = 50_000;
/// Incidents are looked at so often even where nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// News that go into one transaction.
const NEWS_BATCH: usize = 2_000;

/// Failures remembered at most.
const FAILURES_MAX: usize = 10_000;

const REFUSED: &str = "binnacle_wiring_refused_total";
const REFUSED_HELP: &str = "Messages between parts that found their queue full.";

/// What dispatch is told to run: the file's configuration, or the built-in one that tells nobody.
pub(super) fn dispatch_config(setup: &Setup) -> Arc<dispatch::config::Config> {
    match &setup.alertmanager {
        Some(alertmanager) => Arc::new(alertmanager.config.clone()),
        None => Arc::new(dispatch::config::Config {
            own: setup.settings.notifications.clone(),
            ..dispatch::config::Config::built_in()
        }),
    }
}

/// Starts dispatch and the thread that carries routed alerts to incidents.
pub(super) fn dispatch(
    ground: &Ground,
    setup: &Setup,
    incidents: Arc<Incidents>,
) -> anyhow::Result<(Arc<Dispatch>, Vec<JoinHandle<()>>)> {
    let refused = ground
        .registry
        .counter(REFUSED, REFUSED_HELP, &[("queue", "routed")]);
    let (sender, receiver) = bounded(NEWS_MAX, refused);
    let told_sender = sender.clone();
    let parts = Parts {
        state: ground.state.clone(),
        clock: Arc::clone(&ground.clock),
        registry: ground.registry.clone(),
        external_url: ground.flags.external_url.clone(),
        // The reader only ends with the process; what it cannot take any more is in dispatch's rows.
        listener: Box::new(move |routed| drop(sender.send(News::Routed(routed)))),
        told: Box::new(move |told| drop(told_sender.send(News::Told(told)))),
    };
    let (clock, shutdown) = (Arc::clone(&ground.clock), ground.shutdown.clone());
    let follower = runtime::thread::spawn("incidents", move || {
        follow(&receiver, &incidents, (&|| clock.now(), &shutdown));
    })?;
    let config = dispatch_config(setup);
    let (dispatch, thread, problems) =
        Dispatch::start(parts, &config, ground.shutdown.clone()).context("dispatch")?;
    for problem in problems {
        tracing::error!("template: {problem}");
    }
    Ok((Arc::new(dispatch), vec![thread, follower]))
}

/// What incidents hear from dispatch.
enum News {
    Routed(RoutedAlert),
    Told(Told),
}

/// Hands news to incidents until the end, when nothing is left to hand on.
fn follow(
    queue: &Receiver<News>,
    incidents: &Incidents,
    (now, shutdown): (&dyn Fn() -> Timestamp, &Shutdown),
) {
    let mut failures = Failures::default();
    loop {
        let done = match queue.receive(TICK) {
            Received::Closed => return,
            Received::Nothing if shutdown.is_triggered() => return,
            Received::Nothing => incidents.tick(now()),
            Received::Item(first) => {
                let more = std::iter::from_fn(|| queue.try_receive()).take(NEWS_BATCH - 1);
                hand_on(
                    std::iter::once(first).chain(more),
                    (incidents, &mut failures),
                    now(),
                )
            }
        };
        if let Err(error) = done {
            tracing::error!(%error, "incidents could not be stored");
        }
    }
}

fn hand_on(
    news: impl Iterator<Item = News>,
    (incidents, failures): (&Incidents, &mut Failures),
    now: Timestamp,
) -> Result<(), incidents::Error> {
    let (mut routed, mut notifications) = (Vec::new(), Vec::new());
    for one in news {
        match one {
            News::Routed(alert) => routed.push(alert),
            News::Told(told) => notifications.extend(failures.news_of(told)),
        }
    }
    incidents.observe(now, &routed)?;
    incidents.notified(now, &notifications)?;
    incidents.tick(now)
}

/// How attempts failed last, so that a receiver that stays dead is one line in a timeline and not one a second.
#[derive(Default)]
struct Failures {
    last: BTreeMap<(String, Vec<Labels>), String>,
}

impl Failures {
    /// What a timeline should say of an attempt: nothing where it failed as the one before.
    fn news_of(&mut self, told: Told) -> Option<Notification> {
        let key = (told.target.clone(), told.alerts.clone());
        match &told.failure {
            Some(failure) if self.last.get(&key) == Some(failure) => return None,
            Some(failure) => {
                if self.last.len() == FAILURES_MAX {
                    self.last.clear();
                }
                self.last.insert(key, failure.clone());
            }
            None => drop(self.last.remove(&key)),
        }
        let Told {
            target,
            alerts,
            failure,
        } = told;
        Some(Notification {
            receiver: target,
            alerts,
            failure,
        })
    }
}

/// What sends alerts to the Alertmanagers that a configuration names.
pub(super) fn notifier(ground: &Ground) -> Notifier {
    let (flags, stand_ins) = (Arc::clone(&ground.flags), ground.stand_ins.clone());
    let settings = &ground.flags.notifications;
    Notifier::new(collect::alertmanagers::Surroundings {
        clock: Arc::clone(&ground.clock),
        registry: ground.registry.clone(),
        runtime: ground.sockets.clone(),
        is_own: Arc::new(move |address| flags.notifications.is_own(address)),
        stands_in: Arc::new(move |address| stand_ins.stand_in(address).is_some()),
        queue_alerts_max: settings.queue_alerts_max,
        batch_alerts_max: settings.batch_alerts_max,
        drains: settings.drains,
    })
}

/// Makes the queue from rules to dispatch and to other Alertmanagers, and starts its reader.
pub(super) fn rules_to_dispatch(
    ground: &Ground,
    dispatch: &Arc<Dispatch>,
    notifier: &Arc<Notifier>,
) -> anyhow::Result<(Sender<Vec<Alert>>, JoinHandle<()>)> {
    let refused = ground
        .registry
        .counter(REFUSED, REFUSED_HELP, &[("queue", "alerts")]);
    let (sender, receiver) = bounded::<Vec<Alert>>(ALERT_BATCHES_MAX, refused);
    let shutdown = ground.shutdown.clone();
    let (dispatch, notifier) = (Arc::clone(dispatch), Arc::clone(notifier));
    let reader = runtime::thread::spawn("alerts", move || {
        while !shutdown.is_triggered() {
            match receiver.receive(TICK) {
                Received::Item(alerts) => {
                    if !alerts.is_empty() {
                        notifier.send(&alerts);
                    }
                    put(&dispatch, alerts);
                }
                Received::Nothing => {}
                Received::Closed => return,
            }
        }
    })?;
    Ok((sender, reader))
}

/// Starts the thread that watches whether alerts get through. Its probe is an empty batch that takes the same
/// way as the alerts of rules.
pub(super) fn watch(
    ground: &Ground,
    dispatch: &Dispatch,
    (rules, alerts): (Arc<RuleEngine>, Sender<Vec<Alert>>),
) -> std::io::Result<JoinHandle<()>> {
    let surroundings = Surroundings {
        evaluates: Box::new(move |now| rules.is_on_time(now)),
        // Where there is no room the probe is lost, and its absence is the sign.
        probe: Box::new(move || drop(alerts.try_send(Vec::new()))),
    };
    dispatch.watch(surroundings, ground.shutdown.clone())
}

fn put(dispatch: &Dispatch, alerts: Vec<Alert>) {
    // An empty batch is a probe: see `watch`.
    let is_probe = alerts.is_empty();
    let posted = alerts.into_iter().map(PostedAlert::from).collect();
    if is_probe {
        if let Err(error) = dispatch.probed() {
            tracing::error!(%error, "alerts would not be stored");
        }
        return;
    }
    if let Err(error) = dispatch.put(posted) {
        tracing::error!(%error, "alerts could not be taken");
    }
}

#[cfg(test)]
mod tests {
    use super::{Failures, Told};
    use model::Labels;

    #[test]
    fn a_receiver_that_stays_dead_is_one_line() {
        let mut failures = Failures::default();
        let mut check = |failure: Option<&str>, want: bool| {
            let told = Told {
                target: "team/webhook[0]".to_owned(),
                alerts: vec![Labels::from_pairs([("alertname", "Down")])],
                failure: failure.map(str::to_owned),
            };
            assert_eq!(failures.news_of(told).is_some(), want, "{failure:?}");
        };
        check(Some("refused"), true);
        check(Some("refused"), false);
        check(Some("timed out"), true);
        check(None, true);
        check(Some("timed out"), true);
    }
}
