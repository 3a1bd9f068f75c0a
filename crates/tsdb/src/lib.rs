//! Metrics on disk and in memory: write-ahead log, head, blocks, retention.
//!
//! `Db` is a `model::Sink` and a `model::Source`. Acknowledged samples are in the log; the head holds what
//! is not in blocks yet. This crate knows no query language and no wire format.

mod options;

mod db;
mod error;
mod metrics;

mod block;
mod checkpoint;
mod codec;
mod exemplars;
mod gather;
mod head;
mod histogram;
mod manifest;
mod postings;
mod progress;
mod record;
mod retention;
mod summary;

pub use db::{
    Batch, BlockInfo, Db, HeadNumbers, LabelCount, Maintenance, SeriesHandle, SnapshotHead, Stats,
};
pub use error::Error;
pub use options::{
    BLOCK_MS, Downsampling, EXEMPLARS_MAX, FUTURE_WINDOW_MS, Options, RETENTION_MS, RetentionRule,
    SERIES_MAX,
};
pub use progress::ReplayProgress;
pub use storage::WalSync;
