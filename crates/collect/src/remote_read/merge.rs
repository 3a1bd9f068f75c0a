//! Puts the series of two places together.

use model::{
    Columns, HeldScan, Labels, ReadBudget, Sample, Scan, Series, SeriesSamples, SourceError,
    Timestamp, Value,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Samples by time; of two at one time the first that was put in counts.
type ByTime = BTreeMap<Timestamp, Sample>;

/// What endpoints answered as series, sorted, each once.
pub(super) fn to_series(rows: Vec<SeriesSamples>) -> Vec<Series> {
    let mut all: BTreeMap<Labels, ByTime> = BTreeMap::new();
    for row in rows {
        let samples = all.entry(row.labels).or_default();
        for sample in row.samples {
            samples.entry(sample.timestamp).or_insert(sample);
        }
    }
    let series = |(labels, samples): (Labels, ByTime)| Series {
        labels,
        columns: columns_of(samples),
    };
    all.into_iter().map(series).collect()
}

fn columns_of(samples: ByTime) -> Columns {
    let mut timestamps = Vec::with_capacity(samples.len());
    let mut values = Vec::with_capacity(samples.len());
    let mut starts = Vec::with_capacity(samples.len());
    let mut histograms = Vec::new();
    for (index, (at, sample)) in samples.into_iter().enumerate() {
        timestamps.push(at.millis());
        starts.push(sample.start.millis());
        match sample.value {
            Value::Float(value) => values.push(value),
            Value::Histogram(histogram) => {
                values.push(histogram.count);
                histograms.push((index, histogram));
            }
        }
    }
    let has_starts = starts.iter().any(|start| *start != 0);
    Columns {
        timestamps: Arc::from(timestamps),
        values,
        histograms,
        starts: has_starts.then(|| Arc::from(starts)),
        summaries: None,
    }
}

/// Two scans as one. Samples of the first count where both have one.
pub(super) struct Merged<'a> {
    first: Box<dyn Scan + 'a>,
    second: HeldScan,
    labels: Vec<Labels>,
    /// For each of `labels`, where it is in both.
    places: Vec<(Option<usize>, Option<usize>)>,
}

impl<'a> Merged<'a> {
    pub(super) fn new(first: Box<dyn Scan + 'a>, second: HeldScan) -> Self {
        let mut places: BTreeMap<&Labels, (Option<usize>, Option<usize>)> = BTreeMap::new();
        for (index, labels) in first.labels().iter().enumerate() {
            places.entry(labels).or_default().0 = Some(index);
        }
        for (index, labels) in second.labels().iter().enumerate() {
            places.entry(labels).or_default().1 = Some(index);
        }
        let (labels, places) = places
            .into_iter()
            .map(|(labels, places)| (labels.clone(), places))
            .unzip();
        Self {
            first,
            second,
            labels,
            places,
        }
    }
}

impl Scan for Merged<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read_into(
        &self,
        index: usize,
        budget: &ReadBudget,
        columns: &mut Columns,
    ) -> Result<(), SourceError> {
        match self.places.get(index) {
            Some((Some(first), None)) => self.first.read_into(*first, budget, columns),
            Some((None, Some(second))) => self.second.read_into(*second, budget, columns),
            Some((Some(first), Some(second))) => {
                let (first, second) = (
                    self.first.read(*first, budget)?,
                    self.second.read(*second, budget)?,
                );
                if first.is_empty() {
                    *columns = second;
                    return Ok(());
                }
                let held = first.len() + second.len();
                let mut samples = ByTime::new();
                for part in [&first, &second] {
                    for sample in interchange::prometheus::samples_of(part) {
                        samples.entry(sample.timestamp).or_insert(sample);
                    }
                }
                budget.give_back(held - samples.len());
                *columns = columns_of(samples);
                Ok(())
            }
            Some((None, None)) | None => {
                *columns = Columns::default();
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Merged, to_series};
    use model::{HeldScan, Labels, ReadBudget, Sample, Scan as _, SeriesSamples, Timestamp};

    fn row(name: &str, samples: &[(i64, f64)]) -> SeriesSamples {
        let sample = |(at, value): &(i64, f64)| Sample::float(Timestamp::from_millis(*at), *value);
        SeriesSamples {
            labels: Labels::from_pairs([("__name__", name)]),
            samples: samples.iter().map(sample).collect(),
            exemplars: Vec::new(),
        }
    }

    #[test]
    fn the_first_counts_where_both_have_a_sample() {
        let held = |rows| HeldScan::new(to_series(rows));
        let first = held(vec![row("a", &[(1, 1.0), (3, 3.0)]), row("b", &[(1, 5.0)])]);
        let second = held(vec![
            row("a", &[(3, 30.0), (2, 20.0)]),
            row("c", &[(9, 9.0)]),
            row("a", &[(4, 40.0)]),
        ]);
        let merged = Merged::new(Box::new(first), second);
        let budget = ReadBudget::new(100);
        let names: Vec<&str> = merged.labels().iter().map(Labels::metric_name).collect();
        assert_eq!(names, ["a", "b", "c"]);
        let read = |index| {
            let columns = merged.read(index, &budget).expect("in memory");
            let times = columns.timestamps.iter().copied();
            times
                .zip(columns.values.iter().copied())
                .collect::<Vec<_>>()
        };
        assert_eq!(read(0), [(1, 1.0), (2, 20.0), (3, 3.0), (4, 40.0)]);
        assert_eq!(read(1), [(1, 5.0)]);
        assert_eq!(read(2), [(9, 9.0)]);
        assert_eq!(budget.samples_left(), 94);
    }
}
