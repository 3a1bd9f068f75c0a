//! `chunks/000001` and following: the packed samples of a block.
//!
//! Layout of a file: magic 0x85BD40DD, version 1, three zero bytes; then chunks: length (uvarint), encoding (byte), data,
//! CRC-32C of encoding and data. A reference to a chunk has the file's place in the sequence (from 0) in its upper
//! and the offset in its lower four bytes. Format: Prometheus' `tsdb/docs/format/chunks.md`.

use super::super::bytes::checked;
use super::super::chunk::{self, Encoding};
use crate::error::{Error, at};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use storage::encoding::{Decoder, put_varint};

pub(super) const MAGIC: [u8; 4] = [0x85, 0xbd, 0x40, 0xdd];
/// Bytes read at once; neighbouring chunks come with the one that was asked for.
const WINDOW_BYTES: usize = 256 << 10;
/// Length, encoding and checksum at most.
const FRAME_BYTES: usize = 10 + 1 + 4;

/// The files of a block, opened for reading.
#[derive(Debug)]
pub struct Segments {
    files: Vec<(PathBuf, File, u64)>,
    window: Vec<u8>,
    /// File and offset where the window begins.
    place: (usize, u64),
}

impl Segments {
    /// Opens all files and looks at their headers.
    pub fn open(block: &Path) -> Result<Self, Error> {
        let folder = block.join("chunks");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(at(&folder))? {
            let name = entry.map_err(at(&folder))?.file_name();
            let name = name.to_string_lossy().into_owned();
            if name.bytes().all(|b| b.is_ascii_digit()) {
                names.push(name);
            }
        }
        names.sort();
        let mut files = Vec::new();
        for name in names {
            let path = folder.join(name);
            let file = File::open(&path).map_err(at(&path))?;
            let length = file.metadata().map_err(at(&path))?.len();
            let mut header = [0; 5];
            file.read_exact_at(&mut header, 0).map_err(at(&path))?;
            let [a, b, c, d, version] = header;
            if [a, b, c, d] != MAGIC || version != 1 {
                return Err(Error::corrupt(&path, 0, "no chunks of a known version"));
            }
            files.push((path, file, length));
        }
        Ok(Self {
            files,
            window: Vec::new(),
            place: (usize::MAX, 0),
        })
    }

    /// Bytes of all files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|(_, _, length)| length).sum()
    }

    /// Reads the chunk that a reference names: its encoding and data.
    pub fn read(&mut self, reference: u64) -> Result<(Encoding, &[u8]), Error> {
        let number = usize::try_from(reference >> 32).unwrap_or(usize::MAX);
        let offset = reference & 0xffff_ffff;
        let Some((path, _, length)) = self.files.get(number) else {
            let path = self
                .files
                .first()
                .map_or(PathBuf::new(), |(p, _, _)| p.clone());
            let what = format!(
                "the index names chunk file {}, which is missing",
                number + 1
            );
            return Err(Error::NotOne { path, what });
        };
        let (path, length) = (path.clone(), *length);
        if offset >= length {
            return Err(Error::corrupt(&path, offset, "a chunk lies behind the end"));
        }
        let frame = self.bytes(number, offset, FRAME_BYTES)?;
        let mut decoder = Decoder::new(frame);
        let bytes = decoder.count().filter(|bytes| *bytes <= chunk::BYTES_MAX);
        let Some(bytes) = bytes else {
            return Err(Error::corrupt(
                &path,
                offset,
                "a chunk of an impossible length",
            ));
        };
        let skipped = frame.len() - decoder.rest().len();
        let all = skipped + 1 + bytes + 4;
        let frame = self.bytes(number, offset, all)?;
        let short = || Error::corrupt(&path, offset, "a chunk ends behind the end of the file");
        let body = frame.get(skipped..all).ok_or_else(short)?;
        let mismatch = || Error::corrupt(&path, offset, "checksum mismatch in a chunk");
        let content = checked(body).ok_or_else(mismatch)?;
        let (number, data) = content.split_first().ok_or_else(short)?;
        let unknown = || {
            Error::corrupt(
                &path,
                offset,
                format!("chunk encoding {number}, which is not known"),
            )
        };
        let encoding = Encoding::from_number(*number).ok_or_else(unknown)?;
        Ok((encoding, data))
    }

    /// At least so many bytes from an offset, fewer only at the end of the file.
    fn bytes(&mut self, number: usize, offset: u64, wanted: usize) -> Result<&[u8], Error> {
        let (place, begins) = self.place;
        let inside = (place == number)
            .then(|| offset.checked_sub(begins))
            .flatten()
            .and_then(|skip| usize::try_from(skip).ok())
            .filter(|skip| skip.saturating_add(wanted) <= self.window.len());
        let skip = match inside {
            Some(skip) => skip,
            None => {
                self.load(number, offset, wanted)?;
                0
            }
        };
        Ok(self.window.get(skip..).unwrap_or_default())
    }

    fn load(&mut self, number: usize, offset: u64, wanted: usize) -> Result<(), Error> {
        let Some((path, file, length)) = self.files.get(number) else {
            return Ok(());
        };
        let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
        self.place = (usize::MAX, 0);
        self.window.resize(wanted.max(WINDOW_BYTES).min(left), 0);
        file.read_exact_at(&mut self.window, offset)
            .map_err(at(path))?;
        self.place = (number, offset);
        Ok(())
    }
}

/// Appends a chunk as it stands in a file.
pub(super) fn put_chunk(out: &mut Vec<u8>, encoding: Encoding, data: &[u8]) {
    put_varint(out, data.len() as u64);
    let begins = out.len();
    out.push(encoding.number());
    out.extend_from_slice(data);
    let sum = super::super::crc32c::crc32c(out.get(begins..).unwrap_or_default());
    out.extend(sum.to_be_bytes());
}
