//! Other stores' data: Prometheus' blocks, log and head chunks read and written; dumps of VictoriaMetrics,
//! OpenMetrics and Influx read.
//!
//! Readers hand over `model::SeriesSamples` in batches, so that memory holds names and one batch. This crate knows neither
//! our store's files nor sockets: who imports gives it a `model::Sink`.

mod error;
pub mod prometheus;
pub mod remote_write;

#[cfg(test)]
mod testing;

pub use error::Error;
