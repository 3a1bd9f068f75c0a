//! `index`: the series of a block and where their chunks are.
//!
//! Layout: magic 0xBAAAD700, version; symbols (all texts, sorted); series (labels as references to symbols, then times and
//! places of their chunks as differences); postings (series with a label pair) and the table that finds them; the table of
//! contents (six offsets and a checksum) at the very end. Version 1 names symbols and series by offsets in the file;
//! version 2 symbols by their place in the list and series by a sixteenth of the offset. Format: Prometheus'
//! `tsdb/docs/format/index.md`. Label indices are no longer used by anybody and are neither read nor written.
//!
//! Key decision: series are read front to back in windows; only the symbols stay in memory.

use super::super::bytes::{be32, be64, checked};
use crate::error::{Error, at};
use model::Labels;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use storage::encoding::Decoder;

pub(super) const MAGIC: u32 = 0xbaaa_d700;
pub(super) const HEADER_BYTES: usize = 5;
/// Six offsets and a checksum.
pub(super) const CONTENTS_BYTES: usize = 6 * 8 + 4;
/// Bytes of the symbols at most: they are held in memory.
const SYMBOLS_BYTES_MAX: usize = 2 << 30;
/// Bytes of one list of postings or of the table of all lists.
const POSTINGS_BYTES_MAX: usize = 1 << 30;
/// Bytes of one series at most.
const SERIES_BYTES_MAX: usize = 64 << 20;
/// Bytes read at once.
const WINDOW_BYTES: usize = 1 << 20;
/// Series begin at multiples of this.
pub(super) const SERIES_ALIGNMENT: u64 = 16;

/// Where the sections begin; 0 for those that are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) symbols: u64,
    pub(super) series: u64,
    pub(super) label_indices: u64,
    pub(super) label_offsets: u64,
    pub(super) postings: u64,
    pub(super) postings_offsets: u64,
}

/// Where a chunk lies and what time it spans, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkPlace {
    /// Time of its first sample.
    pub first: i64,
    /// Time of its last sample.
    pub last: i64,
    /// File and offset.
    pub reference: u64,
}

/// One series of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedSeries {
    /// What postings and tombstones call it.
    pub id: u64,
    /// Its labels.
    pub labels: Labels,
    /// Its chunks, ascending by time.
    pub chunks: Vec<ChunkPlace>,
}

/// An index, opened for reading.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    file: File,
    length: u64,
    version: u8,
    contents: Contents,
    symbols: Symbols,
}

#[derive(Debug, Default)]
struct Symbols {
    bytes: Vec<u8>,
    /// Where each begins in `bytes`.
    offsets: Vec<u32>,
    /// Where `bytes` begins in the file.
    base: u64,
}

impl Index {
    /// Opens the index in a block's folder and reads its contents and symbols.
    pub fn open(block: &Path) -> Result<Self, Error> {
        let path = block.join("index");
        let file = File::open(&path).map_err(at(&path))?;
        let length = file.metadata().map_err(at(&path))?.len();
        let mut index = Self {
            path,
            file,
            length,
            version: 0,
            contents: Contents::default(),
            symbols: Symbols::default(),
        };
        let header = index.bytes(0, HEADER_BYTES)?;
        let mut decoder = Decoder::new(&header);
        if be32(&mut decoder) != Some(MAGIC) {
            return Err(index.corrupt(0, "another kind of file"));
        }
        index.version = decoder.byte().unwrap_or_default();
        if !matches!(index.version, 1 | 2) {
            let what = format!("version {}, this program knows 1 and 2", index.version);
            return Err(index.corrupt(4, &what));
        }
        index.contents = index.read_contents()?;
        index.symbols = index.read_symbols()?;
        Ok(index)
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.length
    }

    fn corrupt(&self, offset: u64, what: &str) -> Error {
        Error::corrupt(&self.path, offset, what)
    }

