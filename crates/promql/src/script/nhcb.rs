//! `load_with_nhcb`: classic histograms loaded a second time as native ones with custom buckets.
//!
//! For every time at which buckets, count or sum of a classic histogram are given, one native sample
//! under the base name. Upstream: util/convertnhcb.

use model::histogram::{CUSTOM_BUCKETS_SCHEMA, Span};
use model::{Histogram, Labels, METRIC_NAME, Sample, SeriesSamples, Timestamp, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of a classic histogram at one time.
#[derive(Default)]
struct Classic {
    /// Upper bound and cumulative count, ascending by bound.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// Which part of a classic histogram a series holds.
enum Part {
    Bucket(f64),
    Count,
    Sum,
}

/// The native histograms of all classic ones among the series.
pub(super) fn converted(
    series: &BTreeMap<Labels, Vec<Sample>>,
) -> Result<Vec<SeriesSamples>, String> {
    let mut histograms: BTreeMap<Labels, BTreeMap<i64, Classic>> = BTreeMap::new();
    for (labels, samples) in series {
        let Some((base, part)) = part_of(labels) else {
            continue;
        };
        let by_time = histograms.entry(base).or_default();
        for sample in samples {
            if let Value::Float(value) = sample.value {
                let classic = by_time.entry(sample.timestamp.millis()).or_default();
                classic.set(&part, value);
            }
        }
    }
    histograms
        .into_iter()
        .map(|(labels, by_time)| {
            let samples = by_time
                .into_iter()
                .map(|(at, classic)| {
                    let histogram = classic
                        .converted()
                        .map_err(|message| format!("histogram {labels} at {at} ms: {message}"))?;
                    Ok(Sample::new(
                        Timestamp::from_millis(at),
                        Value::Histogram(Arc::new(histogram)),
                    ))
                })
                .collect::<Result<_, String>>()?;
            Ok(SeriesSamples {
                labels,
                samples,
                exemplars: Vec::new(),
            })
        })
        .collect()
}

/// The labels of the native histogram, and what the series is of the classic one.
fn part_of(labels: &Labels) -> Option<(Labels, Part)> {
    let name = labels.metric_name();
    let (base, part) = if let Some(base) = name.strip_suffix("_bucket") {
        let bound = model::number::parse_float(labels.value("le"))?;
        if bound.is_nan() {
            return None;
        }
        (base, Part::Bucket(bound))
    } else if let Some(base) = name.strip_suffix("_count") {
        (base, Part::Count)
    } else {
        (name.strip_suffix("_sum")?, Part::Sum)
    };
    Some((labels.without(&["le"]).with(METRIC_NAME, base), part))
}

impl Classic {
    fn set(&mut self, part: &Part, value: f64) {
        match part {
            Part::Count => self.count = Some(value),
            Part::Sum => self.sum = value,
            Part::Bucket(bound) => {
                let place = self.buckets.partition_point(|(other, _)| other < bound);
                self.buckets.insert(place, (*bound, value));
            }
        }
    }

    fn converted(mut self) -> Result<Histogram, String> {
        let highest = self.buckets.last().map(|(_, count)| *count);
        let count = self.count.or(highest).unwrap_or(0.0);
        if highest.is_none()
            || self
                .buckets
                .last()
                .is_some_and(|(bound, _)| *bound != f64::INFINITY)
        {
            self.buckets.push((f64::INFINITY, count));
        }
        let mut previous = 0.0;
        let mut histogram = Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count,
            sum: self.sum,
            ..Histogram::default()
        };
        // Bucket after the last one held.
        let mut next_index = 0;
        for (index, (_, cumulative)) in (0_i32..).zip(&self.buckets) {
            let in_bucket = cumulative - previous;
            if in_bucket.is_nan() || in_bucket < 0.0 {
                return Err("counts of buckets are not cumulative".to_owned());
            }
            previous = *cumulative;
            if in_bucket == 0.0 {
                continue;
            }
            histogram.positive_buckets.push(in_bucket);
            match histogram.positive_spans.last_mut() {
                Some(span) if index == next_index => span.length += 1,
                _ => histogram.positive_spans.push(Span {
                    offset: index - next_index,
                    length: 1,
                }),
            }
            next_index = index + 1;
        }
        self.buckets.pop();
        let bounds: Vec<f64> = self.buckets.iter().map(|(bound, _)| *bound).collect();
        histogram.custom_values = Some(Arc::from(bounds));
        Ok(histogram)
    }
}
