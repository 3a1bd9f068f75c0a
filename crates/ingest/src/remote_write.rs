//! Remote write, both versions. 1.0 is read here, 2.0 in `second`: a snappy block that holds a `prometheus.WriteRequest`.
//!
//! `decode` is pure: bytes in, a `Batch` out. It never trusts a length: the snappy header is checked
//! before anything is unpacked, series and samples are counted against `Limits`. Labels stay as they were sent
//! until somebody needs them. Applying a batch checks them; a series with bad labels is refused on its own, the
//! rest is kept, and the sender is told (400, which it does not retry). Key decision: a `SeriesCache` knows
//! series by their labels as sent, so that a series that was seen before costs neither an allocation nor a copy.
//!
//! Specification: prometheus.io/docs/specs/prw/remote_write_spec.

mod cache;
mod histogram;
mod labels;
mod second;

pub use cache::SeriesCache;
pub(crate) use histogram::decode as decode_histogram;
pub use second::{SecondOptions, decode_second};

use crate::protobuf::{Message, ProtobufError};
use labels::LabelEncoder;
use model::{
    Appended, Exemplar, Histogram, Labels, MetricKind, MetricMetadata, Sample, SeriesSamples, Sink,
    SinkError, Timestamp, Value,
};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What one request may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the body as sent. Prometheus' senders stay under 1 MiB.
    pub body_bytes_max: usize,
    /// Bytes of the message when unpacked.
    pub decoded_bytes_max: usize,
    /// Series in one request.
    pub series_max: usize,
    /// Samples in one request, histograms included.
    pub samples_max: usize,
    /// What one series may be called.
    pub labels: LabelLimits,
}

/// What a label set may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelLimits {
    /// Labels of one series, the name included.
    pub count_max: usize,
    /// Bytes of a label's name.
    pub name_bytes_max: usize,
    /// Bytes of a label's value.
    pub value_bytes_max: usize,
}

/// Far above what exporters send, far below what would hurt.
impl Default for LabelLimits {
    fn default() -> Self {
        Self {
            count_max: 256,
            name_bytes_max: 1024,
            value_bytes_max: 64 * 1024,
        }
    }
}

/// Sixteen times what Prometheus' senders send at their defaults (2,000 samples a request, shards doubled
/// by hand included).
impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 32 << 20,
            decoded_bytes_max: 128 << 20,
            series_max: 1_000_000,
            samples_max: 5_000_000,
            labels: LabelLimits::default(),
        }
    }
}

/// Why a request cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The body, packed or unpacked, is larger than allowed.
    #[error("{what} of {bytes} bytes is larger than the limit of {bytes_max}")]
    TooLarge {
        /// Which size.
        what: &'static str,
        /// How large it is, or claims to be.
        bytes: usize,
        /// How large it may be.
        bytes_max: usize,
    },
    /// More series or samples than allowed.
    #[error("more than {max} {what} in one request")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// Not a snappy block.
    #[error("snappy: corrupt input: {0}")]
    Snappy(String),
    /// Not a `WriteRequest`.
    #[error("proto: {0}")]
    Protobuf(#[from] ProtobufError),
}

impl DecodeError {
    /// The HTTP status that tells the sender.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } => 413,
            Self::TooMany { .. } | Self::Snappy(_) | Self::Protobuf(_) => 400,
        }
    }
}

/// A request, decoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The unpacked request; labels are read from it.
    message: Vec<u8>,
    series: Vec<SeriesPlaces>,
    samples: Vec<(Timestamp, f64)>,
    /// The start of each sample, the epoch where it is unknown; empty where the version has none.
    starts: Vec<Timestamp>,
    histograms: Vec<(Timestamp, Arc<Histogram>)>,
    /// The same for histograms.
    histogram_starts: Vec<Timestamp>,
    exemplars: Vec<Exemplar>,
    /// What the request said of metrics, by name.
    pub metadata: Vec<(String, MetricMetadata)>,
    /// Histograms and exemplars that make no sense.
    refused: Refused,
}

/// Parts of a request that were left out for what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Series, histograms and exemplars.
    pub count: usize,
    /// The first reason.
    pub first: Option<String>,
}

impl Refused {
    fn add(&mut self, reason: String) {
        self.count += 1;
        self.first.get_or_insert(reason);
    }
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// What the store took and refused.
    pub appended: Appended,
    /// What never got to the store.
    pub refused: Refused,
}

