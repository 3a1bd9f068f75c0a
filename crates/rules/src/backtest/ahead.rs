//! The answers of one expression at many moments, taken one moment after another.

use crate::group::Answer;
use model::{Labels, Sample, Timestamp};
use promql::QueryValue;
use std::iter::Peekable;
use std::vec::IntoIter;

/// Series with what is left of their values.
pub(super) struct Ahead {
    series: Vec<(Labels, Peekable<IntoIter<Sample>>)>,
}

impl Ahead {
    /// Takes what a range query answered.
    pub(super) fn of(value: QueryValue) -> Self {
        let series = match value {
            QueryValue::Matrix(series) => series,
            // A range query answers nothing else.
            QueryValue::Scalar { .. } | QueryValue::Vector(_) | QueryValue::String { .. } => {
                Vec::new()
            }
        };
        let series = series
            .into_iter()
            .map(|one| (one.labels, one.samples.into_iter().peekable()));
        Self {
            series: series.collect(),
        }
    }

    /// The answer at a moment, which must lie after those that were taken before.
    pub(super) fn take(&mut self, at: Timestamp) -> Answer {
        let mut answer = Answer::new();
        for (labels, samples) in &mut self.series {
            while samples.next_if(|sample| sample.timestamp < at).is_some() {}
            if let Some(sample) = samples.next_if(|sample| sample.timestamp == at) {
                answer.push((labels.clone(), sample.value));
            }
        }
        answer
    }
}
