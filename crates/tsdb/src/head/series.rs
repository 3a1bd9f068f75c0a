//! One series in memory: what it is called, and its samples behind a lock.

use super::chunk::TimesPool;
use super::data::{Data, Inserted};
use super::image::{RestoredTimes, TimesTable};
use crate::gather::Gathered;
use model::{Labels, ReadBudget, SourceError, TimeRange, Value};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use storage::encoding::{Decoder, put_bytes, put_varint};

/// One series in the head. In this order, so that what every append touches lies together.
#[repr(C)]
pub(crate) struct HeadSeries {
    pub(crate) labels: Labels,
    pub(crate) id: u32,
    /// Set when the head forgot this series: whoever still holds it looks it up again.
    retired: AtomicBool,
    /// The log segment that already says which labels belong to the id.
    defined_in: AtomicU64,
    data: Mutex<Data>,
}

impl HeadSeries {
    pub(super) fn new(id: u32, labels: Labels) -> Self {
        Self {
            id,
            labels,
            retired: AtomicBool::new(false),
            defined_in: AtomicU64::new(0),
            data: Mutex::default(),
        }
    }

    /// A series with samples that it had before.
    pub(super) fn with_data(id: u32, labels: Labels, data: Data) -> Self {
        Self {
            data: Mutex::new(data),
            ..Self::new(id, labels)
        }
    }

    /// Appends id, labels and samples for a checkpoint. No cut runs meanwhile.
    pub(crate) fn encode(&self, out: &mut Vec<u8>, times: &mut TimesTable) {
        put_varint(out, u64::from(self.id));
        put_bytes(out, self.labels.encoded().as_bytes());
        self.lock().encode(out, times);
    }

    /// Reads what `encode` wrote; `None` for bytes that it did not write.
    pub(super) fn decode(decoder: &mut Decoder<'_>, times: &mut RestoredTimes) -> Option<Self> {
        let id = u32::try_from(decoder.varint()?).ok()?;
        let labels = Labels::from_encoded(decoder.text()?)?;
        let data = Data::decode(decoder, times)?;
        Some(Self::with_data(id, labels, data))
    }

    /// The number of samples.
    pub(super) fn sample_count(&self) -> usize {
        self.lock().count_in(TimeRange::ALL)
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
        let idle = self.lock().is_idle(before);
        if idle {
            self.retired.store(true, Ordering::Release);
        }
        idle
    }

    /// Makes the processor fetch what `insert` needs.
    pub(crate) fn touch_tail(&self) -> u64 {
        self.lock().touch_tail()
    }

    /// Inserts a sample (time, start or 0, value) unless its time is taken.
    pub(crate) fn insert(
        &self,
        (at, start, value): (i64, i64, &Value),
        pool: &mut TimesPool,
    ) -> Inserted {
        self.lock().insert((at, start, value), pool)
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
        data.read(range, into);
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
        self.lock().read_cut(range, into);
    }

    /// Ends a cut: what was set aside is in a block now and goes, or the cut failed and it stays. Answers
    /// how many samples went.
    pub(crate) fn end_cut(&self, in_block: bool) -> usize {
        self.lock().end_cut(in_block)
    }

    /// The time of the oldest sample.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.lock().oldest()
    }

    /// The number of chunks.
    pub(crate) fn chunk_count(&self) -> usize {
        self.lock().chunk_count()
    }
}
