//! What goes into the state machine and what comes out.

use crate::{Entry, Followed, Incident};
use model::{Labels, RoutedAlert, Timestamp};

/// A notification that left, or could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The receiver, as `oncall/slack[0]`.
    pub receiver: String,
    /// The labels of the alerts in it.
    pub alerts: Vec<Labels>,
    /// Why it could not leave, if so.
    pub failure: Option<String>,
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// An alert's state changed, or is reported again: after a start every alert must be.
    Alert(&'a RoutedAlert),
    /// A notification left or failed.
    Notification(&'a Notification),
    /// Someone takes an incident.
    Acknowledge {
        /// The incident.
        id: u64,
        /// Who takes it.
        who: &'a str,
    },
    /// Someone declares an incident over.
    Resolve {
        /// The incident.
        id: u64,
        /// Who declares it.
        who: &'a str,
    },
    /// Someone writes a note.
    Note {
        /// The incident.
        id: u64,
        /// Who writes.
        who: &'a str,
        /// The note.
        text: &'a str,
    },
    /// Time passed: alerts that were not reported again end.
    Tick,
}

/// A change of what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// The incident is now this.
    Incident(Incident),
    /// A line is added to an incident's timeline at `position`, counted from 0.
    Entry {
        /// The incident.
        incident: u64,
        /// The line's number.
        position: usize,
        /// The line.
        entry: Entry,
    },
    /// The alert of these labels is now this.
    Alert(Labels, Followed),
    /// The alert of these labels is no longer followed.
    AlertForgotten(Labels),
    /// The incident and its timeline are forgotten.
    IncidentForgotten(u64),
}

/// What others are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnouncementKind {
    /// It opened.
    Opened,
    /// It became worse.
    SeverityRaised,
    /// Someone took it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// It was not over.
    Reopened,
}

impl AnnouncementKind {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Opened, "opened"),
        (Self::SeverityRaised, "severity_raised"),
        (Self::Acknowledged, "acknowledged"),
        (Self::Resolved, "resolved"),
        (Self::Reopened, "reopened"),
    ];

    /// The kind's name, as `severity_raised`.
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
}

/// The effect of a step: others learn that an incident changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The incident.
    pub incident: u64,
    /// What happened to it.
    pub kind: AnnouncementKind,
    /// When.
    pub at: Timestamp,
}

/// What a step changes: to be committed together, before an announcement leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Changes of what is stored, in order.
    pub rows: Vec<Row>,
    /// What others are told afterwards.
    pub announcements: Vec<Announcement>,
    /// Alerts that were not taken because a limit was reached.
    pub refused_alerts: usize,
}

/// Why a person's request was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such incident.
    #[error("incident {0} does not exist")]
    NotFound(u64),
    /// It is over.
    #[error("incident {0} is already resolved")]
    AlreadyResolved(u64),
    /// The text is empty or too long.
    #[error("{what} must have 1 to {bytes_max} bytes, this one has {bytes}")]
    BadText {
        /// Which text.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// There is no room for another note.
    #[error("the timeline of incident {0} is full")]
    TimelineFull(u64),
}
