//! Native histograms as bytes, for the write-ahead log, the head and blocks.
//!
//! Layout: flags (byte): bits 0 and 1 the reset hint, bit 2 all counts are whole, bit 3 the zero threshold is
//! the usual one, bit 7 always. Schema (zigzag); zero threshold (u64 bits) unless usual; zero count and
//! count; sum (u64 bits); then for the positive and the negative side: number of spans, for each offset
//! (zigzag) and length; number of buckets, their counts; then the custom bounds: 0 for none, otherwise their
//! number plus one and their bits. Whole counts are varints, those of buckets the distance to the bucket
//! before (zigzag); others are their bits. Older programs wrote the hint alone as first byte, no flag set.

use model::Histogram;
use model::histogram::{CounterResetHint, Span};
use model::sample::is_stale_marker;
use std::sync::Arc;
use storage::encoding::{Decoder, put_varint, put_zigzag};

const HINTS: [CounterResetHint; 4] = [
    CounterResetHint::Unknown,
    CounterResetHint::Reset,
    CounterResetHint::NotReset,
    CounterResetHint::Gauge,
];

const HINT_BITS: u8 = 0b11;
const WHOLE: u8 = 1 << 2;
const USUAL_THRESHOLD: u8 = 1 << 3;
const FLAGGED: u8 = 1 << 7;

/// The zero threshold of nearly all producers: two to the power of -128.
const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

/// Whole numbers beyond this are not exact in a float.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Appends a histogram.
pub(crate) fn encode(out: &mut Vec<u8>, histogram: &Histogram) {
    let hint = HINTS
        .iter()
        .position(|hint| *hint == histogram.counter_reset_hint);
    let mut flags = FLAGGED | u8::try_from(hint.unwrap_or_default()).unwrap_or_default();
    let whole = is_whole(histogram);
    let usual = histogram.zero_threshold.to_bits() == ZERO_THRESHOLD.to_bits();
    if whole {
        flags |= WHOLE;
    }
    if usual {
        flags |= USUAL_THRESHOLD;
    }
    out.push(flags);
    put_zigzag(out, i64::from(histogram.schema));
    if !usual {
        put_floats(out, &[histogram.zero_threshold]);
    }
    for count in [histogram.zero_count, histogram.count] {
        if whole {
            put_varint(out, model::number::float_to_i64(count).unsigned_abs());
        } else {
            put_floats(out, &[count]);
        }
    }
    put_floats(out, &[histogram.sum]);
    let sides = [
        (&histogram.positive_spans, &histogram.positive_buckets),
        (&histogram.negative_spans, &histogram.negative_buckets),
    ];
    for (spans, buckets) in sides {
        put_spans(out, spans);
        put_varint(out, buckets.len() as u64);
        if whole {
            put_whole(out, buckets);
        } else {
            put_floats(out, buckets);
        }
    }
    match &histogram.custom_values {
        None => put_varint(out, 0),
        Some(bounds) => {
            put_varint(out, bounds.len() as u64 + 1);
            put_floats(out, bounds);
        }
    }
}

/// Whether all counts are whole numbers that come back bit for bit.
fn is_whole(histogram: &Histogram) -> bool {
    let whole = |count: &f64| {
        // Also false for NaN and minus zero.
        *count >= 0.0 && *count <= WHOLE_MAX && count.fract() == 0.0 && count.is_sign_positive()
    };
    let single = [histogram.zero_count, histogram.count];
    let buckets = histogram.positive_buckets.iter();
    single
        .iter()
        .chain(buckets)
        .chain(&histogram.negative_buckets)
        .all(whole)
}

