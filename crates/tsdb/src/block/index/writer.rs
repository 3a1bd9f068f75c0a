//! Collecting an index while a block is written.
//!
//! Symbols and labels get numbers as they come and are sorted at the end, so that a series costs some dozen
//! bytes meanwhile: a merge of millions of series must not hold their label sets.

use super::{ColumnPlace, KINDS, SeriesColumns, TimesPlace};
use crate::block::page::PagePlace;
use model::Labels;
use runtime::HashMap;
use storage::encoding::{put_bytes, put_varint, put_zigzag};

/// An index in the making.
#[derive(Default)]
pub(in crate::block) struct IndexWriter {
    symbols: HashMap<Box<str>, u32>,
    /// Labels by the numbers of their name and value.
    pairs: HashMap<(u32, u32), u32>,
    /// The labels of all series, one behind the other, and how many each has.
    labels: Vec<u32>,
    label_counts: Vec<u32>,
    /// The columns of all series as they will be written.
    columns: Vec<u8>,
    before: ColumnPlace,
}

impl IndexWriter {
    /// Adds a series. Series come in the order of their labels, columns in the order of the pages.
    pub(in crate::block) fn add(&mut self, labels: &Labels, columns: &SeriesColumns) {
        let before = self.labels.len();
        for (name, value) in labels {
            let pair = (
                number_of(&mut self.symbols, name),
                number_of(&mut self.symbols, value),
            );
            let fresh = u32::try_from(self.pairs.len()).unwrap_or(u32::MAX);
            self.labels.push(*self.pairs.entry(pair).or_insert(fresh));
        }
        let count = self.labels.len() - before;
        self.label_counts
            .push(u32::try_from(count).unwrap_or(u32::MAX));
        let present = KINDS
            .iter()
            .filter(|(_, kind)| columns.get(*kind).is_some());
        self.columns.push(present.map(|(bit, _)| bit).sum());
        for (_, kind) in KINDS {
            let Some(place) = columns.get(kind) else {
                continue;
            };
            if kind.has_times() {
                let step = i64::from(place.times) - i64::from(self.before.times);
                put_zigzag(&mut self.columns, step);
            }
            let pages = place.page - self.before.page;
            put_varint(&mut self.columns, u64::from(pages));
            let base = if pages == 0 { self.before.offset } else { 0 };
            put_varint(&mut self.columns, u64::from(place.offset - base));
            self.before = place;
        }
    }

    /// Appends the index to the content of the index page.
    pub(in crate::block) fn encode(
        &self,
        out: &mut Vec<u8>,
        pages: &[PagePlace],
        times: &[TimesPlace],
    ) {
        let mut symbols: Vec<(&str, u32)> = self.symbols.iter().map(|(s, n)| (&**s, *n)).collect();
        symbols.sort_unstable();
        put_varint(out, symbols.len() as u64);
        for (symbol, _) in &symbols {
            put_bytes(out, symbol.as_bytes());
        }
        put_varint(out, pages.len() as u64);
        for page in pages {
            put_varint(out, page.length);
        }
        put_varint(out, times.len() as u64);
        for place in times {
            for number in [place.page, place.offset, place.count] {
                put_varint(out, u64::from(number));
            }
        }
        let symbol_ranks = ranks(symbols.iter().map(|(_, number)| *number));
        let rank = |number: u32| at(&symbol_ranks, number);
        let ranked = self.pairs.iter();
        let ranked = ranked.map(|((name, value), number)| ((rank(*name), rank(*value)), *number));
        let mut pairs: Vec<((u32, u32), u32)> = ranked.collect();
        pairs.sort_unstable();
        put_varint(out, pairs.len() as u64);
        for ((name, value), _) in &pairs {
            put_varint(out, u64::from(*name));
            put_varint(out, u64::from(*value));
        }
        self.encode_series(out, &ranks(pairs.iter().map(|(_, number)| *number)));
    }

    fn encode_series(&self, out: &mut Vec<u8>, pair_ranks: &[u32]) {
        put_varint(out, self.label_counts.len() as u64);
        let mut rest = self.labels.as_slice();
        let mut before: &[u32] = &[];
        for count in &self.label_counts {
            let count = usize::try_from(*count).unwrap_or_default();
            let (labels, following) = rest.split_at(count);
            let common = labels
                .iter()
                .zip(before)
                .take_while(|(a, b)| a == b)
                .count();
            put_varint(out, common as u64);
            put_varint(out, (count - common) as u64);
            for number in labels.iter().skip(common) {
                put_varint(out, u64::from(at(pair_ranks, *number)));
            }
            (before, rest) = (labels, following);
        }
        out.extend_from_slice(&self.columns);
    }
}

fn number_of(symbols: &mut HashMap<Box<str>, u32>, text: &str) -> u32 {
    if let Some(number) = symbols.get(text) {
        return *number;
    }
    let fresh = u32::try_from(symbols.len()).unwrap_or(u32::MAX);
    symbols.insert(text.into(), fresh);
    fresh
}

/// The place of each number in a list that holds each once.
fn ranks(numbers: impl ExactSizeIterator<Item = u32>) -> Vec<u32> {
    let mut ranks = vec![0; numbers.len()];
    for (rank, number) in (0_u32..).zip(numbers) {
        if let Some(slot) = usize::try_from(number).ok().and_then(|i| ranks.get_mut(i)) {
            *slot = rank;
        }
    }
    ranks
}

fn at(ranks: &[u32], number: u32) -> u32 {
    let rank = usize::try_from(number).ok().and_then(|i| ranks.get(i));
    rank.copied().unwrap_or_default()
}
