//! Series and samples on their way out.
//!
//! The head is read before the list of blocks is taken: what a cut moves meanwhile is then seen twice,
//! which is harmless, and never missed. Blocks come first in precedence, in the order in which they were
//! written.

use super::Db;
use crate::block::{Block, BlockReader};
use crate::error::Error;
use crate::gather::{Gathered, SharedTimes};
use crate::postings;
use model::{HeldScan, Labels, Matcher, ReadBudget, Scan, Series, Source, SourceError, TimeRange};
use runtime::HashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Source for Db {
    fn scan<'a>(
        &'a self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Box<dyn Scan + 'a>, SourceError> {
        let series = self.select(matchers, range, &ReadBudget::new(usize::MAX))?;
        Ok(Box::new(HeldScan::new(series)))
    }

    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        budget: &ReadBudget,
    ) -> Result<Vec<Series>, SourceError> {
        if range.start > range.end {
            return Ok(Vec::new());
        }
        let mut found = Found::default();
        for series in self.head.select(matchers) {
            let mut gathered = Gathered::default();
            series.read(range, budget, &mut gathered)?;
            if !gathered.is_empty() {
                found.head.push((series.labels.clone(), gathered));
            }
        }
        for block in self.blocks_in(range) {
            read_block(&block, matchers, range, budget, &mut found).map_err(to_source)?;
        }
        Ok(found.finish())
    }

    fn series(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Labels>, SourceError> {
        let mut found = Vec::new();
        self.for_each_matching(matchers, range, &mut |labels| found.push(labels))?;
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn label_names(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        let mut names = BTreeSet::new();
        self.for_each_matching(matchers, range, &mut |labels| {
            for (name, _) in &labels {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        })?;
        Ok(names.into_iter().collect())
    }

    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        let mut values = BTreeSet::new();
        self.for_each_matching(matchers, range, &mut |labels| {
            if let Some(value) = labels.get(name)
                && !values.contains(value)
            {
                values.insert(value.to_owned());
            }
        })?;
        Ok(values.into_iter().collect())
    }
}

impl Db {
    fn blocks_in(&self, range: TimeRange) -> Vec<Arc<Block>> {
        let blocks = self.blocks();
        let inside = blocks.iter().filter(|block| block.meta.overlaps(range));
        inside.map(Arc::clone).collect()
    }

    /// Calls `each` with the labels of every series that matches and has samples in the range; once for the
    /// head and once for each block that has it.
    fn for_each_matching(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        each: &mut dyn FnMut(Labels),
    ) -> Result<(), SourceError> {
        if range.start > range.end {
            return Ok(());
        }
        for series in self.head.select(matchers) {
            if series.touches(range) {
                each(series.labels.clone());
            }
        }
        for block in self.blocks_in(range) {
            let mut reader = BlockReader::new(&block).map_err(to_source)?;
            for id in postings::select(reader.index.as_ref(), matchers) {
                if reader.touches(id, range).map_err(to_source)? {
                    each(reader.index.labels(id));
                }
            }
        }
        Ok(())
    }
}

/// Series that were read so far, from several places.
#[derive(Default)]
struct Found {
    head: Vec<(Labels, Gathered)>,
    blocks: Vec<(Labels, Gathered)>,
    /// Where the series of blocks lie in `blocks`; made when there is a second one.
    places: HashMap<Labels, usize>,
}

impl Found {
    fn entry(&mut self, labels: Labels) -> &mut Gathered {
        let place = match self.places.get(&labels) {
            Some(place) => *place,
            None => {
                self.places.insert(labels.clone(), self.blocks.len());
                self.blocks.push((labels, Gathered::default()));
                self.blocks.len() - 1
            }
        };
        &mut self.blocks[place].1
    }

    fn finish(mut self) -> Vec<Series> {
        for (labels, gathered) in std::mem::take(&mut self.head) {
            if self.blocks.is_empty() {
                self.head.push((labels, gathered));
            } else {
                self.entry(labels).append(gathered);
            }
        }
        let mut all = self.blocks;
        all.append(&mut self.head);
        all.retain(|(_, gathered)| !gathered.is_empty());
        // Each block's series are sorted already; the sort makes use of such runs.
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let mut shared = SharedTimes::default();
        let series = all.into_iter().map(|(labels, gathered)| Series {
            labels,
            columns: gathered.finish(&mut shared),
        });
        series.collect()
    }
}

fn read_block(
    block: &Arc<Block>,
    matchers: &[Matcher],
    range: TimeRange,
    budget: &ReadBudget,
    found: &mut Found,
) -> Result<(), Error> {
    let mut reader = BlockReader::new(block)?;
    let index = Arc::clone(&reader.index);
    for id in postings::select(index.as_ref(), matchers) {
        budget.check()?;
        let gathered = found.entry(index.labels(id));
        reader.read(id, range, budget, gathered)?;
    }
    Ok(())
}

fn to_source(error: Error) -> SourceError {
    match error {
        Error::Stopped(stopped) => stopped,
        other => SourceError::Store(other.to_string()),
    }
}
