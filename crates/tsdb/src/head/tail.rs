//! The newest samples of a series as they came.
//!
//! The series of one scrape have the same times, so a tail holds its values alone; the times stand in a column that
//! is filled by whichever of its series gets the next sample first. One that gets another time than the others goes
//! on in a column of its own.

use super::chunk::{CHUNK_SAMPLES, Chunk, TimesPool};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

/// Stands where a column has no time yet. A sample of this time does not go into a tail.
const NO_TIME: i64 = i64::MIN;

/// The times of a chunk in the making. A time that stands there never changes, so a reader needs no more than the
/// lock of its own series.
pub(super) struct OpenTimes {
    times: [AtomicI64; CHUNK_SAMPLES],
    /// All of them, once a chunk asked for them.
    whole: OnceLock<Arc<[i64]>>,
}

impl OpenTimes {
    /// A column that begins with these times, of which there are at most `CHUNK_SAMPLES`.
    pub(super) fn new(begin: &[i64]) -> Self {
        debug_assert!(begin.len() <= CHUNK_SAMPLES);
        let at = |i| AtomicI64::new(begin.get(i).copied().unwrap_or(NO_TIME));
        Self {
            times: std::array::from_fn(at),
            whole: OnceLock::new(),
        }
    }

    /// Makes `at` the time with this number, unless another one is. Answers whether it is the one.
    fn set(&self, number: usize, at: i64) -> bool {
        let Some(slot) = self.times.get(number) else {
            return false;
        };
        let found = slot.load(Ordering::Relaxed);
        if found != NO_TIME {
            return found == at;
        }
        let set = slot.compare_exchange(NO_TIME, at, Ordering::Relaxed, Ordering::Relaxed);
        set == Ok(NO_TIME) || set == Err(at)
    }

    fn first(&self, count: usize) -> impl DoubleEndedIterator<Item = i64> {
        let times = self.times.get(..count).unwrap_or(&self.times);
        times.iter().map(|at| at.load(Ordering::Relaxed))
    }

    pub(super) fn begins_with(&self, times: &[i64]) -> bool {
        self.first(times.len()).eq(times.iter().copied())
    }

    /// The column; whoever asks has a value for each time.
    fn whole(&self) -> Arc<[i64]> {
        let collect = || self.first(CHUNK_SAMPLES).collect();
        Arc::clone(self.whole.get_or_init(collect))
    }
}

/// Less than `CHUNK_SAMPLES` samples, ascending by time.
#[derive(Default)]
pub(super) struct Tail {
    /// None where there is no value.
    times: Option<Arc<OpenTimes>>,
    values: Vec<f64>,
}

impl Tail {
    /// Whether a sample of this time can be held here.
    pub(super) const fn takes(at: i64) -> bool {
        at != NO_TIME
    }

