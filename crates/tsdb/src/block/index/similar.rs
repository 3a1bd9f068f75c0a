//! Which series a block has, said by how they differ from those of another block.
//!
//! Few series come and go from block to block. A table of a million takes some 130 MB, so blocks share one as long as
//! they differ in few of them: each knows the numbers of those that it lacks and has a small table of those that the
//! shared one lacks. Numbers are those in the block, in the order of labels.

use super::series::SeriesTable;
use crate::postings;
use model::{Labels, Matcher};
use std::cmp::Ordering;
use std::sync::Arc;

/// A block may differ from another one in this part of its series …
const DIFFERENCES_SHARE: usize = 8;

/// … or in so many.
const DIFFERENCES_MIN: usize = 64;

/// The series of a block.
pub(crate) struct BlockSeries {
    table: Arc<SeriesTable>,
    /// Numbers in `table` that the block lacks, ascending.
    missing: Vec<u32>,
    /// Series that `table` lacks.
    more: SeriesTable,
    /// Their numbers in the block, ascending.
    more_at: Vec<u32>,
}

/// Where a series of the block stands.
enum Place {
    Table(u32),
    More(u32),
}

impl BlockSeries {
    /// All series of a table, in its numbers.
    pub(in crate::block) fn whole(table: Arc<SeriesTable>) -> Self {
        Self {
            table,
            missing: Vec::new(),
            more: SeriesTable::default(),
            more_at: Vec::new(),
        }
    }

    /// The series of `own`, said by their differences from `table`; `None` where these are many.
    pub(in crate::block) fn over(table: &Arc<SeriesTable>, own: &SeriesTable) -> Option<Self> {
        let most = DIFFERENCES_MIN.max(as_index(own.count()) / DIFFERENCES_SHARE);
        let same = table.same_pairs(own);
        let (mut missing, mut more_at) = (Vec::new(), Vec::new());
        let (mut theirs, mut ours) = (0, 0);
        while theirs < table.count() || ours < own.count() {
            if ours < own.count() && table.has_row(theirs, own.row(ours), &same) {
                (theirs, ours) = (theirs + 1, ours + 1);
                continue;
            }
            if missing.len() + more_at.len() >= most {
                return None;
            }
            let is_missing = match (theirs < table.count(), ours < own.count()) {
                (true, true) => table.texts(theirs).cmp(own.texts(ours)) == Ordering::Less,
                (is_there, _) => is_there,
            };
            if is_missing {
                missing.push(theirs);
                theirs += 1;
            } else {
                more_at.push(ours);
                ours += 1;
            }
        }
        let mut more = own.part(&more_at);
        more.build_postings()?;
        Some(Self {
            table: Arc::clone(table),
            missing,
            more,
            more_at,
        })
    }

    /// The table that other blocks may share.
    pub(in crate::block) fn table(&self) -> &Arc<SeriesTable> {
        &self.table
    }

    /// What the differences take in memory, about.
    pub(in crate::block) fn size_bytes(&self) -> usize {
        self.more.size_bytes() + size_of::<u32>() * (self.missing.len() + self.more_at.len())
    }

    /// Number of series.
    pub(crate) fn count(&self) -> u32 {
        self.table.count() - below_end(&self.missing) + below_end(&self.more_at)
    }

    fn place(&self, number: u32) -> Place {
        match self.more_at.binary_search(&number) {
            Ok(place) => Place::More(as_number(place)),
            Err(before) => Place::Table(nth_beside(&self.missing, number - as_number(before))),
        }
    }

    /// The number of a series of the table; none where the block lacks it.
    fn number_of(&self, in_table: u32) -> Option<u32> {
        let before = self.missing.binary_search(&in_table).err()?;
        Some(nth_beside(&self.more_at, in_table - as_number(before)))
    }

    /// Makes ascending numbers of the table those of the block, which are as many or fewer.
    fn renumber(&self, numbers: &mut Vec<u32>) {
        let (mut missing, mut more) = (0, 0);
        numbers.retain_mut(|number| {
            while self.missing.get(missing).is_some_and(|n| *n < *number) {
                missing += 1;
            }
            let is_there = self.missing.get(missing) != Some(number);
            let place = *number - as_number(missing);
            while beside_before(&self.more_at, more).is_some_and(|n| n <= place) {
                more += 1;
            }
            *number = place + as_number(more);
            is_there
        });
    }

    /// The labels of a series; empty for a number that is none.
    pub(crate) fn labels(&self, number: u32) -> Labels {
        match self.place(number) {
            Place::Table(number) => self.table.labels(number),
            Place::More(number) => self.more.labels(number),
        }
    }

    /// The labels of a series, kept for the next query. `intern` answers a label set that exists already
    /// for its encoded form, so that equal ones of several places are one.
    pub(crate) fn shared_labels(
        &self,
        number: u32,
        intern: &dyn Fn(&str) -> Option<Labels>,
    ) -> Labels {
        match self.place(number) {
            Place::Table(number) => self.table.shared_labels(number, intern),
            Place::More(number) => self.more.shared_labels(number, intern),
        }
    }

    /// The series with these labels.
    pub(crate) fn find(&self, labels: &Labels) -> Option<u32> {
        if let Some(found) = self.table.find(labels) {
            return self.number_of(found);
        }
        let found = self.more.find(labels)?;
        self.more_at.get(as_index(found)).copied()
    }