/// Where the parts of one series lie.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SeriesPlaces {
    labels: Range<usize>,
    /// Whether nothing but labels lies there, as with every usual sender.
    labels_alone: bool,
    samples: Range<usize>,
    histograms: Range<usize>,
    exemplars: Range<usize>,
}

/// One series of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchRow<'a> {
    /// Its labels as sent: a part of a message whose field 1 is labels.
    labels: Message<'a>,
    labels_alone: bool,
    /// Its float samples, staleness markers included.
    pub samples: &'a [(Timestamp, f64)],
    /// The start of each, empty where none is known.
    starts: &'a [Timestamp],
    /// Its histogram samples.
    pub histograms: &'a [(Timestamp, Arc<Histogram>)],
    /// The start of each, empty where none is known.
    histogram_starts: &'a [Timestamp],
    /// Its exemplars.
    pub exemplars: &'a [Exemplar],
}

impl Batch {
    /// The series, in the order in which they were sent.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = BatchRow<'_>> {
        self.series.iter().map(|places| BatchRow {
            labels: Message::new(part(&self.message, &places.labels)),
            labels_alone: places.labels_alone,
            samples: part(&self.samples, &places.samples),
            starts: part(&self.starts, &places.samples),
            histograms: part(&self.histograms, &places.histograms),
            histogram_starts: part(&self.histogram_starts, &places.histograms),
            exemplars: part(&self.exemplars, &places.exemplars),
        })
    }

    /// The series as rows; those whose labels make no sense are left out.
    pub(crate) fn to_rows(&self, limits: &LabelLimits) -> Vec<SeriesSamples> {
        let mut encoder = LabelEncoder::default();
        let row = |row: BatchRow<'_>| {
            let encoded = encoder.encode(row.labels, limits).ok()?;
            to_samples(encoded, &row)
        };
        self.rows().filter_map(row).collect()
    }

    /// The batch without histograms, and one with nothing else where there are any: so that what becomes of them
    /// is counted apart.
    pub(crate) fn by_type(mut self) -> (Self, Option<Self>) {
        if self.histograms.is_empty() {
            return (self, None);
        }
        let mut histograms = Self {
            message: self.message.clone(),
            series: self.series.clone(),
            histograms: std::mem::take(&mut self.histograms),
            histogram_starts: std::mem::take(&mut self.histogram_starts),
            exemplars: self.exemplars.clone(),
            ..Self::default()
        };
        histograms
            .series
            .retain(|places| !places.histograms.is_empty());
        for places in &mut histograms.series {
            places.samples = 0..0;
        }
        self.series
            .retain(|places| places.histograms.is_empty() || !places.samples.is_empty());
        for places in &mut self.series {
            if !places.histograms.is_empty() {
                // They go with the histograms.
                (places.histograms, places.exemplars) = (0..0, 0..0);
            }
        }
        (self, Some(histograms))
    }

    /// Samples in all, histograms included.
    #[must_use]
    pub fn sample_count(&self) -> usize {
        self.samples.len() + self.histograms.len()
    }
}

impl BatchRow<'_> {
    fn floats(&self) -> impl Iterator<Item = Sample> {
        let sample = |((at, value), start): (&(Timestamp, f64), Timestamp)| Sample {
            start,
            ..Sample::float(*at, *value)
        };
        self.samples.iter().zip(starts(self.starts)).map(sample)
    }

    fn native(&self) -> impl Iterator<Item = Sample> {
        let sample = |((at, histogram), start): (&(Timestamp, Arc<Histogram>), Timestamp)| Sample {
            start,
            ..Sample::new(*at, Value::Histogram(Arc::clone(histogram)))
        };
        let starts = starts(self.histogram_starts);
        self.histograms.iter().zip(starts).map(sample)
    }
}

/// The starts of samples, without end: unknown ones behind those that are given.
fn starts(given: &[Timestamp]) -> impl Iterator<Item = Timestamp> {
    let unknown = std::iter::repeat(Timestamp::from_millis(0));
    given.iter().copied().chain(unknown)
}

fn part<'a, T>(all: &'a [T], range: &Range<usize>) -> &'a [T] {
    all.get(range.clone()).unwrap_or_default()
}

/// Decodes the body of a request.
pub fn decode(body: &[u8], limits: &Limits) -> Result<Batch, DecodeError> {
    decode_message(unpack(body, limits)?, limits)
}

