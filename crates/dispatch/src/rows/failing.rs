//! Rows about receivers that fail, and alerts that nobody heard of.

use super::{index, moment, read_target, run};
use crate::machine::Failing;
use crate::notice::Target;
use rusqlite::{Row as SqlRow, Transaction, params};
use storage::StateError;

/// The tables.
pub(super) const TABLES: &str = "
    CREATE TABLE dispatch_failing (
        receiver TEXT NOT NULL,
        kind TEXT NOT NULL,
        idx INTEGER NOT NULL,
        since_ms INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        error TEXT NOT NULL,
        PRIMARY KEY (receiver, kind, idx)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE dispatch_unheard (
        fingerprint INTEGER NOT NULL,
        receiver TEXT NOT NULL,
        kind TEXT NOT NULL,
        idx INTEGER NOT NULL,
        PRIMARY KEY (fingerprint, receiver, kind, idx)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE dispatch_numbers (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Stores an integration that fails, or that it does no more.
pub(super) fn put(
    tx: &Transaction<'_>,
    target: &Target,
    failing: Option<&Failing>,
) -> Result<(), StateError> {
    let Some(failing) = failing else {
        return run(
            tx,
            "DELETE FROM dispatch_failing WHERE receiver = ?1 AND kind = ?2 AND idx = ?3",
            params![target.receiver, target.kind, index(target)],
        );
    };
    run(
        tx,
        "INSERT OR REPLACE INTO dispatch_failing VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            target.receiver,
            target.kind,
            index(target),
            failing.since.millis(),
            failing.at.millis(),
            failing.error,
        ],
    )
}

pub(super) fn read(row: &SqlRow<'_>) -> Result<(Target, Failing), StateError> {
    let failing = Failing {
        since: moment(row, 3)?,
        at: moment(row, 4)?,
        error: row.get(5)?,
    };
    Ok((read_target(row, 0)?, failing))
}

/// Stores that an alert's notification was given up for a target; without one, that somebody heard of it.
pub(super) fn put_unheard(
    tx: &Transaction<'_>,
    fingerprint: u64,
    target: Option<&Target>,
) -> Result<(), StateError> {
    let fingerprint = fingerprint.cast_signed();
    match target {
        Some(target) => run(
            tx,
            "INSERT OR IGNORE INTO dispatch_unheard VALUES (?1, ?2, ?3, ?4)",
            params![fingerprint, target.receiver, target.kind, index(target)],
        ),
        None => run(
            tx,
            "DELETE FROM dispatch_unheard WHERE fingerprint = ?1",
            params![fingerprint],
        ),
    }
}

pub(super) fn read_unheard(row: &SqlRow<'_>) -> Result<(u64, Target), StateError> {
    Ok((row.get::<_, i64>(0)?.cast_unsigned(), read_target(row, 1)?))
}
