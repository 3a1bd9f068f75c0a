//! Native histograms on their way in: from what was sent to a checked `model::Histogram`, and to coarser
//! resolutions where there are more buckets than wanted.
//!
//! Every decoder that knows native histograms ends here, so that what one door refuses, all refuse.
//! Bucket `i` of schema `s` covers `(b^(i-1), b^i]` with `b = 2^(2^-s)`; so the bucket that holds it in schema
//! `s - d` is `ceil(i / 2^d)`.

use crate::protobuf::{Message, ProtobufError, Wire};
use model::Histogram;
use model::histogram::{CUSTOM_BUCKETS_SCHEMA, Span};
use model::number::{float_to_i64, i64_to_float};
use std::sync::Arc;

/// The coarsest exponential schema.
pub const SCHEMA_MIN: i32 = -4;
/// The finest exponential schema that is stored; finer ones are made coarser.
pub const SCHEMA_MAX: i32 = 8;
/// The finest exponential schema that producers may send.
const SENT_SCHEMA_MAX: i32 = 52;

/// One side's buckets as sent: integer histograms send differences, float histograms counts.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) spans: Vec<Span>,
    pub(crate) deltas: Vec<i64>,
    pub(crate) counts: Vec<f64>,
}

/// Both sides, and whether the histogram counts in floats.
#[derive(Debug, Default)]
pub(crate) struct Sides {
    pub(crate) positive: Side,
    pub(crate) negative: Side,
    pub(crate) is_float: bool,
}

/// Reads a `BucketSpan`, which is the same in all of Prometheus' messages.
pub(crate) fn span(mut message: Message<'_>) -> Result<Span, ProtobufError> {
    let mut span = Span {
        offset: 0,
        length: 0,
    };
    while let Some((field, wire)) = message.next_field()? {
        match (field, wire) {
            (1, _) => span.offset = message.sint32(wire)?,
            (2, Wire::Varint(length)) => span.length = u32::try_from(length).unwrap_or(u32::MAX),
            (2, _) => return Err(ProtobufError::WrongWireType(2)),
            _ => {}
        }
    }
    Ok(span)
}

/// Puts the buckets into a histogram whose other fields are set, and checks the whole.
///
/// Schemas 9 to 52 come out as schema 8. The error says what makes no sense.
pub(crate) fn complete(mut histogram: Histogram, sides: Sides) -> Result<Arc<Histogram>, String> {
    let Sides {
        positive,
        negative,
        is_float,
    } = sides;
    histogram.positive_buckets = buckets(&positive, "positive")?;
    histogram.negative_buckets = buckets(&negative, "negative")?;
    histogram.positive_spans = positive.spans;
    histogram.negative_spans = negative.spans;
    check(&histogram, is_float).map_err(|reason| format!("invalid histogram: {reason}"))?;
    if histogram.schema > SCHEMA_MAX {
        reduce_resolution(&mut histogram, SCHEMA_MAX);
    }
    Ok(Arc::new(histogram))
}

/// Absolute counts of one side's buckets; fails where they do not fill the spans.
fn buckets(side: &Side, which: &str) -> Result<Vec<f64>, String> {
    let counts = if side.deltas.is_empty() {
        side.counts.clone()
    } else {
        let mut count = 0_i64;
        let add = |delta: &i64| {
            count = count.saturating_add(*delta);
            i64_to_float(count)
        };
        side.deltas.iter().map(add).collect()
    };
    let spanned: u64 = side.spans.iter().map(|span| u64::from(span.length)).sum();
    let sent = counts.len();
    if usize::try_from(spanned) != Ok(sent) {
        return Err(format!(
            "invalid histogram: {which} spans need {spanned} buckets, have {sent} buckets"
        ));
    }
    if side.spans.iter().skip(1).any(|span| span.offset < 0) {
        return Err(format!(
            "invalid histogram: a {which} span lies before the one before it"
        ));
    }
    if last_index(&side.spans).is_none() {
        return Err(format!(
            "invalid histogram: a {which} span lies beyond all buckets"
        ));
    }
    Ok(counts)
}

/// The index of the last bucket, `None` where there cannot be such a bucket.
fn last_index(spans: &[Span]) -> Option<i32> {
    let reach = |end: i64, span: &Span| end + i64::from(span.offset) + i64::from(span.length);
    i32::try_from(spans.iter().fold(0, reach)).ok()
}

