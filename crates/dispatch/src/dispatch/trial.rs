//! Trying a receiver: a message that says it is a test, sent now, past routing, grouping and silences.

use super::{Dispatch, Error};
use crate::deliver::{Event, Job};
use crate::notice::{Notice, NoticeAlert, Outcome, Reason, Target};
use model::{Alert, Labels, Timestamp};
use runtime::metrics::Counter;
use runtime::queue::{Received, bounded};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long an integration may take.
const PATIENCE_MS: i64 = 20_000;
/// How often it is looked whether one has answered.
const NAP: Duration = Duration::from_millis(200);
/// The name of the alert in a test.
const NAME: &str = "BinnacleTest";

/// How a test of one integration ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// As `webhook[0]`.
    pub integration: String,
    /// Whether the message was about the end of the alert.
    pub resolved: bool,
    /// What went wrong; nothing where the receiver has it.
    pub error: Option<String>,
    /// The template that failed, so that a plain text was sent.
    pub template_error: Option<String>,
    /// How long it took.
    pub took: Duration,
}

impl Dispatch {
    /// Sends a marked test to every integration of a receiver, and its end where `resolves` and the integration
    /// wants ends; waits for the answers. Nothing where there is no receiver of this name.
    ///
    /// Nothing of it is repeated, kept in the outbox or known to the log of what was told.
    pub fn try_receiver(&self, name: &str, resolves: bool) -> Result<Option<Vec<Trial>>, Error> {
        let (config, templates) = {
            let core = self.shared.lock();
            (
                Arc::clone(core.machine.config()),
                Arc::clone(&core.templates),
            )
        };
        let Some(receiver) = config.receiver(name) else {
            return Ok(None);
        };
        let mut trials = Vec::new();
        for resolved in [false, true] {
            for integration in &receiver.integrations {
                if resolved && !(resolves && integration.send_resolved) {
                    continue;
                }
                let target = integration.target(name);
                let now = self.now();
                let id = crate::uuid::random().map_err(Error::System)?;
                let job = Job {
                    notice: notice(now, target, (id, resolved)),
                    integration: integration.clone(),
                    templates: Arc::clone(&templates),
                    now,
                    template_error: Arc::default(),
                };
                trials.push(self.attempt(job, resolved));
            }
        }
        Ok(Some(trials))
    }

    fn attempt(&self, job: Job, resolved: bool) -> Trial {
        let (sender, receiver) = bounded(1, Counter::default());
        let target = job.notice.target.clone();
        let integration = target.integration();
        let clock = &self.shared.parts.clock;
        let started = clock.monotonic();
        let until = started + Duration::from_millis(PATIENCE_MS.unsigned_abs() * 2);
        self.shared.deliverer.start(job, sender);
        while clock.monotonic() < until {
            let report = match receiver.receive(NAP) {
                Received::Item(Event::Ended(report)) => report,
                Received::Item(Event::Wake) | Received::Nothing => continue,
                Received::Closed => break,
            };
            self.shared.metrics.attempt(&report);
            return Trial {
                integration,
                resolved,
                error: match report.outcome {
                    Outcome::Delivered(_) => None,
                    Outcome::Retry { error, .. } | Outcome::Failed { error, .. } => Some(error),
                },
                template_error: report.template_error,
                took: report.took,
            };
        }
        Trial {
            integration,
            resolved,
            error: Some("no answer in time".to_owned()),
            template_error: None,
            took: clock.monotonic().saturating_sub(started),
        }
    }
}

fn notice(now: Timestamp, target: Target, (id, resolved): (String, bool)) -> Notice {
    let labels = Labels::from_pairs([
        ("alertname", NAME),
        ("severity", "none"),
        ("receiver", target.receiver.as_str()),
    ]);
    let fingerprint = labels.fingerprint();
    let summary = format!(
        "TEST: this is only a test of the receiver {}",
        target.receiver
    );
    let text = "Sent by hand through Binnacle. Nothing is wrong and nothing needs to be done.";
    let alert = Alert {
        annotations: Labels::from_pairs([("summary", summary.as_str()), ("description", text)]),
        starts_at: now.plus_millis(-1000),
        ends_at: if resolved {
            now
        } else {
            now.plus_millis(PATIENCE_MS)
        },
        updated_at: now,
        ends_by_timeout: false,
        generator_url: String::new(),
        labels,
    };
    let (mut firing, mut ended) = (BTreeSet::new(), BTreeSet::new());
    let (reason, set) = if resolved {
        (Reason::AllResolved, &mut ended)
    } else {
        (Reason::FirstNotification, &mut firing)
    };
    set.insert(fingerprint);
    Notice {
        id,
        group_id: format!("test/{}", target.receiver),
        group_key: format!("{{}}/test:{{receiver={:?}}}", target.receiver),
        group_labels: alert.labels.only(&["alertname".to_owned()]),
        route_labels: Vec::new(),
        target,
        reason,
        alerts: vec![NoticeAlert { alert, resolved }],
        left_out: 0,
        firing,
        resolved: ended,
        created_at: now,
        deadline: now.plus_millis(PATIENCE_MS),
        repeat_interval_ms: 0,
        attempts: 0,
        failed_before: 0,
        next_attempt: now,
        memory: Vec::new(),
    }
}
