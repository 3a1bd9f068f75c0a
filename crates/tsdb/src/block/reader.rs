//! Decoding the columns of a block, for one query or one merge.
//!
//! A reader is used from several threads at once. What they share, pages and timestamp columns that were
//! decoded lately, is locked only to look something up: two threads may decode the same page once each.

use super::index::{ColumnPlace, SeriesColumns};
use super::page::{Problem, read_page};
use super::{Block, BlockIndex, Tombstones, summaries};
use crate::codec::{integers, values};
use crate::error::Error;
use crate::gather::{Floats, Gathered, part_in};
use crate::histogram;
use model::{ReadBudget, Summaries, TimeRange, Timestamp};
use runtime::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use storage::encoding::Decoder;

/// Decoded timestamps a reader keeps, in all columns together: 8 MB.
const TIMES_MAX: usize = 1 << 20;

/// Pages a reader keeps: threads that share out the series of a query work on neighbouring ones.
const PAGES_MAX: usize = 4;

/// A page's content by its number.
type Page = (u32, Arc<Vec<u8>>);

/// Reads series of one block.
pub(crate) struct BlockReader {
    block: Arc<Block>,
    pub(crate) index: Arc<BlockIndex>,
    tombstones: Arc<Tombstones>,
    /// The page used last at the end.
    pages: Mutex<Vec<Page>>,
    times: Mutex<TimesCache>,
}

#[derive(Default)]
struct TimesCache {
    columns: HashMap<u32, Arc<[i64]>>,
    held: usize,
}

impl BlockReader {
    pub(crate) fn new(block: &Arc<Block>) -> Result<Self, Error> {
        Ok(Self {
            block: Arc::clone(block),
            index: block.index()?,
            tombstones: block.tombstones(),
            pages: Mutex::default(),
            times: Mutex::default(),
        })
    }

    /// Adds the samples of a series in a range, counting them against the budget before they are decoded.
    pub(crate) fn read(
        &self,
        series: u32,
        range: TimeRange,
        budget: &ReadBudget,
        into: &mut Gathered,
    ) -> Result<(), Error> {
        let columns = self.index.columns(series);
        if let Some(place) = columns.floats {
            self.read_floats((series, place, &columns), range, budget, into)?;
        }
        if let Some(place) = columns.histograms {
            let places = (place, columns.histogram_starts);
            self.read_histograms((series, places), range, budget, into)?;
        }
        Ok(())
    }

