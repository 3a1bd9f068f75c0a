//! What the rule engine is told: the checked configuration, and what it evaluates with.

use crate::file::RuleFile;
use crate::restore::Restoring;
use crate::template::Surroundings;
use model::{Labels, RelabelRule, Sink, relabel};
use runtime::SharedClock;
use std::sync::Arc;

/// How long a firing or resolved alert waits before it is handed on again; upstream's default.
pub const RESEND_DELAY_MS: i64 = 60_000;

/// Evaluations are this far apart where neither group nor configuration says so; upstream's default.
pub(crate) const INTERVAL_MS_DEFAULT: i64 = 60_000;

/// What rules are evaluated and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// The rule files in order.
    pub files: Vec<RuleFile>,
    /// Between two evaluations of a group that does not say.
    pub interval_ms: i64,
    /// How far back the queries of a group look that does not say (`rule_query_offset`).
    pub query_offset_ms: i64,
    /// Added to alerts on their way out, where they have no such label; `$externalLabels`.
    pub external_labels: Labels,
    /// Where people reach this server: `$externalURL` and the links of alerts.
    pub external_url: String,
    /// Applied to alerts on their way out, after the external labels.
    pub alert_relabel: Vec<RelabelRule>,
    /// Between two times that an alert is handed on.
    pub resend_delay_ms: i64,
    /// What is made of samples that an earlier process left where its rows are missing.
    pub restoring: Restoring,
}

impl Config {
    /// The labels under which an alert of a rule is known outside: with the external labels, relabelled. `None` where
    /// relabelling drops it.
    #[must_use]
    pub fn sent_labels(&self, labels: &Labels) -> Option<Labels> {
        let labels = self.external_labels.merged_with(labels);
        relabel::apply(&self.alert_relabel, &labels).filter(|labels| !labels.is_empty())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            interval_ms: INTERVAL_MS_DEFAULT,
            query_offset_ms: 0,
            external_labels: Labels::default(),
            external_url: String::new(),
            alert_relabel: Vec::new(),
            resend_delay_ms: RESEND_DELAY_MS,
            restoring: Restoring::default(),
        }
    }
}

/// What groups are evaluated with.
#[derive(Clone)]
pub struct Evaluator {
    /// Engine, source and the surroundings of templates.
    pub surroundings: Surroundings,
    /// Takes what is recorded.
    pub sink: Arc<dyn Sink>,
    /// Measures how long rules take.
    pub clock: SharedClock,
    /// How far back queries look where a group does not say.
    pub query_offset_ms: i64,
    /// What is made of samples that an earlier process left.
    pub restoring: Restoring,
}
