//! The tables and their SQL.
//!
//! `rule_groups`: one row a group with the moment of a recent evaluation; that the row is there says
//! that the state of the group is known. `rule_alerts`: one row an alert, with every timer. Labels are
//! in their encoded form, times in milliseconds since the epoch.

use crate::alerts::{AlertState, Instance, Timers};
use crate::group::GroupKey;
use model::{Labels, Timestamp};
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeMap;
use storage::{Migration, StateError};

pub(crate) const MIGRATION: Migration = Migration {
    component: "rules",
    steps: &["
        CREATE TABLE rule_groups (
            file TEXT NOT NULL,
            name TEXT NOT NULL,
            evaluated_at INTEGER NOT NULL,
            PRIMARY KEY (file, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE rule_alerts (
            file TEXT NOT NULL,
            group_name TEXT NOT NULL,
            rule TEXT NOT NULL,
            labels TEXT NOT NULL,
            annotations TEXT NOT NULL,
            value REAL,
            state TEXT NOT NULL,
            active_at INTEGER NOT NULL,
            fired_at INTEGER,
            resolved_at INTEGER,
            last_sent_at INTEGER,
            keep_firing_since INTEGER,
            PRIMARY KEY (file, group_name, rule, labels)
        ) STRICT, WITHOUT ROWID;
    "],
};

/// A change of what is stored of a group. Rules are named by their row keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Row {
    /// The alert of a rule is now this.
    Alert(String, Labels, Instance),
    /// The alert of a rule is no longer there.
    AlertForgotten(String, Labels),
    /// The rule is no longer there.
    RuleForgotten(String),
    /// The group was evaluated.
    Evaluated(Timestamp),
}

/// What is stored of a group.
#[derive(Clone, Debug)]
pub(crate) struct StoredGroup {
    pub(crate) evaluated_at: Timestamp,
    /// Alerts by row key and labels.
    pub(crate) rules: BTreeMap<String, BTreeMap<Labels, Instance>>,
}

/// Writes the changes of a group.
pub(crate) fn write(
    tx: &Transaction<'_>,
    group: &GroupKey,
    rows: &[Row],
) -> Result<(), StateError> {
    for row in rows {
        match row {
            Row::Alert(rule, labels, instance) => {
                write_alert(tx, (group, rule, labels), instance)?;
            }
            Row::AlertForgotten(rule, labels) => {
                tx.prepare_cached(
                    "DELETE FROM rule_alerts
                     WHERE file = ?1 AND group_name = ?2 AND rule = ?3 AND labels = ?4",
                )?
                .execute(params![
                    group.file,
                    group.name,
                    rule,
                    labels.encoded()
                ])?;
            }
            Row::RuleForgotten(rule) => {
                tx.prepare_cached(
                    "DELETE FROM rule_alerts WHERE file = ?1 AND group_name = ?2 AND rule = ?3",
                )?
                .execute(params![group.file, group.name, rule])?;
            }
            Row::Evaluated(at) => {
                tx.prepare_cached("INSERT OR REPLACE INTO rule_groups VALUES (?1, ?2, ?3)")?
                    .execute(params![group.file, group.name, at.millis()])?;
            }
        }
    }
    Ok(())
}

fn write_alert(
    tx: &Transaction<'_>,
    (group, rule, labels): (&GroupKey, &str, &Labels),
    instance: &Instance,
) -> Result<(), StateError> {
    let timers = &instance.timers;
    let millis = |at: Option<Timestamp>| at.map(Timestamp::millis);
    tx.prepare_cached(
        "INSERT OR REPLACE INTO rule_alerts
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        group.file,
        group.name,
        rule,
        labels.encoded(),
        instance.annotations.encoded(),
        instance.value,
        timers.state.name(),
        timers.active_at.millis(),
        millis(timers.fired_at),
        millis(timers.resolved_at),
        millis(timers.last_sent_at),
        millis(timers.keep_firing_since)
    ])?;
    Ok(())
}

/// Deletes all that is stored of a group.
pub(crate) fn forget_group(tx: &Transaction<'_>, group: &GroupKey) -> Result<(), StateError> {
    for sql in [
        "DELETE FROM rule_alerts WHERE file = ?1 AND group_name = ?2",
        "DELETE FROM rule_groups WHERE file = ?1 AND name = ?2",
    ] {
        tx.prepare_cached(sql)?
            .execute(params![group.file, group.name])?;
    }
    Ok(())
}

/// Reads all that is stored.
pub(crate) fn load(db: &Connection) -> Result<BTreeMap<GroupKey, StoredGroup>, StateError> {
    let mut groups = BTreeMap::new();
    let mut statement = db.prepare("SELECT file, name, evaluated_at FROM rule_groups")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = GroupKey {
            file: row.get(0)?,
            name: row.get(1)?,
        };
        let stored = StoredGroup {
            evaluated_at: Timestamp::from_millis(row.get(2)?),
            rules: BTreeMap::new(),
        };
        groups.insert(key, stored);
    }
    load_alerts(db, &mut groups)?;
    Ok(groups)
}

fn load_alerts(
    db: &Connection,
    groups: &mut BTreeMap<GroupKey, StoredGroup>,
) -> Result<(), StateError> {
    let mut statement = db.prepare(
        "SELECT file, group_name, rule, labels, annotations, value, state, active_at, fired_at,
                resolved_at, last_sent_at, keep_firing_since
         FROM rule_alerts",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = GroupKey {
            file: row.get(0)?,
            name: row.get(1)?,
        };
        let at = |column: usize| -> Result<Option<Timestamp>, StateError> {
            let millis: Option<i64> = row.get(column)?;
            Ok(millis.map(Timestamp::from_millis))
        };
        let state: String = row.get(6)?;
        let instance = Instance {
            annotations: read_labels(&row.get::<_, String>(4)?)?,
            // SQLite has no NaN; it stores nothing instead.
            value: row.get::<_, Option<f64>>(5)?.unwrap_or(f64::NAN),
            timers: Timers {
                state: AlertState::from_name(&state).ok_or_else(|| corrupt("state", &state))?,
                active_at: Timestamp::from_millis(row.get(7)?),
                fired_at: at(8)?,
                resolved_at: at(9)?,
                last_sent_at: at(10)?,
                keep_firing_since: at(11)?,
            },
        };
        let labels = read_labels(&row.get::<_, String>(3)?)?;
        let group = groups
            .get_mut(&key)
            .ok_or_else(|| corrupt("group", &key.label()))?;
        let rule: String = row.get(2)?;
        group
            .rules
            .entry(rule)
            .or_default()
            .insert(labels, instance);
    }
    Ok(())
}

fn read_labels(encoded: &str) -> Result<Labels, StateError> {
    Labels::from_encoded(encoded).ok_or_else(|| corrupt("label set", encoded))
}

fn corrupt(what: &str, value: &str) -> StateError {
    StateError::Corrupt(format!("rules: unknown {what} {value:?}"))
}
