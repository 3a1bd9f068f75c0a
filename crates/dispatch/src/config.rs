//! Reads alertmanager.yml of Alertmanager 0.34, whole and strictly.
//!
//! Every mistake is reported at once with its place; the messages are upstream's. Each of the 18 kinds of
//! receivers has a file and becomes settings that `deliver` uses. What is deliberately not here: reading
//! template or secret files, and anything that needs a clock.

mod attachment;
mod email;
mod entry;
mod field;
mod global;
mod hook;
mod incidentio;
mod inhibit;
mod interval;
mod jira;
mod mattermost;
mod opsgenie;
mod own;
mod pagerduty;
mod pushover;
mod receiver;
mod rocketchat;
mod route;
mod slack;
mod sns;
mod telegram;
mod tracing;
mod victorops;
mod webex;
mod webhook;
mod wechat;

pub use attachment::AttachmentField;
pub use email::{Email, Threading, TlsMode};
pub use entry::Texts;
pub use field::{HostPort, parse_go_duration};
pub use global::Global;
pub use hook::Hook;
pub use incidentio::IncidentIo;
pub use inhibit::InhibitRule;
pub use interval::read_window;
pub use jira::{Jira, JiraSearch, JiraText};
pub use mattermost::{Attachment, Mattermost, Priority};
pub use opsgenie::{OpsGenie, Responder};
pub use own::{FailureReceivers, Flapping, Heartbeat, Own};
pub use pagerduty::{EventsVersion, PagerDuty};
pub use pushover::{Pushover, PushoverStyle};
pub use receiver::{Integration, Receiver, Settings, kinds};
pub use rocketchat::RocketChat;
pub use route::{GroupBy, Named, Route};
pub use slack::{Slack, SlackAction, SlackConfirmation};
pub use sns::{AwsSigner, Sns};
pub use telegram::Telegram;
pub use victorops::VictorOps;
pub use webex::Webex;
pub use webhook::Webhook;
pub use wechat::WeChat;

use crate::interval::TimeInterval;
use config::decode;
use config::yaml::{self, Node, Position};
use config::{Fields, Problems};
use sha2::{Digest as _, Sha256};
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
    /// Settings of ours; a file says nothing of them.
    pub own: Own,
    /// A hash of the file's text, 48 bits, so that a float holds it; 0 where there is no file.
    pub hash: u64,
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
        let digest = Sha256::digest(text.as_bytes());
        let bytes = digest.iter().take(6);
        config.hash = bytes.fold(0, |hash, byte| hash << 8 | u64::from(*byte));
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
            own: Own::default(),
            hash: 0,
        }
    }

    /// The receiver of this name.
    #[must_use]
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| receiver.name == name)
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
            own: Own::default(),
            hash: 0,
        })
    }

    fn set_directory(&mut self, directory: &Path) {
        for pattern in &mut self.templates {
            *pattern = directory.join(&*pattern);
        }
        for integration in self.receivers.iter_mut().flat_map(|r| &mut r.integrations) {
            if let Settings::Email(email) = &mut integration.settings {
                email.tls.set_directory(directory);
            } else if let Some(http) = integration.settings.http_mut() {
                http.set_directory(directory);
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
