//! Writing a block: series come sorted by labels, columns go out in pages.

use super::index::{ColumnPlace, IndexWriter, SeriesColumns, TimesPlace};
use super::page::{PagePlace, PageWriter};
use super::{BlockMeta, about, block_name, summaries, temporary_name};
use crate::codec::{Effort, integers, values};
use crate::error::{Error, at};
use crate::gather::{Floats, Histograms};
use crate::histogram;
use model::Labels;
use runtime::{HashMap, Seeded};
use std::hash::BuildHasher as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use storage::SharedFiles;
use storage::encoding::put_bytes;

/// A page is written when its content reaches this size.
const PAGE_BYTES: usize = 32 << 10;

/// Plain timestamps that are kept to compare with, in all columns together: 4 MB.
const RECENT_TIMES_MAX: usize = 1 << 19;

/// Where the samples of a new block come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The number of the block.
    pub(crate) id: u64,
    /// Its order, see `BlockMeta`.
    pub(crate) order: u64,
    /// Length of the windows that its samples stand for; 0 for samples as they came.
    pub(crate) window_ms: i64,
    /// The blocks it takes the place of.
    pub(crate) sources: Vec<u64>,
}

/// A block in the making. Dropping it without `finish` leaves a temporary file that the next opening
/// of the database removes.
pub(crate) struct BlockWriter {
    files: SharedFiles,
    folder: PathBuf,
    meta: BlockMeta,
    sources: Vec<u64>,
    pages: PageWriter,
    places: Vec<PagePlace>,
    values: Vec<u8>,
    /// Columns whose page is not written yet and therefore has no number.
    waiting: usize,
    index: IndexWriter,
    /// The labels of the series that came last.
    last: Labels,
    times: TimesTable,
}

impl BlockWriter {
    /// Begins a block in `folder`.
    pub(crate) fn begin(files: &SharedFiles, folder: &Path, origin: Origin) -> Result<Self, Error> {
        let path = temporary(folder, origin.id);
        let make = || PageWriter::begin(files.create(&path)?);
        Ok(Self {
            pages: make().map_err(at(&path))?,
            files: Arc::clone(files),
            folder: folder.to_owned(),
            meta: BlockMeta {
                id: origin.id,
                order: origin.order,
                window_ms: origin.window_ms,
                start: i64::MAX,
                end: i64::MIN,
                series: 0,
                samples: 0,
                bytes: 0,
            },
            sources: origin.sources,
            places: Vec::new(),
            values: Vec::new(),
            waiting: 0,
            index: IndexWriter::default(),
            last: Labels::default(),
            times: TimesTable::default(),
        })
    }

