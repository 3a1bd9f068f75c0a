//! Series and samples on their way out.

use super::Db;
use crate::gather::{Gathered, SharedTimes};
use model::{Labels, Matcher, ReadBudget, Series, Source, SourceError, TimeRange};
use std::collections::BTreeSet;

impl Source for Db {
    fn select(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        budget: &ReadBudget,
    ) -> Result<Vec<Series>, SourceError> {
        if range.start > range.end {
            return Ok(Vec::new());
        }
        let mut series = self.head.select(matchers);
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        let mut shared = SharedTimes::default();
        let mut found = Vec::with_capacity(series.len());
        for series in series {
            let mut gathered = Gathered::default();
            series.read(range, budget, &mut gathered)?;
            if !gathered.is_empty() {
                found.push(Series {
                    labels: series.labels.clone(),
                    columns: gathered.finish(&mut shared),
                });
            }
        }
        Ok(found)
    }

    fn series(&self, matchers: &[Matcher], range: TimeRange) -> Result<Vec<Labels>, SourceError> {
        Ok(self.matching(matchers, range)?.into_iter().collect())
    }

    fn label_names(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        let mut names = BTreeSet::new();
        for labels in self.matching(matchers, range)? {
            for (name, _) in &labels {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        }
        Ok(names.into_iter().collect())
    }

    fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<Vec<String>, SourceError> {
        let mut values = BTreeSet::new();
        for labels in self.matching(matchers, range)? {
            if let Some(value) = labels.get(name)
                && !values.contains(value)
            {
                values.insert(value.to_owned());
            }
        }
        Ok(values.into_iter().collect())
    }
}

impl Db {
    /// The label sets of the series that match and may have samples in the range.
    fn matching(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
    ) -> Result<BTreeSet<Labels>, SourceError> {
        if range.start > range.end {
            return Ok(BTreeSet::new());
        }
        let series = self.head.select(matchers);
        let touching = series.iter().filter(|series| series.touches(range));
        Ok(touching.map(|series| series.labels.clone()).collect())
    }
}
