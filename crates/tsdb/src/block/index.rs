//! Which series a block holds and where their columns lie.
//!
//! Layout (inside the index page, behind what `about` writes): number of symbols, each symbol (length, text),
//! sorted; number of pages, the length of each; number of timestamp columns, for each its page, its offset
//! there, its count; number of labels, for each the symbol numbers of name and value, sorted by them; number of
//! series in order of their labels, for each: how many labels it has in common with the one before, the first ones of
//! both, how many follow, the numbers of those; then again for each: a byte with a bit for each column it has (see
//! `KINDS`), for each of them, where it is one of values, how far the number of its timestamp column lies from the
//! one before (zigzag), how far its page lies behind that of the column before, and how far its offset if that is
//! the same page, else the offset. The inverted index is built from this when it is loaded: that is faster than reading
//! it.

mod writer;

use super::about;
use super::page::{HEADER_BYTES, PagePlace};
use crate::postings::LabelIndex;
use model::Labels;
use std::sync::OnceLock;
use storage::encoding::Decoder;

pub(super) use writer::IndexWriter;

/// What a label set that is kept costs, about.
const LABELS_BYTES: usize = 96;

/// Where a column lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Floats,
    FloatStarts,
    Summaries,
    Histograms,
    HistogramStarts,
}

/// The columns of a series in the order in which they lie in the page, with their bits.
const KINDS: [(u8, Kind); 5] = [
    (1, Kind::Floats),
    (2, Kind::FloatStarts),
    (4, Kind::Summaries),
    (8, Kind::Histograms),
    (16, Kind::HistogramStarts),
];

impl Kind {
    /// Whether timestamps of its own belong to it; the others go with the column before.
    const fn has_times(self) -> bool {
        matches!(self, Self::Floats | Self::Histograms)
    }
}

impl SeriesColumns {
    const fn get(&self, kind: Kind) -> Option<ColumnPlace> {
        match kind {
            Kind::Floats => self.floats,
            Kind::FloatStarts => self.float_starts,
            Kind::Summaries => self.summaries,
            Kind::Histograms => self.histograms,
            Kind::HistogramStarts => self.histogram_starts,
        }
    }

    const fn set(&mut self, kind: Kind, place: ColumnPlace) {
        let slot = match kind {
            Kind::Floats => &mut self.floats,
            Kind::FloatStarts => &mut self.float_starts,
            Kind::Summaries => &mut self.summaries,
            Kind::Histograms => &mut self.histograms,
            Kind::HistogramStarts => &mut self.histogram_starts,
        };
        *slot = Some(place);
    }
}

