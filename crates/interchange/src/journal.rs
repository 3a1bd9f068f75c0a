//! What an import has finished, so that an interrupted one goes on where it was.
//!
//! One sealed file (see `storage::sealed`) whose content is JSON: for each import, named by where it reads from and
//! what it selects, the names of the pieces that are safe at their destination. A piece that was under way is read
//! again from its beginning; samples that arrive twice are one.

use crate::error::Error;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use storage::SharedFiles;
use storage::sealed::{self, Kind, SealedError};

const KIND: Kind = Kind {
    magic: *b"BNIMPORT",
    version: 1,
};

/// The finished pieces of imports.
pub struct Journal {
    files: SharedFiles,
    path: PathBuf,
    imports: BTreeMap<String, BTreeSet<String>>,
}

impl Journal {
    /// Reads the file, or begins with nothing where there is none.
    pub fn open(files: &SharedFiles, path: &Path) -> Result<Self, Error> {
        let imports = match sealed::read(files.as_ref(), path, KIND) {
            Ok(content) => serde_json::from_slice(&content)
                .map_err(|error| Error::corrupt(path, 0, error.to_string()))?,
            Err(error) if error.is_not_found() => BTreeMap::new(),
            Err(error) => return Err(convert(error)),
        };
        Ok(Self {
            files: SharedFiles::clone(files),
            path: path.to_owned(),
            imports,
        })
    }

    /// Whether a piece of an import is finished.
    #[must_use]
    pub fn has(&self, import: &str, piece: &str) -> bool {
        self.imports
            .get(import)
            .is_some_and(|pieces| pieces.contains(piece))
    }

    /// Notes that a piece is finished and writes the file.
    pub fn finish(&mut self, import: &str, piece: &str) -> Result<(), Error> {
        let pieces = self.imports.entry(import.to_owned()).or_default();
        pieces.insert(piece.to_owned());
        // Texts by texts: nothing can fail.
        let content = serde_json::to_vec(&self.imports).unwrap_or_default();
        sealed::replace(self.files.as_ref(), &self.path, KIND, &content).map_err(convert)
    }
}

fn convert(error: SealedError) -> Error {
    let text = error.to_string();
    match error {
        SealedError::Io { path, source } => Error::Io { path, source },
        SealedError::Corrupt { path, what } => Error::Corrupt {
            path,
            offset: 0,
            what,
        },
        SealedError::Version { .. } => Error::Refused(text),
    }
}
