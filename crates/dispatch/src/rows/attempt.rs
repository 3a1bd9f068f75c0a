//! Rows of attempts to deliver, and which alerts were in them.

use super::{all, index, moment, put_number, read_target, run, text};
use crate::notice::{Notice, Target};
use model::Timestamp;
use rusqlite::{Row as SqlRow, Transaction, params};
use std::collections::BTreeSet;
use storage::{State, StateError};

/// Attempts that are kept, for the page and for explaining.
const KEPT: i64 = 20_000;
/// Alerts of an attempt that are kept with it: of a larger group, the first by their fingerprints.
const ALERTS_MAX: usize = 100;
/// The number that says that older attempts are in the table below.
const INDEXED: &str = "attempts_indexed";

/// The table by which attempts with an alert are found.
pub(super) const TABLE: &str = "
    CREATE TABLE dispatch_attempt_alerts (
        fingerprint INTEGER NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (fingerprint, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX dispatch_attempt_alerts_by_number ON dispatch_attempt_alerts (number);
";

/// Attempts with one alert, the newest first.
pub(super) const OF_ONE: &str = "
    SELECT a.* FROM dispatch_attempt_alerts i JOIN dispatch_attempts a ON a.number = i.number
    WHERE i.fingerprint = ?1 ORDER BY i.number DESC LIMIT ?2";

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
    put_alerts(tx, tx.last_insert_rowid(), &attempt.alerts)?;
    for table in ["dispatch_attempts", "dispatch_attempt_alerts"] {
        let sql = format!(
            "DELETE FROM {table} WHERE number <= (SELECT max(number) FROM dispatch_attempts) - ?1"
        );
        run(tx, &sql, params![KEPT])?;
    }
    Ok(())
}

fn put_alerts(tx: &Transaction<'_>, number: i64, alerts: &BTreeSet<u64>) -> Result<(), StateError> {
    for fingerprint in alerts.iter().take(ALERTS_MAX) {
        run(
            tx,
            "INSERT OR IGNORE INTO dispatch_attempt_alerts VALUES (?1, ?2)",
            params![fingerprint.cast_signed(), number],
        )?;
    }
    Ok(())
}

/// Enters the attempts that were stored before there was a table of their alerts; does so once.
pub fn index_attempts(state: &State) -> Result<(), StateError> {
    state.transaction(|tx| {
        let sql = format!("SELECT 1 FROM dispatch_numbers WHERE name = '{INDEXED}'");
        if !all(tx, &sql, |_| Ok(()))?.is_empty() {
            return Ok(());
        }
        let older = all(tx, "SELECT number, alerts FROM dispatch_attempts", |row| {
            Ok((row.get(0)?, text::to_set(&row.get::<_, String>(1)?)?))
        })?;
        for (number, alerts) in older {
            put_alerts(tx, number, &alerts)?;
        }
        put_number(tx, INDEXED, 1)
    })
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
        let mut rows = statement.query(params![fingerprint.cast_signed(), count])?;
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
