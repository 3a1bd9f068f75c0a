//! Columns of whole numbers: the numbers, their differences or the differences of these, as few bits.
//!
//! Layout: a byte for the codec, then that many first numbers (zigzag) as the order of differences is, 0 to 2. 0, 1, 2
//! (the order): the smallest residual (zigzag), the width in bits (byte), the residuals above the smallest,
//! packed. 4, 5, 6 (the order and 4): the smallest residual, the largest above it (varint), the residuals
//! above the smallest as digits, see `radix`. 7, 8, 9 (the order and 7): the smallest residual, the width,
//! length and bytes of what `pco_residuals` makes. 3, which older programs wrote: length, a pco standalone file.
//! Differences wrap around, so every i64 round-trips.
//!
//! Key decision: what pco would make of a column is estimated from a few of its residuals, and pco is only asked
//! where that is less. Nearly always it is not: a column of two hours is short, and its bins cost.

use super::bits::{pack, packed_bytes, unpack, width_of};
use super::radix::Radix;
use super::{COUNT_MAX, Effort, pco_residuals};
use storage::encoding::{Decoder, put_bytes, put_varint, put_zigzag};

const STANDALONE_PCO: u8 = 3;
const DIGITS: u8 = 4;
const PCO: u8 = 7;
const ORDER_MAX: u8 = 2;

/// Below this pco's bins cost more than they save.
const PCO_COUNT_MIN: usize = 64;

/// Columns below this many bits a number are small enough without pco.
const PCO_WIDTH_MIN: u32 = 3;

/// Appends a column.
pub(crate) fn encode(out: &mut Vec<u8>, numbers: &[i64], effort: Effort) {
    let plan = Plan::least_range(numbers);
    if effort == Effort::Fast {
        out.push(plan.order);
        plan.write_head(out, numbers);
        plan.write_packed(out, &residuals(numbers, &plan));
        return;
    }
    let radix = plan.radix();
    let count = numbers.len().saturating_sub(usize::from(plan.order));
    let packed = packed_bytes(count, plan.width());
    let digits = radix.map_or(usize::MAX, |radix| radix.bytes(count));
    let bytes = packed.min(digits);
    if numbers.len() >= PCO_COUNT_MIN
        && plan.width() >= PCO_WIDTH_MIN
        && let Some(order) = pco_residuals::order_worth_trying(numbers, bytes)
        && write_pco(out, numbers, &Plan::of_order(numbers, order), bytes)
    {
        return;
    }
    let residuals = residuals(numbers, &plan);
    match radix.filter(|_| digits + 2 < packed) {
        Some(radix) => {
            out.push(DIGITS + plan.order);
            plan.write_head(out, numbers);
            put_varint(out, plan.largest);
            radix.write(out, &residuals);
        }
        None => {
            out.push(plan.order);
            plan.write_head(out, numbers);
            plan.write_packed(out, &residuals);
        }
    }
}

/// Writes the column by pco if that makes it smaller than so many bytes.
fn write_pco(out: &mut Vec<u8>, numbers: &[i64], plan: &Plan, bytes_max: usize) -> bool {
    let Some(made) = pco_residuals::encode(&residuals(numbers, plan), plan.width()) else {
        return false;
    };
    let is_smaller = made.len() < bytes_max;
    if is_smaller {
        out.push(PCO + plan.order);
        plan.write_head(out, numbers);
        out.push(u8::try_from(plan.width()).unwrap_or_default());
        put_bytes(out, &made);
    }
    is_smaller
}

/// Reads a column of `count` numbers.
pub(crate) fn decode(decoder: &mut Decoder<'_>, count: usize) -> Option<Vec<i64>> {
    if count > COUNT_MAX {
        return None;
    }
    let mut numbers = vec![0; count];
    decode_into(decoder, &mut numbers, |number| number)?;
    Some(numbers)
}

/// Reads as many numbers as there are slots, into each what `of` makes of its number.
pub(super) fn decode_into<T>(
    decoder: &mut Decoder<'_>,
    slots: &mut [T],
    of: impl Fn(i64) -> T,
) -> Option<()> {
    let codec = decoder.byte()?;
    let order = match codec {
        STANDALONE_PCO => {
            let numbers = pco_residuals::decode_standalone(decoder.bytes()?, slots.len())?;
            for (slot, number) in slots.iter_mut().zip(numbers) {
                *slot = of(number);
            }
            return Some(());
        }
        0..=ORDER_MAX => codec,
        DIGITS..PCO => codec - DIGITS,
        PCO..=9 => codec - PCO,
        _ => return None,
    };
    let order = usize::from(order);
    let mut first = [0; 2];
    for (number, slot) in first.iter_mut().zip(slots.iter_mut()).take(order) {
        *number = decoder.zigzag()?;
        *slot = of(*number);
    }
    let smallest = decoder.zigzag()?;
    let rest = slots.get_mut(order..)?;
    let residual = |above: u64| above.cast_signed().wrapping_add(smallest);
    match order {
        0 => read_residuals(decoder, codec, rest, |above| of(residual(above))),
        1 => {
            let [mut last, _] = first;
            read_residuals(decoder, codec, rest, |above| {
                last = last.wrapping_add(residual(above));
                of(last)
            })
        }
        _ => {
            let [before, mut last] = first;
            let mut delta = last.wrapping_sub(before);
            read_residuals(decoder, codec, rest, |above| {
                delta = delta.wrapping_add(residual(above));
                last = last.wrapping_add(delta);
                of(last)
            })
        }
    }
}

