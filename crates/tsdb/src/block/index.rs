//! Which series a block holds and where their columns lie.
//!
//! Layout (inside the index page): number of symbols, each symbol (length, text), sorted; number of
//! pages, the length of each; number of timestamp columns, for each its page, its offset there, its
//! count; number of series in order of their labels, for each: number of labels, symbol numbers of name
//! and value; number of columns (1 or 2), for each: kind (0 floats, 1 histograms), timestamp column,
//! page, offset. The inverted index is built from this when it is loaded: that is faster than reading it.

use super::page::{HEADER_BYTES, PagePlace};
use crate::postings::LabelIndex;
use model::Labels;
use storage::encoding::{Decoder, put_bytes, put_varint};

/// Where a column lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ColumnPlace {
    /// Which timestamps it goes with.
    pub(super) times: u32,
    pub(super) page: u32,
    pub(super) offset: u32,
}

/// Where a timestamp column lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimesPlace {
    pub(super) page: u32,
    pub(super) offset: u32,
    pub(super) count: u32,
}

/// One series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeriesEntry {
    /// Range in `label_pairs`.
    labels: std::ops::Range<u32>,
    pub(super) floats: Option<ColumnPlace>,
    pub(super) histograms: Option<ColumnPlace>,
}

/// The ids of the series with one value, by symbol number of the value.
type ValuePostings = Vec<(u32, Vec<u32>)>;

/// The index of a block in memory.
#[derive(Default)]
pub(crate) struct BlockIndex {
    /// All symbols, one behind the other, and where each begins.
    symbols: String,
    symbol_starts: Vec<u32>,
    pub(super) pages: Vec<PagePlace>,
    pub(super) times: Vec<TimesPlace>,
    label_pairs: Vec<(u32, u32)>,
    pub(super) series: Vec<SeriesEntry>,
    /// By symbol number of the name.
    postings: Vec<(u32, ValuePostings)>,
}

/// A series on its way into an index.
pub(super) struct NewSeries {
    pub(super) labels: Labels,
    pub(super) floats: Option<ColumnPlace>,
    pub(super) histograms: Option<ColumnPlace>,
}

/// Writes the content of an index page. `series` are sorted by labels.
pub(super) fn encode(pages: &[PagePlace], times: &[TimesPlace], series: &[NewSeries]) -> Vec<u8> {
    let mut out = Vec::new();
    let symbols = collect_symbols(series);
    put_varint(&mut out, symbols.len() as u64);
    for symbol in &symbols {
        put_bytes(&mut out, symbol.as_bytes());
    }
    put_varint(&mut out, pages.len() as u64);
    for page in pages {
        put_varint(&mut out, page.length);
    }
    put_varint(&mut out, times.len() as u64);
    for place in times {
        for number in [place.page, place.offset, place.count] {
            put_varint(&mut out, u64::from(number));
        }
    }
    let number_of = |text: &str| symbols.binary_search(&text).unwrap_or_default() as u64;
    put_varint(&mut out, series.len() as u64);
    for series in series {
        put_varint(&mut out, series.labels.len() as u64);
        for (name, value) in &series.labels {
            put_varint(&mut out, number_of(name));
            put_varint(&mut out, number_of(value));
        }
        let columns = [(0, series.floats), (1, series.histograms)];
        let present = columns.iter().filter(|(_, place)| place.is_some()).count();
        put_varint(&mut out, present as u64);
        for (kind, place) in columns {
            let Some(place) = place else { continue };
            out.push(kind);
            for number in [place.times, place.page, place.offset] {
                put_varint(&mut out, u64::from(number));
            }
        }
    }
    out
}

fn collect_symbols(series: &[NewSeries]) -> Vec<&str> {
    let mut symbols: Vec<&str> = series
        .iter()
        .flat_map(|series| series.labels.iter().flat_map(|(name, value)| [name, value]))
        .collect();
    symbols.sort_unstable();
    symbols.dedup();
    symbols
}

