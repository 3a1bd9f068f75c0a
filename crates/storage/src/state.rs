//! The one SQLite database, for state that must survive: incidents, silences, the notification log,
//! timers, tokens.
//!
//! It runs in WAL mode with `synchronous = FULL`: what a committed transaction wrote survives the death of
//! the process and the loss of power. Each crate owns the SQL of its own tables and hands its
//! migrations over once, at start. There is one connection behind a lock: transactions are short and
//! the database is small, so waiting costs less than reasoning about two writers.

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// SQLite said no; the text names file or statement where SQLite does.
    #[error("state database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The file was written by a newer program.
    #[error(
        "state database: table group {component:?} is at version {found}, this program knows {known}"
    )]
    TooNew {
        /// Whose tables.
        component: String,
        /// The version in the file.
        found: usize,
        /// The newest version this program knows.
        known: usize,
    },
    /// A row does not read back as what was written.
    #[error("state database: {0}")]
    Corrupt(String),
}

/// The steps that make a crate's tables: each runs once, in order, and never changes after release.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The crate, as `dispatch`.
    pub component: &'static str,
    /// SQL batches; the number of them is the version.
    pub steps: &'static [&'static str],
}

/// The database; clones share the connection.
#[derive(Clone)]
pub struct State {
    connection: Arc<Mutex<Connection>>,
}

impl State {
    /// Opens or makes the database file.
    pub fn open(file: &Path) -> Result<Self, StateError> {
        Self::prepare(Connection::open_with_flags(
            file,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?)
    }

    /// Opens an empty database in memory, for tests and simulations.
    pub fn in_memory() -> Result<Self, StateError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(connection: Connection) -> Result<Self, StateError> {
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS schema_versions (
                 component TEXT PRIMARY KEY,
                 version INTEGER NOT NULL
             ) STRICT",
        )?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// Brings a crate's tables to the version this program knows.
    pub fn migrate(&self, migration: Migration) -> Result<(), StateError> {
        self.transaction(|tx| {
            let known = migration.steps.len();
            let found: usize = tx
                .query_row(
                    "SELECT coalesce(max(version), 0) FROM schema_versions WHERE component = ?1",
                    [migration.component],
                    |row| row.get::<_, i64>(0),
                )
                .map(|version| usize::try_from(version).unwrap_or(usize::MAX))?;
            if found > known {
                let component = migration.component.to_owned();
                return Err(StateError::TooNew {
                    component,
                    found,
                    known,
                });
            }
            for step in migration.steps.iter().skip(found) {
                tx.execute_batch(step)?;
            }
            tx.execute(
                "INSERT INTO schema_versions (component, version) VALUES (?1, ?2)
                 ON CONFLICT (component) DO UPDATE SET version = excluded.version",
                (
                    migration.component,
                    i64::try_from(known).unwrap_or(i64::MAX),
                ),
            )?;
            Ok(())
        })
    }

    /// Runs `work` in one transaction: all of it is on disk when this answers `Ok`, none of it otherwise.
    /// Must not be called from within `work`.
    pub fn transaction<T, E: From<StateError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StateError::from)?;
        let done = work(&tx)?;
        tx.commit().map_err(StateError::from)?;
        Ok(done)
    }

    /// Runs `work` on the database as it stands, for reading.
    pub fn read<T, E: From<StateError>>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Migration, State, StateError};

    const FIRST: Migration = Migration {
        component: "x",
        steps: &["CREATE TABLE x (id INTEGER PRIMARY KEY) STRICT"],
    };

    #[test]
    fn migrates_once_and_refuses_newer_files() {
        let state = State::in_memory().expect("in memory");
        state.migrate(FIRST).expect("first");
        state.migrate(FIRST).expect("again");
        let older = Migration {
            component: "x",
            steps: &[],
        };
        assert!(matches!(
            state.migrate(older),
            Err(StateError::TooNew {
                found: 1,
                known: 0,
                ..
            })
        ));
    }

    #[test]
    fn a_failed_transaction_leaves_nothing() {
        let state = State::in_memory().expect("in memory");
        state.migrate(FIRST).expect("migrated");
        let failed: Result<(), StateError> = state.transaction(|tx| {
            tx.execute("INSERT INTO x VALUES (1)", [])?;
            Err(StateError::Corrupt("no".to_owned()))
        });
        assert!(failed.is_err());
        let count: i64 = state
            .read(|db| {
                Ok::<_, StateError>(db.query_row("SELECT count(*) FROM x", [], |r| r.get(0))?)
            })
            .expect("count");
        assert_eq!(count, 0);
    }
}
