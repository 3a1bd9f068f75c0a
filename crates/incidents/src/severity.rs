//! How bad it is, told from labels.

use model::Labels;

/// From the worst to the least: P0 to P3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// P0: users are hurt now.
    Critical,
    /// P1: users will be hurt soon, or some are.
    High,
    /// P2: someone must look within the day.
    Medium,
    /// P3: good to know.
    Low,
}

/// The labels that are asked, in this order.
const LABELS: [&str; 2] = ["severity", "priority"];

/// What the values of these labels mean, in lower case. Anything else, and no label, is `Medium`.
const MEANINGS: [(&str, Severity); 27] = [
    ("critical", Severity::Critical),
    ("page", Severity::Critical),
    ("emergency", Severity::Critical),
    ("disaster", Severity::Critical),
    ("fatal", Severity::Critical),
    ("p0", Severity::Critical),
    ("sev1", Severity::Critical),
    ("high", Severity::High),
    ("error", Severity::High),
    ("major", Severity::High),
    ("p1", Severity::High),
    ("sev2", Severity::High),
    ("medium", Severity::Medium),
    ("warning", Severity::Medium),
    ("warn", Severity::Medium),
    ("average", Severity::Medium),
    ("ticket", Severity::Medium),
    ("p2", Severity::Medium),
    ("sev3", Severity::Medium),
    ("low", Severity::Low),
    ("minor", Severity::Low),
    ("info", Severity::Low),
    ("notice", Severity::Low),
    ("none", Severity::Low),
    ("debug", Severity::Low),
    ("p3", Severity::Low),
    ("sev4", Severity::Low),
];

impl Severity {
    /// The severity that an alert's labels tell.
    #[must_use]
    pub fn of(labels: &Labels) -> Self {
        let value = LABELS
            .iter()
            .find_map(|name| labels.get(name))
            .unwrap_or_default()
            .to_lowercase();
        MEANINGS
            .iter()
            .find(|(text, _)| *text == value)
            .map_or(Self::Medium, |(_, severity)| *severity)
    }

    /// `critical`, `high`, `medium` or `low`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// `P0`, `P1`, `P2` or `P3`.
    #[must_use]
    pub const fn priority(self) -> &'static str {
        match self {
            Self::Critical => "P0",
            Self::High => "P1",
            Self::Medium => "P2",
            Self::Low => "P3",
        }
    }

    /// The severity of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Critical, Self::High, Self::Medium, Self::Low]
            .into_iter()
            .find(|severity| severity.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Severity;
    use model::Labels;

    #[test]
    fn reads_labels() {
        let check = |name: &str, value: &str, want: Severity| {
            let labels = Labels::from_pairs([(name, value)]);
            assert_eq!(Severity::of(&labels), want, "{name}={value}");
        };
        check("severity", "critical", Severity::Critical);
        check("severity", "Page", Severity::Critical);
        check("severity", "error", Severity::High);
        check("severity", "warning", Severity::Medium);
        check("severity", "info", Severity::Low);
        check("severity", "whatever", Severity::Medium);
        check("priority", "P0", Severity::Critical);
        check("team", "critical", Severity::Medium);
        let both = Labels::from_pairs([("severity", "info"), ("priority", "p0")]);
        assert_eq!(Severity::of(&both), Severity::Low);
        assert!(Severity::Critical < Severity::Low);
    }
}
