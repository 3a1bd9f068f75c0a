//! `chunks_head/000001` and following: full chunks of the head, which Prometheus maps into memory.
//!
//! Layout: magic 0x0130BC91, version 1, three zero bytes; then chunks: number of the series (8 bytes), first and last time (8
//! bytes each), encoding (byte; bit 7: its samples came out of order), length (uvarint), data, CRC-32C of all that. The file may end with
//! zero bytes, and after a crash within a chunk. Format: Prometheus' `tsdb/docs/format/head_chunks.md`.

use super::super::bytes::{be64, checked};
use super::super::chunk::{self, Encoding};
use crate::error::{Error, at};
use model::Sample;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::Path;
use storage::encoding::Decoder;

const MAGIC: [u8; 4] = [0x01, 0x30, 0xbc, 0x91];
const HEADER_BYTES: usize = 8;
/// Series, times and encoding.
const FIXED_BYTES: usize = 8 + 8 + 8 + 1;
const OUT_OF_ORDER: u8 = 0x80;

/// A chunk of the head, unpacked.
#[derive(Debug)]
pub(super) struct HeadChunk {
    /// The number of its series in the write-ahead log.
    pub(super) series: u64,
    /// Whether its samples came out of order.
    pub(super) is_late: bool,
    pub(super) samples: Vec<Sample>,
}

/// Hands over the chunks of a file. What cannot be read goes to `damages`.
pub(super) fn for_each(
    path: &Path,
    damages: &mut Vec<Error>,
    mut take: impl FnMut(HeadChunk) -> Result<(), Error>,
) -> Result<(), Error> {
    let file = File::open(path).map_err(at(path))?;
    let mut input = BufReader::with_capacity(1 << 20, file);
    let mut header = Vec::new();
    read_up_to(&mut input, HEADER_BYTES, &mut header).map_err(at(path))?;
    if header.is_empty() {
        // A file that Prometheus had just made.
        return Ok(());
    }
    if !header.starts_with(&MAGIC) || header.get(4) != Some(&1) {
        damages.push(Error::corrupt(path, 0, "no head chunks of a known version"));
        return Ok(());
    }
    let mut offset = HEADER_BYTES as u64;
    let mut frame = Vec::new();
    loop {
        frame.clear();
        match next_frame(&mut input, &mut frame).map_err(at(path))? {
            Next::End => return Ok(()),
            Next::Broken(what) => {
                damages.push(Error::corrupt(path, offset, what));
                return Ok(());
            }
            Next::Chunk => {}
        }
        match decode(&frame) {
            Ok(chunk) => take(chunk)?,
            Err(what) => damages.push(Error::corrupt(path, offset, what)),
        }
        offset += frame.len() as u64;
    }
}

enum Next {
    Chunk,
    End,
    Broken(&'static str),
}

/// Reads one chunk with its frame. A file that ends within one was being written when its process died.
fn next_frame(input: &mut BufReader<File>, frame: &mut Vec<u8>) -> std::io::Result<Next> {
    read_up_to(input, FIXED_BYTES, frame)?;
    if frame.iter().all(|byte| *byte == 0) || frame.len() < FIXED_BYTES {
        return Ok(Next::End);
    }
    let mut length = Vec::new();
    loop {
        let before = length.len();
        read_up_to(input, 1, &mut length)?;
        if length.len() == before {
            return Ok(Next::End);
        }
        let is_last = length.last().is_some_and(|byte| byte & 0x80 == 0);
        if is_last || length.len() == 10 {
            break;
        }
    }
    frame.extend_from_slice(&length);
    let bytes = Decoder::new(&length).count();
    let Some(bytes) = bytes.filter(|bytes| *bytes <= chunk::BYTES_MAX) else {
        return Ok(Next::Broken("a chunk of an impossible length"));
    };
    let wanted = frame.len() + bytes + 4;
    read_up_to(input, bytes + 4, frame)?;
    Ok(if frame.len() < wanted {
        Next::End
    } else {
        Next::Chunk
    })
}

/// Appends the next bytes, fewer only at the end of the file.
fn read_up_to(input: &mut BufReader<File>, bytes: usize, out: &mut Vec<u8>) -> std::io::Result<()> {
    match input.by_ref().take(bytes as u64).read_to_end(out) {
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(()),
    }
}

fn decode(frame: &[u8]) -> Result<HeadChunk, String> {
    let content = checked(frame).ok_or("checksum mismatch in a chunk")?;
    let mut decoder = Decoder::new(content);
    let mut fixed = || {
        let series = be64(&mut decoder)?;
        let _times = (be64(&mut decoder)?, be64(&mut decoder)?);
        Some((series, decoder.byte()?, decoder.bytes()?))
    };
    let (series, number, data) = fixed().ok_or("a chunk ends early")?;
    let encoding = Encoding::from_number(number & !OUT_OF_ORDER)
        .ok_or_else(|| format!("chunk encoding {number}, which is not known"))?;
    let mut samples = Vec::new();
    chunk::decode(encoding, data, &mut samples)?;
    Ok(HeadChunk {
        series,
        is_late: number & OUT_OF_ORDER != 0,
        samples,
    })
}
