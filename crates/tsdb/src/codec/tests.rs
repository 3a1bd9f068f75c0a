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

/// Numbers of a few narrow ranges that lie far apart: what pco is for.
fn clustered() -> impl Strategy<Value = Vec<i64>> {
    let scale = prop::sample::select(vec![1_000, 10_000_000, 1_000_000_000_000]);
    let numbers = prop::collection::vec((0..3_i64, 0..9_i64), 64..300);
    (scale, numbers).prop_map(|(scale, numbers)| {
        let numbers = numbers.iter();
        numbers.map(|(far, near)| far * scale + near).collect()
    })
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
        clustered(),
    ]) {
        for effort in [Effort::Fast, Effort::Small] {
            let mut bytes = Vec::new();
            integers::encode(&mut bytes, &column, effort);
            let mut decoder = Decoder::new(&bytes);
            prop_assert_eq!(integers::decode(&mut decoder, column.len()), Some(column.clone()));
            prop_assert!(decoder.is_empty());
        }
    }

    #[test]
    fn damaged_integers_do_not_panic(
        column in clustered(),
        place: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        let mut bytes = Vec::new();
        integers::encode(&mut bytes, &column, Effort::Small);
        let at = place.index(bytes.len());
        let cut = integers::decode(&mut Decoder::new(&bytes[..at]), column.len());
        prop_assert!(cut.is_none_or(|numbers| numbers.len() == column.len()));
        bytes[at] ^= 1 << bit;
        let flipped = integers::decode(&mut Decoder::new(&bytes), column.len());
        prop_assert!(flipped.is_none_or(|numbers| numbers.len() == column.len()));
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

#[test]
fn each_codec_is_used_where_it_is_smallest() {
    let check = |name: &str, codec: u8, column: Vec<i64>, bytes_max: usize| {
        let mut bytes = Vec::new();
        integers::encode(&mut bytes, &column, Effort::Small);
        assert_eq!(bytes.first(), Some(&codec), "{name}");
        assert!(bytes.len() <= bytes_max, "{name}: {} bytes", bytes.len());
        let back = integers::decode(&mut Decoder::new(&bytes), column.len());
        assert_eq!(back, Some(column), "{name}");
    };
    let mut random = runtime::Random::from_seed(1);
    let mut below = |limit: u64| i64::try_from(random.below(limit)).expect("small");
    let mut any = |limit: u64| -> Vec<i64> { (0..240).map(|_| below(limit)).collect() };
    let sums = |steps: Vec<i64>| -> Vec<i64> {
        let mut at = 7;
        let sum = |step: &i64| {
            at += step;
            at
        };
        steps.iter().map(sum).collect()
    };
    check("256 values", 0, any(256), 245);
    check("steps of 256 sizes", 1, sums(any(256)), 245);
    check("101 values", 4, any(101), 206);
    check("steps of 101 sizes", 5, sums(any(101)), 207);
    let far = |(i, near)| near + if i % 4 == 0 { 1 << 40 } else { 0 };
    check(
        "two ranges",
        7,
        (0..240).zip(any(8)).map(far).collect(),
        160,
    );
}

#[test]
fn a_column_of_an_older_program_is_read() {
    let column: Vec<i64> = (0..240).map(|i| i * i % 1009).collect();
    let made = pco::standalone::simple_compress(&column, &pco::ChunkConfig::default());
    let mut bytes = vec![3];
    storage::encoding::put_bytes(&mut bytes, &made.expect("compresses"));
    let back = integers::decode(&mut Decoder::new(&bytes), column.len());
    assert_eq!(back, Some(column));
}