/// Reads a histogram; `None` for bytes that no encoder wrote.
pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Option<Histogram> {
    let flags = decoder.byte()?;
    if flags & FLAGGED == 0 {
        return decode_unflagged(flags, decoder);
    }
    if flags & !(HINT_BITS | WHOLE | USUAL_THRESHOLD | FLAGGED) != 0 {
        return None;
    }
    let whole = flags & WHOLE != 0;
    let schema = i32::try_from(decoder.zigzag()?).ok()?;
    let zero_threshold = match flags & USUAL_THRESHOLD {
        0 => f64::from_bits(decoder.u64()?),
        _ => ZERO_THRESHOLD,
    };
    let count = |decoder: &mut Decoder<'_>| match whole {
        true => decoder.varint().map(model::number::u64_to_float),
        false => decoder.u64().map(f64::from_bits),
    };
    let (zero_count, all) = (count(decoder)?, count(decoder)?);
    let sum = f64::from_bits(decoder.u64()?);
    let mut side = || {
        let spans = take_spans(decoder)?;
        let buckets = decoder.count()?;
        let buckets = match whole {
            true => take_whole(decoder, buckets)?,
            false => take_floats(decoder, buckets)?,
        };
        Some((spans, buckets))
    };
    let (positive_spans, positive_buckets) = side()?;
    let (negative_spans, negative_buckets) = side()?;
    Some(Histogram {
        counter_reset_hint: *HINTS.get(usize::from(flags & HINT_BITS))?,
        schema,
        zero_threshold,
        zero_count,
        count: all,
        sum,
        positive_spans,
        negative_spans,
        positive_buckets,
        negative_buckets,
        custom_values: take_bounds(decoder)?,
    })
}

/// Reads what older programs wrote: all counts and the threshold as bits.
fn decode_unflagged(hint: u8, decoder: &mut Decoder<'_>) -> Option<Histogram> {
    let counter_reset_hint = *HINTS.get(usize::from(hint))?;
    let schema = i32::try_from(decoder.zigzag()?).ok()?;
    let [zero_threshold, zero_count, count, sum] = take_floats(decoder, 4)?.try_into().ok()?;
    let mut side = || {
        let spans = take_spans(decoder)?;
        let buckets = decoder.count()?;
        Some((spans, take_floats(decoder, buckets)?))
    };
    let (positive_spans, positive_buckets) = side()?;
    let (negative_spans, negative_buckets) = side()?;
    Some(Histogram {
        counter_reset_hint,
        schema,
        zero_threshold,
        zero_count,
        count,
        sum,
        positive_spans,
        negative_spans,
        positive_buckets,
        negative_buckets,
        custom_values: take_bounds(decoder)?,
    })
}

/// The custom bounds, if there are any.
#[expect(
    clippy::option_option,
    reason = "no bytes are not the same as no bounds"
)]
fn take_bounds(decoder: &mut Decoder<'_>) -> Option<Option<Arc<[f64]>>> {
    match decoder.count()?.checked_sub(1) {
        None => Some(None),
        Some(bounds) => Some(Some(Arc::from(take_floats(decoder, bounds)?))),
    }
}

/// Whether two histograms are equal bit for bit.
#[cfg(test)]
pub(crate) fn is_same(a: &Histogram, b: &Histogram) -> bool {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    encode(&mut left, a);
    encode(&mut right, b);
    left == right
}

/// Says of each histogram of a series whether it was reset since the one before, as far as that is certain.
///
/// `histograms`: with their index among all samples, ascending; one whose predecessor is a float is the
/// first of a run. A gauge stays one and a reset that the producer stated stays; the rest is "not reset"
/// where the one before has the same buckets and none of them shrank, otherwise "unknown". The very first keeps what
/// was stated, because the one before it was only not read. As upstream reads its chunks: a reset that shows in
/// the numbers is left to whoever compares them.
pub(crate) fn settle_hints(histograms: &mut [(usize, Arc<Histogram>)]) {
    let mut previous: Option<(usize, Arc<Histogram>)> = None;
    for (i, histogram) in histograms {
        let before = previous.take().filter(|(before, _)| before + 1 == *i);
        let settled = match histogram.counter_reset_hint {
            stated @ (CounterResetHint::Gauge | CounterResetHint::Reset) => stated,
            CounterResetHint::Unknown | CounterResetHint::NotReset => match before {
                Some((_, before)) if has_grown(&before, histogram) => CounterResetHint::NotReset,
                None if *i == 0 => histogram.counter_reset_hint,
                _ => CounterResetHint::Unknown,
            },
        };
        if settled != histogram.counter_reset_hint {
            Arc::make_mut(histogram).counter_reset_hint = settled;
        }
        previous = Some((*i, Arc::clone(histogram)));
    }
}

