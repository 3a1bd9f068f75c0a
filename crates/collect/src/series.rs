//! What one target exposes: from a body to rows for the store, scrape after scrape.
//!
//! A pure state machine: bodies and times in, rows out; it reads no clock and does no I/O. It knows each
//! series by the raw text of its line, so that an unchanged exposition costs a look-up a line: labels are
//! made, relabelled and checked only once. It also knows which series the scrape before
//! had, so that those that vanish end with a staleness marker. Series that bring their own
//! timestamps are left out of that, unless the job says otherwise.
//! The rules are those of `scrapeLoop.append` in Prometheus.

mod labels;

use crate::features::Features;
use crate::prometheus_file::{Limits, NameValidation, ScrapeConfig};
use ingest::exposition::{Encoding, Entry, Item, Options, Reader};
use ingest::native;
use model::{
    Histogram, Labels, MetricMetadata, RelabelRule, STALE_MARKER, Sample, SeriesSamples, Timestamp,
    Value,
};
use runtime::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Metrics whose metadata is kept for one target.
const METADATA_MAX: usize = 50_000;

/// A zero is added no further in the past: what began long before the first scrape is not shown to grow from
/// nothing then. The window in which Prometheus' head takes samples.
const ZERO_AGE_MAX_MS: i64 = 3_600_000;

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
    /// What is wanted of an exposition.
    pub reading: Options,
    /// Whether a zero is added at the moment since which a series counts.
    pub zero_samples: bool,
    /// Buckets of a native histogram at most.
    pub buckets_max: usize,
    /// The finest schema of a native histogram.
    pub schema_max: i32,
}

impl SeriesRules {
    /// The rules of a job for one of its targets.
    #[must_use]
    pub fn new(config: &ScrapeConfig, target_labels: &Labels, features: Features) -> Self {
        let histograms = &config.histograms;
        Self {
            target_labels: target_labels.clone(),
            honor_labels: config.honor_labels,
            honor_timestamps: config.honor_timestamps,
            track_timestamps_staleness: config.track_timestamps_staleness,
            metric_relabel_configs: config.metric_relabel_configs.clone(),
            limits: config.limits,
            name_validation: config.name_validation,
            reading: Options {
                native_histograms: histograms.native,
                keep_classic: histograms.keep_classic,
                convert_classic: histograms.convert_classic,
                created_lines: features.wants_starts(),
                type_and_unit: features.type_and_unit_labels,
            },
            zero_samples: features.zero_samples,
            buckets_max: match histograms.buckets_max {
                0 => usize::MAX,
                limit => usize::try_from(limit).unwrap_or(usize::MAX),
            },
            schema_max: native::schema_of_factor(histograms.bucket_factor_min),
        }
    }
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
    /// More buckets in a native histogram than the job allows.
    #[error("histogram bucket limit exceeded")]
    BucketLimit,
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
    /// The start at which a zero was added.
    zero_at: Option<Timestamp>,
}

impl Known {
    const fn new(labels: Option<Labels>) -> Self {
        Self {
            labels,
            seen_in: 0,
            tracked_in: 0,
            tracked_before: false,
            zero_at: None,
        }
    }

    /// Notes that a scrape has the series; answers whether it had it already.
    const fn see(&mut self, scrape: u64, is_tracked: bool) -> bool {
        let seen_already = self.seen_in == scrape;
        self.seen_in = scrape;
        if is_tracked && self.tracked_in != scrape {
            self.tracked_before = self.tracked_in + 1 == scrape;
            self.tracked_in = scrape;
        }
        seen_already
    }
}

/// Rows for the store, kept from scrape to scrape for their allocations.
#[derive(Default)]
struct Rows {
    list: Vec<SeriesSamples>,
    /// Rows in use; those behind wait to be used again.
    count: usize,
}

impl Rows {
    fn push(&mut self, labels: &Labels, sample: Sample) -> &mut SeriesSamples {
        let index = self.count;
        self.count += 1;
        if index >= self.list.len() {
            self.list.push(SeriesSamples {
                labels: labels.clone(),
                samples: Vec::with_capacity(1),
                exemplars: Vec::new(),
            });
        }
        let last = self.list.len() - 1;
        #[expect(
            clippy::indexing_slicing,
            reason = "the list was made long enough above"
        )]
        let row = &mut self.list[index.min(last)];
        // Mostly the same series as the last time: then there is no count of references to change.
        if !std::ptr::eq(row.labels.encoded(), labels.encoded()) {
            row.labels = labels.clone();
        }
        row.samples.clear();
        row.samples.push(sample);
        row.exemplars.clear();
        row
    }
}

/// The scrape that is being read.
struct Present<'r> {
    rules: &'r SeriesRules,
    at: Timestamp,
    counts: Scraped,
}

