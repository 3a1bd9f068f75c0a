use super::{added, as_gauge, is_reset, same, scaled, subtracted};
use model::Histogram;
use model::histogram::Span;
use std::sync::Arc;

fn histogram(schema: i32, offset: i32, buckets: &[f64]) -> Histogram {
    Histogram {
        schema,
        count: buckets.iter().sum(),
        sum: 1.0,
        positive_spans: vec![Span {
            offset,
            length: u32::try_from(buckets.len()).unwrap(),
        }],
        positive_buckets: buckets.to_vec(),
        ..Histogram::default()
    }
}

#[test]
fn sums_meet_at_the_lower_resolution() {
    // Schema 1 has two buckets for each of schema 0.
    let fine = histogram(1, 1, &[1.0, 2.0, 3.0, 4.0]);
    let coarse = histogram(0, 1, &[10.0, 20.0]);
    let sum = added(&fine, &coarse).unwrap().histogram;
    assert_eq!(sum.schema, 0);
    assert_eq!(sum.positive_buckets, [13.0, 27.0]);
    let back = subtracted(&sum, &coarse).unwrap().histogram;
    assert_eq!(back.positive_buckets, [3.0, 7.0]);
}

#[test]
fn zero_buckets_are_widened() {
    let mut wide = histogram(0, 2, &[5.0]);
    wide.zero_threshold = 1.5;
    let narrow = histogram(0, 1, &[7.0, 1.0]);
    let sum = added(&wide, &narrow).unwrap().histogram;
    // 1.5 lies inside the bucket (1, 2], which is populated: the threshold moves to 2.
    assert_eq!(sum.zero_threshold, 2.0);
    assert_eq!(sum.zero_count, 7.0);
    assert_eq!(sum.positive_buckets, [6.0]);
}

#[test]
fn custom_bounds_keep_what_is_common() {
    let custom = |bounds: &[f64], buckets: &[f64]| Histogram {
        custom_values: Some(Arc::from(bounds)),
        ..histogram(-53, 0, buckets)
    };
    let sum = added(
        &custom(&[1.0, 2.0, 5.0], &[1.0, 1.0, 1.0]),
        &custom(&[2.0, 4.0], &[10.0, 20.0, 30.0]),
    )
    .unwrap();
    assert!(sum.bounds_reconciled);
    assert_eq!(sum.histogram.custom_values.as_deref(), Some(&[2.0][..]));
    assert_eq!(sum.histogram.positive_buckets, [12.0, 51.0]);
    assert!(added(&custom(&[1.0], &[1.0]), &histogram(0, 0, &[1.0])).is_err());
}

#[test]
fn sees_resets() {
    let small = histogram(0, 1, &[1.0, 2.0]);
    let large = histogram(0, 1, &[2.0, 2.0]);
    assert!(!is_reset(&large, &small));
    assert!(is_reset(&small, &large));
    assert!(is_reset(&histogram(0, 1, &[9.0, 0.0]), &small));
    assert!(same(&small, &as_gauge(small.clone())));
    assert!(!same(&small, &scaled(&small, 2.0)));
}
