//! Questions about alerts: what became of them, why somebody was told or not, what a silence would mute.

use super::{Dispatch, Error};
use crate::history::{AlertEvent, HistoryQuery, Muted};
use crate::machine::explain::Explanation;
use crate::rows;
use model::{Labels, Matcher, Timestamp};

impl Dispatch {
    /// What became of alerts, newest first.
    pub fn history(&self, query: &HistoryQuery) -> Result<Vec<AlertEvent>, Error> {
        Ok(rows::history::events(&self.shared.parts.state, query)?)
    }

    /// Why somebody is told of an alert, or is not; nothing where it is not known any more.
    #[must_use]
    pub fn explain(&self, fingerprint: u64) -> Option<Explanation> {
        let now = self.now();
        self.shared.lock().machine.explain(fingerprint, now)
    }

    /// The receivers of the routes that an alert with these labels takes, or would take.
    #[must_use]
    pub fn receivers_of(&self, labels: &Labels) -> Vec<String> {
        self.shared.lock().machine.receivers_of(labels)
    }

    /// The alerts whose ends are held back because they come and go, by fingerprint.
    #[must_use]
    pub fn flapping(&self) -> Vec<(u64, Labels)> {
        self.shared.lock().machine.flapping_alerts()
    }

    /// The alerts that a silence with these matchers would mute now or would have muted since a moment; those
    /// that fire first, then those that began most often.
    pub fn would_mute(&self, matchers: &[Matcher], since: Timestamp) -> Result<Vec<Muted>, Error> {
        let query = HistoryQuery {
            start: Some(since),
            matchers: matchers.to_vec(),
            ..HistoryQuery::default()
        };
        let starts = rows::history::starts(&self.shared.parts.state, &query)?;
        let now = self.now();
        Ok(self.shared.lock().machine.would_mute(matchers, starts, now))
    }
}
