//! Bytes on disk. The only crate that opens files for writing.
//!
//! `state` owns the one SQLite database; write-ahead log, checksummed files and manifest live beside it.

pub mod state;

pub use state::{Migration, State, StateError};
