//! Rows of what became of alerts. Label sets are stored once.

use super::{all, moment, run, text};
use crate::history::{ANSWER_MAX, AlertEvent, Change, EVENTS_MAX, HistoryQuery};
use crate::machine::Recent;
use model::{Labels, Matcher, Timestamp, matcher};
use rusqlite::{Connection, Row as SqlRow, Transaction, params};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use storage::{State, StateError};

/// Events that are read at once; while one reads, nobody else uses the database.
const PAGE_EVENTS: i64 = 5_000;
/// Events of one alert between two moments.
pub(super) const OF_ONE: &str = "
    SELECT at_ms, fingerprint, change, detail FROM dispatch_history
    WHERE fingerprint = ?1 AND at_ms >= ?2 AND at_ms <= ?3 ORDER BY number DESC LIMIT ?4";
/// Events by their numbers; the moments only sort out, so that a page is no longer than its numbers.
const PAGE: &str = "
    SELECT at_ms, fingerprint, change, detail FROM dispatch_history
    WHERE number >= ?1 AND number < ?2 AND +at_ms >= ?3 AND +at_ms <= ?4 ORDER BY number DESC";
/// The labels of one alert.
pub(super) const LABELS: &str = "SELECT labels FROM dispatch_history_labels WHERE fingerprint = ?1";
/// Whether an alert flapped or was steady last.
pub(super) const LAST_TURN: &str = "
    SELECT number, change FROM dispatch_history
    WHERE fingerprint = ?1 AND change IN ('flapping', 'steady')
    ORDER BY at_ms DESC, number DESC LIMIT 1";

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
        "DELETE FROM dispatch_history_labels WHERE NOT EXISTS (
             SELECT 1 FROM dispatch_history h
             WHERE h.fingerprint = dispatch_history_labels.fingerprint)",
        params![],
    )
}

/// The events that are wanted, the newest first.
pub fn events(state: &State, query: &HistoryQuery) -> Result<Vec<AlertEvent>, StateError> {
    let limit = query.limit.min(ANSWER_MAX);
    if let Some(fingerprint) = query.fingerprint {
        return state.read(|db| events_of(db, fingerprint.cast_signed(), query, limit));
    }
    let mut wanted = Wanted::new(query);
    let mut found = Vec::new();
    scan(state, query, |db, row| {
        if let Some(labels) = wanted.labels(db, row.get(1)?)? {
            found.push(event(labels, row)?);
        }
        Ok(found.len() < limit)
    })?;
    found.truncate(limit);
    Ok(found)
}

/// Those of one alert.
fn events_of(
    db: &Connection,
    fingerprint: i64,
    query: &HistoryQuery,
    limit: usize,
) -> Result<Vec<AlertEvent>, StateError> {
    let Some(labels) = Wanted::new(query).labels(db, fingerprint)?.cloned() else {
        return Ok(Vec::new());
    };
    let (start, end) = span(query);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(OF_ONE)?;
    let mut rows = statement.query(params![fingerprint, start, end, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(event(&labels, row)?);
    }
    Ok(found)
}

/// How often and when last the alerts began that fulfil matchers, since a moment.
pub fn starts(
    state: &State,
    query: &HistoryQuery,
) -> Result<Vec<(Labels, usize, Timestamp)>, StateError> {
    let mut wanted = Wanted::new(query);
    let mut found: BTreeMap<i64, (Labels, usize, Timestamp)> = BTreeMap::new();
    scan(state, query, |db, row| {
        let fingerprint = row.get(1)?;
        let began = row.get_ref(2)?.as_str().ok() == Some(Change::Fired.name());
        if began && let Some(labels) = wanted.labels(db, fingerprint)? {
            let at = moment(row, 0)?;
            let entry = found.entry(fingerprint);
            let (_, count, last) = entry.or_insert_with(|| (labels.clone(), 0, at));
            *count += 1;
            *last = at.max(*last);
        }
        Ok(true)
    })?;
    Ok(found.into_values().collect())
}

/// Alerts that began since a moment, for finding those that flap.
pub(super) fn recent(db: &Connection, since_ms: i64) -> Result<Recent, StateError> {
    let sql = format!(
        "SELECT number, fingerprint, at_ms FROM dispatch_history WHERE at_ms >= {since_ms} AND change = 'fired' ORDER BY number"
    );
    let begun = all(db, &sql, |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, i64>(1)?,
            moment(row, 2)?,
        ))
    })?;
    let mut recent = Recent::default();
    // When each became steady last.
    let mut steady: BTreeMap<i64, i64> = BTreeMap::new();
    let mut statement = db.prepare_cached(LAST_TURN)?;
    for (number, fingerprint, at) in begun {
        let since = match steady.entry(fingerprint) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let mut rows = statement.query(params![fingerprint])?;
                let turn = match rows.next()? {
                    Some(row) => Some((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
                    None => None,
                };
                match turn {
                    Some((number, change)) if change == Change::Steady.name() => {
                        *place.insert(number)
                    }
                    Some(_flapping) => {
                        recent.flapping.insert(fingerprint.cast_unsigned());
                        *place.insert(i64::MIN)
                    }
                    None => *place.insert(i64::MIN),
                }
            }
        };
        if number > since {
            recent.starts.push((fingerprint.cast_unsigned(), at));
        }
    }
    Ok(recent)
}

