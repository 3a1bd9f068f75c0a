//! What became of alerts: begun, ended, suppressed, free again, flapping. Kept for a time, and asked for by
//! labels, moment or fingerprint.

use model::{Labels, Matcher, Timestamp};

/// Events kept at most; the oldest go first.
pub const EVENTS_MAX: i64 = 1_000_000;
/// Events in one answer at most.
pub const ANSWER_MAX: usize = 10_000;

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It began to fire.
    Fired,
    /// It ended.
    Resolved,
    /// From now on nobody is told of it; the detail says why.
    Suppressed,
    /// That is over.
    Released,
    /// It comes and goes so often that its ends are held back.
    Flapping,
    /// It is steady again.
    Steady,
}

impl Change {
    /// All.
    pub const ALL: [Self; 6] = [
        Self::Fired,
        Self::Resolved,
        Self::Suppressed,
        Self::Released,
        Self::Flapping,
        Self::Steady,
    ];

    /// As rows and answers name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Resolved => "resolved",
            Self::Suppressed => "suppressed",
            Self::Released => "released",
            Self::Flapping => "flapping",
            Self::Steady => "steady",
        }
    }

    /// The change of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == name)
    }
}

/// Something that happened to an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertEvent {
    /// When.
    pub at: Timestamp,
    /// To which alert.
    pub labels: Labels,
    /// What.
    pub change: Change,
    /// Why, where there is something to say.
    pub detail: String,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct HistoryQuery {
    /// Not before this moment.
    pub start: Option<Timestamp>,
    /// Not after this one.
    pub end: Option<Timestamp>,
    /// Of this alert only.
    pub fingerprint: Option<u64>,
    /// Only of alerts that fulfil these.
    pub matchers: Vec<Matcher>,
    /// So many at most, the newest.
    pub limit: usize,
}

/// An alert that a set of matchers would have muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Muted {
    /// The alert.
    pub labels: Labels,
    /// How often it began.
    pub fired: usize,
    /// When it began last.
    pub last: Timestamp,
    /// Whether it fires now.
    pub firing: bool,
}
