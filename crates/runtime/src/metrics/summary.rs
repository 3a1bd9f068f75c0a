//! Quantiles of what was observed lately.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many of the latest observations the quantiles are taken from. Upstream takes those of ten minutes; a fixed
/// number bounds memory and needs no clock.
const LATEST_MAX: usize = 1024;

/// The quantiles that are shown; upstream's for durations.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// Observations with their quantiles.
#[derive(Debug, Default)]
pub(super) struct SummaryState {
    inner: Mutex<Observed>,
}

#[derive(Debug, Default)]
struct Observed {
    latest: VecDeque<f64>,
    count: u64,
    sum: f64,
}

/// What is shown of a summary.
pub(super) struct Shown {
    /// Pairs of quantile and value; NaN where nothing was observed.
    pub(super) quantiles: Vec<(f64, f64)>,
    pub(super) count: u64,
    pub(super) sum: f64,
}

impl SummaryState {
    pub(super) fn observe(&self, value: f64) {
        let mut observed = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if observed.latest.len() == LATEST_MAX {
            observed.latest.pop_front();
        }
        observed.latest.push_back(value);
        observed.count += 1;
        observed.sum += value;
    }

    pub(super) fn show(&self) -> Shown {
        let observed = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<f64> = observed.latest.iter().copied().collect();
        let (count, sum) = (observed.count, observed.sum);
        drop(observed);
        sorted.sort_by(f64::total_cmp);
        let value = |quantile: f64| {
            let rank = quantile * model::number::usize_to_float(sorted.len());
            let rank =
                usize::try_from(model::number::float_to_u64(rank.ceil())).unwrap_or(usize::MAX);
            sorted
                .get(rank.saturating_sub(1))
                .copied()
                .unwrap_or(f64::NAN)
        };
        Shown {
            quantiles: QUANTILES.iter().map(|q| (*q, value(*q))).collect(),
            count,
            sum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LATEST_MAX, SummaryState};

    #[test]
    fn takes_quantiles_of_the_latest() {
        let summary = SummaryState::default();
        let quantile = |index: usize| summary.show().quantiles.get(index).map(|(_, value)| *value);
        assert!(quantile(0).is_some_and(f64::is_nan));
        for value in 1..=100 {
            summary.observe(f64::from(value));
        }
        assert_eq!(
            (quantile(0), quantile(1), quantile(3)),
            (Some(50.0), Some(90.0), Some(99.0))
        );
        for _ in 0..LATEST_MAX {
            summary.observe(7.0);
        }
        assert_eq!(quantile(3), Some(7.0));
        assert_eq!(summary.show().count, 100 + LATEST_MAX as u64);
    }
}
