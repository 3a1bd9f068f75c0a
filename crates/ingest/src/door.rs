//! The one door: everything that is stored comes through an `Ingest`.
//!
//! It applies the label limits, counts what was taken and what was refused, and passes the rest on to the
//! store. It keeps no samples and starts no thread; a caller that is answered has its samples in the
//! write-ahead log.

mod otlp;

use crate::remote_write::{
    self, Batch, DecodeError, LabelLimits, Limits, SecondOptions, SeriesCache, Written,
};
use model::{Appended, Labels, MetricMetadata, SeriesSamples, Sink, SinkError};
use runtime::Registry;
use runtime::metrics::Counter;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

const SAMPLES_HELP: &str = "Samples that were stored, by the protocol that brought them.";
const REFUSED_HELP: &str = "Samples and series that were refused, by the reason.";
const LINES_HELP: &str = "Lines that could not be read, by the protocol that brought them.";
const REQUESTS_HELP: &str = "Remote write requests, by the status that was answered.";

/// Metrics whose metadata is remembered: as many as a busy fleet has, and a few megabytes.
const METADATA_MAX: usize = 50_000;

/// Why a remote write request was not taken whole.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The request cannot be read; nothing was stored.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Parts were refused for good; the rest is stored.
    #[error("{0}")]
    Refused(String),
    /// The store takes nothing at the moment; the sender should try again.
    #[error(transparent)]
    Store(#[from] SinkError),
}

impl WriteError {
    /// The HTTP status that tells the sender: 4xx is not repeated, 5xx is.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Decode(error) => error.status(),
            Self::Refused(_) => 400,
            Self::Store(SinkError::Closed | SinkError::ReadOnly(_)) => 503,
        }
    }
}

/// Limits, counters and the store behind them.
pub struct Ingest {
    store: Store,
    limits: Limits,
    second: SecondOptions,
    counters: Counters,
    /// Who is handed everything that the store has taken.
    follower: RwLock<Option<Arc<dyn Sink>>>,
    metadata: Mutex<BTreeMap<String, MetricMetadata>>,
    otlp: otlp::State,
}

/// How much of a request was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Float samples.
    pub samples: usize,
    /// Histogram samples.
    pub histograms: usize,
    /// Exemplars.
    pub exemplars: usize,
}

/// Where samples go.
enum Store {
    /// Our own store, which has a faster way in.
    Db(Arc<tsdb::Db>, Mutex<SeriesCache>),
    /// Any other.
    Sink(Arc<dyn Sink>),
}

impl Store {
    fn sink(&self) -> &dyn Sink {
        match self {
            Self::Db(db, _) => db.as_ref(),
            Self::Sink(sink) => sink.as_ref(),
        }
    }
}

struct Counters {
    registry: Registry,
    scraped: Counter,
    written: Counter,
    duplicates: Counter,
    too_old: Counter,
    too_new: Counter,
    series_limit: Counter,
    invalid: Counter,
    metadata: Counter,
}

impl Counters {
    fn new(registry: Registry) -> Self {
        let samples = |protocol| {
            let labels = [("protocol", protocol)];
            registry.counter("binnacle_ingest_samples_total", SAMPLES_HELP, &labels)
        };
        let refused = |reason| {
            let labels = [("reason", reason)];
            registry.counter("binnacle_ingest_refused_total", REFUSED_HELP, &labels)
        };
        Self {
            scraped: samples("scrape"),
            written: samples("remote_write"),
            duplicates: refused("duplicate"),
            too_old: refused("too_old"),
            too_new: refused("too_new"),
            series_limit: refused("series_limit"),
            invalid: refused("invalid_labels"),
            metadata: refused("metadata_limit"),
            registry,
        }
    }

    fn count(&self, appended: &Appended, accepted: &Counter) {
        let add = |counter: &Counter, count| counter.add(u64::try_from(count).unwrap_or(u64::MAX));
        add(accepted, appended.accepted);
        add(&self.duplicates, appended.duplicates);
        add(&self.too_old, appended.too_old);
        add(&self.too_new, appended.too_new);
        add(&self.series_limit, appended.over_limit);
    }

    fn request(&self, status: u16) {
        let status = status.to_string();
        self.registry
            .counter(
                "binnacle_ingest_remote_write_requests_total",
                REQUESTS_HELP,
                &[("status", &status)],
            )
            .increment();
    }
}

impl Ingest {
    /// Makes the door to our own store; counts into `registry`.
    #[must_use]
    pub fn to_db(db: Arc<tsdb::Db>, limits: Limits, registry: &Registry) -> Self {
        let store = Store::Db(db, Mutex::new(SeriesCache::new()));
        Self::to_store(store, limits, registry)
    }

