//! The samples of one series in memory.
//!
//! New samples go to a plain tail; one of `CHUNK_SAMPLES` becomes a chunk: a timestamp
//! column, shared with every series that has the same one, and the encoded values. Samples that come
//! out of order go to the tail if they fall into it, otherwise to `late`, which becomes chunks in the same
//! way; chunks may therefore overlap, and readers sort. While a block is written its chunks are the first
//! `cutting` ones: still read, no longer changed. What few series have lies in a box of its own.

use super::chunk::{CHUNK_SAMPLES, Chunk, TimesPool};
use super::starts::Starts;
use super::tail::Tail;
use crate::gather::Gathered;
use crate::histogram;
use model::{Histogram, TimeRange, Timestamp, Value};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use storage::encoding::Decoder;

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

/// Encoded histograms by time: a tenth of what they take as numbers.
type Histograms = BTreeMap<i64, Box<[u8]>>;

/// What is known of the samples of one series.
#[derive(Default)]
#[repr(C)]
pub(super) struct Data {
    /// The newest float, also after it was cut.
    pub(super) newest: Option<(i64, f64)>,
    pub(super) tail: Tail,
    /// Whether there ever was a histogram: then the time of a float may be taken by one.
    pub(super) mixed: bool,
    /// How many of the chunks, from the front, are being written to a block.
    cutting: u32,
    pub(super) chunks: Vec<Chunk>,
    pub(super) rare: Option<Box<Rare>>,
}

/// What few series have.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) late: Vec<(i64, f64)>,
    pub(super) histograms: Histograms,
    pub(super) cutting_histograms: Histograms,
    /// Where any sample has one, the start timestamps of all.
    pub(super) starts: Starts,
}

impl Rare {
    fn is_empty(&self) -> bool {
        self.late.is_empty()
            && self.histograms.is_empty()
            && self.cutting_histograms.is_empty()
            && self.starts.is_empty()
    }

    /// All histograms, those that are being cut included.
    fn histograms(&self) -> impl Iterator<Item = (i64, &[u8])> {
        let all = self.cutting_histograms.iter().chain(&self.histograms);
        all.map(|(at, bytes)| (*at, &**bytes))
    }
}

impl Data {
    pub(super) fn insert(
        &mut self,
        (at, start, value): (i64, i64, &Value),
        pool: &mut TimesPool,
    ) -> Inserted {
        let inserted = match value {
            Value::Float(value) => self.insert_float(at, *value, pool),
            Value::Histogram(histogram) => self.insert_histogram(at, histogram),
        };
        if inserted == Inserted::Fresh && (start != 0 || self.rare.is_some()) {
            let is_newest = self.newest_time().is_none_or(|newest| at >= newest);
            let rare = self.rare.get_or_insert_default();
            rare.starts.set(at, start, is_newest);
        }
        inserted
    }

    /// Some of what the next sample is compared with and stands beside: makes the processor fetch it.
    pub(super) fn touch_tail(&self) -> u64 {
        self.tail.touch()
    }

    fn insert_float(&mut self, at: i64, value: f64, pool: &mut TimesPool) -> Inserted {
        let in_order = match self.newest {
            Some((newest, _)) => at > newest,
            None => self.is_empty(),
        };
        if in_order && !self.mixed && Tail::takes(at) {
            let full = self.tail.push(at, value, pool);
            self.chunks.extend(full);
        } else {
            if let Some(found) = self.find(at) {
                return found.compare(&Value::Float(value));
            }
            self.insert_out_of_order(at, value, pool);
        }
        if self.newest.is_none_or(|(newest, _)| at > newest) {
            self.newest = Some((at, value));
        }
        Inserted::Fresh
    }

    fn insert_out_of_order(&mut self, at: i64, value: f64, pool: &mut TimesPool) {
        if self.tail.times().next().is_some_and(|first| at > first) {
            let full = self.tail.insert(at, value, pool);
            self.chunks.extend(full);
            return;
        }
        let rare = self.rare.get_or_insert_default();
        let place = rare.late.partition_point(|(other, _)| *other < at);
        rare.late.insert(place, (at, value));
        if rare.late.len() >= CHUNK_SAMPLES {
            let chunk = Chunk::encode(&rare.late, pool);
            rare.late.clear();
            self.chunks.push(chunk);
        }
    }

    fn insert_histogram(&mut self, at: i64, histogram: &Arc<Histogram>) -> Inserted {
        if self.newest_time().is_some_and(|newest| at <= newest)
            && let Some(found) = self.find(at)
        {
            return found.compare(&Value::Histogram(Arc::clone(histogram)));
        }
        self.mixed = true;
        let mut bytes = Vec::new();
        histogram::encode(&mut bytes, histogram);
        let rare = self.rare.get_or_insert_default();
        rare.histograms.insert(at, bytes.into());
        Inserted::Fresh
    }

