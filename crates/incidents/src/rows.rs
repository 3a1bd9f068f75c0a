//! The tables and their SQL.
//!
//! `incidents`: one row an incident. `incident_alerts`: the alerts they follow, by the labels'
//! encoded form. `incident_timeline`: one row a line. `incident_outbox`: announcements that nobody
//! has confirmed yet. Times are milliseconds since the epoch.

use crate::machine_input::{Announcement, AnnouncementKind, Output, Row};
use crate::{Entry, EntryKind, Followed, Incident, Severity, Status};
use model::{Labels, Timestamp};
use rusqlite::{Connection, Transaction, params};
use storage::{Migration, StateError};

/// Announcements that wait at most; the oldest are dropped when nobody fetches them.
const OUTBOX_MAX: i64 = 10_000;

pub(crate) const MIGRATION: Migration = Migration {
    component: "incidents",
    steps: &["
        CREATE TABLE incidents (
            id INTEGER PRIMARY KEY,
            status TEXT NOT NULL,
            severity TEXT NOT NULL,
            title TEXT NOT NULL,
            labels TEXT NOT NULL,
            opened_at INTEGER NOT NULL,
            acknowledged_at INTEGER,
            acknowledged_by TEXT,
            resolved_at INTEGER,
            resolved_by TEXT,
            timeline_count INTEGER NOT NULL,
            timeline_omitted INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE incident_alerts (
            labels TEXT PRIMARY KEY,
            incident_id INTEGER NOT NULL,
            starts_at INTEGER NOT NULL,
            ends_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            left_at INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE incident_timeline (
            incident_id INTEGER NOT NULL,
            position INTEGER NOT NULL,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            who TEXT NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (incident_id, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE incident_outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            incident_id INTEGER NOT NULL,
            kind TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
    "],
};

/// Writes what a step changes.
pub(crate) fn write(tx: &Transaction<'_>, output: &Output) -> Result<(), StateError> {
    for row in &output.rows {
        write_row(tx, row)?;
    }
    for announcement in &output.announcements {
        tx.prepare_cached(
            "INSERT INTO incident_outbox (incident_id, kind, at) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![
            to_sql(announcement.incident),
            announcement.kind.name(),
            announcement.at.millis()
        ])?;
    }
    if !output.announcements.is_empty() {
        tx.prepare_cached(
            "DELETE FROM incident_outbox
             WHERE id <= (SELECT max(id) FROM incident_outbox) - ?1",
        )?
        .execute([OUTBOX_MAX])?;
    }
    Ok(())
}

fn write_row(tx: &Transaction<'_>, row: &Row) -> Result<(), StateError> {
    match row {
        Row::Incident(incident) => write_incident(tx, incident)?,
        Row::Entry {
            incident,
            position,
            entry,
        } => {
            tx.prepare_cached("INSERT INTO incident_timeline VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    to_sql(*incident),
                    count_to_sql(*position),
                    entry.at.millis(),
                    entry.kind.name(),
                    entry.who,
                    entry.text
                ])?;
        }
        Row::Alert(labels, followed) => {
            tx.prepare_cached(
                "INSERT OR REPLACE INTO incident_alerts VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                labels.encoded(),
                to_sql(followed.incident),
                followed.starts_at.millis(),
                followed.ends_at.millis(),
                followed.updated_at.millis(),
                followed.left_at.map(Timestamp::millis)
            ])?;
        }
        Row::AlertForgotten(labels) => {
            tx.prepare_cached("DELETE FROM incident_alerts WHERE labels = ?1")?
                .execute([labels.encoded()])?;
        }
        Row::IncidentForgotten(id) => {
            for sql in [
                "DELETE FROM incidents WHERE id = ?1",
                "DELETE FROM incident_timeline WHERE incident_id = ?1",
            ] {
                tx.prepare_cached(sql)?.execute([to_sql(*id)])?;
            }
        }
    }
    Ok(())
}

fn write_incident(tx: &Transaction<'_>, incident: &Incident) -> Result<(), StateError> {
    let at = |by: &Option<(Timestamp, String)>| by.as_ref().map(|(at, _)| at.millis());
    let who = |by: &Option<(Timestamp, String)>| by.as_ref().map(|(_, who)| who.clone());
    tx.prepare_cached(
        "INSERT OR REPLACE INTO incidents
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        to_sql(incident.id),
        incident.status.name(),
        incident.severity.name(),
        incident.title,
        incident.labels.encoded(),
        incident.opened_at.millis(),
        at(&incident.acknowledged),
        who(&incident.acknowledged),
        at(&incident.resolved),
        who(&incident.resolved),
        count_to_sql(incident.timeline_count),
        count_to_sql(incident.timeline_omitted)
    ])?;
    Ok(())
}

/// Reads every incident, by id.
pub(crate) fn incidents(db: &Connection) -> Result<Vec<Incident>, StateError> {
    let mut statement = db.prepare(
        "SELECT id, status, severity, title, labels, opened_at, acknowledged_at, acknowledged_by,
                resolved_at, resolved_by, timeline_count, timeline_omitted
         FROM incidents ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut incidents = Vec::new();
    while let Some(row) = rows.next()? {
        let (status, severity): (String, String) = (row.get(1)?, row.get(2)?);
        let by = |at: Option<i64>, who: Option<String>| {
            at.map(|at| (Timestamp::from_millis(at), who.unwrap_or_default()))
        };
        incidents.push(Incident {
            id: id_from_sql(row.get(0)?),
            status: Status::from_name(&status).ok_or_else(|| corrupt("status", &status))?,
            severity: Severity::from_name(&severity)
                .ok_or_else(|| corrupt("severity", &severity))?,
            title: row.get(3)?,
            labels: labels_from_sql(&row.get::<_, String>(4)?)?,
            opened_at: Timestamp::from_millis(row.get(5)?),
            acknowledged: by(row.get(6)?, row.get(7)?),
            resolved: by(row.get(8)?, row.get(9)?),
            timeline_count: count_from_sql(row.get(10)?),
            timeline_omitted: count_from_sql(row.get(11)?),
        });
    }
    Ok(incidents)
}

/// Reads every followed alert.
pub(crate) fn alerts(db: &Connection) -> Result<Vec<(Labels, Followed)>, StateError> {
    let mut statement = db.prepare(
        "SELECT labels, incident_id, starts_at, ends_at, updated_at, left_at FROM incident_alerts",
    )?;
    let mut rows = statement.query([])?;
    let mut alerts = Vec::new();
    while let Some(row) = rows.next()? {
        let followed = Followed {
            incident: id_from_sql(row.get(1)?),
            starts_at: Timestamp::from_millis(row.get(2)?),
            ends_at: Timestamp::from_millis(row.get(3)?),
            updated_at: Timestamp::from_millis(row.get(4)?),
            left_at: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        };
        alerts.push((labels_from_sql(&row.get::<_, String>(0)?)?, followed));
    }
    Ok(alerts)
}

/// Reads the timeline of an incident in order.
pub(crate) fn timeline(db: &Connection, id: u64) -> Result<Vec<Entry>, StateError> {
    let mut statement = db.prepare_cached(
        "SELECT at, kind, who, text FROM incident_timeline
         WHERE incident_id = ?1 ORDER BY position",
    )?;
    let mut rows = statement.query([to_sql(id)])?;
    let mut timeline = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(1)?;
        timeline.push(Entry {
            at: Timestamp::from_millis(row.get(0)?),
            kind: EntryKind::from_name(&kind).ok_or_else(|| corrupt("timeline kind", &kind))?,
            who: row.get(2)?,
            text: row.get(3)?,
        });
    }
    Ok(timeline)
}

/// Reads the oldest announcements that wait, with their numbers.
pub(crate) fn outbox(db: &Connection, max: usize) -> Result<Vec<(u64, Announcement)>, StateError> {
    let mut statement = db.prepare_cached(
        "SELECT id, incident_id, kind, at FROM incident_outbox ORDER BY id LIMIT ?1",
    )?;
    let mut rows = statement.query([count_to_sql(max)])?;
    let mut waiting = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(2)?;
        let announcement = Announcement {
            incident: id_from_sql(row.get(1)?),
            kind: AnnouncementKind::from_name(&kind)
                .ok_or_else(|| corrupt("announcement", &kind))?,
            at: Timestamp::from_millis(row.get(3)?),
        };
        waiting.push((id_from_sql(row.get(0)?), announcement));
    }
    Ok(waiting)
}

/// Removes announcements up to a number, that one included.
pub(crate) fn confirm(tx: &Transaction<'_>, up_to: u64) -> Result<(), StateError> {
    tx.prepare_cached("DELETE FROM incident_outbox WHERE id <= ?1")?
        .execute([to_sql(up_to)])?;
    Ok(())
}

fn corrupt(what: &str, value: &str) -> StateError {
    StateError::Corrupt(format!("incidents: unknown {what} {value:?}"))
}

fn labels_from_sql(encoded: &str) -> Result<Labels, StateError> {
    Labels::from_encoded(encoded).ok_or_else(|| corrupt("label set", encoded))
}

/// SQLite's integers are signed; ids count up from 1 and never come near the end.
fn to_sql(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn id_from_sql(id: i64) -> u64 {
    u64::try_from(id).unwrap_or_default()
}

fn count_to_sql(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count_from_sql(count: i64) -> usize {
    usize::try_from(count).unwrap_or_default()
}
