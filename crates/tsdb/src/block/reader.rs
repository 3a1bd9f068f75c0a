//! Decoding the columns of a block, for one query or one merge.

use super::index::ColumnPlace;
use super::page::{Problem, read_page};
use super::{Block, BlockIndex, Tombstones};
use crate::codec::{integers, values};
use crate::error::Error;
use crate::gather::{Gathered, part_in};
use crate::histogram;
use model::{ReadBudget, TimeRange};
use runtime::HashMap;
use std::sync::Arc;
use storage::encoding::Decoder;

/// Decoded timestamps a reader keeps, in all columns together: 8 MB.
const TIMES_MAX: usize = 1 << 20;

/// Reads series of one block; remembers the page and the timestamp columns it decoded last.
pub(crate) struct BlockReader {
    block: Arc<Block>,
    pub(crate) index: Arc<BlockIndex>,
    tombstones: Arc<Tombstones>,
    values_page: Option<(u32, Vec<u8>)>,
    times_page: Option<(u32, Vec<u8>)>,
    times: HashMap<u32, Arc<[i64]>>,
    times_held: usize,
}

impl BlockReader {
    pub(crate) fn new(block: &Arc<Block>) -> Result<Self, Error> {
        Ok(Self {
            block: Arc::clone(block),
            index: block.index()?,
            tombstones: block.tombstones(),
            values_page: None,
            times_page: None,
            times: HashMap::default(),
            times_held: 0,
        })
    }

    /// Adds the samples of a series in a range, counting them against the budget before they are decoded.
    pub(crate) fn read(
        &mut self,
        series: u32,
        range: TimeRange,
        budget: &ReadBudget,
        into: &mut Gathered,
    ) -> Result<(), Error> {
        let index = Arc::clone(&self.index);
        let entry = usize::try_from(series)
            .ok()
            .and_then(|i| index.series.get(i));
        let Some(entry) = entry else {
            return Ok(());
        };
        if let Some(place) = entry.floats {
            self.read_floats((series, place), range, budget, into)?;
        }
        if let Some(place) = entry.histograms {
            self.read_histograms((series, place), range, budget, into)?;
        }
        Ok(())
    }

    /// Whether a series has a sample in the range that was not deleted.
    pub(crate) fn touches(&mut self, series: u32, range: TimeRange) -> Result<bool, Error> {
        let index = Arc::clone(&self.index);
        let entry = usize::try_from(series)
            .ok()
            .and_then(|i| index.series.get(i));
        let places = entry.map(|entry| [entry.floats, entry.histograms]);
        for place in places.into_iter().flatten().flatten() {
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
        &mut self,
        (series, place): (u32, ColumnPlace),
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
        let page = self.page(place.page, PageKind::Values)?;
        let offset = usize::try_from(place.offset).unwrap_or(usize::MAX);
        let decoded = page
            .get(offset..)
            .and_then(|bytes| values::decode(&mut Decoder::new(bytes), times.len()));
        let mut values =
            decoded.ok_or_else(|| self.corrupt("a value column that cannot be read"))?;
        values.truncate(part.end);
        values.drain(..part.start);
        if self.tombstones.touch(series) {
            let kept = times[part].iter().copied().zip(values);
            let kept = kept.filter(|(at, _)| !self.tombstones.covers(series, *at));
            let (times, values): (Vec<i64>, Vec<f64>) = kept.unzip();
            let part = 0..times.len();
            into.push(&times.into(), part, values);
        } else {
            into.push(&times, part, values);
        }
        Ok(())
    }

    fn read_histograms(
        &mut self,
        (series, place): (u32, ColumnPlace),
        range: TimeRange,
        budget: &ReadBudget,
        into: &mut Gathered,
    ) -> Result<(), Error> {
        let times = self.times(place.times)?;
        let part = part_in(&times, range.start.millis(), range.end.millis());
        budget.take(part.len())?;
        let tombstones = Arc::clone(&self.tombstones);
        let page = self.page(place.page, PageKind::Values)?;
        let offset = usize::try_from(place.offset).unwrap_or(usize::MAX);
        let column = page
            .get(offset..)
            .and_then(|bytes| Decoder::new(bytes).bytes());
        let mut decoder = Decoder::new(column.unwrap_or_default());
        let mut found = Vec::new();
        for (i, at) in times.iter().enumerate() {
            let Some(histogram) = histogram::decode(&mut decoder) else {
                return Err(self.corrupt("a histogram that cannot be read"));
            };
            if part.contains(&i) && !tombstones.covers(series, *at) {
                found.push((*at, Arc::new(histogram)));
            }
        }
        for (at, histogram) in &found {
            into.push_histogram(*at, histogram);
        }
        Ok(())
    }

    fn times(&mut self, number: u32) -> Result<Arc<[i64]>, Error> {
        if let Some(times) = self.times.get(&number) {
            return Ok(Arc::clone(times));
        }
        let place = usize::try_from(number)
            .ok()
            .and_then(|i| self.index.times.get(i).copied())
            .ok_or_else(|| self.corrupt("a timestamp column that is not there"))?;
        let page = self.page(place.page, PageKind::Times)?;
        let offset = usize::try_from(place.offset).unwrap_or(usize::MAX);
        let count = usize::try_from(place.count).unwrap_or(usize::MAX);
        let decoded = page
            .get(offset..)
            .and_then(|bytes| integers::decode(&mut Decoder::new(bytes), count));
        let times: Arc<[i64]> = decoded
            .ok_or_else(|| self.corrupt("a timestamp column that cannot be read"))?
            .into();
        if self.times_held >= TIMES_MAX {
            self.times.clear();
            self.times_held = 0;
        }
        self.times_held += times.len();
        self.times.insert(number, Arc::clone(&times));
        Ok(times)
    }

    fn page(&mut self, number: u32, kind: PageKind) -> Result<&[u8], Error> {
        let slot = match kind {
            PageKind::Values => &mut self.values_page,
            PageKind::Times => &mut self.times_page,
        };
        if slot.as_ref().is_none_or(|(held, _)| *held != number) {
            let place = usize::try_from(number)
                .ok()
                .and_then(|i| self.index.pages.get(i).copied());
            let read = match place {
                Some(place) => read_page(self.block.file.as_ref(), place),
                None => Err(Problem::Corrupt(0, "a page that is not there")),
            };
            let content = read.map_err(|problem| self.block.problem(problem))?;
            *slot = Some((number, content));
        }
        Ok(slot.as_ref().map_or(&[], |(_, content)| content))
    }

    fn corrupt(&self, what: &'static str) -> Error {
        self.block.problem(Problem::Corrupt(0, what))
    }
}

#[derive(Clone, Copy)]
enum PageKind {
    Values,
    Times,
}
