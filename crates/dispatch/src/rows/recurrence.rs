//! Rows of silences that come again.

use super::{moment, run, text};
use crate::recurrence::Recurrence;
use model::Timestamp;
use rusqlite::{Row as SqlRow, Transaction, params};
use storage::StateError;

/// The table.
pub(super) const TABLE: &str = "
    CREATE TABLE dispatch_recurrences (
        id TEXT PRIMARY KEY,
        matchers TEXT NOT NULL,
        time_window TEXT NOT NULL,
        until_ms INTEGER,
        created_by TEXT NOT NULL,
        comment TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        made_until_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

pub(super) fn put(tx: &Transaction<'_>, recurrence: &Recurrence) -> Result<(), StateError> {
    run(
        tx,
        "INSERT OR REPLACE INTO dispatch_recurrences VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            recurrence.id,
            text::from_matchers(&recurrence.matchers),
            recurrence.window_text,
            recurrence.until.map(Timestamp::millis),
            recurrence.created_by,
            recurrence.comment,
            recurrence.created_at.millis(),
            recurrence.made_until.millis(),
        ],
    )
}

pub(super) fn read(row: &SqlRow<'_>) -> Result<Recurrence, StateError> {
    let window_text: String = row.get(2)?;
    let window = Recurrence::read_window(&window_text)
        .map_err(|error| StateError::Corrupt(format!("window {window_text:?}: {error}")))?;
    let until: Option<i64> = row.get(3)?;
    Ok(Recurrence {
        id: row.get(0)?,
        matchers: text::to_matchers(&row.get::<_, String>(1)?)?,
        window_text,
        window,
        until: until.map(Timestamp::from_millis),
        created_by: row.get(4)?,
        comment: row.get(5)?,
        created_at: moment(row, 6)?,
        made_until: moment(row, 7)?,
    })
}
