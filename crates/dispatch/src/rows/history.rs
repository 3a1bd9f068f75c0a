//! Rows of what became of alerts. Label sets are stored once.

use super::{all, moment, run, text};
use crate::history::{ANSWER_MAX, AlertEvent, Change, EVENTS_MAX, HistoryQuery};
use model::{Labels, Timestamp, matcher};
use rusqlite::{Connection, Transaction, params};
use storage::{State, StateError};

/// The tables.
pub(super) const TABLES: &str = "
    CREATE TABLE dispatch_history (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at_ms INTEGER NOT NULL,
        fingerprint INTEGER NOT NULL,
        change TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX dispatch_history_by_alert ON dispatch_history (fingerprint, at_ms);
    CREATE INDEX dispatch_history_by_time ON dispatch_history (at_ms);
    CREATE TABLE dispatch_history_labels (
        fingerprint INTEGER PRIMARY KEY,
        labels TEXT NOT NULL
    ) STRICT;
    ALTER TABLE dispatch_attempts ADD COLUMN alerts TEXT NOT NULL DEFAULT '[]';
";

pub(super) fn put(tx: &Transaction<'_>, event: &AlertEvent) -> Result<(), StateError> {
    let fingerprint = event.labels.fingerprint().cast_signed();
    run(
        tx,
        "INSERT OR IGNORE INTO dispatch_history_labels VALUES (?1, ?2)",
        params![fingerprint, event.labels.encoded()],
    )?;
    run(
        tx,
        "INSERT INTO dispatch_history (at_ms, fingerprint, change, detail) VALUES (?1, ?2, ?3, ?4)",
        params![
            event.at.millis(),
            fingerprint,
            event.change.name(),
            event.detail
        ],
    )
}

/// Drops what is older than a moment, and the oldest where there are too many.
pub(super) fn trim(tx: &Transaction<'_>, before: Timestamp) -> Result<(), StateError> {
    run(
        tx,
        "DELETE FROM dispatch_history WHERE at_ms < ?1",
        params![before.millis()],
    )?;
    run(
        tx,
        "DELETE FROM dispatch_history WHERE number <= (SELECT max(number) FROM dispatch_history) - ?1",
        params![EVENTS_MAX],
    )?;
    run(
        tx,
        "DELETE FROM dispatch_history_labels
         WHERE fingerprint NOT IN (SELECT fingerprint FROM dispatch_history)",
        params![],
    )
}

/// The events that are wanted, the newest first.
pub fn events(state: &State, query: &HistoryQuery) -> Result<Vec<AlertEvent>, StateError> {
    state.read(|db| {
        let wanted = fingerprints(db, query)?;
        let limit = query.limit.min(ANSWER_MAX);
        let mut statement = db.prepare_cached(
            "SELECT at_ms, fingerprint, change, detail FROM dispatch_history
             WHERE at_ms >= ?1 AND at_ms <= ?2 AND (?3 IS NULL OR fingerprint = ?3)
             ORDER BY number DESC",
        )?;
        let start = query.start.unwrap_or(Timestamp::MIN).millis();
        let end = query.end.unwrap_or(Timestamp::MAX).millis();
        let only = query.fingerprint.map(u64::cast_signed);
        let mut rows = statement.query(params![start, end, only])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if found.len() >= limit {
                break;
            }
            let Some(labels) = wanted.get(&row.get::<_, i64>(1)?) else {
                continue;
            };
            let name: String = row.get(2)?;
            found.push(AlertEvent {
                at: moment(row, 0)?,
                labels: labels.clone(),
                change: Change::from_name(&name)
                    .ok_or_else(|| StateError::Corrupt(format!("change {name:?} of an alert")))?,
                detail: row.get(3)?,
            });
        }
        Ok(found)
    })
}

/// How often and when last the alerts began that fulfil matchers, since a moment.
pub fn starts(
    state: &State,
    query: &HistoryQuery,
) -> Result<Vec<(Labels, usize, Timestamp)>, StateError> {
    state.read(|db| {
        let wanted = fingerprints(db, query)?;
        let start = query.start.unwrap_or(Timestamp::MIN).millis();
        let mut statement = db.prepare_cached(
            "SELECT fingerprint, count(*), max(at_ms) FROM dispatch_history
             WHERE at_ms >= ?1 AND change = 'fired' GROUP BY fingerprint",
        )?;
        let mut rows = statement.query(params![start])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if let Some(labels) = wanted.get(&row.get::<_, i64>(0)?) {
                let count = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                found.push((labels.clone(), count, moment(row, 2)?));
            }
        }
        Ok(found)
    })
}

/// When alerts began since a moment, for finding those that flap.
pub(super) fn recent(db: &Connection, since_ms: i64) -> Result<Vec<(u64, Timestamp)>, StateError> {
    let sql = format!(
        "SELECT fingerprint, at_ms FROM dispatch_history WHERE at_ms >= {since_ms} AND change = 'fired' ORDER BY number"
    );
    all(db, &sql, |row| {
        Ok((row.get::<_, i64>(0)?.cast_unsigned(), moment(row, 1)?))
    })
}

/// The label sets that a query wants.
fn fingerprints(
    db: &Connection,
    query: &HistoryQuery,
) -> Result<std::collections::BTreeMap<i64, Labels>, StateError> {
    let sets = all(db, "SELECT * FROM dispatch_history_labels", |row| {
        let labels = text::to_labels(&row.get::<_, String>(1)?)?;
        Ok((row.get::<_, i64>(0)?, labels))
    })?;
    let wanted = |(fingerprint, labels): &(i64, Labels)| {
        query
            .fingerprint
            .is_none_or(|only| only.cast_signed() == *fingerprint)
            && matcher::all_match(&query.matchers, labels)
    };
    Ok(sets.into_iter().filter(wanted).collect())
}