/// Reads the series of a message that is not packed: a `prometheus.QueryResult` is laid out like a request. Series whose
/// labels make no sense are left out.
pub fn decode_series(message: Vec<u8>, limits: &Limits) -> Result<Vec<SeriesSamples>, DecodeError> {
    let batch = decode_message(message, limits)?;
    Ok(batch.to_rows(&limits.labels))
}

fn decode_message(message: Vec<u8>, limits: &Limits) -> Result<Batch, DecodeError> {
    let mut decoder = Decoder {
        limits,
        batch: Batch::default(),
    };
    let mut request = Message::new(&message);
    while let Some((field, wire)) = request.next_field()? {
        match field {
            1 => {
                let end = message.len() - request.remaining();
                decoder.series(request.message(wire)?, end)?;
            }
            3 => decoder.metadata(request.message(wire)?)?,
            _ => {}
        }
    }
    let mut batch = decoder.batch;
    batch.message = message;
    Ok(batch)
}

/// Unpacks the snappy block, after looking at the size that it claims.
fn unpack(body: &[u8], limits: &Limits) -> Result<Vec<u8>, DecodeError> {
    let too_large = |what, bytes, bytes_max| DecodeError::TooLarge {
        what,
        bytes,
        bytes_max,
    };
    if body.len() > limits.body_bytes_max {
        let error = too_large("request body", body.len(), limits.body_bytes_max);
        return Err(error);
    }
    let corrupt = |error: snap::Error| DecodeError::Snappy(error.to_string());
    let length = snap::raw::decompress_len(body).map_err(corrupt)?;
    if length > limits.decoded_bytes_max {
        let error = too_large("decoded request", length, limits.decoded_bytes_max);
        return Err(error);
    }
    let mut decoder = snap::raw::Decoder::new();
    decoder.decompress_vec(body).map_err(corrupt)
}

struct Decoder<'l> {
    limits: &'l Limits,
    batch: Batch,
}

impl Decoder<'_> {
    /// Reads one series, which ends at `end` of the request.
    fn series(&mut self, mut message: Message<'_>, end: usize) -> Result<(), DecodeError> {
        if self.batch.series.len() >= self.limits.series_max {
            return Err(DecodeError::TooMany {
                what: "series",
                max: self.limits.series_max,
            });
        }
        let whole = end - message.remaining()..end;
        let (samples, histograms, exemplars) = self.lengths();
        let mut labels = whole.start..whole.start;
        let mut labels_alone = true;
        let mut begin = whole.start;
        while let Some((field, wire)) = message.next_field()? {
            let past = end - message.remaining();
            match field {
                1 => {
                    message.bytes(wire)?;
                    labels_alone &= labels.end == begin;
                    labels.end = past;
                }
                2 => {
                    let sample = decode_sample(message.message(wire)?)?;
                    self.batch.samples.push(sample);
                }
                3 => self.exemplar(message.message(wire)?)?,
                4 => self.histogram(message.message(wire)?)?,
                _ => {}
            }
            begin = past;
        }
        check_samples(&self.batch, self.limits)?;
        let (samples_end, histograms_end, exemplars_end) = self.lengths();
        self.batch.series.push(SeriesPlaces {
            labels: if labels_alone { labels } else { whole },
            labels_alone,
            samples: samples..samples_end,
            histograms: histograms..histograms_end,
            exemplars: exemplars..exemplars_end,
        });
        Ok(())
    }

    fn lengths(&self) -> (usize, usize, usize) {
        let batch = &self.batch;
        (
            batch.samples.len(),
            batch.histograms.len(),
            batch.exemplars.len(),
        )
    }

    fn exemplar(&mut self, message: Message<'_>) -> Result<(), DecodeError> {
        let (mut value, mut timestamp) = (0.0, 0);
        let mut rest = message;
        while let Some((field, wire)) = rest.next_field()? {
            match field {
                2 => value = rest.double(wire)?,
                3 => timestamp = rest.int64(wire)?,
                _ => {}
            }
        }
        match labels::read_plain(message, &self.limits.labels)? {
            Ok(labels) => self.batch.exemplars.push(Exemplar {
                labels,
                value,
                timestamp: Some(Timestamp::from_millis(timestamp)),
            }),
            Err(reason) => self.batch.refused.add(reason),
        }
        Ok(())
    }

    fn histogram(&mut self, message: Message<'_>) -> Result<(), DecodeError> {
        match histogram::decode(message)? {
            Ok(sample) => match sample.value {
                Value::Float(value) => self.batch.samples.push((sample.timestamp, value)),
                Value::Histogram(histogram) => {
                    self.batch.histograms.push((sample.timestamp, histogram));
                }
            },
            Err(reason) => self.batch.refused.add(reason),
        }
        Ok(())
    }

    fn metadata(&mut self, mut message: Message<'_>) -> Result<(), DecodeError> {
        let mut name = String::new();
        let mut metadata = MetricMetadata::default();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        while let Some((field, wire)) = message.next_field()? {
            match field {
                1 => metadata.kind = metric_kind(message.unsigned(wire)?),
                2 => name = text(message.bytes(wire)?),
                4 => metadata.help = text(message.bytes(wire)?),
                5 => metadata.unit = text(message.bytes(wire)?),
                _ => {}
            }
        }
        if !name.is_empty() {
            self.batch.metadata.push((name, metadata));
        }
        Ok(())
    }
}

