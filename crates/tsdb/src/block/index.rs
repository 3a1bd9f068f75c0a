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

mod series;
mod similar;
mod writer;

use super::about;
use super::page::{HEADER_BYTES, PagePlace};
use storage::encoding::Decoder;

pub(super) use series::SeriesTable;
pub(crate) use similar::BlockSeries;
pub(super) use writer::IndexWriter;

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
pub(crate) struct BlockIndex {
    /// Which series there are.
    pub(crate) series: BlockSeries,
    pub(super) pages: Vec<PagePlace>,
    pub(super) times: Vec<TimesPlace>,
    /// The columns of each series.
    column_starts: Vec<u32>,
    columns: Vec<(Kind, ColumnPlace)>,
}

impl BlockIndex {
    /// Reads the content of an index page; `share` may say the series of a table by those of another one.
    /// `None` for bytes that no encoder wrote.
    pub(super) fn decode(
        bytes: &[u8],
        share: impl FnOnce(SeriesTable) -> Option<BlockSeries>,
    ) -> Option<Self> {
        let mut decoder = Decoder::new(bytes);
        about::decode(&mut decoder, (0, 0))?;
        let mut series = SeriesTable::default();
        series.take_symbols(&mut decoder)?;
        let pages = take_pages(&mut decoder)?;
        let mut times = Vec::new();
        for _ in 0..decoder.count()? {
            let [page, offset, count] = take_numbers(&mut decoder)?;
            times.push(TimesPlace {
                page,
                offset,
                count,
            });
        }
        series.take_pairs(&mut decoder)?;
        series.take_labels(&mut decoder)?;
        let mut index = Self {
            series: share(series)?,
            pages,
            times,
            column_starts: Vec::new(),
            columns: Vec::new(),
        };
        index.take_columns(&mut decoder)?;
        decoder.is_empty().then_some(index)
    }

    fn take_columns(&mut self, decoder: &mut Decoder<'_>) -> Option<()> {
        let mut before = ColumnPlace::default();
        for _ in 0..self.series.count() {
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

    /// Where the columns of a series lie; none for a number that is none.
    pub(super) fn columns(&self, series: u32) -> SeriesColumns {
        let mut columns = SeriesColumns::default();
        let span = span(&self.column_starts, series).unwrap_or_default();
        for (kind, place) in self.columns.get(span).unwrap_or_default() {
            columns.set(*kind, *place);
        }
        columns
    }

    /// What it takes in memory beside the table of its series, about.
    pub(super) fn size_bytes(&self) -> usize {
        self.series.size_bytes()
            + size_of::<u32>() * self.column_starts.len()
            + size_of::<(Kind, ColumnPlace)>() * self.columns.len()
            + size_of::<PagePlace>() * self.pages.len()
            + size_of::<TimesPlace>() * self.times.len()
    }
}

fn take_pages(decoder: &mut Decoder<'_>) -> Option<Vec<PagePlace>> {
    let mut pages = Vec::new();
    let mut offset = HEADER_BYTES;
    for _ in 0..decoder.count()? {
        let length = decoder.varint()?;
        pages.push(PagePlace { offset, length });
        offset = offset.checked_add(length)?;
    }
    Some(pages)
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
