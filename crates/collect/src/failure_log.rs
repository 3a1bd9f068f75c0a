//! `scrape_failure_log_file`: one line of JSON for each scrape that failed, with upstream's fields.
//!
//! Jobs that name the same file share it. Every new configuration opens the files anew, so that a rotating tool may move
//! them away.

use model::Timestamp;
use runtime::metrics::Counter;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use storage::{LineLog, OperatingSystem};

/// The files that are in use, by path.
#[derive(Default)]
pub(crate) struct FailureLogs {
    open: Mutex<BTreeMap<PathBuf, Weak<LineLog>>>,
}

impl FailureLogs {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Weak<LineLog>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log in a file. Where the file cannot be opened that is said, and failures are written nowhere.
    pub(crate) fn open(&self, path: &Path) -> Option<Arc<LineLog>> {
        let mut open = self.lock();
        if let Some(log) = open.get(path).and_then(Weak::upgrade) {
            return Some(log);
        }
        let log = Arc::new(LineLog::new(OperatingSystem::shared()));
        if let Err(error) = log.write_to(Some(path)) {
            tracing::error!(file = %path.display(), %error, "the scrape failure log cannot be opened");
            return None;
        }
        open.insert(path.to_path_buf(), Arc::downgrade(&log));
        Some(log)
    }

    /// Opens all files anew and forgets those that no job writes to.
    pub(crate) fn reopen(&self) {
        let mut open = self.lock();
        open.retain(|_, log| log.strong_count() > 0);
        for (path, log) in open.iter() {
            let reopened = log.upgrade().map(|log| log.write_to(Some(path)));
            if let Some(Err(error)) = reopened {
                tracing::error!(file = %path.display(), %error, "the scrape failure log cannot be opened anew");
            }
        }
    }
}

/// One failure.
pub(crate) struct Failure<'a> {
    pub(crate) at: Timestamp,
    pub(crate) job: &'a str,
    pub(crate) url: &'a str,
    pub(crate) error: &'a str,
}

/// Appends a failure; lines that cannot be written are counted.
pub(crate) fn write(log: &LineLog, failure: &Failure<'_>, lost: &Counter) {
    let line = serde_json::json!({
        "time": failure.at.to_string(),
        "level": "ERROR",
        "msg": failure.error,
        "job_name": failure.job,
        "target": failure.url,
    });
    if log.write(&line.to_string()).is_err() {
        lost.increment();
    }
}
