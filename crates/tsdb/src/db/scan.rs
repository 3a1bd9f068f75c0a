//! A scan: which series a selector finds, and where their samples lie.
//!
//! The head is searched before the list of blocks is taken: what a cut moves meanwhile is then seen twice,
//! which is harmless, and never missed. Samples are read later; a cut may then have carried them from the
//! head into a block that did not exist when the scan began, so whoever reads the head looks for blocks
//! that are new since, too. In precedence blocks come first, in the order in which they were written.

use super::{Blocks, Db};
use crate::block::{Block, BlockReader};
use crate::error::Error;
use crate::gather::{Gathered, SharedTimes};
use crate::head::{AHEAD, HeadSeries};
use model::{Columns, Labels, Matcher, ReadBudget, Scan, SourceError, TimeRange};
use std::cmp::Ordering;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};

/// A series in one of the blocks: the number of the reader and that of the series in it.
type Part = (u32, u32);

/// What `Source::scan` answers.
pub(super) struct DbScan<'a> {
    db: &'a Db,
    range: TimeRange,
    labels: Vec<Labels>,
    /// The head's part of each series.
    head: Vec<Option<Arc<HeadSeries>>>,
    /// The parts in blocks, of all series one behind the other, and where those of each end.
    parts: Vec<Part>,
    part_ends: Vec<u32>,
    readers: Vec<BlockReader>,
    /// The blocks there were when the scan was made.
    blocks: Blocks,
    /// Readers of blocks that came since.
    later: Mutex<Vec<(u64, Arc<BlockReader>)>>,
    /// What the threads that read at the same time work with.
    desks: Mutex<Vec<Desk>>,
}

/// What one thread works with, used again for each series.
#[derive(Default)]
struct Desk {
    in_head: Gathered,
    gathered: Gathered,
    shared: SharedTimes,
}

impl<'a> DbScan<'a> {
    pub(super) fn new(db: &'a Db, matchers: &[Matcher], range: TimeRange) -> Result<Self, Error> {
        let in_order = range.start <= range.end;
        let head = match in_order {
            true => db.sorted_head(matchers),
            false => Vec::new(),
        };
        let blocks = db.blocks();
        let mut scan = Self {
            db,
            range,
            labels: Vec::with_capacity(head.len()),
            head: Vec::with_capacity(head.len()),
            parts: Vec::new(),
            part_ends: Vec::with_capacity(head.len()),
            readers: Vec::new(),
            blocks: Arc::clone(&blocks),
            later: Mutex::default(),
            desks: Mutex::default(),
        };
        let mut lists = Vec::new();
        let overlapping = |block: &&Arc<Block>| in_order && block.meta.overlaps(range);
        for block in blocks.iter().filter(overlapping) {
            let reader = BlockReader::new(block)?;
            let found = reader.index.series.select(matchers);
            if found.is_empty() {
                continue;
            }
            let intern = |encoded: &str| db.intern(encoded);
            let labels = |id: &u32| (reader.index.series.shared_labels(*id, &intern), *id);
            lists.push(
                found
                    .iter()
                    .map(labels)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .peekable(),
            );
            scan.readers.push(reader);
        }
        scan.merge(head, lists);
        Ok(scan)
    }

    /// Lays sorted lists together: of the head, and of each reader.
    fn merge(&mut self, head: Vec<Arc<HeadSeries>>, mut lists: Vec<BlockList>) {
        let mut head = head.into_iter().peekable();
        loop {
            let mut least = head.peek().map(|series| &series.labels);
            for list in &mut lists {
                let next = list.peek().map(|(labels, _)| labels);
                least = match (least, next) {
                    (Some(a), Some(b)) if compare(b, a) == Ordering::Less => Some(b),
                    (None, next) => next,
                    (least, _) => least,
                };
            }
            let Some(least) = least.cloned() else {
                break;
            };
            let series = head.next_if(|series| compare(&series.labels, &least).is_eq());
            self.head.push(series);
            for (reader, list) in (0_u32..).zip(&mut lists) {
                let same = list.next_if(|(labels, _)| compare(labels, &least).is_eq());
                self.parts.extend(same.map(|(_, id)| (reader, id)));
            }
            self.part_ends
                .push(u32::try_from(self.parts.len()).unwrap_or(u32::MAX));
            self.labels.push(least);
        }
    }

