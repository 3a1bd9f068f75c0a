//! What is told, and when it is told again: notifications and the log of those that arrived.

use model::{Alert, Labels, Timestamp};
use std::collections::BTreeSet;

/// One way to tell one receiver; the log keeps an entry for each with every group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The receiver's name.
    pub receiver: String,
    /// The integration's kind.
    pub kind: String,
    /// Its index among those of its kind.
    pub index: usize,
}

impl Target {
    /// The integration alone, as `webhook[0]`.
    #[must_use]
    pub fn integration(&self) -> String {
        format!("{}[{}]", self.kind, self.index)
    }
}

/// `receiver/webhook[0]`, as upstream's messages name it.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}[{}]", self.receiver, self.kind, self.index)
    }
}

/// Why a notification is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The receiver knows nothing of the group.
    FirstNotification,
    /// Alerts came.
    NewAlerts,
    /// Some alerts ended, others fire on.
    SomeResolved,
    /// All alerts ended.
    AllResolved,
    /// Nothing changed for the repeat interval.
    Repeat,
}

impl Reason {
    /// All reasons.
    const ALL: [Self; 5] = [
        Self::FirstNotification,
        Self::NewAlerts,
        Self::SomeResolved,
        Self::AllResolved,
        Self::Repeat,
    ];

    /// As payloads and templates show it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::FirstNotification => "first notification",
            Self::NewAlerts => "new alerts added",
            Self::SomeResolved => "some alerts resolved",
            Self::AllResolved => "all alerts resolved",
            Self::Repeat => "repeat interval elapsed",
        }
    }

    /// The reason with this text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.text() == text)
    }
}

/// What a receiver was told last about a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEntry {
    /// When.
    pub at: Timestamp,
    /// When the entry is forgotten.
    pub expires_at: Timestamp,
    /// Fingerprints of the alerts that fired.
    pub firing: BTreeSet<u64>,
    /// Fingerprints of those that had ended.
    pub resolved: BTreeSet<u64>,
    /// What the integration wants to remember, as Slack's channel and time stamp of the message.
    pub memory: Vec<(String, String)>,
}

/// What is to be decided about.
pub struct Question<'a> {
    /// What the receiver was told last, if anything.
    pub entry: Option<&'a LogEntry>,
    /// The group's alerts that fire.
    pub firing: &'a BTreeSet<u64>,
    /// Those that have ended.
    pub resolved: &'a BTreeSet<u64>,
    /// Whether the receiver is told of ends.
    pub send_resolved: bool,
    /// When an unchanged group is told again.
    pub repeat_interval_ms: i64,
}

impl Question<'_> {
    /// Whether and why the receiver is to be told at `now`.
    #[must_use]
    pub fn answer(&self, now: Timestamp) -> Option<Reason> {
        let Some(entry) = self.entry else {
            return (!self.firing.is_empty()).then_some(Reason::FirstNotification);
        };
        if !self.firing.is_subset(&entry.firing) {
            return Some(if entry.firing.is_empty() {
                Reason::FirstNotification
            } else {
                Reason::NewAlerts
            });
        }
        if self.firing.is_empty() {
            // Told even to those who do not want to hear of ends: the log must forget what fired.
            return (!entry.firing.is_empty()).then_some(Reason::AllResolved);
        }
        if self.send_resolved && !self.resolved.is_subset(&entry.resolved) {
            return Some(Reason::SomeResolved);
        }
        let elapsed = entry.at < now.plus_millis(-self.repeat_interval_ms);
        elapsed.then_some(Reason::Repeat)
    }
}

/// An alert in a notification: as it was when the group was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct NoticeAlert {
    /// The alert.
    pub alert: Alert,
    /// Whether it had ended.
    pub resolved: bool,
}

