//! The populated buckets of a histogram in ascending order, with their bounds.

use super::unpacked::Unpacked;
use super::{CUSTOM_BUCKETS_SCHEMA, bounds};
use model::Histogram;
use model::number::format_float_general;

/// A bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Its lower bound.
    pub lower: f64,
    /// Its upper bound.
    pub upper: f64,
    /// Whether the lower bound and the upper bound lie in it.
    pub includes: (bool, bool),
    /// What it counts.
    pub count: f64,
}

/// A side of a histogram: the sign of its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Below zero, where bounds are mirrored.
    Negative,
    /// Above zero; custom buckets lie here whatever their bounds.
    Positive,
}

impl Bucket {
    /// The bucket with an index, for a schema and its custom bounds.
    pub(super) fn with_index(
        (index, count): (i32, f64),
        (schema, custom): (i32, &[f64]),
        side: Side,
    ) -> Self {
        let (lower, upper) = bounds::of_bucket(index, schema, custom);
        match side {
            Side::Negative => Self {
                lower: -upper,
                upper: -lower,
                includes: (true, false),
                count,
            },
            Side::Positive => Self {
                lower,
                upper,
                includes: (schema == CUSTOM_BUCKETS_SCHEMA && index == 0, true),
                count,
            },
        }
    }
}

/// All buckets that are held, ascending; the zero bucket among them where it counts something. Others begin where that
/// one ends.
#[must_use]
pub fn all(histogram: &Histogram) -> Vec<Bucket> {
    let (negative, positive) = sides(histogram);
    let zero = zero(histogram);
    let negative = negative.into_iter().map(|bucket| match bucket.upper < 0.0 {
        true => Bucket {
            upper: bucket.upper.min(zero.lower),
            ..bucket
        },
        false => bucket,
    });
    let positive = positive.into_iter().map(|bucket| match bucket.lower > 0.0 {
        true => Bucket {
            lower: bucket.lower.max(zero.upper),
            ..bucket
        },
        false => bucket,
    });
    let zero = (zero.count > 0.0).then_some(zero);
    negative.chain(zero).chain(positive).collect()
}

/// The buckets below and above the zero bucket, ascending, with the bounds of their indexes.
fn sides(histogram: &Histogram) -> (Vec<Bucket>, Vec<Bucket>) {
    let unpacked = Unpacked::new(histogram);
    let layout = (unpacked.schema, unpacked.custom());
    let bucket = |side| move |held: &(i32, f64)| Bucket::with_index(*held, layout, side);
    let negative = unpacked.negative.iter().rev();
    (
        negative.map(bucket(Side::Negative)).collect(),
        unpacked
            .positive
            .iter()
            .map(bucket(Side::Positive))
            .collect(),
    )
}

/// The zero bucket.
pub(crate) fn zero(histogram: &Histogram) -> Bucket {
    Bucket {
        lower: -histogram.zero_threshold,
        upper: histogram.zero_threshold,
        includes: (true, true),
        count: histogram.zero_count,
    }
}

/// A histogram as upstream prints it: `{count:5, sum:2.5, [-1,-0.5):1, [-0.1,0.1]:2, (0.5,1]:2}`.
#[must_use]
pub fn text(histogram: &Histogram) -> String {
    let number = format_float_general;
    let (count, sum) = (number(histogram.count), number(histogram.sum));
    let mut text = format!("{{count:{count}, sum:{sum}");
    let (negative, positive) = sides(histogram);
    let zero = zero(histogram);
    let all = negative.iter().chain([&zero]).chain(&positive);
    for bucket in all.filter(|bucket| bucket.count != 0.0) {
        let open = if bucket.includes.0 { '[' } else { '(' };
        let close = if bucket.includes.1 { ']' } else { ')' };
        let [lower, upper, count] = [bucket.lower, bucket.upper, bucket.count].map(number);
        text.push_str(&format!(", {open}{lower},{upper}{close}:{count}"));
    }
    text + "}"
}

#[cfg(test)]
mod tests {
    use super::{all, text};
    use crate::parse_series_description;
    use crate::series::SequenceValue;
    use model::Histogram;

    fn histogram(description: &str) -> Histogram {
        let series = parse_series_description(&format!("h {{{{{description}}}}}"));
        match series.expect("a series").values.as_slice() {
            [SequenceValue::Histogram { histogram, .. }] => Histogram::clone(histogram),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn prints_as_upstream() {
        let check = |description, want: &str| assert_eq!(text(&histogram(description)), want);
        check("count:0 sum:0", "{count:0, sum:0}");
        check(
            "schema:0 count:1000000 sum:2.5 z_bucket:2 z_bucket_w:0.001 buckets:[1 0] n_buckets:[3]",
            "{count:1e+06, sum:2.5, [-1,-0.5):3, [-0.001,0.001]:2, (0.5,1]:1}",
        );
        check(
            "schema:0 count:1 sum:0 z_bucket:1",
            "{count:1, sum:0, [-0,0]:1}",
        );
        check(
            "schema:0 count:3 sum:1 z_bucket:1 z_bucket_w:0.75 buckets:[2]",
            "{count:3, sum:1, [-0.75,0.75]:1, (0.5,1]:2}",
        );
        check(
            "schema:-53 count:6 sum:9 custom_values:[5 10] buckets:[1 2 3]",
            "{count:6, sum:9, [-Inf,5]:1, (5,10]:2, (10,+Inf]:3}",
        );
    }

    #[test]
    fn buckets_begin_where_the_zero_bucket_ends() {
        let check = |description, want: &[(f64, f64)]| {
            let buckets = all(&histogram(description));
            let bounds = buckets.iter().map(|bucket| (bucket.lower, bucket.upper));
            assert_eq!(bounds.collect::<Vec<_>>(), want, "{description}");
        };
        check(
            "schema:0 count:5 sum:1 z_bucket:1 z_bucket_w:0.75 buckets:[2 1] n_buckets:[1]",
            &[(-1.0, -0.75), (-0.75, 0.75), (0.75, 1.0), (1.0, 2.0)],
        );
        check(
            "schema:0 count:5 sum:1 z_bucket_w:0.75 buckets:[2] n_buckets:[1]",
            &[(-1.0, -0.75), (0.75, 1.0)],
        );
        check(
            "schema:-53 count:3 sum:9 custom_values:[5] buckets:[1 2]",
            &[(f64::NEG_INFINITY, 5.0), (5.0, f64::INFINITY)],
        );
    }
}
