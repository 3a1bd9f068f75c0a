//! The bytes of a segment: header, frames, and reading them back.

use crate::encoding::Decoder;
use crate::files::Readable;
use std::io;

/// The largest record, in bytes: what a reader believes of a length field.
pub(super) const RECORD_BYTES_MAX: usize = 64 << 20;
/// Bytes before the first record.
pub(super) const HEADER_BYTES: u64 = 16;
/// Bytes before the content of a record.
const FRAME_BYTES: usize = 12;

pub(super) const SEGMENT_MAGIC: [u8; 8] = *b"BNCLQUE\0";
const VERSION: u32 = 1;

/// The file name of a segment; names sort as numbers do.
pub(super) fn segment_name(segment: u64) -> String {
    format!("{segment:08}.queue")
}

/// The number in a segment's file name.
pub(super) fn segment_number(name: &str) -> Option<u64> {
    name.strip_suffix(".queue")?.parse().ok()
}

/// The header of a file.
pub(super) fn header(magic: [u8; 8]) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Whether a file begins with the header of a segment.
pub(super) fn has_header(file: &dyn Readable) -> io::Result<bool> {
    let expected = header(SEGMENT_MAGIC);
    Ok(read_some(file, 0, expected.len())?.is_some_and(|found| found == expected))
}

/// What stands before a record's content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    length: u32,
    pub(super) weight: u32,
    checksum: u32,
}

impl Header {
    /// Reads the header at `offset`; `None` where there is none that anybody wrote.
    pub(super) fn read(file: &dyn Readable, offset: u64) -> io::Result<Option<Self>> {
        let Some(bytes) = read_some(file, offset, FRAME_BYTES)? else {
            return Ok(None);
        };
        let mut decoder = Decoder::new(&bytes);
        let header = decoder.u32().zip(decoder.u32()).zip(decoder.u32());
        let header = header.map(|((length, weight), checksum)| Self {
            length,
            weight,
            checksum,
        });
        Ok(header.filter(|header| header.length > 0 && header.content_bytes() <= RECORD_BYTES_MAX))
    }

    fn content_bytes(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    /// Bytes of the whole record.
    pub(super) const fn record_bytes(&self) -> u64 {
        self.length as u64 + FRAME_BYTES as u64
    }
}

/// Replaces `out` by the frame of a record.
pub(super) fn frame(out: &mut Vec<u8>, content: &[u8], weight: u32) {
    out.clear();
    // The caller checked that the length fits.
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&weight.to_le_bytes());
    out.extend_from_slice(&checksum(length, weight, content).to_le_bytes());
    out.extend_from_slice(content);
}

/// Reads the record at `offset`; `None` where it is torn or damaged.
pub(super) fn read(file: &dyn Readable, offset: u64) -> io::Result<Option<(Header, Vec<u8>)>> {
    let Some(header) = Header::read(file, offset)? else {
        return Ok(None);
    };
    let start = offset + FRAME_BYTES as u64;
    let content = read_some(file, start, header.content_bytes())?;
    Ok(content
        .filter(|content| checksum(header.length, header.weight, content) == header.checksum)
        .map(|content| (header, content)))
}

fn checksum(length: u32, weight: u32, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(&weight.to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}

/// Reads so many bytes, or nothing where the file is shorter.
fn read_some(file: &dyn Readable, offset: u64, length: usize) -> io::Result<Option<Vec<u8>>> {
    if file.length()?.saturating_sub(offset) < length as u64 {
        return Ok(None);
    }
    match file.read_at(offset, length) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
