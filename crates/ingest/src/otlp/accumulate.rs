//! Adds up deltas: points that say what was added since the point before become counters (`otlp-deltatocumulative`).
//!
//! One running sum for each series, as long as points come; after five minutes without one it begins anew, as after a
//! restart of the sender. Points that are not newer than the one before are refused. The sums live in memory only: after
//! a restart of this program they begin at zero, which queries take for a counter reset.

use super::translate::Translated;
use crate::native;
use model::{Labels, Timestamp, Value};
use runtime::{HashMap, HashSet};
use std::sync::Arc;

/// After so long without a point a series is forgotten. Upstream's default.
const STALE_MS: i64 = 300_000;
/// Series that are added up at most.
const SERIES_MAX: usize = 1_000_000;

#[derive(Debug)]
struct Sum {
    value: Value,
    /// When the first point began.
    start: Timestamp,
    /// The last point's time.
    at: Timestamp,
}

/// The running sums.
#[derive(Debug, Default)]
pub struct Accumulator {
    sums: HashMap<Labels, Sum>,
    /// When series were looked through for old ones.
    swept: Timestamp,
}

impl Accumulator {
    /// Replaces the deltas of a request by running sums; what cannot be added is left out and counted.
    pub fn add_up(&mut self, translated: &mut Translated) {
        let mut refused = HashSet::default();
        for index in &translated.deltas {
            let Some(row) = translated.rows.get_mut(*index) else {
                continue;
            };
            let Some(sample) = row.samples.first_mut() else {
                continue;
            };
            self.sweep(sample.timestamp);
            match self.add(&row.labels, sample) {
                Ok(()) => {}
                Err(reason) => {
                    refused.insert(*index);
                    if !translated.reasons.iter().any(|known| known == reason) {
                        translated.reasons.push(reason.to_owned());
                    }
                }
            }
        }
        translated.deltas.clear();
        translated.rejected += refused.len();
        if !refused.is_empty() {
            let mut index = 0..;
            let mut is_kept = || index.next().is_none_or(|index| !refused.contains(&index));
            translated.rows.retain(|_| is_kept());
        }
    }

    fn add(&mut self, labels: &Labels, sample: &mut model::Sample) -> Result<(), &'static str> {
        if matches!(sample.value, Value::Float(value) if model::is_stale_marker(value)) {
            self.sums.remove(labels);
            return Ok(());
        }
        let is_full = self.sums.len() >= SERIES_MAX;
        let Some(sum) = self.sums.get_mut(labels) else {
            if is_full {
                return Err("too many series of delta temporality");
            }
            let sum = Sum {
                value: sample.value.clone(),
                start: sample.start,
                at: sample.timestamp,
            };
            self.sums.insert(labels.clone(), sum);
            return Ok(());
        };
        if sample.timestamp <= sum.at {
            return Err("a point of delta temporality is not newer than the one before");
        }
        sum.value = match (&sum.value, &sample.value) {
            (Value::Float(sum), Value::Float(delta)) => Value::Float(sum + delta),
            (Value::Histogram(sum), Value::Histogram(delta)) => match native::sum(sum, delta) {
                Some(sum) => Value::Histogram(Arc::new(sum)),
                // Other bounds: it begins anew.
                None => Value::Histogram(Arc::clone(delta)),
            },
            (_, other) => other.clone(),
        };
        sum.at = sample.timestamp;
        sample.value = sum.value.clone();
        sample.start = sum.start;
        Ok(())
    }

    /// Forgets, now and then, series without points. `now`: by the senders' clocks.
    fn sweep(&mut self, now: Timestamp) {
        let limit = now.millis().saturating_sub(STALE_MS);
        if self.swept.millis() > limit {
            return;
        }
        self.swept = now;
        self.sums.retain(|_, sum| sum.at.millis() >= limit);
    }
}
