//! The part of an index that says which series there are.

use super::super::memory::HeldBytes;
use super::{span, take_numbers};
use crate::postings::LabelIndex;
use model::Labels;
use runtime::HashMap;
use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, Weak};
use storage::encoding::Decoder;

/// What a label set that is kept costs, about.
const LABELS_BYTES: usize = 96;

/// The series of a block by number, and their numbers by label. Lists of lists lie end to end, with the places where
/// each begins and one more for the end of the last.
#[derive(Default)]
pub(crate) struct SeriesTable {
    symbols: String,
    symbol_starts: Vec<u32>,
    /// The different labels as symbol numbers of name and value, sorted.
    pairs: Vec<(u32, u32)>,
    /// The labels of each series as indexes in `pairs`.
    label_starts: Vec<u32>,
    labels: Vec<u32>,
    /// The ids of the series with each pair, once `build_postings` was called.
    id_starts: Vec<u32>,
    ids: Vec<u32>,
    /// Label sets that queries asked for.
    kept_labels: OnceLock<Box<[OnceLock<Labels>]>>,
    /// What is accounted for this, while an index that is kept has it.
    pub(in crate::block) account: Mutex<Weak<HeldBytes>>,
}

impl SeriesTable {
    /// For each pair of another table its number here, where it has one.
    pub(super) fn same_pairs(&self, other: &Self) -> Vec<Option<u32>> {
        let symbols = 0..u32::try_from(other.symbol_starts.len()).unwrap_or(u32::MAX);
        let symbols: Vec<Option<u32>> = symbols
            .map(|number| self.number_of(other.symbol(number)))
            .collect();
        let symbol = |number: u32| *symbols.get(usize::try_from(number).ok()?)?;
        let pairs = other.pairs.iter().map(|(name, value)| {
            let pair = (symbol(*name)?, symbol(*value)?);
            u32::try_from(self.pairs.binary_search(&pair).ok()?).ok()
        });
        pairs.collect()
    }

    /// The labels of a series as numbers of pairs.
    pub(super) fn row(&self, series: u32) -> &[u32] {
        let span = span(&self.label_starts, series);
        span.and_then(|span| self.labels.get(span))
            .unwrap_or_default()
    }

    /// Whether a series has the labels of a row of another table. `same` is what `same_pairs` answers for that one.
    pub(super) fn has_row(&self, series: u32, row: &[u32], same: &[Option<u32>]) -> bool {
        let own = self.row(series);
        let equal = |(own, other): (&u32, &u32)| {
            let other = usize::try_from(*other).ok();
            other.and_then(|other| *same.get(other)?) == Some(*own)
        };
        series < self.count() && own.len() == row.len() && own.iter().zip(row).all(equal)
    }

    /// A table of some of the series, which ascend.
    pub(super) fn part(&self, series: &[u32]) -> Self {
        let rows = || series.iter().flat_map(|series| self.row(*series));
        let used: BTreeSet<u32> = rows().copied().collect();
        let pair = |number: &u32| self.pairs.get(usize::try_from(*number).ok()?).copied();
        let used_symbols: BTreeSet<u32> = used
            .iter()
            .filter_map(pair)
            .flat_map(|(name, value)| [name, value])
            .collect();
        let mut part = Self::default();
        for symbol in &used_symbols {
            part.symbol_starts.push(as_number(part.symbols.len()));
            part.symbols.push_str(self.symbol(*symbol));
        }
        let rank =
            |all: &BTreeSet<u32>| -> HashMap<u32, u32> { all.iter().copied().zip(0..).collect() };
        let (pair_ranks, symbol_ranks) = (rank(&used), rank(&used_symbols));
        let ranked =
            |ranks: &HashMap<u32, u32>, number| ranks.get(&number).copied().unwrap_or_default();
        let pairs = used.iter().filter_map(pair);
        part.pairs = pairs
            .map(|(name, value)| (ranked(&symbol_ranks, name), ranked(&symbol_ranks, value)))
            .collect();
        for series in series {
            part.label_starts.push(as_number(part.labels.len()));
            let row = self.row(*series).iter();
            part.labels
                .extend(row.map(|pair| ranked(&pair_ranks, *pair)));
        }
        part.label_starts.push(as_number(part.labels.len()));
        part
    }

    pub(super) fn take_symbols(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
        for _ in 0..decoder.count()? {
            self.symbol_starts
                .push(u32::try_from(self.symbols.len()).ok()?);
            self.symbols.push_str(decoder.text()?);
        }
        Some(())
    }

    pub(super) fn take_pairs(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
        for _ in 0..decoder.count()? {
            let [name, value] = take_numbers(decoder)?;
            let known = u32::try_from(self.symbol_starts.len()).ok()?;
            if name >= known || value >= known {
                return None;
            }
            self.pairs.push((name, value));
        }
        self.pairs.is_sorted().then_some(())
    }

    pub(super) fn take_labels(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
        let pairs = u32::try_from(self.pairs.len()).ok()?;
        let mut before = 0..0;
        for _ in 0..decoder.count()? {
            let start = self.labels.len();
            self.label_starts.push(u32::try_from(start).ok()?);
            let common = decoder.count()?;
            if common > before.len() {
                return None;
            }
            self.labels
                .extend_from_within(before.start..before.start + common);
            for _ in 0..decoder.count()? {
                let number = u32::try_from(decoder.varint()?).ok()?;
                if number >= pairs {
                    return None;
                }
                self.labels.push(number);
            }
            before = start..self.labels.len();
        }
        self.label_starts
            .push(u32::try_from(self.labels.len()).ok()?);
        Some(())
    }

