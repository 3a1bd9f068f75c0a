//! The state machine: alerts and people's decisions in, rows and announcements out.
//!
//! It reads no clock and does no I/O. Alerts are told apart by their labels, as everywhere else; an
//! alert that an incident has once taken stays with it until it ends, even when routes change.

use crate::machine_input::{
    Announcement, AnnouncementKind, Input, Notification, Output, Refusal, Row,
};
use crate::{Entry, EntryKind, Followed, Incident, Severity, Status};
use model::{Labels, RoutedAlert, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a note at most: a long log excerpt.
pub(crate) const NOTE_BYTES_MAX: usize = 16 << 10;
/// Bytes of a person's name at most.
const WHO_BYTES_MAX: usize = 256;
/// Bytes of a title, or of an alert's labels in a timeline, at most.
const TEXT_BYTES_MAX: usize = 2048;
/// How long after a start an alert of before may go without a report.
const UNHEARD_KEPT_MS: i64 = 5 * 60_000;
/// How long an ended alert is remembered, so that the notification of its end finds its incident.
const LEFT_KEPT_MS: i64 = 24 * 3_600_000;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Incidents that are not resolved; an alert that would open another is refused.
    pub open_max: usize,
    /// Resolved incidents; the oldest are forgotten.
    pub resolved_max: usize,
    /// Alerts that are followed; further ones are refused.
    pub alerts_max: usize,
    /// Lines of one timeline; then only what is rare is added.
    pub timeline_max: usize,
}

impl Default for Limits {
    /// Far above what 50 engineers can look at, far below what hurts a small machine.
    fn default() -> Self {
        Self {
            open_max: 10_000,
            resolved_max: 20_000,
            alerts_max: 100_000,
            timeline_max: 1000,
        }
    }
}

/// All incidents and the alerts they follow.
#[derive(Clone, Debug)]
pub struct Machine {
    limits: Limits,
    /// When the process started.
    started_at: Timestamp,
    /// Firing alerts of before the start that nobody has reported since.
    unheard: BTreeSet<Labels>,
    next_id: u64,
    incidents: BTreeMap<u64, Incident>,
    /// Those that are not resolved, by their labels.
    open: BTreeMap<Labels, u64>,
    alerts: BTreeMap<Labels, Followed>,
    /// How many alerts of an incident have not ended.
    firing: BTreeMap<u64, usize>,
}

impl Machine {
    /// Makes the machine from what is stored; `now` counts as the moment of the start.
    #[must_use]
    pub fn new(
        limits: Limits,
        now: Timestamp,
        incidents: Vec<Incident>,
        alerts: Vec<(Labels, Followed)>,
    ) -> Self {
        let mut machine = Self {
            limits,
            started_at: now,
            unheard: BTreeSet::new(),
            next_id: incidents.iter().map(|i| i.id).max().unwrap_or(0) + 1,
            incidents: BTreeMap::new(),
            open: BTreeMap::new(),
            alerts: BTreeMap::new(),
            firing: BTreeMap::new(),
        };
        for incident in incidents {
            if incident.is_open() {
                machine.open.insert(incident.labels.clone(), incident.id);
            }
            machine.incidents.insert(incident.id, incident);
        }
        for (labels, followed) in alerts {
            if followed.left_at.is_none() {
                *machine.firing.entry(followed.incident).or_default() += 1;
                machine.unheard.insert(labels.clone());
            }
            machine.alerts.insert(labels, followed);
        }
        machine
    }

    /// Takes over from `before` what is in no row: the start, and which alerts were heard of since.
    /// For a machine that is made anew without a restart.
    #[must_use]
    pub fn continuing(mut self, before: &Self) -> Self {
        self.started_at = before.started_at;
        self.unheard.clone_from(&before.unheard);
        self
    }

    /// All incidents by id.
    #[must_use]
    pub const fn incidents(&self) -> &BTreeMap<u64, Incident> {
        &self.incidents
    }

    /// How many incidents are not resolved.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// The alerts of an incident, those that ended lately included.
    #[must_use]
    pub fn alerts_of(&self, id: u64) -> Vec<(Labels, Followed)> {
        let of_this = |(_, followed): &(&Labels, &Followed)| followed.incident == id;
        self.alerts
            .iter()
            .filter(of_this)
            .map(|(labels, followed)| (labels.clone(), followed.clone()))
            .collect()
    }