/// Says what makes no sense in a histogram whose spans fit its buckets.
fn check(histogram: &Histogram, is_float: bool) -> Result<(), String> {
    let schema = histogram.schema;
    let sides = [&histogram.positive_buckets, &histogram.negative_buckets];
    let single = [histogram.zero_count, histogram.count];
    if sides.into_iter().flatten().chain(&single).any(|c| *c < 0.0) {
        return Err("a count is negative".to_owned());
    }
    match schema {
        CUSTOM_BUCKETS_SCHEMA => check_custom(histogram)?,
        SCHEMA_MIN..=SENT_SCHEMA_MAX if histogram.custom_values.is_some() => {
            return Err("exponential buckets have no custom bounds".to_owned());
        }
        SCHEMA_MIN..=SENT_SCHEMA_MAX => {}
        _ => return Err(format!("unknown schema {schema}")),
    }
    if is_float {
        return Ok(());
    }
    let held: f64 = sides.into_iter().flatten().sum::<f64>() + histogram.zero_count;
    let count = histogram.count;
    // NaN is observed, too, but in no bucket; then the sum is NaN as well.
    let fits = if histogram.sum.is_nan() {
        held <= count
    } else {
        // Beyond 2^53 whole numbers are rounded.
        (held - count).abs() <= count * f64::EPSILON * 8.0
    };
    if fits {
        return Ok(());
    }
    Err(format!(
        "{held} observations in buckets, {count} observations in all"
    ))
}

fn check_custom(histogram: &Histogram) -> Result<(), String> {
    if !(histogram.negative_spans.is_empty()
        && histogram.negative_buckets.is_empty()
        && histogram.zero_count == 0.0
        && histogram.zero_threshold == 0.0)
    {
        return Err("custom buckets have no negative side and no zero bucket".to_owned());
    }
    let bounds: &[f64] = histogram.custom_values.as_deref().unwrap_or_default();
    if bounds.iter().any(|bound| !bound.is_finite()) {
        return Err("a custom bound is not finite".to_owned());
    }
    let ascends = |pair: &[f64]| matches!(pair, [low, high] if low < high);
    if !bounds.windows(2).all(ascends) {
        return Err("custom bounds do not ascend".to_owned());
    }
    let first = histogram.positive_spans.first();
    if first.is_some_and(|span| span.offset < 0) {
        return Err("a custom bucket lies before the first".to_owned());
    }
    let end = last_index(&histogram.positive_spans).and_then(|end| usize::try_from(end).ok());
    if end.is_none_or(|end| end > bounds.len() + 1) {
        return Err("there are fewer custom bounds than buckets".to_owned());
    }
    Ok(())
}

/// How many buckets a histogram holds, the zero bucket not counted.
#[must_use]
pub fn bucket_count(histogram: &Histogram) -> usize {
    histogram.positive_buckets.len() + histogram.negative_buckets.len()
}

/// Makes a histogram coarser until it holds at most `buckets_max` buckets. Answers whether that was possible:
/// custom buckets cannot be made coarser, nor those of the coarsest schema.
#[must_use]
pub fn limit_buckets(histogram: &mut Histogram, buckets_max: usize) -> bool {
    while bucket_count(histogram) > buckets_max {
        if histogram.schema == CUSTOM_BUCKETS_SCHEMA || histogram.schema <= SCHEMA_MIN {
            return false;
        }
        let coarser = histogram.schema - 1;
        reduce_resolution(histogram, coarser);
    }
    true
}

/// The finest schema whose buckets are at least `factor` times as wide as the one before.
#[must_use]
pub fn schema_of_factor(factor: f64) -> i32 {
    if factor <= 1.0 || factor.is_nan() {
        return SCHEMA_MAX;
    }
    let schema = float_to_i64((-factor.log2().log2()).floor());
    let (min, max) = (i64::from(SCHEMA_MIN), i64::from(SCHEMA_MAX));
    i32::try_from(schema.clamp(min, max)).unwrap_or(SCHEMA_MAX)
}

/// Merges buckets so that the histogram has a coarser schema; nothing happens where it has one already, or
/// custom buckets.
pub fn reduce_resolution(histogram: &mut Histogram, schema: i32) {
    if histogram.schema <= schema || histogram.schema == CUSTOM_BUCKETS_SCHEMA {
        return;
    }
    let steps = histogram.schema.abs_diff(schema);
    let merge = |spans: &mut Vec<Span>, buckets: &mut Vec<f64>| {
        let side = Sparse::of(spans, buckets).coarser(steps);
        (*spans, *buckets) = side.into_spans();
    };
    merge(
        &mut histogram.positive_spans,
        &mut histogram.positive_buckets,
    );
    merge(
        &mut histogram.negative_spans,
        &mut histogram.negative_buckets,
    );
    histogram.schema = schema;
}

