//! Receivers and their integrations.

use super::email::{self, Email};
use super::global::Global;
use super::other;
use super::slack::{self, Slack};
use super::webhook::{self, Webhook};
use config::yaml::{Node, NodeKind, Position};
use config::{Fields, Problems, decode};
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

/// How to reach an integration.
#[derive(Clone, Debug)]
pub enum Settings {
    /// A plain HTTP request.
    Webhook(Box<Webhook>),
    /// Slack's API.
    Slack(Box<Slack>),
    /// Mail.
    Email(Box<Email>),
    /// A kind that is checked but that nothing sends to yet.
    NotActive,
}

impl Integration {
    /// Whether something is sent at all.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        !matches!(self.settings, Settings::NotActive)
    }
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
    each(&mut fields, "webhook", &mut integrations, |node, p| {
        webhook::read(node, global, p)
    });
    each(&mut fields, "email", &mut integrations, |node, p| {
        email::read(node, global, p)
    });
    each(&mut fields, "slack", &mut integrations, |node, p| {
        slack::read(node, global, p)
    });
    for kind in other::KINDS {
        each(&mut fields, kind.name, &mut integrations, |node, p| {
            other::read(kind, node, global, p)
        });
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

/// Kinds whose empty entry counts as one without settings; for the others it is a mistake.
const MAY_BE_EMPTY: [&str; 4] = ["slack", "opsgenie", "wechat", "rocketchat"];

/// Reads the list `KIND_configs`.
fn each(
    fields: &mut Fields<'_, '_>,
    kind: &'static str,
    integrations: &mut Vec<Integration>,
    read: impl Fn(&Node, &mut Problems) -> Option<(bool, Settings)>,
) {
    let empty = Node {
        kind: NodeKind::Mapping(Vec::new()),
        position: fields.position(),
    };
    let mut index = 0;
    let list = fields.read_list(&format!("{kind}_configs"), |node, problems| {
        let node = match (node.is_null(), MAY_BE_EMPTY.contains(&kind)) {
            (true, true) => &empty,
            (true, false) => {
                problems.add(node.position, format!("missing {kind} config"));
                return None;
            }
            (false, _) => node,
        };
        let (send_resolved, settings) = read(node, problems)?;
        index += 1;
        Some(Integration {
            kind,
            index: index - 1,
            send_resolved,
            settings,
        })
    });
    integrations.extend(list);
}
