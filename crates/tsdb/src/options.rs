//! What a database is opened with.

use crate::progress::ReplayProgress;
use model::Matcher;
use runtime::{Registry, SharedClock, SystemClock};
use std::path::PathBuf;
use std::sync::Arc;
use storage::{OperatingSystem, SharedFiles, WalSync};

/// Length of the blocks that are cut from the head, as upstream's.
pub const BLOCK_MS: i64 = 2 * 3_600_000;

/// Series in the head at most: a runaway label meets a limit before it meets the memory.
pub const SERIES_MAX: usize = 5_000_000;

/// How far ahead of the clock a sample may be, as upstream's.
pub const FUTURE_WINDOW_MS: i64 = 10 * 60_000;

/// How old data may become, as upstream's default: 15 days.
pub const RETENTION_MS: i64 = 15 * 86_400_000;

/// Exemplars that are kept, as upstream's default: the newest of all series together.
pub const EXEMPLARS_MAX: usize = 100_000;

/// Series that are kept for a shorter time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionRule {
    /// Which series: all must match.
    pub matchers: Vec<Matcher>,
    /// How old their samples may become.
    pub keep_ms: i64,
}

/// From an age on, one sample for each window of time, with count, sum, least and greatest value and what else
/// `model::Summaries` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downsampling {
    /// Data older than this.
    pub after_ms: i64,
    /// Length of the windows. A multiple of the one before it.
    pub window_ms: i64,
}

/// What a database is opened with.
#[derive(Clone)]
pub struct Options {
    /// Where everything lies; made if missing.
    pub folder: PathBuf,
    /// Data older than this is removed and refused; `None` keeps it for ever.
    pub retention_ms: Option<i64>,
    /// The oldest blocks are removed when blocks and log are larger than this together.
    pub retention_bytes: Option<u64>,
    /// The same as a share of the file system, in percent; the smaller of the two holds.
    pub retention_percentage: Option<f64>,
    /// Series that are kept for a shorter time than the rest.
    pub retention_rules: Vec<RetentionRule>,
    /// What becomes of samples as they grow old, from the youngest age to the oldest.
    pub downsampling: Vec<Downsampling>,
    /// When an appended batch counts as acknowledged.
    pub wal_sync: WalSync,
    /// Length of the blocks that are cut from the head.
    pub block_ms: i64,
    /// How far ahead of the clock a sample may be; `None` for any distance.
    pub future_window_ms: Option<i64>,
    /// Series in the head at most.
    pub series_max: usize,
    /// Bytes that the decoded indexes of all blocks may take. One beyond that is decoded for each query anew.
    pub index_bytes_max: usize,
    /// Exemplars that are kept, 0 for none.
    pub exemplars_max: usize,
    /// What time it is.
    pub clock: SharedClock,
    /// Where the store's own metrics go.
    pub metrics: Registry,
    /// The file system.
    pub files: SharedFiles,
    /// Shows how far replay of the log has come.
    pub progress: Arc<ReplayProgress>,
}

/// An eighth of the memory there is, but so much at least. The index of a million series takes some 200 MB, and a
/// query that needs it waits a second where it must be decoded.
fn index_bytes_max() -> usize {
    const LEAST: u64 = 256 << 20;
    let share = runtime::memory::of_machine().unwrap_or_default() / 8;
    usize::try_from(share.max(LEAST)).unwrap_or(usize::MAX)
}

impl Options {
    /// The defaults, on the operating system's files and clock.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            retention_ms: Some(RETENTION_MS),
            retention_bytes: None,
            retention_percentage: None,
            retention_rules: Vec::new(),
            downsampling: Vec::new(),
            wal_sync: WalSync::Interval,
            block_ms: BLOCK_MS,
            future_window_ms: Some(FUTURE_WINDOW_MS),
            series_max: SERIES_MAX,
            index_bytes_max: index_bytes_max(),
            exemplars_max: EXEMPLARS_MAX,
            clock: SystemClock::shared(),
            metrics: Registry::new(),
            files: OperatingSystem::shared(),
            progress: Arc::default(),
        }
    }
}
