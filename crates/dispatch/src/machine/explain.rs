//! Why somebody was told of an alert, or was not.

use super::{Group, Machine};
use crate::notice::{LogEntry, Target};
use crate::route::Node;
use crate::silence::Silence;
use model::{Alert, Labels, Timestamp};

/// All that decides about one alert.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The alert as its source last described it.
    pub alert: Alert,
    /// Whether it has ended.
    pub resolved: bool,
    /// Whether it flaps, so that its ends are held back.
    pub flapping: bool,
    /// The alert that inhibits it: fingerprint and labels.
    pub inhibited_by: Option<(u64, Labels)>,
    /// The silences that mute it.
    pub silences: Vec<Silence>,
    /// The routes that take it.
    pub routes: Vec<RouteExplanation>,
}

/// What one route makes of an alert.
#[derive(Clone, Debug)]
pub struct RouteExplanation {
    /// Matchers of all routes down to this one.
    pub route: String,
    /// Who is told.
    pub receiver: String,
    /// The key of the group.
    pub group_key: String,
    /// What its alerts have in common.
    pub group_labels: Labels,
    /// When the group is looked at next; nothing where the alert is in it no more.
    pub next_flush: Option<Timestamp>,
    /// Names of the times that mute the route now.
    pub muted_by: Vec<String>,
    /// Timing of the route: `group_wait`, `group_interval`, `repeat_interval`, in milliseconds.
    pub timing_ms: [i64; 3],
    /// Each of the receiver's integrations.
    pub integrations: Vec<IntegrationExplanation>,
}

/// What an integration was told and is to be told.
#[derive(Clone, Debug)]
pub struct IntegrationExplanation {
    /// As `webhook[0]`.
    pub name: String,
    /// When the receiver was last told of the group, and whether of this alert firing or ended.
    pub last: Option<(Timestamp, bool, bool)>,
    /// A notification with this alert that is on its way: attempts so far and the next one.
    pub pending: Option<(u32, Timestamp)>,
    /// Since when the integration fails, and how.
    pub failing: Option<(Timestamp, String)>,
    /// One sentence.
    pub verdict: String,
}

/// What all integrations of an alert share.
struct Circumstances<'a> {
    now: Timestamp,
    fingerprint: u64,
    resolved: bool,
    held: bool,
    suppressed: Option<&'a str>,
}

impl Machine {
    /// Says what decides about an alert; nothing where it is not known (any more).
    #[must_use]
    pub fn explain(&self, fingerprint: u64, now: Timestamp) -> Option<Explanation> {
        let alert = self.alerts.get(fingerprint)?;
        let source = self
            .inhibitor
            .muted_by(&alert.labels, self.alerts.map(), now);
        let inhibited_by = source.and_then(|source| {
            let labels = self.alerts.get(source)?.labels.clone();
            Some((source, labels))
        });
        let silences: Vec<Silence> = self
            .silences
            .muting(&alert.labels, now)
            .iter()
            .filter_map(|id| self.silences.get(id).cloned())
            .collect();
        let suppressed = match (&inhibited_by, silences.first()) {
            (Some((source, labels)), _) => Some(format!(
                "{} inhibits it ({source:016x})",
                labels.value("alertname")
            )),
            (None, Some(silence)) => Some(format!("silence {} mutes it", silence.id)),
            (None, None) => None,
        };
        let circumstances = Circumstances {
            now,
            fingerprint,
            resolved: alert.is_resolved_at(now),
            held: self.is_held(fingerprint),
            suppressed: suppressed.as_deref(),
        };
        let nodes = self.routes_of(&alert.labels);
        Some(Explanation {
            alert: alert.clone(),
            resolved: circumstances.resolved,
            flapping: circumstances.held,
            inhibited_by,
            routes: nodes
                .iter()
                .map(|node| self.explain_route(&alert.labels, node, &circumstances))
                .collect(),
            silences,
        })
    }

