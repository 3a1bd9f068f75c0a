//! The mark: entries are added, the last whole one counts; a long file is written anew.

use super::{QueueError, at, format};
use crate::encoding::Decoder;
use crate::files::{SharedFiles, Writable, read_whole};
use crate::wal::Position;
use std::io;
use std::path::Path;

const NAME: &str = "acknowledged";
const MAGIC: [u8; 8] = *b"BNCLQAK\0";
/// Bytes of an entry.
const ENTRY_BYTES: usize = 20;
/// Entries after which the file is written anew.
const ENTRIES_MAX: usize = 4096;

pub(super) struct Mark {
    pub(super) position: Position,
    file: Box<dyn Writable>,
    entries: usize,
}

impl Mark {
    pub(super) fn open(folder: &Path, files: &SharedFiles) -> Result<Self, QueueError> {
        let path = folder.join(NAME);
        let bytes = match read_whole(files.as_ref(), &path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(at(&path)(error)),
        };
        let position = last_entry(&bytes).unwrap_or_default();
        let file = write_anew(position, folder, files)?;
        Ok(Self {
            position,
            file,
            entries: 1,
        })
    }

    pub(super) fn set(
        &mut self,
        position: Position,
        folder: &Path,
        files: &SharedFiles,
    ) -> Result<(), QueueError> {
        self.position = position;
        if self.entries < ENTRIES_MAX && self.file.write(&entry(position)).is_ok() {
            self.entries += 1;
            return Ok(());
        }
        self.file = write_anew(position, folder, files)?;
        self.entries = 1;
        Ok(())
    }
}

fn write_anew(
    position: Position,
    folder: &Path,
    files: &SharedFiles,
) -> Result<Box<dyn Writable>, QueueError> {
    let path = folder.join(NAME);
    let temporary = folder.join("acknowledged.tmp");
    let make = || {
        let file = files.create(&temporary)?;
        file.write(&format::header(MAGIC))?;
        file.write(&entry(position))?;
        file.sync()?;
        files.rename(&temporary, &path)?;
        files.sync_folder(folder)?;
        files.open_for_append(&path)
    };
    make().map_err(at(&path))
}

fn entry(position: Position) -> Vec<u8> {
    let mut bytes = position.segment.to_le_bytes().to_vec();
    bytes.extend_from_slice(&position.offset.to_le_bytes());
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

fn last_entry(bytes: &[u8]) -> Option<Position> {
    let entries = bytes.strip_prefix(format::header(MAGIC).as_slice())?;
    let mut last = None;
    for bytes in entries.chunks_exact(ENTRY_BYTES) {
        let mut decoder = Decoder::new(bytes);
        let position = Position {
            segment: decoder.u64()?,
            offset: decoder.u64()?,
        };
        if entry(position) != bytes {
            break;
        }
        last = Some(position);
    }
    last
}
