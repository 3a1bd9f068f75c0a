//! Rewriting label sets: the eleven actions of Prometheus' `relabel_config`.

use crate::labels::{Labels, is_legacy_label_name};
use crate::regex::Regex;

/// What a rule does. See Prometheus' "relabel_config" page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelabelAction {
    /// Sets the target label to the expanded replacement where the source matches.
    Replace,
    /// Drops label sets whose source does not match.
    Keep,
    /// Drops label sets whose source matches.
    Drop,
    /// Drops label sets whose source differs from the target label.
    KeepEqual,
    /// Drops label sets whose source equals the target label.
    DropEqual,
    /// Sets the target label to the source's hash modulo `modulus`.
    HashMod,
    /// Copies matching labels to names made from the replacement.
    LabelMap,
    /// Removes matching labels.
    LabelDrop,
    /// Removes all other labels.
    LabelKeep,
    /// Sets the target label to the source in lower case.
    Lowercase,
    /// Sets the target label to the source in upper case.
    Uppercase,
}

impl RelabelAction {
    /// Every action with its name in configuration files.
    pub const NAMES: [(&'static str, Self); 11] = [
        ("replace", Self::Replace),
        ("keep", Self::Keep),
        ("drop", Self::Drop),
        ("keepequal", Self::KeepEqual),
        ("dropequal", Self::DropEqual),
        ("hashmod", Self::HashMod),
        ("labelmap", Self::LabelMap),
        ("labeldrop", Self::LabelDrop),
        ("labelkeep", Self::LabelKeep),
        ("lowercase", Self::Lowercase),
        ("uppercase", Self::Uppercase),
    ];

    /// The name in configuration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, action)| *action == self)
            .map_or("", |(name, _)| name)
    }
}

/// One checked rule. The defaults are Prometheus' own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelabelRule {
    /// Labels whose values are joined to make the source.
    pub source_labels: Vec<String>,
    /// What joins them.
    pub separator: String,
    /// What the source is matched with.
    pub regex: Regex,
    /// For `hashmod`.
    pub modulus: u64,
    /// The label that is set or compared; may hold `${1}` for `replace`.
    pub target_label: String,
    /// What it is set to, with `$1` for groups.
    pub replacement: String,
    /// What is done.
    pub action: RelabelAction,
}

/// Applies rules in order. `None` where one of them drops the label set.
#[must_use]
pub fn apply(rules: &[RelabelRule], labels: &Labels) -> Option<Labels> {
    let mut labels = labels.clone();
    for rule in rules {
        labels = rule.apply(labels)?;
    }
    Some(labels)
}

impl RelabelRule {
    /// Applies this rule. `None` where it drops the label set.
    #[must_use]
    pub fn apply(&self, labels: Labels) -> Option<Labels> {
        let source = self.source(&labels);
        let keep = |condition: bool, labels: Labels| condition.then_some(labels);
        match self.action {
            RelabelAction::Keep => keep(self.regex.is_match(&source), labels),
            RelabelAction::Drop => keep(!self.regex.is_match(&source), labels),
            RelabelAction::KeepEqual => keep(labels.value(&self.target_label) == source, labels),
            RelabelAction::DropEqual => keep(labels.value(&self.target_label) != source, labels),
            RelabelAction::Replace => Some(self.replace(&source, labels)),
            RelabelAction::HashMod => {
                let remainder = hash(&source).checked_rem(self.modulus).unwrap_or_default();
                Some(labels.with(&self.target_label, &remainder.to_string()))
            }
            RelabelAction::LabelMap => Some(self.map_names(&labels)),
            RelabelAction::LabelDrop => Some(
                labels
                    .iter()
                    .filter(|(name, _)| !self.regex.is_match(name))
                    .collect(),
            ),
            RelabelAction::LabelKeep => Some(
                labels
                    .iter()
                    .filter(|(name, _)| self.regex.is_match(name))
                    .collect(),
            ),
            RelabelAction::Lowercase => {
                Some(labels.with(&self.target_label, &source.to_lowercase()))
            }
            RelabelAction::Uppercase => {
                Some(labels.with(&self.target_label, &source.to_uppercase()))
            }
        }
    }

    fn source(&self, labels: &Labels) -> String {
        let values: Vec<&str> = self
            .source_labels
            .iter()
            .map(|name| labels.value(name))
            .collect();
        values.join(&self.separator)
    }

