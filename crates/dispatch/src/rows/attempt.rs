//! Rows of attempts to deliver, and which alerts were in them.

use super::{all, index, moment, read_target, run, text};
use crate::notice::{Notice, Target};
use model::Timestamp;
use rusqlite::{Row as SqlRow, Transaction, params};
use std::collections::BTreeSet;
use storage::{State, StateError};

/// Attempts that are kept, for the page and for explaining.
const KEPT: i64 = 20_000;
/// Alerts of an attempt that are kept with it: of a larger group, the first by their fingerprints.
const ALERTS_MAX: usize = 100;
/// Attempts with one alert, the newest first. No index leads there: that would be a row for each alert at every attempt,
/// all over the tables, where somebody asks now and then. All that are kept are 4 MB of text, 40 at most.
const OF_ONE: &str = "
    SELECT * FROM dispatch_attempts
    WHERE instr(',' || substr(alerts, 2, length(alerts) - 2) || ',', ',' || ?1 || ',') > 0
    ORDER BY number DESC LIMIT ?2";

/// An attempt to deliver, as the page shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// The notification.
    pub notice_id: String,
    /// Whom it was for.
    pub target: Target,
    /// The group.
    pub group_key: String,
    /// Why it was sent.
    pub reason: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The alerts in it, 100 of them at most.
    pub alerts: BTreeSet<u64>,
    /// Alerts in it that fired.
    pub firing: usize,
    /// Alerts in it that had ended.
    pub resolved: usize,
    /// What went wrong, nothing if it arrived.
    pub error: Option<String>,
}

impl Attempt {
    /// An attempt that worked.
    #[must_use]
    pub fn of(notice: &Notice, at: Timestamp) -> Self {
        let resolved = notice.alerts.iter().filter(|alert| alert.resolved).count();
        let fingerprints = notice.firing.union(&notice.resolved);
        Self {
            at,
            notice_id: notice.id.clone(),
            target: notice.target.clone(),
            group_key: notice.group_key.clone(),
            reason: notice.reason.text().to_owned(),
            attempt: notice.attempts,
            alerts: fingerprints.take(ALERTS_MAX).copied().collect(),
            firing: notice.alerts.len() - resolved,
            resolved,
            error: None,
        }
    }
}

pub(super) fn add(tx: &Transaction<'_>, attempt: &Attempt) -> Result<(), StateError> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    run(
        tx,
        "INSERT INTO dispatch_attempts
             (at_ms, notice_id, receiver, kind, idx, group_key, reason, attempt, firing, resolved, error, alerts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            attempt.at.millis(),
            attempt.notice_id,
            attempt.target.receiver,
            attempt.target.kind,
            index(&attempt.target),
            attempt.group_key,
            attempt.reason,
            attempt.attempt,
            count(attempt.firing),
            count(attempt.resolved),
            attempt.error,
            text::from_set(&attempt.alerts),
        ],
    )?;
    run(
        tx,
        "DELETE FROM dispatch_attempts WHERE number <= (SELECT max(number) FROM dispatch_attempts) - ?1",
        params![KEPT],
    )
}

/// The last attempts, newest first.
pub fn attempts(state: &State, count: usize) -> Result<Vec<Attempt>, StateError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    state.read(|db| {
        let sql = format!("SELECT * FROM dispatch_attempts ORDER BY number DESC LIMIT {count}");
        all(db, &sql, read_attempt)
    })
}

/// The last attempts with one alert, newest first.
pub fn attempts_of(
    state: &State,
    fingerprint: u64,
    count: usize,
) -> Result<Vec<Attempt>, StateError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    state.read(|db| {
        let mut statement = db.prepare_cached(OF_ONE)?;
        let mut rows = statement.query(params![fingerprint.to_string(), count])?;
        let mut list = Vec::new();
        while let Some(row) = rows.next()? {
            list.push(read_attempt(row)?);
        }
        Ok(list)
    })
}

fn read_attempt(row: &SqlRow<'_>) -> Result<Attempt, StateError> {
    let count = |column| -> Result<usize, StateError> {
        Ok(usize::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
    };
    Ok(Attempt {
        at: moment(row, 1)?,
        notice_id: row.get(2)?,
        target: read_target(row, 3)?,
        group_key: row.get(6)?,
        reason: row.get(7)?,
        attempt: row.get(8)?,
        firing: count(9)?,
        resolved: count(10)?,
        error: row.get(11)?,
        alerts: text::to_set(&row.get::<_, String>(12)?)?,
    })
}