    /// Makes the door to any store; counts into `registry`.
    #[must_use]
    pub fn to_sink(sink: Arc<dyn Sink>, limits: Limits, registry: &Registry) -> Self {
        Self::to_store(Store::Sink(sink), limits, registry)
    }

    fn to_store(store: Store, limits: Limits, registry: &Registry) -> Self {
        Self {
            store,
            limits,
            second: SecondOptions::default(),
            counters: Counters::new(registry.clone()),
            follower: RwLock::new(None),
            metadata: Mutex::default(),
            otlp: otlp::State::default(),
        }
    }

    /// Reads remote write 2.0 in this way.
    #[must_use]
    pub const fn reading_second(mut self, options: SecondOptions) -> Self {
        self.second = options;
        self
    }

    /// Names who is handed everything that the store takes from now on: the queues of remote write out.
    /// `None` ends that.
    pub fn follow_with(&self, follower: Option<Arc<dyn Sink>>) {
        *self
            .follower
            .write()
            .unwrap_or_else(PoisonError::into_inner) = follower;
    }

    fn follower(&self) -> Option<Arc<dyn Sink>> {
        self.follower
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Hands on what the store has taken of `rows`. `appended`: what became of them.
    fn hand_on(&self, follower: &dyn Sink, rows: &[SeriesSamples], appended: &Appended) {
        let refused =
            appended.duplicates + appended.too_old + appended.too_new + appended.over_limit;
        let handed = if refused == 0 {
            follower.append(rows)
        } else {
            follower.append(&self.taken(rows))
        };
        if let Err(error) = handed {
            tracing::error!(%error, "samples could not be queued for remote write");
        }
    }

    /// The samples that the store has: those that it takes again as exact duplicates. For batches of which
    /// something was refused, which are few.
    fn taken(&self, rows: &[SeriesSamples]) -> Vec<SeriesSamples> {
        let has = |labels: &Labels, sample: &model::Sample| {
            let again = SeriesSamples {
                labels: labels.clone(),
                samples: vec![sample.clone()],
                exemplars: Vec::new(),
            };
            let appended = self.store.sink().append(std::slice::from_ref(&again));
            appended.is_ok_and(|appended| appended.accepted == 1)
        };
        let taken = |row: &SeriesSamples| {
            let samples: Vec<model::Sample> = row
                .samples
                .iter()
                .filter(|sample| has(&row.labels, sample))
                .cloned()
                .collect();
            (!samples.is_empty()).then(|| SeriesSamples {
                labels: row.labels.clone(),
                samples,
                exemplars: row.exemplars.clone(),
            })
        };
        rows.iter().filter_map(taken).collect()
    }

    /// Takes rows that another protocol than a scrape brought. Series beyond the label limits are left out and
    /// counted as over the limit.
    pub fn append_from(
        &self,
        protocol: &'static str,
        batch: &[SeriesSamples],
    ) -> Result<Appended, SinkError> {
        let accepted = self.counters.registry.counter(
            "binnacle_ingest_samples_total",
            SAMPLES_HELP,
            &[("protocol", protocol)],
        );
        self.append_counted(batch, &accepted)
    }

    /// Counts lines that a protocol's decoder could not read.
    pub fn count_refused_lines(&self, protocol: &'static str, count: usize) {
        if count > 0 {
            let labels = [("protocol", protocol)];
            self.counters
                .registry
                .counter("binnacle_ingest_refused_lines_total", LINES_HELP, &labels)
                .add(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    fn append_counted(
        &self,
        batch: &[SeriesSamples],
        accepted: &Counter,
    ) -> Result<Appended, SinkError> {
        let limits = &self.limits.labels;
        let is_good = |row: &SeriesSamples| keeps_limits(&row.labels, limits);
        let refused = batch.iter().filter(|row| !is_good(row)).count();
        let good: Vec<SeriesSamples>;
        let rows = if refused == 0 {
            batch
        } else {
            good = batch.iter().filter(|row| is_good(row)).cloned().collect();
            let count = u64::try_from(refused).unwrap_or(u64::MAX);
            self.counters.invalid.add(count);
            good.as_slice()
        };
        let appended = self.store.sink().append(rows)?;
        self.counters.count(&appended, accepted);
        if let Some(follower) = self.follower() {
            self.hand_on(follower.as_ref(), rows, &appended);
        }
        Ok(Appended {
            over_limit: appended.over_limit + refused,
            ..appended
        })
    }

    /// Takes the body of a remote write 1.0 request.
    ///
    /// What can be stored is stored even where the answer is an error. On success the sender is answered 204,
    /// otherwise `WriteError::status` and the error's text.
    pub fn remote_write(&self, body: &[u8]) -> Result<Appended, WriteError> {
        let outcome = remote_write::decode(body, &self.limits)
            .map_err(WriteError::from)
            .and_then(|batch| {
                let (appended, written) = self.write(&batch)?;
                written.map(|()| appended)
            });
        let status = outcome.as_ref().map_or_else(WriteError::status, |_| 204);
        self.counters.request(status);
        outcome
    }

    /// Takes the body of a remote write 2.0 request.
    ///
    /// As `remote_write`; the sender is told in any case how much was stored.
    pub fn remote_write_second(&self, body: &[u8]) -> (Stored, Result<(), WriteError>) {
        let mut stored = Stored::default();
        let outcome = self.write_second(body, &mut stored);
        let status = outcome.as_ref().map_or_else(WriteError::status, |()| 204);
        self.counters.request(status);
        (stored, outcome)
    }

    fn write_second(&self, body: &[u8], stored: &mut Stored) -> Result<(), WriteError> {
        let batch = remote_write::decode_second(body, &self.limits, self.second)?;
        let (floats, histograms) = batch.by_type();
        let (appended, mut outcome) = self.write(&floats)?;
        stored.samples = appended.accepted;
        stored.exemplars = appended.exemplars;
        if let Some(histograms) = histograms {
            let (appended, of_histograms) = self.write(&histograms)?;
            stored.histograms = appended.accepted;
            stored.exemplars += appended.exemplars;
            outcome = outcome.and(of_histograms);
        }
        outcome
    }

    /// Stores a batch. The inner result says what of it was refused for good.
    fn write(&self, batch: &Batch) -> Result<(Appended, Result<(), WriteError>), WriteError> {
        let labels = &self.limits.labels;
        let Written { appended, refused } = match &self.store {
            Store::Db(db, cache) => remote_write::apply_to_db(batch, labels, db, cache)?,
            Store::Sink(sink) => remote_write::apply(batch, labels, sink.as_ref())?,
        };
        self.learn(&batch.metadata);
        self.counters.count(&appended, &self.counters.written);
        if let Some(follower) = self.follower() {
            let rows = batch.to_rows(labels);
            self.hand_on(follower.as_ref(), &rows, &appended);
        }
        let invalid = &self.counters.invalid;
        invalid.add(u64::try_from(refused.count).unwrap_or(u64::MAX));
        let reason = match (&refused.first, refused.count.saturating_sub(1)) {
            (Some(first), 0) => Some(first.clone()),
            (Some(first), further) => Some(format!("{first} (and {further} more)")),
            (None, _) => refusal(&appended),
        };
        let written = reason.map_or(Ok(()), |reason| Err(WriteError::Refused(reason)));
        Ok((appended, written))
    }

    /// Remembers what senders say of their metrics.
    pub(crate) fn learn(&self, told: &[(String, MetricMetadata)]) {
        if told.is_empty() {
            return;
        }
        let mut metadata = self.metadata.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, told) in told {
            let is_full = metadata.len() >= METADATA_MAX;
            match metadata.get_mut(name) {
                Some(known) if known == told => {}
                Some(known) => known.clone_from(told),
                None if !is_full => {
                    metadata.insert(name.clone(), told.clone());
                }
                None => self.counters.metadata.increment(),
            }
        }
    }

    /// What senders said of their metrics since the start.
    #[must_use]
    pub fn metadata(&self) -> BTreeMap<String, MetricMetadata> {
        self.metadata
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What to tell a sender whose samples were refused: upstream's words, and how many.
fn refusal(appended: &Appended) -> Option<String> {
    let reasons = [
        (appended.too_old, "too old sample"),
        (appended.too_new, "out of bounds"),
        (appended.duplicates, "duplicate sample for timestamp"),
        (appended.over_limit, "too many series"),
    ];
    let texts: Vec<String> = reasons
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, text)| format!("{text} ({count})"))
        .collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// Whether a label set keeps the limits.
fn keeps_limits(labels: &Labels, limits: &LabelLimits) -> bool {
    let mut count = 0;
    for (name, value) in labels {
        count += 1;
        if name.len() > limits.name_bytes_max || value.len() > limits.value_bytes_max {
            return false;
        }
    }
    count <= limits.count_max
}

/// What is scraped, sensed or computed: already labels and samples. Series beyond the label limits are left
/// out and counted.
impl Sink for Ingest {
    fn append(&self, batch: &[SeriesSamples]) -> Result<Appended, SinkError> {
        self.append_counted(batch, &self.counters.scraped)
    }
}

#[cfg(test)]
mod tests;
