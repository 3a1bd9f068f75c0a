//! Writes a block, series after series.
//!
//! Chunks go to the disk as they come; labels and places of chunks stay in memory until the index is written. The
//! folder has a temporary name, which Prometheus ignores, until everything in it is on the medium.

use super::index::{CONTENTS_BYTES, ChunkPlace, Contents, HEADER_BYTES, MAGIC, SERIES_ALIGNMENT};
use super::meta::{Compaction, Meta, Stats};
use super::segments::{self, put_chunk};
use super::tombstones::Tombstones;
use super::ulid::Ulid;
use crate::error::{Error, at};
use crate::prometheus::chunk::Packed;
use crate::prometheus::crc32c::crc32c;
use model::Labels;
use runtime::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use storage::encoding::{put_bytes, put_varint, put_zigzag};
use storage::{SharedFiles, Writable};

/// A file of chunks is closed at this size, as upstream's.
const SEGMENT_BYTES: u64 = 512 << 20;
/// Bytes are handed to the operating system in pieces of this size.
const BUFFER_BYTES: usize = 1 << 20;
/// What Prometheus removes when it starts, should we die.
const TEMPORARY: &str = ".tmp-for-creation";

/// A file that is written from front to back.
struct Output {
    path: PathBuf,
    file: Box<dyn Writable>,
    buffer: Vec<u8>,
    /// Bytes written and buffered.
    length: u64,
}

