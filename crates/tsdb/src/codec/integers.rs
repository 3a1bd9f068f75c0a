//! Columns of whole numbers: plain, as differences, as differences of differences, or by pco.
//!
//! Layout: a byte for the codec. 0, 1, 2 (the order of differences): that many first numbers (zigzag), the
//! smallest residual (zigzag), the width in bits (byte), the residuals above the smallest, packed.
//! 3: length, a pco standalone file. Differences wrap around, so every i64 round-trips.

use super::bits::{pack, unpack, width_of};
use super::{COUNT_MAX, Effort};
use storage::encoding::{Decoder, put_bytes, put_zigzag};

const PCO: u8 = 3;

/// Below this a pco header costs more than it saves.
const PCO_COUNT_MIN: usize = 64;

/// Packed columns below this many bits a number are small enough without pco.
const PCO_BITS_MIN: usize = 3;

/// pco's own measure of effort; beyond 4 the gain on our columns is below one percent.
const PCO_LEVEL: usize = 4;

/// Appends a column.
pub(crate) fn encode(out: &mut Vec<u8>, numbers: &[i64], effort: Effort) {
    let packed = best_packed(numbers);
    let bits = packed.bytes.saturating_mul(8);
    let worth_trying = numbers.len() >= PCO_COUNT_MIN && bits >= numbers.len() * PCO_BITS_MIN;
    if effort == Effort::Small && worth_trying {
        let config = pco::ChunkConfig::default().with_compression_level(PCO_LEVEL);
        if let Ok(bytes) = pco::standalone::simple_compress(numbers, &config)
            && bytes.len() + 4 < packed.bytes
        {
            out.push(PCO);
            put_bytes(out, &bytes);
            return;
        }
    }
    write_packed(out, numbers, &packed);
}

/// Reads a column of `count` numbers.
pub(crate) fn decode(decoder: &mut Decoder<'_>, count: usize) -> Option<Vec<i64>> {
    if count > COUNT_MAX {
        return None;
    }
    match decoder.byte()? {
        order @ 0..=2 => read_packed(decoder, usize::from(order), count),
        PCO => {
            let bytes = decoder.bytes()?;
            let mut numbers = vec![0_i64; count];
            let progress = pco::standalone::simple_decompress_into(bytes, &mut numbers).ok()?;
            (progress.n_processed == count && progress.finished).then_some(numbers)
        }
        _ => None,
    }
}

/// How a column is best packed.
struct Packed {
    order: u8,
    smallest: i64,
    width: u32,
    bytes: usize,
}

fn best_packed(numbers: &[i64]) -> Packed {
    let mut spans = [Span::default(), Span::default(), Span::default()];
    let (mut previous, mut previous_delta) = (0_i64, 0_i64);
    for (i, &number) in numbers.iter().enumerate() {
        let delta = number.wrapping_sub(previous);
        spans[0].add(number);
        if i >= 1 {
            spans[1].add(delta);
        }
        if i >= 2 {
            spans[2].add(delta.wrapping_sub(previous_delta));
        }
        (previous, previous_delta) = (number, delta);
    }
    let mut best: Option<Packed> = None;
    for (order, span) in (0_u8..).zip(&spans) {
        let residuals = numbers.len().saturating_sub(usize::from(order));
        let width = width_of(span.largest.wrapping_sub(span.smallest).cast_unsigned());
        let bits = residuals * usize::try_from(width).unwrap_or_default();
        // Four bytes stand for each of the first numbers and the smallest residual.
        let bytes = bits.div_ceil(8) + 4 * (usize::from(order) + 1);
        if numbers.len() >= usize::from(order) && best.as_ref().is_none_or(|b| bytes < b.bytes) {
            best = Some(Packed {
                order,
                smallest: span.smallest,
                width,
                bytes,
            });
        }
    }
    best.unwrap_or(Packed {
        order: 0,
        smallest: 0,
        width: 0,
        bytes: 0,
    })
}

#[derive(Default)]
struct Span {
    smallest: i64,
    largest: i64,
    any: bool,
}

impl Span {
    fn add(&mut self, number: i64) {
        if self.any {
            self.smallest = self.smallest.min(number);
            self.largest = self.largest.max(number);
        } else {
            (self.smallest, self.largest, self.any) = (number, number, true);
        }
    }
}

fn write_packed(out: &mut Vec<u8>, numbers: &[i64], packed: &Packed) {
    out.push(packed.order);
    let order = usize::from(packed.order);
    for &number in numbers.iter().take(order) {
        put_zigzag(out, number);
    }
    put_zigzag(out, packed.smallest);
    out.push(u8::try_from(packed.width).unwrap_or_default());
    let above = |residual: i64| residual.wrapping_sub(packed.smallest).cast_unsigned();
    let delta = |pair: &[i64]| pair[1].wrapping_sub(pair[0]);
    match order {
        0 => pack(out, numbers.iter().map(|n| above(*n)), packed.width),
        1 => {
            let deltas = numbers.windows(2).map(delta);
            pack(out, deltas.map(above), packed.width);
        }
        _ => {
            let second = |three: &[i64]| delta(&three[1..]).wrapping_sub(delta(&three[..2]));
            let residuals = numbers.windows(3).map(second);
            pack(out, residuals.map(above), packed.width);
        }
    }
}

fn read_packed(decoder: &mut Decoder<'_>, order: usize, count: usize) -> Option<Vec<i64>> {
    let mut numbers = Vec::with_capacity(count);
    for _ in 0..order.min(count) {
        numbers.push(decoder.zigzag()?);
    }
    let smallest = decoder.zigzag()?;
    let width = u32::from(decoder.byte()?);
    let residuals = count.checked_sub(order)?;
    let residual = |above: u64| above.cast_signed().wrapping_add(smallest);
    match *numbers.as_slice() {
        [] => unpack(decoder, residuals, width, |above| {
            numbers.push(residual(above));
        })?,
        [mut last] => unpack(decoder, residuals, width, |above| {
            last = last.wrapping_add(residual(above));
            numbers.push(last);
        })?,
        [first, mut last, ..] => {
            let mut delta = last.wrapping_sub(first);
            unpack(decoder, residuals, width, |above| {
                delta = delta.wrapping_add(residual(above));
                last = last.wrapping_add(delta);
                numbers.push(last);
            })?;
        }
    }
    Some(numbers)
}
