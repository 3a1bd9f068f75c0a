//! Sum and mean of many histograms, with compensated sums in every count.

use super::combine::{IncompatibleSchemas, align, joined_hint};
use super::unpacked::{Buckets, Unpacked};
use super::{divided, scaled};
use crate::functions::statistics::CompensatedSum;
use model::Histogram;
use model::histogram::CounterResetHint;
use std::sync::Arc;

/// A sum or mean and what is to be said about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aggregated {
    /// The result; `None` where exponential and custom buckets are mixed, or for no histograms.
    pub(crate) histogram: Option<Histogram>,
    /// Whether some said that a reset came before them and others that none did.
    pub(crate) resets_collide: bool,
    /// Whether custom bounds differed, so that only the common ones are left.
    pub(crate) bounds_reconciled: bool,
}

/// The sum.
pub(crate) fn sum(histograms: &[Arc<Histogram>]) -> Aggregated {
    let mut aggregated = Aggregated {
        resets_collide: resets_collide(histograms),
        ..Aggregated::default()
    };
    let Some((first, rest)) = histograms.split_first() else {
        return aggregated;
    };
    let mut sum = Sum::new(first);
    for histogram in rest {
        match sum.add(histogram) {
            Ok(reconciled) => aggregated.bounds_reconciled |= reconciled,
            Err(IncompatibleSchemas) => return aggregated,
        }
    }
    aggregated.histogram = Some(sum.total());
    aggregated
}

/// The mean: the sum divided by the count, or where the sum overflows the sum of the parts.
pub(crate) fn mean(histograms: &[Arc<Histogram>]) -> Aggregated {
    let mut aggregated = sum(histograms);
    let count = model::number::usize_to_float(histograms.len());
    let Some(sum) = &aggregated.histogram else {
        return aggregated;
    };
    if overflows(sum) && !histograms.iter().any(|histogram| overflows(histogram)) {
        let parts: Vec<Arc<Histogram>> = histograms
            .iter()
            .map(|histogram| Arc::new(scaled(histogram, 1.0 / count)))
            .collect();
        return self::sum(&parts);
    }
    aggregated.histogram = Some(divided(sum, count));
    aggregated
}

/// A sum while it grows: the plain sums and what they have lost, in one bucket layout.
struct Sum {
    plain: Unpacked,
    lost: Unpacked,
}

impl Sum {
    fn new(first: &Histogram) -> Self {
        let plain = Unpacked::new(first);
        let mut lost = plain.clone();
        lost.zero_count = 0.0;
        lost.count = 0.0;
        lost.sum = 0.0;
        let buckets = lost.positive.iter_mut().chain(&mut lost.negative);
        buckets.for_each(|(_, count)| *count = 0.0);
        Self { plain, lost }
    }

    /// Adds a histogram; answers whether custom bounds had to be reconciled.
    fn add(&mut self, histogram: &Histogram) -> Result<bool, IncompatibleSchemas> {
        let mut other = Unpacked::new(histogram);
        let reconciled = align(&mut self.plain, &mut other)?;
        self.lost.follow(&self.plain);
        let (plain, lost) = (&mut self.plain, &mut self.lost);
        plain.hint = joined_hint(plain.hint, other.hint).0;
        add(
            &mut plain.zero_count,
            &mut lost.zero_count,
            other.zero_count,
        );
        add(&mut plain.count, &mut lost.count, other.count);
        add(&mut plain.sum, &mut lost.sum, other.sum);
        add_buckets(&mut plain.positive, &mut lost.positive, &other.positive);
        add_buckets(&mut plain.negative, &mut lost.negative, &other.negative);
        Ok(reconciled)
    }

    fn total(mut self) -> Histogram {
        let (plain, lost) = (&mut self.plain, &self.lost);
        plain.zero_count = total(plain.zero_count, lost.zero_count);
        plain.count = total(plain.count, lost.count);
        plain.sum = total(plain.sum, lost.sum);
        total_buckets(&mut plain.positive, &lost.positive);
        total_buckets(&mut plain.negative, &lost.negative);
        self.plain.packed()
    }
}

fn add(plain: &mut f64, lost: &mut f64, value: f64) {
    let sum = CompensatedSum {
        sum: *plain,
        lost: *lost,
    }
    .plus(value);
    (*plain, *lost) = (sum.sum, sum.lost);
}

fn total(sum: f64, lost: f64) -> f64 {
    CompensatedSum { sum, lost }.total()
}

fn count_at(buckets: &Buckets, index: i32) -> f64 {
    buckets
        .binary_search_by_key(&index, |(index, _)| *index)
        .ok()
        .and_then(|place| buckets.get(place))
        .map_or(0.0, |(_, count)| *count)
}

fn add_buckets(plain: &mut Buckets, lost: &mut Buckets, other: &Buckets) {
    let mut indexes: Vec<i32> = plain.iter().chain(other).map(|(index, _)| *index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    let sums = indexes.iter().map(|index| {
        let sum = CompensatedSum {
            sum: count_at(plain, *index),
            lost: count_at(lost, *index),
        };
        (*index, sum.plus(count_at(other, *index)))
    });
    let sums: Vec<(i32, CompensatedSum)> = sums.collect();
    *plain = sums.iter().map(|(index, sum)| (*index, sum.sum)).collect();
    *lost = sums.iter().map(|(index, sum)| (*index, sum.lost)).collect();
}

fn total_buckets(plain: &mut Buckets, lost: &Buckets) {
    for (index, count) in plain {
        *count = total(*count, count_at(lost, *index));
    }
}

fn overflows(histogram: &Histogram) -> bool {
    let single = [histogram.count, histogram.sum, histogram.zero_count];
    let buckets = histogram
        .positive_buckets
        .iter()
        .chain(&histogram.negative_buckets);
    single
        .iter()
        .chain(buckets)
        .any(|value| value.is_infinite())
}

fn resets_collide(histograms: &[Arc<Histogram>]) -> bool {
    let says = |hint| {
        histograms
            .iter()
            .any(|histogram| histogram.counter_reset_hint == hint)
    };
    says(CounterResetHint::Reset) && says(CounterResetHint::NotReset)
}
