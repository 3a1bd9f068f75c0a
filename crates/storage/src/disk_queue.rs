//! A bounded queue on disk: one writer side, one reader, and a mark up to which everything was dealt with.
//!
//! Constraints first. A record is handed to the operating system before `push` answers, so it survives the death of the
//! process; a loss of power may cost the newest records, since nothing is synced on the way (what is queued here is a
//! copy of what another store keeps). The queue never holds more than its limit: when it is full the oldest segment
//! goes, and its weight is counted. The mark is a file of its own; records before it are never read again, records
//! behind it are read again after a restart.
//!
//! Layout of a segment (`00000001.queue`): magic `BNCLQUE\0`, version (u32), CRC-32 of those twelve bytes; then records,
//! each: length of the content (u32), weight (u32), CRC-32 of both and the content (u32), content. The mark
//! (`acknowledged`): magic `BNCLQAK\0`, version, CRC-32; then entries of segment (u64), offset (u64) and CRC-32 of both;
//! the last whole entry counts. Numbers lowest byte first. See docs/formats/disk-queue.md.

mod format;
mod mark;

use crate::files::{Readable, SharedFiles, Writable};
use crate::wal::Position;
use format::{HEADER_BYTES, Header, RECORD_BYTES_MAX};
use mark::Mark;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a queue is made with.
#[derive(Clone)]
pub struct Options {
    /// Where its files lie; made if missing.
    pub folder: PathBuf,
    /// Bytes that all segments may have together, at least two segments.
    pub bytes_max: u64,
    /// Bytes after which a segment is closed: the unit in which old records are dropped.
    pub segment_bytes: u64,
    /// The file system.
    pub files: SharedFiles,
}

/// Why the queue takes or gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record is larger than a reader would believe.
    #[error("a record of {0} bytes is larger than {RECORD_BYTES_MAX}")]
    TooLarge(usize),
}

/// What was dropped to make room, or lost to a damaged file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Records.
    pub records: u64,
    /// The sum of their weights.
    pub weight: u64,
}

/// A record as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRecord {
    /// What was pushed.
    pub content: Vec<u8>,
    /// Its weight.
    pub weight: u32,
    /// Whether it is the first of its segment.
    pub begins_segment: bool,
    /// Whether it was acknowledged before the queue was opened: read again only because a later record of its segment
    /// may need it.
    pub is_acknowledged: bool,
    /// Where it ends: what to acknowledge.
    pub end: Position,
}

#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    number: u64,
    length: u64,
    records: u64,
    weight: u64,
}

struct State {
    /// Oldest first; the last is written to. Never empty.
    segments: VecDeque<Segment>,
    file: Box<dyn Writable>,
    /// Whether a write failed and its rest must be cut off first.
    is_torn: bool,
    mark: Mark,
    acknowledged: Position,
    /// The frame of one record, kept to reuse its memory.
    scratch: Vec<u8>,
}

/// The queue. All methods take `&self`.
pub struct DiskQueue {
    options: Options,
    state: Mutex<State>,
}

/// Where a reader is.
#[derive(Default)]
pub struct QueueReader {
    at: Position,
    skip_through: Position,
    open: Option<(u64, Arc<dyn Readable>)>,
    /// What it could not read because of damage.
    pub lost: Dropped,
}

