//! Numbers of equal width, one behind the other, lowest bit first.

use storage::encoding::Decoder;

/// Bits that a number needs.
pub(super) const fn width_of(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// Appends numbers of `width` bits each; each must fit.
pub(super) fn pack(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>, width: u32) {
    let mut pending: u128 = 0;
    let mut filled = 0;
    for number in numbers {
        pending |= u128::from(number) << filled;
        filled += width;
        if filled >= 64 {
            out.extend_from_slice(&low_half(pending).to_le_bytes());
            pending >>= 64;
            filled -= 64;
        }
    }
    let rest = usize::try_from(filled.div_ceil(8)).unwrap_or_default();
    out.extend(low_half(pending).to_le_bytes().iter().take(rest));
}

/// Reads `count` numbers of `width` bits each (at most 64) and hands them to `each`.
pub(super) fn unpack(
    decoder: &mut Decoder<'_>,
    count: usize,
    width: u32,
    mut each: impl FnMut(u64),
) -> Option<()> {
    if width > 64 {
        return None;
    }
    let bits = count.checked_mul(usize::try_from(width).ok()?)?;
    let mut bytes = decoder.take(bits.div_ceil(8))?;
    let mask = if width == 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    };
    let mut pending: u128 = 0;
    let mut filled = 0;
    for _ in 0..count {
        if filled < width {
            let (word, length) = next_word(&mut bytes);
            pending |= u128::from(word) << filled;
            filled += length;
        }
        each(low_half(pending) & mask);
        pending >>= width;
        filled = filled.saturating_sub(width);
    }
    Some(())
}

/// The next eight bytes, or what is left of them, and their number of bits.
fn next_word(bytes: &mut &[u8]) -> (u64, u32) {
    if let Some((word, rest)) = bytes.split_first_chunk::<8>() {
        *bytes = rest;
        return (u64::from_le_bytes(*word), 64);
    }
    let mut word = [0; 8];
    let mut bits = 0;
    for (slot, byte) in word.iter_mut().zip(bytes.iter()) {
        *slot = *byte;
        bits += 8;
    }
    *bytes = &[];
    (u64::from_le_bytes(word), bits)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the upper half is what the caller keeps for the next word"
)]
const fn low_half(wide: u128) -> u64 {
    wide as u64
}
