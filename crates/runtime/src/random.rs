//! Random numbers that a seed repeats.

/// A small generator (SplitMix64, Steele, Lea and Flood, OOPSLA 2014). Not for secrets: those come from
/// `secret_bytes`.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Makes a generator that always gives the same sequence for the same seed.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Makes a generator with a seed from the operating system.
    #[must_use]
    pub fn from_system() -> Self {
        Self::from_seed(seed_from_system())
    }

    /// The next 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        model::number::u64_to_float(self.next_u64() >> 11) / 9_007_199_254_740_992.0
    }
}

/// A seed from the operating system.
#[must_use]
pub fn seed_from_system() -> u64 {
    getrandom::u64().unwrap_or(0x5eed)
}

/// Bytes that nobody can guess, for tokens and session keys. Fails only where the operating system has
/// no source of randomness.
pub fn secret_bytes<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("the operating system gives no random bytes: {error}"))?;
    Ok(bytes)
}