    /// Whether a series has a sample in the range that was not deleted.
    pub(crate) fn touches(&self, series: u32, range: TimeRange) -> Result<bool, Error> {
        let columns = self.index.columns(series);
        for place in [columns.floats, columns.histograms].into_iter().flatten() {
            let times = self.times(place.times)?;
            let part = part_in(&times, range.start.millis(), range.end.millis());
            if times[part]
                .iter()
                .any(|at| !self.tombstones.covers(series, *at))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_floats(
        &self,
        (series, place, columns): (u32, ColumnPlace, &SeriesColumns),
        range: TimeRange,
        budget: &ReadBudget,
        into: &mut Gathered,
    ) -> Result<(), Error> {
        let times = self.times(place.times)?;
        let part = part_in(&times, range.start.millis(), range.end.millis());
        if part.is_empty() {
            return Ok(());
        }
        budget.take(part.len())?;
        let page = self.page(place.page)?;
        let decode = |out: &mut Vec<f64>| {
            let bytes = content_at(&page, place.offset)?;
            values::decode_into(&mut Decoder::new(bytes), times.len(), out)
        };
        let unreadable = || self.corrupt("a value column that cannot be read");
        let mut starts = self.starts(columns.float_starts, times.len())?;
        if let Some(place) = columns.summaries {
            let mut values = Vec::with_capacity(times.len());
            decode(&mut values).ok_or_else(unreadable)?;
            let floats = Floats {
                summaries: Some(self.summaries(place, (&times, &values))?),
                times: times.to_vec(),
                values,
                starts,
            };
            // Of a window nobody can take a part away: it goes as a whole.
            let kept = |times: (i64, i64)| {
                range.contains(Timestamp::from_millis(times.1))
                    && !self.tombstones.covers_part(series, times)
            };
            into.push_windows(&floats, &kept);
            into.count_skipped(part.len());
            return Ok(());
        }
        starts.truncate(part.end);
        starts.drain(..part.start.min(starts.len()));
        into.push(&times, part, starts, decode)
            .ok_or_else(unreadable)?;
        if self.tombstones.touch(series) {
            into.retain_last(|at| !self.tombstones.covers(series, at));
        }
        Ok(())
    }

    fn read_histograms(
        &self,
        (series, (place, starts)): (u32, (ColumnPlace, Option<ColumnPlace>)),
        range: TimeRange,
        budget: &ReadBudget,
        into: &mut Gathered,
    ) -> Result<(), Error> {
        let times = self.times(place.times)?;
        let part = part_in(&times, range.start.millis(), range.end.millis());
        if part.is_empty() {
            return Ok(());
        }
        budget.take(part.len())?;
        let page = self.page(place.page)?;
        let column = content_at(&page, place.offset).and_then(|bytes| Decoder::new(bytes).bytes());
        let mut decoder = Decoder::new(column.unwrap_or_default());
        let starts = self.starts(starts, times.len())?;
        for (i, at) in times.iter().enumerate().take(part.end) {
            let Some(histogram) = histogram::decode(&mut decoder) else {
                return Err(self.corrupt("a histogram that cannot be read"));
            };
            if !part.contains(&i) {
                continue;
            }
            if self.tombstones.covers(series, *at) {
                into.count_skipped(1);
            } else {
                let start = starts.get(i).copied().unwrap_or_default();
                into.push_histogram(*at, start, Arc::new(histogram));
            }
        }
        Ok(())
    }

    /// The start timestamps that lie at a place; none where there is no such column.
    fn starts(&self, place: Option<ColumnPlace>, count: usize) -> Result<Vec<i64>, Error> {
        let Some(place) = place else {
            return Ok(Vec::new());
        };
        let page = self.page(place.page)?;
        let decoded = content_at(&page, place.offset)
            .and_then(|bytes| integers::decode(&mut Decoder::new(bytes), count));
        decoded.ok_or_else(|| self.corrupt("a column of start timestamps that cannot be read"))
    }

    fn summaries(&self, place: ColumnPlace, ends: (&[i64], &[f64])) -> Result<Summaries, Error> {
        let page = self.page(place.page)?;
        let decoded = content_at(&page, place.offset)
            .and_then(|bytes| summaries::decode(&mut Decoder::new(bytes), ends));
        decoded.ok_or_else(|| self.corrupt("summaries of windows that cannot be read"))
    }

    fn times(&self, number: u32) -> Result<Arc<[i64]>, Error> {
        let lock = || self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = lock().columns.get(&number) {
            return Ok(Arc::clone(times));
        }
        let place = usize::try_from(number)
            .ok()
            .and_then(|i| self.index.times.get(i).copied())
            .ok_or_else(|| self.corrupt("a timestamp column that is not there"))?;
        let page = self.page(place.page)?;
        let count = usize::try_from(place.count).unwrap_or(usize::MAX);
        let decoded = content_at(&page, place.offset)
            .and_then(|bytes| integers::decode(&mut Decoder::new(bytes), count));
        let times: Arc<[i64]> = decoded
            .ok_or_else(|| self.corrupt("a timestamp column that cannot be read"))?
            .into();
        let mut cache = lock();
        if cache.held >= TIMES_MAX {
            *cache = TimesCache::default();
        }
        cache.held += times.len();
        let kept = cache.columns.entry(number).or_insert(times);
        Ok(Arc::clone(kept))
    }

    fn page(&self, number: u32) -> Result<Arc<Vec<u8>>, Error> {
        let lock = || self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut pages = lock();
            if let Some(at) = pages.iter().position(|(held, _)| *held == number) {
                pages[at..].rotate_left(1);
                return Ok(pages
                    .last()
                    .map(|(_, page)| Arc::clone(page))
                    .unwrap_or_default());
            }
        }
        let place = usize::try_from(number)
            .ok()
            .and_then(|i| self.index.pages.get(i).copied());
        let read = match place {
            Some(place) => read_page(self.block.file.as_ref(), place),
            None => Err(Problem::Corrupt(0, "a page that is not there")),
        };
        let content = Arc::new(read.map_err(|problem| self.block.problem(problem))?);
        let mut pages = lock();
        if pages.len() >= PAGES_MAX {
            pages.remove(0);
        }
        pages.push((number, Arc::clone(&content)));
        Ok(content)
    }

    fn corrupt(&self, what: &'static str) -> Error {
        self.block.problem(Problem::Corrupt(0, what))
    }
}

fn content_at(page: &[u8], offset: u32) -> Option<&[u8]> {
    page.get(usize::try_from(offset).ok()?..)
}
