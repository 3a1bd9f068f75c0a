//! Small files of /proc and /sys, and what can be wrong with them.

use std::io;
use std::path::{Path, PathBuf};

/// Why a collector has nothing.
#[derive(Debug, thiserror::Error)]
pub enum SensorError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which one.
        path: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A file says something that is not understood.
    #[error("{path}: cannot make sense of {text:?}")]
    Parse {
        /// The file.
        path: String,
        /// The word or line.
        text: String,
    },
    /// The system call behind the collector failed.
    #[error("{0}")]
    System(String),
}

/// One of the roots.
#[derive(Clone, Copy)]
pub(super) struct Folder<'a>(pub(super) &'a Path);

impl Folder<'_> {
    /// The path of something under this root; absolute parts count from the root.
    pub(super) fn path(&self, part: &str) -> PathBuf {
        self.0.join(part.trim_start_matches('/'))
    }

    /// Reads a whole file; bytes that are not UTF-8 are replaced.
    pub(super) fn read(&self, part: &str) -> Result<File, SensorError> {
        let path = self.path(part);
        let text = std::fs::read(&path).map_err(|source| read_error(&path, source))?;
        let text = match String::from_utf8(text) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        Ok(File { path, text })
    }

    /// The names in a folder, sorted.
    pub(super) fn names(&self, part: &str) -> Result<Vec<String>, SensorError> {
        let path = self.path(part);
        let entries = std::fs::read_dir(&path).map_err(|source| read_error(&path, source))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        Ok(names)
    }
}

pub(super) fn read_error(path: &Path, source: io::Error) -> SensorError {
    SensorError::Read {
        path: path.display().to_string(),
        source,
    }
}

/// A file's text, and its path for errors.
pub(super) struct File {
    path: PathBuf,
    pub(super) text: String,
}

impl File {
    /// The lines, each split into its words; empty lines are left out.
    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<&str>> {
        self.text
            .lines()
            .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>())
            .filter(|words| !words.is_empty())
    }

    /// The number that the whole file is.
    pub(super) fn number(&self) -> Result<f64, SensorError> {
        self.parse(self.text.trim())
    }

    /// The number that a word of this file is.
    pub(super) fn parse(&self, word: &str) -> Result<f64, SensorError> {
        word.parse().map_err(|_not_a_number| self.error(word))
    }

    /// The number at a place in a row of words.
    pub(super) fn parse_at(&self, row: &[&str], index: usize) -> Result<f64, SensorError> {
        match row.get(index) {
            Some(word) => self.parse(word),
            None => Err(self.error(&row.join(" "))),
        }
    }

    pub(super) fn error(&self, text: &str) -> SensorError {
        let mut text = text.to_owned();
        text.truncate(text.floor_char_boundary(100));
        SensorError::Parse {
            path: self.path.display().to_string(),
            text,
        }
    }
}
