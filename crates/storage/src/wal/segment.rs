//! The bytes of a segment: header, frames, and reading them back.

use super::RECORD_BYTES_MAX;
use crate::encoding::Decoder;

/// Bytes before the first record.
pub(super) const HEADER_BYTES: u64 = 16;

/// Bytes before the content of a record.
const FRAME_BYTES: usize = 8;

const MAGIC: [u8; 8] = *b"BNCLWAL\0";
const VERSION: u32 = 1;

/// The file name of a segment; names sort as numbers do.
pub(super) fn segment_name(segment: u64) -> String {
    format!("{segment:08}.wal")
}

/// The number in a segment's file name.
pub(super) fn segment_number(name: &str) -> Option<u64> {
    name.strip_suffix(".wal")?.parse().ok()
}

/// The header of a segment.
pub(super) fn header() -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Replaces `out` by the frame of a record.
pub(super) fn frame(out: &mut Vec<u8>, content: &[u8]) {
    out.clear();
    // The caller checked that the length fits.
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(length, content).to_le_bytes());
    out.extend_from_slice(content);
}

fn checksum(length: u32, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}

/// What lies at an offset of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A whole record and the offset behind it.
    Record(&'a [u8], usize),
    /// Nothing: the segment ends here.
    End,
    /// The beginning of a record whose rest was never written.
    Torn,
    /// Bytes that nobody wrote.
    Corrupt(&'static str),
}

/// Reads the record at `offset`.
pub(super) fn frame_at(bytes: &[u8], offset: usize) -> Frame<'_> {
    let rest = bytes.get(offset..).unwrap_or_default();
    if rest.is_empty() {
        return Frame::End;
    }
    let mut decoder = Decoder::new(rest);
    let (Some(length), Some(expected)) = (decoder.u32(), decoder.u32()) else {
        return Frame::Torn;
    };
    let size = usize::try_from(length).unwrap_or(usize::MAX);
    if size == 0 || size > RECORD_BYTES_MAX {
        return Frame::Corrupt("impossible record length");
    }
    let Some(content) = decoder.take(size) else {
        return Frame::Torn;
    };
    if checksum(length, content) != expected {
        return Frame::Corrupt("checksum mismatch");
    }
    Frame::Record(content, offset + FRAME_BYTES + size)
}

/// The length of the frame that begins at `offset`, as far as its first bytes say.
pub(super) fn frame_length_at(bytes: &[u8], offset: usize) -> u64 {
    let length = Decoder::new(bytes.get(offset..).unwrap_or_default()).u32();
    let header = FRAME_BYTES as u64;
    length.map_or(header, |length| u64::from(length) + header)
}

/// Whether the bytes begin with a header that this program reads.
pub(super) fn check_header(bytes: &[u8]) -> Result<(), &'static str> {
    let expected = header();
    match bytes.get(..expected.len()) {
        Some(found) if found == expected.as_slice() => Ok(()),
        Some(_) => Err("not a segment of this version"),
        None => Err("no whole header"),
    }
}
