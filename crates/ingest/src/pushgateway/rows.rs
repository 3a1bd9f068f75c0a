//! The tables and their SQL.
//!
//! `pushgateway_groups`: one row a group, its labels as a JSON object, when it was pushed and when a push failed.
//! `pushgateway_families`: one row a metric family, as the protobuf message `io.prometheus.client.MetricFamily`.
//! Times are milliseconds since the epoch.

use super::family::Family;
use super::{Group, Grouping, Stamped};
use model::Timestamp;
use prost::Message as _;
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeMap;
use storage::{Migration, StateError};

pub(super) const MIGRATION: Migration = Migration {
    component: "pushgateway",
    steps: &["
        CREATE TABLE pushgateway_groups (
            grouping TEXT PRIMARY KEY,
            pushed_at INTEGER,
            failed_at INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE pushgateway_families (
            grouping TEXT NOT NULL,
            name TEXT NOT NULL,
            pushed_at INTEGER NOT NULL,
            family BLOB NOT NULL,
            PRIMARY KEY (grouping, name)
        ) STRICT;
    "],
};

fn key(grouping: &Grouping) -> String {
    serde_json::json!(grouping.pairs()).to_string()
}

/// Writes a group in the place of what was there.
pub(super) fn replace(
    tx: &Transaction<'_>,
    grouping: &Grouping,
    group: &Group,
) -> Result<(), StateError> {
    let key = key(grouping);
    tx.execute(
        "INSERT INTO pushgateway_groups (grouping, pushed_at, failed_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (grouping) DO UPDATE SET pushed_at = excluded.pushed_at, failed_at = excluded.failed_at",
        params![
            key,
            group.pushed_at.map(Timestamp::millis),
            group.failed_at.map(Timestamp::millis)
        ],
    )?;
    tx.execute(
        "DELETE FROM pushgateway_families WHERE grouping = ?1",
        [&key],
    )?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO pushgateway_families (grouping, name, pushed_at, family) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (name, stamped) in &group.families {
        let family = stamped.family.encode_to_vec();
        insert.execute(params![key, name, stamped.at.millis(), family])?;
    }
    Ok(())
}

/// Removes a group, or all of them.
pub(super) fn delete(tx: &Transaction<'_>, grouping: Option<&Grouping>) -> Result<(), StateError> {
    let key = grouping.map(key);
    for table in ["pushgateway_groups", "pushgateway_families"] {
        let sql = format!("DELETE FROM {table} WHERE ?1 IS NULL OR grouping = ?1");
        tx.execute(&sql, [&key])?;
    }
    Ok(())
}

/// Reads every group.
pub(super) fn read(db: &Connection) -> Result<BTreeMap<Grouping, Group>, StateError> {
    let mut groups = BTreeMap::new();
    let mut select = db.prepare("SELECT grouping, pushed_at, failed_at FROM pushgateway_groups")?;
    let mut found = select.query([])?;
    while let Some(row) = found.next()? {
        let moment = |millis: Option<i64>| millis.map(Timestamp::from_millis);
        let group = Group {
            pushed_at: moment(row.get(1)?),
            failed_at: moment(row.get(2)?),
            ..Group::default()
        };
        groups.insert(grouping(&row.get::<_, String>(0)?)?, group);
    }
    let mut select = db.prepare("SELECT grouping, pushed_at, family FROM pushgateway_families")?;
    let mut found = select.query([])?;
    while let Some(row) = found.next()? {
        let key: String = row.get(0)?;
        let family = Family::decode(row.get::<_, Vec<u8>>(2)?.as_slice())
            .map_err(|error| corrupt(&key, &error.to_string()))?;
        let at = Timestamp::from_millis(row.get(1)?);
        let group = groups.entry(grouping(&key)?).or_default();
        group
            .families
            .insert(family.name.clone(), Stamped { at, family });
    }
    Ok(groups)
}

fn grouping(key: &str) -> Result<Grouping, StateError> {
    let labels = serde_json::from_str(key).map_err(|error| corrupt(key, &error.to_string()))?;
    Grouping::from_labels(labels).map_err(|error| corrupt(key, &error.to_string()))
}

fn corrupt(key: &str, what: &str) -> StateError {
    StateError::Corrupt(format!("pushed group {key}: {what}"))
}
