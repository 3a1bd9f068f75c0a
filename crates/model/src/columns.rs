//! What query engines read and what writers hand over: series as columns, and the two traits
//! between languages and stores.
//!
//! `Source` and `Sink` are implemented by the metrics store and by `MemoryStore`, which rule unit tests
//! and back-filled evaluation use. Evaluation never learns where its columns came from.

use crate::{ChangeLog, Exemplar, Histogram, Labels, Matcher, Sample, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A span of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// First moment that belongs to it.
    pub start: Timestamp,
    /// Last moment that belongs to it.
    pub end: Timestamp,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self {
        start: Timestamp::MIN,
        end: Timestamp::MAX,
    };

    /// Whether a moment lies in the range.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at <= self.end
    }
}

/// The samples of one series, ascending by time, at most one for each millisecond.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Times in milliseconds; shared by the series of one scrape where the store knows that.
    pub timestamps: Arc<[i64]>,
    /// One value for each time: a float, the staleness marker, or (where `histograms` says so) the
    /// count of a histogram.
    pub values: Vec<f64>,
    /// Histograms by their index in `timestamps`, ascending. Empty for float series.
    pub histograms: Vec<(usize, Arc<Histogram>)>,
    /// Where any sample has one, the start timestamp of each in milliseconds, 0 where it is unknown.
    pub starts: Option<Arc<[i64]>>,
    /// Where any sample stands for a window of down-sampled ones, what is known of each window.
    pub summaries: Option<Arc<Summaries>>,
}

/// What is kept of the float samples of each down-sampled window; one entry for each sample of the
/// `Columns` it belongs to. A sample that was not down-sampled is a window of one.
///
/// The sample itself has the time and the value of the window's last sample. Staleness markers are not
/// counted; a window of nothing else has a count of 0 and the marker as its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summaries {
    /// Time of the window's first sample, in milliseconds.
    pub first_timestamps: Vec<i64>,
    /// Value of the window's first sample.
    pub first_values: Vec<f64>,
    /// Number of samples.
    pub counts: Vec<u32>,
    /// Sum of the values.
    pub sums: Vec<f64>,
    /// Least value.
    pub minima: Vec<f64>,
    /// Greatest value.
    pub maxima: Vec<f64>,
    /// Sum of the squared distances from the window's mean.
    pub squares: Vec<f64>,
    /// Increase from the first to the last sample, counter resets corrected.
    pub increases: Vec<f64>,
}

impl Columns {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }
}

/// A series as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels, name included.
    pub labels: Labels,
    /// Its samples in the range that was asked for.
    pub columns: Columns,
}

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The query would touch more samples than it may.
    #[error("query processing would load too many samples into memory in query execution")]
    TooManySamples,
    /// The caller went away or the time was up.
    #[error("query was canceled")]
    Cancelled,
    /// The store itself failed.
    #[error("{0}")]
    Store(String),
}

/// How much one query may read, shared by all its reads; also its cancellation.
#[derive(Debug)]
pub struct ReadBudget {
    samples_left: AtomicUsize,
    samples_read: AtomicUsize,
    cancelled: AtomicBool,
}

impl ReadBudget {
    /// Makes a budget of so many samples.
    #[must_use]
    pub const fn new(samples_max: usize) -> Self {
        Self {
            samples_left: AtomicUsize::new(samples_max),
            samples_read: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
        }
    }

    /// Takes `samples` from the budget; fails when too few are left or the query was cancelled.
    pub fn take(&self, samples: usize) -> Result<(), SourceError> {
        self.check()?;
        self.samples_read.fetch_add(samples, Ordering::Relaxed);
        self.samples_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(samples)
            })
            .map(|_| ())
            .map_err(|_left| SourceError::TooManySamples)
    }

    /// Gives samples back that are no longer held.
    pub fn give_back(&self, samples: usize) {
        self.samples_left.fetch_add(samples, Ordering::Relaxed);
    }

    /// Samples that can still be taken.
    #[must_use]
    pub fn samples_left(&self) -> usize {
        self.samples_left.load(Ordering::Relaxed)
    }

    /// Samples taken so far, given back or not.
    #[must_use]
    pub fn samples_read(&self) -> usize {
        self.samples_read.load(Ordering::Relaxed)
    }

    /// Ends the query at its next check.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Fails when the query was cancelled. Long loops call this often.
    pub fn check(&self) -> Result<(), SourceError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(SourceError::Cancelled);
        }
        Ok(())
    }
}

