//! A small store in memory: for rule unit tests, and for evaluating over data that is not stored.
//!
//! It keeps everything in ordered maps and is fast only for thousands of series.

use crate::{
    Appended, Columns, HeldScan, Histogram, Labels, Matcher, Scan, Series, SeriesSamples, Sink,
    SinkError, Source, SourceError, TimeRange, Timestamp, Value, matcher,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// Start (0 where unknown) and value by time.
type SamplesByTime = BTreeMap<i64, (Timestamp, Value)>;

/// Series by labels, samples by time. A later write to the same millisecond replaces the earlier.
#[derive(Debug, Default)]
pub struct MemoryStore {
    series: RwLock<BTreeMap<Labels, SamplesByTime>>,
}

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Labels, SamplesByTime>> {
        self.series.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for MemoryStore {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let mut accepted = 0;
        for row in batch {
            let samples = series.entry(row.labels.clone()).or_default();
            for sample in &row.samples {
                let held = (sample.start, sample.value.clone());
                samples.insert(sample.timestamp.millis(), held);
                accepted += 1;
            }
        }
        Ok(Appended {
            accepted,
            ..Appended::default()
        })
    }
}

impl Source for MemoryStore {
    fn scan<'a>(
        &'a self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Box<dyn Scan + 'a>, SourceError> {
        let mut found = Vec::new();
        for (labels, samples) in self.read().iter() {
            if !matcher::all_match(matchers, labels) {
                continue;
            }
            let columns = columns_in(samples, range);
            if !columns.is_empty() {
                found.push(Series {
                    labels: labels.clone(),
                    columns,
                });
            }
        }
        Ok(Box::new(HeldScan::new(found)))
    }

    fn series(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Labels>, SourceError> {
        let series = self.read();
        let in_range = |samples: &SamplesByTime| !columns_in(samples, range).is_empty();
        Ok(series
            .iter()
            .filter(|(labels, samples)| matcher::all_match(matchers, labels) && in_range(samples))
            .map(|(labels, _)| labels.clone())
            .collect())
    }

    fn label_names(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        let mut names = BTreeSet::new();
        for labels in self.series(matchers, range)? {
            names.extend(labels.iter().map(|(name, _)| name.to_owned()));
        }
        Ok(names.into_iter().collect())
    }

    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        let mut values = BTreeSet::new();
        for labels in self.series(matchers, range)? {
            values.extend(labels.get(name).map(str::to_owned));
        }
        Ok(values.into_iter().collect())
    }
}

fn columns_in(samples: &SamplesByTime, range: TimeRange) -> Columns {
    let mut timestamps = Vec::new();
    let mut values = Vec::new();
    let mut histograms: Vec<(usize, Arc<Histogram>)> = Vec::new();
    let mut starts = Vec::new();
    if range.start > range.end {
        return Columns::default();
    }
    for (at, (start, value)) in samples.range(range.start.millis()..=range.end.millis()) {
        timestamps.push(*at);
        starts.push(start.millis());
        match value {
            Value::Float(float) => values.push(*float),
            Value::Histogram(histogram) => {
                histograms.push((values.len(), Arc::clone(histogram)));
                values.push(histogram.count);
            }
        }
    }
    Columns {
        timestamps: timestamps.into(),
        values,
        histograms,
        starts: starts
            .iter()
            .any(|start| *start != 0)
            .then(|| starts.into()),
        summaries: None,
    }
}
