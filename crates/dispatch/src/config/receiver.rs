//! Receivers and their integrations.

use super::email::{self, Email};
use super::entry::Entry;
use super::global::Global;
use super::hook::{self, Hook};
use super::incidentio::{self, IncidentIo};
use super::jira::{self, Jira};
use super::mattermost::{self, Mattermost};
use super::opsgenie::{self, OpsGenie};
use super::pagerduty::{self, PagerDuty};
use super::pushover::{self, Pushover};
use super::rocketchat::{self, RocketChat};
use super::slack::{self, Slack};
use super::sns::{self, Sns};
use super::telegram::{self, Telegram};
use super::victorops::{self, VictorOps};
use super::webex::{self, Webex};
use super::webhook::{self, Webhook};
use super::wechat::{self, WeChat};
use crate::notice::Target;
use config::yaml::{Node, NodeKind, Position};
use config::{Fields, HttpClientConfig, Problems, decode};
use model::Labels;

/// Someone to tell, in one or more ways.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// The name that routes use.
    pub name: String,
    /// Labels to filter receivers by; `name` among them.
    pub labels: Labels,
    /// The ways.
    pub integrations: Vec<Integration>,
    /// Where it begins in the file.
    pub position: Position,
}

/// One way to tell a receiver.
#[derive(Clone, Debug)]
pub struct Integration {
    /// Its kind, as metrics and the notification log name it: `webhook`, `slack`, `email`, ….
    pub kind: &'static str,
    /// Counts from 0 among those of one kind of one receiver.
    pub index: usize,
    /// Whether resolved alerts are told.
    pub send_resolved: bool,
    /// How to reach it.
    pub settings: Settings,
}

impl Integration {
    /// What it is as part of a receiver.
    #[must_use]
    pub fn target(&self, receiver: &str) -> Target {
        Target {
            receiver: receiver.to_owned(),
            kind: self.kind.to_owned(),
            index: self.index,
        }
    }

    /// Whether it is the one that a target names, among those of one receiver.
    #[must_use]
    pub fn is(&self, target: &Target) -> bool {
        self.kind == target.kind && self.index == target.index
    }
}

/// How to reach an integration.
#[derive(Clone, Debug)]
pub enum Settings {
    /// A plain HTTP request.
    Webhook(Box<Webhook>),
    /// Slack's API.
    Slack(Box<Slack>),
    /// Mail.
    Email(Box<Email>),
    /// PagerDuty's events.
    PagerDuty(Box<PagerDuty>),
    /// Opsgenie's alerts.
    OpsGenie(Box<OpsGenie>),
    /// WeCom's messages.
    WeChat(Box<WeChat>),
    /// Splunk On-Call.
    VictorOps(Box<VictorOps>),
    /// Messages to devices.
    Pushover(Box<Pushover>),
    /// Amazon's notification service.
    Sns(Box<Sns>),
    /// A bot of Telegram.
    Telegram(Box<Telegram>),
    /// A webhook of Discord.
    Discord(Box<Hook>),
    /// A room of Webex.
    Webex(Box<Webex>),
    /// A connector of Microsoft Teams.
    MsTeams(Box<Hook>),
    /// A workflow of Microsoft Teams.
    MsTeamsV2(Box<Hook>),
    /// Issues of Jira.
    Jira(Box<Jira>),
    /// A channel of Rocket.Chat.
    RocketChat(Box<RocketChat>),
    /// A webhook of Mattermost.
    Mattermost(Box<Mattermost>),
    /// An alert source of incident.io.
    IncidentIo(Box<IncidentIo>),
}

impl Settings {
    /// The HTTP client's settings; mail has none.
    pub(super) fn http_mut(&mut self) -> Option<&mut HttpClientConfig> {
        Some(match self {
            Self::Email(_) => return None,
            Self::Webhook(settings) => &mut settings.http,
            Self::Slack(settings) => &mut settings.http,
            Self::PagerDuty(settings) => &mut settings.http,
            Self::OpsGenie(settings) => &mut settings.http,
            Self::WeChat(settings) => &mut settings.http,
            Self::VictorOps(settings) => &mut settings.http,
            Self::Pushover(settings) => &mut settings.http,
            Self::Sns(settings) => &mut settings.http,
            Self::Telegram(settings) => &mut settings.http,
            Self::Discord(settings) | Self::MsTeams(settings) | Self::MsTeamsV2(settings) => {
                &mut settings.http
            }
            Self::Webex(settings) => &mut settings.http,
            Self::Jira(settings) => &mut settings.http,
            Self::RocketChat(settings) => &mut settings.http,
            Self::Mattermost(settings) => &mut settings.http,
            Self::IncidentIo(settings) => &mut settings.http,
        })
    }
}