/// The series of one selector, whose samples are read one series at a time and from any thread.
///
/// What a scan sees is fixed when it is made: samples that arrive later may or may not be read.
pub trait Scan: Send + Sync {
    /// The label sets, sorted, each once. Some may turn out to have no sample in the range.
    fn labels(&self) -> &[Labels];

    /// Reads the samples of the series `index` (of `labels`) into `columns`, in place of what is there and, where
    /// that is possible, in its memory. Takes their number from the budget; who drops the columns gives it back.
    fn read_into(
        &self,
        index: usize,
        budget: &ReadBudget,
        columns: &mut Columns,
    ) -> Result<(), SourceError>;

    /// Reads the samples of the series `index`, as `read_into` does.
    fn read(&self, index: usize, budget: &ReadBudget) -> Result<Columns, SourceError> {
        let mut columns = Columns::default();
        self.read_into(index, budget, &mut columns)?;
        Ok(columns)
    }
}

/// A scan of series that are in memory already.
#[derive(Debug, Default)]
pub struct HeldScan {
    labels: Vec<Labels>,
    columns: Vec<Columns>,
}

impl HeldScan {
    /// Makes a scan of series that are sorted by labels.
    #[must_use]
    pub fn new(series: Vec<Series>) -> Self {
        let (labels, columns) = series.into_iter().map(|s| (s.labels, s.columns)).unzip();
        Self { labels, columns }
    }
}

impl Scan for HeldScan {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read_into(
        &self,
        index: usize,
        budget: &ReadBudget,
        columns: &mut Columns,
    ) -> Result<(), SourceError> {
        let held = self.columns.get(index);
        budget.take(held.map_or(0, Columns::len))?;
        *columns = held.cloned().unwrap_or_default();
        Ok(())
    }
}

/// A store of series to read from.
pub trait Source: Send + Sync {
    /// Finds the series that fulfil all matchers and may have samples in `range`, to read those later.
    fn scan<'a>(
        &'a self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Box<dyn Scan + 'a>, SourceError>;

    /// Reads the series that fulfil all matchers, with their samples in `range`, sorted by labels.
    /// Series without a sample in the range are left out.
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        budget: &ReadBudget,
    ) -> Result<Vec<Series>, SourceError> {
        let scan = self.scan(matchers, range)?;
        let mut found = Vec::new();
        for (i, labels) in scan.labels().iter().enumerate() {
            let columns = scan.read(i, budget)?;
            if !columns.is_empty() {
                found.push(Series {
                    labels: labels.clone(),
                    columns,
                });
            }
        }
        Ok(found)
    }

    /// What changed in the store, where it keeps record of that: without it no answer is used twice.
    fn changes(&self) -> Option<&ChangeLog> {
        None
    }

    /// The label sets of series that fulfil all matchers and may have samples in `range`, sorted.
    fn series(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Labels>, SourceError>;

    /// The names of their labels, sorted, each once.
    fn label_names(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError>;

    /// The values of one of their labels, sorted, each once.
    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError>;
}

/// Samples of one series on their way into a store.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSamples {
    /// Labels, name included.
    pub labels: Labels,
    /// Samples, in any order.
    pub samples: Vec<Sample>,
    /// Exemplars, in any order.
    pub exemplars: Vec<Exemplar>,
}

impl SeriesSamples {
    /// Makes the row for a single float sample.
    #[must_use]
    pub fn float(labels: Labels, timestamp: Timestamp, value: f64) -> Self {
        Self {
            labels,
            samples: vec![Sample::float(timestamp, value)],
            exemplars: Vec::new(),
        }
    }
}

/// What became of a batch. Refused samples are no reason to refuse the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Samples that were taken, exact duplicates included.
    pub accepted: usize,
    /// Samples whose time already has another value.
    pub duplicates: usize,
    /// Samples older than the store still takes.
    pub too_old: usize,
    /// Samples too far in the future.
    pub too_new: usize,
    /// Series beyond a limit.
    pub over_limit: usize,
    /// Exemplars that were taken, exact duplicates included.
    pub exemplars: usize,
    /// Exemplars that were refused: out of order, too long, or none are kept.
    pub exemplars_refused: usize,
}

/// Why a store took nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SinkError {
    /// The disk is full, read-only or broken: nothing more is taken until someone acts.
    #[error("{0}")]
    ReadOnly(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

/// A store to write to.
pub trait Sink: Send + Sync {
    /// Takes a batch. When this answers, accepted samples survive the death of the process.
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError>;
}