/// The index of a block in memory. Lists of lists lie end to end, with the places where each begins and one more
/// for the end of the last.
#[derive(Default)]
pub(crate) struct BlockIndex {
    symbols: String,
    symbol_starts: Vec<u32>,
    pub(super) pages: Vec<PagePlace>,
    pub(super) times: Vec<TimesPlace>,
    /// The different labels as symbol numbers of name and value, sorted.
    pairs: Vec<(u32, u32)>,
    /// The ids of the series with each pair.
    id_starts: Vec<u32>,
    ids: Vec<u32>,
    /// The labels of each series as indexes in `pairs`.
    label_starts: Vec<u32>,
    labels: Vec<u32>,
    /// The columns of each series.
    column_starts: Vec<u32>,
    columns: Vec<(Kind, ColumnPlace)>,
    /// Label sets that queries asked for.
    kept_labels: OnceLock<Box<[OnceLock<Labels>]>>,
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
        for _ in 0..decoder.count()? {
            let [name, value] = take_numbers(&mut decoder)?;
            let known = u32::try_from(index.symbol_starts.len()).ok()?;
            if name >= known || value >= known {
                return None;
            }
            index.pairs.push((name, value));
        }
        index.take_labels(&mut decoder)?;
        index.take_columns(&mut decoder)?;
        index.build_postings()?;
        (decoder.is_empty() && index.pairs.is_sorted()).then_some(index)
    }

    fn take_symbols(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
        for _ in 0..decoder.count()? {
            self.symbol_starts
                .push(u32::try_from(self.symbols.len()).ok()?);
            self.symbols.push_str(decoder.text()?);
        }
        Some(())
    }

    fn take_labels(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
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

    fn take_columns(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
        let mut before = ColumnPlace::default();
        for _ in 1..self.label_starts.len() {
            self.column_starts
                .push(u32::try_from(self.columns.len()).ok()?);
            let bits = decoder.byte()?;
            for (_, kind) in KINDS.iter().filter(|(bit, _)| bits & bit != 0) {
                let times = match kind.has_times() {
                    true => i64::from(before.times).checked_add(decoder.zigzag()?)?,
                    false => i64::from(before.times),
                };
                let pages = u32::try_from(decoder.varint()?).ok()?;
                let offset = u32::try_from(decoder.varint()?).ok()?;
                let base = if pages == 0 { before.offset } else { 0 };
                before = ColumnPlace {
                    times: u32::try_from(times).ok()?,
                    page: before.page.checked_add(pages)?,
                    offset: base.checked_add(offset)?,
                };
                self.columns.push((*kind, before));
            }
        }
        self.column_starts
            .push(u32::try_from(self.columns.len()).ok()?);
        Some(())
    }

    /// Notes which series carry each label.
    fn build_postings(&mut self) -> Option<()> {
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
        for series in 0..self.series_count() {
            for pair in self.labels.get(span(&self.label_starts, series)?)? {
                let place = next.get_mut(usize::try_from(*pair).ok()?)?;
                *self.ids.get_mut(usize::try_from(*place).ok()?)? = series;
                *place += 1;
            }
        }
        Some(())
    }

    /// The names and values of a series.
    fn texts(&self, series: u32) -> impl Iterator<Item = (&str, &str)> {
        let span = span(&self.label_starts, series).unwrap_or_default();
        let numbers = self.labels.get(span).unwrap_or_default();
        let pairs = numbers.iter().filter_map(|number| {
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

    /// Where the columns of a series lie; none for a number that is none.
    pub(super) fn columns(&self, series: u32) -> SeriesColumns {
        let mut columns = SeriesColumns::default();
        let span = span(&self.column_starts, series).unwrap_or_default();
        for (kind, place) in self.columns.get(span).unwrap_or_default() {
            columns.set(*kind, *place);
        }
        columns
    }

    fn encode_labels(&self, series: u32) -> String {
        let mut encoded = String::new();
        for (name, value) in self.texts(series) {
            Labels::encode_label(&mut encoded, name, value);
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
        let kept = self.kept_labels.get_or_init(|| {
            let slots = std::iter::repeat_with(OnceLock::new);
            let count = usize::try_from(self.series_count()).unwrap_or_default();
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
    pub(crate) fn find(&self, labels: &Labels) -> Option<u32> {
        let (mut low, mut high) = (0, self.series_count());
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
    pub(crate) fn size_bytes(&self) -> usize {
        let starts = [&self.symbol_starts, &self.id_starts, &self.label_starts];
        let starts: usize = starts.iter().map(|list| list.len()).sum();
        let numbers = starts + self.column_starts.len() + self.ids.len() + self.labels.len();
        self.symbols.len()
            + size_of::<u32>() * numbers
            + size_of::<(u32, u32)>() * self.pairs.len()
            + size_of::<(Kind, ColumnPlace)>() * self.columns.len()
            + size_of::<PagePlace>() * self.pages.len()
            + size_of::<TimesPlace>() * self.times.len()
            + LABELS_BYTES * self.label_starts.len()
    }

    /// Number of series.
    pub(crate) fn series_count(&self) -> u32 {
        u32::try_from(self.label_starts.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }
}

/// Which part of a list of lists is the one with this number.
fn span(starts: &[u32], number: u32) -> Option<std::ops::Range<usize>> {
    let number = usize::try_from(number).ok()?;
    let at = |number: usize| usize::try_from(*starts.get(number)?).ok();
    Some(at(number)?..at(number + 1)?)
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
