//! Sum and mean of many histograms.

use super::{added, divided, scaled};
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
    let mut sum = Histogram::clone(first);
    for histogram in rest {
        let Ok(combined) = added(&sum, histogram) else {
            return aggregated;
        };
        aggregated.bounds_reconciled |= combined.bounds_reconciled;
        sum = combined.histogram;
    }
    aggregated.histogram = Some(super::compacted(&sum));
    aggregated
}

/// The mean: the sum divided by the count, or where the sum overflows the mean of halves.
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
