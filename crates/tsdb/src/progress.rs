//! How far the log has been read back, for those who wait for it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers of log segments: the first, the last, and the one that is being read.
#[derive(Debug, Default)]
pub struct ReplayProgress {
    first: AtomicU64,
    last: AtomicU64,
    current: AtomicU64,
}

impl ReplayProgress {
    /// Notes which segments there are to read.
    pub(crate) fn begin(&self, segments: &[u64]) {
        let first = segments.first().copied().unwrap_or(0);
        self.first.store(first, Ordering::Relaxed);
        self.current.store(first, Ordering::Relaxed);
        let last = segments.last().copied().unwrap_or(0);
        self.last.store(last, Ordering::Relaxed);
    }

    /// Notes which segment a record was read from.
    pub(crate) fn reached(&self, segment: u64) {
        self.current.store(segment, Ordering::Relaxed);
    }

    /// The first segment, the last, and how far reading has come; all 0 before the log is opened.
    #[must_use]
    pub fn segments(&self) -> (u64, u64, u64) {
        (
            self.first.load(Ordering::Relaxed),
            self.last.load(Ordering::Relaxed),
            self.current.load(Ordering::Relaxed),
        )
    }
}
