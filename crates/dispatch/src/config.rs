//! Reads alertmanager.yml of Alertmanager 0.34, whole and strictly.
//!
//! Every mistake is reported at once with its place; the messages are upstream's. All 18 kinds of receivers
//! are read and checked; webhook, Slack and e-mail become settings that `deliver` uses, of the others only
//! kind and `send_resolved` are kept, since nothing sends to them yet. What is deliberately not here: reading
//! template or secret files, and anything that needs a clock.

mod email;
mod field;
mod global;
mod inhibit;
mod interval;
mod other;
mod receiver;
mod route;
mod slack;
mod tracing;
mod webhook;

pub use email::{Email, Threading, TlsMode};
pub use field::HostPort;
pub use global::Global;
pub use inhibit::InhibitRule;
pub use receiver::{Integration, Receiver, Settings};
pub use route::{GroupBy, Named, Route};
pub use slack::{Slack, SlackAction, SlackConfirmation, SlackField};
pub use webhook::Webhook;

use crate::interval::TimeInterval;
use config::decode;
use config::yaml::{self, Node, Position};
use config::{Fields, Problems};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A checked alertmanager.yml.
#[derive(Clone, Debug)]
pub struct Config {
    /// Defaults for receivers.
    pub global: Global,
    /// Patterns of template files, relative ones already joined with the file's directory.
    pub templates: Vec<PathBuf>,
    /// The root of the routing tree.
    pub route: Route,
    /// Which alerts mute which.
    pub inhibit_rules: Vec<InhibitRule>,
    /// Named times, from `time_intervals` and the older `mute_time_intervals`.
    pub time_intervals: BTreeMap<String, Vec<TimeInterval>>,
    /// Who is told, in the order of the file.
    pub receivers: Vec<Receiver>,
    /// The file's content as YAML without comments, secrets shown as `<secret>`.
    pub redacted: String,
}

impl Config {
    /// Reads the text of a file. `problems` carries the file's name for messages; relative paths in the
    /// file are taken relative to its directory.
    pub fn parse(text: &str, file: &str) -> Result<Self, Problems> {
        let mut problems = Problems::new(file);
        let config = yaml::parse_single(text, &mut problems)
            .and_then(|root| Self::read(&root, &mut problems));
        let mut config = problems.into_result(config)?;
        config.set_directory(Path::new(file).parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// What runs where there is no alertmanager.yml: one route that groups by `alertname` to a receiver
    /// named `none` that tells nobody.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            global: Global::default(),
            templates: Vec::new(),
            route: Route::built_in(),
            inhibit_rules: Vec::new(),
            time_intervals: BTreeMap::new(),
            receivers: vec![Receiver::built_in()],
            redacted:
                "route:\n  receiver: none\n  group_by: [alertname]\nreceivers:\n  - name: none\n"
                    .to_owned(),
        }
    }

    /// The receiver of this name.
    #[must_use]
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| receiver.name == name)
    }

    /// Receivers with integrations that are checked but that nothing sends to yet, and the kinds of those.
    #[must_use]
    pub fn not_active(&self) -> Vec<(&str, Vec<&'static str>)> {
        let kinds = |receiver: &Receiver| {
            let silent = receiver.integrations.iter().filter(|i| !i.is_active());
            let mut kinds: Vec<&'static str> = silent.map(|integration| integration.kind).collect();
            kinds.dedup();
            kinds
        };
        let all = self.receivers.iter().map(|r| (r.name.as_str(), kinds(r)));
        all.filter(|(_, kinds)| !kinds.is_empty()).collect()
    }

    fn read(root: &Node, problems: &mut Problems) -> Option<Self> {
        if root.is_null() {
            problems.add(root.position, "no route provided in config");
            return None;
        }
        let mut fields = Fields::of(root, "config.plain", problems)?;
        let global = fields.read("global", global::read).unwrap_or_default();
        let route = fields.read("route", route::read);
        let inhibit_rules = fields.read_list("inhibit_rules", inhibit::read);
        let mut read_receiver =
            |node: &Node, problems: &mut Problems| receiver::read(node, &global, problems);
        let receivers = fields.read_list("receivers", &mut read_receiver);
        let templates = fields.read_list("templates", decode::string);
        let mut time_intervals = BTreeMap::new();
        for (field, what) in [
            ("mute_time_intervals", "mute time interval"),
            ("time_intervals", "time interval"),
        ] {
            for (name, position, intervals) in
                fields.read_list(field, |node, problems| interval::read(node, what, problems))
            {
                if time_intervals.insert(name.clone(), intervals).is_some() {
                    let message = format!("{what} {name:?} is not unique");
                    fields.problems().add(position, message);
                }
            }
        }
        fields.read("tracing", tracing::read);
        fields.read("event_recorder", tracing::event_recorder);
        if !root.elements().is_empty()
            || route.is_none() && root.get("route").is_none_or(Node::is_null)
        {
            fields.wrong("no routes provided");
        }
        fields.finish();
        check_names(&receivers, problems);
        let route = route?;
        let names: Vec<&str> = receivers.iter().map(|r| r.name.as_str()).collect();
        route.check_root(problems);
        route.check_names(&names, &time_intervals, problems);
        Some(Self {
            global,
            templates: templates.into_iter().map(PathBuf::from).collect(),
            route,
            inhibit_rules,
            time_intervals,
            receivers,
            redacted: config::redact::print(root),
        })
    }

    fn set_directory(&mut self, directory: &Path) {
        for pattern in &mut self.templates {
            *pattern = directory.join(&*pattern);
        }
        for integration in self.receivers.iter_mut().flat_map(|r| &mut r.integrations) {
            match &mut integration.settings {
                Settings::Webhook(webhook) => webhook.http.set_directory(directory),
                Settings::Slack(slack) => slack.http.set_directory(directory),
                Settings::Email(email) => email.tls.set_directory(directory),
                Settings::NotActive => {}
            }
        }
    }
}

fn check_names(receivers: &[Receiver], problems: &mut Problems) {
    let mut seen: BTreeMap<&str, Position> = BTreeMap::new();
    for receiver in receivers {
        if seen.insert(&receiver.name, receiver.position).is_some() {
            let message = format!("notification config name {:?} is not unique", receiver.name);
            problems.add(receiver.position, message);
        }
    }
}

#[cfg(test)]
mod tests;
