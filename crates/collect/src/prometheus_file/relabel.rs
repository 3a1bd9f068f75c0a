//! Relabelling rules as they stand in files.

use super::NameValidation;
use config::{Fields, Node, Problems, decode};
use model::RelabelRule;
use model::regex::Regex;
use model::relabel::{RelabelAction, is_legacy_target_template};

const DEFAULT_REGEX: &str = "(.*)";
const DEFAULT_REPLACEMENT: &str = "$1";
const DEFAULT_SEPARATOR: &str = ";";

/// Reads a list of relabelling rules; `what` names the list for an element that is null.
pub fn relabel_rules(
    fields: &mut Fields<'_, '_>,
    name: &str,
    what: &str,
    validation: NameValidation,
) -> Vec<RelabelRule> {
    fields.read_list(name, |node, problems| {
        if node.is_null() {
            problems.add(node.position, format!("empty or null {what}"));
            return None;
        }
        rule(node, validation, problems)
    })
}

/// Which fields the file mentions; upstream refuses some of them even where they say the default.
#[derive(Clone, Copy)]
struct Mentioned {
    source_labels: bool,
    regex: bool,
}

fn rule(node: &Node, validation: NameValidation, problems: &mut Problems) -> Option<RelabelRule> {
    let mut fields = Fields::of(node, "relabel.Config", problems)?;
    let mentioned = Mentioned {
        source_labels: fields.has("source_labels"),
        regex: fields.has("regex"),
    };
    let source_labels = fields.read_list("source_labels", |node, problems| {
        let name = decode::string(node, problems)?;
        if name.is_empty() {
            problems.add(node.position, "\"\" is not a valid label name");
        }
        Some(name)
    });
    let separator = text(&mut fields, "separator", DEFAULT_SEPARATOR);
    let pattern = text(&mut fields, "regex", DEFAULT_REGEX);
    let modulus = fields.read("modulus", decode::unsigned).unwrap_or_default();
    let target_label = text(&mut fields, "target_label", "");
    let replacement = text(&mut fields, "replacement", DEFAULT_REPLACEMENT);
    let action = action(&mut fields)?;
    let regex = match Regex::new(&pattern) {
        Ok(regex) => regex,
        Err(message) => {
            let position = node.get("regex").unwrap_or(node).position;
            fields.problems().add(position, message);
            return None;
        }
    };
    let rule = RelabelRule {
        source_labels,
        separator,
        regex,
        modulus,
        target_label,
        replacement,
        action,
    };
    if let Some(message) = mistake(&rule, mentioned, validation) {
        fields.wrong(message);
    }
    fields.finish();
    Some(rule)
}

/// Reads a text. A null is the empty text here, not the default, as with upstream's reader.
fn text(fields: &mut Fields<'_, '_>, name: &str, default: &str) -> String {
    if !fields.has(name) {
        return default.to_owned();
    }
    fields.read(name, decode::string).unwrap_or_default()
}

fn action(fields: &mut Fields<'_, '_>) -> Option<RelabelAction> {
    if !fields.has("action") {
        return Some(RelabelAction::Replace);
    }
    let Some(node) = fields.take("action") else {
        fields.wrong("relabel action cannot be empty");
        return None;
    };
    let text = decode::string(node, fields.problems())?;
    let lower = text.to_lowercase();
    let found = RelabelAction::NAMES.iter().find(|(name, _)| *name == lower);
    if found.is_none() {
        let message = format!("unknown relabel action {text:?}");
        fields.problems().add(node.position, message);
    }
    found.map(|(_, action)| *action)
}

/// What is wrong with a rule, in upstream's words and order.
fn mistake(rule: &RelabelRule, mentioned: Mentioned, validation: NameValidation) -> Option<String> {
    use RelabelAction as A;
    let action = rule.action.name();
    let target = &rule.target_label;
    if rule.action == A::HashMod && rule.modulus == 0 {
        return Some("relabel configuration for hashmod requires non-zero modulus".to_owned());
    }
    let sets_label = !matches!(
        rule.action,
        A::Keep | A::Drop | A::LabelMap | A::LabelDrop | A::LabelKeep
    );
    if sets_label && target.is_empty() {
        return Some(format!(
            "relabel configuration for {action} action requires 'target_label' value"
        ));
    }
    let is_template = |text: &str| match validation {
        NameValidation::Legacy => is_legacy_target_template(text),
        NameValidation::Utf8 => !text.is_empty(),
    };
    let target_is_good = if rule.action == A::Replace && target.contains('$') {
        is_template(target)
    } else {
        validation.is_label_name(target)
    };
    if sets_label && !target_is_good {
        return Some(format!(
            "{target:?} is invalid 'target_label' for {action} action"
        ));
    }
    let copies_source = matches!(
        rule.action,
        A::Lowercase | A::Uppercase | A::KeepEqual | A::DropEqual
    );
    if copies_source && rule.replacement != DEFAULT_REPLACEMENT {
        return Some(format!("'replacement' can not be set for {action} action"));
    }
    if rule.action == A::LabelMap && !is_template(&rule.replacement) {
        return Some(format!(
            "{:?} is invalid 'replacement' for {action} action",
            rule.replacement
        ));
    }
    unwanted_fields(rule, mentioned)
}

/// Fields that an action does not take.
fn unwanted_fields(rule: &RelabelRule, mentioned: Mentioned) -> Option<String> {
    let action = rule.action.name();
    let others_set = rule.modulus != 0
        || rule.separator != DEFAULT_SEPARATOR
        || rule.replacement != DEFAULT_REPLACEMENT;
    match rule.action {
        RelabelAction::KeepEqual | RelabelAction::DropEqual if others_set || mentioned.regex => {
            Some(format!(
                "{action} action requires only 'source_labels' and `target_label`, and no other fields"
            ))
        }
        RelabelAction::LabelDrop | RelabelAction::LabelKeep
            if others_set || mentioned.source_labels || !rule.target_label.is_empty() =>
        {
            Some(format!(
                "{action} action requires only 'regex', and no other fields"
            ))
        }
        RelabelAction::Replace
        | RelabelAction::Keep
        | RelabelAction::Drop
        | RelabelAction::KeepEqual
        | RelabelAction::DropEqual
        | RelabelAction::HashMod
        | RelabelAction::LabelMap
        | RelabelAction::LabelDrop
        | RelabelAction::LabelKeep
        | RelabelAction::Lowercase
        | RelabelAction::Uppercase => None,
    }
}
