//! The columns of down-sampled windows.
//!
//! Layout: a byte that says where minima (bits 0 and 1) and maxima (bits 2 and 3) are found: 0 a column of
//! their own, 1 the first values, 2 the last values, as for a counter; then the columns: how far the first sample lies
//! before the last one, in ms, as whole numbers; first values as floats; counts as whole numbers; sums; minima
//! and maxima unless found elsewhere; the sums of squared distances, rounded to 24 bits; what counter resets add to the
//! difference of last and first value. The times and values of the last samples are the columns of the series itself.

use crate::codec::{Effort, integers, values};
use crate::summary::{correction_of, increase_of};
use model::Summaries;
use storage::encoding::Decoder;

const OWN: u8 = 0;
const FIRSTS: u8 = 1;
const LASTS: u8 = 2;

/// The lower bits of a float that a rounded one has not: 24 of its 53 stay.
const ROUNDED_BITS: u32 = 29;

/// Appends what is known of windows whose last samples have these times and values.
pub(super) fn encode(out: &mut Vec<u8>, (times, lasts): (&[i64], &[f64]), summaries: &Summaries) {
    let firsts = &summaries.first_values;
    let found = |column: &[f64]| {
        if is_same(column, firsts) {
            FIRSTS
        } else if is_same(column, lasts) {
            LASTS
        } else {
            OWN
        }
    };
    let (minima, maxima) = (found(&summaries.minima), found(&summaries.maxima));
    out.push(minima | maxima << 2);
    let pairs = times.iter().zip(&summaries.first_timestamps);
    let lengths: Vec<i64> = pairs
        .map(|(last, first)| last.wrapping_sub(*first))
        .collect();
    integers::encode(out, &lengths, Effort::Small);
    values::encode(out, firsts, Effort::Small);
    let counts: Vec<i64> = summaries
        .counts
        .iter()
        .map(|count| i64::from(*count))
        .collect();
    integers::encode(out, &counts, Effort::Small);
    values::encode(out, &summaries.sums, Effort::Small);
    for (place, column) in [(minima, &summaries.minima), (maxima, &summaries.maxima)] {
        if place == OWN {
            values::encode(out, column, Effort::Small);
        }
    }
    let rounded: Vec<f64> = summaries
        .squares
        .iter()
        .map(|square| rounded(*square))
        .collect();
    values::encode(out, &rounded, Effort::Small);
    let ends = firsts.iter().zip(lasts);
    let corrections = summaries.increases.iter().zip(ends).zip(&summaries.counts);
    let corrections = corrections.map(|((increase, (first, last)), count)| match count {
        0 => 0.0,
        _ => correction_of(*increase, *first, *last),
    });
    values::encode(out, &corrections.collect::<Vec<f64>>(), Effort::Small);
}

/// Reads what `encode` wrote; `None` for bytes that it did not write.
pub(super) fn decode(
    decoder: &mut Decoder<'_>,
    (times, lasts): (&[i64], &[f64]),
) -> Option<Summaries> {
    let places = decoder.byte()?;
    let count = times.len();
    let lengths = integers::decode(decoder, count)?;
    let first_values = values::decode(decoder, count)?;
    let counts = integers::decode(decoder, count)?;
    let counts: Option<Vec<u32>> = counts
        .iter()
        .map(|count| u32::try_from(*count).ok())
        .collect();
    let sums = values::decode(decoder, count)?;
    let mut column = |place: u8| match place {
        OWN => values::decode(decoder, count),
        FIRSTS => Some(first_values.clone()),
        LASTS => Some(lasts.to_vec()),
        _ => None,
    };
    let minima = column(places & 3)?;
    let maxima = column(places >> 2)?;
    let squares = values::decode(decoder, count)?;
    let corrections = values::decode(decoder, count)?;
    let counts = counts?;
    let ends = first_values.iter().zip(lasts);
    let increases = corrections.iter().zip(ends).zip(&counts);
    let increases = increases.map(|((correction, (first, last)), count)| match count {
        0 => 0.0,
        _ => increase_of(*correction, *first, *last),
    });
    Some(Summaries {
        first_timestamps: times
            .iter()
            .zip(&lengths)
            .map(|(at, length)| at.wrapping_sub(*length))
            .collect(),
        increases: increases.collect(),
        first_values,
        counts,
        sums,
        minima,
        maxima,
        squares,
    })
}

fn is_same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// A float with 24 significant bits: what deviations need, at half the size.
fn rounded(value: f64) -> f64 {
    if !value.is_finite() {
        return value;
    }
    let half = 1_u64 << (ROUNDED_BITS - 1);
    f64::from_bits(value.to_bits().saturating_add(half) >> ROUNDED_BITS << ROUNDED_BITS)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, rounded};
    use crate::summary::{Window, summarize};
    use proptest::prelude::*;
    use storage::encoding::Decoder;

    fn same(a: &[f64], b: &[f64]) -> bool {
        super::is_same(a, b)
    }

    proptest! {
        #[test]
        fn round_trips(
            samples in prop::collection::vec((1..90_i64, prop_oneof![
                5 => (0..100_u32).prop_map(f64::from),
                1 => any::<f64>(),
                1 => Just(model::STALE_MARKER),
            ]), 1..120),
            place: prop::sample::Index,
        ) {
            let mut at = 0;
            let windows = samples.iter().map(|(step, value)| {
                at += step;
                Window::of(at, *value, 0)
            });
            let floats = summarize(windows, 100);
            let kept = floats.summaries.expect("windows");
            let mut bytes = Vec::new();
            let last = (floats.times.as_slice(), floats.values.as_slice());
            encode(&mut bytes, last, &kept);
            let mut decoder = Decoder::new(&bytes);
            let back = decode(&mut decoder, last).expect("decodes");
            prop_assert!(decoder.is_empty());
            prop_assert_eq!(&back.first_timestamps, &kept.first_timestamps);
            prop_assert_eq!(&back.counts, &kept.counts);
            prop_assert!(same(&back.first_values, &kept.first_values));
            prop_assert!(same(&back.sums, &kept.sums));
            prop_assert!(same(&back.minima, &kept.minima));
            prop_assert!(same(&back.maxima, &kept.maxima));
            let squares: Vec<f64> = kept.squares.iter().map(|square| rounded(*square)).collect();
            prop_assert!(same(&back.squares, &squares));
            for (got, want) in back.increases.iter().zip(&kept.increases) {
                let close = (got - want).abs() <= 1e-9 * want.abs();
                prop_assert!(close || got.to_bits() == want.to_bits() || !want.is_finite() || want.abs() > 1e15);
            }
            let cut = place.index(bytes.len());
            prop_assert!(decode(&mut Decoder::new(&bytes[..cut]), last).is_none());
        }
    }

    #[test]
    fn rounds() {
        let check =
            |value: f64, want: f64| assert_eq!(rounded(value).to_bits(), want.to_bits(), "{value}");
        check(0.0, 0.0);
        check(1.0, 1.0);
        check(12_345_678.0, 12_345_678.0);
        check(16_777_217.0, 16_777_218.0);
        check(f64::INFINITY, f64::INFINITY);
        assert!(rounded(f64::NAN).is_nan());
        assert!((rounded(0.1) - 0.1).abs() < 1e-8);
    }
}
