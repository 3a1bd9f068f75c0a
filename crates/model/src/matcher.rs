//! Conditions on one label.

use crate::labels::{Labels, Quoted, is_legacy_label_name};
use crate::regex::Regex;
use std::fmt;

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOperator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored
    Regex,
    /// `!~`, anchored
    NotRegex,
}

impl MatchOperator {
    /// As written in a selector.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

/// One condition; an absent label counts as the empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    name: String,
    operator: MatchOperator,
    value: String,
    regex: Option<Regex>,
}

impl Matcher {
    /// Makes a matcher; fails where a regular expression does not compile.
    pub fn new(
        name: impl Into<String>,
        operator: MatchOperator,
        value: impl Into<String>,
    ) -> Result<Self, String> {
        let (name, value) = (name.into(), value.into());
        let regex = match operator {
            MatchOperator::Equal | MatchOperator::NotEqual => None,
            MatchOperator::Regex | MatchOperator::NotRegex => Some(Regex::new(&value)?),
        };
        Ok(Self {
            name,
            operator,
            value,
            regex,
        })
    }

    /// Makes the matcher `name="value"`.
    #[must_use]
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        Self {
            name,
            operator: MatchOperator::Equal,
            value,
            regex: None,
        }
    }

    /// The label that is looked at.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is compared.
    #[must_use]
    pub const fn operator(&self) -> MatchOperator {
        self.operator
    }

    /// The text or expression it is compared with.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The compiled expression of a regex matcher.
    #[must_use]
    pub const fn regex(&self) -> Option<&Regex> {
        self.regex.as_ref()
    }

    /// Whether a label value (empty for an absent label) fulfils the condition.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let regex_matches = || {
            self.regex
                .as_ref()
                .is_some_and(|regex| regex.is_match(value))
        };
        match self.operator {
            MatchOperator::Equal => self.value == value,
            MatchOperator::NotEqual => self.value != value,
            MatchOperator::Regex => regex_matches(),
            MatchOperator::NotRegex => !regex_matches(),
        }
    }

    /// Whether an absent label fulfils the condition.
    #[must_use]
    pub fn matches_empty(&self) -> bool {
        self.matches("")
    }

    /// Whether a label set fulfils the condition.
    #[must_use]
    pub fn matches_labels(&self, labels: &Labels) -> bool {
        self.matches(labels.value(&self.name))
    }
}

/// Whether a label set fulfils every condition.
#[must_use]
pub fn all_match(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers
        .iter()
        .all(|matcher| matcher.matches_labels(labels))
}

/// As in a selector: `job=~"a|b"`.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_legacy_label_name(&self.name) {
            write!(
                f,
                "{}{}{}",
                self.name,
                self.operator.symbol(),
                Quoted(&self.value)
            )
        } else {
            write!(
                f,
                "{}{}{}",
                Quoted(&self.name),
                self.operator.symbol(),
                Quoted(&self.value)
            )
        }
    }
}
