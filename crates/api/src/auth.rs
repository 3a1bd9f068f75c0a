//! Users and tokens: who may ask when we listen beyond loopback.
//!
//! Passwords are kept as Argon2id hashes, tokens as SHA-256 of 256 random bits. A request proves
//! itself with `Authorization: Bearer TOKEN`, or Basic with a user's password, or Basic with a token as the
//! password, which is how a browser gets in. Checked headers are remembered for a minute, because Argon2 is slow
//! on purpose.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Argon2, PasswordHash};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::Timestamp;
use rusqlite::OptionalExtension as _;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use storage::{Migration, State, StateError};

/// How long a checked header is remembered.
const REMEMBER_MS: i64 = 60_000;
/// Checked headers remembered at most.
const REMEMBERED_MAX: usize = 1000;

const TABLES: Migration = Migration {
    component: "api",
    steps: &["CREATE TABLE users (
            name TEXT PRIMARY KEY,
            role TEXT NOT NULL,
            password_hash TEXT NOT NULL,
            created_ms INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE tokens (
            name TEXT PRIMARY KEY,
            role TEXT NOT NULL,
            hash BLOB NOT NULL UNIQUE,
            created_ms INTEGER NOT NULL
        ) STRICT;"],
};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Viewer,
    /// Also acknowledge and resolve incidents, add notes and silences.
    Responder,
    /// Also send samples and alerts.
    Editor,
    /// Everything.
    Admin,
}

impl Role {
    /// Every role with its name.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("viewer", Self::Viewer),
        ("responder", Self::Responder),
        ("editor", Self::Editor),
        ("admin", Self::Admin),
    ];

    fn parse(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, role)| *role)
    }

    fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, role)| *role == self)
            .map_or("", |(name, _)| name)
    }
}

/// Why a user or token could not be made or checked.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The database failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The name is taken or empty, or the password too short.
    #[error("{0}")]
    Refused(String),
}

impl From<rusqlite::Error> for AuthError {
    fn from(error: rusqlite::Error) -> Self {
        Self::State(error.into())
    }
}

/// The users and tokens of one data folder.
pub struct Auth {
    state: State,
    remembered: Mutex<BTreeMap<[u8; 32], (Role, Timestamp)>>,
}

impl Auth {
    /// Opens the tables.
    pub fn open(state: State) -> Result<Self, AuthError> {
        state.migrate(TABLES)?;
        Ok(Self {
            state,
            remembered: Mutex::default(),
        })
    }

    /// Whether anybody could prove himself.
    pub fn has_anybody(&self) -> Result<bool, AuthError> {
        self.state.read(|db| {
            Ok(db.query_row(
                "SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM tokens)",
                [],
                |row| row.get(0),
            )?)
        })
    }

    /// Makes a token and gives its text, which is not kept.
    pub fn create_token(
        &self,
        name: &str,
        role: Role,
        now: Timestamp,
    ) -> Result<String, AuthError> {
        check_name(name)?;
        let secret = runtime::random::secret_bytes::<32>().map_err(AuthError::Refused)?;
        let token = format!("bin_{}", URL_SAFE_NO_PAD.encode(secret));
        let hash = Sha256::digest(token.as_bytes()).to_vec();
        self.insert("tokens", "hash", (name, role, now), &hash)?;
        Ok(token)
    }

    /// Makes a user.
    pub fn create_user(
        &self,
        name: &str,
        role: Role,
        password: &str,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        check_name(name)?;
        if password.chars().count() < 10 {
            return Err(AuthError::Refused(
                "a password needs at least 10 characters".to_owned(),
            ));
        }
        let salt = runtime::random::secret_bytes::<16>().map_err(AuthError::Refused)?;
        let refused = |error: argon2::password_hash::Error| AuthError::Refused(error.to_string());
        let salt = SaltString::encode_b64(&salt).map_err(refused)?;
        let hash = Argon2::default()
            .hash_password(password.as_bytes(), &salt)
            .map_err(refused)?;
        self.insert(
            "users",
            "password_hash",
            (name, role, now),
            &hash.to_string(),
        )
    }

    fn insert(
        &self,
        table: &str,
        column: &str,
        (name, role, now): (&str, Role, Timestamp),
        hash: &dyn rusqlite::ToSql,
    ) -> Result<(), AuthError> {
        self.state.transaction(|tx| {
            let sql = format!(
                "INSERT INTO {table} (name, role, {column}, created_ms) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO NOTHING"
            );
            let created = now.millis();
            let added = tx.execute(&sql, rusqlite::params![name, role.name(), hash, created])?;
            if added == 0 {
                return Err(AuthError::Refused(format!("the name {name:?} is taken")));
            }
            Ok(())
        })
    }

