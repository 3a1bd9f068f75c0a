//! An alert on its way from what detects to what responds.

use crate::{Labels, Timestamp};

/// One alert as its source last described it. Two alerts with equal labels are the same alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// What identifies it; `alertname` among them.
    pub labels: Labels,
    /// Texts for people.
    pub annotations: Labels,
    /// When it began to fire.
    pub starts_at: Timestamp,
    /// When it ended, or will count as ended unless it is reported again.
    pub ends_at: Timestamp,
    /// When it was last reported.
    pub updated_at: Timestamp,
    /// Whether `ends_at` was filled in because the source did not say (the resolve time-out).
    pub ends_by_timeout: bool,
    /// A link to the expression that made it, empty if unknown.
    pub generator_url: String,
}

impl Alert {
    /// Whether the alert is over at `now`.
    #[must_use]
    pub fn is_resolved_at(&self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    /// The `alertname` label, empty where it is missing.
    #[must_use]
    pub fn name(&self) -> &str {
        self.labels.value("alertname")
    }
}

/// An alert after routing: what opens and follows incidents.
#[derive(Clone, Debug, PartialEq)]
pub struct RoutedAlert {
    /// The alert.
    pub alert: Alert,
    /// The values of the labels that the first matching route groups by.
    pub group_labels: Labels,
    /// Receivers of every matching route, in order.
    pub receivers: Vec<String>,
    /// Whether the alert is over.
    pub resolved: bool,
    /// Why nobody is told at the moment (silence, inhibition, muted time), if so. A suppressed
    /// alert opens no incident.
    pub suppressed_by: Option<String>,
}
