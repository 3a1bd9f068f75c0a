//! The samples of one series in memory.
//!
//! New samples go to a plain tail of at most `CHUNK_SAMPLES`; a full tail becomes a chunk: a timestamp
//! column, shared with every series that has the same one, and the encoded values. Samples that come
//! out of order go to the tail if they fall into it, otherwise to `late`, which becomes chunks in the same
//! way; chunks may therefore overlap, and readers sort. While a block is written its chunks lie in
//! `cutting`: still read, no longer changed.

use super::starts::Starts;
use crate::codec::{Effort, values};
use crate::gather::{Gathered, part_in};
use model::{Histogram, Labels, ReadBudget, SourceError, TimeRange, Timestamp, Value};
use runtime::{HashMap, Seeded};
use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use storage::encoding::Decoder;

/// Samples in a chunk: enough to share and compress, few enough to hold plain.
const CHUNK_SAMPLES: usize = 32;

/// Timestamp columns the pool remembers.
const POOL_COLUMNS_MAX: usize = 4096;

/// Timestamp columns that were made lately, to be shared.
#[derive(Default)]
pub(crate) struct TimesPool {
    columns: HashMap<u64, Arc<[i64]>>,
    hasher: Seeded,
}

impl TimesPool {
    fn share(&mut self, times: Vec<i64>) -> Arc<[i64]> {
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
pub(crate) struct Chunk {
    times: Arc<[i64]>,
    values: Box<[u8]>,
}

impl Chunk {
    fn encode(samples: &[(i64, f64)], pool: &mut TimesPool) -> Self {
        let (times, floats): (Vec<i64>, Vec<f64>) = samples.iter().copied().unzip();
        let mut bytes = Vec::new();
        values::encode(&mut bytes, &floats, Effort::Fast);
        Self {
            times: pool.share(times),
            values: bytes.into(),
        }
    }

    fn values(&self) -> Vec<f64> {
        values::decode(&mut Decoder::new(&self.values), self.times.len())
            .expect("these bytes come from our encoder and never left memory")
    }

    fn samples(&self) -> impl Iterator<Item = (i64, f64)> {
        self.times.iter().copied().zip(self.values())
    }

    fn start(&self) -> i64 {
        self.times.first().copied().unwrap_or(i64::MAX)
    }

    fn end(&self) -> i64 {
        self.times.last().copied().unwrap_or(i64::MIN)
    }

    fn find(&self, at: i64) -> Option<f64> {
        if at < self.start() || at > self.end() {
            return None;
        }
        let place = self.times.binary_search(&at).ok()?;
        self.values().get(place).copied()
    }

    fn read(&self, range: TimeRange, starts: Option<&Starts>, into: &mut Gathered) {
        let part = part_in(&self.times, range.start.millis(), range.end.millis());
        if !part.is_empty() {
            let mut values = self.values();
            values.truncate(part.end);
            values.drain(..part.start);
            let starts = starts.map(|starts| starts.of(&self.times[part.clone()]));
            into.push(&self.times, part, (values, starts.unwrap_or_default()));
        }
    }
}

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// It was not there.
    Fresh,
    /// The very same was there.
    Same,
    /// Another value was there and stays.
    Conflict,
}

type Histograms = BTreeMap<i64, Arc<Histogram>>;

/// In this order, so that what every append touches lies on two cache lines with the head of the series.
#[derive(Default)]
#[repr(C)]
struct Data {
    /// The newest float, also after it was cut.
    newest: Option<(i64, f64)>,
    /// Whether there ever was a histogram: then the time of a float may be taken by one.
    mixed: bool,
    tail: Vec<(i64, f64)>,
    chunks: Vec<Chunk>,
    late: Vec<(i64, f64)>,
    cutting: Vec<Chunk>,
    histograms: Histograms,
    cutting_histograms: Histograms,
    /// Where any sample has one, the start timestamps of all.
    starts: Option<Box<Starts>>,
}

/// One series in the head.
#[repr(C)]
pub(crate) struct HeadSeries {
    pub(crate) labels: Labels,
    pub(crate) id: u32,
    /// The log segment that already says which labels belong to the id.
    defined_in: AtomicU64,
    /// Set when the head forgot this series: whoever still holds it looks it up again.
    retired: AtomicBool,
    data: Mutex<Data>,
}

impl HeadSeries {
    pub(super) fn new(id: u32, labels: Labels) -> Self {
        Self {
            id,
            labels,
            defined_in: AtomicU64::new(0),
            retired: AtomicBool::new(false),
            data: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a segment defines this series; answers whether that is news. Only the writer asks.
    pub(crate) fn define_in(&self, segment: u64) -> bool {
        let news = self.defined_in.load(Ordering::Relaxed) != segment;
        if news {
            self.defined_in.store(segment, Ordering::Relaxed);
        }
        news
    }

    /// Takes back what `define_in` noted, when the segment did not get the definition.
    pub(crate) fn undefine(&self) {
        self.defined_in.store(0, Ordering::Relaxed);
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(super) fn retire_if_idle(&self, before: i64) -> bool {
        let data = self.lock();
        let idle = data.is_empty() && data.newest.is_none_or(|(at, _)| at < before);
        if idle {
            self.retired.store(true, Ordering::Release);
        }
        idle
    }

    /// Inserts a sample (time, start or 0, value) unless its time is taken.
    pub(crate) fn insert(
        &self,
        (at, start, value): (i64, i64, &Value),
        pool: &mut TimesPool,
    ) -> Inserted {
        let mut data = self.lock();
        let inserted = match value {
            Value::Float(value) => data.insert(at, *value, pool),
            Value::Histogram(histogram) => data.insert_histogram(at, histogram),
        };
        if inserted == Inserted::Fresh && (start != 0 || data.starts.is_some()) {
            data.set_start(at, start);
        }
        inserted
    }

    /// Reads the samples in a range, counting them against the budget before they are decoded.
    pub(crate) fn read(
        &self,
        range: TimeRange,
        budget: &ReadBudget,
        into: &mut Gathered,
    ) -> Result<(), SourceError> {
        let data = self.lock();
        budget.take(data.count_in(range))?;
        let starts = data.starts.as_deref();
        for chunk in data.cutting.iter().chain(&data.chunks) {
            chunk.read(range, starts, into);
        }
        for samples in [&data.late, &data.tail] {
            let (times, values): (Vec<i64>, Vec<f64>) = samples
                .iter()
                .filter(|(at, _)| range.start.millis() <= *at && *at <= range.end.millis())
                .copied()
                .unzip();
            let part = 0..times.len();
            let starts = starts.map(|starts| starts.of(&times)).unwrap_or_default();
            into.push(&times.into(), part, (values, starts));
        }
        let wanted = range.start.millis()..=range.end.millis();
        for histograms in [&data.cutting_histograms, &data.histograms] {
            for (at, histogram) in histograms.range(wanted.clone()) {
                into.push_histogram(*at, data.start_at(*at), Arc::clone(histogram));
            }
        }
        Ok(())
    }

    /// Whether there may be a sample in the range.
    pub(crate) fn touches(&self, range: TimeRange) -> bool {
        self.lock().count_in(range) > 0
    }

    /// Removes the samples in a range; answers how many.
    pub(crate) fn delete(&self, range: TimeRange, pool: &mut TimesPool) -> usize {
        self.lock().delete(range, pool)
    }

    /// Sets the samples before `boundary` aside for a block; answers the times of the first and the last.
    pub(crate) fn begin_cut(&self, boundary: i64, pool: &mut TimesPool) -> Option<(i64, i64)> {
        self.lock().begin_cut(boundary, pool)
    }

    /// Reads what was set aside.
    pub(crate) fn read_cut(&self, range: TimeRange, into: &mut Gathered) {
        let data = self.lock();
        for chunk in &data.cutting {
            chunk.read(range, data.starts.as_deref(), into);
        }
        for (at, histogram) in &data.cutting_histograms {
            if range.contains(Timestamp::from_millis(*at)) {
                into.push_histogram(*at, data.start_at(*at), Arc::clone(histogram));
            }
        }
    }

    /// Ends a cut: what was set aside is in a block now and goes, or the cut failed and it stays. Answers
    /// how many samples went.
    pub(crate) fn end_cut(&self, in_block: bool) -> usize {
        let mut data = self.lock();
        let mut chunks = std::mem::take(&mut data.cutting);
        let mut histograms = std::mem::take(&mut data.cutting_histograms);
        if in_block {
            let in_chunks: usize = chunks.iter().map(|chunk| chunk.times.len()).sum();
            data.forget_starts();
            return in_chunks + histograms.len();
        }
        chunks.append(&mut data.chunks);
        data.chunks = chunks;
        data.histograms.append(&mut histograms);
        0
    }

    /// The time of the oldest sample.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.lock().oldest()
    }

    /// The number of chunks.
    pub(crate) fn chunk_count(&self) -> usize {
        let data = self.lock();
        data.chunks.len() + data.cutting.len() + usize::from(!data.tail.is_empty())
    }
}

impl Data {
    fn is_empty(&self) -> bool {
        self.tail.is_empty()
            && self.late.is_empty()
            && self.chunks.is_empty()
            && self.cutting.is_empty()
            && self.histograms.is_empty()
            && self.cutting_histograms.is_empty()
    }

    fn insert(&mut self, at: i64, value: f64, pool: &mut TimesPool) -> Inserted {
        let in_order = match self.newest {
            Some((newest, _)) => at > newest,
            None => self.is_empty(),
        };
        if in_order && !self.mixed {
            self.tail.push((at, value));
        } else {
            if let Some(found) = self.find(at) {
                return found.compare(&Value::Float(value));
            }
            self.insert_out_of_order(at, value, pool);
        }
        if self.newest.is_none_or(|(newest, _)| at > newest) {
            self.newest = Some((at, value));
        }
        if self.tail.len() >= CHUNK_SAMPLES {
            let chunk = Chunk::encode(&self.tail, pool);
            self.tail.clear();
            self.chunks.push(chunk);
        }
        Inserted::Fresh
    }

    fn insert_out_of_order(&mut self, at: i64, value: f64, pool: &mut TimesPool) {
        let in_tail = self.tail.first().is_some_and(|(first, _)| at > *first);
        let samples = if in_tail {
            &mut self.tail
        } else {
            &mut self.late
        };
        let place = samples.partition_point(|(other, _)| *other < at);
        samples.insert(place, (at, value));
        if self.late.len() >= CHUNK_SAMPLES {
            let chunk = Chunk::encode(&self.late, pool);
            self.late.clear();
            self.chunks.push(chunk);
        }
    }

    fn oldest(&self) -> Option<i64> {
        let chunks = self.cutting.iter().chain(&self.chunks).map(Chunk::start);
        let plain = self.late.iter().chain(&self.tail).map(|(at, _)| *at);
        let histograms = self.cutting_histograms.keys().chain(self.histograms.keys());
        chunks.chain(plain).chain(histograms.copied()).min()
    }

    /// The time of the newest sample that is held.
    fn newest_time(&self) -> Option<i64> {
        let float = self.newest.map(|(at, _)| at);
        let histograms = self.histograms.keys().next_back().copied();
        float.max(histograms)
    }

    fn set_start(&mut self, at: i64, start: i64) {
        let is_newest = self.newest_time().is_none_or(|newest| at >= newest);
        self.starts
            .get_or_insert_default()
            .set(at, start, is_newest);
    }

    fn start_at(&self, at: i64) -> i64 {
        self.starts.as_ref().map_or(0, |starts| starts.at(at))
    }

    /// Forgets the starts of samples that are gone.
    fn forget_starts(&mut self) {
        let oldest = self.oldest().unwrap_or(i64::MAX);
        if let Some(starts) = &mut self.starts {
            starts.forget_before(oldest);
            if starts.is_empty() {
                self.starts = None;
            }
        }
    }

    fn insert_histogram(&mut self, at: i64, histogram: &Arc<Histogram>) -> Inserted {
        if let Some(found) = self.find(at) {
            return found.compare(&Value::Histogram(Arc::clone(histogram)));
        }
        self.mixed = true;
        self.histograms.insert(at, Arc::clone(histogram));
        Inserted::Fresh
    }

    /// The sample at a time.
    fn find(&self, at: i64) -> Option<Found> {
        let plain = |samples: &[(i64, f64)]| {
            let place = samples
                .binary_search_by_key(&at, |(other, _)| *other)
                .ok()?;
            samples.get(place).map(|(_, value)| *value)
        };
        let newest = self.newest.filter(|(newest, _)| *newest == at);
        let chunks = || {
            let mut all = self.cutting.iter().chain(&self.chunks);
            all.find_map(|chunk| chunk.find(at))
        };
        let histogram = || {
            let found = self.cutting_histograms.get(&at);
            found.or_else(|| self.histograms.get(&at)).map(Arc::clone)
        };
        newest
            .map(|(_, value)| value)
            .or_else(|| plain(&self.tail))
            .or_else(|| plain(&self.late))
            .or_else(chunks)
            .map(Found::Float)
            .or_else(|| histogram().map(Found::Histogram))
    }

    fn count_in(&self, range: TimeRange) -> usize {
        let (start, end) = (range.start.millis(), range.end.millis());
        let in_chunk = |chunk: &Chunk| part_in(&chunk.times, start, end).len();
        let chunks: usize = self.cutting.iter().chain(&self.chunks).map(in_chunk).sum();
        let plain = self.tail.iter().chain(&self.late);
        let plain = plain.filter(|(at, _)| start <= *at && *at <= end).count();
        let histograms = |map: &Histograms| match start <= end {
            true => map.range(start..=end).count(),
            false => 0,
        };
        chunks + plain + histograms(&self.histograms) + histograms(&self.cutting_histograms)
    }

    fn begin_cut(&mut self, boundary: i64, pool: &mut TimesPool) -> Option<(i64, i64)> {
        let mut kept = Vec::new();
        for chunk in std::mem::take(&mut self.chunks) {
            if chunk.end() < boundary {
                self.cutting.push(chunk);
            } else if chunk.start() >= boundary {
                kept.push(chunk);
            } else {
                let samples: Vec<(i64, f64)> = chunk.samples().collect();
                let (before, after) =
                    samples.split_at(samples.partition_point(|(at, _)| *at < boundary));
                self.cutting.push(Chunk::encode(before, pool));
                kept.push(Chunk::encode(after, pool));
            }
        }
        self.chunks = kept;
        for samples in [&mut self.late, &mut self.tail] {
            let place = samples.partition_point(|(at, _)| *at < boundary);
            if place > 0 {
                self.cutting.push(Chunk::encode(&samples[..place], pool));
                samples.drain(..place);
            }
        }
        let after = self.histograms.split_off(&boundary);
        self.cutting_histograms = std::mem::replace(&mut self.histograms, after);
        let histograms = self.cutting_histograms.keys();
        let chunks = self.cutting.iter();
        let first = chunks
            .clone()
            .map(Chunk::start)
            .chain(histograms.clone().copied());
        let last = chunks.map(Chunk::end).chain(histograms.copied());
        Some((first.min()?, last.max()?))
    }

    fn delete(&mut self, range: TimeRange, pool: &mut TimesPool) -> usize {
        let before = self.count_in(TimeRange::ALL);
        let keep = |at: i64| at < range.start.millis() || at > range.end.millis();
        self.tail.retain(|(at, _)| keep(*at));
        self.late.retain(|(at, _)| keep(*at));
        self.histograms.retain(|at, _| keep(*at));
        let mut chunks = Vec::with_capacity(self.chunks.len());
        for chunk in self.chunks.drain(..) {
            if part_in(&chunk.times, range.start.millis(), range.end.millis()).is_empty() {
                chunks.push(chunk);
                continue;
            }
            let rest: Vec<(i64, f64)> = chunk.samples().filter(|(at, _)| keep(*at)).collect();
            if !rest.is_empty() {
                chunks.push(Chunk::encode(&rest, pool));
            }
        }
        self.chunks = chunks;
        if self.newest.is_some_and(|(at, _)| !keep(at)) {
            // Its time is free again; what remains says what is in order from here on.
            self.newest = self.newest_held();
        }
        before - self.count_in(TimeRange::ALL)
    }
}

impl Data {
    fn newest_held(&self) -> Option<(i64, f64)> {
        let chunks = self.cutting.iter().chain(&self.chunks);
        let in_chunks = chunks.max_by_key(|chunk| chunk.end());
        let last = in_chunks.and_then(|chunk| chunk.samples().last());
        let plain = self
            .tail
            .last()
            .into_iter()
            .chain(self.late.last())
            .copied();
        plain.chain(last).max_by_key(|(at, _)| *at)
    }
}

/// What lies at a time.
enum Found {
    Float(f64),
    Histogram(Arc<Histogram>),
}

impl Found {
    fn compare(&self, other: &Value) -> Inserted {
        let same = match (self, other) {
            (Self::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Histogram(a), Value::Histogram(b)) => crate::histogram::is_same(a, b),
            (Self::Float(_), Value::Histogram(_)) | (Self::Histogram(_), Value::Float(_)) => false,
        };
        if same {
            Inserted::Same
        } else {
            Inserted::Conflict
        }
    }
}
