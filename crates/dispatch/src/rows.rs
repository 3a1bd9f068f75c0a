//! The rows that make the machine's memory, and the SQL of their tables.
//!
//! One transaction holds all rows of one step: a group's next moment and the notification it led to are
//! stored together or not at all.

use crate::history::AlertEvent;
use crate::machine::{Failing, Membership, Restored};
use crate::notice::{LogEntry, Notice, Target};
use crate::recurrence::Recurrence;
use crate::silence::Silence;
use model::{Alert, Timestamp};
use rusqlite::{Connection, Row as SqlRow, Transaction, params};
use std::collections::BTreeSet;
use storage::{Migration, State, StateError};

mod attempt;
mod failing;
pub mod history;
mod recurrence;
mod text;

pub use attempt::{Attempt, attempts, attempts_of};

/// The tables.
pub const MIGRATION: Migration = Migration {
    component: "dispatch",
    steps: &[
        "
        CREATE TABLE dispatch_alerts (
            fingerprint INTEGER PRIMARY KEY,
            labels TEXT NOT NULL,
            annotations TEXT NOT NULL,
            starts_at_ms INTEGER NOT NULL,
            ends_at_ms INTEGER NOT NULL,
            updated_at_ms INTEGER NOT NULL,
            ends_by_timeout INTEGER NOT NULL,
            generator_url TEXT NOT NULL
        ) STRICT;
        CREATE TABLE dispatch_groups (
            id TEXT PRIMARY KEY,
            next_flush_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE dispatch_members (
            group_id TEXT NOT NULL,
            fingerprint INTEGER NOT NULL,
            PRIMARY KEY (group_id, fingerprint)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE dispatch_silences (
            id TEXT PRIMARY KEY,
            matchers TEXT NOT NULL,
            starts_at_ms INTEGER NOT NULL,
            ends_at_ms INTEGER NOT NULL,
            updated_at_ms INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            comment TEXT NOT NULL,
            annotations TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE dispatch_log (
            group_key TEXT NOT NULL,
            receiver TEXT NOT NULL,
            kind TEXT NOT NULL,
            idx INTEGER NOT NULL,
            at_ms INTEGER NOT NULL,
            expires_at_ms INTEGER NOT NULL,
            firing TEXT NOT NULL,
            resolved TEXT NOT NULL,
            memory TEXT NOT NULL,
            PRIMARY KEY (group_key, receiver, kind, idx)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE dispatch_outbox (
            id TEXT PRIMARY KEY,
            notice TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE dispatch_attempts (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at_ms INTEGER NOT NULL,
            notice_id TEXT NOT NULL,
            receiver TEXT NOT NULL,
            kind TEXT NOT NULL,
            idx INTEGER NOT NULL,
            group_key TEXT NOT NULL,
            reason TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            firing INTEGER NOT NULL,
            resolved INTEGER NOT NULL,
            error TEXT
        ) STRICT;
    ",
        failing::TABLES,
        history::TABLES,
        recurrence::TABLE,
    ],
};

/// One change of what is stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// An alert as it is now.
    PutAlert(Alert),
    /// An alert is forgotten.
    DeleteAlert(u64),
    /// A group and when it is looked at next.
    PutGroup(String, Timestamp),
    /// A group is over; its members leave it.
    DeleteGroup(String),
    /// An alert is in a group.
    PutMember(String, u64),
    /// An alert left a group.
    DeleteMember(String, u64),
    /// A silence as it is now.
    PutSilence(Silence),
    /// A silence is forgotten.
    DeleteSilence(String),
    /// What a receiver was told of a group.
    PutLog(String, Target, LogEntry),
    /// That is forgotten.
    DeleteLog(String, Target),
    /// A notification on its way.
    PutNotice(Notice),
    /// It arrived, or was given up.
    DeleteNotice(String),
    /// An attempt to deliver, for the page.
    AddAttempt(Attempt),
    /// An integration fails.
    PutFailing(Target, Failing),
    /// It does no more.
    DeleteFailing(Target),
    /// A notification with this alert was given up.
    PutUnheard(u64, Target),
    /// Somebody was told of it, or it ended.
    DeleteUnheard(u64),
    /// How many notifications there were.
    PutSequence(u64),
    /// A silence that comes again, as it is now.
    PutRecurrence(Recurrence),
    /// It is forgotten.
    DeleteRecurrence(String),
    /// Something happened to an alert.
    AddEvent(AlertEvent),
    /// What happened before this moment is forgotten.
    TrimHistory(Timestamp),
    /// The moment of a probe.
    PutProbe(Timestamp),
}

/// Stores rows in one transaction.
pub fn commit(state: &State, rows: &[Row]) -> Result<(), StateError> {
    if rows.is_empty() {
        return Ok(());
    }
    state.transaction(|tx| {
        for row in rows {
            store(tx, row)?;
        }
        Ok(())
    })
}

fn store(tx: &Transaction<'_>, row: &Row) -> Result<(), StateError> {
    match row {
        Row::PutAlert(alert) => put_alert(tx, alert)?,
        Row::DeleteAlert(fingerprint) => run(
            tx,
            "DELETE FROM dispatch_alerts WHERE fingerprint = ?1",
            params![fingerprint.cast_signed()],
        )?,
        Row::PutGroup(id, next_flush) => run(
            tx,
            "INSERT INTO dispatch_groups VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET next_flush_ms = excluded.next_flush_ms",
            params![id, next_flush.millis()],
        )?,
        Row::DeleteGroup(id) => {
            run(
                tx,
                "DELETE FROM dispatch_members WHERE group_id = ?1",
                params![id],
            )?;
            run(tx, "DELETE FROM dispatch_groups WHERE id = ?1", params![id])?;
        }
        Row::PutMember(id, fingerprint) => run(
            tx,
            "INSERT OR IGNORE INTO dispatch_members VALUES (?1, ?2)",
            params![id, fingerprint.cast_signed()],
        )?,
        Row::DeleteMember(id, fingerprint) => run(
            tx,
            "DELETE FROM dispatch_members WHERE group_id = ?1 AND fingerprint = ?2",
            params![id, fingerprint.cast_signed()],
        )?,
        Row::PutSilence(silence) => put_silence(tx, silence)?,
        Row::DeleteSilence(id) => run(
            tx,
            "DELETE FROM dispatch_silences WHERE id = ?1",
            params![id],
        )?,
        Row::PutLog(group_key, target, entry) => put_log(tx, group_key, target, entry)?,
        Row::DeleteLog(group_key, target) => run(
            tx,
            "DELETE FROM dispatch_log WHERE group_key = ?1 AND receiver = ?2 AND kind = ?3 AND idx = ?4",
            params![group_key, target.receiver, target.kind, index(target)],
        )?,
        Row::PutNotice(notice) => run(
            tx,
            "INSERT INTO dispatch_outbox VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET notice = excluded.notice",
            params![notice.id, text::from_notice(notice)],
        )?,
        Row::DeleteNotice(id) => run(tx, "DELETE FROM dispatch_outbox WHERE id = ?1", params![id])?,
        Row::AddAttempt(attempt) => attempt::add(tx, attempt)?,
        Row::PutFailing(target, entry) => failing::put(tx, target, Some(entry))?,
        Row::DeleteFailing(target) => failing::put(tx, target, None)?,
        Row::PutUnheard(fingerprint, target) => {
            failing::put_unheard(tx, *fingerprint, Some(target))?;
        }
        Row::DeleteUnheard(fingerprint) => failing::put_unheard(tx, *fingerprint, None)?,
        Row::PutSequence(value) => put_number(tx, "sequence", value.cast_signed())?,
        Row::PutRecurrence(entry) => recurrence::put(tx, entry)?,
        Row::DeleteRecurrence(id) => run(
            tx,
            "DELETE FROM dispatch_recurrences WHERE id = ?1",
            params![id],
        )?,
        Row::AddEvent(event) => history::put(tx, event)?,
        Row::TrimHistory(before) => history::trim(tx, *before)?,
        Row::PutProbe(at) => put_number(tx, "probe", at.millis())?,
    }
    Ok(())
}

fn run(tx: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> Result<(), StateError> {
    tx.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn index(target: &Target) -> i64 {
    i64::try_from(target.index).unwrap_or(i64::MAX)
}

fn put_number(tx: &Transaction<'_>, name: &str, value: i64) -> Result<(), StateError> {
    run(
        tx,
        "INSERT OR REPLACE INTO dispatch_numbers VALUES (?1, ?2)",
        params![name, value],
    )
}

fn put_alert(tx: &Transaction<'_>, alert: &Alert) -> Result<(), StateError> {
    run(
        tx,
        "INSERT OR REPLACE INTO dispatch_alerts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            alert.labels.fingerprint().cast_signed(),
            alert.labels.encoded(),
            alert.annotations.encoded(),
            alert.starts_at.millis(),
            alert.ends_at.millis(),
            alert.updated_at.millis(),
            alert.ends_by_timeout,
            alert.generator_url,
        ],
    )
}

fn put_silence(tx: &Transaction<'_>, silence: &Silence) -> Result<(), StateError> {
    run(
        tx,
        "INSERT OR REPLACE INTO dispatch_silences VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            silence.id,
            text::from_matchers(&silence.matchers),
            silence.starts_at.millis(),
            silence.ends_at.millis(),
            silence.updated_at.millis(),
            silence.created_by,
            silence.comment,
            text::from_map(&silence.annotations),
        ],
    )
}

fn put_log(
    tx: &Transaction<'_>,
    group_key: &str,
    target: &Target,
    entry: &LogEntry,
) -> Result<(), StateError> {
    run(
        tx,
        "INSERT OR REPLACE INTO dispatch_log VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            group_key,
            target.receiver,
            target.kind,
            index(target),
            entry.at.millis(),
            entry.expires_at.millis(),
            text::from_set(&entry.firing),
            text::from_set(&entry.resolved),
            text::from_pairs(&entry.memory),
        ],
    )
}

/// Everything that is stored; of the history, beginnings of alerts since `since`.
pub fn load(state: &State, since: Timestamp) -> Result<Restored, StateError> {
    let since_ms = since.millis();
    state.read(|db| {
        let mut restored = Restored {
            alerts: all(db, "SELECT * FROM dispatch_alerts", read_alert)?,
            silences: all(db, "SELECT * FROM dispatch_silences", read_silence)?,
            log: all(db, "SELECT * FROM dispatch_log", read_log)?,
            notices: all(db, "SELECT notice FROM dispatch_outbox", |row| {
                text::to_notice(&row.get::<_, String>(0)?)
            })?,
            failing: all(db, "SELECT * FROM dispatch_failing", failing::read)?,
            unheard: all(db, "SELECT * FROM dispatch_unheard", failing::read_unheard)?,
            sequence: all(
                db,
                "SELECT value FROM dispatch_numbers WHERE name = 'sequence'",
                |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()),
            )?
            .pop()
            .unwrap_or(0),
            flaps: history::recent(db, since_ms)?,
            recurrences: all(db, "SELECT * FROM dispatch_recurrences", recurrence::read)?,
            ..Restored::default()
        };
        let groups = all(db, "SELECT id, next_flush_ms FROM dispatch_groups", |row| {
            Ok((row.get::<_, String>(0)?, moment(row, 1)?))
        })?;
        for (id, next_flush) in groups {
            let members = BTreeSet::new();
            restored.groups.insert(
                id,
                Membership {
                    next_flush,
                    members,
                },
            );
        }
        let members = all(
            db,
            "SELECT group_id, fingerprint FROM dispatch_members",
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?.cast_unsigned(),
                ))
            },
        )?;
        for (id, fingerprint) in members {
            if let Some(group) = restored.groups.get_mut(&id) {
                group.members.insert(fingerprint);
            }
        }
        Ok(restored)
    })
}