/// Adds two histograms; `None` where their buckets do not fit each other.
///
/// The finer one is made coarser first; of two zero buckets the wider counts.
#[must_use]
pub fn sum(a: &Histogram, b: &Histogram) -> Option<Histogram> {
    let is_custom = |h: &Histogram| h.schema == CUSTOM_BUCKETS_SCHEMA;
    if is_custom(a) != is_custom(b) || a.custom_values != b.custom_values {
        return None;
    }
    let schema = a.schema.min(b.schema);
    let (mut a, mut b) = (a.clone(), b.clone());
    reduce_resolution(&mut a, schema);
    reduce_resolution(&mut b, schema);
    let side = |a: (&[Span], &[f64]), b: (&[Span], &[f64])| {
        Sparse::of(a.0, a.1)
            .plus(&Sparse::of(b.0, b.1))
            .into_spans()
    };
    let (positive_spans, positive_buckets) = side(
        (&a.positive_spans, &a.positive_buckets),
        (&b.positive_spans, &b.positive_buckets),
    );
    let (negative_spans, negative_buckets) = side(
        (&a.negative_spans, &a.negative_buckets),
        (&b.negative_spans, &b.negative_buckets),
    );
    Some(Histogram {
        zero_threshold: a.zero_threshold.max(b.zero_threshold),
        zero_count: a.zero_count + b.zero_count,
        count: a.count + b.count,
        sum: a.sum + b.sum,
        positive_spans,
        positive_buckets,
        negative_spans,
        negative_buckets,
        ..a
    })
}

/// The buckets of one side by their index, ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sparse(pub(crate) Vec<(i64, f64)>);

impl Sparse {
    fn of(spans: &[Span], buckets: &[f64]) -> Self {
        let mut index = 0_i64;
        let mut list = Vec::with_capacity(buckets.len());
        let mut counts = buckets.iter();
        for span in spans {
            index += i64::from(span.offset);
            for count in counts
                .by_ref()
                .take(usize::try_from(span.length).unwrap_or(0))
            {
                list.push((index, *count));
                index += 1;
            }
        }
        Self(list)
    }

    /// Buckets `2^steps` times as wide on the logarithmic scale.
    pub(crate) fn coarser(self, steps: u32) -> Self {
        let steps = steps.min(62);
        let mut merged: Vec<(i64, f64)> = Vec::with_capacity(self.0.len());
        for (index, count) in self.0 {
            let index = ((index - 1) >> steps) + 1;
            match merged.last_mut() {
                Some((last, sum)) if *last == index => *sum += count,
                _ => merged.push((index, count)),
            }
        }
        Self(merged)
    }

    fn plus(self, other: &Self) -> Self {
        let mut sums: std::collections::BTreeMap<i64, f64> = self.0.into_iter().collect();
        for (index, count) in &other.0 {
            *sums.entry(*index).or_default() += count;
        }
        Self(sums.into_iter().collect())
    }

    /// Spans and counts. Indexes that no bucket can have are left out.
    pub(crate) fn into_spans(self) -> (Vec<Span>, Vec<f64>) {
        let mut spans: Vec<Span> = Vec::new();
        let mut counts = Vec::with_capacity(self.0.len());
        let mut next = 0_i64;
        for (index, count) in self.0 {
            let Ok(offset) = i32::try_from(index - next) else {
                continue;
            };
            match spans.last_mut() {
                Some(span) if offset == 0 => span.length += 1,
                _ => spans.push(Span { offset, length: 1 }),
            }
            counts.push(count);
            next = index + 1;
        }
        (spans, counts)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Side, Sides, Sparse, complete, limit_buckets, reduce_resolution, schema_of_factor,
    };
    use model::Histogram;
    use model::histogram::{CUSTOM_BUCKETS_SCHEMA, Span};
    use proptest::prelude::*;

    fn span(offset: i32, length: u32) -> Span {
        Span { offset, length }
    }

