//! Bits, highest first, and the numbers of variable width that Prometheus' chunks are made of.
//!
//! Classes of `varbit`: a run of ones ended by a zero says how many bits follow, 0, 3, 6, 9, 12, 18, 25 or 56;
//! eight ones without a zero, 64. A signed number of `n` bits lies between −2^(n−1)+1 and 2^(n−1): one step
//! off two's complement. Delta-of-delta times of float chunks have classes of their own (0, 14, 17, 20, 64).

use model::number::float_to_u64;

/// Widths of the classes of integers in histogram chunks.
const VARBIT: [u32; 9] = [0, 3, 6, 9, 12, 18, 25, 56, 64];
/// Widths of the classes of delta-of-delta times in float chunks.
const TIMES: [u32; 5] = [0, 14, 17, 20, 64];

/// Reads bits from the front of some bytes; `None` at their end.
#[derive(Clone, Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits read.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bits that are still there.
    pub(crate) const fn remaining(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }

    pub(crate) fn bit(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// The next `count` (at most 64) bits as a number.
    pub(crate) fn bits(&mut self, count: u32) -> Option<u64> {
        let wanted = count as usize;
        if wanted > self.remaining() {
            return None;
        }
        let first = self.at / 8;
        let skipped = self.at % 8;
        let mut window = [0; 9];
        let end = self.bytes.len().min(first + 9);
        let there = self.bytes.get(first..end)?;
        window.get_mut(..there.len())?.copy_from_slice(there);
        let [a, b, c, d, e, f, g, h, last] = window;
        let high = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        self.at += wanted;
        if count == 0 {
            return Some(0);
        }
        let mut all = high << skipped;
        if skipped > 0 {
            all |= u64::from(last) >> (8 - skipped);
        }
        Some(all >> (64 - count))
    }

    pub(crate) fn float(&mut self) -> Option<f64> {
        self.bits(64).map(f64::from_bits)
    }

    /// A LEB128 number whose bytes need not begin at a byte's edge.
    pub(crate) fn uvarint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.bits(8)?;
            if shift == 63 && byte > 1 {
                return None;
            }
            value |= (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A signed LEB128 number.
    pub(crate) fn varint(&mut self) -> Option<i64> {
        self.uvarint().map(storage::encoding::unzigzag)
    }

    /// The class: how many ones come before the first zero, at most `most`.
    fn class(&mut self, most: usize) -> Option<usize> {
        let mut ones = 0;
        while ones < most && self.bit()? {
            ones += 1;
        }
        Some(ones)
    }

    fn signed(&mut self, widths: &[u32]) -> Option<i64> {
        let class = self.class(widths.len() - 1)?;
        let width = *widths.get(class)?;
        let bits = self.bits(width)?;
        if width == 0 || width == 64 {
            return Some(bits.cast_signed());
        }
        if bits > 1 << (width - 1) {
            return Some(bits.wrapping_sub(1 << width).cast_signed());
        }
        Some(bits.cast_signed())
    }

    pub(crate) fn varbit(&mut self) -> Option<i64> {
        self.signed(&VARBIT)
    }

    pub(crate) fn varbit_unsigned(&mut self) -> Option<u64> {
        let class = self.class(VARBIT.len() - 1)?;
        self.bits(*VARBIT.get(class)?)
    }

    /// The delta of deltas of a float chunk's time.
    pub(crate) fn time(&mut self) -> Option<i64> {
        self.signed(&TIMES)
    }
}

/// Appends bits.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits of the last byte that are taken; 0 where it is full.
    used: u32,
}

impl BitWriter {
    /// Begins behind a header of whole bytes.
    pub(crate) const fn after(header: Vec<u8>) -> Self {
        Self {
            bytes: header,
            used: 0,
        }
    }

    /// The bytes, zero bits behind the last one.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes so far.
    pub(crate) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the lowest `count` (at most 64) bits of a number.
    pub(crate) fn bits(&mut self, value: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let room = 8 - self.used;
            let taken = room.min(left);
            let piece = value >> (left - taken) & ((1 << taken) - 1);
            let [piece, ..] = (piece << (room - taken)).to_le_bytes();
            if let Some(last) = self.bytes.last_mut() {
                *last |= piece;
            }
            self.used = (self.used + taken) % 8;
            left -= taken;
        }
    }

    pub(crate) fn float(&mut self, value: f64) {
        self.bits(value.to_bits(), 64);
    }

    pub(crate) fn uvarint(&mut self, value: u64) {
        let mut bytes = Vec::new();
        storage::encoding::put_varint(&mut bytes, value);
        for byte in bytes {
            self.bits(u64::from(byte), 8);
        }
    }

    pub(crate) fn varint(&mut self, value: i64) {
        self.uvarint(storage::encoding::zigzag(value));
    }

    fn class(&mut self, class: usize, most: usize) {
        for _ in 0..class {
            self.bits(1, 1);
        }
        if class < most {
            self.bits(0, 1);
        }
    }

    fn signed(&mut self, value: i64, widths: &[u32]) {
        let fits = |width: u32| match width {
            0 => value == 0,
            64 => true,
            _ => -(1_i64 << (width - 1)) < value && value <= 1 << (width - 1),
        };
        let class = widths.iter().position(|width| fits(*width));
        let class = class.unwrap_or(widths.len() - 1);
        self.class(class, widths.len() - 1);
        let width = widths.get(class).copied().unwrap_or(64);
        self.bits(value.cast_unsigned(), width);
    }

    pub(crate) fn varbit(&mut self, value: i64) {
        self.signed(value, &VARBIT);
    }

    pub(crate) fn varbit_unsigned(&mut self, value: u64) {
        let fits = |width: &u32| *width == 64 || value < 1 << *width;
        let class = VARBIT.iter().position(fits).unwrap_or(VARBIT.len() - 1);
        self.class(class, VARBIT.len() - 1);
        let width = VARBIT.get(class).copied().unwrap_or(64);
        self.bits(value, width);
    }

    pub(crate) fn time(&mut self, value: i64) {
        self.signed(value, &TIMES);
    }
}

/// A whole number as an integer; `None` for anything that an integer chunk cannot hold exactly.
pub(crate) fn whole(value: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let fits = (0.0..=EXACT).contains(&value) && value.fract() == 0.0 && value.is_sign_positive();
    fits.then(|| float_to_u64(value))
}

#[cfg(test)]
mod tests {
    use super::{BitReader, BitWriter};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trips(
            lead in 0..8_u32,
            numbers in prop::collection::vec((any::<i64>(), 0..64_u32), 0..50),
        ) {
            let mut writer = BitWriter::default();
            writer.bits(0, lead);
            for (number, shift) in &numbers {
                let number = number >> shift;
                writer.varbit(number);
                writer.time(number);
                writer.varbit_unsigned(number.cast_unsigned());
                writer.varint(number);
            }
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            prop_assert_eq!(reader.bits(lead), Some(0));
            for (number, shift) in &numbers {
                let number = number >> shift;
                prop_assert_eq!(reader.varbit(), Some(number));
                prop_assert_eq!(reader.time(), Some(number));
                prop_assert_eq!(reader.varbit_unsigned(), Some(number.cast_unsigned()));
                prop_assert_eq!(reader.varint(), Some(number));
            }
            prop_assert!(reader.remaining() < 8);
        }

        #[test]
        fn garbage_ends(bytes: Vec<u8>) {
            let mut reader = BitReader::new(&bytes);
            while reader.varbit().is_some() && reader.time().is_some() && reader.varint().is_some() {}
        }
    }
}