    /// Notes which series carry each label. `None` for what no encoder wrote.
    pub(in crate::block) fn build_postings(&mut self) -> Option<()> {
        let mut next = vec![0_u32; self.pairs.len() + 1];
        for pair in &self.labels {
            *next.get_mut(usize::try_from(*pair).ok()? + 1)? += 1;
        }
        let mut sum = 0;
        for count in &mut next {
            sum += *count;
            *count = sum;
        }
        self.id_starts.clone_from(&next);
        self.ids = vec![0; self.labels.len()];
        for series in 0..self.count() {
            for pair in self.labels.get(span(&self.label_starts, series)?)? {
                let place = next.get_mut(usize::try_from(*pair).ok()?)?;
                *self.ids.get_mut(usize::try_from(*place).ok()?)? = series;
                *place += 1;
            }
        }
        Some(())
    }

    /// The names and values of a series.
    pub(super) fn texts(&self, series: u32) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.row(series).iter().filter_map(|number| {
            let number = usize::try_from(*number).ok()?;
            self.pairs.get(number)
        });
        pairs.map(|(name, value)| (self.symbol(*name), self.symbol(*value)))
    }

    fn symbol(&self, number: u32) -> &str {
        let number = usize::try_from(number).unwrap_or_default();
        let start = |number: usize| {
            let start = self.symbol_starts.get(number).copied();
            start.map(|start| usize::try_from(start).unwrap_or_default())
        };
        let end = start(number + 1).unwrap_or(self.symbols.len());
        let text = start(number).and_then(|start| self.symbols.get(start..end));
        text.unwrap_or_default()
    }

    fn number_of(&self, text: &str) -> Option<u32> {
        let count = u32::try_from(self.symbol_starts.len()).ok()?;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low.midpoint(high);
            match self.symbol(middle).cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The ids of the series that carry a pair.
    fn ids_of(&self, pair: usize) -> &[u32] {
        let span = u32::try_from(pair).ok();
        let span = span.and_then(|pair| self::span(&self.id_starts, pair));
        span.and_then(|span| self.ids.get(span)).unwrap_or_default()
    }

    fn encode_labels(&self, series: u32) -> String {
        let mut encoded = String::new();
        for (name, value) in self.texts(series) {
            Labels::encode_label(&mut encoded, name, value);
        }
        encoded
    }

    /// The labels of a series; empty for a number that is none.
    pub(super) fn labels(&self, series: u32) -> Labels {
        Labels::from_encoded(&self.encode_labels(series)).unwrap_or_default()
    }

    /// The labels of a series, kept for the next query; see `BlockSeries::shared_labels`.
    pub(super) fn shared_labels(
        &self,
        series: u32,
        intern: &dyn Fn(&str) -> Option<Labels>,
    ) -> Labels {
        let kept = self.kept_labels.get_or_init(|| {
            let slots = std::iter::repeat_with(OnceLock::new);
            let count = usize::try_from(self.count()).unwrap_or_default();
            slots.take(count).collect()
        });
        let make = || {
            let encoded = self.encode_labels(series);
            let existing = intern(&encoded);
            existing
                .or_else(|| Labels::from_encoded(&encoded))
                .unwrap_or_default()
        };
        let slot = usize::try_from(series).ok().and_then(|i| kept.get(i));
        slot.map_or_else(make, |slot| slot.get_or_init(make).clone())
    }

    /// The series with these labels.
    pub(super) fn find(&self, labels: &Labels) -> Option<u32> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low.midpoint(high);
            match self.texts(middle).cmp(labels.iter()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// What it takes in memory, about; label sets that queries ask for included.
    pub(in crate::block) fn size_bytes(&self) -> usize {
        let starts = [&self.symbol_starts, &self.id_starts, &self.label_starts];
        let starts: usize = starts.iter().map(|list| list.len()).sum();
        self.symbols.len()
            + size_of::<u32>() * (starts + self.ids.len() + self.labels.len())
            + size_of::<(u32, u32)>() * self.pairs.len()
            + LABELS_BYTES * self.label_starts.len()
    }

    /// Number of series.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.label_starts.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }
}

fn as_number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl LabelIndex for SeriesTable {
    fn all(&self) -> Vec<u32> {
        (0..self.count()).collect()
    }

    fn with_value(&self, name: &str, value: &str) -> &[u32] {
        let find = || {
            let pair = (self.number_of(name)?, self.number_of(value)?);
            self.pairs.binary_search(&pair).ok()
        };
        find().map_or(&[], |pair| self.ids_of(pair))
    }

    fn for_each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str, &'a [u32])) {
        let Some(name) = self.number_of(name) else {
            return;
        };
        let first = self.pairs.partition_point(|pair| pair.0 < name);
        for (i, (_, value)) in self.pairs.iter().enumerate().skip(first) {
            if self.pairs.get(i).is_none_or(|pair| pair.0 != name) {
                break;
            }
            each(self.symbol(*value), self.ids_of(i));
        }
    }
}
