//! A write-ahead log in segments: what was acknowledged is here before it is anywhere else.
//!
//! Layout of a segment (`00000001.wal`): magic `BNCLWAL\0`, version (u32), CRC-32 of those twelve bytes;
//! then records, each: length (u32), CRC-32 of length and content (u32), content. Lengths above zero,
//! numbers lowest byte first. See docs/formats/wal.md.
//!
//! Decisions. A record is handed to the operating system before `write` answers, so it survives the
//! death of the process; `sync` carries everything to the medium, and one sync serves all writers that
//! wait for it. A failed write poisons the log: nothing more is taken until `rearm` has cut the
//! half-written record off and begun a new segment; after a failed sync only a restart helps, since
//! nobody knows what the medium holds. Closing a segment waits for no medium: the next sync carries the
//! closed segment first. Records must not need earlier segments to be understood: then
//! segments can be dropped, or lost, one by one.

mod recovery;
mod segment;

pub use recovery::{Record, Recovery};

use crate::files::{Files, SharedFiles, Writable};
use segment::{HEADER_BYTES, frame, segment_name};
use std::cmp::Ordering;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The largest record, in bytes: what a reader believes of a length field.
pub const RECORD_BYTES_MAX: usize = 256 << 20;

/// The numbers of the segments in a folder, ascending; none where there is no folder yet.
#[must_use]
pub fn segments(files: &dyn Files, folder: &Path) -> Vec<u64> {
    let names = files.list(folder).unwrap_or_default();
    names
        .iter()
        .filter_map(|name| segment::segment_number(name))
        .collect()
}

/// When a record counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WalSync {
    /// When the operating system has it; the owner calls `sync` at an interval.
    #[default]
    Interval,
    /// When the medium has it.
    Always,
}

/// Where a record begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Number of the segment.
    pub segment: u64,
    /// Byte in the segment.
    pub offset: u64,
}

/// Why the log takes or gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum WalError {
    /// The file system said no while the log was opened or maintained.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An earlier or this write failed: nothing more is taken.
    #[error("{0}")]
    Poisoned(String),
    /// A record is larger than a reader would believe.
    #[error("a record of {0} bytes is larger than {RECORD_BYTES_MAX}")]
    TooLarge(usize),
    /// Whoever replays the log refused a record.
    #[error("{path}: offset {offset}: {what}")]
    Refused {
        /// Which segment.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// Why.
        what: String,
    },
}

/// What a log is made with.
#[derive(Clone)]
pub struct Options {
    /// Where the segments lie; made if missing.
    pub folder: PathBuf,
    /// When a record counts as written.
    pub sync: WalSync,
    /// The file system.
    pub files: SharedFiles,
}

/// Why nothing is taken, and whether that can pass.
#[derive(Clone, Debug)]
struct Poison {
    text: String,
    can_pass: bool,
}

struct Tail {
    segment: u64,
    file: Arc<dyn Writable>,
    /// End of the last whole record.
    length: u64,
    /// Closed segments with their lengths, oldest first.
    closed: Vec<(u64, u64)>,
    poison: Option<Poison>,
    /// Closed segments whose last bytes may not be on the medium yet, oldest first.
    unsynced: Vec<(u64, Arc<dyn Writable>)>,
    /// The frame of one record, kept to reuse its memory.
    scratch: Vec<u8>,
}

struct Spare {
    segment: u64,
    file: Box<dyn Writable>,
}

#[derive(Debug, Default)]
struct Synced {
    through: Position,
    running: bool,
}

/// The log. All methods take `&self`: many threads write and wait.
pub struct Wal {
    options: Options,
    tail: Mutex<Tail>,
    /// The next segment, where it was made in advance. Who holds this may take `tail`, not the other way round.
    spare: Mutex<Option<Spare>>,
    synced: Mutex<Synced>,
    sync_ended: Condvar,
}

