//! Numbers below a limit, several as the digits of one.
//!
//! Whole bits waste up to half a bit a number where the limit is no power of two: three numbers below 10,001 take
//! 42 bits one by one and 40 as digits of one number. Layout: groups of as many digits as suit the limit, the
//! first the lowest, each group in as many bits as its largest number needs; then, packed one by one, the
//! numbers that make no whole group.

use super::bits::{pack, packed_bytes, unpack, width_of};
use storage::encoding::Decoder;

/// Digits in a group at most: more would gain nothing.
const DIGITS_MAX: u32 = 16;

/// How numbers below a limit are put together; follows from the limit.
#[derive(Clone, Copy)]
pub(super) struct Radix {
    limit: u64,
    digits: usize,
    /// Bits of a group.
    bits: u32,
    /// 2^64 divided by the limit, rounded up.
    reciprocal: u64,
}

impl Radix {
    /// The densest way for numbers below `limit`; `None` where a group holds fewer than two of them.
    pub(super) fn below(limit: u64) -> Option<Self> {
        if limit < 2 {
            return None;
        }
        let mut best: Option<(u32, u32)> = None;
        let mut power = limit;
        for digits in 2..=DIGITS_MAX {
            let Some(next) = power.checked_mul(limit) else {
                break;
            };
            power = next;
            // A further power must fit as well, so that multiplying by the reciprocal divides exactly.
            if power.checked_mul(limit).is_none() {
                break;
            }
            let bits = width_of(power - 1);
            if best.is_none_or(|(best, per)| bits * per < best * digits) {
                best = Some((bits, digits));
            }
        }
        let (bits, digits) = best?;
        Some(Self {
            limit,
            digits: usize::try_from(digits).ok()?,
            bits,
            reciprocal: u64::MAX / limit + 1,
        })
    }

    /// Bytes that so many numbers take.
    pub(super) fn bytes(&self, count: usize) -> usize {
        let rest = packed_bytes(count % self.digits, width_of(self.limit - 1));
        packed_bytes(count / self.digits, self.bits) + rest
    }

    /// Appends numbers, each below the limit.
    pub(super) fn write(&self, out: &mut Vec<u8>, numbers: &[u64]) {
        let groups = numbers.chunks_exact(self.digits);
        let rest = groups.remainder();
        let joined = |digits: &[u64]| {
            let digits = digits.iter().rev();
            digits.fold(0, |word, digit| word * self.limit + digit)
        };
        pack(out, groups.map(joined), self.bits);
        pack(out, rest.iter().copied(), width_of(self.limit - 1));
    }

    /// Reads `count` numbers and hands them to `each`.
    pub(super) fn read(
        &self,
        decoder: &mut Decoder<'_>,
        count: usize,
        mut each: impl FnMut(u64),
    ) -> Option<()> {
        unpack(decoder, count / self.digits, self.bits, |mut word| {
            for _ in 0..self.digits {
                let quotient = self.divide(word);
                each(word.wrapping_sub(quotient.wrapping_mul(self.limit)));
                word = quotient;
            }
        })?;
        let width = width_of(self.limit - 1);
        unpack(decoder, count % self.digits, width, each)
    }

    /// Exact for what `write` makes: with e = limit × reciprocal − 2^64 ≤ limit, the product is off by word × e / 2^64
    /// of a unit at most, and word × limit < 2^64.
    fn divide(&self, word: u64) -> u64 {
        let product = u128::from(word) * u128::from(self.reciprocal);
        u64::try_from(product >> 64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Radix;
    use proptest::prelude::*;
    use storage::encoding::Decoder;

    proptest! {
        #[test]
        fn round_trips(
            limit in prop_oneof![2..300_u64, 2..3_000_000_u64, any::<u64>()],
            numbers: Vec<u64>,
        ) {
            let Some(radix) = Radix::below(limit) else {
                prop_assert!(!(2..=1 << 21).contains(&limit));
                return Ok(());
            };
            let mut numbers: Vec<u64> = numbers.iter().map(|number| number % limit).collect();
            numbers.extend([limit - 1; 20]);
            let mut bytes = Vec::new();
            radix.write(&mut bytes, &numbers);
            prop_assert_eq!(bytes.len(), radix.bytes(numbers.len()));
            let mut back = Vec::new();
            let mut decoder = Decoder::new(&bytes);
            radix.read(&mut decoder, numbers.len(), |number| back.push(number)).expect("reads");
            prop_assert!(decoder.is_empty());
            prop_assert_eq!(back, numbers);
        }
    }

    #[test]
    fn takes_hardly_more_than_the_entropy() {
        for (limit, bits_max) in [(3, 1.61), (101, 6.68), (1000, 10.0), (10_001, 13.34)] {
            let radix = Radix::below(limit).expect("fits");
            let bits = model::number::usize_to_float(radix.bytes(24_000)) / 3000.0;
            assert!(bits <= bits_max, "{limit}: {bits}");
        }
    }
}
