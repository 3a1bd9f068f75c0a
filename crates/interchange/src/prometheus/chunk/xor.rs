//! Floats: delta-of-delta times and values XORed with the one before.
//!
//! Layout: number of samples (u16); first time (varint) and value (64 bits); then the first delta (uvarint) and all
//! following deltas of deltas, each with its value. A value is 0 (the same), 10 (the changed bits lie in the window of the
//! one before) or 11 with a new window: leading zeros (5 bits), width (6 bits, 0 for 64), the bits.
//! Source: Gorilla, VLDB 2015, section 4.1, with Prometheus' classes of times.

use super::bits::{BitReader, BitWriter};
use super::sample;
use model::{Sample, Value};

/// The bits that lately changed: how many zeros are before and behind them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    leading: u32,
    trailing: u32,
}

impl Window {
    /// Reads bits that lie in this window.
    pub(crate) fn read(self, bits: &mut BitReader<'_>) -> Option<u64> {
        Some(bits.bits(64 - self.leading - self.trailing)? << self.trailing)
    }

    /// Reads another window and the bits in it.
    pub(crate) fn read_new(&mut self, bits: &mut BitReader<'_>) -> Option<u64> {
        let leading = u32::try_from(bits.bits(5)?).ok()?;
        let width = match u32::try_from(bits.bits(6)?).ok()? {
            0 => 64,
            width => width,
        };
        let trailing = 64_u32.checked_sub(leading + width)?;
        *self = Self { leading, trailing };
        self.read(bits)
    }
}

/// A value and the window of its last change, while reading.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct XorReader {
    value: u64,
    window: Window,
}

impl XorReader {
    /// Begins with a value that stands in full.
    pub(crate) fn first(bits: &mut BitReader<'_>) -> Option<Self> {
        Some(Self {
            value: bits.bits(64)?,
            window: Window::default(),
        })
    }

    pub(crate) const fn value(self) -> f64 {
        f64::from_bits(self.value)
    }

    pub(crate) fn next(&mut self, bits: &mut BitReader<'_>) -> Option<()> {
        if !bits.bit()? {
            return Some(());
        }
        self.value ^= if bits.bit()? {
            self.window.read_new(bits)?
        } else {
            self.window.read(bits)?
        };
        Some(())
    }
}

/// A value and the window of its last change, while writing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct XorWriter {
    value: u64,
    window: Option<Window>,
}

impl XorWriter {
    pub(crate) fn first(bits: &mut BitWriter, value: f64) -> Self {
        bits.float(value);
        Self {
            value: value.to_bits(),
            window: None,
        }
    }

    pub(crate) fn next(&mut self, bits: &mut BitWriter, value: f64) {
        let changed = self.value ^ value.to_bits();
        self.value = value.to_bits();
        if changed == 0 {
            bits.bits(0, 1);
            return;
        }
        // Five bits hold at most 31.
        let leading = changed.leading_zeros().min(31);
        let trailing = changed.trailing_zeros();
        if let Some(window) = self.window
            && leading >= window.leading
            && trailing >= window.trailing
        {
            bits.bits(0b10, 2);
            let width = 64 - window.leading - window.trailing;
            bits.bits(changed >> window.trailing, width);
            return;
        }
        self.window = Some(Window { leading, trailing });
        let width = 64 - leading - trailing;
        bits.bits(0b11, 2);
        bits.bits(u64::from(leading), 5);
        bits.bits(u64::from(width % 64), 6);
        bits.bits(changed >> trailing, width);
    }
}

/// Appends the samples of a chunk; `None` where the bytes make no sense.
pub(super) fn decode(data: &[u8], out: &mut Vec<Sample>) -> Option<()> {
    let (count, data) = data.split_first_chunk::<2>()?;
    let mut bits = BitReader::new(data);
    let (mut at, mut delta) = (0_i64, 0_i64);
    let mut value = XorReader::default();
    for i in 0..u16::from_be_bytes(*count) {
        if i == 0 {
            at = bits.varint()?;
            value = XorReader::first(&mut bits)?;
        } else {
            delta = if i == 1 {
                bits.uvarint()?.cast_signed()
            } else {
                delta.checked_add(bits.time()?)?
            };
            at = at.checked_add(delta)?;
            value.next(&mut bits)?;
        }
        out.push(sample(at, 0, Value::Float(value.value())));
    }
    Some(())
}

/// Packs samples.
#[derive(Debug)]
pub(super) struct Encoder {
    bits: BitWriter,
    count: u16,
    at: i64,
    delta: i64,
    value: XorWriter,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            bits: BitWriter::after(vec![0; 2]),
            count: 0,
            at: 0,
            delta: 0,
            value: XorWriter::default(),
        }
    }
}

impl Encoder {
    /// Appends a sample that is younger than the one before.
    pub(super) fn push(&mut self, at: i64, value: f64) {
        if self.count == 0 {
            self.bits.varint(at);
            self.value = XorWriter::first(&mut self.bits, value);
        } else {
            let delta = at.wrapping_sub(self.at);
            if self.count == 1 {
                self.bits.uvarint(delta.cast_unsigned());
            } else {
                self.bits.time(delta.wrapping_sub(self.delta));
            }
            self.delta = delta;
            self.value.next(&mut self.bits, value);
        }
        self.at = at;
        self.count += 1;
    }

    /// The number of samples and the bytes.
    pub(super) fn finish(self) -> (usize, Vec<u8>) {
        let mut data = self.bits.finish();
        if let Some(header) = data.first_chunk_mut::<2>() {
            *header = self.count.to_be_bytes();
        }
        (usize::from(self.count), data)
    }
}