/// What one target exposed so far.
pub struct SeriesCache {
    known: HashMap<Box<[u8]>, Known>,
    /// Series of an earlier configuration's cache, marked as ended unless the next scrape has them.
    inherited: Vec<Labels>,
    scrape: u64,
    /// Texts that the present scrape had so far.
    seen: usize,
    rows: Rows,
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
            seen: 0,
            rows: Rows::default(),
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
        self.rows.list.get(..self.rows.count).unwrap_or_default()
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
        encoding: Encoding,
        rules: &SeriesRules,
        at: Timestamp,
    ) -> (Scraped, Result<(), SeriesError>) {
        self.begin();
        let counts = Scraped::default();
        let mut present = Present { rules, at, counts };
        match self.read_items(body, encoding, &mut present) {
            Ok(()) => {
                if self.seen < self.known.len() || !self.inherited.is_empty() {
                    self.mark_vanished(at);
                    self.forget_unseen();
                }
                // An exposition that was huge once must not hold its memory for ever.
                self.rows.list.truncate(self.rows.count.saturating_mul(2));
                (present.counts, Ok(()))
            }
            Err(error) => {
                self.rows.count = 0;
                self.mark_all(at);
                (present.counts, Err(error))
            }
        }
    }

    /// Takes a scrape that failed or brought nothing: `rows` are the markers of all series.
    pub fn read_nothing(&mut self, at: Timestamp) {
        self.begin();
        self.mark_all(at);
    }

    fn begin(&mut self) {
        self.scrape += 1;
        self.seen = 0;
        self.rows.count = 0;
    }

    /// Adds a row behind those of the last call.
    pub fn add_row(&mut self, labels: &Labels, at: Timestamp, value: f64) {
        self.rows.push(labels, Sample::float(at, value));
    }

    fn read_items(
        &mut self,
        body: &[u8],
        encoding: Encoding,
        present: &mut Present<'_>,
    ) -> Result<(), SeriesError> {
        let mut reader = Reader::new(body, encoding, present.rules.reading);
        loop {
            let item = reader
                .next_item()
                .map_err(|error| SeriesError::Invalid(error.message))?;
            match item {
                None => break,
                Some(Item::Sample) => self.take(&reader, present)?,
                Some(Item::Metadata(entry)) => self.learn(&entry),
            }
        }
        if is_over(present.counts.kept, present.rules.limits.samples) {
            return Err(SeriesError::SampleLimit);
        }
        Ok(())
    }

    /// Takes in one sample.
    fn take(&mut self, reader: &Reader<'_>, present: &mut Present<'_>) -> Result<(), SeriesError> {
        let (rules, counts) = (present.rules, &mut present.counts);
        counts.samples += 1;
        let raw = reader.raw();
        let known = match self.known.get_mut(raw) {
            Some(known) => known,
            None => {
                let labels = new_labels(reader, rules)?;
                counts.series_added += usize::from(labels.is_some());
                let known = Known::new(labels);
                self.known.entry(Box::from(raw)).or_insert(known)
            }
        };
        let own_time = reader.timestamp().filter(|_| rules.honor_timestamps);
        let is_tracked = own_time.is_none() || rules.track_timestamps_staleness;
        let seen_already = known.see(self.scrape, is_tracked);
        self.seen += usize::from(!seen_already);
        let Some(labels) = &known.labels else {
            return Ok(());
        };
        counts.kept += 1;
        if seen_already && own_time.is_none() {
            counts.duplicates += 1;
            return Ok(());
        }
        // Beyond the limit they are only counted: the scrape will fail and say how many there were.
        if !is_over(counts.kept, rules.limits.samples) {
            let timestamp = own_time.unwrap_or(present.at);
            let start = reader.start();
            let sample = Sample {
                timestamp,
                start: start.unwrap_or(Timestamp::from_millis(0)),
                value: limited(reader.value(), rules)?,
            };
            let zero = start.filter(|_| rules.zero_samples && known.zero_at != start);
            let row = self.rows.push(labels, sample);
            reader.exemplars(&mut row.exemplars);
            if let Some(zero) = zero {
                known.zero_at = start;
                add_zero(row, zero);
            }
        }
        Ok(())
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
                self.rows.push(&labels, Sample::float(at, STALE_MARKER));
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
            self.rows.push(&labels, Sample::float(at, STALE_MARKER));
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

/// The labels of a series that was not known; `None` where relabelling drops it.
fn new_labels(reader: &Reader<'_>, rules: &SeriesRules) -> Result<Option<Labels>, SeriesError> {
    let exposed = reader
        .labels()
        .map_err(|error| SeriesError::Invalid(error.message))?;
    let empty = if rules.honor_labels {
        reader.names_of_empty_labels()
    } else {
        Vec::new()
    };
    let labels = labels::of_series(&exposed, &empty, rules);
    if let Some(labels) = &labels {
        labels::check(labels, rules)?;
    }
    Ok(labels)
}

/// A value within the limits of native histograms.
fn limited(value: Value, rules: &SeriesRules) -> Result<Value, SeriesError> {
    let Value::Histogram(histogram) = &value else {
        return Ok(value);
    };
    let is_within = |histogram: &Histogram| {
        histogram.schema <= rules.schema_max && native::bucket_count(histogram) <= rules.buckets_max
    };
    if is_within(histogram) {
        return Ok(value);
    }
    let mut coarser = Histogram::clone(histogram);
    native::reduce_resolution(&mut coarser, rules.schema_max);
    if !native::limit_buckets(&mut coarser, rules.buckets_max) {
        return Err(SeriesError::BucketLimit);
    }
    Ok(Value::Histogram(Arc::new(coarser)))
}

/// Adds, before the sample of a row, a zero at the moment since which its series counts.
fn add_zero(row: &mut SeriesSamples, start: Timestamp) {
    let Some(sample) = row.samples.first() else {
        return;
    };
    let age = sample.timestamp.millis().saturating_sub(start.millis());
    if age <= 0 || age > ZERO_AGE_MAX_MS {
        return;
    }
    let value = match &sample.value {
        Value::Float(_) => Value::Float(0.0),
        Value::Histogram(histogram) => Value::Histogram(Arc::new(Histogram {
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            custom_values: histogram.custom_values.clone(),
            ..Histogram::default()
        })),
    };
    row.samples.insert(0, Sample::new(start, value));
}

/// Whether a count is beyond a limit; 0 is no limit.
fn is_over(count: usize, limit: u64) -> bool {
    limit > 0 && u64::try_from(count).unwrap_or(u64::MAX) > limit
}

#[cfg(test)]
mod tests;