/// Whether a counter histogram holds at least what the one before it held, bucket by bucket.
fn has_grown(before: &Histogram, now: &Histogram) -> bool {
    before.counter_reset_hint != CounterResetHint::Gauge
        && !is_stale_marker(before.sum)
        && !is_stale_marker(now.sum)
        && before.schema == now.schema
        && before.zero_threshold.to_bits() == now.zero_threshold.to_bits()
        && before.custom_values == now.custom_values
        && before.count <= now.count
        && before.zero_count <= now.zero_count
        && has_grown_in(
            (&before.positive_spans, &before.positive_buckets),
            (&now.positive_spans, &now.positive_buckets),
        )
        && has_grown_in(
            (&before.negative_spans, &before.negative_buckets),
            (&now.negative_spans, &now.negative_buckets),
        )
}

fn has_grown_in(before: (&[Span], &[f64]), now: (&[Span], &[f64])) -> bool {
    let mut held = by_index(now.0, now.1).peekable();
    for (index, count) in by_index(before.0, before.1) {
        while held.next_if(|(other, _)| *other < index).is_some() {}
        let grown = held.next_if(|(other, _)| *other == index);
        let grown = grown.map_or(0.0, |(_, count)| count);
        // Also false for NaN.
        let is_more = grown >= count;
        if !is_more {
            return false;
        }
    }
    true
}

/// The buckets with their numbers, ascending.
fn by_index<'a>(spans: &'a [Span], buckets: &'a [f64]) -> impl Iterator<Item = (i64, f64)> + 'a {
    let mut next = 0_i64;
    let numbers = spans.iter().flat_map(move |span| {
        let from = next.saturating_add(i64::from(span.offset));
        next = from.saturating_add(i64::from(span.length));
        from..next
    });
    numbers.zip(buckets.iter().copied())
}

fn put_floats(out: &mut Vec<u8>, floats: &[f64]) {
    for float in floats {
        out.extend_from_slice(&float.to_bits().to_le_bytes());
    }
}

fn take_floats(decoder: &mut Decoder<'_>, count: usize) -> Option<Vec<f64>> {
    let (words, _) = decoder.take(count.checked_mul(8)?)?.as_chunks::<8>();
    let float = |word: &[u8; 8]| f64::from_bits(u64::from_le_bytes(*word));
    Some(words.iter().map(float).collect())
}

fn put_spans(out: &mut Vec<u8>, spans: &[Span]) {
    put_varint(out, spans.len() as u64);
    for span in spans {
        put_zigzag(out, i64::from(span.offset));
        put_varint(out, u64::from(span.length));
    }
}

fn take_spans(decoder: &mut Decoder<'_>) -> Option<Vec<Span>> {
    let mut spans = Vec::new();
    for _ in 0..decoder.count()? {
        spans.push(Span {
            offset: i32::try_from(decoder.zigzag()?).ok()?,
            length: u32::try_from(decoder.varint()?).ok()?,
        });
    }
    Some(spans)
}

/// Counts of neighbouring buckets are close to each other.
fn put_whole(out: &mut Vec<u8>, counts: &[f64]) {
    let mut before = 0;
    for count in counts {
        let count = model::number::float_to_i64(*count);
        put_zigzag(out, count - before);
        before = count;
    }
}