    fn replace(&self, source: &str, labels: Labels) -> Labels {
        let Some(target) = self.regex.expand(source, &self.target_label) else {
            return labels;
        };
        if target.is_empty() {
            return labels;
        }
        let value = self
            .regex
            .expand(source, &self.replacement)
            .unwrap_or_default();
        labels.with(&target, &value)
    }

    fn map_names(&self, labels: &Labels) -> Labels {
        let mapped = labels
            .iter()
            .filter_map(|(name, value)| Some((self.regex.expand(name, &self.replacement)?, value)));
        let kept = labels.iter().map(|(name, value)| (name.to_owned(), value));
        kept.chain(mapped).collect()
    }
}

/// Whether a target label with its `$1` parts may stand in a `replace` rule by the legacy rules.
#[must_use]
pub fn is_legacy_target_template(text: &str) -> bool {
    let mut stripped = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('$') {
        stripped.push_str(head);
        stripped.push('_');
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        rest = match tail
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some((inside, after)) if inside.chars().all(name) => after,
            Some(_) => return false,
            None => tail.trim_start_matches(name),
        };
    }
    stripped.push_str(rest);
    is_legacy_label_name(&stripped)
}

/// The last 8 bytes of MD5 as a big-endian number: what `hashmod` has always used, and what targets are
/// spread over shards by.
#[must_use]
pub fn hash(text: &str) -> u64 {
    let digest = crate::md5::digest(text.as_bytes());
    digest
        .iter()
        .skip(8)
        .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::{RelabelAction, RelabelRule, hash};
    use crate::{Labels, regex::Regex};

    fn rule(action: RelabelAction, regex: &str) -> RelabelRule {
        RelabelRule {
            source_labels: vec!["a".to_owned()],
            separator: ";".to_owned(),
            regex: Regex::new(regex).expect("test pattern"),
            modulus: 1000,
            target_label: "d".to_owned(),
            replacement: "ch${1}-ch${1}".to_owned(),
            action,
        }
    }

    fn check(rule: &RelabelRule, want: Option<&str>) {
        let labels = Labels::from_pairs([("a", "foo"), ("b", "bar"), ("c", "BaZ")]);
        assert_eq!(rule.apply(labels).map(|l| l.to_string()).as_deref(), want);
    }

    #[test]
    fn applies_each_action() {
        let base = r#"{a="foo", b="bar", c="BaZ"}"#;
        let with_d = |d: &str| format!(r#"{{a="foo", b="bar", c="BaZ", d="{d}"}}"#);
        check(
            &rule(RelabelAction::Replace, "f(.*)"),
            Some(&with_d("choo-choo")),
        );
        check(&rule(RelabelAction::Replace, "x(.*)"), Some(base));
        check(&rule(RelabelAction::Keep, "foo"), Some(base));
        check(&rule(RelabelAction::Keep, "fo"), None);
        check(&rule(RelabelAction::Drop, "foo"), None);
        check(&rule(RelabelAction::KeepEqual, "(.*)"), None);
        check(&rule(RelabelAction::DropEqual, "(.*)"), Some(base));
        check(
            &rule(RelabelAction::LabelDrop, "[ab]"),
            Some(r#"{c="BaZ"}"#),
        );
        check(
            &rule(RelabelAction::LabelKeep, "[ab]"),
            Some(r#"{a="foo", b="bar"}"#),
        );
        check(
            &rule(RelabelAction::Uppercase, "(.*)"),
            Some(&with_d("FOO")),
        );
        let map = RelabelRule {
            replacement: "x_$1".to_owned(),
            ..rule(RelabelAction::LabelMap, "([ab])")
        };
        check(
            &map,
            Some(r#"{a="foo", b="bar", c="BaZ", x_a="foo", x_b="bar"}"#),
        );
    }

    /// Prometheus' documentation of `hashmod`: the same text lands in the same shard everywhere.
    #[test]
    fn hashes_as_prometheus_does() {
        // MD5("") = d41d8cd98f00b204 e9800998ecf8427e
        assert_eq!(hash(""), 0xe980_0998_ecf8_427e);
        // MD5("foo\n…") as in `printf foo | md5sum` = acbd18db4cc2f85c edef654fccc4a4d8
        assert_eq!(hash("foo"), 0xedef_654f_ccc4_a4d8);
    }
}
