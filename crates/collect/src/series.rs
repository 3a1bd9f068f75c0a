//! What one target exposes: from a body to rows for the store, scrape after scrape.
//!
//! A pure state machine: bodies and times in, rows out; it reads no clock and does no I/O. It knows each
//! series by the raw text of its line, so that an unchanged exposition costs a look-up a line: labels are
//! made, relabelled and checked only once. It also knows which series the scrape before
//! had, so that those that vanish end with a staleness marker. Series that bring their own
//! timestamps are left out of that, unless the job says otherwise.
//! The rules are those of `scrapeLoop.append` in Prometheus.

mod labels;

use crate::prometheus_file::{Limits, NameValidation};
use ingest::exposition::{Entry, Format, Parser, SeriesEntry};
use model::{
    Exemplar, Labels, MetricMetadata, RelabelRule, STALE_MARKER, Sample, SeriesSamples, Timestamp,
};
use runtime::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Metrics whose metadata is kept for one target.
const METADATA_MAX: usize = 50_000;

/// Help, type and unit by metric.
pub type Metadata = BTreeMap<String, MetricMetadata>;

/// How a target's series are made from what it exposes.
#[derive(Clone, Debug)]
pub struct SeriesRules {
    /// Labels that the target adds.
    pub target_labels: Labels,
    /// Whether labels of the exposition win over the target's.
    pub honor_labels: bool,
    /// Whether times of the exposition are taken.
    pub honor_timestamps: bool,
    /// Whether series with times of their own end with a marker, too.
    pub track_timestamps_staleness: bool,
    /// Rules for each series.
    pub metric_relabel_configs: Vec<RelabelRule>,
    /// What a scrape may bring.
    pub limits: Limits,
    /// Which names are allowed.
    pub name_validation: NameValidation,
}

/// Why a body was not taken. Nothing of it is stored then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// The body is no exposition, or a series in it is not allowed.
    #[error("{0}")]
    Invalid(String),
    /// More samples than the job allows.
    #[error("sample limit exceeded")]
    SampleLimit,
    /// A label set beyond the job's limits.
    #[error("{0}")]
    LabelLimit(String),
}

/// What a body brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scraped {
    /// Samples in the body.
    pub samples: usize,
    /// Samples that relabelling left.
    pub kept: usize,
    /// Series that the scrape before did not have.
    pub series_added: usize,
    /// Lines that repeat a series without a time of their own; only the first counts.
    pub duplicates: usize,
}

/// What is known of a series from its raw text.
struct Known {
    /// Its labels; `None` where relabelling drops it.
    labels: Option<Labels>,
    /// The last scrape that had it.
    seen_in: u64,
    /// The last scrape in which its end would be marked.
    tracked_in: u64,
    /// Whether the scrape before the present one tracked it.
    tracked_before: bool,
}

/// What one target exposed so far.
pub struct SeriesCache {
    known: HashMap<Box<[u8]>, Known>,
    /// Series of an earlier configuration's cache, marked as ended unless the next scrape has them.
    inherited: Vec<Labels>,
    scrape: u64,
    rows: Vec<SeriesSamples>,
    /// Rows in use; those behind are kept for their allocations.
    row_count: usize,
    metadata: Arc<Metadata>,
}

impl Default for SeriesCache {
    fn default() -> Self {
        Self::new()
    }
}

