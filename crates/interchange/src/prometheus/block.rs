//! A block: a folder of immutable files with the samples of some hours or weeks.
//!
//! `Block` reads what any Prometheus since 2.0 has written; `BlockWriter` writes what any since 2.0 reads.

mod index;
mod meta;
mod segments;
mod tombstones;
mod ulid;
mod writer;

pub use index::{ChunkPlace, Index, IndexedSeries, SeriesWalk};
pub use meta::{Compaction, Meta, Stats};
pub use segments::Segments;
pub use tombstones::Tombstones;
pub use ulid::Ulid;
pub use writer::{BlockWriter, Written};

use super::chunk;
use crate::error::Error;
use model::{Sample, TimeRange, Value};
use std::path::{Path, PathBuf};

/// A block, opened for reading.
#[derive(Debug)]
pub struct Block {
    /// What it says of itself.
    pub meta: Meta,
    /// Its folder.
    pub folder: PathBuf,
    /// Its series.
    pub index: Index,
    segments: Segments,
    tombstones: Tombstones,
}

/// The samples of one series of a block.
#[derive(Debug, Default)]
pub struct SeriesRead {
    /// The samples, ascending by time, deleted ones left out.
    pub samples: Vec<Sample>,
    /// How many were left out.
    pub deleted: usize,
}

impl Block {
    /// Opens all files of a block and checks their headers.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Ok(Self {
            meta: Meta::read(folder)?,
            folder: folder.to_owned(),
            index: Index::open(folder)?,
            segments: Segments::open(folder)?,
            tombstones: Tombstones::read(folder)?,
        })
    }

    /// Bytes of its files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let small = ["meta.json", "tombstones"].iter();
        let small = small.filter_map(|name| std::fs::metadata(self.folder.join(name)).ok());
        let small: u64 = small.map(|metadata| metadata.len()).sum();
        self.index.size_bytes() + self.segments.size_bytes() + small
    }

    /// Reads the samples of a series that lie in a range.
    pub fn read(&mut self, series: &IndexedSeries, range: TimeRange) -> Result<SeriesRead, Error> {
        read_series((&mut self.segments, &self.tombstones), series, range)
    }

    /// The index and what reads its series, to be used at the same time.
    pub fn parts(&mut self) -> (&Index, SeriesReader<'_>) {
        let reader = SeriesReader {
            segments: &mut self.segments,
            tombstones: &self.tombstones,
        };
        (&self.index, reader)
    }
}

/// Reads the samples of series while somebody walks over the index.
#[derive(Debug)]
pub struct SeriesReader<'a> {
    segments: &'a mut Segments,
    tombstones: &'a Tombstones,
}

impl SeriesReader<'_> {
    /// Reads the samples of a series that lie in a range.
    pub fn read(&mut self, series: &IndexedSeries, range: TimeRange) -> Result<SeriesRead, Error> {
        read_series((self.segments, self.tombstones), series, range)
    }

    /// Encoding, number of samples and bytes of a chunk.
    pub fn chunk(&mut self, place: &ChunkPlace) -> Result<(chunk::Encoding, usize, usize), Error> {
        let (encoding, data) = self.segments.read(place.reference)?;
        Ok((encoding, chunk::samples(encoding, data), data.len()))
    }

    /// How many buckets the histograms of a chunk hold together.
    pub fn chunk_buckets(&mut self, place: &ChunkPlace) -> Result<usize, Error> {
        let (encoding, data) = self.segments.read(place.reference)?;
        let mut samples = Vec::new();
        chunk::decode(encoding, data, &mut samples)
            .map_err(|what| Error::corrupt(Path::new("chunks"), place.reference, what))?;
        let buckets = |sample: &Sample| match &sample.value {
            Value::Histogram(held) => held.positive_buckets.len() + held.negative_buckets.len(),
            Value::Float(_) => 0,
        };
        Ok(samples.iter().map(buckets).sum())
    }
}

fn read_series(
    (segments, tombstones): (&mut Segments, &Tombstones),
    series: &IndexedSeries,
    range: TimeRange,
) -> Result<SeriesRead, Error> {
    let mut read = SeriesRead::default();
    let (start, end) = (range.start.millis(), range.end.millis());
    for place in &series.chunks {
        if place.last < start || place.first > end {
            continue;
        }
        let (encoding, data) = segments.read(place.reference)?;
        chunk::decode(encoding, data, &mut read.samples).map_err(|what| Error::Corrupt {
            path: PathBuf::from(format!("chunk of {}", series.labels)),
            offset: place.reference & 0xffff_ffff,
            what,
        })?;
    }
    read.samples
        .retain(|sample| range.contains(sample.timestamp));
    read.samples.sort_by_key(|sample| sample.timestamp);
    read.samples.dedup_by_key(|sample| sample.timestamp);
    read.deleted = tombstones.apply(series.id, &mut read.samples);
    Ok(read)
}

#[cfg(test)]
mod tests;
