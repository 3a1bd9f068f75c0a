//! Users of the web configuration: names and bcrypt hashes.
//!
//! A check takes tens of milliseconds on purpose, so outcomes are remembered by the header's digest for as long as the
//! file stays the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::Secret;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Outcomes remembered at most.
const REMEMBERED_MAX: usize = 1000;

/// Compared with where the name is unknown, so that the time does not tell which names exist. Of no password.
const NOBODY: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/// The users of one version of the file.
pub(crate) struct Users {
    hashes: BTreeMap<String, Secret>,
    remembered: Mutex<BTreeMap<[u8; 32], bool>>,
}

impl Users {
    pub(crate) fn new(users: &[(String, Secret)]) -> Self {
        Self {
            hashes: users.iter().cloned().collect(),
            remembered: Mutex::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Checks an `Authorization` header. May take long: not for threads that serve sockets.
    pub(crate) fn check(&self, header: &str) -> bool {
        let key: [u8; 32] = Sha256::digest(header.as_bytes()).into();
        if let Some(known) = self.lock().get(&key) {
            return *known;
        }
        let right = self.verify(header);
        let mut remembered = self.lock();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(key, right);
        right
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<[u8; 32], bool>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn verify(&self, header: &str) -> bool {
        let encoded = header.strip_prefix("Basic ").map(str::trim);
        let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((name, password)) = text.as_deref().and_then(|text| text.split_once(':')) else {
            return false;
        };
        let known = self.hashes.get(name);
        let hash = known.map_or(NOBODY, Secret::reveal);
        let right = bcrypt::verify(password, hash).unwrap_or(false);
        right && known.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Users;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use config::Secret;

    #[test]
    fn checks_passwords() {
        let hash = bcrypt::hash("correct horse", 4).expect("a hash");
        let users = Users::new(&[("ann".to_owned(), Secret::new(hash))]);
        let check = |text: &str, want: bool| {
            let header = format!("Basic {}", STANDARD.encode(text));
            assert_eq!(users.check(&header), want, "{text}");
            assert_eq!(users.check(&header), want, "{text}, again");
        };
        check("ann:correct horse", true);
        check("ann:wrong horse", false);
        check("bob:correct horse", false);
        check("ann", false);
        assert!(!users.check("Bearer x"));
    }
}