/// A notification on its way: a row of the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Unique, the same for every attempt: receivers can tell repeats by it.
    pub id: String,
    /// The group's unique name.
    pub group_id: String,
    /// The group's key, as receivers see it.
    pub group_key: String,
    /// What the alerts have in common.
    pub group_labels: Labels,
    /// Labels of the route, values may be templates.
    pub route_labels: Vec<(String, String)>,
    /// Whom to tell.
    pub target: Target,
    /// Why.
    pub reason: Reason,
    /// The alerts in the order of the message; those that ended only where the receiver wants them.
    pub alerts: Vec<NoticeAlert>,
    /// Alerts beyond the limit that were left out.
    pub left_out: usize,
    /// Fingerprints of all alerts of the group that fire, for the log.
    pub firing: BTreeSet<u64>,
    /// Those that have ended.
    pub resolved: BTreeSet<u64>,
    /// When the group was looked at.
    pub created_at: Timestamp,
    /// When it is given up and the group is looked at anew.
    pub deadline: Timestamp,
    /// For how long the log remembers it once it arrived.
    pub repeat_interval_ms: i64,
    /// Attempts so far.
    pub attempts: u32,
    /// Attempts that failed of the notifications in whose place it came.
    pub failed_before: u32,
    /// When the next attempt is made.
    pub next_attempt: Timestamp,
    /// What the integration remembers of its last message about the group.
    pub memory: Vec<(String, String)>,
}

impl Notice {
    /// Whether it tells of anything that fires.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.alerts.iter().any(|alert| !alert.resolved)
    }

    /// How many attempts failed one after another, with those of the notifications before it.
    #[must_use]
    pub const fn failed_in_a_row(&self) -> u32 {
        self.failed_before.saturating_add(self.attempts)
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it. With what to remember for the next message about the group.
    Delivered(Vec<(String, String)>),
    /// It did not work; trying again may help, not before so many milliseconds if the receiver said so.
    Retry {
        /// What happened.
        error: String,
        /// The kind of failure, as metrics name it.
        reason: FailureReason,
        /// What the receiver asked for.
        after_ms: Option<i64>,
    },
    /// It did not work and will not.
    Failed {
        /// What happened.
        error: String,
        /// The kind of failure.
        reason: FailureReason,
    },
}

/// Kinds of failure, as `alertmanager_notifications_failed_total` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureReason {
    /// Anything else, as a broken connection.
    Other,
    /// The receiver refused the request.
    ClientError,
    /// The receiver is broken.
    ServerError,
    /// No answer in time.
    DeadlineExceeded,
    /// We may not.
    AuthError,
    /// Too often.
    RateLimited,
    /// The configuration changed or a newer notification took its place.
    Canceled,
}

impl FailureReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Other,
        Self::ClientError,
        Self::ServerError,
        Self::DeadlineExceeded,
        Self::AuthError,
        Self::RateLimited,
        Self::Canceled,
    ];

    /// As upstream names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::ClientError => "clientError",
            Self::ServerError => "serverError",
            Self::DeadlineExceeded => "contextDeadlineExceeded",
            Self::AuthError => "authError",
            Self::RateLimited => "rateLimited",
            Self::Canceled => "contextCanceled",
        }
    }
}

/// Alerts in one notification at most; the group's log knows of all.
pub const ALERTS_MAX: usize = 5_000;

/// The first wait before another attempt; each further one is half as long again.
const BACKOFF_FIRST_MS: i64 = 500;
/// The longest wait between attempts.
const BACKOFF_MAX_MS: i64 = 60_000;

/// How long to wait after so many attempts.
#[must_use]
pub fn backoff_ms(attempts: u32) -> i64 {
    let grown = (1..attempts).try_fold(BACKOFF_FIRST_MS, |wait, _| {
        (wait < BACKOFF_MAX_MS).then_some(wait * 3 / 2)
    });
    grown.unwrap_or(BACKOFF_MAX_MS).min(BACKOFF_MAX_MS)
}

#[cfg(test)]
mod tests;
