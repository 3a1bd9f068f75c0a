//! Native histograms as bytes, for the write-ahead log and for blocks.
//!
//! Layout: reset hint (byte), schema (zigzag), zero threshold, zero count, count and sum (u64 bits each),
//! then for the positive and the negative side: number of spans, for each offset (zigzag) and length;
//! number of buckets, their bits; then the custom bounds: 0 for none, otherwise their number plus
//! one and their bits. Simple rather than small: blocks put zstd over a whole column of them.

use model::Histogram;
use model::histogram::{CounterResetHint, Span};
use std::sync::Arc;
use storage::encoding::{Decoder, put_varint, put_zigzag};

const HINTS: [CounterResetHint; 4] = [
    CounterResetHint::Unknown,
    CounterResetHint::Reset,
    CounterResetHint::NotReset,
    CounterResetHint::Gauge,
];

/// Appends a histogram.
pub(crate) fn encode(out: &mut Vec<u8>, histogram: &Histogram) {
    let hint = HINTS
        .iter()
        .position(|hint| *hint == histogram.counter_reset_hint);
    out.push(u8::try_from(hint.unwrap_or_default()).unwrap_or_default());
    put_zigzag(out, i64::from(histogram.schema));
    let single = [
        histogram.zero_threshold,
        histogram.zero_count,
        histogram.count,
        histogram.sum,
    ];
    put_floats(out, &single);
    put_side(out, &histogram.positive_spans, &histogram.positive_buckets);
    put_side(out, &histogram.negative_spans, &histogram.negative_buckets);
    match &histogram.custom_values {
        None => put_varint(out, 0),
        Some(bounds) => {
            put_varint(out, bounds.len() as u64 + 1);
            put_floats(out, bounds);
        }
    }
}

/// Reads a histogram; `None` for bytes that no encoder wrote.
pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Option<Histogram> {
    let counter_reset_hint = *HINTS.get(usize::from(decoder.byte()?))?;
    let schema = i32::try_from(decoder.zigzag()?).ok()?;
    let [zero_threshold, zero_count, count, sum] = take_floats(decoder, 4)?.try_into().ok()?;
    let (positive_spans, positive_buckets) = take_side(decoder)?;
    let (negative_spans, negative_buckets) = take_side(decoder)?;
    let custom_values = match decoder.count()?.checked_sub(1) {
        None => None,
        Some(bounds) => Some(Arc::from(take_floats(decoder, bounds)?)),
    };
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
        custom_values,
    })
}

/// Whether two histograms are equal bit for bit.
pub(crate) fn is_same(a: &Histogram, b: &Histogram) -> bool {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    encode(&mut left, a);
    encode(&mut right, b);
    left == right
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

fn put_side(out: &mut Vec<u8>, spans: &[Span], buckets: &[f64]) {
    put_varint(out, spans.len() as u64);
    for span in spans {
        put_zigzag(out, i64::from(span.offset));
        put_varint(out, u64::from(span.length));
    }
    put_varint(out, buckets.len() as u64);
    put_floats(out, buckets);
}

fn take_side(decoder: &mut Decoder<'_>) -> Option<(Vec<Span>, Vec<f64>)> {
    let mut spans = Vec::new();
    for _ in 0..decoder.count()? {
        spans.push(Span {
            offset: i32::try_from(decoder.zigzag()?).ok()?,
            length: u32::try_from(decoder.varint()?).ok()?,
        });
    }
    let buckets = decoder.count()?;
    Some((spans, take_floats(decoder, buckets)?))
}

#[cfg(test)]
mod tests {
    use super::{HINTS, decode, encode, is_same};
    use model::Histogram;
    use model::histogram::Span;
    use proptest::prelude::*;
    use storage::encoding::Decoder;

    pub(crate) fn histograms() -> impl Strategy<Value = Histogram> {
        let side = || {
            (
                prop::collection::vec((any::<i32>(), any::<u32>()), 0..4),
                prop::collection::vec(any::<f64>(), 0..8),
            )
        };
        let single = prop::array::uniform4(any::<f64>());
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

        #[test]
        fn garbage_does_not_panic(bytes: Vec<u8>) {
            let _any = decode(&mut Decoder::new(&bytes));
        }
    }
}