/// A kind of receivers.
struct Kind {
    /// Its name; the list's name without `_configs`.
    name: &'static str,
    /// Its name in messages about unknown fields.
    what: &'static str,
    /// Whether resolved alerts are told unless the file says otherwise.
    send_resolved: bool,
    /// Whether an empty entry counts as one without settings; otherwise it is a mistake.
    may_be_empty: bool,
    read: fn(&mut Entry<'_, '_, '_>) -> Option<Settings>,
}

const fn kind(name: &'static str, read: fn(&mut Entry<'_, '_, '_>) -> Option<Settings>) -> Kind {
    Kind {
        name,
        what: "config.plain",
        send_resolved: true,
        may_be_empty: false,
        read,
    }
}

/// All kinds, in the order in which a group is told.
static KINDS: [Kind; 18] = [
    Kind {
        what: "webhook.plain",
        ..kind("webhook", webhook::read)
    },
    Kind {
        send_resolved: false,
        ..kind("email", email::read)
    },
    Kind {
        send_resolved: false,
        may_be_empty: true,
        ..kind("slack", slack::read)
    },
    kind("pagerduty", pagerduty::read),
    Kind {
        may_be_empty: true,
        ..kind("opsgenie", opsgenie::read)
    },
    Kind {
        send_resolved: false,
        may_be_empty: true,
        ..kind("wechat", wechat::read)
    },
    kind("victorops", victorops::read),
    kind("pushover", pushover::read),
    kind("sns", sns::read),
    kind("telegram", telegram::read),
    kind("discord", hook::discord),
    kind("webex", webex::read),
    kind("msteams", hook::msteams),
    kind("msteamsv2", hook::msteams_v2),
    kind("jira", jira::read),
    Kind {
        send_resolved: false,
        may_be_empty: true,
        ..kind("rocketchat", rocketchat::read)
    },
    kind("mattermost", mattermost::read),
    kind("incidentio", incidentio::read),
];

/// Names of all kinds of integrations.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

impl Receiver {
    /// The receiver of the built-in configuration: it tells nobody.
    pub(super) fn built_in() -> Self {
        Self {
            name: "none".to_owned(),
            labels: Labels::from_pairs([("name", "none")]),
            integrations: Vec::new(),
            position: Position::default(),
        }
    }
}

/// Reads one receiver, taking from `global` what it does not say itself.
pub(super) fn read(node: &Node, global: &Global, problems: &mut Problems) -> Option<Receiver> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let name = fields.read("name", decode::string).unwrap_or_default();
    if name.is_empty() {
        fields.wrong("missing name in receiver");
    }
    let labels = fields.read("labels", decode::labels).unwrap_or_default();
    if let Some(label) = labels.get("name").filter(|label| *label != name) {
        fields.wrong(format!(
            "receiver label \"name\" must match receiver name {name:?}, got {label:?}"
        ));
    }
    let mut integrations = Vec::new();
    for kind in &KINDS {
        each(&mut fields, kind, global, &mut integrations);
    }
    let position = fields.position();
    fields.finish();
    Some(Receiver {
        labels: labels.with("name", &name),
        name,
        integrations,
        position,
    })
}

/// Reads the list `KIND_configs`.
fn each(
    fields: &mut Fields<'_, '_>,
    kind: &'static Kind,
    global: &Global,
    integrations: &mut Vec<Integration>,
) {
    let empty = Node {
        kind: NodeKind::Mapping(Vec::new()),
        position: fields.position(),
    };
    let name = kind.name;
    let mut index = 0;
    let list = fields.read_list(&format!("{name}_configs"), |node, problems| {
        let node = match (node.is_null(), kind.may_be_empty) {
            (true, true) => &empty,
            (true, false) => {
                problems.add(node.position, format!("missing {name} config"));
                return None;
            }
            (false, _) => node,
        };
        let mut entry = Entry {
            node,
            global,
            fields: Fields::of(node, kind.what, problems)?,
        };
        let send_resolved = entry.fields.read("send_resolved", decode::boolean);
        let settings = (kind.read)(&mut entry);
        entry.fields.finish();
        index += 1;
        Some(Integration {
            kind: name,
            index: index - 1,
            send_resolved: send_resolved.unwrap_or(kind.send_resolved),
            settings: settings?,
        })
    });
    integrations.extend(list);
}
