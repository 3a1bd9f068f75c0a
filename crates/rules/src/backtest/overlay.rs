//! The stored samples, with what the tested rules write in place of what is stored under the same names.

use super::Error;
use super::dependencies::Products;
use model::{
    Appended, Columns, Labels, METRIC_NAME, Matcher, MemoryStore, ReadBudget, Sample, Scan, Series,
    SeriesSamples, Sink, SinkError, Source, SourceError, TimeRange, Timestamp, Value,
};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// See the module's page. Samples that no rule reads are not kept.
pub(super) struct Overlay {
    stored: Arc<dyn Source>,
    products: Products,
    written: RwLock<Arc<MemoryStore>>,
    count: AtomicUsize,
    count_max: usize,
}

impl Overlay {
    pub(super) fn new(stored: Arc<dyn Source>, products: Products, count_max: usize) -> Self {
        Self {
            stored,
            products,
            written: RwLock::default(),
            count: AtomicUsize::new(0),
            count_max,
        }
    }

    fn written(&self) -> Arc<MemoryStore> {
        let written = self.written.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&written)
    }

    /// Takes over what is stored of the rules' series from before the test, as far as they look back.
    pub(super) fn take_history(&self, start: Timestamp, horizon_ms: i64) -> Result<(), Error> {
        let range = TimeRange {
            start: start.plus_millis(-horizon_ms),
            end: start,
        };
        for name in self.products.names_read() {
            let matchers = [Matcher::equal(METRIC_NAME, name)];
            let budget = ReadBudget::new(self.count_max);
            let series = self
                .stored
                .select(&matchers, range, &budget)
                .map_err(|error| Error::Store(format!("reading {name}: {error}")))?;
            let rows: Vec<SeriesSamples> = series.iter().map(row).collect();
            self.append(&rows)
                .map_err(|error| Error::Store(error.to_string()))?;
        }
        Ok(())
    }

    /// Drops what no rule looks back at any more.
    pub(super) fn forget_before(&self, start: Timestamp) -> Result<(), Error> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let range = TimeRange {
            start,
            end: Timestamp::MAX,
        };
        let budget = ReadBudget::new(usize::MAX);
        let kept = self
            .written()
            .select(&[], range, &budget)
            .map_err(|error| Error::Store(error.to_string()))?;
        let fresh = MemoryStore::new();
        let rows: Vec<SeriesSamples> = kept.iter().map(row).collect();
        let taken = fresh
            .append(&rows)
            .map_err(|error| Error::Store(error.to_string()))?;
        self.count.store(taken.accepted, Ordering::Relaxed);
        *self.written.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    /// Why it cannot go on, once too much was written.
    pub(super) fn problem(&self) -> Option<String> {
        (self.count.load(Ordering::Relaxed) > self.count_max).then(|| {
            format!(
                "the rules record more than {} samples that others look back at: test fewer rules at once",
                self.count_max
            )
        })
    }

    /// What is read: stored series that are none of the rules', and the rules' own.
    fn lists(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<(Vec<Labels>, Vec<Labels>), SourceError> {
        let mut stored = self.stored.series(matchers, range)?;
        if !self.products.may_match(matchers) {
            return Ok((stored, Vec::new()));
        }
        stored.retain(|labels| !self.products.has(labels));
        Ok((stored, self.written().series(matchers, range)?))
    }
}

fn row(series: &Series) -> SeriesSamples {
    let columns = &series.columns;
    let mut histograms = columns.histograms.iter().peekable();
    let values = columns.timestamps.iter().zip(&columns.values).enumerate();
    let samples = values.map(|(index, (at, value))| {
        let histogram = histograms.next_if(|(place, _)| *place == index);
        let value = histogram.map_or(Value::Float(*value), |(_, histogram)| {
            Value::Histogram(Arc::clone(histogram))
        });
        Sample::new(Timestamp::from_millis(*at), value)
    });
    SeriesSamples {
        labels: series.labels.clone(),
        samples: samples.collect(),
        exemplars: Vec::new(),
    }
}

impl Sink for Overlay {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        let offered: usize = batch.iter().map(|row| row.samples.len()).sum();
        let read: Vec<SeriesSamples> = batch
            .iter()
            .filter(|row| self.products.is_read(&row.labels))
            .cloned()
            .collect();
        if !read.is_empty() && self.problem().is_none() {
            let taken = self.written().append(&read)?;
            self.count.fetch_add(taken.accepted, Ordering::Relaxed);
        }
        Ok(Appended {
            accepted: offered,
            ..Appended::default()
        })
    }
}

/// Where a series of a joined scan is.
enum Place {
    Stored(usize),
    Written(usize),
}

/// Series of both, sorted by labels; none is in both.
struct JoinedScan<'a> {
    labels: Vec<Labels>,
    places: Vec<Place>,
    stored: Box<dyn Scan + 'a>,
    written: Vec<Series>,
}

impl Scan for JoinedScan<'_> {
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
            Some(Place::Stored(place)) => self.stored.read_into(*place, budget, columns),
            Some(Place::Written(place)) => {
                let held = self.written.get(*place);
                budget.take(held.map_or(0, |series| series.columns.len()))?;
                *columns = held
                    .map(|series| series.columns.clone())
                    .unwrap_or_default();
                Ok(())
            }
            None => {
                *columns = Columns::default();
                Ok(())
            }
        }
    }
}

impl Source for Overlay {
    fn scan<'a>(
        &'a self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Box<dyn Scan + 'a>, SourceError> {
        let stored = self.stored.scan(matchers, range)?;
        if !self.products.may_match(matchers) {
            return Ok(stored);
        }
        let budget = ReadBudget::new(usize::MAX);
        let written = self.written().select(matchers, range, &budget)?;
        let kept = stored.labels().iter().enumerate();
        let mut all: Vec<(Labels, Place)> = kept
            .filter(|(_, labels)| !self.products.has(labels))
            .map(|(index, labels)| (labels.clone(), Place::Stored(index)))
            .collect();
        let own = written.iter().enumerate();
        all.extend(own.map(|(index, series)| (series.labels.clone(), Place::Written(index))));
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let (labels, places) = all.into_iter().unzip();
        Ok(Box::new(JoinedScan {
            labels,
            places,
            stored,
            written,
        }))
    }

    fn series(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Labels>, SourceError> {
        let (mut all, written) = self.lists(matchers, range)?;
        all.extend(written);
        all.sort();
        Ok(all)
    }

    fn label_names(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        let all = self.series(matchers, range)?;
        let names = all.iter().flat_map(|labels| labels.iter());
        let names: BTreeSet<&str> = names.map(|(name, _)| name).collect();
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        let all = self.series(matchers, range)?;
        let values: BTreeSet<&str> = all.iter().filter_map(|labels| labels.get(name)).collect();
        Ok(values.into_iter().map(str::to_owned).collect())
    }
}