    /// Takes one input in. A refusal changes nothing.
    pub fn step(&mut self, now: Timestamp, input: Input<'_>) -> Result<Output, Refusal> {
        let mut output = Output::default();
        match input {
            Input::Alert(routed) if routed.resolved => self.alert_ended(now, routed, &mut output),
            Input::Alert(routed) => self.alert_fires(now, routed, &mut output),
            Input::Notification(notification) => self.notified(now, notification, &mut output),
            Input::Acknowledge { id, who } => self.acknowledge(now, id, who, &mut output)?,
            Input::Resolve { id, who } => {
                check_text("the name", who, WHO_BYTES_MAX)?;
                self.open_incident(id)?;
                self.resolve(now, id, who, &mut output);
            }
            Input::Note { id, who, text } => self.note(now, (id, who, text), &mut output)?,
            Input::Tick => self.tick(now, &mut output),
        }
        Ok(output)
    }

    fn alert_fires(&mut self, now: Timestamp, routed: &RoutedAlert, output: &mut Output) {
        let alert = &routed.alert;
        self.unheard.remove(&alert.labels);
        let known = self.alerts.get(&alert.labels).cloned();
        let Some(known) = known else {
            self.join_or_open(now, routed, output);
            return;
        };
        let incident = self.incidents.get(&known.incident);
        let is_open = incident.is_some_and(Incident::is_open);
        let is_new_start = alert.starts_at > known.starts_at;
        match (known.left_at.is_none(), is_open) {
            (true, true) => {
                self.follow(now, known.incident, routed, output);
                self.raise_severity(now, known.incident, &alert.labels, output);
            }
            // Somebody resolved the incident by hand: only a new start of the alert is news.
            (true, false) if is_new_start => {
                self.leave(now, &alert.labels, output);
                self.join_or_open(now, routed, output);
            }
            (true, false) => self.follow(now, known.incident, routed, output),
            (false, _) if is_new_start => self.join_or_open(now, routed, output),
            // It never ended; only its reports failed to come in time.
            (false, true) => self.join_or_open(now, routed, output),
            (false, false) => self.fires_on(now, known.incident, routed, output),
        }
    }