impl Output {
    fn create(files: &SharedFiles, path: PathBuf) -> Result<Self, Error> {
        let file = files.create(&path).map_err(at(&path))?;
        Ok(Self {
            path,
            file,
            buffer: Vec::new(),
            length: 0,
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.buffer.extend_from_slice(bytes);
        self.length += bytes.len() as u64;
        if self.buffer.len() >= BUFFER_BYTES {
            self.file.write(&self.buffer).map_err(at(&self.path))?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn pad(&mut self, alignment: u64) -> Result<(), Error> {
        while !self.length.is_multiple_of(alignment) {
            self.put(&[0])?;
        }
        Ok(())
    }

    /// Writes a section: length, content, checksum; answers where it begins.
    fn section(&mut self, content: &[u8]) -> Result<u64, Error> {
        let begins = self.length;
        let length = u32::try_from(content.len()).map_err(|_large| Error::NotOne {
            path: self.path.clone(),
            what: "more than 4 GiB in one section: export a shorter range".to_owned(),
        })?;
        self.put(&length.to_be_bytes())?;
        self.put(content)?;
        self.put(&crc32c(content).to_be_bytes())?;
        Ok(begins)
    }

    fn finish(self) -> Result<(), Error> {
        self.file.write(&self.buffer).map_err(at(&self.path))?;
        self.file.sync().map_err(at(&self.path))
    }
}

/// A block that was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// What it says of itself.
    pub meta: Meta,
    /// Its folder.
    pub folder: PathBuf,
    /// Bytes of its files.
    pub bytes: u64,
}

/// A block that is being written.
pub struct BlockWriter {
    files: SharedFiles,
    parent: PathBuf,
    temporary: PathBuf,
    name: Ulid,
    segment: Option<Output>,
    segments: u32,
    chunk_bytes: u64,
    series: Vec<(Labels, Vec<ChunkPlace>)>,
    stats: Stats,
    span: Option<(i64, i64)>,
}

impl BlockWriter {
    /// Makes a folder with a temporary name below `parent`.
    pub fn begin(files: &SharedFiles, parent: &Path, name: Ulid) -> Result<Self, Error> {
        let temporary = parent.join(format!("{name}{TEMPORARY}"));
        let chunks = temporary.join("chunks");
        files.make_folder(&chunks).map_err(at(&chunks))?;
        Ok(Self {
            files: SharedFiles::clone(files),
            parent: parent.to_owned(),
            temporary,
            name,
            segment: None,
            segments: 0,
            chunk_bytes: 0,
            series: Vec::new(),
            stats: Stats::default(),
            span: None,
        })
    }

    /// Appends a series with its chunks, ascending by time. Series come ascending by labels, each once;
    /// one without chunks is left out.
    pub fn add(&mut self, labels: &Labels, chunks: &[Packed]) -> Result<(), Error> {
        assert!(
            self.series.last().is_none_or(|(last, _)| last < labels),
            "series come in order"
        );
        let mut places = Vec::with_capacity(chunks.len());
        let mut bytes = Vec::new();
        for chunk in chunks {
            bytes.clear();
            put_chunk(&mut bytes, chunk.encoding, &chunk.data);
            places.push(ChunkPlace {
                first: chunk.first,
                last: chunk.last,
                reference: self.put_chunk(&bytes)?,
            });
            let (first, last) = self.span.unwrap_or((chunk.first, chunk.last));
            self.span = Some((first.min(chunk.first), last.max(chunk.last)));
            self.stats.num_samples += chunk.samples as u64;
        }
        if !places.is_empty() {
            self.stats.num_chunks += places.len() as u64;
            self.stats.num_series += 1;
            self.series.push((labels.clone(), places));
        }
        Ok(())
    }

    fn put_chunk(&mut self, bytes: &[u8]) -> Result<u64, Error> {
        let length = bytes.len() as u64;
        let full = |segment: &Output| segment.length + length > SEGMENT_BYTES;
        if self.segment.as_ref().is_some_and(full) {
            self.close_segment()?;
        }
        let segment = match &mut self.segment {
            Some(segment) => segment,
            None => {
                self.segments += 1;
                let name = format!("chunks/{:06}", self.segments);
                let mut segment = Output::create(&self.files, self.temporary.join(name))?;
                segment.put(&segments::MAGIC)?;
                segment.put(&[1, 0, 0, 0])?;
                self.segment.insert(segment)
            }
        };
        let reference = u64::from(self.segments - 1) << 32 | segment.length;
        segment.put(bytes)?;
        Ok(reference)
    }

    fn close_segment(&mut self) -> Result<(), Error> {
        if let Some(segment) = self.segment.take() {
            self.chunk_bytes += segment.length;
            segment.finish()?;
        }
        Ok(())
    }

    /// Writes the index and what else belongs to the block, and gives the folder its name. Without any
    /// series nothing is left and there is no block.
    pub fn finish(mut self) -> Result<Option<Written>, Error> {
        let Some((first, last)) = self.span else {
            self.abandon();
            return Ok(None);
        };
        self.close_segment()?;
        let index_bytes = self.write_index()?;
        let meta = Meta {
            ulid: self.name.to_string(),
            min_time: first,
            max_time: last.saturating_add(1),
            stats: self.stats,
            compaction: Compaction {
                level: 1,
                sources: vec![self.name.to_string()],
                hints: Vec::new(),
            },
            version: 1,
        };
        let mut bytes = self.chunk_bytes + index_bytes;
        for (name, content) in [
            ("tombstones", Tombstones::default().encode()),
            ("meta.json", meta.to_json()),
        ] {
            bytes += content.len() as u64;
            let mut output = Output::create(&self.files, self.temporary.join(name))?;
            output.put(&content)?;
            output.finish()?;
        }
        let folder = self.parent.join(self.name.to_string());
        let files = &self.files;
        for synced in [self.temporary.join("chunks"), self.temporary.clone()] {
            files.sync_folder(&synced).map_err(at(&synced))?;
        }
        files
            .rename(&self.temporary, &folder)
            .map_err(at(&folder))?;
        files.sync_folder(&self.parent).map_err(at(&self.parent))?;
        Ok(Some(Written {
            meta,
            folder,
            bytes,
        }))
    }

    /// Removes what was written so far.
    pub fn abandon(self) {
        drop(self.segment);
        // A folder with this name is removed by Prometheus too; one that stays harms nobody.
        let _left = std::fs::remove_dir_all(&self.temporary);
    }

    fn write_index(&self) -> Result<u64, Error> {
        let mut output = Output::create(&self.files, self.temporary.join("index"))?;
        output.put(&MAGIC.to_be_bytes())?;
        output.put(&[2])?;
        assert_eq!(output.length, HEADER_BYTES as u64, "the header is written");
        let symbols = self.symbols();
        let mut content = count_of(symbols.len());
        for symbol in &symbols {
            put_bytes(&mut content, symbol.as_bytes());
        }
        let mut contents = Contents {
            symbols: output.section(&content)?,
            ..Contents::default()
        };
        output.pad(SERIES_ALIGNMENT)?;
        contents.series = output.length;
        let postings = self.write_series(&mut output, &symbols)?;
        output.pad(4)?;
        contents.postings = output.length;
        let mut table = count_of(postings.len());
        for ((name, value), list) in &postings {
            output.pad(4)?;
            let mut content = count_of(list.len());
            content.extend(list.iter().flat_map(|id| id.to_be_bytes()));
            let begins = output.section(&content)?;
            table.push(2);
            put_bytes(&mut table, name.as_bytes());
            put_bytes(&mut table, value.as_bytes());
            put_varint(&mut table, begins);
        }
        contents.postings_offsets = output.section(&table)?;
        output.put(&encode_contents(contents))?;
        let length = output.length;
        output.finish()?;
        Ok(length)
    }

    /// All names and values, sorted. The empty text is among them, as upstream's postings of everything need.
    fn symbols(&self) -> Vec<&str> {
        let mut symbols = BTreeSet::from([""]);
        for (labels, _) in &self.series {
            for (name, value) in labels {
                symbols.extend([name, value]);
            }
        }
        symbols.into_iter().collect()
    }

    fn write_series(&self, output: &mut Output, symbols: &[&str]) -> Result<Postings<'_>, Error> {
        let mut numbers: HashMap<&str, u64> = HashMap::default();
        numbers.extend((0..).zip(symbols).map(|(i, symbol)| (*symbol, i)));
        let mut postings = Postings::new();
        for (labels, chunks) in &self.series {
            output.pad(SERIES_ALIGNMENT)?;
            let id = u32::try_from(output.length / SERIES_ALIGNMENT).map_err(|_large| {
                Error::NotOne {
                    path: output.path.clone(),
                    what: "more series than an index can number: export a shorter range".to_owned(),
                }
            })?;
            postings.entry(("", "")).or_default().push(id);
            let mut content = Vec::new();
            put_varint(&mut content, labels.len() as u64);
            for (name, value) in labels {
                for text in [name, value] {
                    put_varint(&mut content, numbers.get(text).copied().unwrap_or_default());
                }
                postings.entry((name, value)).or_default().push(id);
            }
            put_chunks(&mut content, chunks);
            let mut framed = Vec::with_capacity(content.len() + 8);
            put_bytes(&mut framed, &content);
            framed.extend(crc32c(&content).to_be_bytes());
            output.put(&framed)?;
        }
        Ok(postings)
    }
}

/// Series by label pair, sorted.
type Postings<'a> = BTreeMap<(&'a str, &'a str), Vec<u32>>;

fn count_of(count: usize) -> Vec<u8> {
    // More than 2^32 would not have fitted into the index long before.
    u32::try_from(count)
        .unwrap_or(u32::MAX)
        .to_be_bytes()
        .to_vec()
}

fn put_chunks(content: &mut Vec<u8>, chunks: &[ChunkPlace]) {
    put_varint(content, chunks.len() as u64);
    let mut before: Option<&ChunkPlace> = None;
    for chunk in chunks {
        match before {
            None => put_zigzag(content, chunk.first),
            Some(before) => {
                put_varint(
                    content,
                    chunk.first.wrapping_sub(before.last).cast_unsigned(),
                );
            }
        }
        put_varint(
            content,
            chunk.last.wrapping_sub(chunk.first).cast_unsigned(),
        );
        match before {
            None => put_varint(content, chunk.reference),
            Some(before) => {
                let step = chunk.reference.wrapping_sub(before.reference);
                put_zigzag(content, step.cast_signed());
            }
        }
        before = Some(chunk);
    }
}

fn encode_contents(contents: Contents) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CONTENTS_BYTES);
    for offset in [
        contents.symbols,
        contents.series,
        contents.label_indices,
        contents.label_offsets,
        contents.postings,
        contents.postings_offsets,
    ] {
        bytes.extend(offset.to_be_bytes());
    }
    let sum = crc32c(&bytes);
    bytes.extend(sum.to_be_bytes());
    bytes
}
