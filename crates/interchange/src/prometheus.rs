//! Prometheus' data directory: blocks, write-ahead log and head chunks, read and (blocks) written.
//!
//! Read is what Prometheus 2.0 to 3.14 leave behind, whoever's process it is: nothing in the directory is changed. Every length
//! is checked before memory is asked for, every checksum before bytes are believed; an error names file and offset.
//! Not read: the snapshot of memory at shutdown (an optional feature; the log holds the same) and metadata.

mod bytes;
mod crc32c;

pub mod chunk;

pub mod block;
mod folder;
mod wal;

mod export;
mod import;
mod merge;

pub(crate) use crc32c::crc32c;
pub use export::{BLOCK_MS, ExportOptions, Exported, export, samples_of};
pub use folder::DataFolder;
pub use import::{Destination, Progress, Report, import};
pub use merge::for_each_series;
pub use wal::{Head, HeadCounts, Wanted};
