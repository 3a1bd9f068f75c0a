//! Series and samples on their way out. What a scan does is in `scan`.

use super::Db;
use super::scan::{DbScan, to_source};
use crate::block::{Block, BlockReader};
use model::{ChangeLog, Labels, Matcher, Scan, Source, SourceError, TimeRange};
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

/// Label sets that several blocks have and the head has no more, in memory once.
const INTERNED_MAX: usize = 1 << 16;

impl Source for Db {
    fn scan<'a>(
        &'a self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Box<dyn Scan + 'a>, SourceError> {
        let scan = DbScan::new(self, matchers, range).map_err(to_source)?;
        Ok(Box::new(scan))
    }

    fn changes(&self) -> Option<&ChangeLog> {
        Some(&self.changes)
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

    /// The label set with this encoded form, where head or another block have it already.
    pub(super) fn intern(&self, encoded: &str) -> Option<Labels> {
        if let Some(series) = self.head.find(encoded) {
            return Some(series.labels.clone());
        }
        let mut interned = self.interned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(labels) = interned.get(encoded) {
            return Some(labels.clone());
        }
        let labels = Labels::from_encoded(encoded)?;
        if interned.len() >= INTERNED_MAX {
            interned.clear();
        }
        interned.insert(encoded.into(), labels.clone());
        Some(labels)
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
            let reader = BlockReader::new(&block).map_err(to_source)?;
            let intern = |encoded: &str| self.intern(encoded);
            for id in reader.index.series.select(matchers) {
                if reader.touches(id, range).map_err(to_source)? {
                    each(reader.index.series.shared_labels(id, &intern));
                }
            }
        }
        Ok(())
    }
}
