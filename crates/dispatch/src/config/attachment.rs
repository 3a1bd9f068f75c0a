//! Fields of attachments, as Slack, Rocket.Chat and Mattermost know them.

use config::yaml::Node;
use config::{Fields, Problems, decode};

/// A field of an attachment; title and value are templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentField {
    /// Its title.
    pub title: String,
    /// Its text.
    pub value: String,
    /// Whether it is short enough to stand beside another.
    pub short: Option<bool>,
}

/// Reads a field that may lack anything.
pub(super) fn field(node: &Node, problems: &mut Problems) -> Option<AttachmentField> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let field = AttachmentField {
        title: fields.read("title", decode::string).unwrap_or_default(),
        value: fields.read("value", decode::string).unwrap_or_default(),
        short: fields.read("short", decode::boolean),
    };
    fields.finish();
    Some(field)
}

/// Reads a field with title and value; `service` names it in messages.
pub(super) fn full_field(
    service: &str,
    node: &Node,
    problems: &mut Problems,
) -> Option<AttachmentField> {
    let field = field(node, problems)?;
    for (name, value) in [("title", &field.title), ("value", &field.value)] {
        if value.is_empty() {
            let message = format!("missing {name} in {service} field configuration");
            problems.add(node.position, message);
        }
    }
    Some(field)
}
