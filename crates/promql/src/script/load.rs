//! `load`: series with values at equal distances from time zero.

use super::read::series_error;
use super::starts::{self, Starts};
use super::{Store, nhcb};
use crate::histogram;
use crate::series::{SequenceValue, SeriesDescription, parse_series_description};
use model::{Labels, Sample, SeriesSamples, Timestamp, Value};
use std::collections::BTreeMap;

const UNFINISHED: &str = "@st line has no following sample line";

/// The series of one `load`.
pub(super) struct Load {
    interval_ms: i64,
    with_nhcb: bool,
    /// A series that is written twice has the values of the second.
    series: BTreeMap<Labels, Vec<Sample>>,
    /// The start timestamps for the next line.
    starts: Option<Starts>,
}

impl Load {
    pub(super) const fn new(interval_ms: i64, with_nhcb: bool) -> Self {
        Self {
            interval_ms,
            with_nhcb,
            series: BTreeMap::new(),
            starts: None,
        }
    }

    /// Reads a line with a series, or with the start timestamps of the next one.
    pub(super) fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(halves) = starts::split(line) {
            if self.starts.is_some() {
                return Err(UNFINISHED.to_owned());
            }
            self.starts = Some(starts::parse(halves)?);
            return Ok(());
        }
        let description =
            parse_series_description(line).map_err(|error| series_error(line, &error))?;
        let offsets = self.offsets_for(&description)?;
        let mut samples = Vec::with_capacity(description.values.len());
        let mut at = Timestamp::from_millis(0);
        for (index, value) in description.values.into_iter().enumerate() {
            if let Some(value) = value_of(value) {
                let mut sample = Sample::new(at, value);
                if let Some(offset) = offsets.get(index).copied().flatten() {
                    sample.start = at.plus_millis(offset);
                }
                samples.push(sample);
            }
            at = at.plus_millis(self.interval_ms);
        }
        histogram::find_resets(&mut samples);
        self.series.insert(description.labels, samples);
        Ok(())
    }

    /// The offsets of the start timestamps that the line before gave for this series; none without one.
    fn offsets_for(&mut self, description: &SeriesDescription) -> Result<Vec<Option<i64>>, String> {
        let Some(starts) = self.starts.take() else {
            return Ok(Vec::new());
        };
        if starts.labels != description.labels {
            return Err("@st metric does not match the following sample line metric".to_owned());
        }
        let (given, samples) = (starts.offsets.len(), description.values.len());
        if given != samples {
            return Err(format!(
                "@st line has {given} values but sample line has {samples}"
            ));
        }
        Ok(starts.offsets)
    }

    pub(super) fn finish(&self) -> Result<(), String> {
        if self.starts.is_some() {
            return Err(UNFINISHED.to_owned());
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