    /// The series that fulfil all matchers, ascending.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<u32> {
        let mut found = postings::select(self.table.as_ref(), matchers);
        if self.missing.is_empty() && self.more_at.is_empty() {
            return found;
        }
        self.renumber(&mut found);
        let more = postings::select(&self.more, matchers);
        if !more.is_empty() {
            let more = more.iter().filter_map(|n| self.more_at.get(as_index(*n)));
            found.extend(more);
            found.sort_unstable();
        }
        found
    }
}

/// The number that stands at a place among the numbers that are not in `taken`, which ascends.
fn nth_beside(taken: &[u32], place: u32) -> u32 {
    let (mut low, mut high) = (0, taken.len());
    while low < high {
        let middle = low.midpoint(high);
        match beside_before(taken, middle).is_some_and(|before| before <= place) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    place + as_number(low)
}

/// How many numbers that are not in `taken` lie before the one at an index of it. Never descends with the index.
fn beside_before(taken: &[u32], index: usize) -> Option<u32> {
    let number = taken.get(index)?;
    Some(number - as_number(index))
}

fn below_end(list: &[u32]) -> u32 {
    as_number(list.len())
}

fn as_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn as_index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{IndexWriter, SeriesColumns, SeriesTable};
    use super::{BlockSeries, nth_beside};
    use model::{Labels, MatchOperator, Matcher};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use storage::encoding::Decoder;

    fn table(series: &BTreeSet<Labels>) -> SeriesTable {
        let mut writer = IndexWriter::default();
        for labels in series {
            writer.add(labels, &SeriesColumns::default());
        }
        let mut bytes = Vec::new();
        writer.encode(&mut bytes, &[], &[]);
        let mut decoder = Decoder::new(&bytes);
        let mut table = SeriesTable::default();
        table.take_symbols(&mut decoder).expect("symbols");
        assert_eq!((decoder.count(), decoder.count()), (Some(0), Some(0)));
        table.take_pairs(&mut decoder).expect("pairs");
        table.take_labels(&mut decoder).expect("labels");
        table
    }

    fn whole(mut table: SeriesTable) -> Arc<SeriesTable> {
        table.build_postings().expect("postings");
        Arc::new(table)
    }

    fn some_series() -> impl Strategy<Value = BTreeSet<Labels>> {
        let value = || prop::sample::select(vec!["", "x", "y", "zz"]);
        let labels = (value(), value(), value())
            .prop_map(|(a, b, c)| Labels::from_pairs([("a", a), ("b", b), ("c", c)]));
        prop::collection::btree_set(labels, 0..40)
    }

    fn check_alike(series: &BlockSeries, want: &BTreeSet<Labels>) {
        let numbers: Vec<(u32, &Labels)> = (0..).zip(want).collect();
        assert_eq!(series.count(), u32::try_from(want.len()).expect("few"));
        for (number, labels) in &numbers {
            assert_eq!(&series.labels(*number), *labels);
            assert_eq!(&series.shared_labels(*number, &|_| None), *labels);
            assert_eq!(series.find(labels), Some(*number));
        }
        assert_eq!(series.find(&Labels::from_pairs([("d", "x")])), None);
        for (operator, value) in [
            (MatchOperator::Equal, "x"),
            (MatchOperator::NotEqual, "x"),
            (MatchOperator::Regex, "x|zz"),
            (MatchOperator::NotRegex, "y.*"),
        ] {
            let matcher = Matcher::new("b", operator, value).expect("valid");
            let found = numbers
                .iter()
                .filter(|(_, labels)| matcher.matches(labels.value("b")));
            let want: Vec<u32> = found.map(|(number, _)| *number).collect();
            assert_eq!(series.select(&[matcher]), want);
        }
    }

    proptest! {
        #[test]
        fn differences_say_the_same(other in some_series(), own in some_series()) {
            let shared = whole(table(&other));
            let series = BlockSeries::over(&shared, &table(&own)).expect("few differences");
            check_alike(&series, &own);
            check_alike(&BlockSeries::whole(shared), &other);
        }

        #[test]
        fn finds_numbers_beside_others(taken in prop::collection::btree_set(0_u32..40, 0..20), place in 0_u32..40) {
            let beside: Vec<u32> = (0..100).filter(|number| !taken.contains(number)).collect();
            let taken: Vec<u32> = taken.into_iter().collect();
            let place_index = usize::try_from(place).expect("small");
            prop_assert_eq!(nth_beside(&taken, place), beside[place_index]);
        }
    }

    #[test]
    fn many_differences_make_a_table_of_its_own() {
        let series = |from: u32, to: u32| -> BTreeSet<Labels> {
            let labels = |id: u32| Labels::from_pairs([("id", id.to_string().as_str())]);
            (from..to).map(labels).collect()
        };
        let shared = whole(table(&series(0, 1000)));
        let check = |from, to, want| {
            let over = BlockSeries::over(&shared, &table(&series(from, to)));
            assert_eq!(over.is_some(), want, "{from}..{to}");
        };
        check(0, 1000, true);
        check(10, 1000, true);
        check(60, 1060, true);
        check(100, 1100, false);
    }
}