fn take_whole(decoder: &mut Decoder<'_>, count: usize) -> Option<Vec<f64>> {
    let mut counts = Vec::new();
    let mut before = 0_i64;
    for _ in 0..count {
        before = before.checked_add(decoder.zigzag()?)?;
        counts.push(model::number::i64_to_float(before));
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::{HINTS, decode, encode, is_same, put_floats, put_spans, settle_hints};
    use model::Histogram;
    use model::histogram::{CounterResetHint, Span};
    use proptest::prelude::*;
    use std::sync::Arc;
    use storage::encoding::{Decoder, put_varint, put_zigzag};

    pub(crate) fn histograms() -> impl Strategy<Value = Histogram> {
        let side = || {
            (
                prop::collection::vec((any::<i32>(), any::<u32>()), 0..4),
                prop_oneof![
                    prop::collection::vec(any::<f64>(), 0..8),
                    prop::collection::vec(any::<u32>().prop_map(f64::from), 0..8),
                ],
            )
        };
        let single = prop_oneof![
            prop::array::uniform4(any::<f64>()),
            prop::array::uniform4(any::<u32>().prop_map(f64::from)),
        ];
        let custom = prop::option::of(prop::collection::vec(any::<f64>(), 0..4));
        (0..4_usize, any::<i32>(), single, side(), side(), custom).prop_map(
            |(hint, schema, single, positive, negative, custom)| Histogram {
                counter_reset_hint: HINTS[hint],
                schema,
                zero_threshold: single[0],
                zero_count: single[1],
                count: single[2],
                sum: single[3],
                positive_spans: spans(positive.0),
                negative_spans: spans(negative.0),
                positive_buckets: positive.1,
                negative_buckets: negative.1,
                custom_values: custom.map(Into::into),
            },
        )
    }

    fn spans(pairs: Vec<(i32, u32)>) -> Vec<Span> {
        let span = |(offset, length)| Span { offset, length };
        pairs.into_iter().map(span).collect()
    }

    #[test]
    fn hints_are_settled() {
        use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
        let held = |hint, offset, buckets: &[f64]| {
            let length = u32::try_from(buckets.len()).expect("few");
            Arc::new(Histogram {
                counter_reset_hint: hint,
                count: buckets.iter().sum(),
                positive_spans: vec![Span { offset, length }],
                positive_buckets: buckets.to_vec(),
                ..Histogram::default()
            })
        };
        let cases = [
            (0, held(Unknown, 0, &[1.0, 2.0]), Unknown, "the first"),
            (1, held(Unknown, 0, &[1.0, 3.0]), NotReset, "grown"),
            (
                2,
                held(NotReset, -1, &[1.0, 1.0, 3.0]),
                NotReset,
                "a bucket more",
            ),
            (3, held(NotReset, 0, &[9.0, 2.0]), Unknown, "one shrank"),
            (5, held(NotReset, 0, &[9.0, 2.0]), Unknown, "behind a float"),
            (6, held(Reset, 0, &[9.0, 2.0]), Reset, "stated"),
            (7, held(NotReset, 1, &[11.0]), Unknown, "a bucket is gone"),
            (8, held(Gauge, 1, &[3.0]), Gauge, "a gauge"),
            (9, held(NotReset, 1, &[4.0]), Unknown, "behind a gauge"),
        ];
        let mut settled: Vec<_> = cases.iter().map(|(i, h, ..)| (*i, Arc::clone(h))).collect();
        settle_hints(&mut settled);
        for ((_, settled), (.., want, why)) in settled.iter().zip(&cases) {
            assert_eq!(settled.counter_reset_hint, *want, "{why}");
        }
    }

    proptest! {
        #[test]
        fn round_trips(histogram in histograms(), place: prop::sample::Index) {
            let mut bytes = Vec::new();
            encode(&mut bytes, &histogram);
            let mut decoder = Decoder::new(&bytes);
            let back = decode(&mut decoder).expect("decodes");
            prop_assert!(decoder.is_empty());
            prop_assert!(is_same(&back, &histogram));
            let cut = place.index(bytes.len());
            prop_assert!(decode(&mut Decoder::new(&bytes[..cut])).is_none());
        }

        /// What older programs wrote is still read.
        #[test]
        fn reads_the_layout_before(histogram in histograms()) {
            let hint = HINTS.iter().position(|hint| *hint == histogram.counter_reset_hint);
            let mut bytes = vec![u8::try_from(hint.expect("listed")).expect("few")];
            put_zigzag(&mut bytes, i64::from(histogram.schema));
            let h = &histogram;
            put_floats(&mut bytes, &[h.zero_threshold, h.zero_count, h.count, h.sum]);
            put_spans(&mut bytes, &h.positive_spans);
            put_varint(&mut bytes, h.positive_buckets.len() as u64);
            put_floats(&mut bytes, &h.positive_buckets);
            put_spans(&mut bytes, &h.negative_spans);
            put_varint(&mut bytes, h.negative_buckets.len() as u64);
            put_floats(&mut bytes, &h.negative_buckets);
            let bounds = h.custom_values.as_deref();
            put_varint(&mut bytes, bounds.map_or(0, |bounds| bounds.len() as u64 + 1));
            put_floats(&mut bytes, bounds.unwrap_or_default());
            let back = decode(&mut Decoder::new(&bytes)).expect("decodes");
            prop_assert!(is_same(&back, &histogram));
        }

        #[test]
        fn garbage_does_not_panic(bytes: Vec<u8>) {
            let _any = decode(&mut Decoder::new(&bytes));
        }
    }
}