fn check_samples(batch: &Batch, limits: &Limits) -> Result<(), DecodeError> {
    if batch.sample_count() + batch.exemplars.len() > limits.samples_max {
        return Err(DecodeError::TooMany {
            what: "samples",
            max: limits.samples_max,
        });
    }
    Ok(())
}

fn decode_sample(mut message: Message<'_>) -> Result<(Timestamp, f64), ProtobufError> {
    let (mut value, mut timestamp) = (0.0, 0);
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => value = message.double(wire)?,
            2 => timestamp = message.int64(wire)?,
            _ => {}
        }
    }
    Ok((Timestamp::from_millis(timestamp), value))
}

/// `MetricMetadata.MetricType`; unknown numbers are unknown types.
const fn metric_kind(number: u64) -> MetricKind {
    match number {
        1 => MetricKind::Counter,
        2 => MetricKind::Gauge,
        3 => MetricKind::Histogram,
        4 => MetricKind::GaugeHistogram,
        5 => MetricKind::Summary,
        6 => MetricKind::Info,
        7 => MetricKind::StateSet,
        _ => MetricKind::Unknown,
    }
}

/// Hands a batch to any store. When this answers, accepted samples survive the death of the process.
pub fn apply(batch: &Batch, limits: &LabelLimits, sink: &dyn Sink) -> Result<Written, SinkError> {
    let mut refused = batch.refused.clone();
    let mut encoder = LabelEncoder::default();
    let mut rows = Vec::with_capacity(batch.series.len());
    for row in batch.rows() {
        match encoder.encode(row.labels, limits) {
            Ok(encoded) => rows.extend(to_samples(encoded, &row)),
            Err(reason) => refused.add(reason),
        }
    }
    let appended = sink.append(&rows)?;
    Ok(Written { appended, refused })
}

/// The same for our own store, through a cache of its series.
pub fn apply_to_db(
    batch: &Batch,
    limits: &LabelLimits,
    db: &tsdb::Db,
    cache: &Mutex<SeriesCache>,
) -> Result<Written, SinkError> {
    let mut refused = batch.refused.clone();
    let mut rows = db.batch();
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    for row in batch.rows() {
        let push = |series: &tsdb::SeriesHandle| {
            if row.starts.is_empty() {
                for (at, value) in row.samples {
                    rows.push(series, *at, *value);
                }
            } else {
                row.floats()
                    .for_each(|sample| rows.push_sample(series, sample));
            }
            row.native()
                .for_each(|sample| rows.push_sample(series, sample));
            for exemplar in row.exemplars {
                rows.push_exemplar(series, exemplar);
            }
        };
        match cache.with_series(&row, limits, db, push) {
            Ok(true) => {}
            Ok(false) => rows.count_over_limit(),
            Err(reason) => refused.add(reason),
        }
    }
    // Commits of several requests wait for the disk together.
    drop(cache);
    let appended = rows.commit()?;
    Ok(Written { appended, refused })
}

fn to_samples(encoded: &str, row: &BatchRow<'_>) -> Option<SeriesSamples> {
    let labels = Labels::from_encoded(encoded)?;
    Some(SeriesSamples {
        labels,
        samples: row.floats().chain(row.native()).collect(),
        exemplars: row.exemplars.to_vec(),
    })
}

#[cfg(test)]
mod tests;