impl Wal {
    /// Opens the log, repairs its end and hands every whole record to `replay`, oldest first.
    ///
    /// A record that `replay` refuses fails the opening: that is a mistake of ours, not of the disk. Records
    /// before `from` are neither read nor checked: whoever opens the log has what they say.
    pub fn open(
        options: Options,
        from: Position,
        replay: impl FnMut(Record<'_>) -> Result<(), String>,
    ) -> Result<(Self, Recovery), WalError> {
        let recovered = recovery::recover(&options, from, replay)?;
        let last = recovered.segments.last().copied();
        let closed = recovered.segments.iter().rev().skip(1).rev().copied();
        let closed = closed.collect();
        let (segment, length) = last.unwrap_or((recovered.next_segment, 0));
        let file = match last {
            Some(_) => {
                let path = options.folder.join(segment_name(segment));
                options.files.open_for_append(&path).map_err(at(&path))?
            }
            None => create_segment(&options, segment)?,
        };
        let length = length.max(HEADER_BYTES);
        let wal = Self {
            options,
            tail: Mutex::new(Tail {
                segment,
                file: Arc::from(file),
                length,
                closed,
                poison: None,
                unsynced: Vec::new(),
                scratch: Vec::new(),
            }),
            spare: Mutex::default(),
            synced: Mutex::new(Synced::default()),
            sync_ended: Condvar::new(),
        };
        Ok((wal, recovered.report))
    }

    /// Whether the log in a folder reaches to `position`, and so can be opened from there.
    pub fn reaches(options: &Options, position: Position) -> Result<bool, WalError> {
        let path = options.folder.join(segment_name(position.segment));
        match options.files.open(&path).and_then(|file| file.length()) {
            Ok(length) => Ok(length >= position.offset),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(at(&path)(error)),
        }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a record to the operating system; answers where the log ends now.
    pub fn write(&self, content: &[u8]) -> Result<Position, WalError> {
        if content.is_empty() || content.len() > RECORD_BYTES_MAX {
            return Err(WalError::TooLarge(content.len()));
        }
        let mut tail = self.tail();
        if let Some(poison) = &tail.poison {
            return Err(WalError::Poisoned(poison.text.clone()));
        }
        let mut scratch = std::mem::take(&mut tail.scratch);
        frame(&mut scratch, content);
        let written = tail.file.write(&scratch);
        let length = scratch.len() as u64;
        tail.scratch = scratch;
        match written {
            Ok(()) => {
                tail.length += length;
                Ok(tail.end())
            }
            Err(error) => {
                let text = self.poison_text(tail.segment, &error, "until there is room again");
                tracing::error!("{text}");
                tail.poison = Some(Poison {
                    text: text.clone(),
                    can_pass: true,
                });
                Err(WalError::Poisoned(text))
            }
        }
    }

    fn poison_text(&self, segment: u64, error: &io::Error, until: &str) -> String {
        let path = self.options.folder.join(segment_name(segment));
        format!(
            "{}: {error}; no samples are taken {until}, reading goes on",
            path.display()
        )
    }

    /// Waits until the record that ends at `position` counts as written, by the log's `sync` mode.
    pub fn acknowledge(&self, position: Position) -> Result<(), WalError> {
        match self.options.sync {
            WalSync::Interval => Ok(()),
            WalSync::Always => self.sync_through(position),
        }
    }

    /// Carries everything written so far to the medium.
    pub fn sync(&self) -> Result<(), WalError> {
        let end = self.end();
        self.sync_through(end)
    }

    /// One caller syncs for all that wait; the others find their position covered.
    fn sync_through(&self, position: Position) -> Result<(), WalError> {
        let lock = || self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let mut synced = lock();
        loop {
            if synced.through >= position {
                return Ok(());
            }
            if !synced.running {
                break;
            }
            synced = self
                .sync_ended
                .wait(synced)
                .unwrap_or_else(PoisonError::into_inner);
        }
        synced.running = true;
        drop(synced);
        let result = self.sync_tail();
        let mut synced = lock();
        synced.running = false;
        if let Ok(through) = &result {
            synced.through = synced.through.max(*through);
        }
        self.sync_ended.notify_all();
        result.map(|_through| ())
    }

    /// Closed segments come first, so that the medium never holds a record without those before it.
    fn sync_tail(&self) -> Result<Position, WalError> {
        let (unsynced, file, end) = {
            let tail = self.tail();
            if let Some(poison) = &tail.poison {
                return Err(WalError::Poisoned(poison.text.clone()));
            }
            (tail.unsynced.clone(), Arc::clone(&tail.file), tail.end())
        };
        for (segment, closed) in unsynced {
            closed
                .sync()
                .map_err(|error| self.poison_for_good(segment, &error))?;
            self.tail().unsynced.retain(|(other, _)| *other != segment);
        }
        file.sync()
            .map(|()| end)
            .map_err(|error| self.poison_for_good(end.segment, &error))
    }

    fn poison_for_good(&self, segment: u64, error: &io::Error) -> WalError {
        let text = self.poison_text(segment, error, "until a restart");
        tracing::error!("{text}");
        self.tail().poison = Some(Poison {
            text: text.clone(),
            can_pass: false,
        });
        WalError::Poisoned(text)
    }

    /// Where the next record will begin.
    #[must_use]
    pub fn end(&self) -> Position {
        self.tail().end()
    }

    /// Why nothing is taken, if so.
    #[must_use]
    pub fn poisoned(&self) -> Option<String> {
        self.tail().poison.as_ref().map(|p| p.text.clone())
    }

    /// Tries to take records again after a failed write: cuts the half-written record off and begins
    /// a new segment. Answers whether the log takes records.
    pub fn rearm(&self) -> bool {
        let mut spare = self.spare();
        let mut tail = self.tail();
        match &tail.poison {
            None => return true,
            Some(poison) if !poison.can_pass => return false,
            Some(_) => *spare = None,
        }
        let renew = |tail: &mut Tail| {
            let at = at(&self.options.folder);
            let cut = || {
                tail.file
                    .truncate(tail.length)
                    .and_then(|()| tail.file.sync())
            };
            cut().map_err(at)?;
            create_segment(&self.options, tail.segment + 1)
        };
        match renew(&mut tail) {
            Ok(file) => {
                tail.switch_to(file);
                tail.poison = None;
                tracing::info!("{}: takes samples again", self.options.folder.display());
                true
            }
            Err(_still_failing) => false,
        }
    }

    fn spare(&self) -> MutexGuard<'_, Option<Spare>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the next segment in advance, so that `rotate` need not wait for the medium.
    pub fn prepare(&self) -> Result<(), WalError> {
        let mut spare = self.spare();
        let segment = self.end().segment + 1;
        if spare.as_ref().is_none_or(|spare| spare.segment != segment) {
            let file = create_segment(&self.options, segment)?;
            *spare = Some(Spare { segment, file });
        }
        Ok(())
    }

    /// Closes the segment and begins the next one; answers where that begins. A segment without
    /// records is kept. The closed one is carried to the medium by the next `sync`.
    pub fn rotate(&self) -> Result<Position, WalError> {
        let mut spare = self.spare();
        let current = {
            let tail = self.tail();
            if let Some(poison) = &tail.poison {
                return Err(WalError::Poisoned(poison.text.clone()));
            }
            if tail.length <= HEADER_BYTES {
                return Ok(tail.end());
            }
            tail.segment
        };
        let prepared = spare.take().filter(|spare| spare.segment == current + 1);
        let file = match prepared {
            Some(prepared) => prepared.file,
            None => create_segment(&self.options, current + 1)?,
        };
        let mut tail = self.tail();
        match &tail.poison {
            Some(poison) => Err(WalError::Poisoned(poison.text.clone())),
            None => {
                tail.switch_to(file);
                Ok(tail.end())
            }
        }
    }

    /// The numbers of the closed segments, oldest first.
    #[must_use]
    pub fn closed_segments(&self) -> Vec<u64> {
        self.tail().closed.iter().map(|(id, _)| *id).collect()
    }

    /// Gives the closed segments before `end` a second name in `folder` and begins an empty segment behind them there,
    /// so that a log opened on them does not write to files that are also ours. The caller lets no segment be removed
    /// meanwhile.
    pub fn link_closed_segments(&self, folder: &Path, end: Position) -> Result<(), WalError> {
        let files = &self.options.files;
        files.make_folder(folder).map_err(at(folder))?;
        let closed = self.closed_segments().into_iter();
        for segment in closed.filter(|segment| *segment < end.segment) {
            let from = self.options.folder.join(segment_name(segment));
            let to = folder.join(segment_name(segment));
            files.link(&from, &to).map_err(at(&to))?;
        }
        let options = Options {
            folder: folder.to_owned(),
            files: Arc::clone(files),
            ..self.options
        };
        create_segment(&options, end.segment)?;
        files.sync_folder(folder).map_err(at(folder))
    }

    /// Removes a closed segment whose records are needed no more. When this answers, it does not come
    /// back after a loss of power.
    pub fn remove_segment(&self, segment: u64) -> Result<(), WalError> {
        let folder = &self.options.folder;
        let path = folder.join(segment_name(segment));
        self.options.files.remove(&path).map_err(at(&path))?;
        self.options.files.sync_folder(folder).map_err(at(folder))?;
        let mut tail = self.tail();
        tail.closed.retain(|(id, _)| *id != segment);
        tail.unsynced.retain(|(id, _)| *id != segment);
        Ok(())
    }

    /// Bytes from a position on.
    #[must_use]
    pub fn bytes_since(&self, position: Position) -> u64 {
        let tail = self.tail();
        let segments = tail.closed.iter().copied();
        let segments = segments.chain([(tail.segment, tail.length)]);
        let since = |(segment, length): (u64, u64)| match segment.cmp(&position.segment) {
            Ordering::Less => 0,
            Ordering::Equal => length.saturating_sub(position.offset),
            Ordering::Greater => length,
        };
        segments.map(since).sum()
    }

    /// Bytes in all segments.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let tail = self.tail();
        let closed: u64 = tail.closed.iter().map(|(_, length)| length).sum();
        closed + tail.length
    }
}

impl Tail {
    /// Goes on in the segment behind this one.
    fn switch_to(&mut self, file: Box<dyn Writable>) {
        self.closed.push((self.segment, self.length));
        let closed = std::mem::replace(&mut self.file, Arc::from(file));
        self.unsynced.push((self.segment, closed));
        self.segment += 1;
        self.length = HEADER_BYTES;
    }

    const fn end(&self) -> Position {
        Position {
            segment: self.segment,
            offset: self.length,
        }
    }
}

fn create_segment(options: &Options, segment: u64) -> Result<Box<dyn Writable>, WalError> {
    let path = options.folder.join(segment_name(segment));
    let make = || {
        let file = options.files.create(&path)?;
        file.write(&segment::header())?;
        file.sync()?;
        options.files.sync_folder(&options.folder)?;
        Ok(file)
    };
    make().map_err(at(&path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> WalError {
    let path = path.to_owned();
    move |source| WalError::Io { path, source }
}

#[cfg(test)]
mod tests;