    /// Whether no series was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.meta.series == 0
    }

    /// Adds a series: floats and histograms, each ascending by time, no time twice. Series come in the order
    /// of their labels; one without samples is left out.
    pub(crate) fn add(
        &mut self,
        labels: &Labels,
        floats: &Floats,
        histograms: &Histograms,
    ) -> Result<(), Error> {
        debug_assert!(self.is_empty() || self.last < *labels);
        if floats.times.is_empty() && histograms.samples.is_empty() {
            return Ok(());
        }
        let mut columns = SeriesColumns::default();
        if !floats.times.is_empty() {
            let place = self.place(&floats.times);
            values::encode(&mut self.values, &floats.values, Effort::Small);
            columns.floats = Some(place);
            columns.float_starts = self.place_starts(place, &floats.starts);
            if let Some(summaries) = &floats.summaries {
                let first = summaries.first_timestamps.first().copied();
                self.meta.start = self.meta.start.min(first.unwrap_or(i64::MAX));
                columns.summaries = Some(self.here(place));
                let ends = (floats.times.as_slice(), floats.values.as_slice());
                summaries::encode(&mut self.values, ends, summaries);
            }
        }
        if !histograms.samples.is_empty() {
            let times: Vec<i64> = histograms.samples.iter().map(|(at, _)| *at).collect();
            let place = self.place(&times);
            let mut column = Vec::new();
            for (_, histogram) in &histograms.samples {
                histogram::encode(&mut column, histogram);
            }
            put_bytes(&mut self.values, &column);
            columns.histograms = Some(place);
            columns.histogram_starts = self.place_starts(place, &histograms.starts);
        }
        self.meta.series += 1;
        self.waiting += 1;
        self.index.add(labels, &columns);
        self.last = labels.clone();
        if self.values.len() >= PAGE_BYTES {
            self.flush_page()
                .map_err(at(&temporary(&self.folder, self.meta.id)))?;
        }
        Ok(())
    }

    /// Writes start timestamps behind the values they belong to, where any is known.
    fn place_starts(&mut self, of: ColumnPlace, starts: &[i64]) -> Option<ColumnPlace> {
        if starts.is_empty() {
            return None;
        }
        let place = self.here(of);
        integers::encode(&mut self.values, starts, Effort::Small);
        Some(place)
    }

    /// Where a further column of the same times will lie.
    fn here(&self, of: ColumnPlace) -> ColumnPlace {
        ColumnPlace {
            offset: u32::try_from(self.values.len()).unwrap_or(u32::MAX),
            ..of
        }
    }

    /// Where the column that is written next will lie; its page gets its number when it is full.
    fn place(&mut self, times: &[i64]) -> ColumnPlace {
        self.meta.samples += times.len() as u64;
        self.meta.start = self
            .meta
            .start
            .min(times.first().copied().unwrap_or(i64::MAX));
        self.meta.end = self.meta.end.max(times.last().copied().unwrap_or(i64::MIN));
        ColumnPlace {
            times: self.times.number_of(times),
            page: u32::try_from(self.places.len()).unwrap_or(u32::MAX),
            offset: u32::try_from(self.values.len()).unwrap_or(u32::MAX),
        }
    }

    fn flush_page(&mut self) -> io::Result<()> {
        if self.waiting > 0 {
            self.places.push(self.pages.write(&self.values)?);
            self.values.clear();
            self.waiting = 0;
        }
        Ok(())
    }

    /// Writes the rest and gives the block its name. `None` where no series was added.
    pub(crate) fn finish(mut self) -> Result<Option<BlockMeta>, Error> {
        let path = temporary(&self.folder, self.meta.id);
        if self.is_empty() {
            self.files.remove(&path).map_err(at(&path))?;
            return Ok(None);
        }
        let folder = self.folder.clone();
        let finished = folder.join(block_name(self.meta.id));
        let write = || {
            self.flush_page()?;
            let times = self.times.write(&mut self.pages, &mut self.places)?;
            let mut index = Vec::new();
            about::encode(&mut index, &self.meta, &self.sources);
            self.index.encode(&mut index, &self.places, &times);
            let bytes = self.pages.finish(&index)?;
            self.files.rename(&path, &finished)?;
            self.files.sync_folder(&folder)?;
            Ok(BlockMeta {
                bytes,
                ..self.meta.clone()
            })
        };
        write().map(Some).map_err(at(&path))
    }
}

fn temporary(folder: &Path, id: u64) -> PathBuf {
    folder.join(temporary_name(id))
}

/// The distinct timestamp columns of a block. Two levels: plain columns seen lately, found by hash and
/// compared; and all columns in encoded form, since equal columns have equal bytes.
#[derive(Default)]
struct TimesTable {
    recent: HashMap<u64, (Vec<i64>, u32)>,
    recent_held: usize,
    hasher: Seeded,
    numbers: HashMap<(usize, Arc<[u8]>), u32>,
    columns: Vec<(u32, Arc<[u8]>)>,
}

impl TimesTable {
    fn number_of(&mut self, times: &[i64]) -> u32 {
        let hash = self.hasher.hash_one(times);
        if let Some((column, number)) = self.recent.get(&hash)
            && column == times
        {
            return *number;
        }
        let mut bytes = Vec::new();
        integers::encode(&mut bytes, times, Effort::Small);
        let bytes: Arc<[u8]> = bytes.into();
        let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
        let fresh = u32::try_from(self.columns.len()).unwrap_or(u32::MAX);
        let key = (times.len(), Arc::clone(&bytes));
        let number = *self.numbers.entry(key).or_insert(fresh);
        if number == fresh {
            self.columns.push((count, bytes));
        }
        if self.recent_held >= RECENT_TIMES_MAX {
            self.recent.clear();
            self.recent_held = 0;
        }
        self.recent_held += times.len();
        self.recent.insert(hash, (times.to_vec(), number));
        number
    }

    fn write(
        &self,
        pages: &mut PageWriter,
        places: &mut Vec<PagePlace>,
    ) -> io::Result<Vec<TimesPlace>> {
        let mut written = Vec::with_capacity(self.columns.len());
        let mut page = Vec::new();
        for (count, bytes) in &self.columns {
            written.push(TimesPlace {
                page: u32::try_from(places.len()).unwrap_or(u32::MAX),
                offset: u32::try_from(page.len()).unwrap_or(u32::MAX),
                count: *count,
            });
            page.extend_from_slice(bytes);
            if page.len() >= PAGE_BYTES {
                places.push(pages.write(&page)?);
                page.clear();
            }
        }
        if !page.is_empty() {
            places.push(pages.write(&page)?);
        }
        Ok(written)
    }
}
