//! What the API shows: alerts, groups, receivers, what reaches nobody.

use super::{Group, Machine};
use crate::history::Muted;
use crate::silence::{Silence, SilenceState};
use model::matcher::all_match;
use model::regex::Regex;
use model::{Alert, Labels, Matcher, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A notification that has waited this long is as good as one that failed.
const WAITED_MS: i64 = 60_000;

/// Whether an alert is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// Not looked at yet; never the case here, since alerts are looked at as they come in.
    Unprocessed,
    /// It is told.
    Active,
    /// It is silenced, inhibited or muted.
    Suppressed,
}

impl AlertState {
    /// As the API names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unprocessed => "unprocessed",
            Self::Active => "active",
            Self::Suppressed => "suppressed",
        }
    }
}

/// An alert as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertView {
    /// The alert.
    pub alert: Alert,
    /// Its fingerprint in hexadecimal.
    pub fingerprint: String,
    /// Whether it is told.
    pub state: AlertState,
    /// Ids of the silences that mute it.
    pub silenced_by: Vec<String>,
    /// Fingerprints of the alerts that mute it.
    pub inhibited_by: Vec<String>,
    /// Names of the times that mute it.
    pub muted_by: Vec<String>,
    /// Who is told.
    pub receivers: Vec<String>,
    /// Whether it comes and goes so often that its ends are held back.
    pub flapping: bool,
}

/// Which alerts to show.
#[derive(Clone, Debug)]
pub struct AlertFilter {
    /// Those that are told.
    pub active: bool,
    /// Those that are silenced.
    pub silenced: bool,
    /// Those that are inhibited.
    pub inhibited: bool,
    /// Those that were not looked at yet.
    pub unprocessed: bool,
    /// Only those with a receiver that matches (anchored).
    pub receiver: Option<Regex>,
    /// Only those with a receiver whose labels fulfil these.
    pub receiver_matchers: Vec<Matcher>,
    /// Only those that fulfil these.
    pub matchers: Vec<Matcher>,
}

impl Default for AlertFilter {
    fn default() -> Self {
        Self {
            active: true,
            silenced: true,
            inhibited: true,
            unprocessed: true,
            receiver: None,
            receiver_matchers: Vec::new(),
            matchers: Vec::new(),
        }
    }
}

/// Which groups to show.
#[derive(Clone, Debug)]
pub struct GroupFilter {
    /// Which of their alerts.
    pub alerts: AlertFilter,
    /// Whether groups that are muted by time are shown.
    pub muted: bool,
}

impl Default for GroupFilter {
    fn default() -> Self {
        Self {
            alerts: AlertFilter::default(),
            muted: true,
        }
    }
}

/// A group as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupView {
    /// What its alerts have in common.
    pub labels: Labels,
    /// Labels of the route as written; values may be templates.
    pub route_labels: Vec<(String, String)>,
    /// Who is told.
    pub receiver: String,
    /// Its key.
    pub key: String,
    /// When it is looked at next.
    pub next_flush: Timestamp,
    /// Its alerts.
    pub alerts: Vec<AlertView>,
}

/// A receiver as the API shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiverView {
    /// Its name.
    pub name: String,
    /// Its labels, `name` among them.
    pub labels: Labels,
    /// Its integrations, as `webhook[0]`.
    pub integrations: Vec<String>,
}

/// An alert that fires and reaches only receivers to which nothing sends yet.
#[derive(Clone, Debug, PartialEq)]
pub struct UndeliveredView {
    /// The alert.
    pub alert: Alert,
    /// The receivers.
    pub receivers: Vec<String>,
    /// Their kinds of integrations.
    pub kinds: Vec<String>,
}

impl Machine {
    /// The alerts that have not ended, in order of their fingerprints.
    #[must_use]
    pub fn alerts(&self, filter: &AlertFilter, now: Timestamp) -> Vec<AlertView> {
        let mut views: Vec<AlertView> = self
            .alerts
            .map()
            .iter()
            .filter_map(|(fingerprint, alert)| {
                let receivers = self.receivers_of(&alert.labels);
                let wanted = receivers.iter().any(|name| self.is_wanted(name, filter));
                if !wanted {
                    return None;
                }
                let mut view = self.shown(*fingerprint, alert, filter, now)?;
                view.receivers = receivers;
                Some(view)
            })
            .collect();
        views.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
        views
    }

