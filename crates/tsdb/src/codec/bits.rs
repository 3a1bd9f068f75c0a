//! Numbers of equal width, one behind the other, lowest bit first.

use storage::encoding::Decoder;

/// Numbers up to this width lie within the eight bytes that begin with their first bit.
const ONE_LOAD_WIDTH_MAX: u32 = 56;

/// Bits that a number needs.
pub(super) const fn width_of(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// Bytes that `count` numbers of `width` bits take.
pub(super) fn packed_bytes(count: usize, width: u32) -> usize {
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    count.saturating_mul(width).div_ceil(8)
}

/// Appends numbers of `width` bits each; each must fit.
pub(super) fn pack(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>, width: u32) {
    let mut pending = 0_u64;
    let mut filled = 0;
    for number in numbers {
        pending |= number << filled;
        filled += width;
        if filled >= 64 {
            out.extend_from_slice(&pending.to_le_bytes());
            filled -= 64;
            // What did not fit: the highest bits of the number.
            pending = if filled == 0 {
                0
            } else {
                number >> (width - filled)
            };
        }
    }
    let rest = usize::try_from(filled.div_ceil(8)).unwrap_or_default();
    out.extend(pending.to_le_bytes().iter().take(rest));
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
    let step = usize::try_from(width).ok()?;
    let bytes = decoder.take(count.checked_mul(step)?.div_ceil(8))?;
    let mask = if width == 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    };
    let mut bit = 0;
    let mut read = 0;
    if width <= ONE_LOAD_WIDTH_MAX {
        while read < count
            && let Some(word) = bytes.get(bit / 8..).and_then(|rest| rest.first_chunk())
        {
            each(u64::from_le_bytes(*word) >> (bit % 8) & mask);
            bit += step;
            read += 1;
        }
    }
    for _ in read..count {
        each(low_half(word_at(bytes, bit / 8) >> (bit % 8)) & mask);
        bit += step;
    }
    Some(())
}

/// Sixteen bytes from a place on; zeros stand for those behind the end.
fn word_at(bytes: &[u8], place: usize) -> u128 {
    let mut word = [0; 16];
    let rest = bytes.get(place..).unwrap_or_default();
    for (slot, byte) in word.iter_mut().zip(rest) {
        *slot = *byte;
    }
    u128::from_le_bytes(word)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "no number is wider than half"
)]
const fn low_half(wide: u128) -> u64 {
    wide as u64
}