impl DiskQueue {
    /// Opens or makes the queue: cuts a torn record off, finds the mark. The reader begins with the segment of the first
    /// record that was not acknowledged.
    pub fn open(options: Options) -> Result<(Self, QueueReader), QueueError> {
        let folder = &options.folder;
        let files = &options.files;
        files.make_folder(folder).map_err(at(folder))?;
        let names = files.list(folder).map_err(at(folder))?;
        let mut segments = VecDeque::new();
        for number in names.iter().filter_map(|name| format::segment_number(name)) {
            segments.push_back(scan(&options, number)?);
        }
        let mark = Mark::open(folder, files)?;
        let acknowledged = mark.position;
        let next = segments.back().map_or(acknowledged.segment, |s| s.number) + 1;
        // A fresh segment each time: nothing is ever written behind bytes of unknown state.
        let file = create(&options, next)?;
        segments.push_back(Segment {
            number: next,
            length: HEADER_BYTES,
            ..Segment::default()
        });
        let queue = Self {
            state: Mutex::new(State {
                segments,
                file,
                is_torn: false,
                mark,
                acknowledged,
                scratch: Vec::new(),
            }),
            options,
        };
        queue.remove_acknowledged(&mut queue.lock());
        let first = queue.lock().segments.front().map_or(next, |s| s.number);
        let reader = QueueReader {
            at: Position {
                segment: first,
                offset: HEADER_BYTES,
            },
            skip_through: acknowledged,
            ..QueueReader::default()
        };
        Ok((queue, reader))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a record. `content` is told whether the record will be the first of its segment and answers its bytes and
    /// its weight; empty bytes add nothing. Answers what was dropped to make room.
    pub fn push(
        &self,
        content: impl FnOnce(bool) -> (Vec<u8>, u32),
    ) -> Result<Dropped, QueueError> {
        let mut state = self.lock();
        if state.is_torn || state.tail().length >= self.options.segment_bytes {
            self.begin_segment(&mut state)?;
        }
        let (content, weight) = content(state.tail().records == 0);
        if content.is_empty() {
            return Ok(Dropped::default());
        }
        if content.len() > RECORD_BYTES_MAX {
            return Err(QueueError::TooLarge(content.len()));
        }
        let mut frame = std::mem::take(&mut state.scratch);
        format::frame(&mut frame, &content, weight);
        let dropped = self.make_room(&mut state, frame.len() as u64);
        let written = state.file.write(&frame);
        let length = frame.len() as u64;
        state.scratch = frame;
        if let Err(source) = written {
            state.is_torn = true;
            let path = self.path(state.tail().number);
            return Err(QueueError::Io { path, source });
        }
        if let Some(tail) = state.segments.back_mut() {
            tail.length += length;
            tail.records += 1;
            tail.weight += u64::from(weight);
        }
        Ok(dropped)
    }

    /// Removes the oldest segments until `bytes` more fit.
    fn make_room(&self, state: &mut State, bytes: u64) -> Dropped {
        let mut dropped = Dropped::default();
        while state.segments.len() > 1 && state.size_bytes() + bytes > self.options.bytes_max {
            let Some(oldest) = state.segments.pop_front() else {
                break;
            };
            self.remove(oldest.number);
            if state.acknowledged.segment <= oldest.number {
                dropped.records += oldest.records;
                dropped.weight += oldest.weight;
            }
        }
        dropped
    }

    fn begin_segment(&self, state: &mut State) -> Result<(), QueueError> {
        let number = state.tail().number + 1;
        state.file = create(&self.options, number)?;
        state.is_torn = false;
        state.segments.push_back(Segment {
            number,
            length: HEADER_BYTES,
            ..Segment::default()
        });
        Ok(())
    }

    /// Reads the next record; `None` where there is none at present. What a damaged segment holds behind the damage is
    /// left out and counted in the reader.
    pub fn read(&self, reader: &mut QueueReader) -> Result<Option<QueueRecord>, QueueError> {
        loop {
            let Some((segment, is_last)) = self.segment_at(reader) else {
                return Ok(None);
            };
            if reader.at.offset >= segment.length {
                if is_last {
                    return Ok(None);
                }
                reader.next_segment();
                continue;
            }
            match self.record_at(reader) {
                Ok(Some(record)) => {
                    reader.at = record.end;
                    return Ok(Some(record));
                }
                Ok(None) if is_last => return Ok(None),
                // Damaged: what follows cannot be found.
                Ok(None) => {
                    reader.lost.records += 1;
                    reader.next_segment();
                }
                // The segment was dropped while it was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => reader.next_segment(),
                Err(source) => {
                    let path = self.path(reader.at.segment);
                    return Err(QueueError::Io { path, source });
                }
            }
        }
    }

    /// The reader's segment, or the one that follows where that is gone; and whether it is the last.
    fn segment_at(&self, reader: &mut QueueReader) -> Option<(Segment, bool)> {
        let state = self.lock();
        let found = state
            .segments
            .iter()
            .find(|segment| segment.number >= reader.at.segment)?;
        if found.number > reader.at.segment {
            reader.at = Position {
                segment: found.number,
                offset: HEADER_BYTES,
            };
        }
        Some((*found, found.number == state.tail().number))
    }

    fn record_at(&self, reader: &mut QueueReader) -> io::Result<Option<QueueRecord>> {
        let number = reader.at.segment;
        let file = match &reader.open {
            Some((open, file)) if *open == number => Arc::clone(file),
            _ => {
                let file = self.options.files.open(&self.path(number))?;
                reader.open = Some((number, Arc::clone(&file)));
                file
            }
        };
        let Some((header, content)) = format::read(file.as_ref(), reader.at.offset)? else {
            return Ok(None);
        };
        let end = Position {
            segment: number,
            offset: reader.at.offset + header.record_bytes(),
        };
        Ok(Some(QueueRecord {
            content,
            weight: header.weight,
            begins_segment: reader.at.offset == HEADER_BYTES,
            is_acknowledged: end <= reader.skip_through,
            end,
        }))
    }

    /// Marks everything up to `through` as dealt with; it is not read again after a restart.
    pub fn acknowledge(&self, through: Position) -> Result<(), QueueError> {
        let mut state = self.lock();
        if through <= state.acknowledged {
            return Ok(());
        }
        state.acknowledged = through;
        state
            .mark
            .set(through, &self.options.folder, &self.options.files)?;
        self.remove_acknowledged(&mut state);
        Ok(())
    }

    /// Removes segments that are acknowledged whole, but never the one that is written to.
    fn remove_acknowledged(&self, state: &mut State) {
        while state.segments.len() > 1 {
            let Some(first) = state.segments.front() else {
                return;
            };
            let end = Position {
                segment: first.number,
                offset: first.length,
            };
            if end > state.acknowledged && first.records > 0 {
                return;
            }
            self.remove(first.number);
            state.segments.pop_front();
        }
    }

    fn remove(&self, number: u64) {
        let path = self.path(number);
        if let Err(error) = self.options.files.remove(&path) {
            // It is not in the list any more; a restart finds and removes it again.
            tracing::warn!(%error, "{}: not removed", path.display());
        }
    }

    /// Bytes of all segments.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.lock().size_bytes()
    }

