//! What an incident is.

use crate::Severity;
use model::{Labels, Timestamp};

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has taken it.
    Open,
    /// Someone works on it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Status {
    const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Resolved];

    /// `open`, `acknowledged` or `resolved`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// An incident without its timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Counts up from 1; never used twice.
    pub id: u64,
    /// Where it stands.
    pub status: Status,
    /// The worst severity of the alerts that it has had.
    pub severity: Severity,
    /// The first alert's summary, or its name and group labels.
    pub title: String,
    /// `alertname` and the group labels: what makes further alerts join.
    pub labels: Labels,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it was acknowledged, and by whom.
    pub acknowledged: Option<(Timestamp, String)>,
    /// When it was resolved, and by whom (empty: its alerts ended).
    pub resolved: Option<(Timestamp, String)>,
    /// Lines of its timeline.
    pub timeline_count: usize,
    /// Lines that its timeline had no room for.
    pub timeline_omitted: usize,
}

impl Incident {
    /// Whether it is not resolved.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status != Status::Resolved
    }
}

/// An alert that belongs to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The incident.
    pub incident: u64,
    /// When the alert began to fire.
    pub starts_at: Timestamp,
    /// When its source says that it ends unless it is reported again.
    pub ends_at: Timestamp,
    /// When it was last reported; before a start, when that was last written down.
    pub updated_at: Timestamp,
    /// When it ended, if it did.
    pub left_at: Option<Timestamp>,
}

/// What a line of a timeline tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// The incident opened.
    Opened,
    /// An alert began to belong to it.
    AlertJoined,
    /// One of its alerts ended.
    AlertLeft,
    /// A worse alert made it worse.
    SeverityChanged,
    /// Someone took it.
    Acknowledged,
    /// Someone wrote a note.
    Note,
    /// Someone was told.
    NotificationSent,
    /// Someone could not be told.
    NotificationFailed,
    /// It is over.
    Resolved,
    /// It was not over: an alert whose end was reported fires on.
    Reopened,
}

impl EntryKind {
    const NAMES: [(Self, &'static str); 10] = [
        (Self::Opened, "opened"),
        (Self::AlertJoined, "alert_joined"),
        (Self::AlertLeft, "alert_left"),
        (Self::SeverityChanged, "severity_changed"),
        (Self::Acknowledged, "acknowledged"),
        (Self::Note, "note"),
        (Self::NotificationSent, "notification_sent"),
        (Self::NotificationFailed, "notification_failed"),
        (Self::Resolved, "resolved"),
        (Self::Reopened, "reopened"),
    ];

    /// The kind's name, as `alert_joined`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }

    /// Whether there are only a few such lines in any incident: they are kept even when the
    /// timeline is full.
    pub(crate) const fn is_rare(self) -> bool {
        matches!(
            self,
            Self::Opened | Self::SeverityChanged | Self::Acknowledged | Self::Resolved
        )
    }
}

/// A line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: EntryKind,
    /// Who did it; empty where nobody did.
    pub who: String,
    /// The particulars: an alert's labels, a note, a receiver.
    pub text: String,
}

/// An incident with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The incident.
    pub incident: Incident,
    /// Its alerts by labels, those that ended lately included.
    pub alerts: Vec<(Labels, Followed)>,
    /// Its timeline in order.
    pub timeline: Vec<Entry>,
}
