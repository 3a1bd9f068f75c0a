//! The dead-man's switch: a request that goes out as long as alerts would, and stops when they would not.
//!
//! Three stages are watched, each by what it does and not by whether its thread is there:
//!
//! | stage | it is alive when |
//! |---|---|
//! | evaluation | no group of rules is later than its interval |
//! | routing | a probe has come through the queue of alerts and the machine into the database, the dispatcher's thread goes round, and no group is looked at late |
//! | delivery | no attempt lasts longer than its time, and no alert that fires has reached nobody |
//!
//! A stage that was not alive for `stalled_after` is stalled; then no heartbeat goes out. Whoever waits for it,
//! on another machine, raises the alarm. Times here are monotonic, so that setting the clock means nothing.

use std::fmt;
use std::time::Duration;

/// A part that alerts go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Rules are evaluated.
    Evaluation,
    /// Alerts are routed and grouped.
    Routing,
    /// Notifications leave.
    Delivery,
}

impl Stage {
    /// All, in the order in which alerts go through them.
    pub const ALL: [Self; 3] = [Self::Evaluation, Self::Routing, Self::Delivery];

    /// As metrics name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evaluation => "evaluation",
            Self::Routing => "routing",
            Self::Delivery => "delivery",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When each stage was alive last, and when the next heartbeat is due.
#[derive(Clone, Debug)]
pub struct Watch {
    alive_at: [Duration; 3],
    next_beat: Duration,
}

/// What is to be done at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Nothing is due.
    NotYet,
    /// Send one.
    Send,
    /// One is due, and these stages keep it back.
    Withhold(Vec<Stage>),
}

impl Watch {
    /// Begins to watch; at first everything counts as alive.
    #[must_use]
    pub const fn new(now: Duration) -> Self {
        Self {
            alive_at: [now; 3],
            next_beat: now,
        }
    }

    /// A stage was alive at a moment.
    pub fn alive(&mut self, stage: Stage, at: Duration) {
        for (known, one) in self.alive_at.iter_mut().zip(Stage::ALL) {
            if one == stage {
                *known = at.max(*known);
            }
        }
    }

    /// For how long each stage has not been alive.
    pub fn silence(&self, now: Duration) -> impl Iterator<Item = (Stage, Duration)> {
        let silent = self.alive_at.map(|at| now.saturating_sub(at));
        Stage::ALL.into_iter().zip(silent)
    }

    /// What to do at `now`, with a heartbeat every `interval`.
    pub fn beat(&mut self, now: Duration, interval: Duration, stalled_after: Duration) -> Beat {
        if now < self.next_beat {
            return Beat::NotYet;
        }
        // Steady, also where we come late; never several at once.
        self.next_beat = (self.next_beat + interval).max(now + interval / 2);
        let stalled: Vec<Stage> = self
            .silence(now)
            .filter(|(_, silent)| *silent > stalled_after)
            .map(|(stage, _)| stage)
            .collect();
        if stalled.is_empty() {
            Beat::Send
        } else {
            Beat::Withhold(stalled)
        }
    }
}

#[cfg(test)]
mod tests;
