//! Why other stores' data cannot be read or written.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file or a folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The bytes are not what the format allows.
    #[error("{path}: offset {offset}: {what}")]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The path does not hold what was asked for.
    #[error("{path}: {what}")]
    NotOne {
        /// Which file or folder.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// Whoever takes what is read can take no more.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    /// Makes the error of damaged bytes.
    #[must_use]
    pub fn corrupt(path: &Path, offset: u64, what: impl Into<String>) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            offset,
            what: what.into(),
        }
    }

    /// Whether it is about damaged bytes, so that the rest may be read without them.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Corrupt { .. } => true,
            Self::Io { source, .. } => matches!(source.kind(), io::ErrorKind::UnexpectedEof),
            Self::NotOne { .. } | Self::Refused(_) => false,
        }
    }
}

/// Adds the path to what the file system said.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    |source| Error::Io {
        path: path.to_owned(),
        source,
    }
}
