//! Small files that are written once, whole, and replaced by a rename: manifests, tombstones.
//!
//! Layout: magic (8 bytes), version (u32), length of the content (u64), CRC-32 of version, length and content
//! (u32), content; numbers lowest byte first. A reader sees the old file or the new one, never a mixture.

use crate::encoding::Decoder;
use crate::files::{Files, read_whole};
use std::io;
use std::path::{Path, PathBuf};

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The first eight bytes.
    pub magic: [u8; 8],
    /// The newest version that is written and read.
    pub version: u32,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another program wrote this, in a version that this one does not know.
    #[error("{path}: version {version}, this program knows {known}")]
    Version {
        /// Which file.
        path: PathBuf,
        /// The version it has.
        version: u32,
        /// The version that is known here.
        known: u32,
    },
    /// The bytes are not what was written.
    #[error("{path}: {what}")]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl SealedError {
    /// Whether there is no such file.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

const HEADER_BYTES: usize = 24;

/// The checksum that all our files use: CRC-32 (IEEE).
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// Writes `content` beside `path`, syncs it and puts it in the place of `path`.
pub fn replace(
    files: &dyn Files,
    path: &Path,
    kind: Kind,
    content: &[u8],
) -> Result<(), SealedError> {
    replace_io(files, path, kind, content).map_err(|source| SealedError::Io {
        path: path.to_owned(),
        source,
    })
}

fn checksum_of(version: u32, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&version.to_le_bytes());
    hasher.update(&(content.len() as u64).to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}

fn replace_io(files: &dyn Files, path: &Path, kind: Kind, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut bytes = Vec::with_capacity(HEADER_BYTES + content.len());
    bytes.extend_from_slice(&kind.magic);
    bytes.extend_from_slice(&kind.version.to_le_bytes());
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&checksum_of(kind.version, content).to_le_bytes());
    bytes.extend_from_slice(content);
    let file = files.create(&temporary)?;
    file.write(&bytes)?;
    file.sync()?;
    files.rename(&temporary, path)?;
    files.sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Reads the content back; fails where one bit differs from what was written.
pub fn read(files: &dyn Files, path: &Path, kind: Kind) -> Result<Vec<u8>, SealedError> {
    let bytes = read_whole(files, path).map_err(|source| SealedError::Io {
        path: path.to_owned(),
        source,
    })?;
    let opened = open(&bytes, kind).map(<[u8]>::to_vec);
    opened.map_err(|refusal| match refusal {
        Refusal::Version(version) => SealedError::Version {
            path: path.to_owned(),
            version,
            known: kind.version,
        },
        Refusal::Corrupt(what) => SealedError::Corrupt {
            path: path.to_owned(),
            what,
        },
    })
}

/// Why bytes are not taken.
#[derive(Debug)]
enum Refusal {
    Version(u32),
    Corrupt(String),
}

/// The version is believed only where the rest is whole: a damaged number is damage.
fn open(bytes: &[u8], kind: Kind) -> Result<&[u8], Refusal> {
    let mut decoder = Decoder::new(bytes);
    let corrupt = |what: String| Err(Refusal::Corrupt(what));
    let short = || Refusal::Corrupt(format!("{} bytes are too short for a header", bytes.len()));
    let magic = decoder.take(8).ok_or_else(short)?;
    if magic != kind.magic {
        return corrupt("another kind of file".to_owned());
    }
    let version = decoder.u32().ok_or_else(short)?;
    let length = decoder.u64().ok_or_else(short)?;
    let checksum = decoder.u32().ok_or_else(short)?;
    let content = decoder.rest();
    if content.len() as u64 != length {
        return corrupt(format!("{} bytes of {length}", content.len()));
    }
    if checksum_of(version, content) != checksum {
        return corrupt("checksum mismatch".to_owned());
    }
    if version != kind.version {
        return Err(Refusal::Version(version));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::{Kind, open, read, replace};
    use crate::files::{Files as _, SimulatedFiles, read_whole};
    use proptest::prelude::*;
    use std::path::Path;

    const KIND: Kind = Kind {
        magic: *b"TESTFILE",
        version: 1,
    };

    proptest! {
        #[test]
        fn one_changed_bit_is_noticed(content: Vec<u8>, place: prop::sample::Index, bit in 0..8_u8) {
            let disk = SimulatedFiles::new(1);
            let path = Path::new("/d/x");
            replace(&disk, path, KIND, &content).expect("written");
            prop_assert_eq!(&read(&disk, path, KIND).expect("read"), &content);
            let mut bytes = read_whole(&disk, path).expect("bytes");
            let at = place.index(bytes.len());
            prop_assert!(open(&bytes[..at], KIND).is_err());
            bytes[at] ^= 1 << bit;
            prop_assert!(open(&bytes, KIND).is_err());
        }

        #[test]
        fn a_crash_leaves_the_old_or_the_new(seed: u64, changes in 0..8_u64) {
            let disk = SimulatedFiles::new(seed);
            let path = Path::new("/d/x");
            replace(&disk, path, KIND, b"old").expect("written");
            disk.crash_after(changes);
            let done = replace(&disk, path, KIND, b"new").is_ok();
            disk.restart_machine();
            let content = read(&disk, path, KIND).expect("never unreadable");
            prop_assert!(content == b"new" || (content == b"old" && !done));
            prop_assert!(disk.list(Path::new("/d")).is_ok());
        }
    }
}
