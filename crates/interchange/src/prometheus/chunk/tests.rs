//! Round trips, damage, and bytes that were put together by hand from the format's description.

use super::bits::BitWriter;
use super::{Encoding, decode, encode, samples};
use crate::testing;
use model::{STALE_MARKER, Sample, Value};
use proptest::prelude::*;

fn show(samples: &[Sample]) -> Vec<String> {
    let value = |value: &Value| match value {
        Value::Float(value) => format!("{:x}", value.to_bits()),
        Value::Histogram(histogram) => format!("{histogram:?}"),
    };
    let line = |sample: &Sample| {
        let at = (sample.timestamp.millis(), sample.start.millis());
        format!("{at:?} {}", value(&sample.value))
    };
    samples.iter().map(line).collect()
}

#[test]
fn every_kind_round_trips() {
    for row in testing::rows(1) {
        let chunks = encode(&row.samples);
        let mut read = Vec::new();
        for chunk in &chunks {
            assert_eq!(samples(chunk.encoding, &chunk.data), chunk.samples);
            decode(chunk.encoding, &chunk.data, &mut read).expect("decodes");
            assert_eq!(read.last().map(|s| s.timestamp.millis()), Some(chunk.last));
        }
        assert_eq!(show(&read), show(&row.samples), "{}", row.labels);
        assert!(chunks.len() >= 3, "{} in {}", row.labels, chunks.len());
    }
}

proptest! {
    #[test]
    fn floats_round_trip(
        steps in prop::collection::vec((1..=i64::from(u32::MAX), any::<u64>()), 1..200),
        first in -1_000_000_000_000_i64..4_000_000_000_000,
    ) {
        let mut at = first;
        let all: Vec<Sample> = steps
            .iter()
            .map(|(step, bits)| {
                at += step;
                Sample::float(model::Timestamp::from_millis(at), f64::from_bits(*bits))
            })
            .collect();
        let mut read = Vec::new();
        for chunk in encode(&all) {
            decode(chunk.encoding, &chunk.data, &mut read).expect("decodes");
        }
        prop_assert_eq!(show(&read), show(&all));
    }

    #[test]
    fn damage_does_not_panic(
        seed in 0..4_u64,
        row: prop::sample::Index,
        place: prop::sample::Index,
        bit in 0..8_u32,
        as_number in 1..7_u8,
    ) {
        let rows = testing::rows(seed);
        let row = row.get(&rows);
        for chunk in encode(&row.samples).into_iter().take(1) {
            let mut data = chunk.data;
            let at = place.index(data.len());
            data[at] ^= 1 << bit;
            let mut read = Vec::new();
            let encoding = Encoding::from_number(as_number).expect("known");
            let _any = decode(encoding, &data, &mut read);
            let _any = decode(encoding, &data[..at], &mut read);
        }
    }

    #[test]
    fn garbage_does_not_panic(bytes: Vec<u8>, number in 1..7_u8) {
        let mut read = Vec::new();
        let _any = decode(Encoding::from_number(number).expect("known"), &bytes, &mut read);
    }
}

/// XOR2 by hand: each line is the bits of one sample, as the description in `xor2` orders them.
#[test]
fn reads_xor2() {
    let mut bits = BitWriter::after(vec![0, 8, 0x80 | 3]);
    bits.varint(1000);
    bits.float(2.0);
    bits.varint(400); // start 600
    bits.uvarint(10);
    bits.bits(0, 1); // 1010, same value
    bits.bits(0, 1); // 1020, same delta, same value
    bits.bits(0b110, 3);
    bits.bits(5, 13); // delta 15: 1035
    bits.bits(0b110, 3); // new window: 2.0 ^ 3.0 is one bit
    bits.bits(12, 5);
    bits.bits(1, 6);
    bits.bits(1, 1);
    bits.varbit(20); // start 1020 - 20
    bits.bits(0b11111, 5); // 1050, marker
    bits.varbit(15); // 1035 - 35
    bits.bits(0b10, 2); // 1065, changed back, old window
    bits.bits(0, 1);
    bits.bits(1, 1);
    bits.varbit(0);
    bits.bits(0b1110, 4);
    bits.bits((-5_i64).cast_unsigned(), 20); // delta 10: 1075
    bits.bits(0b111, 3); // marker
    bits.varbit(0);
    bits.bits(0b11110, 5);
    bits.bits(90, 64); // delta 100: 1175
    bits.bits(0, 1);
    bits.varbit(0);
    let data = bits.finish();
    let mut read = Vec::new();
    decode(Encoding::Xor2, &data, &mut read).expect("decodes");
    let want: Vec<Sample> = [
        (1000, 600, 2.0),
        (1010, 600, 2.0),
        (1020, 600, 2.0),
        (1035, 1000, 3.0),
        (1050, 1000, STALE_MARKER),
        (1065, 1015, 2.0),
        (1075, 1030, STALE_MARKER),
        (1175, 1040, 2.0),
    ]
    .into_iter()
    .map(|(at, start, value)| super::sample(at, start, Value::Float(value)))
    .collect();
    assert_eq!(show(&read), show(&want));
    assert!(decode(Encoding::Xor2, &data[..data.len() - 1], &mut read).is_err());
    assert_eq!(read.len(), want.len());
}

/// A histogram with start timestamps by hand.
#[test]
fn reads_histograms_with_starts() {
    let mut bits = BitWriter::after(vec![0b1100_0000, 2, 0x80 | 1]);
    bits.bits(0, 8); // zero threshold 0
    bits.varbit(-53);
    bits.varbit_unsigned(1);
    bits.varbit_unsigned(2);
    bits.varbit(0);
    bits.varbit_unsigned(0);
    bits.varbit_unsigned(1);
    bits.varbit_unsigned(1501); // bound 1.5
    for (i, (at, counts)) in [(5000, [3, 0]), (100, [1, 0])].into_iter().enumerate() {
        bits.varbit(at);
        if i == 0 {
            bits.varbit_unsigned(counts[0]);
            bits.varbit_unsigned(counts[1]);
            bits.float(7.5);
        } else {
            bits.varbit(1);
            bits.varbit(0);
            bits.bits(0, 1);
        }
        bits.varbit(i64::from(i == 0) * 2);
        bits.varbit(-i64::from(i == 0) + i64::from(i == 1));
        if i == 0 {
            bits.varint(1000); // start 4000
        } else {
            bits.varbit(900); // start 4100
        }
    }
    let mut read = Vec::new();
    decode(Encoding::HistogramStart, &bits.finish(), &mut read).expect("decodes");
    let seen: Vec<_> = read
        .iter()
        .map(|sample| {
            let Value::Histogram(histogram) = &sample.value else {
                panic!("a histogram");
            };
            let bounds = histogram.custom_values.as_deref().expect("custom").to_vec();
            let times = (sample.timestamp.millis(), sample.start.millis());
            (
                times,
                histogram.count,
                histogram.positive_buckets.clone(),
                bounds,
            )
        })
        .collect();
    let want = [
        ((5000, 4000), 3.0, vec![2.0, 1.0], vec![1.5]),
        ((5100, 4100), 4.0, vec![2.0, 2.0], vec![1.5]),
    ];
    assert_eq!(seen, want);
}
