//! Other stores' data: Prometheus' blocks, log and head chunks read and written; dumps of VictoriaMetrics,
//! OpenMetrics and Influx read.
//!
//! Readers hand over `model::SeriesSamples` in batches, so that memory holds names and one batch. This crate knows neither
//! our store's files nor sockets: who imports gives it a `model::Sink`.

mod delivery;
mod error;
pub mod influx;
mod journal;
pub mod openmetrics;
pub mod prometheus;
pub mod remote_read;
pub mod text;
pub mod victoriametrics;

#[cfg(test)]
mod testing;

pub use delivery::{Delivery, Selection};
pub use error::Error;
pub use journal::Journal;
