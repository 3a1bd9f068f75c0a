//! Bytes on disk. The only crate that opens files for writing.
//!
//! `files` stands between us and the operating system so that tests can crash it; `wal` is the
//! write-ahead log; `sealed` writes small files that change as a whole; `state` owns the one SQLite
//! database; `disk_queue` keeps what must leave this machine later. What the bytes mean is the business of the crates that write them.

pub mod disk_queue;
pub mod encoding;
pub mod files;
pub mod lines;
pub mod sealed;
pub mod state;
pub mod wal;

pub use disk_queue::{DiskQueue, QueueError, QueueReader, QueueRecord};
pub use files::{Files, OperatingSystem, Readable, SharedFiles, SimulatedFiles, Writable};
pub use lines::LineLog;
pub use state::{Migration, State, StateError};
pub use wal::{Position, Wal, WalError, WalSync};
