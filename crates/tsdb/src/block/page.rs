//! The frame of a block file: header, pages, index page, footer.
//!
//! Header: magic `BNCLBLK\0`, version (u32), CRC-32 of those. A page: CRC-32 of what follows (u32), codec
//! (byte: 0 plain, 1 zstd), length of the content (u32), content. Footer: offset and length of the index
//! page (u64 each), CRC-32 of those (u32), magic of the end.

use std::cell::RefCell;
use std::io;
use storage::encoding::Decoder;
use storage::{Readable, Writable};
use zstd::bulk::{Compressor, Decompressor};

pub(super) const HEADER_BYTES: u64 = 16;
const MAGIC: [u8; 8] = *b"BNCLBLK\0";
pub(super) const VERSION: u32 = 4;

/// The oldest version that is read: it lacks some of the codecs and nothing else.
const OLDEST_VERSION: u32 = 3;
const FOOTER_BYTES: u64 = 28;
const END_MAGIC: [u8; 8] = *b"BNCLEND\0";
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
const ZSTD_LEVEL: i32 = 3;

/// A page that zstd makes smaller by less than this part is left plain: it is read more often than written.
const SAVED_SHARE: usize = 32;

/// A page's content is never longer: what a reader believes of a length field.
const CONTENT_BYTES_MAX: usize = 1 << 30;

/// Why a page cannot be read.
pub(super) enum Problem {
    Io(io::Error),
    Corrupt(u64, &'static str),
    /// Another program wrote this, in a version that this one does not know.
    Version(u32),
}

/// Where a page lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PagePlace {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// Writes pages one behind the other.
pub(super) struct PageWriter {
    file: Box<dyn Writable>,
    /// Made once: its tables take a megabyte, and making them longer than filling a page.
    compressor: Compressor<'static>,
    pub(super) length: u64,
}

impl PageWriter {
    pub(super) fn begin(file: Box<dyn Writable>) -> io::Result<Self> {
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&VERSION.to_le_bytes());
        let checksum = crc32(&header);
        header.extend_from_slice(&checksum.to_le_bytes());
        file.write(&header)?;
        Ok(Self {
            file,
            compressor: Compressor::new(ZSTD_LEVEL)?,
            length: HEADER_BYTES,
        })
    }

    pub(super) fn write(&mut self, content: &[u8]) -> io::Result<PagePlace> {
        let compressed = self.compressor.compress(content)?;
        let saved = content.len().saturating_sub(compressed.len());
        let (codec, payload) = if saved > content.len() / SAVED_SHARE {
            (ZSTD, compressed.as_slice())
        } else {
            (PLAIN, content)
        };
        let mut bytes = vec![0; 4];
        bytes.push(codec);
        let length = u32::try_from(content.len()).map_err(io::Error::other)?;
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(payload);
        let checksum = crc32(bytes.get(4..).unwrap_or_default());
        bytes.splice(..4, checksum.to_le_bytes());
        self.file.write(&bytes)?;
        let place = PagePlace {
            offset: self.length,
            length: bytes.len() as u64,
        };
        self.length += place.length;
        Ok(place)
    }

    /// Writes the index and the footer and syncs the file; answers its length.
    pub(super) fn finish(mut self, index: &[u8]) -> io::Result<u64> {
        let place = self.write(index)?;
        let mut footer = Vec::new();
        footer.extend_from_slice(&place.offset.to_le_bytes());
        footer.extend_from_slice(&place.length.to_le_bytes());
        let checksum = crc32(&footer);
        footer.extend_from_slice(&checksum.to_le_bytes());
        footer.extend_from_slice(&END_MAGIC);
        self.file.write(&footer)?;
        self.file.sync()?;
        Ok(self.length + footer.len() as u64)
    }
}

/// Reads and checks a page.
pub(super) fn read_page(file: &dyn Readable, place: PagePlace) -> Result<Vec<u8>, Problem> {
    let corrupt = |what| Problem::Corrupt(place.offset, what);
    let length =
        usize::try_from(place.length).map_err(|_too_long| corrupt("impossible page length"))?;
    if length > CONTENT_BYTES_MAX {
        return Err(corrupt("impossible page length"));
    }
    let bytes = file
        .read_at(place.offset, length)
        .map_err(read_problem(place.offset))?;
    let mut decoder = Decoder::new(&bytes);
    let short = || corrupt("a page that is too short");
    let checksum = decoder.u32().ok_or_else(short)?;
    if crc32(decoder.rest()) != checksum {
        return Err(corrupt("checksum mismatch"));
    }
    let codec = decoder.byte().ok_or_else(short)?;
    let content_length = decoder.u32().ok_or_else(short)?;
    let content_length = usize::try_from(content_length).unwrap_or(usize::MAX);
    if content_length > CONTENT_BYTES_MAX {
        return Err(corrupt("impossible content length"));
    }
    let content = match codec {
        PLAIN => decoder.rest().to_vec(),
        ZSTD => decompress(decoder.rest(), content_length)
            .map_err(|_zstd| corrupt("a page that does not decompress"))?,
        _ => return Err(corrupt("unknown page codec")),
    };
    if content.len() != content_length {
        return Err(corrupt("a page of another length"));
    }
    Ok(content)
}

/// Decompresses with this thread's decompressor: making one costs as much as a page.
fn decompress(bytes: &[u8], length: usize) -> io::Result<Vec<u8>> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new()?),
        };
        decompressor.decompress(bytes, length)
    })
}

/// Reads header and footer and the content of the index page.
pub(super) fn read_index(file: &dyn Readable, length: u64) -> Result<Vec<u8>, Problem> {
    let Some(footer_at) = length
        .checked_sub(FOOTER_BYTES)
        .filter(|at| *at >= HEADER_BYTES)
    else {
        return Err(Problem::Corrupt(0, "too short for a block"));
    };
    let header = file.read_at(0, 16).map_err(read_problem(0))?;
    let mut decoder = Decoder::new(&header);
    let (magic, version) = (decoder.take(8), decoder.u32());
    let checksum = crc32(header.get(..12).unwrap_or_default());
    if magic != Some(MAGIC.as_slice()) || decoder.u32() != Some(checksum) {
        return Err(Problem::Corrupt(0, "not a block"));
    }
    if let Some(other) = version.filter(|version| !(OLDEST_VERSION..=VERSION).contains(version)) {
        return Err(Problem::Version(other));
    }
    let footer = file
        .read_at(footer_at, 28)
        .map_err(read_problem(footer_at))?;
    let mut decoder = Decoder::new(&footer);
    let (offset, page_length) = (decoder.u64(), decoder.u64());
    let checksum = crc32(footer.get(..16).unwrap_or_default());
    let whole = decoder.u32() == Some(checksum) && decoder.rest() == END_MAGIC;
    match (offset, page_length) {
        (Some(offset), Some(length)) if whole => read_page(file, PagePlace { offset, length }),
        _ => Err(Problem::Corrupt(footer_at, "a damaged footer")),
    }
}

fn read_problem(offset: u64) -> impl FnOnce(io::Error) -> Problem {
    move |error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Problem::Corrupt(offset, "the file is cut off"),
        _ => Problem::Io(error),
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    storage::sealed::checksum(bytes)
}