    /// Series lie anywhere in memory: the processor fetches the next few at the same time.
    fn touch_series(&self, index: usize) {
        let next = self.head.iter().skip(index).take(AHEAD).flatten();
        black_box(next.fold(0, |all, series| all ^ series.id));
    }

    fn parts(&self, index: usize) -> &[Part] {
        let end = |index: usize| {
            let end = self.part_ends.get(index).copied().unwrap_or_default();
            usize::try_from(end).unwrap_or_default()
        };
        let start = index.checked_sub(1).map_or(0, end);
        self.parts.get(start..end(index)).unwrap_or_default()
    }

    fn gather(&self, index: usize, budget: &ReadBudget, desk: &mut Desk) -> Result<(), Error> {
        let Desk {
            in_head, gathered, ..
        } = desk;
        let head = self.head.get(index).and_then(Option::as_ref);
        if let Some(series) = head {
            series.read(self.range, budget, in_head)?;
        }
        for (reader, series) in self.parts(index) {
            let reader = usize::try_from(*reader)
                .ok()
                .and_then(|i| self.readers.get(i));
            if let Some(reader) = reader {
                reader.read(*series, self.range, budget, gathered)?;
            }
        }
        if let Some(series) = head {
            self.read_later_blocks(&series.labels, budget, gathered)?;
        }
        gathered.append(in_head);
        Ok(())
    }

    /// Reads what a cut has moved out of the head since the scan was made.
    fn read_later_blocks(
        &self,
        labels: &Labels,
        budget: &ReadBudget,
        into: &mut Gathered,
    ) -> Result<(), Error> {
        let now = self.db.blocks();
        if Arc::ptr_eq(&now, &self.blocks) {
            return Ok(());
        }
        for block in now.iter().filter(|block| block.meta.overlaps(self.range)) {
            let known = |old: &Arc<Block>| old.meta.id == block.meta.id;
            if self.blocks.iter().any(known) {
                continue;
            }
            let reader = self.later_reader(block)?;
            if let Some(series) = reader.index.series.find(labels) {
                reader.read(series, self.range, budget, into)?;
            }
        }
        Ok(())
    }

    fn later_reader(&self, block: &Arc<Block>) -> Result<Arc<BlockReader>, Error> {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, reader)) = later.iter().find(|(id, _)| *id == block.meta.id) {
            return Ok(Arc::clone(reader));
        }
        let reader = Arc::new(BlockReader::new(block)?);
        later.push((block.meta.id, Arc::clone(&reader)));
        Ok(reader)
    }
}

type BlockList = std::iter::Peekable<std::vec::IntoIter<(Labels, u32)>>;

/// Compares labels; equal ones are mostly one and the same text.
fn compare(a: &Labels, b: &Labels) -> Ordering {
    if std::ptr::eq(a.encoded(), b.encoded()) {
        return Ordering::Equal;
    }
    a.cmp(b)
}

impl Scan for DbScan<'_> {
    fn labels(&self) -> &[Labels] {
        &self.labels
    }

    fn read_into(
        &self,
        index: usize,
        budget: &ReadBudget,
        columns: &mut Columns,
    ) -> Result<(), SourceError> {
        budget.check()?;
        if index.is_multiple_of(AHEAD) {
            self.touch_series(index);
        }
        let desks = || self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut desk = desks().pop().unwrap_or_default();
        self.gather(index, budget, &mut desk).map_err(to_source)?;
        let taken = desk.gathered.samples_read();
        desk.gathered.finish(&mut desk.shared, columns);
        desks().push(desk);
        budget.give_back(taken.saturating_sub(columns.len()));
        Ok(())
    }
}

pub(super) fn to_source(error: Error) -> SourceError {
    match error {
        Error::Stopped(stopped) => stopped,
        other => SourceError::Store(other.to_string()),
    }
}