    /// Names and roles of all tokens, then of all users.
    pub fn list(&self) -> Result<Vec<(&'static str, String, String)>, AuthError> {
        self.state.read(|db| {
            let mut rows = Vec::new();
            for (kind, table) in [("token", "tokens"), ("user", "users")] {
                let mut statement =
                    db.prepare(&format!("SELECT name, role FROM {table} ORDER BY name"))?;
                let found = statement.query_map([], |row| Ok((kind, row.get(0)?, row.get(1)?)))?;
                for row in found {
                    rows.push(row?);
                }
            }
            Ok(rows)
        })
    }

    /// Removes a token or user; answers whether there was one.
    pub fn remove(&self, kind: &str, name: &str) -> Result<bool, AuthError> {
        let table = if kind == "user" { "users" } else { "tokens" };
        let sql = format!("DELETE FROM {table} WHERE name = ?1");
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.state
            .transaction(|tx| Ok(tx.execute(&sql, [name])? > 0))
    }

    /// Checks an `Authorization` header. Takes tens of milliseconds for a password it has not seen lately.
    pub fn check(&self, header: &str, now: Timestamp) -> Result<Option<Role>, AuthError> {
        let key: [u8; 32] = Sha256::digest(header.as_bytes()).into();
        if let Some((role, until)) = self.lock_remembered().get(&key)
            && now < *until
        {
            return Ok(Some(*role));
        }
        let role = self.look_up(header)?;
        let mut remembered = self.lock_remembered();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        match role {
            Some(role) => drop(remembered.insert(key, (role, now.plus_millis(REMEMBER_MS)))),
            None => drop(remembered.remove(&key)),
        }
        Ok(role)
    }

    fn lock_remembered(&self) -> std::sync::MutexGuard<'_, BTreeMap<[u8; 32], (Role, Timestamp)>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn look_up(&self, header: &str) -> Result<Option<Role>, AuthError> {
        if let Some(token) = header.strip_prefix("Bearer ") {
            return self.token_role(token.trim());
        }
        let Some((user, password)) = basic(header) else {
            return Ok(None);
        };
        if password.starts_with("bin_") {
            return self.token_role(&password);
        }
        let found: Option<(String, String)> = self.state.read(|db| {
            let sql = "SELECT role, password_hash FROM users WHERE name = ?1";
            let row = db.query_row(sql, [&user], |row| Ok((row.get(0)?, row.get(1)?)));
            Ok::<_, AuthError>(row.optional()?)
        })?;
        let Some((role, hash)) = found else {
            return Ok(None);
        };
        let right = PasswordHash::new(&hash).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        });
        Ok(Role::parse(&role).filter(|_| right))
    }

    fn token_role(&self, token: &str) -> Result<Option<Role>, AuthError> {
        let hash = Sha256::digest(token.as_bytes()).to_vec();
        let role: Option<String> = self.state.read(|db| {
            let sql = "SELECT role FROM tokens WHERE hash = ?1";
            Ok::<_, AuthError>(db.query_row(sql, [hash], |row| row.get(0)).optional()?)
        })?;
        Ok(role.as_deref().and_then(Role::parse))
    }
}

/// User and password of an `Authorization` header.
pub(crate) fn basic(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD
        .decode(header.strip_prefix("Basic ")?.trim())
        .ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':')
        .map(|(user, password)| (user.to_owned(), password.to_owned()))
}

fn check_name(name: &str) -> Result<(), AuthError> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if name.is_empty() || name.len() > 100 || !name.chars().all(fits) {
        let message =
            format!("{name:?} is not a name: letters, digits, - _ . @, at most 100 bytes");
        return Err(AuthError::Refused(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Auth, Role};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use model::Timestamp;
    use storage::State;

    #[test]
    fn checks_tokens_and_passwords() {
        let now = Timestamp::from_millis(0);
        let auth = Auth::open(State::in_memory().expect("state")).expect("auth");
        assert!(!auth.has_anybody().expect("read"));
        let token = auth.create_token("ci", Role::Editor, now).expect("token");
        auth.create_user("ann", Role::Admin, "correct horse", now)
            .expect("user");
        assert!(
            auth.create_user("ann", Role::Admin, "correct horse", now)
                .is_err()
        );
        assert!(auth.create_user("bob", Role::Admin, "short", now).is_err());
        assert!(auth.has_anybody().expect("read"));
        let check = |header: &str, want: Option<Role>| {
            assert_eq!(auth.check(header, now).expect("read"), want, "{header}");
        };
        check(&format!("Bearer {token}"), Some(Role::Editor));
        check("Bearer bin_wrong", None);
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        check(&basic("ann:correct horse"), Some(Role::Admin));
        check(&basic("ann:wrong horse"), None);
        check(&basic(&format!("any:{token}")), Some(Role::Editor));
        assert!(auth.remove("token", "ci").expect("remove"));
        check(&format!("Bearer {token}"), None);
    }
}