    /// The groups with the alerts that have not ended.
    #[must_use]
    pub fn groups(&self, filter: &GroupFilter, now: Timestamp) -> Vec<GroupView> {
        let mut views: Vec<GroupView> = Vec::new();
        for group in self.groups.values() {
            let muted_by = self.muted_times(group, now);
            let hidden = !filter.muted && !muted_by.is_empty();
            if hidden || !self.is_wanted(&group.node.receiver, &filter.alerts) {
                continue;
            }
            let alerts = self.shown_members(group, &muted_by, filter, now);
            if !alerts.is_empty() {
                views.push(GroupView {
                    labels: group.labels.clone(),
                    route_labels: group.node.labels.clone(),
                    receiver: group.node.receiver.clone(),
                    key: group.key.clone(),
                    next_flush: group.next_flush,
                    alerts,
                });
            }
        }
        views.sort_by(|a, b| {
            crate::alert::compare_labels(&a.labels, &b.labels)
                .then_with(|| a.receiver.cmp(&b.receiver))
        });
        views
    }

    fn shown_members(
        &self,
        group: &Group,
        muted_by: &[String],
        filter: &GroupFilter,
        now: Timestamp,
    ) -> Vec<AlertView> {
        let mut members: Vec<Alert> = group
            .members
            .iter()
            .filter_map(|fingerprint| self.alerts.get(*fingerprint).cloned())
            .collect();
        crate::alert::sort(&mut members);
        members
            .iter()
            .filter_map(|alert| {
                let fingerprint = alert.labels.fingerprint();
                let mut view = self.shown(fingerprint, alert, &filter.alerts, now)?;
                view.receivers = self.receivers_of(&alert.labels);
                view.receivers.sort();
                if !muted_by.is_empty() {
                    view.state = AlertState::Suppressed;
                    view.muted_by = muted_by.to_vec();
                }
                Some(view)
            })
            .collect()
    }

    /// One alert, or nothing where the filter does not want it.
    fn shown(
        &self,
        fingerprint: u64,
        alert: &Alert,
        filter: &AlertFilter,
        now: Timestamp,
    ) -> Option<AlertView> {
        if alert.ends_at < now || !all_match(&filter.matchers, &alert.labels) {
            return None;
        }
        let silenced_by = self.silences.muting(&alert.labels, now);
        let inhibited_by: Vec<String> = self
            .inhibitor
            .muted_by(&alert.labels, self.alerts.map(), now)
            .map(|source| format!("{source:016x}"))
            .into_iter()
            .collect();
        let active = silenced_by.is_empty() && inhibited_by.is_empty();
        let unwanted = (!filter.active && active)
            || (!filter.silenced && !silenced_by.is_empty())
            || (!filter.inhibited && !inhibited_by.is_empty());
        (!unwanted).then(|| AlertView {
            fingerprint: format!("{fingerprint:016x}"),
            state: if active {
                AlertState::Active
            } else {
                AlertState::Suppressed
            },
            silenced_by,
            inhibited_by,
            muted_by: Vec::new(),
            receivers: Vec::new(),
            flapping: self.is_held(fingerprint),
            alert: alert.clone(),
        })
    }

    /// The receivers of the routes that an alert with these labels takes.
    #[must_use]
    pub fn receivers_of(&self, labels: &Labels) -> Vec<String> {
        let nodes = self.routes_of(labels);
        nodes.iter().map(|node| node.receiver.clone()).collect()
    }

    fn is_wanted(&self, receiver: &str, filter: &AlertFilter) -> bool {
        let by_name = filter
            .receiver
            .as_ref()
            .is_none_or(|regex| regex.is_match(receiver));
        let labels = self
            .config
            .receiver(receiver)
            .map(|receiver| &receiver.labels);
        let by_labels = filter.receiver_matchers.is_empty()
            || labels.is_some_and(|labels| all_match(&filter.receiver_matchers, labels));
        by_name && by_labels
    }

    /// The receivers in the order of the file.
    #[must_use]
    pub fn receivers(&self) -> Vec<ReceiverView> {
        let view = |receiver: &crate::config::Receiver| ReceiverView {
            name: receiver.name.clone(),
            labels: receiver.labels.clone(),
            integrations: receiver
                .integrations
                .iter()
                .map(|i| format!("{}[{}]", i.kind, i.index))
                .collect(),
        };
        self.config.receivers.iter().map(view).collect()
    }

