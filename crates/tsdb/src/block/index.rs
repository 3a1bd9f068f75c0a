//! Which series a block holds and where their columns lie.
//!
//! Layout (inside the index page, behind what `about` writes): number of symbols, each symbol (length, text), sorted; number of
//! pages, the length of each; number of timestamp columns, for each its page, its offset there, its
//! count; number of series in order of their labels, for each: number of labels, symbol numbers of name
//! and value; number of columns, for each: kind (0 floats, 1 histograms, 2 and 3 the start timestamps of
//! those, 4 the summaries of windows), timestamp column, page, offset. The inverted index is built from this
//! when it is loaded: that is faster than reading it.

use super::about;
use super::page::{HEADER_BYTES, PagePlace};
use crate::postings::LabelIndex;
use model::Labels;
use runtime::HashMap;
use std::sync::OnceLock;
use storage::encoding::{Decoder, put_bytes, put_varint};

/// What a label set that is kept costs, about.
const LABELS_BYTES: usize = 64;

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
    /// Range in `series_pairs`.
    labels: std::ops::Range<u32>,
    pub(super) columns: SeriesColumns,
}

/// Where the columns of one series lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SeriesColumns {
    pub(super) floats: Option<ColumnPlace>,
    pub(super) histograms: Option<ColumnPlace>,
    /// Start timestamps of the floats, where any is known.
    pub(super) float_starts: Option<ColumnPlace>,
    /// The same of the histograms.
    pub(super) histogram_starts: Option<ColumnPlace>,
    /// Where the floats stand for windows, what is known of each.
    pub(super) summaries: Option<ColumnPlace>,
}

/// The index of a block in memory.
#[derive(Default)]
pub(crate) struct BlockIndex {
    /// All symbols, one behind the other, and where each begins.
    symbols: String,
    symbol_starts: Vec<u32>,
    pub(super) pages: Vec<PagePlace>,
    pub(super) times: Vec<TimesPlace>,
    /// The different labels as symbol numbers of name and value, sorted.
    pairs: Vec<(u32, u32)>,
    /// Where the ids of the series with each pair begin in `ids`; one more at the end.
    id_starts: Vec<u32>,
    ids: Vec<u32>,
    /// The labels of all series, one behind the other, as indexes in `pairs`.
    series_pairs: Vec<u32>,
    pub(super) series: Vec<SeriesEntry>,
    /// Label sets that queries asked for.
    labels: OnceLock<Box<[OnceLock<Labels>]>>,
}

/// A series on its way into an index.
pub(super) struct NewSeries {
    pub(super) labels: Labels,
    pub(super) columns: SeriesColumns,
}

