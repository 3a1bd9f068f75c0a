//! Names of blocks: 48 bits of time and 80 random ones in Crockford's base 32. Specification: github.com/ulid/spec.

use std::fmt;

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of 128 bits.
const LENGTH: u32 = 26;

/// A name that sorts by the time it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ulid(u128);

impl Ulid {
    /// Makes a name from milliseconds since 1970 and random bits.
    #[must_use]
    pub fn new(millis: u64, random: &mut runtime::Random) -> Self {
        let noise = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
        Self(u128::from(millis) << 80 | noise >> 48)
    }

    /// Whether a text is such a name.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        let first_is_small = text.bytes().next().is_some_and(|digit| digit <= b'7');
        text.len() == LENGTH as usize
            && first_is_small
            && text.bytes().all(|digit| DIGITS.contains(&digit))
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for i in (0..LENGTH).rev() {
            let [digit, ..] = (self.0 >> (5 * i)).to_le_bytes();
            let digit = DIGITS.get(usize::from(digit & 31)).copied().unwrap_or(b'0');
            write!(f, "{}", char::from(digit))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Ulid;

    #[test]
    fn prints_26_digits() {
        let mut random = runtime::Random::from_seed(1);
        let name = Ulid::new(1_469_918_176_385, &mut random).to_string();
        assert!(name.starts_with("01ARYZ6S41"), "{name}");
        assert!(Ulid::is_one(&name), "{name}");
        let check = |text, want| assert_eq!(Ulid::is_one(text), want, "{text}");
        check("01M7YPMW0XQWZP5JWJ7FT82RMA", true);
        check("81M7YPMW0XQWZP5JWJ7FT82RMA", false);
        check("01M7YPMW0XQWZP5JWJ7FT82RM", false);
        check("01M7YPMW0XQWZP5JWJ7FT82RMU", false);
        check("wal", false);
    }
}