    /// The weight of all records that are held, those before the mark in its segment included.
    #[must_use]
    pub fn weight(&self) -> u64 {
        let state = self.lock();
        state.segments.iter().map(|segment| segment.weight).sum()
    }

    fn path(&self, number: u64) -> PathBuf {
        self.options.folder.join(format::segment_name(number))
    }
}

impl State {
    fn tail(&self) -> Segment {
        self.segments.back().copied().unwrap_or_default()
    }

    fn size_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }
}

impl QueueReader {
    fn next_segment(&mut self) {
        self.at = Position {
            segment: self.at.segment + 1,
            offset: HEADER_BYTES,
        };
        self.open = None;
    }
}

/// Walks over the frames of a segment of an earlier run.
fn scan(options: &Options, number: u64) -> Result<Segment, QueueError> {
    let path = options.folder.join(format::segment_name(number));
    let mut segment = Segment {
        number,
        length: HEADER_BYTES,
        ..Segment::default()
    };
    let mut walk = || -> io::Result<Segment> {
        let file = options.files.open(&path)?;
        let length = file.length()?;
        if !format::has_header(file.as_ref())? {
            return Ok(segment);
        }
        while let Some(header) = Header::read(file.as_ref(), segment.length)? {
            let end = segment.length + header.record_bytes();
            if end > length {
                break;
            }
            segment.length = end;
            segment.records += 1;
            segment.weight += u64::from(header.weight);
        }
        Ok(segment)
    };
    walk().map_err(at(&path))
}

fn create(options: &Options, number: u64) -> Result<Box<dyn Writable>, QueueError> {
    let path = options.folder.join(format::segment_name(number));
    let make = || {
        let file = options.files.create(&path)?;
        file.write(&format::header(format::SEGMENT_MAGIC))?;
        Ok(file)
    };
    make().map_err(at(&path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> QueueError {
    let path = path.to_owned();
    move |source| QueueError::Io { path, source }
}

#[cfg(test)]
mod tests;
