//! Floats of Prometheus 3.x: one prefix for time and value together, the staleness marker in five bits, and
//! optional start timestamps.
//!
//! Layout: number of samples (u16), header of the start timestamps (byte), the first two samples nearly as in XOR, then for each
//! a prefix: 0 (same delta, same value), 10 (same delta, changed value), 110, 1110, 11110 (13, 20, 64 bits
//! of delta of deltas, then a value), 11111 (same delta, staleness marker). Where the delta is the same, a
//! changed value is 0 (window of before) or 1 (new window); elsewhere a value is 0 (same), 10, 110 or 111
//! (staleness marker). Markers do not become the value that the next one is compared with.

use super::bits::BitReader;
use super::sample;
use super::start::StartReader;
use super::xor::Window;
use model::{STALE_MARKER, Sample, Value, is_stale_marker};

#[derive(Debug, Default)]
struct Reader {
    at: i64,
    delta: i64,
    /// The value that changes are relative to.
    value: u64,
    window: Window,
}

/// Appends the samples of a chunk; `None` where the bytes make no sense.
pub(super) fn decode(data: &[u8], out: &mut Vec<Sample>) -> Option<()> {
    let (header, data) = data.split_first_chunk::<3>()?;
    let [high, low, starts] = *header;
    let mut bits = BitReader::new(data);
    let mut starts = StartReader::new(starts);
    let mut reader = Reader::default();
    for i in 0..u16::from_be_bytes([high, low]) {
        let before = reader.at;
        let value = match i {
            0 => reader.first(&mut bits)?,
            1 => reader.second(&mut bits)?,
            _ => reader.next(&mut bits)?,
        };
        let start = starts.next(&mut bits, i, (before, reader.at))?;
        out.push(sample(reader.at, start, Value::Float(value)));
    }
    Some(())
}

impl Reader {
    fn first(&mut self, bits: &mut BitReader<'_>) -> Option<f64> {
        self.at = bits.varint()?;
        let value = bits.float()?;
        if !is_stale_marker(value) {
            self.value = value.to_bits();
        }
        Some(value)
    }

    fn second(&mut self, bits: &mut BitReader<'_>) -> Option<f64> {
        self.delta = bits.uvarint()?.cast_signed();
        self.at = self.at.checked_add(self.delta)?;
        self.value(bits)
    }

    fn next(&mut self, bits: &mut BitReader<'_>) -> Option<f64> {
        let mut prefix = 0;
        while prefix < 5 && bits.bit()? {
            prefix += 1;
        }
        let width = match prefix {
            2 => 13,
            3 => 20,
            4 => 64,
            _ => 0,
        };
        if width > 0 {
            let shift = 64 - width;
            let change = (bits.bits(width)? << shift).cast_signed() >> shift;
            self.delta = self.delta.checked_add(change)?;
        }
        self.at = self.at.checked_add(self.delta)?;
        match prefix {
            0 => Some(f64::from_bits(self.value)),
            1 => {
                let is_new = bits.bit()?;
                self.changed(bits, is_new)
            }
            5 => Some(STALE_MARKER),
            _ => self.value(bits),
        }
    }

    fn value(&mut self, bits: &mut BitReader<'_>) -> Option<f64> {
        if !bits.bit()? {
            return Some(f64::from_bits(self.value));
        }
        if !bits.bit()? {
            return self.changed(bits, false);
        }
        if bits.bit()? {
            return Some(STALE_MARKER);
        }
        self.changed(bits, true)
    }

    fn changed(&mut self, bits: &mut BitReader<'_>, window_is_new: bool) -> Option<f64> {
        self.value ^= if window_is_new {
            self.window.read_new(bits)?
        } else {
            self.window.read(bits)?
        };
        Some(f64::from_bits(self.value))
    }
}
