//! Alerts on their way out: external labels, relabelling, the link back.

use crate::alerts::{AlertState, Instance};
use crate::config::Config;
use model::{Alert, Labels, Timestamp};

/// Evaluations and deliveries that may fail before a firing alert counts as over.
const VALIDITY_FACTOR: i64 = 4;

/// What alerts of one rule have in common.
pub(crate) struct Origin<'a> {
    /// The rule's expression.
    pub(crate) query: &'a str,
    /// Between two evaluations.
    pub(crate) interval_ms: i64,
    /// Labels, links and relabelling.
    pub(crate) config: &'a Config,
}

impl Origin<'_> {
    /// The alert as others see it at `now`; `None` where relabelling drops it.
    pub(crate) fn alert(
        &self,
        labels: &Labels,
        instance: &Instance,
        now: Timestamp,
    ) -> Option<Alert> {
        let validity_ms =
            VALIDITY_FACTOR.saturating_mul(self.interval_ms.max(self.config.resend_delay_ms));
        let ends_at = match (instance.timers.state, instance.timers.resolved_at) {
            (AlertState::Inactive, Some(resolved)) => resolved,
            (AlertState::Inactive | AlertState::Pending | AlertState::Firing, _) => {
                now.plus_millis(validity_ms)
            }
        };
        Some(Alert {
            labels: self.config.sent_labels(labels)?,
            annotations: instance.annotations.clone(),
            starts_at: instance
                .timers
                .fired_at
                .unwrap_or(instance.timers.active_at),
            ends_at,
            updated_at: now,
            ends_by_timeout: false,
            generator_url: generator_url(&self.config.external_url, self.query),
        })
    }
}

/// The link to a query's table on this server.
fn generator_url(external_url: &str, query: &str) -> String {
    let base = external_url.trim_end_matches('/');
    format!("{base}/graph?g0.expr={}&g0.tab=1", escaped(query))
}

/// A text as part of a URL's query, as Go's `url.QueryEscape`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::generator_url;

    #[test]
    fn links_to_the_query() {
        let check = |url, query, want: &str| assert_eq!(generator_url(url, query), want);
        check(
            "http://localhost:9090",
            "up{job=\"a b\"} == 0",
            "http://localhost:9090/graph?g0.expr=up%7Bjob%3D%22a+b%22%7D+%3D%3D+0&g0.tab=1",
        );
        check(
            "http://h/prom/",
            "1",
            "http://h/prom/graph?g0.expr=1&g0.tab=1",
        );
    }
}
