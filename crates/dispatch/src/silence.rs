//! Silences: alerts that match are not told for a while.
//!
//! A silence is never deleted by hand: it expires, and is kept for a while as history. Changing what it
//! matches expires it and makes a new one.

use crate::matchers;
use model::{Labels, Matcher, Timestamp};
use std::collections::BTreeMap;

/// How long an expired silence is kept.
const RETENTION_MS: i64 = 120 * 3_600_000;
/// Silences at most.
const SILENCES_MAX: usize = 10_000;
/// Bytes of one silence's texts at most.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// A silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// A UUID.
    pub id: String,
    /// What an alert must fulfil; all of them.
    pub matchers: Vec<Matcher>,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Further texts of the maker.
    pub annotations: BTreeMap<String, String>,
}

/// Where a silence is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SilenceState {
    /// It mutes.
    Active,
    /// It will mute.
    Pending,
    /// It is history.
    Expired,
}

impl SilenceState {
    /// As the API names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

/// Why a silence was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// There is none of this id.
    #[error("silence not found")]
    NotFound,
    /// It is not a valid silence; upstream's words.
    #[error("{0}")]
    Invalid(String),
}

impl Silence {
    /// Where it is in its life.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> SilenceState {
        if now < self.starts_at {
            SilenceState::Pending
        } else if now > self.ends_at {
            SilenceState::Expired
        } else {
            SilenceState::Active
        }
    }

    /// Whether it mutes an alert with these labels at `now`.
    #[must_use]
    pub fn mutes(&self, labels: &Labels, now: Timestamp) -> bool {
        self.state(now) == SilenceState::Active && model::matcher::all_match(&self.matchers, labels)
    }

    fn check(&self, now: Timestamp) -> Result<(), String> {
        if self.starts_at >= self.ends_at {
            return Err("Failed to create silence: start time must be before end time".to_owned());
        }
        if self.ends_at < now {
            return Err("Failed to create silence: end time can't be in the past".to_owned());
        }
        if self.matchers.is_empty() {
            return Err("invalid silence: matcher set 0 is empty".to_owned());
        }
        for (index, matcher) in self.matchers.iter().enumerate() {
            if !matchers::is_label_name(matcher.name()) {
                let name = matcher.name();
                return Err(format!(
                    "invalid silence: invalid label matcher {index} in set 0: invalid label name {name:?}"
                ));
            }
        }
        if self.matchers.iter().all(Matcher::matches_empty) {
            return Err("invalid silence: matcher set 0: at least one matcher must not match the empty string".to_owned());
        }
        let annotations = self.annotations.iter().map(|(k, v)| k.len() + v.len());
        let size: usize = annotations.sum::<usize>()
            + self.comment.len()
            + self.created_by.len()
            + self
                .matchers
                .iter()
                .map(|m| m.name().len() + m.value().len())
                .sum::<usize>();
        if size > TEXT_BYTES_MAX {
            return Err(format!(
                "silence exceeded maximum size: {size} bytes (limit: {TEXT_BYTES_MAX} bytes)"
            ));
        }
        Ok(())
    }

    /// Whether `new` changes only what may be changed in place.
    fn can_become(&self, new: &Self, now: Timestamp) -> bool {
        if sorted(&self.matchers) != sorted(&new.matchers) {
            return false;
        }
        match self.state(now) {
            SilenceState::Active => {
                let second = |moment: Timestamp| moment.millis().div_euclid(1000);
                second(self.starts_at) == second(new.starts_at) && new.ends_at >= now
            }
            SilenceState::Pending => new.starts_at >= now,
            SilenceState::Expired => false,
        }
    }

    /// Ends it; nothing where it has ended already.
    fn expired(&self, now: Timestamp) -> Option<Self> {
        let starts_at = match self.state(now) {
            SilenceState::Expired => return None,
            SilenceState::Active => self.starts_at,
            SilenceState::Pending => now,
        };
        // It ends before `now`, so that it does not mute any more in this very millisecond.
        Some(Self {
            starts_at: starts_at.min(now.plus_millis(-1)),
            ends_at: now.plus_millis(-1),
            updated_at: now,
            ..self.clone()
        })
    }
}

fn sorted(list: &[Matcher]) -> Vec<Matcher> {
    let mut list = list.to_vec();
    matchers::sort(&mut list);
    list
}

/// All silences.
#[derive(Clone, Debug, Default)]
pub struct Silences {
    by_id: BTreeMap<String, Silence>,
}

impl Silences {
    /// Takes a silence over as it was stored.
    pub fn restore(&mut self, silence: Silence) {
        self.by_id.insert(silence.id.clone(), silence);
    }

    /// All, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Silence> {
        self.by_id.values()
    }

    /// The silence of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Silence> {
        self.by_id.get(id)
    }

    /// Makes a silence, or changes the one whose id it carries. `new_id` is used where a new one is made.
    ///
    /// Answers the id and the silences to store.
    pub fn set(
        &mut self,
        mut silence: Silence,
        new_id: String,
        now: Timestamp,
    ) -> Result<(String, Vec<Silence>), SilenceError> {
        silence.check(now).map_err(SilenceError::Invalid)?;
        silence.updated_at = now;
        let previous = self.by_id.get(&silence.id);
        if !silence.id.is_empty() && previous.is_none() {
            return Err(SilenceError::NotFound);
        }
        let mut changed = Vec::new();
        match previous {
            Some(previous) if previous.can_become(&silence, now) => {}
            previous => {
                if self.by_id.len() >= SILENCES_MAX {
                    let count = self.by_id.len();
                    return Err(SilenceError::Invalid(format!(
                        "exceeded maximum number of silences: {count} (limit: {SILENCES_MAX})"
                    )));
                }
                changed.extend(previous.and_then(|previous| previous.expired(now)));
                silence.id = new_id;
                silence.starts_at = silence.starts_at.max(now);
            }
        }
        let id = silence.id.clone();
        changed.push(silence);
        for silence in &changed {
            self.by_id.insert(silence.id.clone(), silence.clone());
        }
        Ok((id, changed))
    }

    /// Ends a silence; answers what to store, nothing where it had ended already.
    pub fn expire(&mut self, id: &str, now: Timestamp) -> Result<Option<Silence>, SilenceError> {
        let silence = self.by_id.get(id).ok_or(SilenceError::NotFound)?;
        let expired = silence.expired(now);
        if let Some(expired) = &expired {
            self.by_id.insert(id.to_owned(), expired.clone());
        }
        Ok(expired)
    }

    /// Ids of the silences that mute an alert with these labels at `now`.
    #[must_use]
    pub fn muting(&self, labels: &Labels, now: Timestamp) -> Vec<String> {
        let muting = self.iter().filter(|silence| silence.mutes(labels, now));
        muting.map(|silence| silence.id.clone()).collect()
    }

    /// Forgets what expired long ago; answers the ids.
    pub fn forget_old(&mut self, now: Timestamp) -> Vec<String> {
        let old = |silence: &&Silence| now.millis_since(silence.ends_at) > RETENTION_MS;
        let ids: Vec<String> = self.iter().filter(old).map(|s| s.id.clone()).collect();
        for id in &ids {
            self.by_id.remove(id);
        }
        ids
    }

    /// The next moment after `now` at which a silence begins or has ended.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.iter()
            .flat_map(|silence| [silence.starts_at, silence.ends_at.plus_millis(1)])
            .filter(|moment| *moment > now)
            .min()
    }
}

#[cfg(test)]
mod tests;
