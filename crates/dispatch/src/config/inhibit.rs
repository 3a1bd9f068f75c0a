//! `inhibit_rules`: while an alert of one kind fires, alerts of another kind are muted.

use super::route::{equals, matcher_list, regexes};
use crate::matchers;
use config::yaml::Node;
use config::{Fields, Problems, decode};
use model::Matcher;

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct InhibitRule {
    /// An optional name.
    pub name: String,
    /// What the alert that mutes must fulfil.
    pub source: Vec<Matcher>,
    /// What the alert that is muted must fulfil.
    pub target: Vec<Matcher>,
    /// Labels that both must have with the same value; absent and empty are the same.
    pub equal: Vec<String>,
}

/// Reads one rule.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<InhibitRule> {
    let mut fields = Fields::of(node, "common.plain", problems)?;
    let rule = InhibitRule {
        name: fields.read("name", decode::string).unwrap_or_default(),
        source: side(
            &mut fields,
            ["source_match", "source_match_re", "source_matchers"],
        ),
        target: side(
            &mut fields,
            ["target_match", "target_match_re", "target_matchers"],
        ),
        equal: fields.read_list("equal", |node, problems| {
            let name = decode::string(node, problems)?;
            if !matchers::is_label_name(&name) {
                let message = format!("invalid label name {name:?} in equal list");
                problems.add(node.position, message);
            }
            Some(name)
        }),
    };
    fields.finish();
    Some(rule)
}

fn side(fields: &mut Fields<'_, '_>, [plain, regex, modern]: [&str; 3]) -> Vec<Matcher> {
    let mut list = fields.read(plain, equals).unwrap_or_default();
    list.extend(fields.read(regex, regexes).unwrap_or_default());
    list.extend(fields.read(modern, matcher_list).unwrap_or_default());
    matchers::sort(&mut list);
    list
}
