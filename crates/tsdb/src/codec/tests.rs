use super::{Effort, integers, values};
use proptest::prelude::*;
use storage::encoding::Decoder;

fn check_values(column: &[f64]) {
    for effort in [Effort::Fast, Effort::Small] {
        let mut bytes = Vec::new();
        values::encode(&mut bytes, column, effort);
        let mut decoder = Decoder::new(&bytes);
        let back = values::decode(&mut decoder, column.len()).expect("decodes");
        assert!(decoder.is_empty());
        let bits = |column: &[f64]| column.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(column));
    }
}

/// What real series look like, and what they should never look like.
fn columns() -> impl Strategy<Value = Vec<f64>> {
    let decimal = (0..7_i32, any::<i32>())
        .prop_map(|(exponent, multiple)| f64::from(multiple) / 10_f64.powi(exponent));
    let special = prop::sample::select(vec![
        0.0,
        -0.0,
        f64::NAN,
        model::STALE_MARKER,
        f64::from_bits(0xfff8_0000_0000_0001),
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN_POSITIVE,
        f64::MAX,
        9_007_199_254_740_993.0,
        1e300,
    ]);
    let bits = any::<u64>().prop_map(f64::from_bits);
    let value = prop_oneof![20 => decimal, 2 => special.clone(), 1 => bits.clone()];
    prop_oneof![
        prop::collection::vec(value, 0..300),
        prop::collection::vec(bits, 0..200),
        (special, 0..300_usize).prop_map(|(value, count)| vec![value; count]),
        (any::<u32>(), prop::collection::vec(0..1000_u32, 0..300)).prop_map(|(start, steps)| {
            let mut at = f64::from(start);
            steps
                .iter()
                .map(|step| {
                    at += f64::from(*step);
                    at
                })
                .collect()
        }),
    ]
}

proptest! {
    #[test]
    fn values_round_trip(column in columns()) {
        check_values(&column);
    }

    #[test]
    fn integers_round_trip(column in prop_oneof![
        prop::collection::vec(any::<i64>(), 0..200),
        prop::collection::vec(-5..5_i64, 0..300),
        (any::<i64>(), prop::collection::vec(14_990..15_010_i64, 0..300)).prop_map(|(start, steps)| {
            steps.iter().scan(start, |at, step| { *at = at.wrapping_add(*step); Some(*at) }).collect()
        }),
    ]) {
        for effort in [Effort::Fast, Effort::Small] {
            let mut bytes = Vec::new();
            integers::encode(&mut bytes, &column, effort);
            let mut decoder = Decoder::new(&bytes);
            prop_assert_eq!(integers::decode(&mut decoder, column.len()), Some(column.clone()));
            prop_assert!(decoder.is_empty());
        }
    }

    /// Checksums keep damaged bytes away from the codecs; should one slip through, no panic follows.
    #[test]
    fn damage_does_not_panic(
        column in columns(),
        place: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        for effort in [Effort::Fast, Effort::Small] {
            let mut bytes = Vec::new();
            values::encode(&mut bytes, &column, effort);
            let at = place.index(bytes.len());
            let cut = values::decode(&mut Decoder::new(&bytes[..at]), column.len());
            prop_assert!(cut.is_none_or(|values| values.len() == column.len()));
            bytes[at] ^= 1 << bit;
            let flipped = values::decode(&mut Decoder::new(&bytes), column.len());
            prop_assert!(flipped.is_none_or(|values| values.len() == column.len()));
        }
    }
}

#[test]
fn typical_columns_are_small() {
    let check = |name: &str, column: Vec<f64>, bytes_max: usize| {
        check_values(&column);
        let mut bytes = Vec::new();
        values::encode(&mut bytes, &column, Effort::Small);
        assert!(bytes.len() <= bytes_max, "{name}: {} bytes", bytes.len());
    };
    let count = |i: i32| f64::from(i);
    check("constant", vec![0.1; 240], 9);
    check(
        "counter by 15",
        (0..240).map(|i| count(i) * 15.0).collect(),
        16,
    );
    check(
        "tenths",
        (0..240).map(|i| count(i % 7) / 10.0).collect(),
        120,
    );
    let mut with_marker: Vec<f64> = (0..240).map(count).collect();
    with_marker[100] = model::STALE_MARKER;
    check("with a staleness marker", with_marker, 120);
}
