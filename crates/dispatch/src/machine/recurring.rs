//! Silences that come again, and reminders of those that are about to end.

use super::{Machine, Step};
use crate::recurrence::{ANNOTATION, RECURRENCES_MAX, Recurrence};
use crate::rows::Row;
use crate::silence::{Silence, SilenceError, SilenceState};
use crate::uuid;
use model::{Alert, Labels, Timestamp};
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;
/// The alert about a silence that is about to end.
pub const SILENCE_ENDS: &str = "BinnacleSilenceExpiring";
/// The annotation of a silence that says how long before its end to remind of it.
pub const REMIND_BEFORE: &str = "binnacle_remind_before";

impl Machine {
    /// The silences that come again, in order of their ids.
    pub fn recurrences(&self) -> impl Iterator<Item = &Recurrence> {
        self.recurrences.values()
    }

    /// Takes a silence that comes again; the one with the same id is replaced, and what it made ends. `new_id` is
    /// used where a new one is made.
    pub(super) fn set_recurrence(
        &mut self,
        now: Timestamp,
        (mut new, new_id): (Recurrence, String),
        step: &mut Step,
    ) -> Result<String, SilenceError> {
        if new.id.is_empty() {
            if self.recurrences.len() >= RECURRENCES_MAX {
                let message = format!("more than {RECURRENCES_MAX} recurring silences");
                return Err(SilenceError::Invalid(message));
            }
            new.id = new_id;
        } else if self.recurrences.contains_key(&new.id) {
            self.end_made(now, &new.id, step);
        } else {
            return Err(SilenceError::NotFound);
        }
        let id = new.id.clone();
        step.rows.push(Row::PutRecurrence(new.clone()));
        self.recurrences.insert(id.clone(), new);
        self.next_recurrence = Timestamp::MIN;
        Ok(id)
    }

    /// Forgets a silence that comes again, and ends what it made.
    pub(super) fn remove_recurrence(
        &mut self,
        now: Timestamp,
        id: &str,
        step: &mut Step,
    ) -> Result<String, SilenceError> {
        self.recurrences.remove(id).ok_or(SilenceError::NotFound)?;
        step.rows.push(Row::DeleteRecurrence(id.to_owned()));
        self.end_made(now, id, step);
        Ok(id.to_owned())
    }

    /// Ends the silences that one made.
    fn end_made(&mut self, now: Timestamp, id: &str, step: &mut Step) {
        let made: Vec<String> = self
            .silences
            .iter()
            .filter(|silence| {
                silence
                    .annotations
                    .get(ANNOTATION)
                    .is_some_and(|of| of == id)
            })
            .map(|silence| silence.id.clone())
            .collect();
        for silence in made {
            if let Ok(Some(expired)) = self.silences.expire(&silence, now) {
                step.rows.push(Row::PutSilence(expired));
            }
        }
        self.next_review = Timestamp::MIN;
    }

    /// Begins the silences whose window is open, and reminds of those that are about to end.
    pub(super) fn recur_due(&mut self, now: Timestamp, step: &mut Step) {
        if now < self.next_recurrence {
            return;
        }
        let next = now.millis().div_euclid(MINUTE_MS) + 1;
        self.next_recurrence = Timestamp::from_millis(next * MINUTE_MS);
        let due: Vec<Recurrence> = self
            .recurrences
            .values()
            .filter(|recurrence| recurrence.is_due(now))
            .cloned()
            .collect();
        for recurrence in due {
            self.begin(now, recurrence, step);
        }
        self.remind(now, step);
    }

    fn begin(&mut self, now: Timestamp, mut recurrence: Recurrence, step: &mut Step) {
        let ends_at = recurrence.closes(now);
        recurrence.made_until = ends_at;
        let silence = Silence {
            id: String::new(),
            matchers: recurrence.matchers.clone(),
            starts_at: now,
            ends_at,
            updated_at: now,
            created_by: recurrence.created_by.clone(),
            comment: recurrence.comment.clone(),
            annotations: BTreeMap::from([(ANNOTATION.to_owned(), recurrence.id.clone())]),
        };
        // The same where the step is made again.
        let id = uuid::of(&format!("{}\n{}", recurrence.id, now.millis()));
        match self.silences.set(silence, id, now) {
            Ok((_, changed)) => {
                step.rows.extend(changed.into_iter().map(Row::PutSilence));
                self.next_review = Timestamp::MIN;
            }
            Err(error) => {
                // Again at the next look, as long as the window is open.
                let trouble = format!("silence of {}: {error}", recurrence.id);
                return step.trouble.push(trouble);
            }
        }
        step.rows.push(Row::PutRecurrence(recurrence.clone()));
        self.recurrences.insert(recurrence.id.clone(), recurrence);
    }

    fn remind(&mut self, now: Timestamp, step: &mut Step) {
        let general = self.config.own.silence_reminder_ms;
        let due: Vec<Alert> = self
            .silences
            .iter()
            .filter(|silence| silence.state(now) == SilenceState::Active)
            .filter_map(|silence| {
                let own = silence.annotations.get(REMIND_BEFORE);
                let own = own.and_then(|text| model::parse_duration(text).ok());
                let comes_again = silence.annotations.contains_key(ANNOTATION);
                let before_ms = own.or(general.filter(|_| !comes_again))?;
                let left_ms = silence.ends_at.millis_since(now);
                let length_ms = silence.ends_at.millis_since(silence.starts_at);
                (left_ms <= before_ms && length_ms > before_ms).then(|| reminder(silence, now))
            })
            .filter(|alert| self.alerts.get(alert.labels.fingerprint()).is_none())
            .collect();
        for alert in due {
            self.store(now, alert, step);
        }
    }

    /// Whether the machine must look at the clock every minute.
    pub(super) fn next_recurrence(&self) -> Option<Timestamp> {
        let reminds = self.config.own.silence_reminder_ms.is_some()
            || self
                .silences
                .iter()
                .any(|silence| silence.annotations.contains_key(REMIND_BEFORE));
        (reminds || !self.recurrences.is_empty()).then_some(self.next_recurrence)
    }
}

/// The alert about a silence that is about to end. It ends with the silence.
fn reminder(silence: &Silence, now: Timestamp) -> Alert {
    let ends_at = silence.ends_at;
    let matchers = crate::matchers::print_matchers(&silence.matchers);
    let summary = format!("silence {matchers} ends at {ends_at}");
    let about = format!("{}: {}", silence.created_by, silence.comment);
    Alert {
        labels: Labels::from_pairs([
            ("alertname", SILENCE_ENDS),
            ("severity", "info"),
            ("silence", silence.id.as_str()),
        ]),
        annotations: Labels::from_pairs([
            ("summary", summary.as_str()),
            ("description", about.as_str()),
        ]),
        starts_at: now,
        ends_at,
        updated_at: now,
        ends_by_timeout: false,
        generator_url: String::new(),
    }
}