impl BlockIndex {
    /// Reads the content of an index page; `None` for bytes that no encoder wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(bytes);
        let mut index = Self::default();
        index.take_symbols(&mut decoder)?;
        let mut offset = HEADER_BYTES;
        for _ in 0..decoder.count()? {
            let length = decoder.varint()?;
            index.pages.push(PagePlace { offset, length });
            offset = offset.checked_add(length)?;
        }
        for _ in 0..decoder.count()? {
            let [page, offset, count] = take_numbers(&mut decoder)?;
            index.times.push(TimesPlace {
                page,
                offset,
                count,
            });
        }
        for _ in 0..decoder.count()? {
            index.take_series(&mut decoder)?;
        }
        index.build_postings();
        decoder.is_empty().then_some(index)
    }

    fn take_symbols(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
        for _ in 0..decoder.count()? {
            self.symbol_starts
                .push(u32::try_from(self.symbols.len()).ok()?);
            self.symbols.push_str(decoder.text()?);
        }
        Some(())
    }

    fn take_series(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
        let start = u32::try_from(self.label_pairs.len()).ok()?;
        for _ in 0..decoder.count()? {
            let [name, value] = take_numbers(decoder)?;
            let known = u32::try_from(self.symbol_starts.len()).ok()?;
            if name >= known || value >= known {
                return None;
            }
            self.label_pairs.push((name, value));
        }
        let end = u32::try_from(self.label_pairs.len()).ok()?;
        let mut entry = SeriesEntry {
            labels: start..end,
            floats: None,
            histograms: None,
        };
        for _ in 0..decoder.count()? {
            let kind = decoder.byte()?;
            let [times, page, offset] = take_numbers(decoder)?;
            let place = ColumnPlace {
                times,
                page,
                offset,
            };
            match kind {
                0 => entry.floats = Some(place),
                1 => entry.histograms = Some(place),
                _ => return None,
            }
        }
        self.series.push(entry);
        Some(())
    }

    fn build_postings(&mut self) {
        let mut triples: Vec<(u32, u32, u32)> = Vec::with_capacity(self.label_pairs.len());
        for (id, entry) in (0_u32..).zip(&self.series) {
            for (name, value) in self.pairs(entry) {
                triples.push((*name, *value, id));
            }
        }
        triples.sort_unstable();
        let mut postings: Vec<(u32, ValuePostings)> = Vec::new();
        for (name, value, id) in triples {
            if postings.last().is_none_or(|(last, _)| *last != name) {
                postings.push((name, Vec::new()));
            }
            let Some((_, values)) = postings.last_mut() else {
                continue;
            };
            match values.last_mut() {
                Some((last, ids)) if *last == value => ids.push(id),
                _ => values.push((value, vec![id])),
            }
        }
        self.postings = postings;
    }

    fn pairs(&self, entry: &SeriesEntry) -> &[(u32, u32)] {
        let start = usize::try_from(entry.labels.start).unwrap_or_default();
        let end = usize::try_from(entry.labels.end).unwrap_or_default();
        self.label_pairs.get(start..end).unwrap_or_default()
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

    fn values_of(&self, name: &str) -> Option<&ValuePostings> {
        let name = self.number_of(name)?;
        let place = self
            .postings
            .binary_search_by_key(&name, |(n, _)| *n)
            .ok()?;
        self.postings.get(place).map(|(_, values)| values)
    }

    /// The labels of a series; empty for a number that is none.
    pub(crate) fn labels(&self, series: u32) -> Labels {
        let entry = usize::try_from(series)
            .ok()
            .and_then(|i| self.series.get(i));
        let pairs = entry.map_or(&[] as &[_], |entry| self.pairs(entry));
        let mut encoded = String::new();
        for (name, value) in pairs {
            Labels::encode_label(&mut encoded, self.symbol(*name), self.symbol(*value));
        }
        Labels::from_encoded(&encoded).unwrap_or_default()
    }

    /// Number of series.
    pub(crate) fn series_count(&self) -> u32 {
        u32::try_from(self.series.len()).unwrap_or(u32::MAX)
    }
}

fn take_numbers<const N: usize>(decoder: &mut Decoder<'_>) -> Option<[u32; N]> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = u32::try_from(decoder.varint()?).ok()?;
    }
    Some(numbers)
}

impl LabelIndex for BlockIndex {
    fn all(&self) -> Vec<u32> {
        (0..self.series_count()).collect()
    }

    fn with_value(&self, name: &str, value: &str) -> &[u32] {
        let find = || {
            let values = self.values_of(name)?;
            let value = self.number_of(value)?;
            let place = values.binary_search_by_key(&value, |(v, _)| *v).ok()?;
            values.get(place).map(|(_, ids)| ids.as_slice())
        };
        find().unwrap_or_default()
    }

    fn for_each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str, &'a [u32])) {
        for (value, ids) in self.values_of(name).into_iter().flatten() {
            each(self.symbol(*value), ids);
        }
    }
}