    /// The time of the newest sample, that of a float also after it was cut.
    fn newest_time(&self) -> Option<i64> {
        let float = self.newest.map(|(at, _)| at);
        let rare = self.rare.as_deref();
        let newest = |histograms: &Histograms| histograms.keys().next_back().copied();
        let held = rare.and_then(|rare| newest(&rare.histograms));
        let cutting = rare.and_then(|rare| newest(&rare.cutting_histograms));
        float.max(held).max(cutting)
    }

    fn late(&self) -> &[(i64, f64)] {
        self.rare.as_ref().map_or(&[], |rare| &rare.late)
    }

    fn starts(&self) -> Option<&Starts> {
        let starts = self.rare.as_ref().map(|rare| &rare.starts);
        starts.filter(|starts| !starts.is_empty())
    }

    fn is_empty(&self) -> bool {
        let rare = self.rare.as_deref();
        self.tail.is_empty()
            && self.chunks.is_empty()
            && rare.is_none_or(|rare| rare.late.is_empty() && rare.histograms().next().is_none())
    }

    /// Whether nothing is held and nothing came since `before`.
    pub(super) fn is_idle(&self, before: i64) -> bool {
        self.is_empty() && self.newest.is_none_or(|(at, _)| at < before)
    }

    /// The sample at a time.
    fn find(&self, at: i64) -> Option<Found<'_>> {
        let plain = |samples: &[(i64, f64)]| {
            let place = samples
                .binary_search_by_key(&at, |(other, _)| *other)
                .ok()?;
            samples.get(place).map(|(_, value)| *value)
        };
        let newest = self.newest.filter(|(newest, _)| *newest == at);
        let histogram = || {
            let rare = self.rare.as_deref()?;
            let found = rare.cutting_histograms.get(&at);
            found.or_else(|| rare.histograms.get(&at))
        };
        newest
            .map(|(_, value)| value)
            .or_else(|| self.tail.find(at))
            .or_else(|| plain(self.late()))
            .or_else(|| self.chunks.iter().find_map(|chunk| chunk.find(at)))
            .map(Found::Float)
            .or_else(|| histogram().map(|bytes| Found::Histogram(bytes)))
    }

    pub(super) fn count_in(&self, range: TimeRange) -> usize {
        let (start, end) = (range.start.millis(), range.end.millis());
        let inside = |at: i64| start <= at && at <= end;
        let chunks: usize = self.chunks.iter().map(|chunk| chunk.count_in(range)).sum();
        let late = self.late().iter().map(|(at, _)| *at);
        let plain = self.tail.times().chain(late);
        let plain = plain.filter(|at| inside(*at)).count();
        let histograms = self.rare.iter().flat_map(|rare| rare.histograms());
        chunks + plain + histograms.filter(|(at, _)| inside(*at)).count()
    }

    pub(super) fn read(&self, range: TimeRange, into: &mut Gathered) {
        // Chunks lie anywhere in memory. Asked for together they come at the same time, one after the other each
        // would be waited for: half of what reading a series took.
        black_box(self.chunks.iter().fold(0, |all, chunk| all ^ chunk.touch()));
        for chunk in &self.chunks {
            chunk.read(range, self.starts(), into);
        }
        let inside = |(at, _): &(i64, f64)| range.contains(Timestamp::from_millis(*at));
        let starts = |times: &[i64]| self.starts().map(|starts| starts.of(times));
        let starts = |times: &[i64]| starts(times).unwrap_or_default();
        into.push_plain(self.late().iter().copied().filter(inside), starts);
        into.push_plain(self.tail.samples().filter(inside), starts);
        if let Some(rare) = &self.rare {
            self.read_histograms(range, rare.histograms(), into);
        }
    }

    fn read_histograms<'a>(
        &self,
        range: TimeRange,
        histograms: impl Iterator<Item = (i64, &'a [u8])>,
        into: &mut Gathered,
    ) {
        let (start, end) = (range.start.millis(), range.end.millis());
        for (at, bytes) in histograms.filter(|(at, _)| start <= *at && *at <= end) {
            let counting_since = self.starts().map_or(0, |starts| starts.at(at));
            let histogram = histogram::decode(&mut Decoder::new(bytes))
                .expect("these bytes come from our encoder and never left memory");
            into.push_histogram(at, counting_since, Arc::new(histogram));
        }
    }

    fn cutting_count(&self) -> usize {
        usize::try_from(self.cutting).unwrap_or(usize::MAX)
    }

    pub(super) fn begin_cut(&mut self, boundary: i64, pool: &mut TimesPool) -> Option<(i64, i64)> {
        let mut cutting = Vec::new();
        let mut kept = Vec::new();
        for chunk in std::mem::take(&mut self.chunks) {
            if chunk.end() < boundary {
                cutting.push(chunk);
            } else if chunk.start() >= boundary {
                kept.push(chunk);
            } else {
                let samples: Vec<(i64, f64)> = chunk.samples().collect();
                let (before, after) =
                    samples.split_at(samples.partition_point(|(at, _)| *at < boundary));
                cutting.push(Chunk::encode(before, pool));
                kept.push(Chunk::encode(after, pool));
            }
        }
        if let Some(late) = self.rare.as_mut().map(|rare| &mut rare.late) {
            let place = late.partition_point(|(at, _)| *at < boundary);
            if place > 0 {
                cutting.push(Chunk::encode(&late[..place], pool));
                late.drain(..place);
            }
        }
        cutting.extend(self.tail.take_before(boundary, pool));
        let mut first = cutting.iter().map(Chunk::start).min();
        let mut last = cutting.iter().map(Chunk::end).max();
        self.cutting = u32::try_from(cutting.len()).unwrap_or(u32::MAX);
        cutting.append(&mut kept);
        self.chunks = cutting;
        if let Some(rare) = &mut self.rare {
            let after = rare.histograms.split_off(&boundary);
            rare.cutting_histograms = std::mem::replace(&mut rare.histograms, after);
            let times = || rare.cutting_histograms.keys().copied();
            first = first.into_iter().chain(times()).min();
            last = last.into_iter().chain(times()).max();
        }
        Some((first?, last?))
    }

    pub(super) fn read_cut(&self, range: TimeRange, into: &mut Gathered) {
        for chunk in self.chunks.iter().take(self.cutting_count()) {
            chunk.read(range, self.starts(), into);
        }
        if let Some(rare) = &self.rare {
            let histograms = rare.cutting_histograms.iter();
            let histograms = histograms.map(|(at, bytes)| (*at, &**bytes));
            self.read_histograms(range, histograms, into);
        }
    }

    pub(super) fn end_cut(&mut self, in_block: bool) -> usize {
        let cutting = self.cutting_count();
        self.cutting = 0;
        let mut gone = 0;
        if in_block {
            gone = self.chunks.drain(..cutting).map(|chunk| chunk.len()).sum();
            self.chunks.shrink_to_fit();
        }
        let oldest = self.oldest_float();
        let Some(rare) = &mut self.rare else {
            return gone;
        };
        let mut histograms = std::mem::take(&mut rare.cutting_histograms);
        if in_block {
            gone += histograms.len();
            let oldest = oldest.into_iter().chain(rare.histograms.keys().copied());
            rare.starts.forget_before(oldest.min().unwrap_or(i64::MAX));
            rare.late.shrink_to_fit();
        } else {
            rare.histograms.append(&mut histograms);
        }
        if rare.is_empty() {
            self.rare = None;
        }
        gone
    }

    fn oldest_float(&self) -> Option<i64> {
        let chunks = self.chunks.iter().map(Chunk::start);
        let late = self.late().iter().map(|(at, _)| *at);
        chunks.chain(late).chain(self.tail.times()).min()
    }

    pub(super) fn oldest(&self) -> Option<i64> {
        let histograms = self.rare.iter().flat_map(|rare| rare.histograms());
        let histograms = histograms.map(|(at, _)| at);
        histograms.chain(self.oldest_float()).min()
    }

    pub(super) fn chunk_count(&self) -> usize {
        self.chunks.len() + usize::from(!self.tail.is_empty())
    }

    /// No cut runs meanwhile.
    pub(super) fn delete(&mut self, range: TimeRange, pool: &mut TimesPool) -> usize {
        let before = self.count_in(TimeRange::ALL);
        let keep = |at: i64| at < range.start.millis() || at > range.end.millis();
        self.tail.retain(keep, pool);
        if let Some(rare) = &mut self.rare {
            rare.late.retain(|(at, _)| keep(*at));
            rare.histograms.retain(|at, _| keep(*at));
        }
        let mut chunks = Vec::with_capacity(self.chunks.len());
        for chunk in self.chunks.drain(..) {
            if chunk.count_in(range) == 0 {
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

    fn newest_held(&self) -> Option<(i64, f64)> {
        let in_chunks = self.chunks.iter().max_by_key(|chunk| chunk.end());
        let last = in_chunks.and_then(|chunk| chunk.samples().last());
        let late = self.late().last().copied();
        let plain = self.tail.last().into_iter().chain(late);
        plain.chain(last).max_by_key(|(at, _)| *at)
    }
}

/// What lies at a time.
enum Found<'a> {
    Float(f64),
    Histogram(&'a [u8]),
}

impl Found<'_> {
    fn compare(&self, other: &Value) -> Inserted {
        let same = match (self, other) {
            (Self::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Histogram(a), Value::Histogram(b)) => {
                let mut bytes = Vec::new();
                histogram::encode(&mut bytes, b);
                **a == *bytes
            }
            (Self::Float(_), Value::Histogram(_)) | (Self::Histogram(_), Value::Float(_)) => false,
        };
        if same {
            Inserted::Same
        } else {
            Inserted::Conflict
        }
    }
}
