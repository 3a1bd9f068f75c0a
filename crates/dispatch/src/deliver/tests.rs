//! Servers on loopback that take what is sent to them apart, and answer as they are told.

mod http;
mod receivers;
mod servers;
mod smtp;
mod threads;

use super::{Deliverer, Event, Job, Report};
use crate::config::{Config, Integration};
use crate::notice::{Notice, Outcome};
use crate::template::Templates;
use model::Timestamp;
use runtime::queue::{Received, bounded};
use std::sync::Arc;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_millis(1_795_132_800_000);

/// Reads a configuration whose receiver is `team`.
fn config(receiver: &str, global: &str) -> Arc<Config> {
    let text = format!(
        "global: {{{global}}}\nroute: {{receiver: team}}\nreceivers:\n- name: team\n  {receiver}\n"
    );
    match Config::parse(&text, "a.yml") {
        Ok(config) => Arc::new(config),
        Err(problems) => panic!("{problems}\n{text}"),
    }
}

fn notice() -> Notice {
    let mut notice = crate::template::tests::notice();
    notice.target.receiver = "team".to_owned();
    notice.deadline = NOW.plus_millis(3000);
    notice
}

/// Makes one attempt with the first integration of the receiver.
fn attempt(config: &Arc<Config>, notice: Notice) -> Outcome {
    let deliverer = Deliverer::new().expect("threads");
    let job = job(config, notice);
    run(&deliverer, vec![job]).remove(0).outcome
}

/// What an attempt with the first integration of the receiver needs.
fn job(config: &Arc<Config>, notice: Notice) -> Job {
    let integration: Integration = config.receiver("team").expect("team").integrations[0].clone();
    let (templates, problems) = Templates::load(config, "http://am:9093");
    assert_eq!(problems, Vec::<String>::new());
    Job {
        notice: Notice {
            target: crate::notice::Target {
                kind: integration.kind.to_owned(),
                ..notice.target
            },
            ..notice
        },
        integration,
        templates: Arc::new(templates),
        now: NOW,
        template_error: Arc::default(),
    }
}

/// Makes attempts at once; answers how they ended, in that order.
fn run(deliverer: &Deliverer, jobs: Vec<Job>) -> Vec<Report> {
    let (sender, receiver) = bounded(64, runtime::metrics::Counter::default());
    let count = jobs.len();
    for job in jobs {
        deliverer.start(job, sender.clone());
    }
    let mut reports = Vec::new();
    while reports.len() < count {
        match receiver.receive(Duration::from_secs(20)) {
            Received::Item(Event::Ended(report)) => reports.push(report),
            other => panic!("{other:?}"),
        }
    }
    reports
}