fn all<T>(
    db: &Connection,
    sql: &str,
    read: impl Fn(&SqlRow<'_>) -> Result<T, StateError>,
) -> Result<Vec<T>, StateError> {
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(read(row)?);
    }
    Ok(list)
}

fn moment(row: &SqlRow<'_>, column: usize) -> Result<Timestamp, StateError> {
    Ok(Timestamp::from_millis(row.get(column)?))
}

fn read_alert(row: &SqlRow<'_>) -> Result<Alert, StateError> {
    Ok(Alert {
        labels: text::to_labels(&row.get::<_, String>(1)?)?,
        annotations: text::to_annotations(&row.get::<_, String>(2)?)?,
        starts_at: moment(row, 3)?,
        ends_at: moment(row, 4)?,
        updated_at: moment(row, 5)?,
        ends_by_timeout: row.get(6)?,
        generator_url: row.get(7)?,
    })
}

fn read_silence(row: &SqlRow<'_>) -> Result<Silence, StateError> {
    Ok(Silence {
        id: row.get(0)?,
        matchers: text::to_matchers(&row.get::<_, String>(1)?)?,
        starts_at: moment(row, 2)?,
        ends_at: moment(row, 3)?,
        updated_at: moment(row, 4)?,
        created_by: row.get(5)?,
        comment: row.get(6)?,
        annotations: text::to_map(&row.get::<_, String>(7)?)?,
    })
}

fn read_target(row: &SqlRow<'_>, first: usize) -> Result<Target, StateError> {
    Ok(Target {
        receiver: row.get(first)?,
        kind: row.get(first + 1)?,
        index: usize::try_from(row.get::<_, i64>(first + 2)?).unwrap_or(usize::MAX),
    })
}

fn read_log(row: &SqlRow<'_>) -> Result<(String, Target, LogEntry), StateError> {
    let entry = LogEntry {
        at: moment(row, 4)?,
        expires_at: moment(row, 5)?,
        firing: text::to_set(&row.get::<_, String>(6)?)?,
        resolved: text::to_set(&row.get::<_, String>(7)?)?,
        memory: text::to_pairs(&row.get::<_, String>(8)?)?,
    };
    Ok((row.get(0)?, read_target(row, 1)?, entry))
}

#[cfg(test)]
mod tests;