    fn explain_route(
        &self,
        labels: &Labels,
        node: &Node,
        circumstances: &Circumstances<'_>,
    ) -> RouteExplanation {
        let group_labels = node.group_labels(labels);
        let group = self
            .groups
            .get(&node.group_id(&group_labels))
            .filter(|group| group.members.contains(&circumstances.fingerprint));
        let muted_by =
            group.map_or_else(Vec::new, |group| self.muted_times(group, circumstances.now));
        let suppressed = match (circumstances.suppressed, muted_by.is_empty()) {
            (Some(reason), _) => Some(reason.to_owned()),
            (None, false) => Some(format!("time interval {} mutes it", muted_by.join(", "))),
            (None, true) => None,
        };
        let circumstances = Circumstances {
            suppressed: suppressed.as_deref(),
            ..*circumstances
        };
        let group_key = node.group_key(&group_labels);
        let integrations = self.integrations(&node.receiver).iter().map(|integration| {
            let target = integration.target(&node.receiver);
            self.explain_integration(&target, (&group_key, group), &circumstances)
        });
        RouteExplanation {
            route: node.key.clone(),
            receiver: node.receiver.clone(),
            next_flush: group.map(|group| group.next_flush),
            timing_ms: [
                node.group_wait_ms,
                node.group_interval_ms,
                node.repeat_interval_ms,
            ],
            integrations: integrations.collect(),
            group_key: group_key.clone(),
            group_labels,
            muted_by,
        }
    }

    fn explain_integration(
        &self,
        target: &Target,
        (group_key, group): (&str, Option<&Group>),
        circumstances: &Circumstances<'_>,
    ) -> IntegrationExplanation {
        let fingerprint = circumstances.fingerprint;
        let entry = self.log.get(&(group_key.to_owned(), target.clone()));
        let pending = self.outbox.iter().find(|pending| {
            let notice = &pending.notice;
            let has =
                notice.firing.contains(&fingerprint) || notice.resolved.contains(&fingerprint);
            has && notice.target == *target && notice.group_key == group_key
        });
        let pending = pending.map(|p| (p.notice.attempts, p.notice.next_attempt));
        let failing = self.failing.get(target).map(|f| (f.since, f.error.clone()));
        let of_this = |entry: &LogEntry| {
            (
                entry.at,
                entry.firing.contains(&fingerprint),
                entry.resolved.contains(&fingerprint),
            )
        };
        let last = entry.map(of_this);
        let verdict = verdict(circumstances, (last, pending, failing.as_ref()), group);
        IntegrationExplanation {
            name: target.integration(),
            last,
            pending,
            failing,
            verdict,
        }
    }
}

type Known<'a> = (
    Option<(Timestamp, bool, bool)>,
    Option<(u32, Timestamp)>,
    Option<&'a (Timestamp, String)>,
);

/// One sentence about one integration.
fn verdict(
    of: &Circumstances<'_>,
    (last, pending, failing): Known<'_>,
    group: Option<&Group>,
) -> String {
    let told = match last {
        Some((at, true, _)) if of.resolved && of.held => {
            format!("told at {at} that it fires; its end is held back because it flaps")
        }
        Some((at, true, _)) if of.resolved => {
            format!("told at {at} that it fires; not yet of its end")
        }
        Some((at, true, _)) => format!("told at {at}"),
        Some((at, false, true)) => format!("told at {at} that it ended"),
        Some((at, false, false)) => format!("told of the group at {at}, not of this alert"),
        None => "not told".to_owned(),
    };
    let next = match (pending, of.suppressed, group) {
        (Some((0, _)), _, _) => "a notification is on its way".to_owned(),
        (Some((attempts, next)), _, _) => {
            let error = failing.map_or("", |(_, error)| error);
            let error = if error.is_empty() {
                String::new()
            } else {
                format!(" ({error})")
            };
            format!("{attempts} attempts failed{error}, the next is at {next}")
        }
        (None, Some(reason), _) if !of.resolved => format!("now {reason}"),
        (None, _, Some(group)) => format!("its group is looked at next at {}", group.next_flush),
        (None, _, None) => "it has left its group".to_owned(),
    };
    format!("{told}; {next}")
}
