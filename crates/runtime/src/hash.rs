//! Hash maps whose order nobody can predict in production and everybody can repeat in a simulation.

use crate::random;
use foldhash::fast::{FixedState, FoldHasher};
use std::hash::BuildHasher;
use std::sync::OnceLock;

/// A hash map with this process's seed.
#[expect(
    clippy::disallowed_types,
    reason = "this is the seeded form that others must use"
)]
pub type HashMap<K, V> = std::collections::HashMap<K, V, Seeded>;

/// A hash set with this process's seed.
#[expect(
    clippy::disallowed_types,
    reason = "this is the seeded form that others must use"
)]
pub type HashSet<T> = std::collections::HashSet<T, Seeded>;

static SEED: OnceLock<u64> = OnceLock::new();

/// Fixes the seed of every map made from now on. For simulations; answers whether it was the first.
pub fn set_seed(seed: u64) -> bool {
    SEED.set(seed).is_ok()
}

/// Builds hashers from the process's seed.
#[derive(Clone, Debug)]
pub struct Seeded(FixedState);

impl Default for Seeded {
    fn default() -> Self {
        Self(FixedState::with_seed(
            *SEED.get_or_init(random::seed_from_system),
        ))
    }
}

impl BuildHasher for Seeded {
    type Hasher = FoldHasher<'static>;

    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}