/// Reads what lies above the smallest residual, into each slot what `of` makes of it.
fn read_residuals<T>(
    decoder: &mut Decoder<'_>,
    codec: u8,
    slots: &mut [T],
    mut of: impl FnMut(u64) -> T,
) -> Option<()> {
    let count = slots.len();
    let mut slots = slots.iter_mut();
    let each = |above: u64| {
        if let Some(slot) = slots.next() {
            *slot = of(above);
        }
    };
    match codec {
        0..=ORDER_MAX => {
            let width = u32::from(decoder.byte()?);
            unpack(decoder, count, width, each)
        }
        DIGITS..PCO => {
            let limit = decoder.varint()?.checked_add(1)?;
            Radix::below(limit)?.read(decoder, count, each)
        }
        _ => {
            let width = u32::from(decoder.byte()?);
            pco_residuals::decode(decoder.bytes()?, (count, width), each)
        }
    }
}

/// The order of differences and the residuals that it leaves: from the smallest on, up to the largest above it.
struct Plan {
    order: u8,
    smallest: i64,
    largest: u64,
}

impl Plan {
    /// The order whose residuals take the fewest bits when all get the same number of them.
    fn least_range(numbers: &[i64]) -> Self {
        let mut spans = [Span::default(); 3];
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
        let mut best = (usize::MAX, Self::of_span(0, spans[0]));
        for (order, span) in (0..=ORDER_MAX).zip(spans) {
            let plan = Self::of_span(order, span);
            let residuals = numbers.len().checked_sub(usize::from(order));
            let Some(residuals) = residuals else {
                break;
            };
            // Four bytes stand for each of the first numbers and the smallest residual.
            let bytes = packed_bytes(residuals, plan.width()) + 4 * (usize::from(order) + 1);
            if bytes < best.0 {
                best = (bytes, plan);
            }
        }
        best.1
    }

    /// What an order gives.
    fn of_order(numbers: &[i64], order: u8) -> Self {
        let mut span = Span::default();
        for_each_residual(numbers, order, |residual| span.add(residual));
        Self::of_span(order, span)
    }

    fn of_span(order: u8, span: Span) -> Self {
        let (smallest, largest) = match span.smallest <= span.largest {
            true => (span.smallest, span.largest.wrapping_sub(span.smallest)),
            false => (0, 0),
        };
        Self {
            order,
            smallest,
            largest: largest.cast_unsigned(),
        }
    }

    /// Bits that a residual above the smallest needs.
    fn width(&self) -> u32 {
        width_of(self.largest)
    }

    fn radix(&self) -> Option<Radix> {
        Radix::below(self.largest.checked_add(1)?)
    }

    fn write_head(&self, out: &mut Vec<u8>, numbers: &[i64]) {
        for &number in numbers.iter().take(usize::from(self.order)) {
            put_zigzag(out, number);
        }
        put_zigzag(out, self.smallest);
    }

    fn write_packed(&self, out: &mut Vec<u8>, residuals: &[u64]) {
        out.push(u8::try_from(self.width()).unwrap_or_default());
        pack(out, residuals.iter().copied(), self.width());
    }
}

/// The least and the greatest of some numbers.
#[derive(Clone, Copy)]
struct Span {
    smallest: i64,
    largest: i64,
}

impl Default for Span {
    fn default() -> Self {
        Self {
            smallest: i64::MAX,
            largest: i64::MIN,
        }
    }
}

impl Span {
    fn add(&mut self, number: i64) {
        self.smallest = self.smallest.min(number);
        self.largest = self.largest.max(number);
    }
}

/// The residuals above the smallest.
fn residuals(numbers: &[i64], plan: &Plan) -> Vec<u64> {
    let mut residuals = Vec::with_capacity(numbers.len());
    for_each_residual(numbers, plan.order, |residual| {
        residuals.push(residual.wrapping_sub(plan.smallest).cast_unsigned());
    });
    residuals
}

fn for_each_residual(numbers: &[i64], order: u8, mut each: impl FnMut(i64)) {
    let delta = |(a, b): (&i64, &i64)| b.wrapping_sub(*a);
    match order {
        0 => numbers.iter().for_each(|number| each(*number)),
        1 => {
            for window in numbers.windows(2) {
                each(delta((&window[0], &window[1])));
            }
        }
        _ => {
            for window in numbers.windows(3) {
                let before = delta((&window[0], &window[1]));
                each(delta((&window[1], &window[2])).wrapping_sub(before));
            }
        }
    }
}