    fn sent(schema: i32, spans: &[Span], deltas: &[i64]) -> Result<Histogram, String> {
        let mut count = 0;
        let mut running = 0;
        for delta in deltas {
            running += delta;
            count += running;
        }
        let histogram = Histogram {
            schema,
            count: model::number::i64_to_float(count),
            ..Histogram::default()
        };
        let side = Side {
            spans: spans.to_vec(),
            deltas: deltas.to_vec(),
            counts: Vec::new(),
        };
        let sides = Sides {
            positive: side,
            ..Sides::default()
        };
        complete(histogram, sides).map(|whole| (*whole).clone())
    }

    #[test]
    fn merges_buckets() {
        let check = |spans: &[Span], deltas: &[i64], to: i32, want: (&[Span], &[f64])| {
            let mut histogram = sent(2, spans, deltas).expect("sound");
            reduce_resolution(&mut histogram, to);
            let got = (
                histogram.positive_spans.as_slice(),
                histogram.positive_buckets.as_slice(),
            );
            assert_eq!(got, want);
        };
        // 1 2 3 4 | 5: the bucket above 1 ends where the fourth does.
        check(
            &[span(1, 5)],
            &[1, 0, 0, 0, 1],
            0,
            (&[span(1, 2)], &[4.0, 2.0]),
        );
        // -3 -2 -1 0 | 4 | 12
        check(
            &[span(-3, 4), span(3, 1), span(7, 1)],
            &[1, 0, 0, 0, 0, 0],
            0,
            (&[span(0, 2), span(1, 1)], &[4.0, 1.0, 1.0]),
        );
    }

    #[test]
    fn limits_buckets() {
        let many = [span(-10, 40)];
        let deltas: Vec<i64> = (0..40).map(|i| i64::from(i == 0)).collect();
        let mut histogram = sent(8, &many, &deltas).expect("sound");
        assert!(limit_buckets(&mut histogram, 12));
        assert_eq!(
            (histogram.schema, histogram.positive_buckets.len()),
            (6, 11)
        );
        assert_eq!(histogram.positive_buckets.iter().sum::<f64>(), 40.0);
        let mut coarsest = sent(-4, &[span(0, 3)], &[1, 0, 0]).expect("sound");
        assert!(!limit_buckets(&mut coarsest, 2));
    }

    #[test]
    fn picks_schemas() {
        let check = |factor, want| assert_eq!(schema_of_factor(factor), want, "{factor}");
        for (factor, want) in [(0.0, 8), (1.0, 8), (1.002, 8), (1.1, 2), (2.0, 0)] {
            check(factor, want);
        }
        for (factor, want) in [(4.0, -1), (65536.0, -4), (1e30, -4), (f64::NAN, 8)] {
            check(factor, want);
        }
    }

    #[test]
    fn refuses_nonsense() {
        let check = |schema, spans: &[Span], deltas: &[i64], want: &str| {
            let error = sent(schema, spans, deltas).expect_err(want);
            assert_eq!(error, format!("invalid histogram: {want}"));
        };
        check(99, &[], &[], "unknown schema 99");
        check(-5, &[], &[], "unknown schema -5");
        check(
            0,
            &[span(0, 2)],
            &[1],
            "positive spans need 2 buckets, have 1 buckets",
        );
        check(
            0,
            &[span(0, 1), span(-1, 1)],
            &[1, 0],
            "a positive span lies before the one before it",
        );
        check(
            0,
            &[span(i32::MAX, 1)],
            &[1],
            "a positive span lies beyond all buckets",
        );
        check(0, &[span(0, 2)], &[1, -2], "a count is negative");
        check(
            CUSTOM_BUCKETS_SCHEMA,
            &[span(0, 2)],
            &[1, 0],
            "there are fewer custom bounds than buckets",
        );
        assert!(sent(52, &[span(0, 1)], &[1]).is_ok_and(|fine| fine.schema == 8));
    }

    proptest! {
        /// Merging step by step is merging at once, and loses no observation.
        #[test]
        fn merging_is_associative(
            indexes in prop::collection::btree_set(-2000_i64..2000, 0..40),
            (a, b) in (0_u32..6, 0_u32..6),
        ) {
            let side = Sparse(indexes.iter().map(|i| (*i, 1.0)).collect());
            let (spans, counts) = side.clone().into_spans();
            prop_assert_eq!(&Sparse::of(&spans, &counts), &side);
            let twice = side.clone().coarser(a).coarser(b);
            prop_assert_eq!(&twice, &side.coarser(a + b));
            let sum: f64 = twice.0.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(sum, model::number::usize_to_float(indexes.len()));
        }
    }
}
