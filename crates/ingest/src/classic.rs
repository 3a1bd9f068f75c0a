//! Classic histograms turned into native ones with custom buckets (NHCB).
//!
//! Cumulative buckets, count and sum in any order; out comes a histogram of schema −53 with the
//! same bounds. Upstream: `util/convertnhcb`.

use crate::native::Sparse;
use model::Histogram;
use model::histogram::CUSTOM_BUCKETS_SCHEMA;
use std::sync::Arc;

/// What is known of a classic histogram so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Classic {
    /// Upper bound and cumulative count.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

impl Classic {
    /// Adds a bucket: its upper bound, and how many observations lie at or below it.
    pub(crate) fn set_bucket(&mut self, bound: f64, cumulative: f64) {
        self.buckets.push((bound, cumulative));
    }

    /// Sets the number of observations.
    pub(crate) const fn set_count(&mut self, count: f64) {
        self.count = Some(count);
    }

    /// Sets the sum of the observations.
    pub(crate) const fn set_sum(&mut self, sum: f64) {
        self.sum = sum;
    }

    /// The native histogram. Fails where the counts contradict each other; of two buckets with one bound the
    /// first counts.
    pub(crate) fn convert(mut self) -> Result<Histogram, String> {
        self.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.buckets.dedup_by(|later, first| later.0 == first.0);
        let highest = self.buckets.last().copied();
        let count = self
            .count
            .or(highest.map(|(_, count)| count))
            .unwrap_or(0.0);
        if highest.is_none_or(|(bound, _)| bound != f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        } else if highest.is_some_and(|(_, total)| total != count) {
            return Err("the count is not that of the highest bucket".to_owned());
        }
        let mut previous = 0.0;
        let mut sparse = Sparse::default();
        for (index, (bound, cumulative)) in (0_i64..).zip(&self.buckets) {
            let in_bucket = cumulative - previous;
            if bound.is_nan() || in_bucket.is_nan() || in_bucket < 0.0 {
                return Err("counts of buckets are not cumulative".to_owned());
            }
            previous = *cumulative;
            if in_bucket > 0.0 {
                sparse.0.push((index, in_bucket));
            }
        }
        self.buckets.pop();
        let (positive_spans, positive_buckets) = sparse.into_spans();
        let bounds: Vec<f64> = self.buckets.iter().map(|(bound, _)| *bound).collect();
        Ok(Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count,
            sum: self.sum,
            positive_spans,
            positive_buckets,
            custom_values: Some(Arc::from(bounds)),
            ..Histogram::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Classic;

    fn classic(buckets: &[(f64, f64)], count: Option<f64>) -> Classic {
        Classic {
            buckets: buckets.to_vec(),
            count,
            sum: 2.5,
        }
    }

    #[test]
    fn converts() {
        let inf = f64::INFINITY;
        let check = |buckets: &[(f64, f64)], count, want: &str| {
            let got = classic(buckets, count).convert().expect("sound");
            let spans: Vec<(i32, u32)> = got
                .positive_spans
                .iter()
                .map(|span| (span.offset, span.length))
                .collect();
            let bounds = got.custom_values.as_deref().unwrap_or_default();
            let shown = format!(
                "{spans:?} {:?} {bounds:?} {}",
                got.positive_buckets, got.count
            );
            assert_eq!((shown.as_str(), got.sum), (want, 2.5));
        };
        check(
            &[(inf, 7.0), (1.0, 2.0), (5.0, 2.0)],
            Some(7.0),
            "[(0, 1), (1, 1)] [2.0, 5.0] [1.0, 5.0] 7",
        );
        check(&[(1.0, 2.0)], Some(7.0), "[(0, 2)] [2.0, 5.0] [1.0] 7");
        check(&[(1.0, 2.0)], None, "[(0, 1)] [2.0] [1.0] 2");
        check(&[], Some(3.0), "[(0, 1)] [3.0] [] 3");
        check(&[(1.0, 2.0), (1.0, 9.0)], None, "[(0, 1)] [2.0] [1.0] 2");
    }

    #[test]
    fn refuses() {
        let inf = f64::INFINITY;
        let check = |buckets: &[(f64, f64)], count, want: &str| {
            assert_eq!(classic(buckets, count).convert(), Err(want.to_owned()));
        };
        let cumulative = "counts of buckets are not cumulative";
        check(&[(1.0, 2.0), (2.0, 1.0)], None, cumulative);
        check(&[(1.0, f64::NAN)], None, cumulative);
        check(&[(1.0, -1.0)], None, cumulative);
        check(&[(1.0, 9.0)], Some(3.0), cumulative);
        check(
            &[(inf, 9.0)],
            Some(3.0),
            "the count is not that of the highest bucket",
        );
    }
}
