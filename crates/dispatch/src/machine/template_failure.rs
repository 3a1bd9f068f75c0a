//! Templates that fail: the alert of ours about each integration that was told in plain text. It fires until an
//! hour after the last such message.
//!
//! The alert takes the ordinary way and so may come back to the very integration whose template is broken. A
//! message that tells of nothing new but this alert calls for no further one: otherwise it would keep itself
//! alive.

use super::failing::FAILING_KEPT_MS;
use super::{Machine, Step};
use crate::notice::{Notice, Reason, Target};
use model::{Alert, Labels, Timestamp};

/// The alert about a template that failed.
pub const TEMPLATE_FAILED: &str = "BinnacleTemplateFailing";

impl Machine {
    /// Takes note that a template failed for a notification.
    pub(super) fn template_failed(
        &mut self,
        now: Timestamp,
        id: &str,
        error: &str,
        step: &mut Step,
    ) {
        let Some(notice) = self.outbox.get(id) else {
            return;
        };
        if self.tells_only_of_templates(notice) {
            return;
        }
        let alert = about(&notice.target, error, now);
        self.store(now, alert, step);
    }

    /// Whether all that is new in a notification, against what its receiver was told last, are alerts about
    /// templates.
    fn tells_only_of_templates(&self, notice: &Notice) -> bool {
        if notice.reason == Reason::Repeat {
            return false;
        }
        let key = (notice.group_key.clone(), notice.target.clone());
        let entry = self.log.get(&key);
        let fires = |f: &&u64| entry.is_none_or(|entry| !entry.firing.contains(*f));
        let ended = |f: &&u64| entry.is_none_or(|entry| !entry.resolved.contains(*f));
        let is_ours = |fingerprint: &u64| {
            let alert = self.alerts.get(*fingerprint);
            alert.is_some_and(|alert| alert.name() == TEMPLATE_FAILED)
        };
        let firing = notice.firing.iter().filter(fires);
        let mut news = firing
            .chain(notice.resolved.iter().filter(ended))
            .peekable();
        news.peek().is_some() && news.all(is_ours)
    }
}

/// The alert about an integration.
fn about(target: &Target, error: &str, now: Timestamp) -> Alert {
    let integration = target.integration();
    Alert {
        labels: Labels::from_pairs([
            ("alertname", TEMPLATE_FAILED),
            ("severity", "warning"),
            ("receiver", target.receiver.as_str()),
            ("integration", integration.as_str()),
        ]),
        annotations: Labels::from_pairs([
            (
                "summary",
                format!("{target} is told in plain text").as_str(),
            ),
            ("description", error),
        ]),
        starts_at: now,
        ends_at: now.plus_millis(FAILING_KEPT_MS),
        updated_at: now,
        ends_by_timeout: false,
        generator_url: String::new(),
    }
}
