//! What can go wrong in the database.

use model::SourceError;
use std::io;
use std::path::{Path, PathBuf};
use storage::WalError;
use storage::sealed::SealedError;

/// Why the database did not open or a change to it failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The write-ahead log takes or gives nothing.
    #[error("write-ahead log: {0}")]
    Wal(#[from] WalError),
    /// A small file cannot be written or read.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// The bytes of a block are not what was written.
    #[error("{path}: offset {offset}: {what}")]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A newer or a very old program wrote this.
    #[error("{path}: version {version}, this program knows {known}")]
    Version {
        /// Which file.
        path: PathBuf,
        /// The version it has.
        version: u32,
        /// The version that is known here.
        known: u32,
    },
    /// A query was stopped: too many samples, cancelled.
    #[error(transparent)]
    Stopped(#[from] SourceError),
    /// The database was closed.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    /// Whether bytes are missing or wrong, as against a file system that refuses for now.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Corrupt { .. } | Self::Sealed(SealedError::Corrupt { .. }) => true,
            Self::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Sealed(SealedError::Io { .. } | SealedError::Version { .. })
            | Self::Wal(_)
            | Self::Version { .. }
            | Self::Stopped(_)
            | Self::Closed => false,
        }
    }
}

/// Makes an `Io` error of what a file operation said.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}