impl SeriesCache {
    /// Makes an empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self {
            known: HashMap::default(),
            inherited: Vec::new(),
            // Above zero, so that "never tracked" is not "tracked by the scrape before".
            scrape: 1,
            rows: Vec::new(),
            row_count: 0,
            metadata: Arc::default(),
        }
    }

    /// Makes a cache that ends the series of an earlier one unless its own first scrape has them.
    #[must_use]
    pub fn inheriting(series: Vec<Labels>) -> Self {
        Self {
            inherited: series,
            ..Self::new()
        }
    }

    /// The rows of the last call.
    #[must_use]
    pub fn rows(&self) -> &[SeriesSamples] {
        self.rows.get(..self.row_count).unwrap_or_default()
    }

    /// What `# TYPE`, `# HELP` and `# UNIT` said so far.
    #[must_use]
    pub fn metadata(&self) -> &Arc<Metadata> {
        &self.metadata
    }

    /// The series that would be marked if they vanished now.
    #[must_use]
    pub fn tracked(&self) -> Vec<Labels> {
        let last = self.scrape;
        let tracked = self.known.values().filter(|known| known.tracked_in == last);
        let labels = tracked.filter_map(|known| known.labels.clone());
        labels.chain(self.inherited.iter().cloned()).collect()
    }

    /// Takes a body: `rows` are then its samples and the markers of series that it no longer has.
    ///
    /// Where it fails, `rows` are the markers of all series, as if the body were empty; the counts
    /// tell how far it came.
    pub fn read(
        &mut self,
        body: &[u8],
        format: Format,
        rules: &SeriesRules,
        at: Timestamp,
    ) -> (Scraped, Result<(), SeriesError>) {
        self.scrape += 1;
        self.row_count = 0;
        let mut scraped = Scraped::default();
        match self.read_entries(body, format, rules, at, &mut scraped) {
            Ok(()) => {
                self.mark_vanished(at);
                self.forget_unseen();
                // An exposition that was huge once must not hold its memory for ever.
                self.rows.truncate(self.row_count.saturating_mul(2));
                (scraped, Ok(()))
            }
            Err(error) => {
                self.row_count = 0;
                self.mark_all(at);
                (scraped, Err(error))
            }
        }
    }

    /// Takes a scrape that failed or brought nothing: `rows` are the markers of all series.
    pub fn read_nothing(&mut self, at: Timestamp) {
        self.scrape += 1;
        self.row_count = 0;
        self.mark_all(at);
    }

    /// Adds a row behind those of the last call.
    pub fn add_row(&mut self, labels: &Labels, at: Timestamp, value: f64) {
        self.push(labels, Sample::float(at, value), None);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one call, passed through"
    )]
    fn read_entries(
        &mut self,
        body: &[u8],
        format: Format,
        rules: &SeriesRules,
        at: Timestamp,
        scraped: &mut Scraped,
    ) -> Result<(), SeriesError> {
        let mut parser = Parser::new(body, format);
        let mut over_limit = false;
        loop {
            let entry = parser
                .next_entry()
                .map_err(|error| SeriesError::Invalid(error.message))?;
            let series = match entry {
                None => break,
                Some(Entry::Series(series)) => series,
                Some(other) => {
                    self.learn(&other);
                    continue;
                }
            };
            scraped.samples += 1;
            let Some(labels) = self.labels_of(&parser, &series, rules, scraped)? else {
                continue;
            };
            scraped.kept += 1;
            let own_time = series.timestamp.filter(|_| rules.honor_timestamps);
            if self.is_repeated(&series, own_time, rules) {
                scraped.duplicates += 1;
                continue;
            }
            let limit = rules.limits.samples;
            if limit > 0 && u64::try_from(scraped.kept).unwrap_or(u64::MAX) > limit {
                over_limit = true; // go on to count them all
                continue;
            }
            let sample = Sample::float(own_time.unwrap_or(at), series.value);
            let exemplar = if series.has_exemplar {
                parser.exemplar().ok().flatten()
            } else {
                None
            };
            self.push(&labels, sample, exemplar);
        }
        if over_limit {
            return Err(SeriesError::SampleLimit);
        }
        Ok(())
    }

    /// The labels of a line's series; `None` where relabelling drops it.
    fn labels_of(
        &mut self,
        parser: &Parser<'_>,
        series: &SeriesEntry<'_>,
        rules: &SeriesRules,
        scraped: &mut Scraped,
    ) -> Result<Option<Labels>, SeriesError> {
        if let Some(known) = self.known.get_mut(series.raw) {
            if known.labels.is_none() {
                known.seen_in = self.scrape;
            }
            return Ok(known.labels.clone());
        }
        let exposed = parser
            .labels()
            .map_err(|error| SeriesError::Invalid(error.message))?;
        let labels = labels::of_series(&exposed, series.raw, rules);
        if let Some(labels) = &labels {
            labels::check(labels, rules)?;
            scraped.series_added += 1;
        }
        let known = Known {
            labels: labels.clone(),
            seen_in: if labels.is_none() { self.scrape } else { 0 },
            tracked_in: 0,
            tracked_before: false,
        };
        self.known.insert(Box::from(series.raw), known);
        Ok(labels)
    }

    /// Notes that the present scrape has a series; answers whether it had it already.
    fn is_repeated(
        &mut self,
        series: &SeriesEntry<'_>,
        own_time: Option<Timestamp>,
        rules: &SeriesRules,
    ) -> bool {
        let scrape = self.scrape;
        let Some(known) = self.known.get_mut(series.raw) else {
            return false;
        };
        let seen_already = known.seen_in == scrape;
        known.seen_in = scrape;
        let is_tracked = own_time.is_none() || rules.track_timestamps_staleness;
        if is_tracked && known.tracked_in != scrape {
            known.tracked_before = known.tracked_in + 1 == scrape;
            known.tracked_in = scrape;
        }
        seen_already && own_time.is_none()
    }

    fn push(&mut self, labels: &Labels, sample: Sample, exemplar: Option<Exemplar>) {
        let index = self.row_count;
        self.row_count += 1;
        if let Some(row) = self.rows.get_mut(index) {
            row.labels = labels.clone();
            row.samples.clear();
            row.samples.push(sample);
            row.exemplars.clear();
            row.exemplars.extend(exemplar);
            return;
        }
        self.rows.push(SeriesSamples {
            labels: labels.clone(),
            samples: vec![sample],
            exemplars: exemplar.into_iter().collect(),
        });
    }

    /// Adds markers for series that the scrape before had and the present one does not.
    fn mark_vanished(&mut self, at: Timestamp) {
        let (now, before) = (self.scrape, self.scrape - 1);
        let vanished = self
            .known
            .values()
            .filter(|known| known.tracked_in == before);
        let mut vanished: Vec<Labels> = vanished.filter_map(|known| known.labels.clone()).collect();
        vanished.append(&mut self.inherited);
        if vanished.is_empty() {
            return;
        }
        // Another text may stand for the same labels, as when a target changes their order.
        let present: HashSet<Labels> = self
            .known
            .values()
            .filter(|known| known.seen_in == now)
            .filter_map(|known| known.labels.clone())
            .collect();
        for labels in vanished {
            if !present.contains(&labels) {
                self.push(&labels, Sample::float(at, STALE_MARKER), None);
            }
        }
    }

    /// Adds markers for every series that the scrape before had.
    fn mark_all(&mut self, at: Timestamp) {
        let (now, before) = (self.scrape, self.scrape - 1);
        let mut ended = std::mem::take(&mut self.inherited);
        for known in self.known.values_mut() {
            let tracked_before =
                known.tracked_in == before || (known.tracked_in == now && known.tracked_before);
            known.tracked_in = 0;
            if tracked_before {
                ended.extend(known.labels.clone());
            }
        }
        for labels in ended {
            self.push(&labels, Sample::float(at, STALE_MARKER), None);
        }
    }

    /// Forgets texts that the present scrape, which succeeded, did not have.
    fn forget_unseen(&mut self) {
        let now = self.scrape;
        self.known.retain(|_, known| known.seen_in == now);
    }

    /// Takes in a line of metadata.
    fn learn(&mut self, entry: &Entry<'_>) {
        let name = match entry {
            Entry::Type { name, .. } | Entry::Help { name, .. } | Entry::Unit { name, .. } => name,
            Entry::Series(_) | Entry::Comment(_) => return,
        };
        let present = self.metadata.get(name.as_ref());
        let is_known = match (entry, present) {
            (_, None) => self.metadata.len() >= METADATA_MAX,
            (Entry::Type { kind, .. }, Some(known)) => known.kind == *kind,
            (Entry::Help { text, .. }, Some(known)) => known.help == *text,
            (Entry::Unit { unit, .. }, Some(known)) => known.unit == *unit,
            (Entry::Series(_) | Entry::Comment(_), Some(_)) => true,
        };
        if is_known {
            return;
        }
        // Copies the map only while someone else looks at it.
        let metadata = Arc::make_mut(&mut self.metadata);
        let known = metadata.entry(name.to_string()).or_default();
        match entry {
            Entry::Type { kind, .. } => known.kind = *kind,
            Entry::Help { text, .. } => known.help = text.to_string(),
            Entry::Unit { unit, .. } => known.unit = unit.to_string(),
            Entry::Series(_) | Entry::Comment(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