    /// An alert whose end was reported fires on, and its incident was resolved in between: unless that
    /// was done by hand, the incident opens again.
    fn fires_on(&mut self, now: Timestamp, id: u64, routed: &RoutedAlert, output: &mut Output) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        let is_by_hand = incident
            .resolved
            .as_ref()
            .is_some_and(|(_, who)| !who.is_empty());
        if is_by_hand {
            self.follow(now, id, routed, output);
            return;
        }
        if self.open.contains_key(&incident.labels) || routed.suppressed_by.is_some() {
            self.join_or_open(now, routed, output);
            return;
        }
        incident.resolved = None;
        incident.status = match incident.acknowledged {
            Some(_) => Status::Acknowledged,
            None => Status::Open,
        };
        self.open.insert(incident.labels.clone(), id);
        self.add_entry(now, id, (EntryKind::Reopened, "", ""), output);
        announce(now, id, AnnouncementKind::Reopened, output);
        self.join_or_open(now, routed, output);
    }

    /// Lets an alert belong to the incident of its kind; opens one where there is none. A suppressed
    /// alert belongs to none.
    fn join_or_open(&mut self, now: Timestamp, routed: &RoutedAlert, output: &mut Output) {
        if routed.suppressed_by.is_some() {
            return;
        }
        let is_new = !self.alerts.contains_key(&routed.alert.labels);
        if is_new && self.alerts.len() >= self.limits.alerts_max {
            output.refused_alerts += 1;
            return;
        }
        let alert_text = shortened(&routed.alert.labels.to_string());
        let key = incident_labels(routed);
        let id = match self.open.get(&key) {
            Some(id) => *id,
            None if self.open.len() >= self.limits.open_max => {
                output.refused_alerts += 1;
                return;
            }
            None => self.open_new(now, routed, key, output),
        };
        self.follow(now, id, routed, output);
        self.add_entry(now, id, (EntryKind::AlertJoined, "", &alert_text), output);
        self.raise_severity(now, id, &routed.alert.labels, output);
    }

    fn open_new(
        &mut self,
        now: Timestamp,
        routed: &RoutedAlert,
        labels: Labels,
        output: &mut Output,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let incident = Incident {
            id,
            status: Status::Open,
            severity: Severity::of(&routed.alert.labels),
            title: title(routed),
            labels: labels.clone(),
            opened_at: now,
            acknowledged: None,
            resolved: None,
            timeline_count: 0,
            timeline_omitted: 0,
        };
        let text = incident.title.clone();
        self.open.insert(labels, id);
        self.incidents.insert(id, incident);
        self.add_entry(now, id, (EntryKind::Opened, "", &text), output);
        announce(now, id, AnnouncementKind::Opened, output);
        id
    }

    /// Writes down that an alert fires and belongs to an incident.
    fn follow(&mut self, now: Timestamp, id: u64, routed: &RoutedAlert, output: &mut Output) {
        let alert = &routed.alert;
        let followed = Followed {
            incident: id,
            starts_at: alert.starts_at,
            ends_at: alert.ends_at,
            updated_at: now,
            left_at: None,
        };
        let before = self.alerts.insert(alert.labels.clone(), followed.clone());
        let before = before.filter(|b| b.left_at.is_none() && b.incident == id);
        if before.is_none() {
            *self.firing.entry(id).or_default() += 1;
        }
        // A repeated report moves only times that matter to nobody after a restart.
        let is_repeated = before.is_some_and(|b| b.starts_at == followed.starts_at);
        if !is_repeated {
            output.rows.push(Row::Alert(alert.labels.clone(), followed));
        }
    }

    fn alert_ended(&mut self, now: Timestamp, routed: &RoutedAlert, output: &mut Output) {
        let alert = &routed.alert;
        self.unheard.remove(&alert.labels);
        let Some(followed) = self.alerts.get(&alert.labels) else {
            return;
        };
        // The end of an earlier firing may come late; the alert fires again by now.
        if alert.starts_at >= followed.starts_at {
            self.leave(now, &alert.labels, output);
        }
    }

    /// Writes down that an alert ended; resolves its incident with the last of its alerts.
    fn leave(&mut self, now: Timestamp, labels: &Labels, output: &mut Output) {
        let Some(followed) = self.alerts.get_mut(labels) else {
            return;
        };
        if followed.left_at.is_some() {
            return;
        }
        followed.left_at = Some(now);
        let id = followed.incident;
        output
            .rows
            .push(Row::Alert(labels.clone(), followed.clone()));
        let left = self
            .firing
            .get(&id)
            .map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            self.firing.remove(&id);
        } else {
            self.firing.insert(id, left);
        }
        if self.incidents.get(&id).is_some_and(Incident::is_open) {
            let text = shortened(&labels.to_string());
            self.add_entry(now, id, (EntryKind::AlertLeft, "", &text), output);
            if left == 0 {
                self.resolve(now, id, "", output);
            }
        }
    }

    fn raise_severity(&mut self, now: Timestamp, id: u64, labels: &Labels, output: &mut Output) {
        let severity = Severity::of(labels);
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        if severity >= incident.severity {
            return;
        }
        let text = format!("{} → {}", incident.severity.name(), severity.name());
        incident.severity = severity;
        self.add_entry(now, id, (EntryKind::SeverityChanged, "", &text), output);
        announce(now, id, AnnouncementKind::SeverityRaised, output);
    }

    /// Adds the line to each incident that one of the alerts belongs to.
    fn notified(&mut self, now: Timestamp, notification: &Notification, output: &mut Output) {
        let followed = |labels| self.alerts.get(labels).map(|f: &Followed| f.incident);
        let ids: BTreeSet<u64> = notification.alerts.iter().filter_map(followed).collect();
        let (kind, text) = match &notification.failure {
            None => (
                EntryKind::NotificationSent,
                shortened(&notification.receiver),
            ),
            Some(reason) => (
                EntryKind::NotificationFailed,
                shortened(&format!("{}: {reason}", notification.receiver)),
            ),
        };
        for id in ids {
            self.add_entry(now, id, (kind, "", &text), output);
        }
    }

    fn acknowledge(
        &mut self,
        now: Timestamp,
        id: u64,
        who: &str,
        output: &mut Output,
    ) -> Result<(), Refusal> {
        check_text("the name", who, WHO_BYTES_MAX)?;
        let incident = self.open_incident(id)?;
        if incident.acknowledged.is_some() {
            return Ok(());
        }
        incident.status = Status::Acknowledged;
        incident.acknowledged = Some((now, who.to_owned()));
        self.add_entry(now, id, (EntryKind::Acknowledged, who, ""), output);
        announce(now, id, AnnouncementKind::Acknowledged, output);
        Ok(())
    }

    fn note(
        &mut self,
        now: Timestamp,
        (id, who, text): (u64, &str, &str),
        output: &mut Output,
    ) -> Result<(), Refusal> {
        check_text("the name", who, WHO_BYTES_MAX)?;
        check_text("the note", text, NOTE_BYTES_MAX)?;
        let incident = self.incidents.get(&id).ok_or(Refusal::NotFound(id))?;
        if incident.timeline_count >= self.limits.timeline_max {
            return Err(Refusal::TimelineFull(id));
        }
        self.add_entry(now, id, (EntryKind::Note, who, text), output);
        Ok(())
    }

    fn open_incident(&mut self, id: u64) -> Result<&mut Incident, Refusal> {
        let incident = self.incidents.get_mut(&id).ok_or(Refusal::NotFound(id))?;
        if incident.is_open() {
            Ok(incident)
        } else {
            Err(Refusal::AlreadyResolved(id))
        }
    }

    fn resolve(&mut self, now: Timestamp, id: u64, who: &str, output: &mut Output) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        incident.status = Status::Resolved;
        incident.resolved = Some((now, who.to_owned()));
        self.open.remove(&incident.labels);
        self.add_entry(now, id, (EntryKind::Resolved, who, ""), output);
        announce(now, id, AnnouncementKind::Resolved, output);
        self.forget_oldest(output);
    }

    /// Forgets resolved incidents beyond the limit. One whose alerts still fire is not the oldest
    /// to go: they would open it anew.
    fn forget_oldest(&mut self, output: &mut Output) {
        let resolved = self.incidents.len() - self.open.len();
        if resolved <= self.limits.resolved_max {
            return;
        }
        let oldest = self
            .incidents
            .values()
            .find(|incident| !incident.is_open() && !self.firing.contains_key(&incident.id))
            .map(|incident| incident.id);
        let Some(id) = oldest else {
            return;
        };
        self.incidents.remove(&id);
        self.forget_alerts(output, |followed| followed.incident == id);
        output.rows.push(Row::IncidentForgotten(id));
    }

    fn forget_alerts(&mut self, output: &mut Output, is_forgotten: impl Fn(&Followed) -> bool) {
        self.alerts.retain(|labels, followed| {
            let forgotten = is_forgotten(followed);
            if forgotten {
                output.rows.push(Row::AlertForgotten(labels.clone()));
            }
            !forgotten
        });
    }

    /// Ends alerts that nobody knows any more: they fired before the start, and were not reported
    /// since. All others end when that is reported.
    fn tick(&mut self, now: Timestamp, output: &mut Output) {
        if now.millis_since(self.started_at) >= UNHEARD_KEPT_MS {
            for labels in std::mem::take(&mut self.unheard) {
                self.leave(now, &labels, output);
            }
        }
        self.forget_alerts(output, |followed| {
            followed
                .left_at
                .is_some_and(|left| now.millis_since(left) >= LEFT_KEPT_MS)
        });
    }

    /// Adds a line and writes the incident down as it is now.
    fn add_entry(
        &mut self,
        at: Timestamp,
        id: u64,
        (kind, who, text): (EntryKind, &str, &str),
        output: &mut Output,
    ) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        let position = incident.timeline_count;
        if position >= self.limits.timeline_max && !kind.is_rare() {
            incident.timeline_omitted += 1;
        } else {
            incident.timeline_count += 1;
            let entry = Entry {
                at,
                kind,
                who: who.to_owned(),
                text: text.to_owned(),
            };
            output.rows.push(Row::Entry {
                incident: id,
                position,
                entry,
            });
        }
        output.rows.push(Row::Incident(incident.clone()));
    }
}

fn announce(at: Timestamp, incident: u64, kind: AnnouncementKind, output: &mut Output) {
    output
        .announcements
        .push(Announcement { incident, kind, at });
}

/// What an incident is found by: the alert's name and the group labels.
fn incident_labels(routed: &RoutedAlert) -> Labels {
    routed.group_labels.with("alertname", routed.alert.name())
}

fn title(routed: &RoutedAlert) -> String {
    let summary = routed.alert.annotations.value("summary").trim();
    if !summary.is_empty() {
        return shortened(summary);
    }
    let name = routed.alert.name();
    let rest = routed.group_labels.without(&["alertname"]);
    if rest.is_empty() {
        shortened(name)
    } else {
        shortened(&format!("{name} {rest}"))
    }
}

/// The text, cut at a character's border where it is too long.
fn shortened(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    let (head, _) = text.split_at(end);
    format!("{head}…")
}

fn check_text(what: &'static str, text: &str, bytes_max: usize) -> Result<(), Refusal> {
    let bytes = text.len();
    if text.trim().is_empty() || bytes > bytes_max {
        return Err(Refusal::BadText {
            what,
            bytes,
            bytes_max,
        });
    }
    Ok(())
}
