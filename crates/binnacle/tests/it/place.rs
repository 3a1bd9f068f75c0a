//! A folder for one test: configuration and data.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Gone when it is dropped.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a folder for the test");
        std::fs::create_dir(folder.path().join("config")).expect("a folder below it");
        Self { folder }
    }

    /// One with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let place = Self::new();
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    /// Where configuration lies.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// Where data lies.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Another name in the folder.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the configuration.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.config().join(name);
        let folder = path.parent().expect("below config");
        std::fs::create_dir_all(folder).expect("a folder");
        write(&path, text);
    }
}

/// Writes a text.
pub(crate) fn write(path: &Path, text: &str) {
    let mut file = std::fs::File::create(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}