    fn bytes(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        if offset.saturating_add(length as u64) > self.length {
            return Err(self.corrupt(offset, "a section ends behind the end of the file"));
        }
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, offset)
            .map_err(at(&self.path))?;
        Ok(bytes)
    }

    /// Reads a section: its length, as many bytes, and their checksum.
    fn section(&self, offset: u64, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let head = self.bytes(offset, 4)?;
        let length = be32(&mut Decoder::new(&head)).unwrap_or_default();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > bytes_max {
            return Err(self.corrupt(offset, "a section of an impossible length"));
        }
        let mut bytes = self.bytes(offset + 4, length + 4)?;
        if checked(&bytes).is_none() {
            return Err(self.corrupt(offset, "checksum mismatch in a section"));
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    fn read_contents(&self) -> Result<Contents, Error> {
        let offset = self.length.saturating_sub(CONTENTS_BYTES as u64);
        let bytes = self.bytes(offset, CONTENTS_BYTES)?;
        let content = checked(&bytes)
            .ok_or_else(|| self.corrupt(offset, "checksum mismatch in the table of contents"))?;
        let mut decoder = Decoder::new(content);
        let mut next = || be64(&mut decoder).unwrap_or_default();
        Ok(Contents {
            symbols: next(),
            series: next(),
            label_indices: next(),
            label_offsets: next(),
            postings: next(),
            postings_offsets: next(),
        })
    }

    fn read_symbols(&self) -> Result<Symbols, Error> {
        let offset = self.contents.symbols;
        if offset == 0 {
            return Ok(Symbols::default());
        }
        let bytes = self.section(offset, SYMBOLS_BYTES_MAX)?;
        let bad = || self.corrupt(offset, "the symbols make no sense");
        let mut decoder = Decoder::new(&bytes);
        let count = be32(&mut decoder).ok_or_else(bad)?;
        let mut offsets = Vec::new();
        for _ in 0..count {
            let place = bytes.len() - decoder.rest().len();
            offsets.push(u32::try_from(place).map_err(|_large| bad())?);
            decoder.text().ok_or_else(bad)?;
        }
        Ok(Symbols {
            bytes,
            offsets,
            base: offset + 4,
        })
    }

    fn symbol(&self, reference: u64) -> Option<&str> {
        let symbols = &self.symbols;
        let place = if self.version == 1 {
            reference.checked_sub(symbols.base)?
        } else {
            u64::from(*symbols.offsets.get(usize::try_from(reference).ok()?)?)
        };
        let bytes = symbols.bytes.get(usize::try_from(place).ok()?..)?;
        Decoder::new(bytes).text()
    }

    /// Walks over the series in the order of the file.
    #[must_use]
    pub fn series(&self) -> SeriesWalk<'_> {
        let contents = &self.contents;
        let later = [
            contents.label_indices,
            contents.label_offsets,
            contents.postings,
            contents.postings_offsets,
        ];
        let end = later.into_iter().filter(|at| *at > contents.series).min();
        let end = end.unwrap_or_else(|| self.length.saturating_sub(CONTENTS_BYTES as u64));
        SeriesWalk {
            index: self,
            at: contents.series,
            end: if contents.series == 0 { 0 } else { end },
            window: Vec::new(),
            window_at: 0,
        }
    }

    /// The series with a label pair, by their numbers; `("", "")` gives all.
    pub fn postings(&self, name: &str, value: &str) -> Result<Vec<u64>, Error> {
        let table = self.contents.postings_offsets;
        if table == 0 {
            return Ok(Vec::new());
        }
        let bytes = self.section(table, POSTINGS_BYTES_MAX)?;
        let bad = || self.corrupt(table, "the table of postings makes no sense");
        let mut decoder = Decoder::new(&bytes);
        for _ in 0..be32(&mut decoder).ok_or_else(bad)? {
            if decoder.varint() != Some(2) {
                return Err(bad());
            }
            let pair = (
                decoder.text().ok_or_else(bad)?,
                decoder.text().ok_or_else(bad)?,
            );
            let offset = decoder.varint().ok_or_else(bad)?;
            if pair == (name, value) {
                return self.postings_at(offset);
            }
        }
        Ok(Vec::new())
    }

    fn postings_at(&self, offset: u64) -> Result<Vec<u64>, Error> {
        let bytes = self.section(offset, POSTINGS_BYTES_MAX)?;
        let bad = || self.corrupt(offset, "a list of postings makes no sense");
        let mut decoder = Decoder::new(&bytes);
        let count = be32(&mut decoder).ok_or_else(bad)?;
        let mut found = Vec::new();
        for _ in 0..count {
            found.push(u64::from(be32(&mut decoder).ok_or_else(bad)?));
        }
        Ok(found)
    }
}