    /// The samples of `values` at the first times of a column; `None` for more than a tail may hold.
    pub(super) fn from_parts(times: &Arc<OpenTimes>, values: Vec<f64>) -> Option<Self> {
        (values.len() < CHUNK_SAMPLES).then(|| Self {
            times: (!values.is_empty()).then(|| Arc::clone(times)),
            values,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn times(&self) -> impl DoubleEndedIterator<Item = i64> {
        let count = self.values.len();
        let times = self.times.iter();
        times.flat_map(move |times| times.first(count))
    }

    pub(super) fn samples(&self) -> impl Iterator<Item = (i64, f64)> {
        self.times().zip(self.values.iter().copied())
    }

    pub(super) fn last(&self) -> Option<(i64, f64)> {
        Some((self.times().next_back()?, *self.values.last()?))
    }

    /// Makes the processor fetch what `push` writes to.
    pub(super) fn touch(&self) -> u64 {
        self.values.last().map_or(0, |value| value.to_bits())
    }

    pub(super) fn find(&self, at: i64) -> Option<f64> {
        let place = self.times().position(|other| other == at)?;
        self.values.get(place).copied()
    }

    /// Appends a sample; answers the chunk that is full with it.
    pub(super) fn push(&mut self, at: i64, value: f64, pool: &mut TimesPool) -> Option<Chunk> {
        let times = self.times.as_ref();
        if !times.is_some_and(|times| times.set(self.values.len(), at)) {
            let times: Vec<i64> = self.times().chain([at]).collect();
            self.times = pool.open(&times);
        }
        self.values.push(value);
        self.take_full()
    }

    /// Adds a sample at its place among the others; answers the chunk that is full with it.
    pub(super) fn insert(&mut self, at: i64, value: f64, pool: &mut TimesPool) -> Option<Chunk> {
        let mut times: Vec<i64> = self.times().collect();
        let place = times.partition_point(|other| *other < at);
        if place == times.len() {
            return self.push(at, value, pool);
        }
        times.insert(place, at);
        self.values.insert(place, value);
        self.times = pool.open(&times);
        self.take_full()
    }

    fn take_full(&mut self) -> Option<Chunk> {
        if self.values.len() < CHUNK_SAMPLES {
            return None;
        }
        let chunk = Chunk::new(self.times.take()?.whole(), &self.values);
        self.values.clear();
        Some(chunk)
    }

    /// Takes the samples before `boundary` out, as a chunk.
    pub(super) fn take_before(&mut self, boundary: i64, pool: &mut TimesPool) -> Option<Chunk> {
        let mut times: Vec<i64> = self.times().collect();
        let rest = times.split_off(times.partition_point(|at| *at < boundary));
        if times.is_empty() {
            return None;
        }
        let values: Vec<f64> = self.values.drain(..times.len()).collect();
        if rest.is_empty() {
            self.values = Vec::new();
        }
        self.times = pool.open(&rest);
        Some(Chunk::new(pool.share(times), &values))
    }

    /// Leaves out samples whose time is not to be kept.
    pub(super) fn retain(&mut self, keep: impl Fn(i64) -> bool, pool: &mut TimesPool) {
        let (times, values): (Vec<i64>, Vec<f64>) =
            self.samples().filter(|(at, _)| keep(*at)).unzip();
        if values.len() < self.values.len() {
            self.times = pool.open(&times);
            self.values = values;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Tail, TimesPool};
    use crate::head::chunk::CHUNK_SAMPLES;
    use std::sync::Arc;

    fn step(number: usize) -> i64 {
        i64::try_from(number).expect("small") * 15_000
    }

    fn filled(count: usize, pool: &mut TimesPool) -> Tail {
        let mut tail = Tail::default();
        for number in 0..count {
            assert!(tail.push(step(number), 1.0, pool).is_none());
        }
        tail
    }

    fn share(a: &Tail, b: &Tail) -> bool {
        match (&a.times, &b.times) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    #[test]
    fn series_of_one_scrape_share_times_until_they_part() {
        let mut pool = TimesPool::default();
        let (mut a, mut b) = (filled(3, &mut pool), filled(3, &mut pool));
        assert!(share(&a, &b));
        a.push(step(3), 2.0, &mut pool);
        b.push(step(4), 3.0, &mut pool);
        assert!(!share(&a, &b));
        let mut c = filled(3, &mut pool);
        c.push(step(4), 4.0, &mut pool);
        assert!(
            share(&b, &c),
            "the latest column of such times is found again"
        );
        let check = |tail: &Tail, want: &[usize]| {
            let want: Vec<i64> = want.iter().map(|number| step(*number)).collect();
            assert_eq!(tail.times().collect::<Vec<_>>(), want);
        };
        check(&a, &[0, 1, 2, 3]);
        check(&b, &[0, 1, 2, 4]);
        let mut d = filled(3, &mut pool);
        d.insert(step(4), 6.0, &mut pool);
        assert!(share(&d, &b), "at the end a column is gone on with");
        b.insert(step(3), 5.0, &mut pool);
        check(&b, &[0, 1, 2, 3, 4]);
        assert_eq!(b.find(step(3)), Some(5.0));
        check(&c, &[0, 1, 2, 4]);
        c.retain(|at| at != step(1), &mut pool);
        check(&c, &[0, 2, 4]);
        assert_eq!(c.last(), Some((step(4), 4.0)));
    }

    #[test]
    fn full_tails_become_chunks_with_one_column() {
        let mut pool = TimesPool::default();
        let last = CHUNK_SAMPLES - 1;
        let mut tails = [filled(last, &mut pool), filled(last, &mut pool)];
        let chunks = tails
            .each_mut()
            .map(|tail| tail.push(step(last), 1.0, &mut pool).expect("full"));
        assert!(Arc::ptr_eq(chunks[0].times(), chunks[1].times()));
        assert_eq!(chunks[0].len(), CHUNK_SAMPLES);
        assert!(tails.iter().all(Tail::is_empty));
    }

    #[test]
    fn gives_what_lies_before_a_boundary() {
        let check = |boundary: usize, want: usize| {
            let mut pool = TimesPool::default();
            let mut tail = filled(10, &mut pool);
            let taken = tail.take_before(step(boundary), &mut pool);
            assert_eq!(taken.map_or(0, |chunk| chunk.len()), want);
            let rest: Vec<i64> = (want..10).map(step).collect();
            assert_eq!(tail.times().collect::<Vec<_>>(), rest);
            assert_eq!(tail.samples().count(), rest.len());
        };
        check(0, 0);
        check(4, 4);
        check(100, 10);
    }
}
