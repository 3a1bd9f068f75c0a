//! `load`: series with values at equal distances from time zero.

use super::read::series_error;
use super::{Store, nhcb};
use crate::histogram;
use crate::series::{SequenceValue, parse_series_description};
use model::{Labels, Sample, SeriesSamples, Timestamp, Value};
use std::collections::BTreeMap;

/// The series of one `load`.
pub(super) struct Load {
    interval_ms: i64,
    with_nhcb: bool,
    /// A series that is written twice has the values of the second.
    series: BTreeMap<Labels, Vec<Sample>>,
    /// The series that an `@st` line has announced.
    announced: Option<Labels>,
}

impl Load {
    pub(super) const fn new(interval_ms: i64, with_nhcb: bool) -> Self {
        Self {
            interval_ms,
            with_nhcb,
            series: BTreeMap::new(),
            announced: None,
        }
    }

    /// Reads a line with a series, or with the start timestamps of the next one.
    pub(super) fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(metric) = start_timestamps_of(line) {
            return self.announce(metric);
        }
        let description =
            parse_series_description(line).map_err(|error| series_error(line, &error))?;
        if let Some(announced) = self.announced.take()
            && announced != description.labels
        {
            return Err("@st metric does not match the following sample line metric".to_owned());
        }
        let mut samples = Vec::with_capacity(description.values.len());
        let mut at = Timestamp::from_millis(0);
        for value in description.values {
            if let Some(value) = value_of(value) {
                samples.push(Sample::new(at, value));
            }
            at = at.plus_millis(self.interval_ms);
        }
        histogram::find_resets(&mut samples);
        self.series.insert(description.labels, samples);
        Ok(())
    }

    /// Notes for which series start timestamps were given.
    ///
    /// Samples here have no start timestamp, so the offsets themselves are not kept: evals that need them
    /// fail, and say so by their result.
    fn announce(&mut self, metric: &str) -> Result<(), String> {
        if self.announced.is_some() {
            return Err("@st line has no following sample line".to_owned());
        }
        if !metric.is_empty() {
            let description =
                parse_series_description(metric).map_err(|error| series_error(metric, &error))?;
            self.announced = Some(description.labels);
        }
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<(), String> {
        if self.announced.is_some() {
            return Err("@st line has no following sample line".to_owned());
        }
        Ok(())
    }

    /// Writes the series into a store, which must take all of it.
    pub(super) fn append_to(&self, store: &dyn Store) -> Result<(), String> {
        let mut batch: Vec<SeriesSamples> = self
            .series
            .iter()
            .map(|(labels, samples)| SeriesSamples {
                labels: labels.clone(),
                samples: samples.clone(),
                exemplars: Vec::new(),
            })
            .collect();
        if self.with_nhcb {
            batch.extend(nhcb::converted(&self.series)?);
        }
        let given: usize = batch.iter().map(|series| series.samples.len()).sum();
        let appended = store.append(&batch).map_err(|error| error.to_string())?;
        if appended.accepted < given {
            return Err(format!(
                "the store took {} of {given} samples: {} duplicates, {} too old, {} too new, {} over a limit",
                appended.accepted,
                appended.duplicates,
                appended.too_old,
                appended.too_new,
                appended.over_limit
            ));
        }
        Ok(())
    }
}

fn value_of(value: SequenceValue) -> Option<Value> {
    match value {
        SequenceValue::Omitted => None,
        SequenceValue::Float(value) => Some(Value::Float(value)),
        SequenceValue::Histogram { histogram, .. } => Some(Value::Histogram(histogram)),
    }
}

/// The series of a line `metric@st offsets`.
fn start_timestamps_of(line: &str) -> Option<&str> {
    let (word, _) = line.split_once([' ', '\t'])?;
    word.strip_suffix("@st")
}