/// Appends the index to the content of the index page. `series` are sorted by labels.
pub(super) fn encode(
    out: &mut Vec<u8>,
    pages: &[PagePlace],
    times: &[TimesPlace],
    series: &[NewSeries],
) {
    let symbols = collect_symbols(series);
    put_varint(out, symbols.len() as u64);
    for symbol in &symbols {
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
    let number_of = |text: &str| symbols.binary_search(&text).unwrap_or_default() as u64;
    put_varint(out, series.len() as u64);
    for series in series {
        put_varint(out, series.labels.len() as u64);
        for (name, value) in &series.labels {
            put_varint(out, number_of(name));
            put_varint(out, number_of(value));
        }
        let places = series.columns;
        let columns = [
            (0, places.floats),
            (1, places.histograms),
            (2, places.float_starts),
            (3, places.histogram_starts),
            (4, places.summaries),
        ];
        let present = columns.iter().filter(|(_, place)| place.is_some()).count();
        put_varint(out, present as u64);
        for (kind, place) in columns {
            let Some(place) = place else { continue };
            out.push(kind);
            for number in [place.times, place.page, place.offset] {
                put_varint(out, u64::from(number));
            }
        }
    }
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
        about::decode(&mut decoder, (0, 0))?;
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
        let mut raw = Vec::new();
        for _ in 0..decoder.count()? {
            index.take_series(&mut decoder, &mut raw)?;
        }
        index.build_postings(&raw)?;
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

    /// Reads a series; its labels stay symbol numbers in `raw` until all are known.
    fn take_series(&mut self, decoder: &mut Decoder<'_>, raw: &mut Vec<(u32, u32)>) -> Option<()> {
        let start = u32::try_from(raw.len()).ok()?;
        for _ in 0..decoder.count()? {
            let [name, value] = take_numbers(decoder)?;
            let known = u32::try_from(self.symbol_starts.len()).ok()?;
            if name >= known || value >= known {
                return None;
            }
            raw.push((name, value));
        }
        let end = u32::try_from(raw.len()).ok()?;
        let mut entry = SeriesEntry {
            labels: start..end,
            columns: SeriesColumns::default(),
        };
        for _ in 0..decoder.count()? {
            let kind = decoder.byte()?;
            let [times, page, offset] = take_numbers(decoder)?;
            let place = ColumnPlace {
                times,
                page,
                offset,
            };
            let columns = &mut entry.columns;
            match kind {
                0 => columns.floats = Some(place),
                1 => columns.histograms = Some(place),
                2 => columns.float_starts = Some(place),
                3 => columns.histogram_starts = Some(place),
                4 => columns.summaries = Some(place),
                _ => return None,
            }
        }
        self.series.push(entry);
        Some(())
    }

    /// Sorts the labels, each once, and notes which series carry each.
    fn build_postings(&mut self, raw: &[(u32, u32)]) -> Option<()> {
        let mut counts: HashMap<(u32, u32), u32> = HashMap::default();
        for pair in raw {
            *counts.entry(*pair).or_default() += 1;
        }
        self.pairs = counts.keys().copied().collect();
        self.pairs.sort_unstable();
        let mut start = 0_u32;
        let mut next: HashMap<(u32, u32), (u32, u32)> = HashMap::default();
        for (number, pair) in (0_u32..).zip(&self.pairs) {
            self.id_starts.push(start);
            next.insert(*pair, (number, start));
            start = start.checked_add(counts.get(pair).copied()?)?;
        }
        self.id_starts.push(start);
        self.ids = vec![0; raw.len()];
        self.series_pairs.reserve_exact(raw.len());
        for (id, entry) in (0_u32..).zip(&self.series) {
            for pair in raw.get(as_range(&entry.labels))? {
                let (number, place) = next.get_mut(pair)?;
                *self.ids.get_mut(usize::try_from(*place).ok()?)? = id;
                *place += 1;
                self.series_pairs.push(*number);
            }
        }
        Some(())
    }

    /// The names and values of a series.
    fn texts(&self, entry: &SeriesEntry) -> impl Iterator<Item = (&str, &str)> {
        let numbers = self.series_pairs.get(as_range(&entry.labels));
        let pairs = numbers.unwrap_or_default().iter().filter_map(|number| {
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
        let bounds = (self.id_starts.get(pair), self.id_starts.get(pair + 1));
        let (Some(start), Some(end)) = bounds else {
            return &[];
        };
        self.ids.get(as_range(&(*start..*end))).unwrap_or_default()
    }

    pub(super) fn entry(&self, series: u32) -> Option<&SeriesEntry> {
        self.series.get(usize::try_from(series).ok()?)
    }

    fn encode_labels(&self, series: u32) -> String {
        let mut encoded = String::new();
        if let Some(entry) = self.entry(series) {
            for (name, value) in self.texts(entry) {
                Labels::encode_label(&mut encoded, name, value);
            }
        }
        encoded
    }

    /// The labels of a series; empty for a number that is none.
    pub(crate) fn labels(&self, series: u32) -> Labels {
        Labels::from_encoded(&self.encode_labels(series)).unwrap_or_default()
    }

    /// The labels of a series, kept for the next query. `intern` answers a label set that exists already
    /// for its encoded form, so that equal ones of several places are one.
    pub(crate) fn shared_labels(
        &self,
        series: u32,
        intern: &dyn Fn(&str) -> Option<Labels>,
    ) -> Labels {
        let kept = self.labels.get_or_init(|| {
            let empty = || OnceLock::new();
            std::iter::repeat_with(empty)
                .take(self.series.len())
                .collect()
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
    pub(crate) fn find(&self, labels: &Labels) -> Option<u32> {
        let place = self
            .series
            .binary_search_by(|entry| self.texts(entry).cmp(labels.iter()))
            .ok()?;
        u32::try_from(place).ok()
    }

    /// What it takes in memory, about; label sets that queries ask for included.
    pub(crate) fn size_bytes(&self) -> usize {
        let labels = self.symbols.len() / 2 + self.series.len() * LABELS_BYTES;
        self.symbols.len()
            + 4 * (self.symbol_starts.len() + self.id_starts.len())
            + 8 * self.pairs.len()
            + 4 * (self.ids.len() + self.series_pairs.len())
            + size_of::<SeriesEntry>() * self.series.len()
            + size_of::<PagePlace>() * self.pages.len()
            + size_of::<TimesPlace>() * self.times.len()
            + labels
    }

    /// Number of series.
    pub(crate) fn series_count(&self) -> u32 {
        u32::try_from(self.series.len()).unwrap_or(u32::MAX)
    }
}

fn as_range(range: &std::ops::Range<u32>) -> std::ops::Range<usize> {
    let at = |number: u32| usize::try_from(number).unwrap_or_default();
    at(range.start)..at(range.end)
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
