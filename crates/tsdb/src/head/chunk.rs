//! Encoded samples of one series, and the timestamp columns that series share.

use super::starts::Starts;
use super::tail::OpenTimes;
use crate::codec::{Effort, values};
use crate::gather::{Gathered, part_in};
use model::TimeRange;
use runtime::{HashMap, Seeded};
use std::hash::BuildHasher as _;
use std::sync::Arc;
use storage::encoding::Decoder;

/// Samples in a chunk: enough to share and compress, few enough to hold plain.
pub(super) const CHUNK_SAMPLES: usize = 32;

/// Timestamp columns of chunks that the pool remembers, …
const POOL_COLUMNS_MAX: usize = 4096;

/// … and those of tails: 300 KB.
const OPEN_COLUMNS_MAX: usize = 1024;

/// Timestamp columns that were made lately, to be shared.
#[derive(Default)]
pub(crate) struct TimesPool {
    columns: HashMap<u64, Arc<[i64]>>,
    hasher: Seeded,
    /// The latest column of those that begin with a time.
    open: HashMap<i64, Arc<OpenTimes>>,
}

impl TimesPool {
    /// The column of a tail that begins with these times; none for no times.
    pub(super) fn open(&mut self, times: &[i64]) -> Option<Arc<OpenTimes>> {
        let first = times.first()?;
        if let Some(column) = self.open.get(first)
            && column.begins_with(times)
        {
            return Some(Arc::clone(column));
        }
        if self.open.len() >= OPEN_COLUMNS_MAX {
            self.open.clear();
        }
        let column = Arc::new(OpenTimes::new(times));
        self.open.insert(*first, Arc::clone(&column));
        Some(column)
    }

    /// The column of a chunk with these times.
    pub(super) fn share(&mut self, times: Vec<i64>) -> Arc<[i64]> {
        let hash = self.hasher.hash_one(&times);
        if let Some(column) = self.columns.get(&hash)
            && **column == *times
        {
            return Arc::clone(column);
        }
        if self.columns.len() >= POOL_COLUMNS_MAX {
            self.columns.clear();
        }
        let column: Arc<[i64]> = times.into();
        self.columns.insert(hash, Arc::clone(&column));
        column
    }
}

/// Encoded samples, ascending by time.
#[derive(Clone)]
pub(super) struct Chunk {
    times: Arc<[i64]>,
    values: Box<[u8]>,
}

impl Chunk {
    pub(super) fn encode(samples: &[(i64, f64)], pool: &mut TimesPool) -> Self {
        let (times, values): (Vec<i64>, Vec<f64>) = samples.iter().copied().unzip();
        Self::new(pool.share(times), &values)
    }

    /// A chunk of as many values as there are times.
    pub(super) fn new(times: Arc<[i64]>, values: &[f64]) -> Self {
        debug_assert_eq!(times.len(), values.len());
        let mut bytes = Vec::new();
        values::encode(&mut bytes, values, Effort::Fast);
        Self {
            times,
            values: bytes.into(),
        }
    }

    /// A chunk as it was; `None` where the bytes are not as many values as there are times.
    pub(super) fn from_bytes(times: Arc<[i64]>, bytes: &[u8]) -> Option<Self> {
        values::decode(&mut Decoder::new(bytes), times.len())?;
        let values = bytes.into();
        Some(Self { times, values })
    }

    pub(super) fn times(&self) -> &Arc<[i64]> {
        &self.times
    }

    /// The encoded values.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.values
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// Some of the bytes: makes the processor fetch them.
    pub(super) fn touch(&self) -> u8 {
        let byte = |byte: Option<&u8>| byte.copied().unwrap_or_default();
        byte(self.values.first()) ^ byte(self.values.last())
    }

    pub(super) fn values(&self) -> Vec<f64> {
        values::decode(&mut Decoder::new(&self.values), self.times.len())
            .expect("these bytes come from our encoder and never left memory")
    }

    pub(super) fn samples(&self) -> impl Iterator<Item = (i64, f64)> {
        self.times.iter().copied().zip(self.values())
    }

    pub(super) fn start(&self) -> i64 {
        self.times.first().copied().unwrap_or(i64::MAX)
    }

    pub(super) fn end(&self) -> i64 {
        self.times.last().copied().unwrap_or(i64::MIN)
    }

    /// How many samples lie in a range.
    pub(super) fn count_in(&self, range: TimeRange) -> usize {
        part_in(&self.times, range.start.millis(), range.end.millis()).len()
    }

    pub(super) fn find(&self, at: i64) -> Option<f64> {
        if at < self.start() || at > self.end() {
            return None;
        }
        let place = self.times.binary_search(&at).ok()?;
        self.values().get(place).copied()
    }

    pub(super) fn read(&self, range: TimeRange, starts: Option<&Starts>, into: &mut Gathered) {
        let part = part_in(&self.times, range.start.millis(), range.end.millis());
        if part.is_empty() {
            return;
        }
        let starts = starts.map(|starts| starts.of(&self.times[part.clone()]));
        let decode = |out: &mut Vec<f64>| {
            values::decode_into(&mut Decoder::new(&self.values), self.times.len(), out)
        };
        into.push_copied(&self.times, part, starts.unwrap_or_default(), decode)
            .expect("these bytes come from our encoder and never left memory");
    }
}
