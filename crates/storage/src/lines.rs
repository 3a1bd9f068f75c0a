//! Log files of lines for people and their tools: appended to, never read back, opened anew on demand so that a
//! rotating tool may move them away.

use crate::files::{SharedFiles, Writable};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file that lines are appended to, or none.
pub struct LineLog {
    files: SharedFiles,
    open: Mutex<Option<Open>>,
}

struct Open {
    path: PathBuf,
    file: Box<dyn Writable>,
}

impl LineLog {
    /// Makes a log that writes nowhere yet.
    #[must_use]
    pub fn new(files: SharedFiles) -> Self {
        Self {
            files,
            open: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes to this file from now on, made where it is missing; `None` ends the log. A file of the same name is opened
    /// anew. Where that fails the old one stays.
    pub fn write_to(&self, path: Option<&Path>) -> io::Result<()> {
        let opened = match path {
            None => None,
            Some(path) => {
                let file = match self.files.open_for_append(path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        self.files.create(path)?
                    }
                    opened => opened?,
                };
                Some(Open {
                    path: path.to_path_buf(),
                    file,
                })
            }
        };
        *self.lock() = opened;
        Ok(())
    }

    /// Whether lines are written anywhere.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.lock().is_some()
    }

    /// Where lines are written.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.lock().as_ref().map(|open| open.path.clone())
    }

    /// Appends a line as one write.
    pub fn write(&self, line: &str) -> io::Result<()> {
        match self.lock().as_ref() {
            Some(open) => open.file.write(format!("{line}\n").as_bytes()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LineLog;
    use crate::OperatingSystem;

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("queries.log");
        let log = LineLog::new(OperatingSystem::shared());
        assert!(!log.is_on());
        log.write("nobody reads this").expect("nowhere to go");
        log.write_to(Some(&path)).expect("made");
        log.write("one").expect("written");
        let moved = folder.path().join("queries.log.1");
        std::fs::rename(&path, &moved).expect("moved");
        log.write("two").expect("written");
        log.write_to(Some(&path)).expect("made anew");
        log.write("three").expect("written");
        let read = |path| std::fs::read_to_string(path).expect("a file");
        assert_eq!(
            (read(&moved).as_str(), read(&path).as_str()),
            ("one\ntwo\n", "three\n")
        );
        let nowhere = folder.path().join("missing/queries.log");
        assert!(log.write_to(Some(&nowhere)).is_err());
        assert_eq!(log.path(), Some(path));
        log.write_to(None).expect("ended");
        assert!(!log.is_on());
    }
}