fn event(labels: &Labels, row: &SqlRow<'_>) -> Result<AlertEvent, StateError> {
    let name: String = row.get(2)?;
    Ok(AlertEvent {
        at: moment(row, 0)?,
        labels: labels.clone(),
        change: Change::from_name(&name)
            .ok_or_else(|| StateError::Corrupt(format!("change {name:?} of an alert")))?,
        detail: row.get(3)?,
    })
}

/// The first and the last millisecond that a query asks for.
fn span(query: &HistoryQuery) -> (i64, i64) {
    let start = query.start.unwrap_or(Timestamp::MIN).millis();
    let end = query.end.unwrap_or(Timestamp::MAX).millis();
    (start, end)
}

/// Goes through the events of a span of time, the newest first, as long as `each` answers so. Between pages
/// others have their turn at the database: alerts do not wait until a long history is read.
fn scan(
    state: &State,
    query: &HistoryQuery,
    mut each: impl FnMut(&Connection, &SqlRow<'_>) -> Result<bool, StateError>,
) -> Result<(), StateError> {
    let (start, end) = span(query);
    let (low, high) = state.read(|db| numbers(db, start))?;
    let mut above = high.saturating_add(1);
    let mut goes_on = true;
    while goes_on && above > low {
        let from = above.saturating_sub(PAGE_EVENTS).max(low);
        state.read(|db| {
            let mut statement = db.prepare_cached(PAGE)?;
            let mut rows = statement.query(params![from, above, start, end])?;
            while goes_on && let Some(row) = rows.next()? {
                goes_on = each(db, row)?;
            }
            Ok::<_, StateError>(())
        })?;
        above = from;
    }
    Ok(())
}

/// The numbers of the first event since a moment and of the last one; the first is larger where there is none.
fn numbers(db: &Connection, start: i64) -> Result<(i64, i64), StateError> {
    let one = |sql: &str| -> Result<Option<i64>, StateError> {
        Ok(db.query_row(sql, [], |row| row.get(0))?)
    };
    let first = match start {
        i64::MIN => one("SELECT min(number) FROM dispatch_history")?,
        _ => one(&format!(
            "SELECT min(number) FROM dispatch_history WHERE at_ms >= {start}"
        ))?,
    };
    let last = one("SELECT max(number) FROM dispatch_history")?;
    Ok((first.unwrap_or(i64::MAX), last.unwrap_or(0)))
}

/// The label sets that a query wants, read when they are first met.
struct Wanted<'a> {
    matchers: &'a [Matcher],
    known: BTreeMap<i64, Option<Labels>>,
}

impl<'a> Wanted<'a> {
    const fn new(query: &'a HistoryQuery) -> Self {
        Self {
            matchers: query.matchers.as_slice(),
            known: BTreeMap::new(),
        }
    }

    /// The labels of an alert; nothing where it is not wanted.
    fn labels(&mut self, db: &Connection, fingerprint: i64) -> Result<Option<&Labels>, StateError> {
        let known = match self.known.entry(fingerprint) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let mut statement = db.prepare_cached(LABELS)?;
                let mut rows = statement.query(params![fingerprint])?;
                let labels = match rows.next()? {
                    Some(row) => Some(text::to_labels(&row.get::<_, String>(0)?)?),
                    None => None,
                };
                place.insert(labels.filter(|labels| matcher::all_match(self.matchers, labels)))
            }
        };
        Ok(known.as_ref())
    }
}
