//! Records out of the segments of a write-ahead log.
//!
//! A segment is a row of pages of 32 KiB. Records are cut into fragments that do not cross pages: type (low three bits: 1
//! whole, 2 first, 3 middle, 4 last, 0 rest of the page is empty; bit 3: snappy, bit 4: zstd), length (u16),
//! CRC-32C of the data, data. Records do not cross segments. Format: Prometheus' `tsdb/docs/format/wal.md`.
//!
//! A torn record at the end of the last segment is what a crash leaves, not damage. Anywhere else the rest of that segment
//! is skipped and reported; the following segments are read on.

use super::super::crc32c::crc32c;
use crate::error::{Error, at};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

const PAGE_BYTES: usize = 32 << 10;
const FRAGMENT_HEADER_BYTES: usize = 7;
const TYPE_BITS: u8 = 0b111;
const SNAPPY: u8 = 0b1000;
const ZSTD: u8 = 0b1_0000;
/// Bytes of one record, packed or unpacked; upstream's are below the 128 MiB of a segment.
const RECORD_BYTES_MAX: usize = 256 << 20;

/// The numbered files of a folder, ascending. A folder that is missing has none.
pub(super) fn segments(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(folder)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(at(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
            found.push((name.parse::<u64>().unwrap_or(u64::MAX), entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// What stopped the reading of a segment.
enum Stop {
    /// The bytes end within a fragment, as after a crash.
    Torn(u64),
    /// Anything else.
    Damage(u64, String),
}

/// Hands the records of the segments over in order. Damage goes to `damages`; only what the file system or
/// the taker refuses is an error.
pub(super) fn for_each_record(
    segments: &[PathBuf],
    damages: &mut Vec<Error>,
    mut take: impl FnMut(&[u8], Place<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    for (i, path) in segments.iter().enumerate() {
        let is_last = i + 1 == segments.len();
        let file = File::open(path).map_err(at(path))?;
        let mut reader = Segment {
            input: BufReader::with_capacity(1 << 20, file),
            page: vec![0; PAGE_BYTES],
            filled: 0,
            at: PAGE_BYTES,
            page_at: 0,
            pages: 0,
        };
        let mut record = Record::default();
        loop {
            match reader.next_record(&mut record).map_err(at(path))? {
                Ok(false) => break,
                Ok(true) => {
                    let place = Place {
                        path,
                        offset: record.begins,
                    };
                    take(record.content(), place)?;
                }
                Err(Stop::Torn(_)) if is_last => break,
                Err(Stop::Torn(offset)) => {
                    damages.push(Error::corrupt(
                        path,
                        offset,
                        "the segment ends within a record",
                    ));
                    break;
                }
                Err(Stop::Damage(offset, what)) => {
                    damages.push(Error::corrupt(path, offset, what));
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Where a record begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) offset: u64,
}

#[derive(Default)]
struct Record {
    packed: Vec<u8>,
    unpacked: Vec<u8>,
    is_unpacked: bool,
    begins: u64,
}

impl Record {
    fn content(&self) -> &[u8] {
        if self.is_unpacked {
            &self.unpacked
        } else {
            &self.packed
        }
    }

    fn unpack(&mut self, flags: u8) -> Result<(), String> {
        self.is_unpacked = flags & (SNAPPY | ZSTD) != 0;
        if flags & SNAPPY != 0 {
            let length = snap::raw::decompress_len(&self.packed).map_err(|e| e.to_string())?;
            if length > RECORD_BYTES_MAX {
                return Err("a record of an impossible length".to_owned());
            }
            self.unpacked.clear();
            self.unpacked.resize(length, 0);
            let unpacked = snap::raw::Decoder::new().decompress(&self.packed, &mut self.unpacked);
            unpacked.map_err(|error| error.to_string())?;
        } else if flags & ZSTD != 0 {
            self.unpacked.clear();
            let decoder = zstd::stream::read::Decoder::new(self.packed.as_slice());
            let mut limited = decoder
                .map_err(|error| error.to_string())?
                .take(RECORD_BYTES_MAX as u64 + 1);
            limited
                .read_to_end(&mut self.unpacked)
                .map_err(|error| error.to_string())?;
            if self.unpacked.len() > RECORD_BYTES_MAX {
                return Err("a record of an impossible length".to_owned());
            }
        }
        Ok(())
    }
}

struct Segment {
    input: BufReader<File>,
    page: Vec<u8>,
    /// Bytes of the page that are there.
    filled: usize,
    /// Bytes of the page that are read.
    at: usize,
    page_at: u64,
    pages: u64,
}

impl Segment {
    /// Reads the next record; `false` at the end.
    fn next_record(&mut self, record: &mut Record) -> std::io::Result<Result<bool, Stop>> {
        record.packed.clear();
        let mut is_inside = false;
        loop {
            if self.at + FRAGMENT_HEADER_BYTES > self.filled {
                let is_torn = self.at < self.filled && self.rest_is_used();
                let torn_at = self.offset();
                if !self.next_page()? {
                    return Ok(if is_inside || is_torn {
                        Err(Stop::Torn(torn_at))
                    } else {
                        Ok(false)
                    });
                }
            }
            let offset = self.offset();
            let Some(header) = self.page.get(self.at..self.at + FRAGMENT_HEADER_BYTES) else {
                return Ok(Err(Stop::Torn(offset)));
            };
            let (flags, length, sum) = fragment_header(header);
            let kind = flags & TYPE_BITS;
            if kind == 0 {
                // The rest of the page is empty.
                if self.rest_is_used() {
                    return Ok(damage(offset, "bytes in the empty rest of a page"));
                }
                self.at = self.filled;
                continue;
            }
            let begins = self.at + FRAGMENT_HEADER_BYTES;
            if begins + length > self.filled {
                return Ok(if self.filled < PAGE_BYTES {
                    Err(Stop::Torn(offset))
                } else {
                    damage(offset, "a fragment reaches beyond its page")
                });
            }
            let data = self.page.get(begins..begins + length).unwrap_or_default();
            if crc32c(data) != sum {
                return Ok(damage(offset, "checksum mismatch in a record"));
            }
            if matches!(kind, 1 | 2) == is_inside || kind > 4 {
                return Ok(damage(offset, "a fragment out of order"));
            }
            if !is_inside {
                record.begins = offset;
            }
            if record.packed.len() + length > RECORD_BYTES_MAX {
                return Ok(damage(offset, "a record of an impossible length"));
            }
            record.packed.extend_from_slice(data);
            self.at = begins + length;
            is_inside = true;
            if matches!(kind, 1 | 4) {
                return Ok(match record.unpack(flags) {
                    Ok(()) => Ok(true),
                    Err(what) => Err(Stop::Damage(record.begins, what)),
                });
            }
        }
    }

    const fn offset(&self) -> u64 {
        self.page_at + self.at as u64
    }

    fn rest_is_used(&self) -> bool {
        let rest = self.page.get(self.at..self.filled).unwrap_or_default();
        rest.iter().any(|byte| *byte != 0)
    }

    fn next_page(&mut self) -> std::io::Result<bool> {
        self.page_at = self.pages * PAGE_BYTES as u64;
        self.pages += 1;
        (self.filled, self.at) = (0, 0);
        while self.filled < PAGE_BYTES {
            let Some(room) = self.page.get_mut(self.filled..) else {
                break;
            };
            match self.input.read(room) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.filled > 0)
    }
}

fn damage(offset: u64, what: &str) -> Result<bool, Stop> {
    Err(Stop::Damage(offset, what.to_owned()))
}

/// Flags, length and checksum; the bytes are exactly a header.
fn fragment_header(header: &[u8]) -> (u8, usize, u32) {
    let Some([flags, high, low, a, b, c, d]) = header.first_chunk::<FRAGMENT_HEADER_BYTES>() else {
        return (0, 0, 0);
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    (*flags, length, u32::from_be_bytes([*a, *b, *c, *d]))
}