    /// Alerts that fire, are not suppressed, and that nobody was told of because every attempt failed, was
    /// refused, or has waited for a minute.
    #[must_use]
    pub fn undelivered(&self, now: Timestamp) -> Vec<UndeliveredView> {
        let mut failing: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for (fingerprint, targets) in &self.unheard {
            let kinds = targets.iter().map(|target| target.kind.clone());
            failing.insert(*fingerprint, kinds.collect());
        }
        for pending in self.outbox.iter() {
            let notice = &pending.notice;
            if notice.attempts == 0 && now.millis_since(notice.created_at) < WAITED_MS {
                continue;
            }
            for fingerprint in &notice.firing {
                let kinds = failing.entry(*fingerprint).or_default();
                kinds.insert(notice.target.kind.clone());
            }
        }
        if !failing.is_empty() {
            let told = self.log.values().flat_map(|entry| &entry.firing);
            for fingerprint in told {
                failing.remove(fingerprint);
            }
        }
        let mut views = Vec::new();
        for (fingerprint, kinds) in failing {
            let told = self.told.get(&fingerprint);
            let suppressed = told.is_some_and(|told| told.suppressed_by.is_some());
            let Some(alert) = self.alerts.get(fingerprint) else {
                continue;
            };
            if alert.is_resolved_at(now) || suppressed {
                continue;
            }
            views.push(UndeliveredView {
                alert: alert.clone(),
                receivers: self.receivers_of(&alert.labels),
                kinds: kinds.into_iter().collect(),
            });
        }
        views
    }

    /// The silences that could match what fulfils `filter`: active ones first, then pending, then expired.
    #[must_use]
    pub fn silences(&self, filter: &[Matcher], now: Timestamp) -> Vec<Silence> {
        let mut list: Vec<Silence> = self
            .silences
            .iter()
            .filter(|silence| fits(silence, filter))
            .cloned()
            .collect();
        list.sort_by_key(|silence| {
            let state = silence.state(now);
            let moment = match state {
                SilenceState::Active => silence.ends_at.millis(),
                SilenceState::Pending => silence.starts_at.millis(),
                SilenceState::Expired => silence.ends_at.millis().saturating_neg(),
            };
            (state, moment)
        });
        list
    }

    /// The silence of this id.
    #[must_use]
    pub fn silence(&self, id: &str) -> Option<&Silence> {
        self.silences.get(id)
    }

    /// Joins the alerts that fire and fulfil matchers with how often alerts began.
    #[must_use]
    pub fn would_mute(
        &self,
        matchers: &[Matcher],
        starts: Vec<(Labels, usize, Timestamp)>,
        now: Timestamp,
    ) -> Vec<Muted> {
        let mut muted: BTreeMap<u64, Muted> = BTreeMap::new();
        for (labels, fired, last) in starts {
            let firing = false;
            muted.insert(
                labels.fingerprint(),
                Muted {
                    labels,
                    fired,
                    last,
                    firing,
                },
            );
        }
        for (fingerprint, alert) in self.alerts.map() {
            if !alert.is_resolved_at(now) && all_match(matchers, &alert.labels) {
                let entry = muted.entry(*fingerprint).or_insert_with(|| Muted {
                    labels: alert.labels.clone(),
                    fired: 1,
                    last: alert.starts_at,
                    firing: true,
                });
                entry.firing = true;
            }
        }
        let mut list: Vec<Muted> = muted.into_values().collect();
        list.sort_by_key(|one| (!one.firing, std::cmp::Reverse(one.fired)));
        list
    }

    /// How many alerts flap.
    #[must_use]
    pub fn flapping(&self) -> usize {
        self.flaps.count()
    }

    /// The alerts whose ends are held back, by fingerprint; one that ended long ago is not known any more.
    #[must_use]
    pub fn flapping_alerts(&self) -> Vec<(u64, Labels)> {
        let known = |fingerprint| Some((fingerprint, self.alerts.get(fingerprint)?.labels.clone()));
        self.flaps
            .all()
            .filter(|fingerprint| self.is_held(*fingerprint))
            .filter_map(known)
            .collect()
    }

    /// How many alerts are in each state, how many groups there are, and how many silences in each state.
    #[must_use]
    pub fn census(
        &self,
        now: Timestamp,
    ) -> (
        BTreeMap<&'static str, usize>,
        usize,
        BTreeMap<&'static str, usize>,
    ) {
        let mut alerts = BTreeMap::from([("active", 0), ("suppressed", 0), ("unprocessed", 0)]);
        for (fingerprint, alert) in self.alerts.map() {
            if alert.is_resolved_at(now) {
                continue;
            }
            let suppressed = self
                .told
                .get(fingerprint)
                .is_some_and(|told| told.suppressed_by.is_some());
            let state = if suppressed { "suppressed" } else { "active" };
            *alerts.entry(state).or_default() += 1;
        }
        let mut silences = BTreeMap::from([("active", 0), ("pending", 0), ("expired", 0)]);
        for silence in self.silences.iter() {
            *silences.entry(silence.state(now).name()).or_default() += 1;
        }
        (alerts, self.groups.len(), silences)
    }
}

/// Whether a silence has every matcher of the filter, exactly as it stands there.
fn fits(silence: &Silence, filter: &[Matcher]) -> bool {
    filter
        .iter()
        .all(|wanted| silence.matchers.contains(wanted))
}