/// Goes over the series of an index.
#[derive(Debug)]
pub struct SeriesWalk<'a> {
    index: &'a Index,
    at: u64,
    end: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl SeriesWalk<'_> {
    /// Reads the next series; `None` at the end. After an error nothing more can be read.
    pub fn next_series(&mut self) -> Result<Option<IndexedSeries>, Error> {
        loop {
            if self.at >= self.end {
                return Ok(None);
            }
            let offset = self.at;
            let head = self.bytes(offset, 10)?;
            if head.first() == Some(&0) {
                // Padding: the next series begins at a multiple of the alignment, or anywhere (version 1).
                self.at += 1;
                continue;
            }
            let mut decoder = Decoder::new(head);
            let length = decoder.count().filter(|length| *length <= SERIES_BYTES_MAX);
            let skipped = head.len() - decoder.rest().len();
            let index = self.index;
            let Some(length) = length else {
                return Err(index.corrupt(offset, "a series of an impossible length"));
            };
            let all = skipped + length + 4;
            let bytes = self.bytes(offset, all)?;
            let content = bytes
                .get(skipped..all)
                .and_then(checked)
                .ok_or_else(|| index.corrupt(offset, "checksum mismatch in a series"))?;
            let (labels, chunks) = decode_series(index, content)
                .ok_or_else(|| index.corrupt(offset, "a series makes no sense"))?;
            self.at = offset + all as u64;
            let id = match index.version {
                1 => offset,
                _ => offset / SERIES_ALIGNMENT,
            };
            return Ok(Some(IndexedSeries { id, labels, chunks }));
        }
    }

    /// At least so many bytes, fewer only at the end of the file.
    fn bytes(&mut self, offset: u64, wanted: usize) -> Result<&[u8], Error> {
        let inside = offset
            .checked_sub(self.window_at)
            .and_then(|skip| usize::try_from(skip).ok())
            .filter(|skip| skip.saturating_add(wanted) <= self.window.len());
        let skip = match inside {
            Some(skip) => skip,
            None => {
                let left = self.index.length.saturating_sub(offset);
                let left = usize::try_from(left).unwrap_or(usize::MAX);
                let length = wanted.max(WINDOW_BYTES).min(left);
                self.window = self.index.bytes(offset, length)?;
                self.window_at = offset;
                0
            }
        };
        Ok(self.window.get(skip..).unwrap_or_default())
    }
}

fn decode_series(index: &Index, content: &[u8]) -> Option<(Labels, Vec<ChunkPlace>)> {
    let mut decoder = Decoder::new(content);
    let mut pairs = Vec::new();
    for _ in 0..decoder.count()? {
        pairs.push((
            index.symbol(decoder.varint()?)?,
            index.symbol(decoder.varint()?)?,
        ));
    }
    let mut chunks = Vec::new();
    let mut before: Option<ChunkPlace> = None;
    for _ in 0..decoder.count()? {
        let place = match before {
            None => {
                let first = decoder.zigzag()?;
                ChunkPlace {
                    first,
                    last: first.checked_add_unsigned(decoder.varint()?)?,
                    reference: decoder.varint()?,
                }
            }
            Some(before) => {
                // Upstream writes the distance as unsigned; overlapping chunks make it wrap around.
                let first = before.last.wrapping_add_unsigned(decoder.varint()?);
                ChunkPlace {
                    first,
                    last: first.checked_add_unsigned(decoder.varint()?)?,
                    reference: before.reference.wrapping_add_signed(decoder.zigzag()?),
                }
            }
        };
        chunks.push(place);
        before = Some(place);
    }
    Some((Labels::from_pairs(pairs), chunks))
}
